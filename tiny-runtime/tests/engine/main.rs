//! What a message is promised inside one process: each test is one sentence of the promise.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod admission;
mod cast;
mod destroy;
mod error_ports;
mod fan_out;
mod findings;
mod hops;
mod lifecycle;
mod mistakes;
mod repeatable;
mod replies;
mod retries;
mod stage;
mod triggers;
