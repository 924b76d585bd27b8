//! `webhook_verify`: whether it comes from whom it says.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ring::hmac;
use tiny_runtime::prelude::*;

use crate::header::{self, Header};

/// How a sender signs.
#[message(default)]
pub(crate) struct VerifySettings {
    /// What both know.
    pub(crate) secret: Secret<String>,
    /// The header with the signature.
    #[ui(minLength = 1)]
    pub(crate) header: String,
    /// What stands before the signature.
    pub(crate) prefix: String,
    /// How the signature is written.
    pub(crate) encoding: Encoding,
    /// Whether there is a port for what is not signed right; else it is an error.
    pub(crate) enable_invalid_port: bool,
}

impl Default for VerifySettings {
    fn default() -> Self {
        Self {
            secret: Secret::new(String::new()),
            header: "X-Hub-Signature-256".into(),
            prefix: "sha256=".into(),
            encoding: Encoding::Hex,
            enable_invalid_port: false,
        }
    }
}

/// How bytes are written.
#[message]
#[serde(rename_all = "lowercase")]
pub(crate) enum Encoding {
    /// Two letters for each.
    Hex,
    /// With the letters of base64.
    Base64,
}

/// What came.
#[message]
pub(crate) struct Delivered {
    /// What is handed on.
    #[ui(configurable)]
    pub(crate) context: Json,
    /// The headers.
    #[ui(configurable)]
    pub(crate) headers: Vec<Header>,
    /// The body, byte by byte as it came.
    #[ui(configurable)]
    pub(crate) body: String,
    /// Whether the body is in base64; what is signed are the bytes that it stands for.
    #[ui(configurable)]
    #[serde(default)]
    pub(crate) is_base64: bool,
}

/// What is signed right.
#[message]
pub(crate) struct Verified {
    /// What came in.
    #[ui(shared)]
    pub(crate) context: Json,
    /// The headers.
    #[ui(shared)]
    pub(crate) headers: Vec<Header>,
    /// The body.
    #[ui(shared)]
    pub(crate) body: String,
    /// Whether the body is in base64.
    pub(crate) is_base64: bool,
}

/// What is not.
#[message]
pub(crate) struct Invalid {
    /// What came in.
    #[ui(shared)]
    pub(crate) context: Json,
    /// Why.
    pub(crate) error: String,
}

/// Checks the signature (HMAC with SHA-256) of what a webhook delivers.
///
/// Signatures are compared in a time that says nothing of them.
#[component(name = "webhook_verify", tags = ["http", "auth"])]
#[derive(Default)]
pub(crate) struct WebhookVerify {
    settings: Settings<VerifySettings>,
}

impl WebhookVerify {
    fn has_invalid(&self) -> bool {
        self.settings.get().enable_invalid_port
    }

    fn check(&self, message: &Delivered) -> Result<(), String> {
        let settings = self.settings.get();
        if settings.secret.expose().is_empty() {
            return Err(
                "there is no secret in the settings, and without one nothing is right".into()
            );
        }
        let name = &settings.header;
        let value = header::value(&message.headers, name)
            .ok_or_else(|| format!("there is no header `{name}`"))?;
        let written = value.trim().strip_prefix(settings.prefix.as_str());
        let written =
            written.ok_or_else(|| format!("`{name}` does not begin with `{}`", settings.prefix))?;
        let signature = match settings.encoding {
            Encoding::Hex => unhex(written),
            Encoding::Base64 => STANDARD.decode(written).ok(),
        };
        let signature =
            signature.ok_or_else(|| format!("the signature in `{name}` cannot be read"))?;
        let decoded = message.is_base64.then(|| STANDARD.decode(&message.body)).transpose();
        let decoded = decoded
            .map_err(|e| format!("`body` is no base64, as `isBase64` says that it is: {e}"))?;
        let signed = decoded.as_deref().unwrap_or(message.body.as_bytes());
        let key = hmac::Key::new(hmac::HMAC_SHA256, settings.secret.expose().as_bytes());
        hmac::verify(&key, signed, &signature)
            .map_err(|_| "the signature is another one".to_owned())
    }
}

/// Bytes of two letters each.
fn unhex(text: &str) -> Option<Vec<u8>> {
    let digits = text.chars().map(|c| c.to_digit(16)).collect::<Option<Vec<u32>>>()?;
    let pairs = digits.chunks(2).map(|pair| match pair {
        [high, low] => u8::try_from(high * 16 + low).ok(),
        _ => None,
    });
    pairs.collect()
}

#[component]
impl WebhookVerify {
    /// What came.
    #[port(target, name = "in", position = "left")]
    async fn input(&self, ctx: &Ctx, message: Delivered) -> Result {
        match self.check(&message) {
            Ok(()) => {
                let Delivered { context, headers, body, is_base64 } = message;
                self.out(ctx, Verified { context, headers, body, is_base64 }).await
            }
            Err(error) if self.has_invalid() => {
                self.invalid(ctx, Invalid { context: message.context, error }).await
            }
            Err(error) => Err(Error::permanent(error)),
        }
    }

