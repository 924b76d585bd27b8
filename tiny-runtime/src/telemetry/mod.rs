//! What people see of a process from outside: its log, its traces where somebody collects them, its numbers, and its health.

mod doors;
mod health;
mod log;
mod metrics;
mod observed;
mod otlp;
mod watched;

pub use self::doors::{Doors, Open};
pub use self::health::Health;
pub use self::log::Log;
pub use self::metrics::Metrics;
pub use self::otlp::{Otlp, layer};
