//! The codes of configuration problems: stable, so that people can search for them.

macro_rules! codes {
    ($($name:ident = $code:literal, $doc:literal;)*) => {
        $(#[doc = $doc] pub(crate) const $name: &str = $code;)*

        /// Every code with what it means, in order.
        pub const CODES: &[(&str, &str)] = &[$(($code, $doc)),*];
    };
}

codes! {
    SYNTAX = "SL0101", "The document is not JSON.";
    DUPLICATE_KEY = "SL0102", "An object has the same key twice.";
    UNKNOWN_KEY = "SL0103", "A key that means nothing here.";
    MISSING_KEY = "SL0104", "A key that must be there is not.";
    WRONG_KIND = "SL0105", "A value of the wrong kind, as a number where text is meant.";
    FLOW_BRACES = "SL0106", "An unquoted path or template was read as an object or a list.";
    BAD_VALUE = "SL0107", "A value that is not allowed here.";
    NOT_YET = "SL0108", "Something this version cannot do yet.";
    VERSION = "SL0109", "A version of the document's format that is not known.";

    SECRET_SYNTAX = "SL0201", "A reference to a secret that is not of the form `${NAME}` or `${file:/path}`.";
    SECRET_INSIDE = "SL0202", "A reference to a secret inside a longer text.";
    SECRET_UNSET = "SL0203", "A secret that is not set, or empty.";
    SECRET_PLAIN = "SL0204", "A credential that stands in the document itself.";

    URL = "SL0301", "Not an absolute URL of the form the gateway takes.";
    URL_HTTP = "SL0302", "A URL without TLS that is not on this machine.";
    PATH = "SL0303", "Not a path a route can have.";
    PATH_OVERLAP = "SL0304", "Two routes whose paths are equal or lie in each other.";
    CLUSTER = "SL0305", "A provider's host without an Envoy cluster, or a cluster without one.";

    NAME = "SL0401", "Not a name: letters, digits, `.`, `_` and `-`, at most 64.";
    ACCEPT = "SL0402", "A route that would let anyone in, or no one.";
    OPEN = "SL0403", "An open route that is not on this machine.";
    TOKEN = "SL0404", "An accepted token that cannot work as written.";
    CREDENTIAL = "SL0405", "A credential that cannot be sent.";
    DATE = "SL0406", "Not a date.";
    KEYS = "SL0407", "Keys that cannot verify a token, or none.";
    AUDIENCE = "SL0408", "An audience that many share, without the claims that tell them apart.";
    HOST = "SL0409", "Something that this host cannot do as it should be done.";
    GRANT = "SL0410", "An authorization server, or a client of it, that cannot work as written.";

    LIMIT = "SL0501", "A size or time that is not readable or out of bounds.";

    RULE = "SL0601", "A mapping rule that cannot work as written.";
    RULE_PATH = "SL0602", "A path or template of a mapping rule that cannot be read or is not in the schema.";
    DEACTIVATION = "SL0603", "A mapping that would keep deactivations from the provider.";
    MATCHING = "SL0604", "An attribute the IdP finds resources by cannot be asked of the provider.";
    RULE_VALUE = "SL0605", "A value or a type that an attribute of a mapping rule does not take.";
    RULE_CLASH = "SL0606", "Mapping rules that contradict each other.";
    RULE_IDLE = "SL0607", "A mapping rule that never does anything.";
    REQUIRED = "SL0608", "An attribute the provider requires and nothing fills.";
    RULE_CYCLE = "SL0609", "A mapping rule whose values the IdP would send again in every cycle.";
    RULE_LIMIT = "SL0610", "Mapping rules that fill more elements of a list than the provider takes.";

    WRITING = "SL0621", "A fact or a setting about writing to a provider that cannot work as written.";
    PRETENDED = "SL0622", "Something that is answered as done and is not done.";
    GUARD = "SL0623", "A guard that cannot hold.";

    SCHEMA = "SL0701", "A schema that cannot be used as written.";
}

#[cfg(test)]
mod tests {
    use super::CODES;

    #[cfg(target_family = "wasm")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn codes_are_unique_ascending_and_documented() {
        assert!(CODES.windows(2).all(|pair| pair[0].0 < pair[1].0), "{CODES:?}");
        assert!(
            CODES.iter().all(|(code, doc)| code.starts_with("SL") && code.len() == 6 && doc.ends_with('.'))
        );
    }
}
