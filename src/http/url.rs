//! Absolute URLs of the configuration, and references in messages that lie under them.

use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr};

use crate::Scheme;

/// An absolute `http` or `https` URL: lower-case host, explicit port, path without a trailing slash.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Url {
    /// The scheme.
    pub(crate) scheme: Scheme,
    /// The host in lower case; an IPv6 address in brackets.
    pub(crate) host: String,
    /// The port, the scheme's own where none was written.
    pub(crate) port: u16,
    /// Empty, or `/` and segments without a trailing slash.
    pub(crate) path: String,
}

impl Url {
    /// Reads a URL; the error says what is wrong, without quoting it.
    pub(crate) fn parse(text: &str) -> Result<Self, &'static str> {
        if !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err("it has blanks, control characters or letters outside ASCII");
        }
        let (scheme, rest) = text.split_once("://").ok_or("the scheme `https://` is missing")?;
        let scheme = match scheme {
            _ if scheme.eq_ignore_ascii_case("https") => Scheme::Https,
            _ if scheme.eq_ignore_ascii_case("http") => Scheme::Http,
            _ => return Err("its scheme is not `https`"),
        };
        if rest.contains(['?', '#']) {
            return Err("it has a query or a fragment");
        }
        let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        if authority.contains('@') {
            return Err("it has a user name or password");
        }
        let (host, port) = split_authority(authority).ok_or("its port is not a number from 1 to 65535")?;
        if !is_host(host) {
            return Err("its host is not a name or address");
        }
        let path = path.strip_suffix('/').unwrap_or(path);
        if !path.is_empty() {
            plain_path(path)?;
        }
        let port = port.unwrap_or(scheme.port());
        Ok(Self { scheme, host: host.to_ascii_lowercase(), port, path: path.to_owned() })
    }

    /// `host`, or `host:port` where the port is not the scheme's own.
    pub(crate) fn authority(&self) -> String {
        if self.port == self.scheme.port() {
            self.host.clone()
        } else {
            format!("{}:{}", self.host, self.port)
        }
    }

    /// True on this machine: traffic that no one else can read.
    pub(crate) fn loopback(&self) -> bool {
        let bare = self.host.trim_start_matches('[').trim_end_matches(']');
        self.host == "localhost"
            || bare.parse::<Ipv4Addr>().is_ok_and(|address| address.is_loopback())
            || bare.parse::<Ipv6Addr>().is_ok_and(|address| address.is_loopback())
    }

    /// This URL with more path.
    pub(crate) fn join(&self, path: &str) -> Self {
        Self { path: format!("{}{path}", self.path), ..self.clone() }
    }

    /// What follows this URL in an absolute reference that lies under it; `None` for every other text,
    /// relative references included.
    ///
    /// Providers behind a proxy often write `http` for their own `https` address and the other way round, so
    /// the two schemes count as one where both ports are the schemes' own.
    pub(crate) fn rest_of<'r>(&self, reference: &'r str) -> Option<&'r str> {
        let behind = |start: &str| {
            let (head, rest) = reference.split_at_checked(start.len())?;
            head.eq_ignore_ascii_case(start).then_some(rest)
        };
        let (scheme, rest) = match behind("https://") {
            Some(rest) => (Scheme::Https, rest),
            None => (Scheme::Http, behind("http://")?),
        };
        // Most references are to other hosts.
        if !rest.get(..self.host.len())?.eq_ignore_ascii_case(&self.host) {
            return None;
        }
        let (authority, path) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
        let (host, port) = split_authority(authority)?;
        let port = port.unwrap_or(scheme.port());
        let same_port = port == self.port || (port == scheme.port() && self.port == self.scheme.port());
        if !host.eq_ignore_ascii_case(&self.host) || !same_port {
            return None;
        }
        let rest = path.strip_prefix(self.path.as_str())?;
        let climbs = rest.split(['?', '#']).next()?.split('/').any(is_dots);
        (!climbs && (rest.is_empty() || rest.starts_with(['/', '?', '#']))).then_some(rest)
    }
}

impl fmt::Display for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}{}", self.scheme.as_str(), self.authority(), self.path)
    }
}

