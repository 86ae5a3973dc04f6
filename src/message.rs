//! The messages of the protocol (RFC 7644 section 8.2): their URIs and the ones the gateway writes itself.

/// The media type of SCIM.
pub const SCIM_JSON: &str = "application/scim+json";
/// A PATCH request.
pub const PATCH_OP: &str = "urn:ietf:params:scim:api:messages:2.0:PatchOp";
/// The answer to a query.
pub const LIST_RESPONSE: &str = "urn:ietf:params:scim:api:messages:2.0:ListResponse";
/// An error.
pub const ERROR: &str = "urn:ietf:params:scim:api:messages:2.0:Error";

/// A query by POST.
pub const SEARCH_REQUEST: &str = "urn:ietf:params:scim:api:messages:2.0:SearchRequest";
/// Several operations in one request.
pub const BULK_REQUEST: &str = "urn:ietf:params:scim:api:messages:2.0:BulkRequest";
/// The answer to it.
pub const BULK_RESPONSE: &str = "urn:ietf:params:scim:api:messages:2.0:BulkResponse";

/// A ListResponse of these resources, each the text of a JSON object. All of them are in it.
pub fn list_response(resources: &[String]) -> Vec<u8> {
    list_page(resources.len() as u64, 1, resources)
}

/// A ListResponse of a part of what was found.
pub fn list_page(total: u64, start: u64, resources: &[String]) -> Vec<u8> {
    let count = resources.len();
    let resources = resources.join(",");
    format!(
        r#"{{"schemas":["{LIST_RESPONSE}"],"totalResults":{total},"startIndex":{start},"itemsPerPage":{count},"Resources":[{resources}]}}"#
    )
    .into_bytes()
}
