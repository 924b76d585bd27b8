//! `http_server` as a process of its own: slow clients, more clients than it takes, and restarts that nobody behind a proxy sees.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod leaving;
mod most;
mod nginx;
mod restart;
#[cfg(target_os = "linux")]
mod slow;
mod talk;
mod web;
