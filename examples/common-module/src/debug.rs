//! `debug`: what came last.

use std::sync::{Mutex, PoisonError};

use tiny_runtime::prelude::*;

/// What is shown at first.
#[message(default)]
#[derive(Default)]
pub(crate) struct DebugSettings {
    /// What is shown until something has come.
    #[ui(configurable)]
    pub(crate) context: Json,
}

/// What to show.
#[message]
pub(crate) struct Shown {
    /// Whatever comes.
    pub(crate) context: Json,
}

/// What came last.
#[message]
#[derive(Default)]
pub(crate) struct DebugPanel {
    /// What came last.
    #[ui(readonly)]
    #[serde(default)]
    pub(crate) context: Json,
}

/// Shows on a dashboard what came last.
#[component(name = "debug", tags = ["common", "end"])]
#[derive(Default)]
pub(crate) struct Debug {
    settings: Settings<DebugSettings>,
    last: Mutex<Option<Json>>,
}

impl Debug {
    fn panel(&self) -> DebugPanel {
        let last = self.last.lock().unwrap_or_else(PoisonError::into_inner).clone();
        DebugPanel { context: last.unwrap_or_else(|| self.settings.get().context.clone()) }
    }
}

#[component]
impl Debug {
    /// What is shown.
    #[port(target, name = "in", position = "left")]
    async fn input(&self, ctx: &Ctx, message: Shown) -> Result<()> {
        *self.last.lock().unwrap_or_else(PoisonError::into_inner) = Some(message.context);
        ctx.refresh();
        Ok(())
    }

    /// What came last.
    #[port(control, read = Self::panel)]
    async fn control(&self, _ctx: &Ctx, _panel: &DebugPanel) -> Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::passing::{context, json};

    #[tiny_runtime::test]
    async fn the_last_message_is_shown() -> Result<()> {
        let bench = Bench::<Debug>::new();
        bench.settings_json(json!({"context": "nothing yet"}));
        assert_eq!(bench.view(), Some(json!({"context": "nothing yet"})));
        for text in ["one", "two"] {
            bench.send(Debug::INPUT, Shown { context: context(text) }).await?;
        }
        assert_eq!(bench.view(), Some(json!({"context": {"text": "two"}})));
        Ok(())
    }
}
