//! What a component keeps over restarts.

use std::fmt;
use std::sync::{Arc, OnceLock};

use arc_swap::ArcSwap;
use serde_json::Value;

use super::settings::settings_of;
use super::{BoxFuture, DecodeError, Error, Message, Result};

/// A value that survives restarts, kept as JSON in the node's `status.metadata` under the name of its field.
///
/// Every replica of the module reads and writes the same value. [`State::update`] changes it and returns when the change
/// is stored; it calls its closure again on the newer value when somebody else was faster, so that no change is lost. Keys that
/// a stored value lacks have the value of `T::default()`, so that a new version may add fields.
///
/// A state is small: all of a node have 256 KiB.
///
/// ```
/// use tiny_runtime::prelude::*;
///
/// /// What was counted.
/// #[message]
/// #[derive(Default)]
/// pub struct Count {
///     /// How many came.
///     pub total: u64,
/// }
///
/// /// Counts what comes.
/// #[component(name = "counter")]
/// #[derive(Default)]
/// pub struct Counter {
///     count: State<Count>,
/// }
///
/// #[component]
/// impl Counter {
///     /// Takes a word, and answers how many came so far.
///     #[port(target)]
///     async fn input(&self, _ctx: &Ctx, _word: String) -> Result<u64> {
///         self.count.update(|count| {
///             count.total += 1;
///             count.total
///         }).await
///     }
/// }
///
/// # tiny_runtime::testing::block_on(async {
/// let bench = Bench::<Counter>::new();
/// assert_eq!(bench.send(Counter::INPUT, "a".into()).await?, 1);
/// let bench = bench.restart();
/// assert_eq!(bench.send(Counter::INPUT, "b".into()).await?, 2);
/// # Ok::<(), Error>(())
/// # }).map_err(|e| e.to_string())?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct State<T> {
    value: ArcSwap<T>,
    kept: OnceLock<Kept>,
}

/// Where a state is kept.
struct Kept {
    key: &'static str,
    ledger: Arc<dyn Ledger>,
}

/// The state of one node, by key, as text.
pub trait Ledger: Send + Sync {
    /// Changes what stands under `key` and returns when it is stored. `edit` gets the text that stands there and returns the
    /// one that shall; it is called again when somebody else was faster.
    ///
    /// # Errors
    /// What `edit` failed with, or what kept it from being stored; then nothing was.
    fn edit<'a>(&'a self, key: &'static str, edit: &'a mut Edit<'_>) -> BoxFuture<'a, Result<()>>;
}

/// A change of one text.
pub type Edit<'a> = dyn FnMut(Option<&str>) -> Result<String> + Send + 'a;

impl<T> State<T> {
    /// The value as it was last stored. Keep the `Arc` for as long as the answer must not change.
    pub fn get(&self) -> Arc<T> {
        self.value.load_full()
    }
}

impl<T: Message + Default> State<T> {
    /// Changes the value, and returns what `change` returned once it is stored.
    ///
    /// # Errors
    /// Transient when the plane does not answer, permanent when the state would be too large; the value then stays as it was.
    pub async fn update<R: Send>(&self, mut change: impl FnMut(&mut T) -> R + Send) -> Result<R> {
        let Some(kept) = self.kept.get() else {
            // A component outside of a node: its state is what it holds.
            let mut value = T::clone(&self.get());
            let returned = change(&mut value);
            self.value.store(Arc::new(value));
            return Ok(returned);
        };
        let mut returned = None;
        let mut edit = |text: Option<&str>| {
            let mut value = read::<T>(text).map_err(|e| e.into_permanent("the stored state"))?;
            returned = Some(change(&mut value));
            serde_json::to_string(&value)
                .map_err(|e| Error::permanent(format!("the state cannot be written as JSON: {e}")))
        };
        kept.ledger.edit(kept.key, &mut edit).await?;
        returned.ok_or_else(|| Error::transient("the state was not changed"))
    }
}

fn read<T: Message + Default>(text: Option<&str>) -> Result<T, DecodeError> {
    let value = text.map(serde_json::from_str::<Value>).transpose()?;
    settings_of(value.as_ref())
}

impl<T: Default> Default for State<T> {
    fn default() -> Self {
        Self { value: ArcSwap::from_pointee(T::default()), kept: OnceLock::new() }
    }
}

impl<T: fmt::Debug> fmt::Debug for State<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("State").field(&self.value.load()).finish()
    }
}

/// A state cell whose type is known to its component only.
pub trait StateCell: Send + Sync {
    /// Says where the value is kept from now on.
    fn keep(&self, key: &'static str, ledger: Arc<dyn Ledger>);

    /// Takes what is stored: `T::default()` overlaid with it.
    ///
    /// # Errors
    /// Says which field does not fit; the value stays as it was.
    fn take(&self, text: Option<&str>) -> Result<(), DecodeError>;
}

impl<T: Message + Default> StateCell for State<T> {
    fn keep(&self, key: &'static str, ledger: Arc<dyn Ledger>) {
        // A second ledger cannot come: a component is in one node.
        let _first = self.kept.set(Kept { key, ledger });
    }

    fn take(&self, text: Option<&str>) -> Result<(), DecodeError> {
        self.value.store(Arc::new(read(text)?));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn outside_of_a_node_a_state_is_what_it_holds() {
        let state = State::<u64>::default();
        let add = |count: &mut u64| {
            *count += 2;
            *count
        };
        assert_eq!(state.update(add).await.unwrap(), 2);
        assert_eq!(*state.get(), 2);
    }

    #[test]
    fn a_stored_text_that_does_not_fit_leaves_the_value() {
        let state = State::<u64>::default();
        state.take(Some("7")).unwrap();
        assert!(state.take(Some("\"x\"")).is_err());
        assert!(state.take(Some("{")).is_err());
        assert_eq!(*state.get(), 7);
    }
}
