//! From the plugin's configuration to a compiled gateway, or to log lines that say what is wrong with it.

use std::collections::BTreeMap;

use scimlock::config::secret_names;
use scimlock::{Gateway, HostFacts};

/// What this host can do. The store and the signature check are not connected yet, so what needs them is a
/// configuration error here, not a surprise in an exchange.
const FACTS: HostFacts =
    HostFacts { atomic_store: false, sync_crypto: false, clusters: true, streaming: false };

/// Compiles the document; `variable` looks up environment variables. `Err` holds the lines for the log.
pub(crate) fn configure(
    bytes: &[u8],
    variable: impl Fn(&str) -> Option<String>,
) -> Result<Gateway, Vec<String>> {
    let document =
        std::str::from_utf8(bytes).map_err(|_| vec!["the plugin configuration is not UTF-8".to_owned()])?;
    if document.trim().is_empty() {
        return Err(vec!["the plugin has no `configuration`: put the scimlock document there".to_owned()]);
    }
    let (files, names): (Vec<_>, Vec<_>) =
        secret_names(document).into_iter().partition(|name| name.starts_with("file:"));
    let mut problems: Vec<String> = files
        .into_iter()
        .map(|name| {
            format!(
                "the secret `${{{name}}}` is a file, which a filter cannot read: \
                 hand it over in `vm_config.environment_variables` and refer to it as `${{NAME}}`"
            )
        })
        .collect();
    let secrets: BTreeMap<String, String> =
        names.into_iter().filter_map(|name| variable(&name).map(|value| (name, value))).collect();
    match Gateway::compile(document, &secrets, FACTS) {
        Ok(gateway) if problems.is_empty() => Ok(gateway),
        Ok(_) => Err(problems),
        Err(errors) => {
            problems.extend(errors.to_string().lines().map(str::to_owned));
            Err(problems)
        }
    }
}
