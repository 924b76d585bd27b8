//! What the schemas of messages say.

#![allow(clippy::unwrap_used, reason = "a test may panic where it likes")]

mod rules;
mod sharing;
mod vectors;
