//! Cursors the gateway gives out (RFC 9865): where a query goes on, and which query it is. Nothing is stored.

use base64ct::{Base64UrlUnpadded, Encoding};
use sha2::{Digest, Sha256};

/// Where a query goes on.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Place {
    /// At the resource of this number, counted from 1.
    Number(u64),
    /// In the provider's page at this cursor, behind so many of its resources.
    Page {
        /// Empty: the first page.
        cursor: String,
        /// Resources of the page that were looked at before.
        skip: u64,
    },
}

/// Stands for a query: its route, what it asks and in which order. A cursor of another query means nothing to it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct QueryId([u8; 8]);

/// The longest cursor of a provider in bytes: it travels in URLs.
pub(crate) const MAX_CURSOR: usize = 4096;
/// The bytes before a provider's cursor: kind, query, number.
const HEAD: usize = 17;

impl QueryId {
    /// Of the texts that make the query what it is.
    pub(crate) fn new<'a>(parts: impl IntoIterator<Item = &'a str>) -> Self {
        let mut hash = Sha256::new();
        for part in parts {
            hash.update((part.len() as u64).to_be_bytes());
            hash.update(part);
        }
        Self(hash.finalize().first_chunk().copied().unwrap_or_default())
    }
}

impl Place {
    /// As the IdP gets it: unreserved characters only.
    pub(crate) fn write(&self, query: QueryId) -> String {
        let (kind, number, rest) = match self {
            Self::Number(number) => (1, number, ""),
            Self::Page { cursor, skip } => (2, skip, cursor.as_str()),
        };
        let bytes = [&[kind], query.0.as_slice(), &number.to_be_bytes(), rest.as_bytes()].concat();
        Base64UrlUnpadded::encode_string(&bytes)
    }

    /// Back from the IdP; nothing where it is none of the gateway's, or of another query.
    pub(crate) fn read(text: &str, query: QueryId) -> Option<Self> {
        if text.len() > (MAX_CURSOR + HEAD) * 4 / 3 + 4 {
            return None;
        }
        let bytes = Base64UrlUnpadded::decode_vec(text).ok()?;
        let (kind, bytes) = bytes.split_first()?;
        let (id, bytes) = bytes.split_first_chunk()?;
        let (number, rest) = bytes.split_first_chunk()?;
        let number = u64::from_be_bytes(*number);
        if *id != query.0 {
            return None;
        }
        match kind {
            1 if rest.is_empty() && number > 0 => Some(Self::Number(number)),
            2 => Some(Self::Page { cursor: String::from_utf8(rest.to_vec()).ok()?, skip: number }),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(target_family = "wasm")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    // P-49: opaque, unreserved characters, bound to the query
    #[test]
    fn cursors_come_back_to_their_own_query() {
        let query = QueryId::new(["route", "Users", "userName sw \"a\""]);
        let other = QueryId::new(["route", "Users", "userName sw \"b\""]);
        assert_ne!(QueryId::new(["ab", "c"]), QueryId::new(["a", "bc"]));
        for place in [
            Place::Number(1),
            Place::Number(u64::MAX),
            Place::Page { cursor: String::new(), skip: 3 },
            Place::Page { cursor: "a+b/ü==".to_owned(), skip: 0 },
        ] {
            let text = place.write(query);
            assert!(text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte)), "{text}");
            assert_eq!(Place::read(&text, query), Some(place.clone()));
            assert_eq!(Place::read(&text, other), None);
            for cut in 0..HEAD {
                assert_eq!(Place::read(text.get(..cut).unwrap(), query), None);
            }
            assert_eq!(Place::read(&format!("{text}!"), query), None);
        }
        for text in ["", "abc", "====", "ü", &"A".repeat(100), &"A".repeat(100_000)] {
            assert_eq!(Place::read(text, query), None);
        }
        assert_eq!(Place::read(&Place::Number(0).write(query), query), None);
    }
}
