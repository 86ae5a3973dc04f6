//! Tests of reading, editing, comparing and writing.

#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use super::*;
use crate::filter::tests::vocabulary;
use crate::schema::Vocabulary;

fn read(text: &str) -> (Document, NodeId, Vocabulary) {
    let vocabulary = vocabulary();
    let mut document = Document::new();
    let root = document.read(text.into(), &vocabulary, vocabulary.types()[0].root, 8).expect(text);
    (document, root, vocabulary)
}

fn written(document: &Document, id: NodeId) -> String {
    String::from_utf8(document.write(id)).unwrap()
}

fn refused(bytes: &[u8]) -> (ReadErrorKind, usize) {
    let vocabulary = vocabulary();
    let read = Document::new().read(bytes.to_vec(), &vocabulary, vocabulary.types()[0].root, 8);
    let error = read.expect_err(&String::from_utf8_lossy(bytes));
    (error.kind, error.at)
}

/// Texts whose names are in the schema's spelling, or that have none.
const TEXTS: &[&str] = &[
    "{}",
    "[]",
    " { } ",
    "\t[\r\n]\n",
    "null",
    "true",
    "false",
    r#""""#,
    r#""\"\\\/\b\f\n\r\t\u00e4\uD83D\uDE00\ud83d\ude00é€😀""#,
    "0",
    "-0",
    "-0.10",
    "1E5",
    "1e+05",
    "12345678901234567890.000000000000000000000000001e-400",
    "[1 , 2.50,-3e0 , [ ] , { } ]",
    r#"{ "userName" : "a" , "unknown" : { "A" : 1 , "b":[ {"c" : null} ] } , "active":true }"#,
    r#"{"":0," ":1,"a.b":2,"__proto__":3}"#,
    "[[[[[[[[]]]]]]]]",
];

