//! What most components take in and hand on: something of the flow, whatever that is.

use tiny_runtime::prelude::*;

/// What is handed on as it came.
#[message]
pub(crate) struct Passing {
    /// Whatever the flow carries along.
    #[ui(configurable)]
    pub(crate) context: Json,
}

/// What came in.
#[message]
#[schemars(extend("shared" = true))]
pub(crate) struct Context(pub(crate) Json);

#[cfg(test)]
pub(crate) use tests::{context, in_force, json, passing};

#[cfg(test)]
mod tests {
    pub(crate) use tiny_runtime::serde_json::json;

    use super::*;

    pub(crate) fn context(text: &str) -> Json {
        json!({ "text": text }).into()
    }

    /// Waits until a hook has seen new settings.
    pub(crate) async fn in_force() {
        tiny_runtime::tokio::time::sleep(std::time::Duration::from_millis(1)).await;
    }

    pub(crate) fn passing(text: &str) -> Passing {
        Passing { context: context(text) }
    }

    #[tiny_runtime::test]
    async fn a_context_is_what_was_passed_and_nothing_around_it() -> Result<()> {
        let written = tiny_runtime::serde_json::to_value(Context(context("a")))?;
        assert_eq!(written, json!({ "text": "a" }));
        Ok(())
    }
}
