//! What `proto/module.proto` says, as Rust. Generated; a test holds it fresh, and `just bless` writes it.

#![allow(
    missing_docs,
    clippy::all,
    clippy::pedantic,
    clippy::allow_attributes_without_reason,
    unreachable_pub,
    unused_qualifications,
    reason = "generated"
)]

include!("proto/module.rs");

/// The same for server reflection.
pub(super) const DESCRIPTORS: &[u8] = include_bytes!("proto/module.bin");
