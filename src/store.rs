//! What outlives an exchange: provider tokens, cookie jars, key sets, verdicts, guard counts. The host keeps it.
//!
//! The engine bounds what it keeps: a key belongs to something configured, or to one of a fixed number of
//! slots of it, never to whatever a request brings. Hosts keep what they are given until its life time is over.

use sha2::{Digest, Sha256};

/// One request to the host's store.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct StoreRequest {
    /// A digest of what the value belongs to and the compiled configuration it was made under.
    pub key: [u8; 32],
    /// Where the value lives.
    pub class: StoreClass,
    /// The value must not be shown, logged, written to disk or leave the process.
    pub secret: bool,
    /// What to do.
    pub operation: StoreOperation,
}

/// Where a value lives.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum StoreClass {
    /// In this process, answered at once.
    Local,
    /// Seen by all instances.
    Shared,
}

/// What to do with a value.
///
/// A version stands for what is there: it changes with every write, and `0` means that nothing ever was. A
/// value whose life time is over is not shown again, but its version is.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum StoreOperation {
    /// Read it: answered by [`Stored::Value`].
    Get,
    /// Write it, if the version is still `expect` (`None`: whatever is there), for `ttl` milliseconds:
    /// answered by [`Stored::Put`].
    Put {
        /// The version that must still be there.
        expect: Option<u64>,
        /// The new value.
        value: Vec<u8>,
        /// Life time in milliseconds.
        ttl: u64,
    },
    /// Add to a number, for `ttl` milliseconds from the first: answered by [`Stored::Number`]. A number whose
    /// life time is over counts from 0 again.
    Add {
        /// What to add.
        delta: i64,
        /// Life time in milliseconds.
        ttl: u64,
    },
}

/// What the store answers.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Stored {
    /// What was read.
    Value {
        /// The value; `None`: there is none, or its life time is over.
        value: Option<Vec<u8>>,
        /// What [`StoreOperation::Put`] may expect.
        version: u64,
    },
    /// Whether the value was written; false: the version is another one meanwhile, and nothing was changed.
    Put(bool),
    /// The number with what was added.
    Number(i64),
}

/// The key of what belongs to `owner`, a digest of the compiled verifier, credential or rule, and to `subject`.
/// Whoever takes `subject` from a request takes a [`slot`] of it.
pub(crate) fn key(kind: &str, owner: &[u8], subject: &[u8]) -> [u8; 32] {
    digest(&[kind.as_bytes(), owner, subject])
}

/// One of `slots` places for a subject that a request brings, given its digest, so that what is kept is bounded. Two
/// subjects may share a slot: the value has to say whose it is.
pub(crate) fn slot(subject: &[u8; 32], slots: u32) -> [u8; 4] {
    let [a, b, c, d, ..] = *subject;
    (u32::from_be_bytes([a, b, c, d]) % slots.max(1)).to_be_bytes()
}

/// The SHA-256 of parts, so that no two lists of parts are the same text.
pub(crate) fn digest(parts: &[&[u8]]) -> [u8; 32] {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    hash.finalize().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(target_family = "wasm")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn parts_of_a_key_do_not_run_into_each_other() {
        let keys = [key("a", b"b", b"c"), key("ab", b"", b"c"), key("a", b"bc", b""), key("", b"ab", b"c")];
        for (at, one) in keys.iter().enumerate() {
            assert!(keys.iter().skip(at + 1).all(|other| one != other), "{at}");
        }
        assert_eq!(key("a", b"b", b"c"), key("a", b"b", b"c"));
    }

    #[test]
    fn slots_are_bounded() {
        let used: std::collections::BTreeSet<_> =
            (0..1000_u32).map(|n| slot(&digest(&[&n.to_be_bytes()]), 8)).collect();
        assert_eq!(used.len(), 8);
        assert_eq!(slot(&[7; 32], 0), [0; 4]);
    }
}
