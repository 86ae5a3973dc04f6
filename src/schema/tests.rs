//! Tests of schemas: loading, checking values, repairs, and what is shown.

#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use serde_json::{Value, json};

use super::*;
use crate::document::{Document, NodeId};
use crate::error::ScimError;
use crate::repair::{Repair, Repaired, Repairs};

const CORE: &str = "urn:ietf:params:scim:schemas:core:2.0:User";
const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";

fn source(name: &str, schema: Value, extensions: Vec<(Value, bool)>) -> TypeSource {
    TypeSource { name: name.into(), endpoint: format!("{name}s"), schema, extensions }
}

/// The RFC's user with the enterprise extension, and one with an attribute of every sort.
fn vocabulary() -> Vocabulary {
    let document = |text| serde_json::from_str::<Value>(text).unwrap();
    let sorts = json!({ "id": "urn:t:1", "attributes": [
        { "name": "bool", "type": "boolean" },
        { "name": "int", "type": "integer" },
        { "name": "dec", "type": "decimal" },
        { "name": "time", "type": "dateTime" },
        { "name": "bin", "type": "binary" },
        { "name": "ref", "type": "reference" },
        { "name": "list", "multiValued": true },
        { "name": "closed", "canonicalValues": ["Ab", "c"], "closed": true },
        { "name": "exact", "canonicalValues": ["Ab", "c"], "closed": true, "caseExact": true },
        { "name": "open", "canonicalValues": ["Ab", "c"] },
        { "name": "fixed", "mutability": "immutable" },
        { "name": "locked", "mutability": "readOnly" },
        { "name": "complex", "type": "complex", "subAttributes": [
            { "name": "must", "required": true },
            { "name": "may", "type": "integer" },
            { "name": "locked", "mutability": "readOnly" },
            { "name": "secret", "returned": "never" },
            { "name": "asked", "returned": "request" },
        ] },
        { "name": "items", "type": "complex", "multiValued": true, "subAttributes": [
            { "name": "key", "required": true, "caseExact": true },
            { "name": "value", "type": "integer" },
            { "name": "always", "returned": "always" },
        ] },
        { "name": "asked", "returned": "request" },
        { "name": "whole", "type": "complex", "returned": "always", "subAttributes": [{ "name": "part" }] },
    ] });
    let user = document(include_str!("../schemas/user.json"));
    let enterprise = document(include_str!("../schemas/enterprise-user.json"));
    let group = document(include_str!("../schemas/group.json"));
    let types =
        [source("User", user, vec![(enterprise, false), (sorts, false)]), source("Group", group, Vec::new())];
    Vocabulary::build(&types).unwrap()
}

fn with(repairs: &[Repair]) -> Repairs {
    let mut active = Repairs::default();
    repairs.iter().for_each(|repair| assert!(active.enable(repair.name(), repair.name())));
    active
}

/// What became of a resource: its text and the repairs, or the problems.
fn checked(text: &str, of: usize, repairs: &[Repair]) -> Result<(String, String), Vec<Problem>> {
    let vocabulary = vocabulary();
    let of = &vocabulary.types()[of];
    let mut document = Document::new();
    let root = document.read(text.into(), &vocabulary, of.root, 16).unwrap();
    let (repairs, mut repaired) = (with(repairs), Repaired::default());
    let (vocabulary, context) = (&vocabulary, Context::Create);
    let mut checker = Checker::new(vocabulary, &repairs, &mut repaired, context);
    checker.resource(&mut document, root, of);
    if !checker.problems.is_empty() {
        return Err(checker.problems);
    }
    let notes: Vec<String> =
        repaired.iter().map(|(repair, path)| format!("{} {path}", repair.name())).collect();
    Ok((String::from_utf8(document.write(root)).unwrap(), notes.join(", ")))
}

