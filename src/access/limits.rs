//! What an accepted caller may do: read only, some resource types, from some networks, so often.

use std::net::IpAddr;

use crate::operation::Kind;

/// The limits of one way in; nothing said: none.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) struct Limits {
    /// Nothing may be written.
    pub(crate) read_only: bool,
    /// The names of the resource types that may be touched; none: all.
    pub(crate) resources: Vec<String>,
    /// Where requests may come from; none: anywhere.
    pub(crate) networks: Vec<Network>,
    /// How often.
    pub(crate) rate: Option<Rate>,
}

/// So many requests in a time.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Rate {
    /// Requests.
    pub(crate) max: u64,
    /// Milliseconds.
    pub(crate) per: u64,
}

impl Limits {
    /// True for an address that requests may come from; an unknown one may only where all may.
    pub(super) fn admits(&self, address: Option<IpAddr>) -> bool {
        self.networks.is_empty()
            || address.is_some_and(|address| self.networks.iter().any(|network| network.contains(address)))
    }

    /// Why an operation may not be done; `resource`: the type it is about, none where it may be about any.
    pub(crate) fn forbids(&self, kind: Kind, resource: Option<&str>) -> Option<&'static str> {
        let writes = match kind {
            // What the route can do is no secret to whoever may use it.
            Kind::Discovery => return None,
            Kind::List | Kind::Search | Kind::Read => false,
            Kind::Bulk | Kind::Create | Kind::Replace | Kind::Patch | Kind::Delete => true,
        };
        if self.read_only && writes {
            return Some("may only read");
        }
        let named = |resource: &str| self.resources.iter().any(|known| known == resource);
        if !self.resources.is_empty() && !resource.is_some_and(named) {
            return Some("may not touch this kind of resource");
        }
        None
    }
}

/// Addresses with a common beginning (RFC 4632, RFC 4291 section 2.3).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Network {
    /// The beginning, zeros behind it; IPv4 as IPv6 has it (RFC 4291 section 2.5.5.2).
    bits: u128,
    mask: u128,
}

impl Network {
    /// Reads `10.0.0.0/8`, `2001:db8::/32` or one address; bits behind the beginning must be zero.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (address, length) = match text.split_once('/') {
            None => (text, None),
            Some((address, length)) => (address, Some(length)),
        };
        let address: IpAddr = address.parse().ok()?;
        let (most, offset) = if address.is_ipv4() { (32, 96) } else { (128, 0) };
        let length = match length {
            None => most,
            Some(text) if text.bytes().all(|byte| byte.is_ascii_digit()) => text.parse().ok()?,
            Some(_) => return None,
        };
        if length > most {
            return None;
        }
        let mask = u128::MAX.checked_shl(128 - (length + offset)).unwrap_or(0);
        let bits = wide(address);
        (bits & mask == bits).then_some(Self { bits, mask })
    }

    fn contains(&self, address: IpAddr) -> bool {
        wide(address) & self.mask == self.bits
    }
}

fn wide(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(address) => address.to_ipv6_mapped().to_bits(),
        IpAddr::V6(address) => address.to_bits(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(target_family = "wasm")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn networks() {
        for (network, address, inside) in [
            ("10.0.0.0/8", "10.255.0.1", true),
            ("10.0.0.0/8", "11.0.0.1", false),
            ("10.0.0.0/8", "::ffff:10.0.0.1", true),
            ("10.0.0.0/8", "::10.0.0.1", false),
            ("192.0.2.7", "192.0.2.7", true),
            ("192.0.2.7", "192.0.2.6", false),
            ("192.0.2.7/32", "192.0.2.7", true),
            ("0.0.0.0/0", "203.0.113.9", true),
            ("0.0.0.0/0", "2001:db8::1", false),
            ("2001:db8::/32", "2001:db8:ffff::1", true),
            ("2001:db8::/32", "2001:db9::1", false),
            ("::/0", "2001:db8::1", true),
            ("::1", "::1", true),
        ] {
            let limits = Limits { networks: vec![Network::parse(network).unwrap()], ..Limits::default() };
            assert_eq!(limits.admits(Some(address.parse().unwrap())), inside, "{address} in {network}");
            assert!(!limits.admits(None), "an unknown address");
        }
        for text in [
            "",
            "10.0.0.0/33",
            "10.0.0.1/8",
            "10.0.0/8",
            "10.0.0.0/",
            "10.0.0.0/+8",
            "::/129",
            "a/8",
            "10.0.0.0/8/8",
        ] {
            assert_eq!(Network::parse(text), None, "{text}");
        }
        assert!(Limits::default().admits(None));
    }

    #[test]
    fn operations() {
        let limits = |read_only, resources: &[&str]| Limits {
            read_only,
            resources: resources.iter().map(|name| (*name).to_owned()).collect(),
            ..Limits::default()
        };
        let (reads, types) = ("may only read", "may not touch this kind of resource");
        for (limits, kind, resource, expected) in [
            (limits(false, &[]), Kind::Bulk, None, None),
            (limits(true, &[]), Kind::Read, Some("User"), None),
            (limits(true, &[]), Kind::Search, None, None),
            (limits(true, &[]), Kind::Create, Some("User"), Some(reads)),
            (limits(true, &[]), Kind::Delete, Some("User"), Some(reads)),
            (limits(true, &[]), Kind::Bulk, None, Some(reads)),
            (limits(false, &["User"]), Kind::Patch, Some("User"), None),
            (limits(false, &["User"]), Kind::Replace, Some("Group"), Some(types)),
            (limits(false, &["User"]), Kind::Read, Some("user"), Some(types)),
            (limits(false, &["User"]), Kind::List, None, Some(types)),
            (limits(false, &["User"]), Kind::Bulk, None, Some(types)),
            (limits(true, &["User"]), Kind::Discovery, None, None),
        ] {
            assert_eq!(limits.forbids(kind, resource), expected, "{limits:?} {kind:?} {resource:?}");
        }
    }
}
