//! The message inside an envelope, in whichever form it is cheapest.

use std::any::{Any, TypeId};
use std::fmt;
use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::{Error, Json, Message, secret};
use crate::mapping::{MapError, Mapping, Slots};
use crate::words;

/// A message whose Rust type is known to its component only.
pub trait AnyMessage: Send + Sync {
    /// The message itself.
    fn any(&self) -> &dyn Any;

    /// The whole message as JSON. It is written once, however many ask: the branches of a fan-out, the attempts of a retry.
    ///
    /// # Errors
    /// When serde refuses, e.g. a map with keys that are no text.
    fn to_json(&self) -> Result<Arc<Value>, serde_json::Error>;

    /// The whole message as the text of JSON.
    ///
    /// # Errors
    /// When serde refuses, e.g. a map with keys that are no text.
    fn to_text(&self) -> Result<Vec<u8>, serde_json::Error>;

    /// Only what `mapping` reads of it.
    ///
    /// # Errors
    /// When serde refuses a value on the way.
    fn read(&self, mapping: &Mapping) -> Result<Slots, MapError>;
}

/// JSON as text, and what it says once somebody has asked for it.
struct Text {
    text: Bytes,
    json: OnceLock<Arc<Value>>,
}

impl Text {
    fn to_json(&self) -> Result<Arc<Value>, DecodeError> {
        if let Some(json) = self.json.get() {
            return Ok(json.clone());
        }
        let json = serde_json::from_slice(&self.text).map_err(|e| {
            DecodeError(format!("it is not JSON: {}", words::without_content(&e.to_string())))
        })?;
        Ok(self.json.get_or_init(|| Arc::new(json)).clone())
    }
}

/// A message, and its JSON once somebody has asked for it.
struct Held<T> {
    message: T,
    json: OnceLock<Arc<Value>>,
}

impl<T: Message> AnyMessage for Held<T> {
    fn any(&self) -> &dyn Any {
        &self.message
    }

    fn to_json(&self) -> Result<Arc<Value>, serde_json::Error> {
        if let Some(json) = self.any().downcast_ref::<Json>() {
            return Ok(json.shared());
        }
        let written = || serde_json::to_value(&self.message).map(Arc::new);
        if secret::is_masked() {
            // What people are shown is not what travels.
            return written();
        }
        if let Some(json) = self.json.get() {
            return Ok(json.clone());
        }
        let json = written()?;
        Ok(self.json.get_or_init(|| json).clone())
    }

    fn to_text(&self) -> Result<Vec<u8>, serde_json::Error> {
        serde_json::to_vec(&self.message)
    }

    fn read(&self, mapping: &Mapping) -> Result<Slots, MapError> {
        match self.any().downcast_ref::<Json>() {
            // It need not be written to be read.
            Some(json) => mapping.read_value(json),
            None => mapping.read(&self.message),
        }
    }
}

/// The content of a message.
///
/// Cloning copies a reference count, never the content.
#[derive(Clone)]
pub struct Body {
    content: Content,
    /// What the message is seen through: the mapping of an edge, evaluated by whoever decodes it.
    mapping: Option<Arc<Mapping>>,
}

#[derive(Clone)]
enum Content {
    /// A Rust value, as a component sent it.
    Typed(Arc<dyn AnyMessage>),
    /// JSON, as it came over a border.
    Json(Arc<Value>),
    /// The text of JSON, as it came over a wire.
    Text(Arc<Text>),
    /// A body that is seen through a mapping already.
    Mapped(Arc<Body>),
}

impl Body {
    /// Wraps a typed message.
    pub fn of<T: Message>(message: T) -> Self {
        Self::plain(Content::Typed(Arc::new(Held { message, json: OnceLock::new() })))
    }

    /// Wraps JSON.
    pub fn json(value: impl Into<Arc<Value>>) -> Self {
        Self::plain(Content::Json(value.into()))
    }

    /// Wraps the text of JSON. It is read when somebody needs it, and as what they need.
    pub fn text(text: impl Into<Bytes>) -> Self {
        Self::plain(Content::Text(Arc::new(Text { text: text.into(), json: OnceLock::new() })))
    }

    /// Whether it is seen through a mapping.
    pub fn is_mapped(&self) -> bool {
        self.mapping.is_some()
    }

    /// The text of the message as JSON.
    ///
    /// # Errors
    /// When the message cannot be written as JSON, or its mapping finds a value missing.
    pub fn to_text(&self) -> Result<Bytes, DecodeError> {
        if let Some(mapping) = &self.mapping {
            return Ok(mapping.text(&self.content.read(mapping)?)?.into());
        }
        match &self.content {
            Content::Text(text) => Ok(text.text.clone()),
            Content::Typed(message) => Ok(message.to_text()?.into()),
            Content::Json(value) => Ok(serde_json::to_vec(value)?.into()),
            Content::Mapped(body) => body.to_text(),
        }
    }

