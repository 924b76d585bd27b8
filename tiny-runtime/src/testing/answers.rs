//! What fits as the reply to a source.

use crate::component::{Message, Reply};

/// A message that may answer a source declared `Result<R>`: any message where `R` is a plain `Reply`, else the type that
/// the source names.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot answer a source that is answered by `{R}`",
    label = "not the reply that this source reads",
    note = "a source declared `Result` takes any `#[message]`, `Result<T>` and `Result<Option<T>>` take a `T`, `Result<()>` takes none"
)]
pub trait Answers<R>: Message {}

impl<T: Message> Answers<Reply> for T {}
impl<T: Message> Answers<T> for T {}
impl<T: Message> Answers<Option<T>> for T {}
