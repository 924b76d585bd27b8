//! The charts: what they render, what they refuse, and what others say of it.
//!
//! Renders of `charts/tiny-operator/ci/*.yaml` lie in `renders/`. They are looked at here without Helm; with `TINY_HELM` they are rendered
//! again and compared, or written anew with `BLESS=1`. With `TINY_TEST_KUBECONFIG`, too, they are installed there. `TINY_HELM3`,
//! `TINY_KUBERNETES_VALIDATE` and `TINY_CHECKOV` name further judges. A test whose tool is not named says so and passes.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod helm;
mod installed;
mod judges;
mod rendered;
mod templates;
mod values;
