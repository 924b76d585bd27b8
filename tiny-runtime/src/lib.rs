//! Write Kubernetes operators for flow-based workflows by annotating plain Rust.

// What the macros write names the runtime from outside, also in here.
#[allow(unused_extern_crates, reason = "used where a macro is")]
extern crate self as tiny_runtime;

pub mod cli;
pub mod component;
pub mod control;
pub mod engine;
mod json;
pub mod local;
pub mod mapping;
pub mod operator;
pub mod registry;
pub mod schema;
pub mod testing;
mod words;

pub use serde_json;
#[cfg(feature = "testing")]
pub use tiny_macros::test;
pub use tiny_macros::{component, message, port};
pub use tokio;
pub use tracing;

/// Everything that a component needs.
pub mod prelude {
    pub use crate::component::{
        Ctx, Error, Failure, Json, Reply, Result, Schema, Secret, Settings, State,
    };
    pub use crate::testing::Bench;
    pub use crate::{component, message, port};
}

/// What the macros write paths to. Not an API.
#[doc(hidden)]
pub mod derive {
    pub use inventory;
    pub use schemars;
    pub use serde;
    pub use serde_json;
}
