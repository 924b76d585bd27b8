//! The formats of texts.

use std::net::IpAddr;

use http::Uri;
use jiff::civil::Date;
use jiff::{SignedDuration, Span, Timestamp};

/// Whether a text has a format; `None` where types of Rust that share the format do not agree, or the format is not known here.
pub(super) fn has(text: &str, format: &str) -> Option<bool> {
    let agreed = |all: &[bool]| all.iter().all(|it| it == &all[0]).then(|| all[0]);
    match format {
        "date-time" if text.contains('[') => None,
        "date-time" => Some(text.parse::<Timestamp>().is_ok()),
        "date" => agreed(&[text.parse::<Date>().is_ok(), text.len() == "2026-01-02".len()]),
        "timespan" => {
            agreed(&[text.parse::<Span>().is_ok(), text.parse::<SignedDuration>().is_ok()])
        }
        "uri" if !text.contains(':') => Some(false),
        "uri" => is_web_address(text).then_some(true),
        _ => None,
    }
}

/// Whether everybody takes a text for the address of a page. What is odd in it may still be one for some.
fn is_web_address(text: &str) -> bool {
    let Ok(uri) = text.parse::<Uri>() else { return false };
    let (Some("http" | "https"), Some(authority)) = (uri.scheme_str(), uri.authority()) else {
        return false;
    };
    let host = authority.host();
    let port = authority.as_str().strip_prefix(host);
    let has_port = port == Some("") || authority.port_u16().is_some();
    let plain = |letter: u8| letter.is_ascii_alphanumeric() || matches!(letter, b'.' | b'-');
    let is_name = host.bytes().all(plain) && !host.to_ascii_lowercase().contains("xn--");
    // One that ends with a number is read as an address.
    let last = host.rsplit('.').next().unwrap_or_default();
    let is_named = is_name && last.starts_with(|letter: char| letter.is_ascii_alphabetic());
    let address = host.trim_start_matches('[').trim_end_matches(']');
    has_port && (is_named || address.parse::<IpAddr>().is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_of_the_web_is_a_uri_and_what_is_odd_may_be_one() {
        for text in [
            "http://localhost:8081/v1",
            "https://api.example.com/a?b=c",
            "http://127.0.0.1/",
            "http://[::1]:80/",
        ] {
            assert_eq!(has(text, "uri"), Some(true), "{text}");
        }
        for text in ["", "localhost", "/v1"] {
            assert_eq!(has(text, "uri"), Some(false), "{text}");
        }
        for text in [
            "mailto:a@b",
            "http://a:99999/",
            "http://a:/",
            "http://1.2.3.256/",
            "http://1.2.3/",
            "http://user@a/",
            "http://xn--a/",
            "http://ü/",
            "http://a b/",
            "http://",
            "ftp://a/",
        ] {
            assert_eq!(has(text, "uri"), None, "{text}");
        }
    }

    #[test]
    fn moments_and_days_are_read_as_their_types_read_them() {
        assert_eq!(has("2026-01-02T03:04:05Z", "date-time"), Some(true));
        assert_eq!(has("2026-01-02", "date-time"), Some(false));
        assert_eq!(has("2026-01-02", "date"), Some(true));
        assert_eq!(has("tomorrow", "date"), Some(false));
        assert_eq!(has("PT1S", "timespan"), Some(true));
        assert_eq!(has("P1Y", "timespan"), None);
        assert_eq!(has("x", "regex"), None);
    }
}
