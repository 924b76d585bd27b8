//! Panics of an author's code, caught.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

use futures::{FutureExt, TryFutureExt};

/// Calls `work`; a panic is its text.
pub(crate) fn caught<T>(work: impl FnOnce() -> T) -> Result<T, String> {
    catch_unwind(AssertUnwindSafe(work)).map_err(|panic| text(&*panic))
}

/// Awaits `work`; a panic is its text. No `async fn`, which would have room for `work` twice.
pub(crate) fn caught_while<F: Future>(work: F) -> impl Future<Output = Result<F::Output, String>> {
    AssertUnwindSafe(work).catch_unwind().map_err(|panic| text(&*panic))
}

/// What a panic said.
pub(crate) fn text(panic: &(dyn Any + Send)) -> String {
    let said = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    said.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_else(|| "no text".into())
}
