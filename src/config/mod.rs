//! The configuration document: JSON text in, checked types out.

use std::fmt;

/// One problem of a configuration document.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ConfigError {
    /// Stable code, `SL` and four digits.
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
            write!(f, "{level} [{}] {} {}: {}", error.code, error.pointer, error.message, error.remedy)?;
        }
        Ok(())
    }
}

impl std::error::Error for ConfigErrors {}
