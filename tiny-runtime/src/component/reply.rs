//! What a hop returns to the one who sent the message.

use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use serde_json::Value;

use super::{Body, DecodeError, Error, Message, Result, secret};
use crate::schema::{self, Text};

/// The answer of a hop, or that there is none.
///
/// Return it and it travels on to the sender; a reply that is dropped never reaches anybody, so rustc warns.
#[must_use = "a dropped reply never reaches the sender; return it, or say `.ignore()`"]
#[derive(Clone, Default)]
pub struct Reply {
    body: Option<Body>,
    /// The port that answered, as `node:port`; known once the answer has left it.
    origin: Option<Arc<dyn fmt::Display + Send + Sync>>,
}

impl Reply {
    /// No reply. This is not JSON null.
    pub fn none() -> Self {
        Self::default()
    }

    /// A reply that carries `message`.
    pub fn of<T: Message>(message: T) -> Self {
        Self { body: Some(Body::of(message)), origin: None }
    }

    /// A reply that is JSON already.
    pub(crate) fn of_json(value: Value) -> Self {
        Self::from_body(Body::json(value))
    }

    pub(crate) fn from_body(body: Body) -> Self {
        Self { body: Some(body), origin: None }
    }

    /// A reply of another module; `origin` is the port that answered, where that is told.
    pub(crate) fn of_text(text: Bytes, origin: Option<String>) -> Self {
        let origin = origin.map(|origin| Arc::new(origin) as Arc<dyn fmt::Display + Send + Sync>);
        Self { body: Some(Body::text(text)), origin }
    }

    /// What is answered, and the port that did, as a wire carries them; `None` when there is no reply.
    ///
    /// # Errors
    /// When the message cannot be written as JSON.
    pub(crate) fn to_text(&self) -> Result<Option<(Bytes, String)>> {
        let Some(body) = &self.body else { return Ok(None) };
        let origin = self.origin.as_ref().map(ToString::to_string).unwrap_or_default();
        let text = body.to_text().map_err(|e| e.into_permanent("the reply"))?;
        Ok(Some((text, origin)))
    }

    /// Notes which port answered, unless that is known: a reply travels on through others.
    pub(crate) fn answered_by<A>(mut self, port: &Arc<A>) -> Self
    where
        A: fmt::Display + Send + Sync + 'static,
    {
        if self.body.is_some() && self.origin.is_none() {
            self.origin = Some(port.clone());
        }
        self
    }

    /// Says that the reply is dropped on purpose.
    pub fn ignore(self) {}

    /// True when nothing was answered.
    pub fn is_none(&self) -> bool {
        self.body.is_none()
    }

    /// The reply as JSON, as an edge would carry it; `None` when there is no reply.
    ///
    /// # Errors
    /// When the message cannot be written as JSON.
    pub fn to_json(&self) -> Result<Option<Value>> {
        self.body
            .as_ref()
            .map(Body::to_value)
            .transpose()
            .map_err(|e| e.into_permanent("the reply"))
    }

    /// The reply as it may be shown to people: every secret is `***`.
    ///
    /// # Errors
    /// When the message cannot be written as JSON.
    pub(crate) fn shown(&self) -> Result<Option<Value>> {
        secret::masked(|| self.to_json())
    }
}

impl fmt::Debug for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reply").field("body", &self.body).finish_non_exhaustive()
    }
}

/// What answers a port: `Reply` (whatever it is), `()` (nothing), a message, or perhaps a message.
#[diagnostic::on_unimplemented(
    message = "a port cannot be answered by `{Self}`",
    label = "not a reply",
    note = "return `Result`, `Result<()>`, `Result<T>` or `Result<Option<T>>` where `T` carries `#[message]`"
)]
pub trait Answer: Sized + Send + 'static {
    /// The schema of the answer; `None` when it names no type.
    #[doc(hidden)]
    const SCHEMA: Option<fn() -> Text>;

    /// The reply that travels back.
    fn into_reply(self) -> Reply;

    /// Reads the reply that `port` received.
    ///
    /// # Errors
    /// Permanent when a reply is needed and there is none, or when it does not fit.
    fn from_reply(reply: Reply, port: &str) -> Result<Self>;
}

impl Answer for Reply {
    const SCHEMA: Option<fn() -> Text> = None;

    fn into_reply(self) -> Reply {
        self
    }

    fn from_reply(reply: Reply, _: &str) -> Result<Self> {
        Ok(reply)
    }
}

impl Answer for () {
    const SCHEMA: Option<fn() -> Text> = None;

    fn into_reply(self) -> Reply {
        Reply::none()
    }

    fn from_reply(_: Reply, _: &str) -> Result<Self> {
        Ok(())
    }
}

#[diagnostic::do_not_recommend]
impl<T: Message> Answer for T {
    const SCHEMA: Option<fn() -> Text> = Some(schema::text::<T>);

    fn into_reply(self) -> Reply {
        Reply::of(self)
    }

    fn from_reply(reply: Reply, port: &str) -> Result<Self> {
        <Option<T>>::from_reply(reply, port)?
            .ok_or_else(|| Error::permanent(format!("nothing replied to `{port}`")))
    }
}

impl<T: Message> Answer for Option<T> {
    const SCHEMA: Option<fn() -> Text> = Some(schema::text::<T>);

    fn into_reply(self) -> Reply {
        self.map_or_else(Reply::none, Reply::of)
    }

    fn from_reply(reply: Reply, port: &str) -> Result<Self> {
        let misfit = |e: DecodeError| {
            let origin = reply.origin.map(|origin| format!(" of `{origin}`")).unwrap_or_default();
            e.into_permanent(&format!("the reply{origin} to `{port}`"))
        };
        reply.body.map(|body| body.decode().map_err(misfit)).transpose()
    }
}
