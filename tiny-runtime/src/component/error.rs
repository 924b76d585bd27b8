//! What a hop failed with.

use std::fmt;
use std::time::Duration;

use super::Reply;

/// The result of a port: a reply, or what went wrong.
///
/// `Result` alone is `Result<Reply>`: whatever the flow behind a source answered.
pub type Result<T = Reply, E = Error> = std::result::Result<T, E>;

/// A failure of one hop.
///
/// `?` turns any [`std::error::Error`] into a transient one, which the runner retries; [`Error::permanent`] says that
/// trying again cannot help.
///
/// ```
/// use tiny_runtime::prelude::*;
///
/// fn parse(text: &str) -> Result<u16> {
///     text.parse().map_err(|e| Error::permanent(format!("`{text}` is not a port: {e}")))
/// }
/// assert!(parse("x").unwrap_err().is_permanent());
/// ```
#[derive(Clone)]
pub struct Error(Box<Inner>);

#[derive(Clone)]
struct Inner {
    kind: Kind,
    message: String,
}

/// Why a hop failed, as the engine reads it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Trying again may help; `after` is the shortest wait that the component asks for.
    Transient {
        /// Wait at least so long before the next attempt.
        after: Option<Duration>,
    },
    /// Trying again cannot help.
    Permanent,
    /// Was transient and used up its retries or its wait. Travels as permanent, so that no caller multiplies attempts.
    Exhausted,
    /// A bound of the engine was passed (hops, size). Permanent, and it goes to no error port.
    Limit,
    /// The caller, the edge, the node or the process went away. Neither retried nor sent to an error port.
    Cancelled,
}

impl Error {
    fn new(kind: Kind, message: impl Into<String>) -> Self {
        Self(Box::new(Inner { kind, message: message.into() }))
    }

    /// Trying again cannot help: bad input, a broken rule.
    pub fn permanent(message: impl Into<String>) -> Self {
        Self::new(Kind::Permanent, message)
    }

    /// Trying again may help: a timeout, a server that is busy.
    pub fn transient(message: impl Into<String>) -> Self {
        Self::new(Kind::Transient { after: None }, message)
    }

    /// Transient, and the next attempt must not come before `wait` has passed.
    pub fn retry_after(message: impl Into<String>, wait: Duration) -> Self {
        Self::new(Kind::Transient { after: Some(wait) }, message)
    }

    pub(crate) fn limit(message: impl Into<String>) -> Self {
        Self::new(Kind::Limit, message)
    }

    pub(crate) fn cancelled(message: impl Into<String>) -> Self {
        Self::new(Kind::Cancelled, message)
    }

    pub(crate) fn exhausted(message: impl Into<String>) -> Self {
        Self::new(Kind::Exhausted, message)
    }

    /// What kind of failure this is.
    pub fn kind(&self) -> Kind {
        self.0.kind
    }

    /// True unless the runner may try again.
    pub fn is_permanent(&self) -> bool {
        !matches!(self.0.kind, Kind::Transient { .. })
    }

    /// True when the cause was transient: an attempt later may succeed.
    pub fn is_retryable(&self) -> bool {
        matches!(self.0.kind, Kind::Transient { .. } | Kind::Exhausted)
    }

    /// Says where or while doing what it happened: `"reading the order: …"`.
    #[must_use]
    pub fn context(mut self, what: impl fmt::Display) -> Self {
        self.0.message = format!("{what}: {}", self.0.message);
        self
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.message)
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}: {}", self.0.kind, self.0.message)
    }
}

/// Any error is transient until its author says otherwise; its causes are part of the text.
impl<E: std::error::Error> From<E> for Error {
    fn from(error: E) -> Self {
        let mut message = error.to_string();
        let mut cause = error.source();
        while let Some(inner) = cause {
            let text = inner.to_string();
            // Many errors already print their cause.
            if !message.contains(&text) {
                message = format!("{message}: {text}");
            }
            cause = inner.source();
        }
        Self::transient(message)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn question_mark_is_transient_and_tells_the_cause() {
        #[derive(Debug, thiserror::Error)]
        #[error("cannot read the order")]
        struct Outer(#[source] std::num::ParseIntError);

        let cause = "x".parse::<i32>().unwrap_err();
        let error = Error::from(Outer(cause));
        assert_eq!(error.kind(), Kind::Transient { after: None });
        assert_eq!(error.to_string(), "cannot read the order: invalid digit found in string");
    }

    #[test]
    fn context_keeps_the_kind() {
        let error = Error::permanent("no name").context("node `a`");
        assert_eq!(error.to_string(), "node `a`: no name");
        assert_eq!(error.kind(), Kind::Permanent);
    }
}
