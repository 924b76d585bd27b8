//! The controllers: one file each. They watch the plane, call plain methods of the engine, and write status.

mod catalogue;
mod declare;
mod directory;
mod face;
pub(crate) mod finalizer;
mod herald;
mod leadership;
mod lease;
mod leaving;
mod module;
mod neighbours;
mod node;
mod node_status;
mod own;
mod pause;
mod sharing;
mod signal;
mod signal_run;
mod state;
mod status;
mod summary;

use std::time::Duration;

pub use self::summary::Summary;
pub(crate) use self::{
    catalogue::{Catalogue, offered},
    declare::declare,
    directory::Directory,
    face::{proofs, told, told_of_node},
    lease::{Leadership, Lease, identity},
    module::Module,
    node::Nodes,
    pause::pauses,
    signal::{Close, Signals},
    state::NodeState,
};

/// Which module a process is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModuleId {
    /// The name that nodes write into `spec.module`.
    pub name: String,
    /// Its version, without a leading `v`.
    pub version: String,
}

/// The wait after so many failures in a row: 1 s, doubling to 30 s.
fn backoff(failures: u32) -> Duration {
    Duration::from_secs(1 << failures.saturating_sub(1).min(5)).min(Duration::from_secs(30))
}
