//! What the schemas of messages say.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod dialect;
mod proof;
mod property;
mod rules;
mod sharing;
mod vectors;
