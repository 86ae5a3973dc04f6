//! Ways in that rest on what the host verified: client certificates, and claims of a token it judged itself.

use super::Refusal;
use super::claims::{Claims, Requirement};
use crate::http::{Certificate, Peer};

/// Which client certificates are accepted: all that is said must be so.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) struct Client {
    /// The subject, as the host writes it.
    pub(crate) subject: Option<String>,
    /// A DNS name among the alternative names.
    pub(crate) dns: Option<String>,
    /// A URI among the alternative names.
    pub(crate) uri: Option<String>,
    /// SHA-256 fingerprints of the certificate, any of them.
    pub(crate) sha256: Vec<[u8; 32]>,
}

impl Client {
    pub(super) fn judge(&self, peer: &Peer) -> Result<(), Refusal> {
        let Some(certificate) = &peer.certificate else { return Err(Refusal::Missing) };
        let Certificate { subject, dns, uris, sha256 } = &**certificate;
        let right = self.subject.as_ref().is_none_or(|wanted| subject == wanted)
            && self.dns.as_ref().is_none_or(|wanted| dns.contains(wanted))
            && self.uri.as_ref().is_none_or(|wanted| uris.contains(wanted))
            && (self.sha256.is_empty() || sha256.is_some_and(|is| self.sha256.contains(&is)))
            && *self != Self::default();
        if right { Ok(()) } else { Err(Refusal::Unknown) }
    }
}

/// Claims that the host's own judge of tokens found good.
#[derive(Clone, Debug)]
pub(crate) struct Verified {
    /// Under which name the host keeps them.
    pub(crate) payload: String,
    /// What they must say.
    pub(crate) claims: Claims,
}

impl Verified {
    pub(super) fn judge(&self, peer: &Peer, now: u64) -> Result<(), Refusal> {
        let found = peer.claims.iter().find(|(payload, _)| *payload == self.payload);
        let Some((_, claims)) = found else { return Err(Refusal::Missing) };
        self.claims.judge(claims, now).map(|_| ())
    }

    /// The claims that are looked at: a host may have to ask for each.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        let issuer = self.claims.issuer.as_ref().map(|_| "iss");
        let audience = (!self.claims.audiences.is_empty()).then_some("aud");
        let required = self.claims.require.iter().map(|(name, _): &(String, Requirement)| name.as_str());
        issuer.into_iter().chain(audience).chain(required)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[cfg(target_family = "wasm")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn certificates() {
        let peer = Peer {
            certificate: Some(Box::new(Certificate {
                subject: "CN=idp,O=Acme".into(),
                dns: vec!["idp.acme.example".into()],
                uris: vec!["spiffe://acme.example/idp".into()],
                sha256: Some([7; 32]),
            })),
            ..Peer::default()
        };
        let client = |subject: &str, dns: &str, uri: &str, sha256: &[u8]| {
            let text = |text: &str| (!text.is_empty()).then(|| text.to_owned());
            let sha256 = sha256.iter().map(|byte| [*byte; 32]).collect();
            Client { subject: text(subject), dns: text(dns), uri: text(uri), sha256 }
        };
        for (client, expected) in [
            (client("CN=idp,O=Acme", "", "", &[]), Ok(())),
            (client("", "idp.acme.example", "", &[]), Ok(())),
            (client("", "", "spiffe://acme.example/idp", &[]), Ok(())),
            (client("", "", "", &[9, 7]), Ok(())),
            (client("CN=idp,O=Acme", "idp.acme.example", "", &[7]), Ok(())),
            (client("CN=idp", "", "", &[]), Err(Refusal::Unknown)),
            (client("", "acme.example", "", &[]), Err(Refusal::Unknown)),
            (client("", "IDP.acme.example", "", &[]), Err(Refusal::Unknown)),
            (client("", "", "spiffe://acme.example/", &[]), Err(Refusal::Unknown)),
            (client("", "", "", &[9]), Err(Refusal::Unknown)),
            (client("CN=idp,O=Acme", "", "", &[9]), Err(Refusal::Unknown)),
            (client("", "", "", &[]), Err(Refusal::Unknown)),
        ] {
            assert_eq!(client.judge(&peer), expected, "{client:?}");
            assert_eq!(client.judge(&Peer::default()), Err(Refusal::Missing));
        }
    }

    #[test]
    fn claims_of_the_host() {
        let rule = |payload: &str, issuer: &str| Verified {
            payload: payload.into(),
            claims: Claims { issuer: Some(issuer.into()), ..Claims::default() },
        };
        let claims = json!({ "iss": "i" }).as_object().unwrap().clone();
        let peer = Peer { claims: vec![("p".into(), claims)], ..Peer::default() };
        assert_eq!(rule("p", "i").judge(&peer, 0), Ok(()));
        assert_eq!(rule("p", "j").judge(&peer, 0), Err(Refusal::Issuer));
        assert_eq!(rule("q", "i").judge(&peer, 0), Err(Refusal::Missing));
        assert_eq!(rule("p", "i").judge(&Peer::default(), 0), Err(Refusal::Missing));
        assert_eq!(rule("p", "i").names().collect::<Vec<_>>(), ["iss"]);
    }
}
