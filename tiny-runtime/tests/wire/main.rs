//! What a message is promised between modules: each test is one sentence of the promise. The modules are schedulers of one process that
//! talk over the loopback.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

#[path = "../engine/cast.rs"]
mod cast;
mod door;
mod hops;
mod older;
mod reach;
mod seed;
#[path = "../engine/stage.rs"]
#[allow(dead_code, reason = "made for the tests of the engine")]
mod stage;
mod town;
mod trace;