    /// What is signed right.
    #[port(source, position = "right")]
    async fn out(&self, ctx: &Ctx, message: Verified) -> Result;

    /// What is not.
    #[port(source, position = "bottom", when = Self::has_invalid)]
    async fn invalid(&self, ctx: &Ctx, message: Invalid) -> Result;
}

#[cfg(test)]
mod tests {
    use tiny_runtime::serde_json::json;

    use super::*;

    /// The example of GitHub's documentation.
    const SIGNED: &str = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17";

    fn delivered(value: &str, body: &str) -> Delivered {
        let headers = vec![Header { key: "x-hub-signature-256".into(), value: value.into() }];
        Delivered { context: json!(1).into(), headers, body: body.into(), is_base64: false }
    }

    fn bench() -> Bench<WebhookVerify> {
        let bench = Bench::new();
        bench.settings_json(json!({"secret": "It's a Secret to Everybody"}));
        bench
    }

    #[tiny_runtime::test]
    async fn what_is_signed_right_passes() -> Result<()> {
        let bench = bench();
        bench.send(WebhookVerify::INPUT, delivered(SIGNED, "Hello, World!")).await?.ignore();
        assert_eq!(bench.sent(WebhookVerify::OUT)[0].context, json!(1).into());
        let key = hmac::Key::new(hmac::HMAC_SHA256, b"s");
        let value = STANDARD.encode(hmac::sign(&key, b"x"));
        bench.settings_json(json!({"secret": "s", "prefix": "", "encoding": "base64"}));
        bench.send(WebhookVerify::INPUT, delivered(&value, "x")).await?.ignore();
        Ok(())
    }

    #[tiny_runtime::test]
    async fn of_a_body_in_base64_the_bytes_are_signed() -> Result<()> {
        let bench = Bench::new();
        bench.settings_json(json!({"secret": "s", "prefix": "", "encoding": "base64"}));
        let bytes = b"PK\x03\x04\0\xff";
        let key = hmac::Key::new(hmac::HMAC_SHA256, b"s");
        let value = STANDARD.encode(hmac::sign(&key, bytes));
        let signed = |body: &str| Delivered { is_base64: true, ..delivered(&value, body) };
        let body = STANDARD.encode(bytes);
        bench.send(WebhookVerify::INPUT, signed(&body)).await?.ignore();
        let verified = bench.sent(WebhookVerify::OUT).remove(0);
        assert_eq!((verified.body, verified.is_base64), (body.clone(), true));
        for (message, why) in [
            (signed("AAAA"), "is another one"),
            (signed("PK!"), "`body` is no base64, as `isBase64` says that it is"),
            (delivered(&value, &body), "is another one"),
        ] {
            let error = bench.send(WebhookVerify::INPUT, message).await.unwrap_err();
            assert!(error.is_permanent() && error.to_string().contains(why), "{error}");
        }
        assert_eq!(bench.sent(WebhookVerify::OUT).len(), 1);
        // Where nothing is said of it the body is a text.
        let message = delivered(&STANDARD.encode(hmac::sign(&key, b"AAAA")), "AAAA");
        let json = json!({"context": 1, "headers": message.headers, "body": message.body});
        bench.send_json("in", json).await?.ignore();
        assert!(!bench.sent(WebhookVerify::OUT)[1].is_base64);
        Ok(())
    }

    #[tiny_runtime::test]
    async fn what_is_not_is_refused_in_words_without_the_secret() -> Result<()> {
        let bench = bench();
        for (message, why) in [
            (delivered(SIGNED, "Hello, world!"), "is another one"),
            (delivered(&SIGNED[..20], "Hello, World!"), "cannot be read"),
            (delivered(&SIGNED[..21], "Hello, World!"), "is another one"),
            (delivered("sha1=00", "Hello, World!"), "does not begin with `sha256=`"),
            (Delivered { headers: vec![], ..delivered("", "") }, "there is no header"),
        ] {
            let error = bench.send(WebhookVerify::INPUT, message).await.unwrap_err();
            assert!(error.is_permanent() && error.to_string().contains(why), "{error}");
            assert!(!error.to_string().contains("Everybody"));
        }
        assert!(bench.sent(WebhookVerify::OUT).is_empty());
        Ok(())
    }

    #[tiny_runtime::test]
    async fn without_a_secret_nothing_is_right() -> Result<()> {
        let bench = Bench::<WebhookVerify>::new();
        bench.settings_json(json!({"enableInvalidPort": true}));
        let key = hmac::Key::new(hmac::HMAC_SHA256, b"");
        let tag = hmac::sign(&key, b"x");
        let hex: String = tag.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
        bench.send(WebhookVerify::INPUT, delivered(&format!("sha256={hex}"), "x")).await?.ignore();
        assert!(bench.sent(WebhookVerify::INVALID)[0].error.contains("no secret"));
        Ok(())
    }
}
