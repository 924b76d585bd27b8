//! Why a request has no response.

use std::io;

use reqwest::Url;
use tiny_runtime::prelude::*;

use super::Request;
use super::client::NotAllowed;

/// Why there is no response.
pub(super) enum Failed {
    Http { error: reqwest::Error, did_not_reach: bool },
    TooLarge(u64),
    NoStatus(u16),
}

impl From<reqwest::Error> for Failed {
    fn from(error: reqwest::Error) -> Self {
        // What fails in the midst of a response has reached a server.
        Self::Http { error, did_not_reach: false }
    }
}

impl Failed {
    /// As the flow hears of it: transient where asking again may help and does no harm.
    pub(super) fn into_error(self, message: &Request) -> Error {
        let place = Url::parse(&message.url).ok();
        let place = place.as_ref().and_then(Url::host_str).unwrap_or("the server");
        match self {
            Self::NoStatus(status) => Error::permanent(format!(
                "{place} answers with {status}, which is no status of HTTP"
            )),
            Self::TooLarge(most) => Error::permanent(format!(
                "{place} answers with more than {most} bytes; `maxResponseBytes` in the settings may be raised"
            )),
            Self::Http { error, did_not_reach } => {
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
                    _ if error.is_timeout() => {
                        format!("{place} has not answered within {} s", message.timeout)
                    }
                    _ => format!("{place} cannot be asked: {why}"),
                };
                if !is_refusal && (did_not_reach || message.method.may_be_repeated()) {
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
