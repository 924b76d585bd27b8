//! What people see of a process from outside: its log, and its traces where somebody collects them.

mod log;
mod otlp;

pub use self::log::Log;
pub use self::otlp::{Otlp, layer};
