//! Tests of patch changes: reading, applying, telling differences, writing.

#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use super::*;
use crate::document::Document;
use crate::error::ScimError;
use crate::filter::tests::vocabulary;
use crate::repair::{Repair, Repaired, Repairs};
use crate::schema::{Checker, Context, Problem, Vocabulary};

const E: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
const CORE: &str = "urn:ietf:params:scim:schemas:core:2.0:User";

fn message(operations: &str) -> String {
    format!(r#"{{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":[{operations}]}}"#)
}

fn all_repairs() -> Repairs {
    let mut repairs = Repairs::default();
    Repair::ALL.iter().for_each(|repair| assert!(repairs.enable(repair.name(), repair.name())));
    repairs
}

struct Read {
    document: Document,
    changes: Vec<Change>,
    notes: String,
}

/// Reads a message, or tells what is wrong with it.
fn read(vocabulary: &Vocabulary, text: &str, repairs: &Repairs) -> Result<Read, Vec<Problem>> {
    let mut document = Document::new();
    let root = document.read(text.into(), vocabulary, vocabulary.patch_op, 16).unwrap();
    let mut repaired = Repaired::default();
    let mut checker = Checker::new(vocabulary, repairs, &mut repaired, Context::Patch);
    let changes = super::read(&mut document, root, &vocabulary.types()[0], &mut checker);
    if !checker.problems.is_empty() {
        return Err(checker.problems);
    }
    let notes: Vec<String> =
        repaired.iter().map(|(repair, path)| format!("{} {path}", repair.name())).collect();
    Ok(Read { document, changes, notes: notes.join(", ") })
}

fn operations_of(message: &[u8]) -> String {
    let text = str::from_utf8(message).unwrap();
    let (_, operations) = text.split_once(r#""Operations":["#).unwrap();
    operations.strip_suffix("]}").unwrap().to_owned()
}

/// The operations of a message, as they are written after reading, and the repairs.
fn normal(operations: &str, repairs: &Repairs) -> Result<(String, String), String> {
    let vocabulary = vocabulary();
    let read = read(&vocabulary, &message(operations), repairs).map_err(|problems| {
        let error = ScimError::problems(&problems);
        format!("{}: {}", error.scim_type.unwrap_or_default(), error.detail)
    })?;
    Ok((operations_of(&write(&read.changes, &read.document, &vocabulary)), read.notes))
}

// P-24, P-25, P-26, P-29, P-31: what is no patch, and which operations cannot be
#[test]
fn refused() {
    let vocabulary = vocabulary();
    let op = "urn:ietf:params:scim:api:messages:2.0:PatchOp";
    for (text, error) in [
        ("[]".to_owned(), "invalidSyntax: the body must be a JSON object".to_owned()),
        ("{}".to_owned(), format!("invalidSyntax: `schemas` must list `{op}`")),
        (
            r#"{"schemas":["x"],"Operations":[]}"#.to_owned(),
            format!("invalidSyntax: `schemas` must list `{op}`"),
        ),
        (format!(r#"{{"schemas":["{op}"]}}"#), "invalidSyntax: `Operations` must be an array".to_owned()),
        (
            format!(r#"{{"schemas":["{op}"],"Operations":{{}}}}"#),
            "invalidSyntax: `Operations` must be an array".to_owned(),
        ),
        (message(""), "invalidSyntax: `Operations` must not be empty".to_owned()),
        (message("1"), "invalidSyntax: `Operations[0]` must be an object".to_owned()),
        (message(r#"{"path":"title"}"#), "invalidSyntax: `Operations[0]` must have an `op`".to_owned()),
        (
            message(r#"{"op":"replace","path":"title","value":"x"},{"op":"move","path":"title"}"#),
            "invalidSyntax: `Operations[1]` must have an `op` of add, remove or replace".to_owned(),
        ),
    ] {
        let error_of = |problems: Vec<Problem>| {
            let error = ScimError::problems(&problems);
            format!("{}: {}", error.scim_type.unwrap_or_default(), error.detail)
        };
        assert_eq!(
            read(&vocabulary, &text, &all_repairs()).map(|_| ()).map_err(error_of),
            Err(error),
            "{text}"
        );
    }
    let ambiguous = "invalidValue: `Operations[0]` a remove operation with a value is ambiguous; name the elements in the path";
    let no_value = "invalidValue: `Operations[0]` must have a value";
    let read_only = |path: &str| format!("mutability: `{path}` is readOnly");
    for (operation, error) in [
        (r#""op":"remove""#, "noTarget: `Operations[0]` a remove operation must have a path"),
        (
            r#""op":"remove","value":{"title":"x"}"#,
            "noTarget: `Operations[0]` a remove operation must have a path",
        ),
        (
            r#""op":"add","value":"x""#,
            "invalidValue: `Operations[0]` without a path the value must be an object",
        ),
        (r#""op":"replace""#, "invalidValue: `Operations[0]` without a path the value must be an object"),
        (r#""op":"add","path":"title""#, no_value),
        (r#""op":"replace","path":"emails[type eq \"work\"].value""#, no_value),
        (r#""op":"add","path":"unknown""#, no_value),
        (r#""op":"add","path":"title","value":1"#, "invalidValue: `title` must be a string"),
        (
            r#""op":"replace","path":"name","value":{"givenName":1}"#,
            "invalidValue: `name.givenName` must be a string",
        ),
        (
            r#""op":"replace","path":"emails","value":{"value":"x"}"#,
            "invalidValue: `emails` must be an array",
        ),
        (r#""op":"replace","path":1,"value":"x""#, "invalidPath: `Operations[0]` the path must be a string"),
        (
            r#""op":"replace","path":" title","value":"x""#,
            "invalidPath: `Operations[0]` the path cannot be read: it begins or ends with a blank",
        ),
        (
            r#""op":"replace","path":"","value":"x""#,
            "invalidPath: `Operations[0]` the path cannot be read: expected an attribute's name at character 1",
        ),
        (
            r#""op":"replace","path":"emails[type eq 'work'].value","value":"x""#,
            "invalidPath: `Operations[0]` the path cannot be read: expected a string in double quotes, a number, `true`, `false` or `null` at character 16",
        ),
        (
            r#""op":"replace","path":"emails[foo eq 1]","value":{"value":"x"}"#,
            "invalidPath: `Operations[0]` `foo` is not an attribute that the schema has",
        ),
        (
            r#""op":"replace","path":"emails.value","value":"x""#,
            "invalidPath: `Operations[0]` `emails` has several elements; say which in brackets",
        ),
        (
            r#""op":"replace","path":"title[value eq \"x\"]","value":"x""#,
            "invalidPath: `Operations[0]` `title` has a single value and takes no filter",
        ),
        (
            r#""op":"replace","path":"name.foo","value":"x""#,
            "invalidPath: `Operations[0]` `name` has no such sub-attribute",
        ),
        (r#""op":"remove","path":"userName""#, "mutability: `userName` is required and cannot be removed"),
        (
            r#""op":"replace","path":"userName","value":null"#,
            "mutability: `userName` is required and cannot be removed",
        ),
        (r#""op":"replace","path":"id","value":"x""#, &read_only("id")),
        (r#""op":"remove","path":"meta""#, &read_only("meta")),
        (r#""op":"replace","path":"meta.version","value":"x""#, &read_only("meta")),
        (r#""op":"add","path":"groups","value":[{"value":"g"}]"#, &read_only("groups")),
        (r#""op":"remove","path":"groups[value eq \"g\"]""#, &read_only("groups")),
        (
            &format!(r#""op":"replace","path":"{E}:manager.displayName","value":"x""#),
            &read_only(&format!("{E}:manager.displayName")),
        ),
        // what names elements only in its value would remove all of them
        (r#""op":"remove","path":"emails","value":[{"value":"x"}]"#, ambiguous),
        (r#""op":"remove","path":"emails","value":[]"#, ambiguous),
        (r#""op":"remove","path":"emails[type eq \"work\"]","value":[{"value":"x"}]"#, ambiguous),
        (r#""op":"remove","path":"unknown","value":[{"value":"x"}]"#, ambiguous),
        (
            &format!(r#""op":"remove","path":"{CORE}""#),
            "noTarget: `Operations[0]` a whole resource cannot be removed by PATCH",
        ),
        // dialects without permission
        (
            r#""op":"add","value":{"name.givenName":"x"}"#,
            "invalidPath: `Operations[0]` a value without path names `name.givenName` by a path",
        ),
        (
            &format!(r#""op":"add","value":{{"{E}:department":"x"}}"#),
            &format!("invalidPath: `Operations[0]` a value without path names `{E}:department` by a path"),
        ),
        (
            &format!(r#""op":"add","path":"{E}:manager","value":"x""#),
            &format!("invalidValue: `{E}:manager` must be an object"),
        ),
        (
            r#""op":"add","path":"active","value":"True""#,
            "invalidValue: `active` must be true or false without quotes",
        ),
        (
            r#""op":"replace","path":"emails[primary eq \"True\"].value","value":"x""#,
            "invalidPath: `Operations[0]` `primary` can only be compared with `true` or `false`, without quotes",
        ),
    ] {
        let found = normal(&format!("{{{operation}}}"), &Repairs::default());
        let expected =
            error.replace("name.givenName` by", "name` by").replace("`primary` can", "`emails.primary` can");
        assert_eq!(
            found.map_err(|found| found.replace("name.givenName` by", "name` by")),
            Err(expected),
            "{operation}"
        );
    }
}

// P-24 to P-31, E01 to E18, E26, E27: what is read, and the repairs it takes
#[test]
fn operations() {
    let unchanged = "";
    let e = |text: &str| {
        let text = text.replace("CORE:", "@").replace("\"CORE\"", &format!("{CORE:?}"));
        text.replace("E:", &format!("{E}:"))
            .replace("\"E\"", &format!("{E:?}"))
            .replace('@', &format!("{CORE}:"))
    };
    for (operations, expected, notes) in [
        (r#"{"op":"add","path":"title","value":"x"}"#, unchanged, ""),
        (r#"{"op":"replace","path":"name.givenName","value":"x"}"#, unchanged, ""),
        (r#"{"op":"remove","path":"name"}"#, unchanged, ""),
        (r#"{"op":"replace","path":"E:manager","value":{"value":"x"}}"#, unchanged, ""),
        (r#"{"op":"remove","path":"emails[type eq \"work\" and value co \"x\"].display"}"#, unchanged, ""),
        (
            r#"{"op":"replace","path":"emails[type eq \"work\"]","value":{"value":"x","unknown":1}}"#,
            unchanged,
            "",
        ),
        (r#"{"op":"add","path":"emails","value":[{"value":"x"},{"value":"y"}]}"#, unchanged, ""),
        (r#"{"op":"replace","path":"urn:acme:ext:2.0:tags","value":["a","b"]}"#, unchanged, ""),
        (r#"{"op":"replace","path":"unknown.part","value":[{"a":1}]}"#, unchanged, ""),
        (r#"{"op":"remove","path":"urn:x:y:z"}"#, unchanged, ""),
        // a value that is one thing is taken apart
        (
            r#"{"op":"replace","path":"name","value":{"givenName":"a","FAMILYname":"b","x":1}}"#,
            r#"{"op":"replace","path":"name.givenName","value":"a"},{"op":"replace","path":"name.familyName","value":"b"},{"op":"replace","path":"name.x","value":1}"#,
            "",
        ),
        (
            r#"{"op":"add","path":"E","value":{"department":"a","manager":{"value":"b"},"x":1}}"#,
            r#"{"op":"add","path":"E:department","value":"a"},{"op":"add","path":"E:manager","value":{"value":"b"}},{"op":"add","path":"E:x","value":1}"#,
            "",
        ),
        (
            r#"{"op":"add","value":{"TITLE":"a","name":{"givenName":"b"},"emails":[{"value":"c"}],"E":{"department":"d"},"unknown":{"x":1}}}"#,
            r#"{"op":"add","path":"title","value":"a"},{"op":"add","path":"name.givenName","value":"b"},{"op":"add","path":"emails","value":[{"value":"c"}]},{"op":"add","path":"E:department","value":"d"},{"op":"add","path":"unknown","value":{"x":1}}"#,
            "",
        ),
        (
            r#"{"op":"add","path":"emails","value":{"value":"x"}}"#,
            r#"{"op":"add","path":"emails","value":[{"value":"x"}]}"#,
            "",
        ),
        // readOnly attributes beside others are ignored
        (
            r#"{"op":"replace","value":{"id":"1","schemas":[],"meta":{},"title":"x"}}"#,
            r#"{"op":"replace","path":"title","value":"x"}"#,
            "unwritable id, unwritable schemas, unwritable meta",
        ),
        (r#"{"op":"add","path":"schemas","value":["E"]}"#, "none", "emptySchema schemas"),
        // E01
        (
            r#"{"op":"Add","path":"title","value":"x"}"#,
            r#"{"op":"add","path":"title","value":"x"}"#,
            "opCase Operations[0]",
        ),
        (r#"{"OP":"REMOVE","Path":"title"}"#, r#"{"op":"remove","path":"title"}"#, "opCase Operations[0]"),
        // E02, E03
        (
            r#"{"op":"replace","path":"emails[primary eq \"TRUE\"].primary","value":"False"}"#,
            r#"{"op":"replace","path":"emails[primary eq true].primary","value":false}"#,
            "filterBoolean emails.primary, stringBoolean emails.primary",
        ),
        (
            r#"{"op":"replace","value":{"active":"False","displayName":"False"}}"#,
            r#"{"op":"replace","path":"active","value":false},{"op":"replace","path":"displayName","value":"False"}"#,
            "stringBoolean active",
        ),
        // E05, E06, E07
        (
            r#"{"op":"add","value":{"name.givenName":"a","emails[type eq \"work\"].value":"b"}}"#,
            r#"{"op":"add","path":"name.givenName","value":"a"},{"op":"add","path":"emails[type eq \"work\"].value","value":"b"}"#,
            "dottedKey Operations[0], dottedKey Operations[0]",
        ),
        (
            r#"{"op":"add","value":{"E:department":"a","E:manager":"b"}}"#,
            r#"{"op":"add","path":"E:department","value":"a"},{"op":"add","path":"E:manager","value":{"value":"b"}}"#,
            "urnKey Operations[0], urnKey Operations[0], plainValue E:manager",
        ),
        (
            r#"{"op":"replace","path":"CORE:title","value":"x"}"#,
            r#"{"op":"replace","path":"title","value":"x"}"#,
            "coreUrn title",
        ),
        (
            r#"{"op":"replace","path":"CORE","value":{"title":"x","id":"1"}}"#,
            r#"{"op":"replace","path":"title","value":"x"}"#,
            "unwritable id",
        ),
        // E08 to E10
        (
            r#"{"op":"replace","path":"manager","value":"x"}"#,
            r#"{"op":"replace","path":"E:manager","value":{"value":"x"}}"#,
            "bareExtension E:manager, plainValue E:manager",
        ),
        (
            r#"{"op":"replace","path":"E:manager","value":""}"#,
            r#"{"op":"remove","path":"E:manager"}"#,
            "emptyValue E:manager",
        ),
        (
            r#"{"op":"add","path":"E:manager","value":{"value":""}}"#,
            r#"{"op":"remove","path":"E:manager"}"#,
            "emptyValue E:manager",
        ),
        (r#"{"op":"remove","path":"E:manager","value":"x"}"#, r#"{"op":"remove","path":"E:manager"}"#, ""),
        (
            r#"{"op":"add","path":"manager","value":[{"$ref":"x","value":"y"}]}"#,
            r#"{"op":"add","path":"E:manager","value":{"$ref":"x","value":"y"}}"#,
            "bareExtension E:manager, singleElement E:manager",
        ),
        (
            r#"{"op":"replace","path":"emails","value":{"value":"x"}}"#,
            r#"{"op":"replace","path":"emails","value":[{"value":"x"}]}"#,
            "singleElement emails",
        ),
        // E12, E13
        (
            r#"{"op":"remove","path":"emails","value":[{"value":"a"},{"value":"b\"","type":"work"}]}"#,
            r#"{"op":"remove","path":"emails[value eq \"a\"]"},{"op":"remove","path":"emails[value eq \"b\\\"\"]"}"#,
            "removeValues emails, removeValues emails",
        ),
        (r#"{"op":"remove","path":"emails","value":[]}"#, "none", "removeNothing emails"),
        (r#"{"op":"remove","path":"emails","value":null}"#, "none", "removeNothing emails"),
        (r#"{"op":"add","path":"emails","value":[]}"#, "none", "removeNothing emails"),
        // E14 to E17
        (
            r#"{"op":"add","path":"emails","value":[{"value":"a","display":null},null]}"#,
            r#"{"op":"add","path":"emails","value":[{"value":"a"}]}"#,
            "nullMember emails.display, nullMember emails",
        ),
        (
            r#"{"op":"replace","path":"emails","value":null}"#,
            r#"{"op":"remove","path":"emails"}"#,
            "clearList emails",
        ),
        (
            r#"{"op":"replace","path":"emails","value":[]}"#,
            r#"{"op":"remove","path":"emails"}"#,
            "clearList emails",
        ),
        (
            r#"{"op":"replace","path":"title","value":null}"#,
            r#"{"op":"remove","path":"title"}"#,
            "clearValue title",
        ),
        (
            r#"{"op":"replace","value":{"title":null,"name":{"givenName":null,"familyName":"x"}}}"#,
            r#"{"op":"remove","path":"title"},{"op":"remove","path":"name.givenName"},{"op":"replace","path":"name.familyName","value":"x"}"#,
            "clearValue title, clearValue name.givenName",
        ),
        (
            r#"{"op":"replace","path":"emails[type eq \"work\"].value","value":null}"#,
            r#"{"op":"remove","path":"emails[type eq \"work\"].value"}"#,
            "clearValue emails",
        ),
        // E22, E26, E27
        (
            r#"{"op":"add","path":"roles","value":[{"value":"{\"id\":\"1\",\"value\":\"a\",\"displayName\":\"A\"}"}]}"#,
            r#"{"op":"add","path":"roles","value":[{"value":"a","display":"A"}]}"#,
            "jsonText roles",
        ),
        (
            r#"{"op":"add","path":"emails","value":[{"value":"a"},{"value":"A"}]}"#,
            r#"{"op":"add","path":"emails","value":[{"value":"a"}]}"#,
            "duplicateElement emails",
        ),
    ] {
        let expected = match expected {
            "none" => String::new(),
            "" => e(operations),
            expected => e(expected),
        };
        assert_eq!(normal(&e(operations), &all_repairs()), Ok((expected.clone(), e(notes))), "{operations}");
        // What was read is read the same again; a sub-attribute that the schema lacks has no path.
        if !expected.is_empty() && !expected.contains("name.x") {
            assert_eq!(
                normal(&expected, &Repairs::default()),
                Ok((expected.clone(), String::new())),
                "{operations}"
            );
        }
    }
}

fn text(document: &Document, id: NodeId) -> String {
    String::from_utf8(document.write(id)).unwrap()
}

/// The state after the operations, or why they cannot be applied.
fn applied(state: &str, operations: &str, upsert: bool) -> Result<String, String> {
    let vocabulary = vocabulary();
    let Read { mut document, changes, .. } =
        read(&vocabulary, &message(operations), &all_repairs()).expect(operations);
    let root = document.read(state.into(), &vocabulary, vocabulary.types()[0].root, 16).unwrap();
    match apply(&changes, &mut document, root, &vocabulary, upsert) {
        Ok(()) => Ok(text(&document, root)),
        Err(problem) => Err(ScimError::problems(&[problem]).detail),
    }
}

// P-24, P-27 to P-30, E04, E27, S-11
#[test]
fn applying() {
    let work = r#"{"type":"work","value":"w"}"#;
    let home = r#"{"type":"home","value":"h","primary":true}"#;
    let both = format!(r#"{{"emails":[{work},{home}]}}"#);
    let none = "{}".to_owned();
    for (state, operations, expected) in [
        // single values
        (none.as_str(), r#"{"op":"add","path":"title","value":"x"}"#, r#"{"title":"x"}"#),
        (&none, r#"{"op":"replace","path":"title","value":"x"}"#, r#"{"title":"x"}"#),
        (r#"{"title":"y"}"#, r#"{"op":"add","path":"title","value":"x"}"#, r#"{"title":"x"}"#),
        (r#"{"title":null}"#, r#"{"op":"add","path":"title","value":"x"}"#, r#"{"title":"x"}"#),
        (r#"{"title":"y","active":true}"#, r#"{"op":"remove","path":"title"}"#, r#"{"active":true}"#),
        (&none, r#"{"op":"remove","path":"title"}"#, "{}"),
        (&none, r#"{"op":"replace","path":"name.givenName","value":"x"}"#, r#"{"name":{"givenName":"x"}}"#),
        (
            r#"{"name":null}"#,
            r#"{"op":"add","path":"name.givenName","value":"x"}"#,
            r#"{"name":{"givenName":"x"}}"#,
        ),
        (
            r#"{"name":{"givenName":"g","familyName":"f"}}"#,
            r#"{"op":"replace","path":"name","value":{"givenName":"x"}}"#,
            r#"{"name":{"givenName":"x","familyName":"f"}}"#,
        ),
        (r#"{"name":{"givenName":"g"}}"#, r#"{"op":"remove","path":"name.givenName"}"#, "{}"),
        (
            &none,
            &format!(r#"{{"op":"add","path":"{E}:manager.value","value":"x"}}"#),
            &format!(r#"{{"{E}":{{"manager":{{"value":"x"}}}}}}"#),
        ),
        (
            &format!(r#"{{"{E}":{{"manager":{{"value":"x","displayName":"old"}},"department":"d"}}}}"#),
            &format!(r#"{{"op":"replace","path":"{E}:manager","value":{{"value":"y"}}}}"#),
            &format!(r#"{{"{E}":{{"manager":{{"value":"y"}},"department":"d"}}}}"#),
        ),
        (&format!(r#"{{"{E}":{{"department":"d"}}}}"#), &format!(r#"{{"op":"remove","path":"{E}"}}"#), "{}"),
        // in order, each upon what the one before has left
        (
            &none,
            r#"{"op":"add","path":"title","value":"x"},{"op":"remove","path":"title"},{"op":"add","path":"title","value":"y"}"#,
            r#"{"title":"y"}"#,
        ),
        // lists: add
        (
            &none,
            &format!(r#"{{"op":"add","path":"emails","value":[{work}]}}"#),
            &format!(r#"{{"emails":[{work}]}}"#),
        ),
        (
            r#"{"emails":null}"#,
            &format!(r#"{{"op":"add","path":"emails","value":[{work}]}}"#),
            &format!(r#"{{"emails":[{work}]}}"#),
        ),
        (
            &format!(r#"{{"emails":{work}}}"#),
            &format!(r#"{{"op":"add","path":"emails","value":[{home}]}}"#),
            &both,
        ),
        (&both, &format!(r#"{{"op":"add","path":"emails","value":[{work}]}}"#), &both),
        (&both, r#"{"op":"add","path":"emails","value":[{"value":"w"}]}"#, &both),
        (
            r#"{"emails":[{"value":"W","type":"work","display":"d"}]}"#,
            &format!(r#"{{"op":"add","path":"emails","value":[{work}]}}"#),
            r#"{"emails":[{"value":"W","type":"work","display":"d"}]}"#,
        ),
        // what is new about a value that is there is added to it
        (
            &both,
            r#"{"op":"add","path":"emails","value":[{"value":"w","type":"WORK","display":"d","primary":true}]}"#,
            r#"{"emails":[{"type":"WORK","value":"w","display":"d","primary":true},{"type":"home","value":"h","primary":false}]}"#,
        ),
        (
            r#"{"emails":[{"value":"w"}]}"#,
            &format!(r#"{{"op":"add","path":"emails","value":[{work},{{"value":"w","type":"home"}}]}}"#),
            r#"{"emails":[{"value":"w","type":"work"},{"value":"w","type":"home"}]}"#,
        ),
        (
            &both,
            r#"{"op":"add","path":"emails","value":[{"value":"n","primary":true}]}"#,
            &format!(
                r#"{{"emails":[{work},{{"type":"home","value":"h","primary":false}},{{"value":"n","primary":true}}]}}"#
            ),
        ),
        (
            r#"{"addresses":[{"type":"work"}]}"#,
            r#"{"op":"add","path":"addresses","value":[{"type":"work"},{"type":"home"}]}"#,
            r#"{"addresses":[{"type":"work"},{"type":"home"}]}"#,
        ),
        (
            r#"{"urn:acme:ext:2.0":{"tags":["a"]}}"#,
            r#"{"op":"add","path":"urn:acme:ext:2.0:tags","value":["a","b"]}"#,
            r#"{"urn:acme:ext:2.0":{"tags":["a","b"]}}"#,
        ),
        // lists: replace
        (
            &both,
            r#"{"op":"replace","path":"emails","value":[{"value":"n"}]}"#,
            r#"{"emails":[{"value":"n"}]}"#,
        ),
        (
            &both,
            r#"{"op":"replace","path":"emails[type eq \"WORK\"].value","value":"n"}"#,
            &format!(r#"{{"emails":[{{"type":"work","value":"n"}},{home}]}}"#),
        ),
        (
            &both,
            r#"{"op":"replace","path":"emails[value eq \"w\"]","value":{"display":"d","primary":true,"x":1}}"#,
            r#"{"emails":[{"type":"work","value":"w","display":"d","primary":true,"x":1},{"type":"home","value":"h","primary":false}]}"#,
        ),
        (
            &both,
            r#"{"op":"replace","path":"emails[type pr].display","value":"d"}"#,
            r#"{"emails":[{"type":"work","value":"w","display":"d"},{"type":"home","value":"h","primary":true,"display":"d"}]}"#,
        ),
        (
            r#"{"urn:acme:ext:2.0":{"tags":["a","b"]}}"#,
            r#"{"op":"replace","path":"urn:acme:ext:2.0:tags[value eq \"A\"]","value":"c"}"#,
            r#"{"urn:acme:ext:2.0":{"tags":["c","b"]}}"#,
        ),
        // found by what was written before
        (
            &both,
            r#"{"op":"replace","path":"emails[value eq \"w\"].value","value":"n"},{"op":"replace","path":"emails[value eq \"n\"].type","value":"other"},{"op":"replace","path":"emails[value eq \"h\"].type","value":"x"}"#,
            r#"{"emails":[{"type":"other","value":"n"},{"type":"x","value":"h","primary":true}]}"#,
        ),
        // lists: remove
        (&both, r#"{"op":"remove","path":"emails"}"#, "{}"),
        (&both, r#"{"op":"remove","path":"emails[type eq \"home\"]"}"#, &format!(r#"{{"emails":[{work}]}}"#)),
        (&both, r#"{"op":"remove","path":"emails[type eq \"other\"]"}"#, &both),
        (&both, r#"{"op":"remove","path":"emails[type pr]"}"#, "{}"),
        (&none, r#"{"op":"remove","path":"emails[type pr]"}"#, "{}"),
        (
            &both,
            r#"{"op":"remove","path":"emails","value":[{"value":"W"},{"value":"x"}]}"#,
            &format!(r#"{{"emails":[{home}]}}"#),
        ),
        (
            &both,
            r#"{"op":"remove","path":"emails[value eq \"w\"]"},{"op":"remove","path":"emails[value eq \"h\"]"},{"op":"add","path":"emails","value":[{"value":"w"}]}"#,
            r#"{"emails":[{"value":"w"}]}"#,
        ),
        (
            &both,
            r#"{"op":"remove","path":"emails[type eq \"home\"].primary"}"#,
            &format!(r#"{{"emails":[{work},{{"type":"home","value":"h"}}]}}"#),
        ),
        (r#"{"emails":[{"value":"x"}]}"#, r#"{"op":"remove","path":"emails[value eq \"x\"].value"}"#, "{}"),
        // what the schema lacks
        (r#"{"x":1}"#, r#"{"op":"replace","path":"x","value":2}"#, r#"{"x":2}"#),
        (r#"{"X":1}"#, r#"{"op":"remove","path":"x"}"#, "{}"),
        (r#"{"x":[1,2]}"#, r#"{"op":"add","path":"x","value":[2,3]}"#, r#"{"x":[1,2,3]}"#),
        (r#"{"x":[1,2]}"#, r#"{"op":"replace","path":"x","value":[3]}"#, r#"{"x":[3]}"#),
        (&none, r#"{"op":"add","path":"urn:x:1:Y:a.b","value":2}"#, r#"{"urn:x:1:Y":{"a":{"b":2}}}"#),
        (&none, r#"{"op":"remove","path":"x.y"}"#, "{}"),
        (r#"{"x":1}"#, r#"{"op":"remove","path":"x.y"}"#, r#"{"x":1}"#),
    ] {
        for upsert in [false, true] {
            assert_eq!(applied(state, operations, upsert), Ok(expected.to_owned()), "{state} {operations}");
        }
    }
    let no_target =
        |op: &str| format!("`emails` has no element that the filter of the {op} operation selects");
    for (state, operations, strict, upserted) in [
        (
            none.as_str(),
            r#"{"op":"replace","path":"emails[type eq \"work\"].value","value":"n"}"#,
            no_target("replace"),
            Ok(r#"{"emails":[{"type":"work","value":"n"}]}"#.to_owned()),
        ),
        // E04: several operations for one element that is not there make one
        (
            &none,
            r#"{"op":"add","path":"emails[type eq \"work\" and primary eq true].value","value":"n"},{"op":"add","path":"emails[type eq \"work\" and primary eq true].display","value":"d"}"#,
            no_target("add"),
            Ok(r#"{"emails":[{"type":"work","primary":true,"value":"n","display":"d"}]}"#.to_owned()),
        ),
        (
            &both,
            r#"{"op":"add","path":"emails[type eq \"other\" and primary eq true].value","value":"n"}"#,
            no_target("add"),
            Ok(format!(
                r#"{{"emails":[{work},{{"type":"home","value":"h","primary":false}},{{"type":"other","primary":true,"value":"n"}}]}}"#
            )),
        ),
        (
            &both,
            r#"{"op":"replace","path":"emails[type ne \"work\" and value eq \"x\"].value","value":"n"}"#,
            no_target("replace"),
            Err(no_target("replace")),
        ),
        (
            r#"{"x":1}"#,
            r#"{"op":"replace","path":"x.y","value":"n"}"#,
            "`x.y` is not in the schema and has no parts".to_owned(),
            Err("`x.y` is not in the schema and has no parts".to_owned()),
        ),
        (
            r#"{"x":[{"a":1}]}"#,
            r#"{"op":"remove","path":"x[a eq 1]"}"#,
            "`x` is not in the schema, so that its elements cannot be selected".to_owned(),
            Err("`x` is not in the schema, so that its elements cannot be selected".to_owned()),
        ),
    ] {
        assert_eq!(applied(state, operations, false), Err(strict), "{state} {operations}");
        assert_eq!(applied(state, operations, true), upserted, "{state} {operations}");
    }
}

/// The differences of two states, as operations.
fn difference(old: &str, new: &str) -> String {
    let vocabulary = vocabulary();
    let of = &vocabulary.types()[0];
    let mut document = Document::new();
    let old = document.read(old.into(), &vocabulary, of.root, 16).unwrap();
    let new = document.read(new.into(), &vocabulary, of.root, 16).unwrap();
    let changes = diff(&mut document, old, new, &vocabulary, of);
    operations_of(&write(&changes, &document, &vocabulary))
}

#[test]
fn differences() {
    for (old, new, operations) in [
        ("{}", "{}", ""),
        (r#"{"title":"a"}"#, r#"{"TITLE":"\u0061"}"#, ""),
        (r#"{"id":"1","schemas":["x"],"meta":{"version":"1"}}"#, r#"{"id":"2","schemas":[]}"#, ""),
        (r#"{"title":null,"emails":[],"ims":null}"#, r#"{"emails":null,"roles":[]}"#, ""),
        (r#"{"title":null}"#, r#"{"title":"a"}"#, r#"{"op":"add","path":"title","value":"a"}"#),
        (r#"{"title":"a"}"#, r#"{"title":"b"}"#, r#"{"op":"replace","path":"title","value":"b"}"#),
        (r#"{"title":"a"}"#, r#"{"title":null}"#, r#"{"op":"remove","path":"title"}"#),
        (r#"{"emails":[{"value":"a"}]}"#, r#"{"emails":[]}"#, r#"{"op":"remove","path":"emails"}"#),
        (
            r#"{"name":{"givenName":"a","familyName":"f"}}"#,
            r#"{"name":{"familyName":"g","formatted":"x"}}"#,
            r#"{"op":"replace","path":"name.familyName","value":"g"},{"op":"add","path":"name.formatted","value":"x"},{"op":"remove","path":"name.givenName"}"#,
        ),
        (r#"{"x":{"a":1}}"#, r#"{"x":{"a":2}}"#, r#"{"op":"replace","path":"x","value":{"a":2}}"#),
        (r#"{"name":{"x":1}}"#, r#"{"name":{"x":2}}"#, r#"{"op":"replace","path":"name.x","value":2}"#),
        (
            r#"{"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{"manager":{"x":1},"y":1}}"#,
            r#"{"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{"manager":{"x":2}}}"#,
            r#"{"op":"replace","path":"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager.x","value":2},{"op":"remove","path":"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:y"}"#,
        ),
        // elements: nothing but what differs, wherever they stand
        (r#"{"emails":[{"value":"a"},{"value":"b"}]}"#, r#"{"emails":[{"value":"b"},{"value":"a"}]}"#, ""),
        (
            r#"{"emails":[{"value":"a","type":"work"},{"value":"b","type":"home"}]}"#,
            r#"{"emails":[{"value":"b","type":"home"},{"value":"c","type":"work"}]}"#,
            r#"{"op":"replace","path":"emails[type eq \"work\"].value","value":"c"}"#,
        ),
        (
            r#"{"emails":[{"value":"a"}]}"#,
            r#"{"emails":[{"value":"a","display":"d"},{"value":"b"}]}"#,
            r#"{"op":"add","path":"emails[value eq \"a\"].display","value":"d"},{"op":"add","path":"emails","value":[{"value":"b"}]}"#,
        ),
        (
            r#"{"emails":[{"value":"a"},{"value":"b"}]}"#,
            r#"{"emails":[{"value":"b"}]}"#,
            r#"{"op":"remove","path":"emails[value eq \"a\"]"}"#,
        ),
        // two elements that cannot be told apart: the whole list
        (
            r#"{"addresses":[{"country":"x"},{"country":"y"}]}"#,
            r#"{"addresses":[{"country":"x"}]}"#,
            r#"{"op":"replace","path":"addresses","value":[{"country":"x"}]}"#,
        ),
    ] {
        assert_eq!(difference(old, new), operations, "{old} {new}");
    }
}

mod large;
mod mutability;
#[cfg(not(target_arch = "wasm32"))]
mod properties;
