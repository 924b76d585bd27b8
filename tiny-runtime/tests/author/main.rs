//! What an author may write, and what it does: on the bench, which drives the engine that `run` drives.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod background;
mod control;
mod destroy;
mod errors;
mod hooks;
mod instruments;
mod json;
mod ports;
mod secret;
mod state;

use std::time::Duration;

use tokio::time::{sleep, timeout};

/// Waits until `holds`; with a paused clock this takes no time.
async fn until(what: &str, holds: impl Fn() -> bool) {
    let held = async {
        while !holds() {
            sleep(Duration::from_millis(10)).await;
        }
    };
    assert!(timeout(Duration::from_secs(60), held).await.is_ok(), "it never came: {what}");
}