/// A user with these members more; `schemas` is right when `extension` is empty or an extension's URI.
fn user(members: &str) -> String {
    let extension = [ENTERPRISE, "urn:t:1"].into_iter().find(|uri| members.contains(uri));
    let extension = extension.map(|uri| format!(r#","{uri}""#)).unwrap_or_default();
    format!(r#"{{"schemas":["{CORE}"{extension}],"userName":"u",{members}}}"#)
}

fn sorts(members: &str) -> String {
    user(&format!(r#""urn:t:1":{{{members}}}"#))
}

// S-04 to S-09, S-28, P-03: one value of the wrong sort each
#[test]
fn values_of_the_wrong_sort() {
    let text = r#""x""#;
    for (name, values, message) in [
        ("bool", &["1", text, r#""true""#, "{}", "[true]"][..], ""),
        ("bool", &["0"], "must be true or false"),
        ("bool", &[r#""True""#], "must be true or false without quotes"),
        ("int", &["1.0", "1e3", "10E-1"], "must be a whole number"),
        ("int", &[r#""1""#, "true", "{}"], "must be a number"),
        ("dec", &[r#""1.5""#, "false", "{}"], "must be a number"),
        ("ref", &["1", "true", "{}"], "must be a string"),
        ("time", &["1", "{}"], "must be a string"),
        ("bin", &["1", "{}"], "must be a string"),
        ("open", &["1", "true", "{}"], "must be a string"),
        ("closed", &["1"], "must be a string"),
        ("closed", &[text, r#""a""#, r#""""#], "must be one of Ab, c"),
        ("exact", &[text, r#""ab""#], "must be one of Ab, c"),
        ("complex", &[text, "1", "true"], "must be an object"),
        ("complex", &[r#"[{"must":"x"}]"#], "must be a single value"),
        ("open", &["[1]", "[1,2]"], "must be a single value"),
        ("list", &[text, "1", "{}"], "must be an array"),
        ("items", &[r#"{"key":"a"}"#], "must be an array"),
        ("items", &["[1]", r#"["a"]"#, "[true]"], "must be an object"),
        ("items", &["[[]]", r#"[[{"key":"a"}]]"#], "must not hold an array"),
        ("list", &["[1]", "[{}]", "[true]"], "must be a string"),
        (
            "time",
            &[
                r#""""#,
                r#""2026-01-31""#,
                r#""2026-01-31T""#,
                r#""2026-01-31T08:00""#,
                r#""2026-01-31 08:00:00Z""#,
                r#""2026-1-31T08:00:00Z""#,
                r#""2026-00-31T08:00:00Z""#,
                r#""2026-13-31T08:00:00Z""#,
                r#""2026-01-32T08:00:00Z""#,
                r#""2026-01-31T24:00:00Z""#,
                r#""2026-01-31T08:60:00Z""#,
                r#""2026-01-31T08:00:60Z""#,
                r#""2026-01-31T08:00:00.Z""#,
                r#""2026-01-31T08:00:00z""#,
                r#""2026-01-31T08:00:00+1""#,
                r#""2026-01-31T08:00:00+14:01""#,
                r#""2026-01-31T08:00:00+15:00""#,
                r#""2026-01-31T08:00:00+01:60""#,
                r#""2026-01-31T08:00:00Zx""#,
                r#""+2026-01-31T08:00:00Z""#,
                r#""２026-01-31T08:00:00Z""#,
            ],
            "must be a dateTime such as 2026-01-31T08:00:00Z",
        ),
        (
            "bin",
            &[
                r#""a""#,
                r#""abcde""#,
                r#""ab=""#,
                r#""abc==""#,
                r#""a===""#,
                r#""ab=c""#,
                r#""ab c""#,
                r#""====""#,
            ],
            "must be base64",
        ),
    ] {
        for value in values.iter().filter(|_| !message.is_empty()) {
            let problems = checked(&sorts(&format!(r#""{name}":{value}"#)), 0, &[]).unwrap_err();
            let path = format!("urn:t:1:{name}");
            let expected = Problem { kind: ProblemKind::Value, path, message: message.into() };
            assert_eq!(problems, [expected], "{name} {value}");
        }
    }
}

// S-04 to S-08, S-28, S-29: what is right stays as it was written
#[test]
fn values_that_pass() {
    let passes = |text: String| assert_eq!(checked(&text, 0, &[]), Ok((text, String::new())));
    for (name, values) in [
        ("bool", &["true", "false"][..]),
        ("int", &["0", "-0", "123456789012345678901234567890"]),
        ("dec", &["0", "1.50", "-1e-400", "0.000000000000000000000000000000000001"]),
        ("closed", &[r#""Ab""#, r#""aB""#, r#""C""#]),
        ("exact", &[r#""Ab""#]),
        ("open", &[r#""Ab""#, r#""anything""#, r#""""#]),
        ("fixed", &[r#""x""#]),
        ("list", &[r#"["a","a",""]"#]),
        ("ref", &[r#""""#, r#""relative/x""#, r#""https://x.example/""#]),
        ("complex", &[r#"{"must":"m","may":1,"unknown":{"a b":1}}"#]),
        ("items", &[r#"[{"key":"a","value":1},{"key":"A","value":1}]"#]),
        (
            "time",
            &[
                r#""2026-01-31T08:00:00Z""#,
                r#""2026-01-31T08:00:00.123456789Z""#,
                r#""2026-01-31T23:59:59-14:00""#,
                r#""2026-01-31T08:00:00+05:30""#,
                r#""2026-01-31T08:00:00""#,
                r#""-0044-03-15T00:00:00Z""#,
            ],
        ),
        ("bin", &[r#""""#, r#""YQ==""#, r#""YQ""#, r#""YWI=""#, r#""YWJj""#, r#""-_-_""#, r#""+/+/""#]),
    ] {
        values.iter().for_each(|value| passes(sorts(&format!(r#""{name}":{value}"#))));
    }
    // unknown attributes are no problem of the schema
    passes(user(r#""unknown":{"a":[1]},"x-1_y$z":1,"$ref":"x""#));
}

// S-02, S-04, S-11, S-19, S-26, P-22, P-41: problems are gathered, each with its path
#[test]
fn problems_of_resources() {
    for (text, of, scim_type, detail) in [
        ("[]", 0, "invalidSyntax", "the body must be a JSON object"),
        ("{}", 0, "invalidValue", "`userName` is required"),
        ("{}", 1, "invalidValue", "`displayName` is required"),
        (r#"{"userName":null}"#, 0, "invalidValue", "`userName` is required"),
        (
            r#"{"active":"x","name":1,"emails":{}}"#,
            0,
            "invalidValue",
            "`active` must be true or false; `name` must be an object; `emails` must be an array; `userName` is required",
        ),
        (
            &sorts(r#""complex":{"may":"1"},"items":[{"value":1},{"key":"a"},{}]"#),
            0,
            "invalidValue",
            "`urn:t:1:complex.may` must be a number; `urn:t:1:complex.must` is required; `urn:t:1:items.key` is required",
        ),
        (
            &user(r#""nick name":1"#),
            0,
            "invalidSyntax",
            "the resource has a member whose name cannot be an attribute's",
        ),
        (
            &user(r#""name":{"1st":1}"#),
            0,
            "invalidSyntax",
            "`name` has a member whose name cannot be an attribute's",
        ),
        (
            &user(r#""emails":[{"value":"a","primary":true},{"value":"b"},{"value":"c","primary":true}]"#),
            0,
            "invalidValue",
            "`emails` must have at most one primary element",
        ),
        (
            r#"{"schemas":["urn:x:y"],"userName":"u"}"#,
            0,
            "invalidValue",
            "`schemas` names a schema that the route does not know",
        ),
        (
            r#"{"schemas":["userName"],"userName":"u"}"#,
            0,
            "invalidValue",
            "`schemas` names a schema that the route does not know",
        ),
    ] {
        let problems = checked(text, of, &[]).expect_err(text);
        let error = ScimError::problems(&problems);
        assert_eq!((error.status, error.scim_type, &*error.detail), (400, Some(scim_type), detail), "{text}");
    }
    // only so many are told
    let many: Vec<String> = (0..30).map(|_| r#"{"value":1}"#.to_owned()).collect();
    let members = ["emails", "phoneNumbers", "ims", "roles"].map(|name| format!(r#""{name}":1"#)).join(",");
    let lists = format!(r#"{{{members},"entitlements":[{}]}}"#, many.join(","));
    let error = ScimError::problems(&checked(&lists, 0, &[]).unwrap_err());
    assert_eq!(error.detail.matches("must be").count(), 5, "{}", error.detail);
}

// S-26
#[test]
fn required_extensions() {
    let extension = json!({ "id": "urn:t:2", "attributes": [{ "name": "x" }] });
    let user = json!({ "id": "urn:t:core", "attributes": [] });
    let types = [source("T", user, vec![(extension, true)])];
    let vocabulary = Vocabulary::build(&types).unwrap();
    let of = &vocabulary.types()[0];
    for (text, problems) in [
        (r#"{"urn:t:2":{"x":"a"}}"#, 0),
        ("{}", 1),
        (r#"{"schemas":["urn:t:2"]}"#, 1),
        (r#"{"urn:t:2":{}}"#, 1),
        (r#"{"urn:t:2":{"x":null}}"#, 1),
    ] {
        let mut document = Document::new();
        let root = document.read(text.into(), &vocabulary, of.root, 9).unwrap();
        let (repairs, mut repaired) = (Repairs::default(), Repaired::default());
        let vocabulary = &vocabulary;
        let mut checker = Checker::new(vocabulary, &repairs, &mut repaired, Context::Create);
        checker.resource(&mut document, root, of);
        assert_eq!(checker.problems.len(), problems, "{text}");
    }
}

// What each repair of resources makes of them, and that it is not made without permission. Repairs of patch
// operations and filters are tested beside those.
#[test]
fn repairs() {
    use Repair::{
        DuplicateElement, EmptySchema, JsonText, MissingSchema, NullMember, PlainValue, SingleElement,
        StringBoolean, UnknownSchema, Unwritable,
    };
    let all = |members: &str| format!(r#"{{"schemas":["{CORE}"],"userName":"u",{members}}}"#);
    let mut seen = Vec::new();
    for (repair, text, repaired, notes, refused) in [
        // E02
        (
            StringBoolean,
            user(r#""active":"True","emails":[{"value":"a","primary":"fALSE"}],"displayName":"True""#),
            user(r#""active":true,"emails":[{"value":"a","primary":false}],"displayName":"True""#),
            "stringBoolean active, stringBoolean emails.primary",
            "`active` must be true or false without quotes; `emails.primary` must be true or false without quotes",
        ),
        (StringBoolean, user(r#""active":"True ""#), String::new(), "", "`active` must be true or false"),
        // E08, E11
        (
            PlainValue,
            user(&format!(r#""{ENTERPRISE}":{{"manager":"7"}},"emails":["a"]"#)),
            user(&format!(r#""{ENTERPRISE}":{{"manager":{{"value":"7"}}}},"emails":[{{"value":"a"}}]"#)),
            &format!("plainValue {ENTERPRISE}:manager, plainValue emails"),
            &format!("`{ENTERPRISE}:manager` must be an object; `emails` must be an object"),
        ),
        // E10
        (
            SingleElement,
            user(&format!(
                r#""{ENTERPRISE}":{{"manager":[{{"value":"7"}}]}},"title":["t"],"emails":{{"value":"a"}}"#
            )),
            user(&format!(
                r#""{ENTERPRISE}":{{"manager":{{"value":"7"}}}},"title":"t","emails":[{{"value":"a"}}]"#
            )),
            &format!("singleElement {ENTERPRISE}:manager, singleElement title, singleElement emails"),
            &format!(
                "`{ENTERPRISE}:manager` must be a single value; `title` must be a single value; `emails` must be an array"
            ),
        ),
        (SingleElement, user(r#""title":["t","t"]"#), String::new(), "", "`title` must be a single value"),
        // E19
        (
            UnknownSchema,
            format!(r#"{{"schemas":["http://x.example/Group","{CORE}"],"userName":"u"}}"#),
            format!(r#"{{"schemas":["{CORE}"],"userName":"u"}}"#),
            "unknownSchema schemas",
            "`schemas` names a schema that the route does not know",
        ),
        // E26
        (
            JsonText,
            user(
                r#""roles":[{"value":" {\"id\":\"7\",\"value\":\"a\\u00e4\",\"displayName\":\"A\"}"},{"value":"{\"value\":\"b\"}","display":"B"}]"#,
            ),
            user(r#""roles":[{"value":"a\u00e4","display":"A"},{"value":"b","display":"B"}]"#),
            "jsonText roles, jsonText roles",
            "passes",
        ),
        // no assignments, or single values: nothing to repair
        (
            JsonText,
            user(
                r#""roles":[{"value":"{"},{"value":"{\"value\":1}"},{"value":"{\"value\":\"x\",\"y\":{\"z\":{}}}"},{"value":"{} x"}],"title":"{\"value\":\"x\"}""#,
            ),
            user(
                r#""roles":[{"value":"{"},{"value":"{\"value\":1}"},{"value":"{\"value\":\"x\",\"y\":{\"z\":{}}}"},{"value":"{} x"}],"title":"{\"value\":\"x\"}""#,
            ),
            "",
            "passes",
        ),
        // what follows is always made. E14
        (
            NullMember,
            user(
                r#""emails":[{"value":"a","display":null},null,{},{"value":null}],"name":{"formatted":null,"givenName":"g"}"#,
            ),
            user(r#""emails":[{"value":"a"}],"name":{"givenName":"g"}"#),
            "nullMember emails.display, nullMember emails, nullMember emails, nullMember emails.value, nullMember emails, nullMember name.formatted",
            "",
        ),
        // E18, P-05, S-13, S-15, S-17, S-22
        (
            Unwritable,
            user(
                r#""id":"x","meta":{"version":"1"},"title":null,"roles":[],"ims":[null],"name":{},"addresses":[{}],"groups":[{"value":"g"}],"unknown":null"#,
            ),
            all("").replace(",}", "}"),
            "unwritable id, unwritable meta, unwritable title, unwritable roles, unwritable ims, unwritable name, nullMember addresses, unwritable addresses, unwritable groups, unwritable ",
            "",
        ),
        // E20, S-14, S-18
        (
            MissingSchema,
            r#"{"userName":"u","urn:t:1":{"int":1},"urn:other:1":{"a":1}}"#.to_owned(),
            format!(
                r#"{{"schemas":["{CORE}","urn:t:1","urn:other:1"],"userName":"u","urn:t:1":{{"int":1}},"urn:other:1":{{"a":1}}}}"#
            ),
            "missingSchema schemas",
            "",
        ),
        // E21, S-01, S-14
        (
            EmptySchema,
            format!(
                r#"{{"schemas":["{}","{CORE}","urn:t:1","{ENTERPRISE}"],"userName":"u","urn:t:1":{{"int":1}}}}"#,
                CORE.to_uppercase()
            ),
            format!(r#"{{"schemas":["{CORE}","urn:t:1"],"userName":"u","urn:t:1":{{"int":1}}}}"#),
            "emptySchema schemas, emptySchema schemas",
            "",
        ),
        // E27, S-12: case counts where the schema says so, and nothing that was said is lost
        (
            DuplicateElement,
            user(
                r#""emails":[{"value":"a","type":"work"},{"value":"A","type":"WORK","primary":true,"display":"d"},{"value":"a","type":"home"},{"value":"a"}]"#,
            ),
            user(
                r#""emails":[{"value":"a","type":"work","primary":true,"display":"d"},{"value":"a","type":"home"},{"value":"a"}]"#,
            ),
            "duplicateElement emails",
            "",
        ),
    ] {
        seen.push(repair);
        let outcome = |repairs: &[Repair]| {
            checked(&text, 0, repairs).map_err(|problems| ScimError::problems(&problems).detail)
        };
        let expected = match repaired.is_empty() {
            true => Err(refused.to_owned()),
            false => Ok((repaired.clone(), notes.to_owned())),
        };
        assert_eq!(outcome(&[repair]), expected, "{} {text}", repair.name());
        match refused {
            "" => assert!(repair.always() && outcome(&[]) == expected, "{text}"),
            "passes" => assert_eq!(outcome(&[]), Ok((text.clone(), String::new()))),
            _ => assert_eq!(outcome(&[]), Err(refused.to_owned()), "{text}"),
        }
        // what was repaired needs no further repair
        if !repaired.is_empty() {
            assert_eq!(checked(&repaired, 0, &[]), Ok((repaired.clone(), String::new())), "{text}");
        }
    }
    assert_eq!(seen.len(), 13);
}

// S-24: what a group's members may lack
#[test]
fn groups() {
    let group = r#"{"schemas":["urn:ietf:params:scim:schemas:core:2.0:Group"],"displayName":"g","members":[{"value":"a"},{"value":"A"},{"value":"a","type":"User"}]}"#;
    assert_eq!(checked(group, 1, &[]), Ok((group.to_owned(), String::new())));
}

#[test]
fn many_elements_and_schemas() {
    let elements: Vec<String> =
        (0..20_000).map(|number| format!(r#"{{"value":"m{number}","type":"User"}}"#)).collect();
    let uris: Vec<String> = (0..5_000).map(|number| format!("urn:x:{number}")).collect();
    let data: Vec<String> = uris.iter().map(|uri| format!(r#""{uri}":{{}}"#)).collect();
    let text = format!(
        r#"{{"schemas":["urn:ietf:params:scim:schemas:core:2.0:Group","{}"],"displayName":"g","members":[{},{}],{}}}"#,
        uris.join(r#"",""#),
        elements.join(","),
        elements.join(","),
        data.join(",")
    );
    let (_, notes) = checked(&text, 1, &[]).unwrap();
    assert_eq!(notes.matches("duplicateElement members").count(), 20_000);
}

// S-30, P-39
#[test]
fn projections() {
    let text = r#"{"schemas":[],"id":"1","userName":"u","password":"p","name":{"givenName":"g","familyName":"f"},
        "emails":[{"value":"a","type":"work"},{"value":"b"}],"unknown":{"x":1},
        "urn:t:1":{"int":1,"asked":"a","complex":{"must":"m","secret":"s","asked":"q"},"whole":{"part":"p"},
            "items":[{"key":"k","always":"a"},{"value":1}]}}"#;
    let vocabulary = vocabulary();
    let of = &vocabulary.types()[0];
    let paths = |list: &str| -> Vec<AttrId> {
        let known = |uri: &str| vocabulary.knows_schema(uri);
        let resolve = |text: &str| match vocabulary.schema_root(of, text) {
            Some(root) => root,
            None => vocabulary.resolve(of, &crate::path::AttrPath::parse(text, &known).unwrap()),
        };
        list.split_whitespace().map(resolve).collect()
    };
    let whole = r#""urn:t:1":{"whole":{"part":"p"}}"#;
    for (only, without, shown) in [
        (
            None,
            "",
            r#"{"schemas":[],"id":"1","userName":"u","name":{"givenName":"g","familyName":"f"},"emails":[{"value":"a","type":"work"},{"value":"b"}],"unknown":{"x":1},"urn:t:1":{"int":1,"complex":{"must":"m"},"whole":{"part":"p"},"items":[{"key":"k","always":"a"},{"value":1}]}}"#,
        ),
        (Some("userName"), "", r#"{"schemas":[],"id":"1","userName":"u"}"#),
        (Some("PASSWORD unknown"), "", r#"{"schemas":[],"id":"1"}"#),
        (Some("name.givenName"), "", r#"{"schemas":[],"id":"1","name":{"givenName":"g"}}"#),
        (Some("name.formatted"), "", r#"{"schemas":[],"id":"1"}"#),
        (Some("emails.type"), "", r#"{"schemas":[],"id":"1","emails":[{"type":"work"}]}"#),
        (Some("emails.display"), "", r#"{"schemas":[],"id":"1"}"#),
        (Some("urn:t:1:int"), "", r#"{"schemas":[],"id":"1","urn:t:1":{"int":1,"whole":{"part":"p"}}}"#),
        (
            Some("urn:t:1:asked urn:t:1:complex.asked"),
            "",
            r#"{"schemas":[],"id":"1","urn:t:1":{"asked":"a","complex":{"asked":"q"},"whole":{"part":"p"}}}"#,
        ),
        (
            Some("urn:t:1:complex"),
            "",
            r#"{"schemas":[],"id":"1","urn:t:1":{"complex":{"must":"m","asked":"q"},"whole":{"part":"p"}}}"#,
        ),
        (
            Some("urn:t:1:items.key"),
            "",
            r#"{"schemas":[],"id":"1","urn:t:1":{"whole":{"part":"p"},"items":[{"key":"k","always":"a"}]}}"#,
        ),
        (
            None,
            "id schemas urn:t:1:whole emails name urn:t:1:complex urn:t:1:items unknown",
            &format!(
                r#"{{"schemas":[],"id":"1","userName":"u","unknown":{{"x":1}},"urn:t:1":{{"int":1,{}}}"#,
                whole.trim_start_matches(r#""urn:t:1":{"#)
            ),
        ),
        (
            None,
            "urn:t:1 name.givenName emails.value",
            r#"{"schemas":[],"id":"1","userName":"u","name":{"familyName":"f"},"emails":[{"type":"work"}],"unknown":{"x":1}}"#,
        ),
    ] {
        let mut document = Document::new();
        let root = document.read(text.into(), &vocabulary, of.root, 9).unwrap();
        let projection = Projection { only: only.map(paths), without: paths(without) };
        projection.apply(&mut document, root, &vocabulary);
        assert_eq!(String::from_utf8(document.write(root)).unwrap(), shown, "{only:?} {without}");
    }
}

// S-03, S-10: defaults, and what is no schema
#[test]
fn loading() {
    let vocabulary = vocabulary();
    let of = vocabulary.type_named("User").unwrap();
    let root = vocabulary.lookup(of.root, b"URN:T:1");
    let open = vocabulary.attribute(vocabulary.lookup(root, b"LIST"));
    assert_eq!((&*open.name, &*open.path), ("list", "urn:t:1:list"));
    assert_eq!(
        (open.kind, open.required, open.case_exact, open.mutability, open.returned),
        (Type::String, false, false, Mutability::ReadWrite, Returned::Default)
    );
    let binary = vocabulary.attribute(vocabulary.lookup(root, b"bin"));
    assert!(binary.case_exact && vocabulary.attribute(vocabulary.lookup(root, b"ref")).case_exact);
    assert_eq!(vocabulary.path(vocabulary.lookup(of.root, b"x")), "");
    for (attributes, at, message) in [
        (
            json!([{ "name": "a b" }]),
            "a b",
            "is not a name: a letter, then letters, digits, `$`, `-` and `_`",
        ),
        (json!([{}]), "name", "is missing or not text"),
        (json!([{ "name": "a", "type": "text" }]), "a", "`text` is not a data type"),
        (json!([{ "name": "a", "mutability": "rw" }]), "a", "`rw` is not a mutability"),
        (json!([{ "name": "a", "returned": "no" }]), "a", "`no` is not a way to be returned"),
        (
            json!([{ "name": "a", "type": "complex", "subAttributes": [{ "name": "b", "type": "complex" }] }]),
            "b",
            "is complex inside of a complex attribute",
        ),
    ] {
        let schema = json!({ "id": "urn:t", "attributes": attributes });
        let error = Vocabulary::build(&[source("T", schema, Vec::new())]).unwrap_err();
        assert_eq!((error.at.as_str(), error.message.as_str()), (at, message));
    }
}

// Attributes of one vocabulary are found in another by their names.
#[test]
fn translating() {
    let user = |attributes: Value| {
        let extension = json!({ "id": "urn:t:2", "attributes": attributes });
        let core = json!({ "id": "urn:t:core", "attributes": attributes });
        Vocabulary::build(&[source("T", core, vec![(extension, false)])]).unwrap()
    };
    let one = user(
        json!([{ "name": "a" }, { "name": "c", "type": "complex", "subAttributes": [{ "name": "d" }] }]),
    );
    let two = user(
        json!([{ "name": "c", "type": "complex", "subAttributes": [{ "name": "D" }] }, { "name": "x" }]),
    );
    assert!(one.is_same(&one) && !one.is_same(&two));
    let (from, to) = (&one.types()[0], &two.types()[0]);
    for path in ["c.d", "c", "urn:t:2:c.d", "a", "urn:t:2:a"] {
        let path = crate::path::AttrPath::parse(path, &|uri| one.knows_schema(uri)).unwrap();
        let found = two.translate(&one, one.resolve(from, &path), from.root, to.root);
        assert_eq!(found, two.resolve(to, &path), "{path}");
        assert_eq!(found.is_known(), &*path.name == "c");
    }
}

// Places are made where they are missing, and taken away when nothing is left in them.
#[test]
fn places() {
    let vocabulary = vocabulary();
    let of = &vocabulary.types()[0];
    let attr = |path: &str| {
        let path = crate::path::AttrPath::parse(path, &|uri| vocabulary.knows_schema(uri)).unwrap();
        vocabulary.resolve(of, &path)
    };
    let sub = format!("{ENTERPRISE}:manager.value");
    let expected = format!(r#"{{"{ENTERPRISE}":{{"manager":{{"value":"x"}}}}}}"#);
    for (text, path, placed, cleared) in [
        ("{}", "userName", r#"{"userName":"x"}"#, "{}"),
        (r#"{"userName":1}"#, "userName", r#"{"userName":"x"}"#, "{}"),
        ("{}", sub.as_str(), &expected, "{}"),
        (r#"{"name":null}"#, "name.givenName", r#"{"name":{"givenName":"x"}}"#, "{}"),
        (
            r#"{"name":{"familyName":"f"}}"#,
            "name.givenName",
            r#"{"name":{"familyName":"f","givenName":"x"}}"#,
            r#"{"name":{"familyName":"f"}}"#,
        ),
    ] {
        let mut document = Document::new();
        let root: NodeId = document.read(text.into(), &vocabulary, of.root, 9).unwrap();
        let value = document.new_string("x");
        vocabulary.place(&mut document, root, attr(path), value);
        assert_eq!(String::from_utf8(document.write(root)).unwrap(), placed, "{text} {path}");
        let found = vocabulary.find(&document, root, attr(path)).unwrap();
        assert_eq!((document.attr(found), document.string(found).as_deref()), (attr(path), Some("x")));
        vocabulary.clear(&mut document, root, attr(path));
        assert_eq!(vocabulary.find(&document, root, attr(path)), None);
        assert!(
            [cleared, &format!(r#"{{"{ENTERPRISE}":{{}}}}"#)]
                .contains(&&*String::from_utf8(document.write(root)).unwrap())
        );
    }
}

mod contexts;
#[cfg(not(target_arch = "wasm32"))]
mod properties;
#[cfg(not(target_family = "wasm"))]
mod sound;
