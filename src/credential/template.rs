//! Texts of a token flow with names in braces: what was configured is put in once, the rest when it is sent.

use super::Secret;

/// A text with places that are filled when it is sent.
#[derive(Clone, Debug, Default)]
pub(crate) struct Template(Vec<Piece>);

#[derive(Clone, Debug)]
enum Piece {
    Text(Secret),
    /// The token of the step before.
    Previous,
    /// What this step signs.
    Assertion,
}

/// What the places are filled with.
#[derive(Clone, Debug, Default)]
pub(super) struct Fill {
    pub(super) previous: Secret,
    pub(super) assertion: Secret,
}

impl Template {
    /// A text as it stands.
    pub(crate) fn plain(text: impl Into<String>) -> Self {
        Self(vec![Piece::Text(Secret::new(text))])
    }

    /// What the step signs.
    pub(crate) fn assertion() -> Self {
        Self(vec![Piece::Assertion])
    }

    /// Reads `{name}` places: `{previous}`, `{assertion}`, and those that `input` knows. `Err` is the name, or
    /// the rest behind a brace without its end, that is not known.
    pub(crate) fn read(text: &str, input: impl Fn(&str) -> Option<String>) -> Result<Self, String> {
        let mut pieces = Vec::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('{') {
            let (name, after) = after.split_once('}').ok_or_else(|| after.to_owned())?;
            pieces.push(Piece::Text(Secret::new(before)));
            pieces.push(match name {
                "previous" => Piece::Previous,
                "assertion" => Piece::Assertion,
                name => Piece::Text(Secret::new(input(name).ok_or_else(|| name.to_owned())?)),
            });
            rest = after;
        }
        pieces.push(Piece::Text(Secret::new(rest)));
        Ok(Self(pieces))
    }

    /// The text as it is sent.
    pub(super) fn fill(&self, with: &Fill) -> String {
        self.0
            .iter()
            .map(|piece| match piece {
                Piece::Text(text) => text.expose(),
                Piece::Previous => with.previous.expose(),
                Piece::Assertion => with.assertion.expose(),
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(target_family = "wasm")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn places_are_filled_once() {
        let input = |name: &str| (name == "key").then(|| "{previous}".to_owned());
        let with = Fill { previous: Secret::new("P"), assertion: Secret::new("{key}") };
        for (text, expected) in [
            ("plain", Ok("plain")),
            ("", Ok("")),
            ("a{key}b", Ok("a{previous}b")),
            ("{previous}{assertion}", Ok("P{key}")),
            ("{other}", Err("other")),
            ("{key", Err("key")),
        ] {
            let filled = Template::read(text, input).map(|template| template.fill(&with));
            assert_eq!(filled.as_deref().map_err(String::as_str), expected, "{text}");
        }
    }
}
