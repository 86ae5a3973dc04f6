//! The messages of the protocol (RFC 7644 section 8.2): their URIs and the ones the gateway writes itself.

/// The media type of SCIM.
pub const SCIM_JSON: &str = "application/scim+json";
/// A PATCH request.
pub const PATCH_OP: &str = "urn:ietf:params:scim:api:messages:2.0:PatchOp";
/// The answer to a query.
pub const LIST_RESPONSE: &str = "urn:ietf:params:scim:api:messages:2.0:ListResponse";
/// An error.
pub const ERROR: &str = "urn:ietf:params:scim:api:messages:2.0:Error";

/// A ListResponse of these resources, each the text of a JSON object. All of them are in it.
pub fn list_response(resources: &[String]) -> Vec<u8> {
    let count = resources.len();
    let resources = resources.join(",");
    format!(
        r#"{{"schemas":["{LIST_RESPONSE}"],"totalResults":{count},"startIndex":1,"itemsPerPage":{count},"Resources":[{resources}]}}"#
    )
    .into_bytes()
}
