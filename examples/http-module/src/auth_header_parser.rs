//! `auth_header_parser`: who asks.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use tiny_runtime::prelude::*;

use crate::header::{self, Header};

/// The headers of a request.
#[message]
pub(crate) struct Asked {
    /// What is handed on.
    #[ui(configurable)]
    pub(crate) context: Json,
    /// The headers.
    #[ui(configurable)]
    pub(crate) headers: Vec<Header>,
}

/// Who asks.
#[message]
pub(crate) struct Credentials {
    /// What came in.
    #[ui(shared)]
    pub(crate) context: Json,
    /// Whether there is a user and a password.
    pub(crate) found: bool,
    /// The user.
    pub(crate) user: String,
    /// The password.
    pub(crate) password: Secret<String>,
}

/// Reads the user and the password of an `Authorization: Basic …` header.
///
/// What is no such header, or cannot be read, is not found.
#[component(name = "auth_header_parser", tags = ["http", "auth"])]
#[derive(Default)]
pub(crate) struct AuthHeaderParser;

#[component]
impl AuthHeaderParser {
    /// The headers of a request.
    #[port(target, name = "in", position = "left")]
    async fn input(&self, ctx: &Ctx, message: Asked) -> Result {
        let read = header::value(&message.headers, "authorization").and_then(basic);
        let found = read.is_some();
        let (user, password) = read.unwrap_or_default();
        let context = message.context;
        self.out(ctx, Credentials { context, found, user, password: Secret::new(password) }).await
    }

    /// Who asks.
    #[port(source, position = "right")]
    async fn out(&self, ctx: &Ctx, message: Credentials) -> Result;
}

/// User and password of the scheme `Basic`. A password may have colons, a user none (RFC 7617).
fn basic(value: &str) -> Option<(String, String)> {
    let (scheme, encoded) = value.trim().split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let decoded = String::from_utf8(STANDARD.decode(encoded.trim()).ok()?).ok()?;
    let (user, password) = decoded.split_once(':')?;
    Some((user.to_owned(), password.to_owned()))
}

#[cfg(test)]
mod tests {
    use tiny_runtime::serde_json::json;

    use super::*;

    async fn parsed(key: &str, value: &str) -> Result<(bool, String, String)> {
        let bench = Bench::<AuthHeaderParser>::new();
        let headers = vec![Header { key: key.into(), value: value.into() }];
        bench
            .send(AuthHeaderParser::INPUT, Asked { context: json!(1).into(), headers })
            .await?
            .ignore();
        let sent = bench.sent(AuthHeaderParser::OUT).remove(0);
        assert_eq!(sent.context, json!(1).into());
        Ok((sent.found, sent.user, sent.password.expose().clone()))
    }

    #[tiny_runtime::test]
    async fn user_and_password_are_read() -> Result<()> {
        let encoded = STANDARD.encode("ada:s3cret");
        for (key, scheme) in [("Authorization", "Basic"), ("authorization", "basic")] {
            let read = parsed(key, &format!("{scheme} {encoded}")).await?;
            assert_eq!(read, (true, "ada".into(), "s3cret".into()));
        }
        Ok(())
    }

    #[tiny_runtime::test]
    async fn a_password_keeps_its_colons_and_may_be_empty() -> Result<()> {
        let read =
            parsed("Authorization", &format!("Basic {}", STANDARD.encode("ada:a:b:c"))).await?;
        assert_eq!(read, (true, "ada".into(), "a:b:c".into()));
        let read = parsed("Authorization", &format!("Basic {}", STANDARD.encode("ada:"))).await?;
        assert_eq!(read, (true, "ada".into(), String::new()));
        Ok(())
    }

    #[tiny_runtime::test]
    async fn what_is_no_such_header_is_not_found() -> Result<()> {
        let no_colon = format!("Basic {}", STANDARD.encode("ada"));
        for (key, value) in [
            ("Authorization", "Bearer token"),
            ("Authorization", "Basic"),
            ("Authorization", "Basic %%%"),
            ("Authorization", no_colon.as_str()),
            ("Cookie", "Basic YTpi"),
        ] {
            assert_eq!(parsed(key, value).await?, (false, String::new(), String::new()), "{value}");
        }
        Ok(())
    }
}
