//! The macros of Tiny.
