//! One suite for both planes: whatever controllers rely on must hold on the local plane and on a
//! real Kubernetes. It always runs against a plane in memory, and against a server too when
//! `TINY_TEST_KUBECONFIG` names a kubeconfig.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod answers;
mod objects;
mod stage;
mod watches;
