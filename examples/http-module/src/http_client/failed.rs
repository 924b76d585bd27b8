//! Why a request has no response.

use std::fmt;
use std::io;
use std::time::Duration;

use reqwest::Url;
use tiny_runtime::prelude::*;
use tiny_runtime::tokio::time::Instant;

use super::Method;
use super::client::{CONNECTS, NotAllowed};

/// How long an answer is waited for.
#[derive(Clone, Copy)]
pub(super) struct Limit {
    pub(super) time: Duration,
    /// Whether there is less time than the request has of itself.
    is_of_run: bool,
}

impl Limit {
    /// That of a request with this `timeout` in seconds, in a hop with this deadline.
    pub(super) fn of(timeout: u64, deadline: Option<Instant>) -> Self {
        let own = Duration::from_secs(timeout);
        let left = deadline.map(|end| end.saturating_duration_since(Instant::now()));
        match left {
            Some(left) if left < own => Self { time: left, is_of_run: true },
            _ => Self { time: own, is_of_run: false },
        }
    }
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_of_run {
            let left = self.time.as_millis();
            return write!(
                f,
                "{left} ms, which was all the time that the run or its edge had left"
            );
        }
        write!(f, "{} s", self.time.as_secs())
    }
}

/// Why there is no response.
pub(super) enum Failed {
    Http { error: reqwest::Error, did_not_reach: bool },
    TooLarge(Url, u64),
    NoStatus(Url, u16),
}

/// The server as errors name it.
fn host(place: &Url) -> &str {
    place.host_str().unwrap_or("the server")
}

impl Failed {
    /// As the flow hears of it: transient where asking again may help and does no harm.
    pub(super) fn into_error(self, method: Method, limit: Limit) -> Error {
        match self {
            Self::NoStatus(place, status) => Error::permanent(format!(
                "{} answers with {status}, which is no status of HTTP",
                host(&place)
            )),
            Self::TooLarge(place, most) => Error::permanent(format!(
                "{} answers with more than {most} bytes; `maxResponseBytes` in the settings may be raised",
                host(&place)
            )),
            Self::Http { error, did_not_reach } => {
                let place = error.url().map_or("the server", host);
                let why = cause(&error);
                let mistrust = match why.downcast_ref() {
                    Some(rustls::Error::InvalidCertificate(mistrust)) => Some(mistrust),
                    _ => None,
                };
                let is_refusal = error.is_builder()
                    || error.is_redirect()
                    || why.is::<NotAllowed>()
                    || mistrust.is_some();
                let text = match mistrust {
                    Some(rustls::CertificateError::UnknownIssuer) => format!(
                        "{place} cannot be asked: nobody who is trusted vouches for its certificate; `caCertificates` in the settings may name who does"
                    ),
                    _ if error.is_timeout() && error.is_connect() => {
                        format!("{place} cannot be connected to within {} s", CONNECTS.as_secs())
                    }
                    _ if error.is_timeout() => {
                        format!("{place} has not answered within {limit}")
                    }
                    _ => format!("{place} cannot be asked: {why}"),
                };
                if !is_refusal && (did_not_reach || method.may_be_repeated()) {
                    Error::transient(text)
                } else {
                    Error::permanent(text)
                }
            }
        }
    }
}

/// The innermost cause, which says what happened.
pub(super) fn cause<'a>(
    error: &'a (dyn std::error::Error + 'static),
) -> &'a (dyn std::error::Error + 'static) {
    let mut innermost = error;
    loop {
        // An error of the system passes over what it holds when it is asked for its source.
        let held = innermost.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
        match held {
            Some(held) => innermost = held,
            None => match innermost.source() {
                Some(source) => innermost = source,
                None => return innermost,
            },
        }
    }
}
