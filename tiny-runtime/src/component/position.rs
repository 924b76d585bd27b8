//! Where a port sits on its component.

/// The side of a component on which an editor draws a port.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Position {
    /// 0 in status.
    Top,
    /// 1 in status.
    Right,
    /// 2 in status.
    Bottom,
    /// 3 in status.
    Left,
}

impl Position {
    /// The number that stands in a node's status: clockwise from the top.
    pub fn index(self) -> i32 {
        match self {
            Self::Top => 0,
            Self::Right => 1,
            Self::Bottom => 2,
            Self::Left => 3,
        }
    }
}
