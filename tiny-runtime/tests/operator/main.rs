//! A module on a local plane in memory: what its controllers make of nodes and signals.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod cells;
mod destroy;
mod nodes;
mod proofs;
mod sharing;
mod signals;
mod stage;
