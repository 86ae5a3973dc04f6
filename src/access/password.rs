//! Slow hashes of passwords that people choose: those can be guessed, and a fast digest would let anyone who reads
//! the configuration try thousands of millions in a second. The host computes them.

use std::fmt;

/// A password's hash with how it is made: a PHC string of Argon2id (RFC 9106) or PBKDF2 (RFC 8018), or bcrypt's own
/// form.
#[derive(Clone)]
pub(crate) struct Hash {
    algorithm: &'static str,
    text: String,
    weak: Option<&'static str>,
}

/// Why a text is no hash that can be used.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum BadHash {
    /// It has not the form of one.
    Form,
    /// It would take too long, or too much memory, at every try.
    Costly,
}

impl Hash {
    /// Reads a hash.
    pub(crate) fn read(text: &str) -> Result<Self, BadHash> {
        let parts: Vec<&str> = text.split('$').collect();
        let (algorithm, costly, weak) = match parts.as_slice() {
            ["", "argon2id", "v=19", cost, salt, hash] if is_base64(salt, 8) && is_base64(hash, 16) => {
                let [memory, passes, lanes] = numbers(cost, ["m", "t", "p"]).ok_or(BadHash::Form)?;
                if passes == 0 || lanes == 0 || memory < lanes.saturating_mul(8) {
                    return Err(BadHash::Form);
                }
                let costly = memory > 1 << 20 || passes > 16 || lanes > 16;
                let weak = memory < 7 << 10 || memory.saturating_mul(passes) < 35 << 10;
                (ARGON2ID, costly, weak.then_some("at least m=19456,t=2,p=1"))
            }
            ["", "2a" | "2b" | "2y", cost, rest]
                if cost.len() == 2 && rest.len() == 53 && rest.bytes().all(is_bcrypt) =>
            {
                let cost: u32 = cost.parse().map_err(|_| BadHash::Form)?;
                if cost < 4 {
                    return Err(BadHash::Form);
                }
                (BCRYPT, cost > 16, (cost < 10).then_some("at least cost 10"))
            }
            ["", name @ ("pbkdf2-sha256" | "pbkdf2-sha512"), cost, salt, hash]
                if is_base64(salt, 8) && is_base64(hash, 16) =>
            {
                let rounds = numbers(cost, ["i"]).or_else(|| Some([numbers(cost, ["i", "l"])?[0]]));
                let [rounds] = rounds.filter(|[rounds]| *rounds > 0).ok_or(BadHash::Form)?;
                let (enough, said) = match *name {
                    "pbkdf2-sha256" => (600_000, "at least i=600000"),
                    _ => (210_000, "at least i=210000"),
                };
                (PBKDF2, rounds > 10_000_000, (rounds < enough).then_some(said))
            }
            _ => return Err(BadHash::Form),
        };
        if costly {
            return Err(BadHash::Costly);
        }
        Ok(Self { algorithm, text: text.to_owned(), weak })
    }

    /// The name of its family, as hosts know it.
    pub(crate) const fn algorithm(&self) -> &'static str {
        self.algorithm
    }

    /// The hash as it was written.
    pub(crate) fn as_str(&self) -> &str {
        &self.text
    }

    /// What it should have been made with, where that is more (OWASP, Password Storage Cheat Sheet).
    pub(crate) const fn weak(&self) -> Option<&'static str> {
        self.weak
    }
}

impl fmt::Debug for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Hash({}, …)", self.algorithm)
    }
}

const ARGON2ID: &str = "argon2id";
const BCRYPT: &str = "bcrypt";
const PBKDF2: &str = "pbkdf2";

/// Parameters of these names, in this order and no others.
fn numbers<const N: usize>(text: &str, names: [&str; N]) -> Option<[u32; N]> {
    let mut parts = text.split(',');
    let mut read = [0; N];
    for (place, name) in read.iter_mut().zip(names) {
        *place = parts.next()?.strip_prefix(name)?.strip_prefix('=')?.parse().ok()?;
    }
    parts.next().is_none().then_some(read)
}

/// At least so many bytes in base64 without padding.
fn is_base64(text: &str, least: usize) -> bool {
    let known = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/');
    text.len() * 3 / 4 >= least && text.len() % 4 != 1 && text.bytes().all(known)
}

const fn is_bcrypt(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'/')
}

#[cfg(test)]
mod tests {
    use super::*;

    const SALT: &str = "c29tZXNhbHRzb21lc2FsdA";
    const HASH: &str = "RdescudvJCsgt3ub+b4dWRWJTmaaJObGIUoRy2m2G9o";

    fn read(text: &str) -> Result<(&'static str, bool), BadHash> {
        let text = text.replace("SALT", SALT).replace("HASH", HASH);
        Hash::read(&text).map(|hash| (hash.algorithm(), hash.weak().is_some()))
    }

    #[test]
    fn hashes_are_known_by_their_form() {
        let bcrypt = |cost: &str| format!("$2b${cost}${}", "a".repeat(53));
        for (text, expected) in [
            ("$argon2id$v=19$m=19456,t=2,p=1$SALT$HASH", Ok(("argon2id", false))),
            ("$argon2id$v=19$m=9216,t=4,p=1$SALT$HASH", Ok(("argon2id", false))),
            ("$argon2id$v=19$m=4096,t=3,p=1$SALT$HASH", Ok(("argon2id", true))),
            ("$argon2id$v=19$m=1048577,t=2,p=1$SALT$HASH", Err(BadHash::Costly)),
            ("$argon2id$v=19$m=7,t=2,p=1$SALT$HASH", Err(BadHash::Form)),
            ("$argon2id$v=16$m=19456,t=2,p=1$SALT$HASH", Err(BadHash::Form)),
            ("$argon2id$v=19$t=2,m=19456,p=1$SALT$HASH", Err(BadHash::Form)),
            ("$argon2i$v=19$m=19456,t=2,p=1$SALT$HASH", Err(BadHash::Form)),
            ("$argon2id$v=19$m=19456,t=2,p=1$short$HASH", Err(BadHash::Form)),
            ("$argon2id$v=19$m=19456,t=2,p=1$SALT$", Err(BadHash::Form)),
            (&bcrypt("12"), Ok(("bcrypt", false))),
            (&bcrypt("08"), Ok(("bcrypt", true))),
            (&bcrypt("9"), Err(BadHash::Form)),
            (&bcrypt("31"), Err(BadHash::Costly)),
            (&bcrypt("12a"), Err(BadHash::Form)),
            (bcrypt("12").trim_end_matches("aaa"), Err(BadHash::Form)),
            ("$pbkdf2-sha256$i=600000,l=32$SALT$HASH", Ok(("pbkdf2", false))),
            ("$pbkdf2-sha256$i=29000$SALT$HASH", Ok(("pbkdf2", true))),
            ("$pbkdf2-sha512$i=210000$SALT$HASH", Ok(("pbkdf2", false))),
            ("$pbkdf2-sha512$i=99000000$SALT$HASH", Err(BadHash::Costly)),
            ("$pbkdf2-sha512$i=0$SALT$HASH", Err(BadHash::Form)),
            ("$pbkdf2-sha1$i=600000$SALT$HASH", Err(BadHash::Form)),
            ("$1$SALT$HASH", Err(BadHash::Form)),
            ("secret", Err(BadHash::Form)),
            ("", Err(BadHash::Form)),
        ] {
            assert_eq!(read(text), expected, "{text}");
        }
    }
}
