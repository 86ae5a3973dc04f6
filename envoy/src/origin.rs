//! Who made an answer, the provider or Envoy, and what Envoy's own answers mean.

use scimlock::Fault;

/// Reads Envoy's `response.code_details` of the answer in a stream.
///
/// `Unreachable` promises that the provider has seen nothing; where Envoy leaves that open, it is `Reset`.
pub(crate) fn of_stream(details: &[u8]) -> Result<(), Fault> {
    let details = String::from_utf8_lossy(details);
    match details.split('{').next().unwrap_or_default().trim() {
        "via_upstream" => Ok(()),
        "request_payload_too_large" | "response_payload_too_large" => Err(Fault::TooLarge),
        "upstream_reset_before_response_started" if details.contains("connection_failure") => {
            Err(Fault::Unreachable)
        }
        "upstream_reset_before_response_started" if details.contains("connection_timeout") => {
            Err(Fault::Unreachable)
        }
        "cluster_not_found" | "maintenance_mode" | "no_healthy_upstream" | "route_not_found" => {
            Err(Fault::Unreachable)
        }
        other if other.contains("timeout") => Err(Fault::Timeout),
        _ => Err(Fault::Reset),
    }
}

/// The answer to a request beside the stream has no details: the router marks what came from the provider with
/// [`MARK`], and says in the text of its own answers what happened.
pub(crate) fn of_reply(status: u16, marked: bool, body: &[u8]) -> Result<(), Fault> {
    let unsent = || {
        let text = String::from_utf8_lossy(body);
        ["connection failure", "connection timeout", "no healthy upstream"]
            .iter()
            .any(|reason| text.contains(reason))
    };
    match status {
        _ if marked => Ok(()),
        504 => Err(Fault::Timeout),
        _ if unsent() => Err(Fault::Unreachable),
        _ => Err(Fault::Reset),
    }
}

/// The router's mark.
pub(crate) const MARK: &str = "x-envoy-upstream-service-time";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn details_tell_who_answered() {
        for (details, origin) in [
            ("via_upstream", Ok(())),
            ("upstream_response_timeout", Err(Fault::Timeout)),
            ("response_timeout", Err(Fault::Timeout)),
            ("upstream_reset_before_response_started{connection_timeout}", Err(Fault::Unreachable)),
            (
                "upstream_reset_before_response_started{remote_connection_failure|refused}",
                Err(Fault::Unreachable),
            ),
            ("upstream_reset_before_response_started{connection_termination}", Err(Fault::Reset)),
            ("upstream_reset_before_response_started{protocol_error}", Err(Fault::Reset)),
            ("cluster_not_found", Err(Fault::Unreachable)),
            ("no_healthy_upstream", Err(Fault::Unreachable)),
            ("request_payload_too_large", Err(Fault::TooLarge)),
            ("something new", Err(Fault::Reset)),
            ("", Err(Fault::Reset)),
        ] {
            assert_eq!(of_stream(details.as_bytes()), origin, "{details}");
        }
        assert_eq!(of_stream(b"\xff"), Err(Fault::Reset));
    }

    #[test]
    fn only_a_marked_reply_is_the_providers() {
        let refused = "upstream connect error or disconnect/reset before headers. reset reason: remote connection failure";
        let broken =
            "upstream connect error or disconnect/reset before headers. reset reason: connection termination";
        for (status, marked, body, origin) in [
            (200, true, "", Ok(())),
            (503, true, refused, Ok(())),
            (504, true, "", Ok(())),
            (504, false, "upstream request timeout", Err(Fault::Timeout)),
            (503, false, refused, Err(Fault::Unreachable)),
            (503, false, "no healthy upstream", Err(Fault::Unreachable)),
            (503, false, broken, Err(Fault::Reset)),
            (200, false, "", Err(Fault::Reset)),
        ] {
            assert_eq!(of_reply(status, marked, body.as_bytes()), origin, "{status} {marked} {body}");
        }
    }
}