#[test]
fn an_element_of_a_long_list_is_found_by_how_its_value_ends() {
    const ODD: [&str; 9] = [
        r#"{"type":"work"}"#,
        r#"{"value":"short"}"#,
        r#"{"value":"a-long-value-0001","type":"work"}"#,
        r#"{"type":"home","value":"A-LONG-VALUE-0001"}"#,
        r#"{"value":"a-long-\u0056alue-0001"}"#,
        r#"{"value":"a-long-value-\u212a000"}"#,
        r#"{"value":12345678901}"#,
        r#""a-long-value-0001""#,
        r#"{"value":{"value":"a-long-value-0001"}}"#,
    ];
    let plain = (0..60).map(|at| format!(r#"{{"value":"a-long-value-{:04}"}}"#, at + 2));
    let elements: Vec<String> = plain.chain(ODD.map(str::to_owned)).collect();
    let nested = format!("[{}]", elements.join(","));
    for list in [elements.join(","), format!("{nested},{}", elements.join(","))] {
        let (mut document, root, vocabulary) = read(&format!(r#"{{"emails":[{list}]}}"#));
        let emails = document.member_named(root, "emails").unwrap();
        let value = vocabulary.lookup(document.attr(emails), b"value");
        assert!(value.is_known());
        let lower = |document: &Document, element| {
            document.member(element, value).and_then(|node| Some(document.string(node)?.to_lowercase()))
        };
        let holding = |document: &Document, list, text: &str| -> Vec<NodeId> {
            let wanted = Some(text.to_owned());
            document.elements(list).filter(|element| lower(document, *element) == wanted).collect()
        };
        for text in ["a-long-value-0001", "a-long-value-0030", "short", "a-long-value-k000", "none of them"] {
            let like = document.elements_like(emails, text);
            assert!(holding(&document, emails, text).iter().all(|element| like.contains(element)), "{text}");
            assert!(like.iter().all(|element| document.parent(*element) == Some(emails)), "{text}");
        }
        let like = document.elements_like(emails, "a-long-value-0030").len();
        assert_eq!(like < 10, !list.starts_with('['), "{like}");
        // A copy, and a list that was changed, are looked through.
        let copy = document.copy(emails);
        assert_eq!(document.elements_like(copy, "none of them").len(), document.elements(copy).count());
        let last = document.elements(emails).last().unwrap();
        let other = document.new_object();
        document.assign(last, other);
        assert_eq!(document.elements_like(emails, "none of them").len(), document.elements(emails).count());
    }
}

// P-03: the grammar of RFC 8259; what is not changed is written as it came
#[test]
fn untouched_texts_are_written_as_they_came() {
    for text in TEXTS {
        let (document, root, _) = read(text);
        let value = text.trim_matches([' ', '\t', '\r', '\n']);
        assert_eq!(written(&document, root), value);
    }
}

// P-03: kind and byte of every refusal
#[test]
fn refused_texts() {
    use ReadErrorKind::{Depth, Duplicate, Surrogate, Syntax, Trailing};
    for (text, kind, at) in [
        ("", Syntax, 0),
        (" ", Syntax, 1),
        ("nul", Syntax, 0),
        ("nulL", Syntax, 0),
        ("True", Syntax, 0),
        ("NaN", Syntax, 0),
        ("Infinity", Syntax, 0),
        ("'a'", Syntax, 0),
        ("undefined", Syntax, 0),
        ("\u{feff}{}", Syntax, 0),
        // numbers
        ("01", Trailing, 1),
        ("-", Syntax, 1),
        ("-a", Syntax, 1),
        ("+1", Syntax, 0),
        (".5", Syntax, 0),
        ("1.", Syntax, 2),
        ("1.e3", Syntax, 2),
        ("1e", Syntax, 2),
        ("1e+", Syntax, 3),
        ("0x10", Trailing, 1),
        ("1_000", Trailing, 1),
        ("[-01]", Syntax, 3),
        // strings
        (r#"""#, Syntax, 1),
        (r#""a"#, Syntax, 2),
        ("\"a\nb\"", Syntax, 2),
        ("\"a\u{0}b\"", Syntax, 2),
        ("\"\u{1f}\"", Syntax, 1),
        (r#""\a""#, Syntax, 2),
        (r#""\x41""#, Syntax, 2),
        (r#""\u12g4""#, Syntax, 2),
        (r#""\u+123""#, Syntax, 2),
        (r#""\u12""#, Syntax, 2),
        (r#""\""#, Syntax, 3),
        (r#""\ud800""#, Surrogate, 7),
        (r#""\udc00\ud800""#, Surrogate, 7),
        (r#""\ud800x""#, Surrogate, 7),
        (r#""\ud800\n""#, Surrogate, 7),
        (r#""\ud800\ud800""#, Surrogate, 7),
        (r#"{"\udfff":1}"#, Surrogate, 8),
        // objects and arrays
        ("{", Syntax, 1),
        ("[", Syntax, 1),
        ("]", Syntax, 0),
        ("[1", Syntax, 2),
        ("[1,]", Syntax, 3),
        ("[,1]", Syntax, 1),
        ("[1 2]", Syntax, 3),
        ("[1}", Syntax, 2),
        (r#"{"a"}"#, Syntax, 4),
        (r#"{"a":}"#, Syntax, 5),
        (r#"{"a":1,}"#, Syntax, 7),
        (r#"{"a":1 "b":2}"#, Syntax, 7),
        (r#"{"a":1]"#, Syntax, 6),
        ("{a:1}", Syntax, 1),
        ("{1:1}", Syntax, 1),
        ("[1]/**/", Trailing, 3),
        ("{} {}", Trailing, 3),
        ("{}\u{0}", Trailing, 2),
        // duplicates: known, unknown, nested, in arrays, after unescaping and folding the case
        (r#"{"userName":1,"userName":2}"#, Duplicate, 14),
        (r#"{"userName":1,"USERNAME":2}"#, Duplicate, 14),
        (r#"{"userName":1,"user\u004eame":2}"#, Duplicate, 14),
        (r#"{"x":1,"y":2,"\u0058":3}"#, Duplicate, 14),
        (r#"{"":1,"":2}"#, Duplicate, 7),
        (r#"{"name":{"givenName":1,"GIVENNAME":2}}"#, Duplicate, 23),
        (r#"{"emails":[{"value":1},{"value":1,"x":2,"X":2}]}"#, Duplicate, 41),
        (r#"[{"x":{"y":{"é":1,"\u00e9":2}}}]"#, Duplicate, 20),
        (r#"{"userName":{"a":1,"A":2}}"#, Duplicate, 20),
        // nesting
        ("[[[[[[[[[]]]]]]]]]", Depth, 8),
        (r#"{"a":{"a":{"a":{"a":{"a":{"a":{"a":{"a":{}}}}}}}}}"#, Depth, 40),
    ] {
        assert_eq!(refused(text.as_bytes()), (kind, at), "{text:?}");
    }
    for (bytes, at) in [(&b"\"\xff\""[..], 1), (b"\"\xed\xa0\x80\"", 1), (b"{}\xc3", 2), (b"\"\xc0\xaf\"", 1)]
    {
        assert_eq!(refused(bytes), (ReadErrorKind::Utf8, at));
    }
    // every beginning of a document is refused
    let text = r#"{"userName":"\ud83d\ude00","emails":[{"value":-1.5e+3,"primary":true}],"x":null}"#;
    for end in 0..text.len() {
        assert_ne!(refused(&text.as_bytes()[..end]).0, ReadErrorKind::Utf8, "{end}");
    }
}

// names that differ, however alike
#[test]
fn no_duplicates() {
    for text in [
        r#"{"a":1,"b":{"a":1},"c":[{"a":1},{"a":2}]}"#,
        r#"{"ä":1,"Ä":2}"#,
        r#"{"a":1,"a ":2,"\\u0061":3}"#,
        r#"{"userName":1,"user_name":2,"name":{"userName":1}}"#,
        r#"{"emails":[{"value":1},{"value":2}]}"#,
    ] {
        assert_eq!(written(&read(text).0, NodeId(0)), text);
    }
}

// Duplicates are found in less than quadratic time: the square of this many names would take minutes.
#[test]
fn many_names() {
    let names: Vec<String> = (0..60_000).map(|number| format!(r#""x{number}":{number}"#)).collect();
    let text = format!("{{{}}}", names.join(","));
    let (document, root, _) = read(&text);
    let other = read(&format!("{{{}}}", names.into_iter().rev().collect::<Vec<_>>().join(",")));
    assert_eq!(document.names(root).get("X59999"), document.children(root).last());
    let all = |_: AttrId| true;
    assert_eq!(document.fingerprint(root, &all), other.0.fingerprint(other.1, &all));
    let twice = format!("{},\"X7\":0}}", text.trim_end_matches('}'));
    assert_eq!(refused(twice.as_bytes()), (ReadErrorKind::Duplicate, text.len() + 1));
}

// S-01, E06: members are bound by name, whatever case and escapes, and written in the schema's spelling
#[test]
fn binding() {
    let (document, root, vocabulary) = read(
        r#"{"USERNAME":"a", "\u006eame":{ "GIVENname" : "b","x":{"userName":1}},
            "URN:IETF:params:scim:schemas:extension:enterprise:2.0:user":{"Manager":{"VALUE":"c"}},"emails":[ {"value" :1} ]}"#,
    );
    let of = &vocabulary.types()[0];
    let path = |id| vocabulary.path(document.attr(id)).to_owned();
    let name = document.member(root, vocabulary.lookup(of.root, b"name")).unwrap();
    let paths: Vec<String> = document.children(name).map(path).collect();
    assert_eq!(paths, ["name.givenName", ""]);
    let inner = document.member_named(name, "x").and_then(|x| document.first(x)).unwrap();
    assert_eq!((document.attr(inner), document.parent(name)), (AttrId::UNKNOWN, Some(root)));
    assert_eq!(
        written(&document, root),
        r#"{"userName":"a","name":{"givenName":"b","x":{"userName":1}},"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{"manager":{"value":"c"}},"emails":[ {"value" :1} ]}"#
    );
}

#[test]
fn several_roots_share_a_text() {
    let (mut document, first, vocabulary) = read(r#"{"x": "a"}"#);
    let second = document.read(br#" {"y": "\u0062"} "#.to_vec(), &vocabulary, AttrId::UNKNOWN, 1).unwrap();
    let moved = document.member_named(second, "y").unwrap();
    let moved = document.copy(moved);
    document.append(first, moved);
    assert_eq!(written(&document, first), r#"{"x":"a","y":"\u0062"}"#);
    assert_eq!(written(&document, second), r#"{"y": "\u0062"}"#);
    assert_eq!(document.string(moved).as_deref(), Some("b"));
    let error = document.read(b"[1,]".to_vec(), &vocabulary, AttrId::UNKNOWN, 1).unwrap_err();
    assert_eq!(error.message(), "the body is not JSON (byte 3)");
}

#[test]
fn escapes() {
    let (mut document, root, _) = read(r#"{"a\"\u0041":"\"\\\/\b\f\n\r\t\u00e4\uD83D\uDE00é"}"#);
    let member = document.first(root).unwrap();
    assert_eq!(document.key(member), "a\"A");
    let text = "\"\\/\u{8}\u{c}\n\r\tä😀é";
    assert_eq!(document.string(member).as_deref(), Some(text));
    let again = document.new_string(&format!("{text}\u{1}\u{1f}\u{7f}"));
    assert_eq!(written(&document, again), "\"\\\"\\\\/\\u0008\\u000c\\n\\r\\tä😀é\\u0001\\u001f\u{7f}\"");
    document.set_key(again, "k\"\n");
    document.append(root, again);
    let (other, root, _) = read(&written(&document, root));
    let last = other.children(root).last().unwrap();
    assert_eq!(other.key(last), "k\"\n");
    assert_eq!(other.string(last).unwrap(), format!("{text}\u{1}\u{1f}\u{7f}"));
}

/// Spaces tell what was copied as it came from what was written anew.
const SPACED: &str = r#"{ "a" : [ 1 , { "x" : 1 } , { "y" : 2 } ] , "b" : { "c" : { "d" : 3 } } , "e" : 4 }"#;

// Edits mark what holds them and nothing else.
#[test]
fn edits_mark_their_ancestors() {
    type Edit = fn(&mut Document, NodeId);
    fn at(document: &Document, mut id: NodeId, path: &str) -> NodeId {
        for step in path.split('/') {
            id = match step.parse::<usize>() {
                Ok(index) => document.children(id).nth(index).unwrap(),
                Err(_) => document.member_named(id, step).unwrap(),
            };
        }
        id
    }
    let cases: &[(&str, Edit, &str)] = &[
        ("nothing", |_, _| {}, SPACED),
        (
            "remove the first child",
            |document, root| document.remove(at(document, root, "a/0")),
            r#"{"a":[{ "x" : 1 },{ "y" : 2 }],"b":{ "c" : { "d" : 3 } },"e":4}"#,
        ),
        (
            "remove the last child, then append",
            |document, root| {
                document.remove(at(document, root, "a/2"));
                let list = at(document, root, "a");
                let new = document.new_bool(true);
                document.append(list, new);
            },
            r#"{"a":[1,{ "x" : 1 },true],"b":{ "c" : { "d" : 3 } },"e":4}"#,
        ),
        (
            "remove all children, then prepend and append",
            |document, root| {
                let list = at(document, root, "a");
                for _ in 0..3 {
                    document.remove(document.first(list).unwrap());
                }
                assert_eq!(document.first(list), None);
                let (one, two, three) =
                    (document.new_number("1"), document.new_number("2"), document.new_number("3"));
                document.prepend(list, two);
                document.prepend(list, one);
                document.append(list, three);
            },
            r#"{"a":[1,2,3],"b":{ "c" : { "d" : 3 } },"e":4}"#,
        ),
        (
            "prepend, append, append to the prepended",
            |document, root| {
                let list = at(document, root, "a");
                let (first, last, inner) =
                    (document.new_array(), document.new_object(), document.new_bool(false));
                document.prepend(list, first);
                document.append(list, last);
                document.append(first, inner);
                assert_eq!(document.sibling(last), None);
                assert_eq!(document.sibling(first), Some(at(document, root, "a/1")));
            },
            r#"{"a":[[false],1,{ "x" : 1 },{ "y" : 2 },{}],"b":{ "c" : { "d" : 3 } },"e":4}"#,
        ),
        (
            "prepend to an empty object",
            |document, root| {
                let (object, value) = (document.new_object(), document.new_string("v"));
                document.set_key(value, "k");
                document.prepend(object, value);
                document.assign(at(document, root, "e"), object);
            },
            r#"{"a":[ 1 , { "x" : 1 } , { "y" : 2 } ],"b":{ "c" : { "d" : 3 } },"e":{"k":"v"}}"#,
        ),
        (
            "assign a container that was read, then change below it",
            |document, root| {
                let copy = document.copy(at(document, root, "b/c"));
                document.assign(at(document, root, "e"), copy);
                let inner = at(document, root, "e/d");
                assert_eq!(document.parent(inner), Some(at(document, root, "e")));
                let new = document.new_string("new");
                document.assign(inner, new);
            },
            r#"{"a":[ 1 , { "x" : 1 } , { "y" : 2 } ],"b":{ "c" : { "d" : 3 } },"e":{"d":"new"}}"#,
        ),
        (
            "assign the element of a list to the list",
            |document, root| {
                let list = at(document, root, "a");
                document.assign(list, at(document, root, "a/1"));
                let new = document.new_null();
                document.set_key(new, "z");
                document.append(list, new);
            },
            r#"{"a":{"x":1,"z":null},"b":{ "c" : { "d" : 3 } },"e":4}"#,
        ),
        (
            "copies are changed alone, and keep what was read",
            |document, root| {
                let copy = document.copy(at(document, root, "b"));
                document.remove(at(document, root, "b/c/d"));
                document.set_key(copy, "b2");
                document.append(root, copy);
            },
            r#"{"a":[ 1 , { "x" : 1 } , { "y" : 2 } ],"b":{"c":{}},"e":4,"b2":{ "c" : { "d" : 3 } }}"#,
        ),
        (
            "copies leave out what was removed",
            |document, root| {
                document.remove(at(document, root, "a/1"));
                let copy = document.copy(at(document, root, "a"));
                let new = document.new_number("9");
                document.append(copy, new);
                document.assign(at(document, root, "b"), copy);
            },
            r#"{"a":[1,{ "y" : 2 }],"b":[1,{ "y" : 2 },9],"e":4}"#,
        ),
        (
            "a new name",
            |document, root| document.set_key(at(document, root, "b/c"), "c\n"),
            r#"{"a":[ 1 , { "x" : 1 } , { "y" : 2 } ],"b":{"c\n":{ "d" : 3 }},"e":4}"#,
        ),
    ];
    for (name, edit, expected) in cases {
        let (mut document, root, _) = read(SPACED);
        edit(&mut document, root);
        assert_eq!(written(&document, root), *expected, "{name}");
        let (again, other, _) = read(expected);
        let all = |_: AttrId| true;
        assert_eq!(document.fingerprint(root, &all), again.fingerprint(other, &all), "{name}");
    }
}

// A value that was read without context is bound when its place is known.
#[test]
fn binding_later() {
    let (mut document, root, vocabulary) =
        read(r#"{"x": { "VALUE" : 1,"type":2, "y" : 3},"z":[{"Primary":1}, {"type" : 2}]}"#);
    let emails = vocabulary.lookup(vocabulary.types()[0].root, b"emails");
    let (x, z) = (document.member_named(root, "x").unwrap(), document.member_named(root, "z").unwrap());
    document.bind(x, &vocabulary, emails);
    document.bind(z, &vocabulary, emails);
    assert_eq!(
        written(&document, root),
        r#"{"x":{"value":1,"type":2,"y":3},"z":[{"primary":1},{"type" : 2}]}"#
    );
    let element = document.first(z).unwrap();
    assert_eq!((document.attr(z), document.attr(element)), (emails, emails));
    let paths: Vec<&str> = document.children(x).map(|child| vocabulary.path(document.attr(child))).collect();
    assert_eq!(paths, ["emails.value", "emails.type", ""]);
}

#[test]
fn same_values() {
    for (a, b, same) in [
        ("null", "null", true),
        ("null", "false", false),
        ("true", "true", true),
        ("true", "false", false),
        ("1", "1", true),
        ("1", "1.0", false),
        (r#""a""#, r#""\u0061""#, true),
        (r#""a""#, r#""A""#, false),
        (r#""1""#, "1", false),
        ("[1,2]", "[ 1, 2 ]", true),
        ("[1,2]", "[2,1]", false),
        ("[1]", "[1,1]", false),
        ("[]", "{}", false),
        (r#"["a","b"]"#, r#"["ab",""]"#, false),
        (r#"{"a":1,"b":{"c":[]}}"#, r#"{"B":{"C":[]},"A":1}"#, true),
        (r#"{"a":1}"#, r#"{"a":1,"b":null}"#, false),
        (r#"{"a":1}"#, r#"{"b":1}"#, false),
        (r#"{"a":{"b":1}}"#, r#"{"a":{},"b":1}"#, false),
    ] {
        let (document, root, _) = read(&format!("[{a},{b}]"));
        let mut elements = document.children(root);
        let (a, b) = (elements.next().unwrap(), elements.next().unwrap());
        assert_eq!((document.same(a, b), document.same(b, a)), (same, same), "{a:?} {b:?}");
    }
}

// S-13
#[test]
fn unassigned() {
    for (text, unassigned) in [
        ("null", true),
        ("[]", true),
        ("[null,null]", true),
        ("[null,0]", false),
        ("{}", false),
        (r#""""#, false),
    ] {
        let (document, root, _) = read(text);
        assert_eq!(document.is_unassigned(root), unassigned, "{text}");
    }
}

#[cfg(not(target_arch = "wasm32"))]
mod properties {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        // What is not touched is written byte for byte; what is read differently from serde_json is a bug.
        #[test]
        fn reading_and_writing(value in json(4), pretty: bool) {
            let text = if pretty { serde_json::to_string_pretty(&value) } else { serde_json::to_string(&value) };
            let text = text.unwrap();
            let (document, root, _) = read(&text);
            prop_assert_eq!(written(&document, root), text.as_str());
            let mut copied = document.clone();
            let copy = copied.copy(root);
            prop_assert_eq!(written(&copied, copy), text);
            // written piece by piece it is the same value
            copied.touch_all(copy);
            let again: serde_json::Value = serde_json::from_slice(&copied.write(copy)).unwrap();
            prop_assert_eq!(again, value);
        }

        #[test]
        fn any_text_is_read_or_refused(text in r#"[\[\]{}:,"\\/a-fu0-9.eE+\- \nnultrs\x00é😀]{0,40}"#) {
            let vocabulary = vocabulary();
            let mut document = Document::new();
            let ours = document.read(text.clone().into(), &vocabulary, AttrId::UNKNOWN, 64);
            let theirs = serde_json::from_str::<serde_json::Value>(&text);
            match (ours, theirs) {
                (Ok(root), Ok(_)) => {
                    let whole = text.trim_matches([' ', '\n']);
                    prop_assert_eq!(written(&document, root), whole);
                }
                (Err(_), Err(_)) => {}
                (Err(error), Ok(_)) => prop_assert_eq!(error.kind, ReadErrorKind::Duplicate),
                // A number too large for a float is no error here: its digits are kept.
                (Ok(_), Err(error)) => prop_assert!(error.to_string().contains("number out of range"), "{error}"),
            }
        }
    }

    fn json(depth: u32) -> impl Strategy<Value = serde_json::Value> {
        let leaf = prop_oneof![
            Just(serde_json::Value::Null),
            any::<bool>().prop_map(Into::into),
            any::<i64>().prop_map(Into::into),
            any::<String>().prop_map(Into::into),
        ];
        leaf.prop_recursive(depth, 64, 6, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..5).prop_map(Into::into),
                prop::collection::btree_map("[a-z]{0,3}|\\PC{0,3}", inner, 0..5).prop_map(|members| {
                    let mut seen = std::collections::BTreeSet::new();
                    let only_once = |(name, _): &(String, _)| seen.insert(name.to_ascii_lowercase());
                    serde_json::Value::Object(members.into_iter().filter(only_once).collect())
                }),
            ]
        })
    }

    impl Document {
        fn touch_all(&mut self, id: NodeId) {
            self.touch(id);
            let children: Vec<NodeId> = self.children(id).collect();
            children.into_iter().for_each(|child| self.touch_all(child));
        }
    }
}
