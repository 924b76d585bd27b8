//! Tests of a flow that stand in a file beside it.

mod difference;
mod file;
mod play;

use std::path::{Path, PathBuf};
use std::time::Duration;

pub(crate) use file::File;
pub(crate) use play::Cast;

use crate::registry::Registry;

/// What came of one test.
#[derive(Debug)]
pub(crate) struct Told {
    pub(crate) name: String,
    pub(crate) seed: u64,
    /// Why it failed, if it did.
    pub(crate) failure: Option<String>,
    /// Time that passed in the flow.
    pub(crate) flow_time: Duration,
    /// Time that it took.
    pub(crate) took: Duration,
}

/// Runs the tests of a file that stands beside a flow, with all components of this crate: what `test FILE` does, as a test of
/// `cargo test`.
///
/// ```no_run
/// #[test]
/// fn the_flow_greets() {
///     tiny_runtime::testing::test_file("flow.test.yaml");
/// }
/// ```
///
/// # Panics
/// When a test fails, or the file or its flow cannot be read.
#[track_caller]
pub fn test_file(path: impl AsRef<Path>) {
    let path: PathBuf = path.as_ref().into();
    let registry = match Registry::collect() {
        Ok(registry) => registry,
        Err(e) => panic!("{e}"),
    };
    let told = File::read(&path).and_then(|file| file.play(None, &registry, &Options::default()));
    let told = match told {
        Ok(told) => told,
        Err(why) => panic!("{why}"),
    };
    let failed: Vec<String> = told
        .iter()
        .filter_map(|told| told.failure.as_ref().map(|why| format!("{}: {why}", told.name)))
        .collect();
    assert!(failed.is_empty(), "{}: {}", path.display(), failed.join("\n"));
}

/// How tests are run.
#[derive(Clone, Debug, Default)]
pub(crate) struct Options {
    /// In place of the seeds in the file.
    pub(crate) seed: Option<u64>,
    /// A part of the names of those that run.
    pub(crate) only: Option<String>,
}