/// Moves an absolute reference that lies under `from` to the same place under `to`.
pub(crate) fn rebase(from: &Url, to: &Url, reference: &str) -> Option<String> {
    from.rest_of(reference).map(|rest| format!("{to}{rest}"))
}

/// A path of the configuration: compared byte for byte, so it has one spelling only.
pub(crate) fn plain_path(path: &str) -> Result<(), &'static str> {
    let segments = path.strip_prefix('/').ok_or("it does not begin with `/`")?;
    if segments.is_empty() {
        return Err("it has no segment");
    }
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=:@".contains(&byte);
    for segment in segments.split('/') {
        match segment {
            "" => return Err("it has an empty segment or ends with `/`"),
            _ if is_dots(segment) => return Err("it has a segment `.` or `..`"),
            _ if segment.contains('%') => return Err("it is percent-encoded"),
            _ if segment.contains(['?', '#']) => return Err("it has a query or a fragment"),
            _ if !segment.bytes().all(plain) => {
                return Err("it has characters that are not allowed in a path");
            }
            _ => {}
        }
    }
    Ok(())
}

/// Host and port, where one is written.
fn split_authority(authority: &str) -> Option<(&str, Option<u16>)> {
    let end = authority.rfind(']').map_or(0, |bracket| bracket + 1);
    let Some(colon) = authority.get(end..)?.find(':').map(|at| at + end) else {
        return Some((authority, None));
    };
    let port = authority.get(colon + 1..)?;
    let digits = !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit());
    let port: u16 = port.parse().ok().filter(|port| digits && *port > 0)?;
    Some((authority.get(..colon)?, Some(port)))
}

/// A DNS name or an address, without port.
pub(crate) fn is_host(host: &str) -> bool {
    if let Some(address) = host.strip_prefix('[') {
        return address.strip_suffix(']').is_some_and(|address| address.parse::<Ipv6Addr>().is_ok());
    }
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    let numeric = host.rsplit('.').next().is_some_and(|last| last.bytes().all(|byte| byte.is_ascii_digit()));
    // `127.1` or `0x7f.1` are addresses to some readers and names to others.
    host.len() <= 253 && host.split('.').all(label) && (!numeric || host.parse::<Ipv4Addr>().is_ok())
}

