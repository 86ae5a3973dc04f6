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

/// What a ListResponse says of the whole list.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Numbers {
    /// How many resources there are in all; none: nobody knows.
    pub total: Option<u64>,
    /// The number of the first resource, counted from 1; none: the list is paged by cursor.
    pub start: Option<u64>,
}

/// A ListResponse of these resources, each the text of a JSON object. All of them are in it.
pub fn list_response(resources: &[String]) -> Vec<u8> {
    list_page(Numbers { total: Some(resources.len() as u64), start: Some(1) }, None, resources)
}

/// A ListResponse of a part of what was found; `next` is the cursor of what follows, in unreserved characters.
pub fn list_page(numbers: Numbers, next: Option<&str>, resources: &[String]) -> Vec<u8> {
    let mut text = format!(r#"{{"schemas":["{LIST_RESPONSE}"]"#);
    if let Some(total) = numbers.total {
        text.push_str(&format!(r#","totalResults":{total}"#));
    }
    if let Some(start) = numbers.start {
        text.push_str(&format!(r#","startIndex":{start}"#));
    }
    text.push_str(&format!(r#","itemsPerPage":{}"#, resources.len()));
    if let Some(next) = next {
        text.push_str(&format!(r#","nextCursor":"{next}""#));
    }
    text.push_str(&format!(r#","Resources":[{}]}}"#, resources.join(",")));
    text.into_bytes()
}
