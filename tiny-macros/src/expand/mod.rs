//! From the model to Rust. Nothing is checked here: what reaches these functions can be written.

pub(crate) mod component;
pub(crate) mod message;
pub(crate) mod misplaced;
pub(crate) mod ports;
