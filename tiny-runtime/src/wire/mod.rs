//! Messages between modules: a gRPC server for those that come, a pool of connections for those that go.
//!
//! Floor 2: the engine hands an envelope to the [`Pool`], which finds the module, one of its addresses, and a connection that is warm; at
//! the other end the [`Server`] hands it to the engine there. Over one connection goes one long stream for all messages
//! (`Exchange`), and to a module that does not know it a call each (`Message`).

mod answer;
mod batches;
mod deadline;
mod exchange;
mod guest;
mod inbox;
mod letter;
mod link;
mod peer;
mod pool;
mod proto;
mod security;
mod server;
mod stream;
mod traceparent;
mod unary;

pub use self::pool::Pool;
pub use self::security::{Security, SecurityError};
pub use self::server::{BindError, Drain, Server};

use std::time::Duration;

/// The largest message, in bytes of its JSON. The transport takes somewhat more, so that this limit speaks first, in words.
pub const LIMIT: usize = 4 * 1024 * 1024;

/// The largest gRPC message: a message, its path and the rest.
const TRANSPORT: usize = LIMIT + 64 * 1024;

/// How often a silent connection is asked whether its other end is there, and how long that may take to answer: a peer that is gone is
/// noticed within the sum.
const KEEP_ALIVE: (Duration, Duration) = (Duration::from_secs(4), Duration::from_secs(4));

/// Calls that may be open at once on one stream.
const CREDITS: u32 = 1024;

/// The longest wait for a module that cannot be reached, and for a credit.
const PATIENCE: Duration = Duration::from_secs(30);

/// What tonic knows beside its own words stands in the causes.
fn words(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        let more = inner.to_string();
        if !text.contains(&more) {
            text = format!("{text}: {more}");
        }
        cause = inner.source();
    }
    text
}
