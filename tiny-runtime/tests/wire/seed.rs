//! What an older module speaks: generated from `tests/fixtures/seed.proto`, which a test holds fresh.

#![allow(
    clippy::all,
    clippy::pedantic,
    clippy::allow_attributes_without_reason,
    unused_qualifications,
    unreachable_pub,
    missing_docs,
    reason = "generated"
)]

include!("seed/module.rs");
