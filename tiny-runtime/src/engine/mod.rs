//! Moves messages: the nodes of this process, their edges, and the promises of a hop.
//!
//! Floor 1: tokio, no kube, no wire. Whoever watches a plane calls plain methods here ([`Scheduler::update`],
//! [`Scheduler::remove`], [`Scheduler::start`]). The way of a message is [`Scheduler::start`] → `Runner::handle` → the
//! author's method → the runner's edges → [`Route::deliver`] → the next `Runner::handle`.

mod abroad;
mod admission;
mod arrival;
mod changes;
mod circles;
mod dice;
mod edge;
mod envelope;
mod graph;
mod inward;
mod journal;
mod life;
mod news;
mod observer;
mod outlet;
mod place;
mod proofs;
mod retry;
mod route;
mod runner;
mod scheduler;
mod site;
mod store;
mod tally;
pub mod trace;
mod trigger;
mod unless;

pub use crate::component::{Address, Line, Passed, Sender};
pub use abroad::{Abroad, Arrived};
pub use dice::Dice;
pub use envelope::Envelope;
pub use graph::{Before, Cause, EdgeDecl, Finding, NodeDecl, Peer, Standing, check};
pub use inward::InwardDecl;
pub use news::What;
pub use observer::Observer;
pub use proofs::{Proofs, Proved};
pub use retry::RetryBounds;
pub use route::Route;
pub(crate) use scheduler::Doomed;
pub use scheduler::{Backing, Scheduler, Waits};
pub use site::{Face, Port, Site};
pub use store::{Memory, StateStore, Stored, Unwritten};
pub use tally::{BOUNDS, OUTCOMES, Tallied};
pub use trigger::{Outcome, Trigger};