    const fn plain(content: Content) -> Self {
        Self { content, mapping: None }
    }

    /// The message as `mapping` shows it.
    #[must_use]
    pub fn through(self, mapping: Arc<Mapping>) -> Self {
        let content = match self.mapping {
            None => self.content,
            Some(_) => Content::Mapped(Arc::new(self)),
        };
        Self { content, mapping: Some(mapping) }
    }

    /// The message itself when it already is a `T`.
    pub fn downcast_ref<T: 'static>(&self) -> Option<&T> {
        match &self.content {
            Content::Typed(message) if self.mapping.is_none() => message.any().downcast_ref(),
            _ => None,
        }
    }

    /// The type of the message when it is a Rust value.
    pub fn type_id(&self) -> Option<TypeId> {
        match &self.content {
            Content::Typed(message) if self.mapping.is_none() => Some(message.any().type_id()),
            _ => None,
        }
    }

    /// The message as a `T`: cloned when it is one, decoded otherwise. Only what a mapping reads is ever built.
    ///
    /// # Errors
    /// Says which field does not fit and why.
    pub fn decode<T: Message>(&self) -> Result<T, DecodeError> {
        if let Some(mapping) = &self.mapping {
            if TypeId::of::<T>() == TypeId::of::<Json>() {
                // Any JSON need not be deserialized from what is JSON already.
                let json = Json::from(mapping.value(self.content.read(mapping)?)?);
                if let Some(message) = (&json as &dyn Any).downcast_ref::<T>() {
                    return Ok(message.clone());
                }
            }
            return Ok(mapping.decode(|| self.content.read(mapping))?);
        }
        if let Some(message) = self.downcast_ref::<T>() {
            return Ok(message.clone());
        }
        if let Content::Text(text) = &self.content
            && TypeId::of::<T>() != TypeId::of::<Json>()
            && let Ok(message) = serde_json::from_slice(&text.text)
        {
            return Ok(message);
        }
        // The way by a value tells better what does not fit.
        let value = self.content.to_json()?;
        // Any JSON is taken as it is, by reference.
        let json = Json::from(value);
        match (&json as &dyn Any).downcast_ref::<T>() {
            Some(message) => Ok(message.clone()),
            None => from_value(&json),
        }
    }

    /// The message as JSON.
    ///
    /// # Errors
    /// When the message cannot be written as JSON, or its mapping finds a value missing.
    pub fn to_value(&self) -> Result<Value, DecodeError> {
        match &self.mapping {
            None => self.content.to_json().map(Arc::unwrap_or_clone),
            Some(mapping) => Ok(mapping.value(self.content.read(mapping)?)?),
        }
    }
}

impl Content {
    fn to_json(&self) -> Result<Arc<Value>, DecodeError> {
        match self {
            Self::Typed(message) => Ok(message.to_json()?),
            Self::Json(value) => Ok(value.clone()),
            Self::Text(text) => text.to_json(),
            Self::Mapped(body) => body.to_value().map(Arc::new),
        }
    }

    fn read(&self, mapping: &Mapping) -> Result<Slots, MapError> {
        match self {
            Self::Typed(message) => message.read(mapping),
            Self::Json(value) => mapping.read_value(value),
            Self::Text(text) => {
                let value = text.to_json().map_err(|e| MapError::of(e.to_string()))?;
                mapping.read_value(&value)
            }
            Self::Mapped(body) => {
                let value = body.to_value().map_err(|e| MapError::of(e.to_string()))?;
                mapping.read_value(&value)
            }
        }
    }
}

pub(crate) fn from_value<T: DeserializeOwned>(value: &Value) -> Result<T, DecodeError> {
    serde_path_to_error::deserialize(value).map_err(|e| {
        let (path, error) = (e.path().to_string(), e.into_inner());
        let error = words::without_content(&error.to_string());
        DecodeError(words::at(&path, &error))
    })
}

impl fmt::Debug for Body {
    /// Says the form only: what a message holds may be secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match (&self.mapping, &self.content) {
            (Some(_), _) => "Mapped(…)",
            (None, Content::Typed(_)) => "Typed(…)",
            (None, Content::Json(_) | Content::Text(_) | Content::Mapped(_)) => "Json(…)",
        })
    }
}

/// A message does not fit the type that should receive it.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{0}")]
pub struct DecodeError(String);

impl DecodeError {
    /// A permanent failure of a hop: sending the same again cannot help.
    pub(crate) fn into_permanent(self, what: &str) -> Error {
        Error::permanent(format!("{what} does not fit: {self}"))
    }
}

impl From<serde_json::Error> for DecodeError {
    fn from(error: serde_json::Error) -> Self {
        Self(error.to_string())
    }
}

impl From<MapError> for DecodeError {
    fn from(error: MapError) -> Self {
        Self(error.to_string())
    }
}
