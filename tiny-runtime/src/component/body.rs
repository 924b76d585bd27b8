//! The message inside an envelope, in whichever form it is cheapest.

use std::any::{Any, TypeId};
use std::fmt;
use std::sync::Arc;

use serde::de::DeserializeOwned;
use serde_json::Value;

use super::{Error, Json, Message};
use crate::mapping::{MapError, Mapping, Slots};
use crate::words;

/// A message whose Rust type is known to its component only.
pub trait AnyMessage: Any + Send + Sync {
    /// The whole message as JSON.
    ///
    /// # Errors
    /// When serde refuses, e.g. a map with keys that are no text.
    fn to_value(&self) -> Result<Value, serde_json::Error>;

    /// Only what `mapping` reads of it.
    ///
    /// # Errors
    /// When serde refuses a value on the way.
    fn read(&self, mapping: &Mapping) -> Result<Slots, MapError>;
}

impl<T: Message> AnyMessage for T {
    fn to_value(&self) -> Result<Value, serde_json::Error> {
        serde_json::to_value(self)
    }

    fn read(&self, mapping: &Mapping) -> Result<Slots, MapError> {
        mapping.read(self)
    }
}

/// The content of a message.
///
/// Cloning copies a reference count, never the content.
#[derive(Clone)]
pub enum Body {
    /// A Rust value, as a component sent it.
    Typed(Arc<dyn AnyMessage>),
    /// JSON, as it came over a border.
    Json(Arc<Value>),
    /// Another body, seen through the mapping of an edge; evaluated by whoever decodes it.
    Mapped(Arc<Body>, Arc<Mapping>),
}

impl Body {
    /// Wraps a typed message.
    pub fn of<T: Message>(message: T) -> Self {
        Self::Typed(Arc::new(message))
    }

    /// The message itself when it already is a `T`.
    pub fn downcast_ref<T: 'static>(&self) -> Option<&T> {
        match self {
            Self::Typed(message) => (&**message as &dyn Any).downcast_ref(),
            Self::Json(_) | Self::Mapped(..) => None,
        }
    }

    /// The type of the message when it is a Rust value.
    pub fn type_id(&self) -> Option<TypeId> {
        match self {
            Self::Typed(message) => Some((**message).type_id()),
            Self::Json(_) | Self::Mapped(..) => None,
        }
    }

    /// The message as a `T`: cloned when it is one, decoded otherwise. Only what a mapping reads is ever built.
    ///
    /// # Errors
    /// Says which field does not fit and why.
    pub fn decode<T: Message>(&self) -> Result<T, DecodeError> {
        if let Some(message) = self.downcast_ref::<T>() {
            return Ok(message.clone());
        }
        match self {
            Self::Typed(message) => from_value(&message.to_value()?),
            Self::Json(value) => {
                // Any JSON is taken as it is, by reference.
                let json = Json::from(value.clone());
                match (&json as &dyn Any).downcast_ref::<T>() {
                    Some(message) => Ok(message.clone()),
                    None => from_value(value),
                }
            }
            Self::Mapped(body, mapping) => Ok(mapping.decode(|| body.read(mapping))?),
        }
    }

    /// The message as JSON.
    ///
    /// # Errors
    /// When the message cannot be written as JSON, or its mapping finds a value missing.
    pub fn to_value(&self) -> Result<Value, DecodeError> {
        match self {
            Self::Typed(message) => Ok(message.to_value()?),
            Self::Json(value) => Ok(Value::clone(value)),
            Self::Mapped(body, mapping) => Ok(mapping.value(body.read(mapping)?)?),
        }
    }

    fn read(&self, mapping: &Mapping) -> Result<Slots, MapError> {
        match self {
            Self::Typed(message) => message.read(mapping),
            Self::Json(value) => mapping.read_value(value),
            Self::Mapped(..) => {
                let value = self.to_value().map_err(|e| MapError::of(e.to_string()))?;
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
        f.write_str(match self {
            Self::Typed(_) => "Typed(…)",
            Self::Json(_) => "Json(…)",
            Self::Mapped(..) => "Mapped(…)",
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
