//! Lists of ten thousand members.

#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use super::*;

// Members by the ten thousand: what is quadratic takes minutes here.
#[test]
fn large_lists() {
    let vocabulary = {
        let group = serde_json::from_str(include_str!("../../schemas/group.json")).unwrap();
        let (name, endpoint) = ("Group".into(), "Groups".into());
        let source = crate::schema::TypeSource { name, endpoint, schema: group, extensions: Vec::new() };
        Vocabulary::build(&[source]).unwrap()
    };
    let of = &vocabulary.types()[0];
    let many = 10_000;
    let members = |from: usize| -> String {
        let each = (from..from + many).map(|number| format!(r#"{{"value":"m{number}","type":"User"}}"#));
        each.collect::<Vec<_>>().join(",")
    };
    let state = format!(r#"{{"displayName":"g","members":[{}]}}"#, members(0));
    let count = |text: &str| text.matches("\"value\"").count();
    let operations = [
        format!(r#"{{"op":"add","path":"members","value":[{}]}}"#, members(many / 2)),
        (0..1000).map(|n| format!(r#"{{"op":"add","path":"members","value":[{{"value":"m{n}"}}]}}"#)).collect::<Vec<_>>().join(","),
        (0..1000).map(|n| format!(r#"{{"op":"remove","path":"members[value eq \"m{n}\"]"}},{{"op":"add","path":"members","value":[{{"value":"n{n}"}}]}}"#)).collect::<Vec<_>>().join(","),
        format!(r#"{{"op":"remove","path":"members","value":[{}]}}"#, members(1)),
        (0..1000).map(|n| format!(r#"{{"op":"add","path":"members[value eq \"m{n}\"].display","value":"d"}}"#)).collect::<Vec<_>>().join(","),
    ];
    for (operations, left) in operations.iter().zip([many + many / 2, many, many, 1, many]) {
        let Read { mut document, changes, .. } =
            read(&vocabulary, &message(operations), &all_repairs()).unwrap();
        let old = document.read(state.clone().into(), &vocabulary, of.root, 9).unwrap();
        let new = document.copy(old);
        apply(&changes, &mut document, new, &vocabulary, true).unwrap();
        assert_eq!(count(&text(&document, new)), left);
        let changes = diff(&mut document, old, new, &vocabulary, of);
        let again = document.copy(old);
        apply(&changes, &mut document, again, &vocabulary, false).unwrap();
        assert_eq!(diff(&mut document, again, new, &vocabulary, of), []);
        assert_eq!(count(&text(&document, again)), left);
    }
}
