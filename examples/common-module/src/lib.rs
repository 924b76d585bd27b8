//! What flows are wired of: ways, waits, lists, triggers and small stores.
//!
//! As a crate it gives its components to whoever links it: see `examples/gateway`.

mod batch;
mod collect;
mod debug;
mod deduplicate;
mod delay;
mod detached;
mod filter;
mod kv;
mod mixer;
mod modify;
mod passing;
mod router;
mod signal;
mod split;
mod throttle;
mod ticker;
