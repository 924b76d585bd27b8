//! A port as a status shows it.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{lenient, payload::Payload};

/// A port of a node or of a module's component.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
pub struct PortStatus {
    /// Name of the port.
    #[serde(deserialize_with = "lenient::null_as_default")]
    pub name: String,
    /// What people read for the name.
    #[serde(
        skip_serializing_if = "String::is_empty",
        deserialize_with = "lenient::null_as_default"
    )]
    pub label: String,
    /// The side of the node it is drawn on: 0 top, 1 right, 2 bottom, 3 left.
    #[serde(deserialize_with = "lenient::null_as_default")]
    pub position: i32,
    /// True for a port that sends.
    #[serde(deserialize_with = "lenient::null_as_default")]
    pub source: bool,
    /// JSON schema of its messages.
    #[serde(skip_serializing_if = "Payload::is_absent")]
    pub schema: Payload,
    /// JSON schema of what answers a message.
    #[serde(skip_serializing_if = "Payload::is_absent")]
    pub response_schema: Payload,
    /// The default message or settings.
    #[serde(skip_serializing_if = "Payload::is_absent")]
    pub configuration: Payload,
}

/// The side of a node that a port is drawn on; stored as a number.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Position {
    /// Stored as 0.
    #[default]
    Top,
    /// Stored as 1.
    Right,
    /// Stored as 2.
    Bottom,
    /// Stored as 3.
    Left,
}

impl Position {
    /// The side of this number; `None` for a number that stands for no side.
    ///
    /// ```
    /// use tiny_crds::Position;
    ///
    /// assert_eq!(Position::from_number(3), Some(Position::Left));
    /// assert_eq!(Position::Left.number(), 3);
    /// assert_eq!(Position::from_number(4), None);
    /// ```
    pub fn from_number(number: i32) -> Option<Self> {
        match number {
            0 => Some(Self::Top),
            1 => Some(Self::Right),
            2 => Some(Self::Bottom),
            3 => Some(Self::Left),
            _ => None,
        }
    }

    /// The number that is stored.
    pub fn number(self) -> i32 {
        match self {
            Self::Top => 0,
            Self::Right => 1,
            Self::Bottom => 2,
            Self::Left => 3,
        }
    }
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Top => "top",
            Self::Right => "right",
            Self::Bottom => "bottom",
            Self::Left => "left",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_side_and_its_number_belong_together() {
        for (number, word) in [(0, "top"), (1, "right"), (2, "bottom"), (3, "left")] {
            let position = Position::from_number(number).unwrap();
            assert_eq!((position.number(), position.to_string().as_str()), (number, word));
        }
        assert_eq!((Position::from_number(-1), Position::from_number(4)), (None, None));
        assert_eq!(Position::default(), Position::Top);
    }
}
