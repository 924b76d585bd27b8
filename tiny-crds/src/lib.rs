//! The kinds of Tiny.