/// A dot segment, also where a reader may decode it.
fn is_dots(segment: &str) -> bool {
    let decoded = segment.replace("%2e", ".").replace("%2E", ".");
    decoded == "." || decoded == ".."
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(target_family = "wasm")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn urls_have_one_spelling() {
        for (text, expected) in [
            ("https://a.example", "https://a.example"),
            ("HTTPS://A.Example/", "https://a.example"),
            ("https://a.example:443/x/", "https://a.example/x"),
            ("http://localhost:80", "http://localhost"),
            ("https://a.example:80/x/Y", "https://a.example:80/x/Y"),
            ("http://127.0.0.1:8080/scim/v2", "http://127.0.0.1:8080/scim/v2"),
            ("https://[2001:DB8::1]:8443/x", "https://[2001:db8::1]:8443/x"),
            ("https://my_host-1/x~y/a:b@c", "https://my_host-1/x~y/a:b@c"),
        ] {
            assert_eq!(Url::parse(text).map(|url| url.to_string()).as_deref(), Ok(expected), "{text}");
        }
    }

    #[test]
    fn other_urls_are_refused() {
        let host = Err("its host is not a name or address");
        let port = Err("its port is not a number from 1 to 65535");
        let query = Err("it has a query or a fragment");
        for (text, expected) in [
            ("", Err("the scheme `https://` is missing")),
            ("a.example/x", Err("the scheme `https://` is missing")),
            ("ftp://a.example", Err("its scheme is not `https`")),
            ("https://", host),
            ("https:///x", host),
            ("https://a..example", host),
            ("https://a.example.", host),
            ("https://-a.example", host),
            ("https://a%2eexample", host),
            ("https://127.1", host),
            ("https://0x7f.0.0.1", host),
            ("https://300.1.1.1", host),
            ("https://[::1", port),
            ("https://[::g]", host),
            ("https://a*b", host),
            ("https://a.example:", port),
            ("https://a.example:0", port),
            ("https://a.example:+1", port),
            ("https://a.example:65536", port),
            ("https://::1/x", port),
            ("https://user:pw@a.example", Err("it has a user name or password")),
            ("https://a.example@b.example", Err("it has a user name or password")),
            ("https://a.example?x", query),
            ("https://a.example/x#y", query),
            ("https://a.example/x?y=https://b", query),
            ("https://a.example/a b", Err("it has blanks, control characters or letters outside ASCII")),
            ("https://ä.example", Err("it has blanks, control characters or letters outside ASCII")),
            ("https://a.example\n", Err("it has blanks, control characters or letters outside ASCII")),
            ("https://a.example//", Err("it has no segment")),
            ("https://a.example/a//b", Err("it has an empty segment or ends with `/`")),
            ("https://a.example/a/../b", Err("it has a segment `.` or `..`")),
            ("https://a.example/a%2fb", Err("it is percent-encoded")),
            ("https://a.example/a\\b", Err("it has characters that are not allowed in a path")),
            ("https://a.example/\"", Err("it has characters that are not allowed in a path")),
        ] {
            assert_eq!(Url::parse(text).map(|url| url.to_string()), expected.map(str::to_owned), "{text}");
        }
    }

    #[test]
    fn loopback() {
        for (text, expected) in [
            ("http://localhost:8080", true),
            ("http://LOCALHOST", true),
            ("http://127.0.0.1", true),
            ("http://127.8.8.8:1", true),
            ("http://[::1]:8080", true),
            ("http://localhost.example", false),
            ("http://127.0.0.1.example", false),
            ("http://10.0.0.1", false),
            ("http://0.0.0.0", false),
            ("http://[::]", false),
        ] {
            assert_eq!(url(text).loopback(), expected, "{text}");
        }
    }

    #[test]
    fn references_move_with_their_base() {
        let provider = url("https://p.example/api/scim");
        let gateway = url("https://gw.example:8443/acme/scim/v2");
        for (reference, expected) in [
            ("https://p.example/api/scim/Users/42", Some("https://gw.example:8443/acme/scim/v2/Users/42")),
            ("https://p.example/api/scim", Some("https://gw.example:8443/acme/scim/v2")),
            (
                "HTTPS://P.Example:443/api/scim/Users?a=b#c",
                Some("https://gw.example:8443/acme/scim/v2/Users?a=b#c"),
            ),
            ("https://p.example/api/scim?x=../y", Some("https://gw.example:8443/acme/scim/v2?x=../y")),
            ("http://p.example/api/scim/Users/42", Some("https://gw.example:8443/acme/scim/v2/Users/42")),
            ("http://p.example:443/api/scim/Users/42", Some("https://gw.example:8443/acme/scim/v2/Users/42")),
            ("https://p.example/api/scim2/Users/42", None),
            ("https://p.example/API/scim/Users/42", None),
            ("https://p.example/api", None),
            ("https://p.example", None),
            ("https://p.example:8443/api/scim/Users/42", None),
            ("http://p.example:8080/api/scim/Users/42", None),
            ("https://p.example.evil/api/scim/Users/42", None),
            ("https://p.example@evil.example/api/scim/Users/42", None),
            ("https://evil.example/https://p.example/api/scim", None),
            ("https://p.example/api/scim/../admin", None),
            ("https://p.example/api/scim/%2E%2e/admin", None),
            ("ftp://p.example/api/scim/Users", None),
            ("//p.example/api/scim/Users", None),
            ("/api/scim/Users/42", None),
            ("../Users/42", None),
            ("Users/42", None),
            ("", None),
        ] {
            assert_eq!(rebase(&provider, &gateway, reference).as_deref(), expected, "{reference}");
        }
        let port = url("http://127.0.0.1:9000");
        assert_eq!(
            rebase(&port, &provider, "http://127.0.0.1:9000/Users").as_deref(),
            Some("https://p.example/api/scim/Users")
        );
        assert_eq!(
            rebase(&port, &provider, "https://127.0.0.1:9000/Users").as_deref(),
            Some("https://p.example/api/scim/Users")
        );
        assert_eq!(rebase(&port, &provider, "http://127.0.0.1/Users"), None);
    }

    fn url(text: &str) -> Url {
        Url::parse(text).unwrap()
    }
}
