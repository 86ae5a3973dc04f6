//! The keys of the document: the one table that the reader knows them by and the JSON Schema is made from.

use serde_json::{Map, Value, json};

/// One key of an object.
#[derive(Debug)]
pub(crate) struct Key {
    /// Its name.
    pub(crate) name: &'static str,
    kind: Kind,
    required: bool,
    doc: &'static str,
}

/// What a key's value is.
#[derive(Debug)]
enum Kind {
    Text,
    Pattern(&'static str),
    Words(&'static [&'static str]),
    Boolean,
    Number(u64, u64),
    List(&'static Self),
    /// An object with these keys.
    Object(&'static [Key]),
    /// An object whose keys are the user's own names.
    Named(&'static Self),
    /// A profile's name, or an object that extends one.
    Profile,
    /// Text, `true`, `false` or a number.
    Literal,
    /// Steps of a transform.
    Steps,
    /// These settings, and lists of rules by resource type.
    Mapping(&'static [Key]),
    /// Text, or a list of texts.
    Texts,
    /// A URL or a key set.
    Keys,
    /// What a claim must be.
    Claim,
}

const fn need(name: &'static str, kind: Kind, doc: &'static str) -> Key {
    Key { name, kind, required: true, doc }
}

const fn may(name: &'static str, kind: Kind, doc: &'static str) -> Key {
    Key { name, kind, required: false, doc }
}

pub(super) const DOCUMENT: &[Key] = &[
    need("version", Kind::Number(1, 1), "The version of this document's format."),
    need("public_url", URL, "Scheme and host at which the IdP reaches the gateway."),
    need(
        "routes",
        Kind::Named(&Kind::Object(ROUTE)),
        "Routes by name, as logs, metrics and audit records show it.",
    ),
    may("limits", Kind::Object(LIMITS), "What one request may take."),
    may("envoy", Kind::Object(ENVOY), "Read by the Envoy filter, ignored elsewhere."),
];

pub(super) const ROUTE: &[Key] = &[
    need("idp", Kind::Object(IDP), "The identity provider's side."),
    need("provider", Kind::Object(PROVIDER), "The service provider's side."),
    may("mapping", Kind::Mapping(MAPPING), "Rules by resource type, on top of the profile's defaults."),
    may(
        "deactivate",
        Kind::Words(&["reject", "delete"]),
        "`reject`: the provider cannot deactivate; say so to the IdP. `delete`: a deactivation may delete at the provider.",
    ),
    may(
        "delete",
        Kind::Words(&["deactivate", "delete", "reject"]),
        "What a deletion by the IdP does to a user at the provider; the profile's way if not set.",
    ),
    may(
        "mode",
        Kind::Words(&["enforce", "observe", "paused"]),
        "`observe`: bodies pass unchanged, and the audit record says what `enforce` would have made of them; access, addresses and header fields are as ever. `paused` answers every request with 503.",
    ),
    may(
        "match",
        Kind::List(&Kind::Text),
        "Attributes of the IdP's side that identify a user: looked up before one is created.",
    ),
    may(
        "unsupported",
        Kind::Named(&Kind::Object(UNSUPPORTED)),
        "What the provider cannot do, by capability, and what happens instead.",
    ),
    may("guard", Kind::Object(GUARD), "What may not happen too often, and to whom it may never happen."),
];

pub(crate) const GUARD: &[Key] = &[
    may("deactivate", Kind::Object(GUARD_MOST), "How many users may be deactivated in a time."),
    may("delete", Kind::Object(GUARD_MOST), "How many resources may be deleted in a time."),
    may(
        "never",
        Kind::Text,
        "A filter of the provider's attributes: users that are never deactivated or deleted.",
    ),
];

pub(crate) const GUARD_MOST: &[Key] = &[
    need("max", Kind::Number(0, 2000), "How many different ones."),
    need("per", Kind::Pattern("^([0-9]+ *(ms|s|m|h)|\\$\\{.+\\})$"), "The time, 1s to 168h."),
];

pub(super) const UNSUPPORTED: &[Key] = &[
    may("emulate", Kind::Text, "Why it is done by other calls."),
    may("reject", Kind::Text, "Why it is refused."),
    may("pretend", Kind::Text, "Why it is answered as done and not done."),
    may("when", Kind::Text, "A filter of the provider's attributes: only for resources in this state."),
];

pub(crate) const MAPPING: &[Key] = &[
    may("unmapped", Kind::Words(&["pass", "drop", "reject"]), "What happens to attributes no rule claims."),
    may(
        "only",
        Kind::Named(&Kind::Text),
        "Which resources of a type there are for the IdP, as SCIM filters.",
    ),
    may("inherit", Kind::Boolean, "`false`: without the rules of the provider's profile."),
];

pub(crate) const RULE: &[Key] = &[
    may("idp", Kind::Text, "A path on the IdP's side."),
    may("provider", Kind::Text, "A path on the provider's side."),
    may("values", Kind::Named(&Kind::Literal), "The provider's word for each word of the IdP."),
    may("other", Kind::Literal, "The provider's word for what `values` does not name."),
    may("transform", Kind::Steps, "What becomes of values on the way to the provider, step by step."),
    may("value", Kind::Literal, "What the provider is always sent; text may have paths in braces."),
    may("default", Kind::Text, "Sent where no other rule has a value: text with paths in braces."),
    may("drop", Kind::Boolean, "`true`: the provider does not get this, and nobody is to be told."),
    may("when", Kind::Text, "The rule applies where this SCIM filter selects the IdP's resource."),
    may("operations", Kind::List(&Kind::Words(&["create", "update"])), "When the provider is written to."),
    may("direction", Kind::Words(&["both", "to_provider", "to_idp"]), "Where values go, `both` if not set."),
];

pub(super) const IDP: &[Key] = &[
    need("profile", Kind::Profile, "Which product this is, or an object that extends a profile."),
    need("path", Kind::Pattern("^(/|\\$\\{)"), "The path below `public_url`; no two routes share one."),
    may("accept", Kind::List(&Kind::Object(VERIFIER)), "Who may use the route; any one is enough."),
    may("token", Kind::Words(&["bare"]), "`bare`: a token counts without the word `Bearer` before it, too."),
    may(
        "authorization",
        Kind::Object(AUTHORIZATION),
        "An authorization server of the route's own (OAuth 2.0).",
    ),
    may("open", Kind::Boolean, "Lets anyone in; only where `public_url` is on this machine."),
];

pub(super) const VERIFIER: &[Key] = &[
    may("bearer", Kind::Object(BEARER), "A token the IdP sends."),
    may("basic", Kind::Object(BASIC), "A user's name and a generated password."),
    may("jwt", Kind::Object(JWT), "A token that its issuer signed (RFC 7519)."),
    may("introspection", Kind::Object(INTROSPECTION), "A token that its issuer is asked about (RFC 7662)."),
    may("mtls", Kind::Object(MTLS), "A client certificate that the host verified."),
    may("envoy_jwt", Kind::Object(ENVOY_JWT), "Claims that Envoy's `jwt_authn` verified."),
    may("preset", Kind::Object(PRESET), "A way in that the IdP's profile describes."),
];

pub(super) const BEARER: &[Key] = &[
    need("name", TOKEN_NAME, "The token's name in audit records."),
    need("sha256", SHA256, "The token's SHA-256, 64 hex digits."),
    need("expires", DATE, "The last day (UTC) or the moment of its end."),
    may("not_before", DATE, "The first day (UTC) or the moment of its beginning."),
    READ_ONLY,
    RESOURCES,
    NETWORKS,
    RATE,
];

pub(super) const BASIC: &[Key] = &[
    need("name", TOKEN_NAME, "Its name in audit records."),
    need("user", Kind::Text, "The user's name, without a colon."),
    may("sha256", SHA256, "The SHA-256 of a generated password of at least 128 bits, 64 hex digits."),
    may(
        "phc",
        Kind::Pattern("^(\\$(argon2id|2[aby]|pbkdf2-sha(256|512))\\$|\\$\\{)"),
        "In its place, in Node: a slow hash of a password that somebody chose, as `scimlock hash --password` makes it.",
    ),
    need("expires", DATE, "The last day (UTC) or the moment of its end."),
    may("not_before", DATE, "The first day (UTC) or the moment of its beginning."),
    READ_ONLY,
    RESOURCES,
    NETWORKS,
    RATE,
];

pub(super) const JWT: &[Key] = &[
    need("name", TOKEN_NAME, "Its name in audit records."),
    need("issuer", Kind::Text, "What `iss` must be, letter by letter."),
    need("audience", Kind::Texts, "What `aud` must be or have, or a list of such texts."),
    may("keys", Kind::Keys, "The URL of the issuer's key set, or the key set itself (RFC 7517)."),
    may(
        "discovery",
        Kind::Boolean,
        "`true`: the issuer's metadata name its key set (OpenID Connect Discovery).",
    ),
    may("origins", Kind::List(&URL), "Further origins that the metadata may name a key set of."),
    need("algorithms", Kind::List(&Kind::Words(ALGORITHMS)), "The algorithms a token may be signed with."),
    may("types", Kind::List(&Kind::Text), "What `typ` may be; not set: none, `JWT` or `at+jwt`."),
    REQUIRE,
    LEEWAY,
    READ_ONLY,
    RESOURCES,
    NETWORKS,
    RATE,
];

pub(super) const INTROSPECTION: &[Key] = &[
    need("name", TOKEN_NAME, "Its name in audit records."),
    need("url", URL, "The introspection endpoint."),
    need("client_id", Kind::Text, "The name that the gateway has there."),
    need("client_secret", Kind::Text, "Its secret there, as a reference: `${NAME}` or `${file:/path}`."),
    may("issuer", Kind::Text, "What `iss` must be."),
    may("audience", Kind::Texts, "What `aud` must be or have, or a list of such texts."),
    REQUIRE,
    LEEWAY,
    READ_ONLY,
    RESOURCES,
    NETWORKS,
    RATE,
];

pub(super) const MTLS: &[Key] = &[
    need("name", TOKEN_NAME, "Its name in audit records."),
    may("subject", Kind::Text, "The certificate's subject, as the host writes it."),
    may("dns", Kind::Text, "A DNS name among its alternative names."),
    may("uri", Kind::Text, "A URI among its alternative names."),
    may("sha256", Kind::Texts, "Its SHA-256, 64 hex digits, or a list of such."),
    READ_ONLY,
    RESOURCES,
    NETWORKS,
    RATE,
];

pub(super) const ENVOY_JWT: &[Key] = &[
    need("name", TOKEN_NAME, "Its name in audit records."),
    need("payload", Kind::Text, "The `payload_in_metadata` of the provider in `jwt_authn`."),
    need("issuer", Kind::Text, "What `iss` must be."),
    may("audience", Kind::Texts, "What `aud` must be, or a list of such texts; `jwt_authn` judges lists."),
    REQUIRE,
    READ_ONLY,
    RESOURCES,
    NETWORKS,
    RATE,
];

pub(super) const PRESET: &[Key] = &[
    need("use", Kind::Text, "Its name in the IdP's profile, below `idp.access`."),
    need("name", TOKEN_NAME, "Its name in audit records."),
    may("with", Kind::Named(&Kind::Text), "What is put in the place of the words in braces."),
    READ_ONLY,
    RESOURCES,
    NETWORKS,
    RATE,
];

pub(super) const AUTHORIZATION: &[Key] = &[
    need("key", Kind::Text, "What its tokens are signed with: 32 random bytes as text, as a reference."),
    may("lifetime", TIME, "How long a token is good for: 1h to 6h, 1h if not set."),
    may(
        "operator",
        Kind::Object(OPERATOR),
        "Whose code allows an IdP to get codes (authorization code grant).",
    ),
    need("clients", Kind::List(&Kind::Object(CLIENT)), "Who gets tokens."),
];

pub(super) const OPERATOR: &[Key] = &[
    need("sha256", SHA256, "The SHA-256 of a generated secret of at least 128 bits, 64 hex digits."),
    need("expires", DATE, "The last day (UTC) or the moment of its end."),
    may("not_before", DATE, "The first day (UTC) or the moment of its beginning."),
];

pub(super) const CLIENT: &[Key] = &[
    need("name", TOKEN_NAME, "Its name in audit records."),
    need("client_id", Kind::Text, "What it calls itself."),
    may("secret", Kind::Object(OPERATOR), "A secret, in the form or the Authorization field."),
    may("assertion", Kind::Object(ASSERTION), "A token signed for it (RFC 7523), as of workload identities."),
    may("redirect_uris", Kind::List(&Kind::Text), "Where browsers take codes to."),
    may(
        "pkce",
        Kind::Words(&["required", "optional"]),
        "Whether codes need a challenge; `required` if not set.",
    ),
    may("refresh", TIME, "How long a refresh token is good for: 1h to 8760h, 2160h if not set."),
    READ_ONLY,
    RESOURCES,
    NETWORKS,
    RATE,
];

pub(super) const ASSERTION: &[Key] = &[
    need("issuer", Kind::Text, "What `iss` must be, letter by letter."),
    need("subject", Kind::Text, "What `sub` must be."),
    may(
        "audience",
        Kind::Texts,
        "What `aud` must be or have; not set: the route's URL or its token endpoint.",
    ),
    may("keys", Kind::Keys, "The URL of the issuer's key set, or the key set itself (RFC 7517)."),
    may(
        "discovery",
        Kind::Boolean,
        "`true`: the issuer's metadata name its key set (OpenID Connect Discovery).",
    ),
    may("origins", Kind::List(&URL), "Further origins that the metadata may name a key set of."),
    need(
        "algorithms",
        Kind::List(&Kind::Words(ALGORITHMS)),
        "The algorithms an assertion may be signed with.",
    ),
    REQUIRE,
    LEEWAY,
];

pub(super) const LIMIT_RATE: &[Key] =
    &[need("max", Kind::Number(1, 1_000_000), "Requests."), need("per", TIME, "In that time: 1s to 1h.")];

const READ_ONLY: Key = may("read_only", Kind::Boolean, "`true`: nothing may be written with it.");
const RESOURCES: Key = may("resources", Kind::List(&Kind::Text), "The resource types it may be used for.");
const NETWORKS: Key = may("networks", Kind::List(&Kind::Text), "Where it may be used from, as `10.0.0.0/8`.");
const RATE: Key = may("rate", Kind::Object(LIMIT_RATE), "How often it may be used; beyond that: 429.");
const REQUIRE: Key = may(
    "require",
    Kind::Named(&Kind::Claim),
    "Further claims: a value, a list of values, or `contains:` and an element.",
);
const LEEWAY: Key = may("leeway", TIME, "By how much clocks may differ: up to 5m, 30s if not set.");
const TOKEN_NAME: Kind = Kind::Pattern("^([A-Za-z0-9._-]{1,64}|\\$\\{.+\\})$");
const SHA256: Kind = Kind::Pattern("^([0-9A-Fa-f]{64}|\\$\\{.+\\})$");
const TIME: Kind = Kind::Pattern("^([0-9]+ *(ms|s|m|h)|\\$\\{.+\\})$");
const ALGORITHMS: &[&str] =
    &["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "EdDSA"];

pub(super) const PROVIDER: &[Key] = &[
    need("profile", Kind::Profile, "Which product this is, or an object that extends a profile."),
    need("url", URL, "The base URL of the provider's SCIM endpoints."),
    may("insecure", Kind::Boolean, "Allows a URL without TLS that is not on this machine."),
    may("credential", Kind::Object(CREDENTIAL), "What the provider is shown."),
    may("headers", Kind::Named(&Kind::Text), "Header fields of every request to the provider."),
];

pub(super) const CREDENTIAL: &[Key] = &[
    may("bearer", Kind::Text, "A token, as a reference: `${NAME}` or `${file:/path}`."),
    may("basic", Kind::Object(USER), "A user's name and password."),
    may("oauth", Kind::Object(OAUTH), "OAuth 2.0 client credentials: tokens are fetched, kept and renewed."),
    may("flow", Kind::Text, "A token flow of the provider's profile, by name."),
    may("with", Kind::Named(&Kind::Text), "What the token flow is given."),
    may("expires", DATE, "When the provider stops taking it."),
];

pub(super) const USER: &[Key] = &[
    need("user", Kind::Text, "The user's name."),
    need("password", Kind::Text, "The password, as a reference: `${NAME}` or `${file:/path}`."),
];

pub(super) const OAUTH: &[Key] = &[
    need("token_url", URL, "The token endpoint."),
    need("client_id", Kind::Text, "The client's name there."),
    may("client_secret", Kind::Text, "The client's secret, as a reference: `${NAME}` or `${file:/path}`."),
    may("auth", Kind::Words(&["basic", "body"]), "Where the secret goes: `basic` if not set."),
    may("private_key", Kind::Text, "In place of a secret: a key in PEM that signs an assertion (RFC 7523)."),
    may("algorithm", Kind::Words(&["RS256", "ES256", "EdDSA"]), "How it signs; the key's own if not set."),
    may("key_id", Kind::Text, "The key's id, for servers that know several."),
    may("assertion_audience", Kind::Text, "Whom the assertion is for: `token_url` if not set."),
    may("scope", Kind::Text, "The scopes that are asked for, separated by blanks."),
    may("audience", Kind::Text, "What the token is for, for servers that ask for it this way."),
    may("resource", Kind::Text, "What the token is for (RFC 8707)."),
    may("life", DURATION, "How long a token is used where the answer does not say it: 1h if not set."),
];

pub(super) const LIMITS: &[Key] = &[
    may("body", SIZE, "The largest request body: 1KiB to 64MiB, 1MiB if not set."),
    may("response", SIZE, "The largest response body: 1KiB to 64MiB, 16MiB if not set."),
    may("depth", Kind::Number(8, 100), "Levels of nesting in a message, 32 if not set."),
    may("time", DURATION, "The longest a request may take: 1s to 5m, 50s if not set."),
    may("pages", Kind::Number(1, 1000), "Calls that one query may take, 50 if not set."),
    may("resources", Kind::Number(1, 100_000), "Resources one query may look at, 5000 if not set."),
];

pub(super) const ENVOY: &[Key] = &[
    may("host_mode", Kind::Words(&["buffered"]), "How the filter holds messages."),
    may(
        "clusters",
        Kind::Named(&Kind::Text),
        "Envoy clusters by `host`, or `host:port` where the port is not 443.",
    ),
];

const URL: Kind = Kind::Pattern("^(https?://|\\$\\{)");
const DATE: Kind = Kind::Pattern("^([0-9]{4}-[0-9]{2}-[0-9]{2}|\\$\\{.+\\})");
const DURATION: Kind = Kind::Pattern("^([0-9]+ *(ms|s|m|h)|\\$\\{.+\\})$");
const SIZE: Kind = Kind::Pattern("^([0-9]+ *(MiB|KiB|B)|\\$\\{.+\\})$");

/// The JSON Schema of configuration documents, for editors. It knows the keys and forms; what values mean
/// together only compiling tells.
pub fn json_schema() -> Value {
    let mut schema = Kind::Object(DOCUMENT).schema();
    if let Some(schema) = schema.as_object_mut() {
        schema.shift_insert(0, "$schema".to_owned(), json!("https://json-schema.org/draft/2020-12/schema"));
        schema.shift_insert(1, "title".to_owned(), json!("scimlock configuration"));
    }
    schema
}

impl Kind {
    fn schema(&self) -> Value {
        match self {
            Self::Text => json!({ "type": "string" }),
            Self::Pattern(pattern) => json!({ "type": "string", "pattern": pattern }),
            Self::Words(words) => json!({ "enum": words }),
            Self::Boolean => json!({ "type": "boolean" }),
            Self::Number(low, high) if low == high => json!({ "const": low }),
            Self::Number(low, high) => json!({ "type": "integer", "minimum": low, "maximum": high }),
            Self::List(element) => json!({ "type": "array", "items": element.schema() }),
            Self::Named(member) => json!({ "type": "object", "additionalProperties": member.schema() }),
            Self::Profile => json!({ "type": ["string", "object"] }),
            Self::Literal => json!({ "type": ["string", "boolean", "number"] }),
            Self::Steps => {
                let words = ["lower", "upper", "trim", "boolean", "first", "primary", "wrap"];
                let text = json!({ "type": "string", "minLength": 1 });
                let literal = Self::Literal.schema();
                let format = json!({ "anyOf": [text, {
                    "type": "object",
                    "additionalProperties": false,
                    "required": ["idp", "provider"],
                    "properties": { "idp": text, "provider": text },
                }] });
                let step = json!({ "anyOf": [{ "enum": words }, {
                    "type": "object",
                    "additionalProperties": false,
                    "properties": {
                        "prefix": text,
                        "suffix": text,
                        "values": { "type": "object", "additionalProperties": literal },
                        "other": literal,
                        "split": text,
                        "join": text,
                        "date": format,
                    },
                }] });
                json!({ "anyOf": [step, { "type": "array", "minItems": 1, "items": step }] })
            }
            Self::Mapping(settings) => {
                let mut schema = Self::Object(settings).schema();
                if let Some(schema) = schema.as_object_mut() {
                    let rules = Self::List(&Self::Object(RULE)).schema();
                    schema.insert("additionalProperties".to_owned(), rules);
                }
                schema
            }
            Self::Texts => json!({ "type": ["string", "array"], "items": { "type": "string" } }),
            Self::Keys => json!({ "type": ["string", "object"] }),
            Self::Claim => json!({ "type": ["string", "boolean", "number", "array", "object"] }),
            Self::Object(keys) => {
                let properties: Map<String, Value> = keys
                    .iter()
                    .map(|key| {
                        let mut schema = key.kind.schema();
                        if let Some(schema) = schema.as_object_mut() {
                            schema.shift_insert(0, "description".to_owned(), json!(key.doc));
                        }
                        (key.name.to_owned(), schema)
                    })
                    .collect();
                let required: Vec<_> = keys.iter().filter(|key| key.required).map(|key| key.name).collect();
                json!({
                    "type": "object",
                    "additionalProperties": false,
                    "required": required,
                    "properties": properties,
                })
            }
        }
    }
}

impl Key {
    /// True where the object is incomplete without it.
    pub(crate) const fn required(&self) -> bool {
        self.required
    }
}

#[cfg(all(test, not(target_family = "wasm")))]
mod tests {
    use super::json_schema;

    #[test]
    fn the_published_schema_is_this_table() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/src/config/scimlock.schema.json");
        let made = format!("{:#}\n", json_schema());
        if std::env::var_os("UPDATE").is_some() && std::env::var_os("CI").is_none() {
            std::fs::write(path, &made).unwrap();
        }
        assert!(
            std::fs::read_to_string(path).unwrap() == made,
            "run the tests with UPDATE=1 and look at the change"
        );
    }
}
