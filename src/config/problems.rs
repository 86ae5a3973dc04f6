//! What is wrong with a configuration document: gathered, all of it, with place and remedy.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fmt;

use super::secret;

/// One problem of a configuration document.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ConfigError {
    /// Stable code, `SL` and four digits: see [`CODES`](super::CODES).
    pub code: &'static str,
    /// Where: a JSON pointer (RFC 6901).
    pub pointer: String,
    /// The route's name, where the problem belongs to one.
    pub route: Option<String>,
    /// What is wrong.
    pub message: String,
    /// What to do about it.
    pub remedy: String,
    /// A warning does not stop the gateway.
    pub warning: bool,
}

/// All problems found in a configuration document.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct ConfigErrors(pub Vec<ConfigError>);

impl fmt::Display for ConfigErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, error) in self.0.iter().enumerate() {
            if index > 0 {
                writeln!(f)?;
            }
            let level = if error.warning { "warning" } else { "error" };
            let pointer = if error.pointer.is_empty() { "(document)" } else { &error.pointer };
            write!(f, "{level} [{}] {pointer}: {}: {}", error.code, error.message, error.remedy)?;
        }
        Ok(())
    }
}

impl std::error::Error for ConfigErrors {}

/// Gathers problems while a document is read, and knows the values of its `${…}` references.
pub(crate) struct Problems<'a> {
    list: RefCell<Vec<ConfigError>>,
    secrets: &'a BTreeMap<String, String>,
}

impl<'a> Problems<'a> {
    /// No problems yet; `secrets` as in [`Gateway::compile`](crate::Gateway::compile).
    pub(crate) const fn new(secrets: &'a BTreeMap<String, String>) -> Self {
        Self { list: RefCell::new(Vec::new()), secrets }
    }

    /// Notes an error at a JSON pointer.
    pub(crate) fn error(
        &self,
        code: &'static str,
        pointer: &str,
        message: impl Into<String>,
        remedy: impl Into<String>,
    ) {
        self.push(code, pointer, message.into(), remedy.into(), false);
    }

    /// Notes a warning at a JSON pointer.
    pub(crate) fn warn(
        &self,
        code: &'static str,
        pointer: &str,
        message: impl Into<String>,
        remedy: impl Into<String>,
    ) {
        self.push(code, pointer, message.into(), remedy.into(), true);
    }

    /// True once an error (not only warnings) was noted.
    pub(crate) fn failed(&self) -> bool {
        self.list.borrow().iter().any(|problem| !problem.warning)
    }

    /// The value with the warnings, or everything that is wrong.
    pub(crate) fn finish<T>(self, value: Option<T>) -> Result<(T, ConfigErrors), ConfigErrors> {
        let failed = self.failed();
        let problems = ConfigErrors(self.list.into_inner());
        match value {
            Some(value) if !failed => Ok((value, problems)),
            _ => Err(problems),
        }
    }

    /// The value a `${…}` reference stands for; text that is no reference stands for itself. What cannot be
    /// resolved was reported when the document was parsed.
    pub(super) fn resolve<'t>(&self, text: &'t str) -> Option<&'t str>
    where
        'a: 't,
    {
        match secret::reference(text) {
            Ok(None) => Some(text),
            Ok(Some(name)) => secret::value(self.secrets, name),
            Err(_) => None,
        }
    }

    /// The values of references.
    pub(super) const fn secrets(&self) -> &'a BTreeMap<String, String> {
        self.secrets
    }

    fn push(&self, code: &'static str, pointer: &str, message: String, remedy: String, warning: bool) {
        let problem = ConfigError {
            code,
            pointer: pointer.to_owned(),
            route: route_of(pointer),
            message,
            remedy,
            warning,
        };
        let mut list = self.list.borrow_mut();
        if !list.contains(&problem) {
            list.push(problem);
        }
    }
}

impl fmt::Debug for Problems<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Problems").field("list", &self.list).finish_non_exhaustive()
    }
}

fn route_of(pointer: &str) -> Option<String> {
    let name = pointer.strip_prefix("/routes/")?.split('/').next()?;
    Some(name.replace("~1", "/").replace("~0", "~"))
}
