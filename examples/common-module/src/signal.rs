//! `signal`: a button.

use std::sync::{Mutex, PoisonError};

use tiny_runtime::prelude::*;
use tiny_runtime::tokio::sync::watch;

use crate::passing::Context;

/// What is sent.
#[message(default)]
#[derive(Default)]
pub(crate) struct SignalSettings {
    /// What is sent, unless the dashboard says something else.
    #[ui(configurable)]
    pub(crate) context: Json,
}

/// What people see and do.
#[message]
#[derive(Default)]
pub(crate) struct SignalPanel {
    /// What is sent; nothing means what was sent last, else what the settings hold.
    #[serde(default)]
    pub(crate) context: Json,
    /// Sends it, and ends what an earlier one still runs.
    #[ui(format = "button")]
    #[serde(default)]
    pub(crate) send: bool,
    /// Ends what runs.
    #[ui(format = "button")]
    #[serde(default)]
    pub(crate) reset: bool,
    /// Whether something runs.
    #[ui(readonly)]
    #[serde(default)]
    pub(crate) running: bool,
}

/// Starts a flow from a dashboard.
///
/// Whoever presses `send` waits until all that it causes has ended. One at a time: another press, or `reset`, cancels what runs.
#[component(name = "signal", tags = ["common", "trigger"])]
pub(crate) struct Signal {
    settings: Settings<SignalSettings>,
    sent: Mutex<Option<Json>>,
    /// The number of the run that may go on, and 0 for none.
    current: watch::Sender<u64>,
}

impl Default for Signal {
    fn default() -> Self {
        Self {
            settings: Settings::default(),
            sent: Mutex::default(),
            current: watch::Sender::new(0),
        }
    }
}

impl Signal {
    fn panel(&self) -> SignalPanel {
        let sent = self.sent.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let context = sent.unwrap_or_else(|| self.settings.get().context.clone());
        let running = *self.current.borrow() % 2 == 1;
        SignalPanel { context, send: false, reset: false, running }
    }

    /// Begins a run, which ends every other: runs have odd numbers.
    fn begin(&self) -> u64 {
        let mut mine = 0;
        self.current.send_modify(|current| {
            *current += if *current % 2 == 1 { 2 } else { 1 };
            mine = *current;
        });
        mine
    }

    /// Ends this run, or whichever runs.
    fn end(&self, mine: Option<u64>) {
        self.current.send_if_modified(|current| {
            let is_it = *current % 2 == 1 && mine.is_none_or(|mine| mine == *current);
            *current += u64::from(is_it);
            is_it
        });
    }
}

/// Ends a run also when its future is dropped.
struct Run<'a>(&'a Signal, u64);

impl Drop for Run<'_> {
    fn drop(&mut self) {
        self.0.end(Some(self.1));
    }
}

#[component]
impl Signal {
    /// What people do.
    #[port(control, read = Self::panel)]
    async fn control(&self, ctx: &Ctx, panel: &SignalPanel) -> Result {
        if panel.reset {
            self.end(None);
            ctx.refresh();
        }
        if !panel.send {
            return Ok(Reply::none());
        }
        let context = match panel.context.is_null() {
            true => self.panel().context,
            false => panel.context.clone(),
        };
        *self.sent.lock().unwrap_or_else(PoisonError::into_inner) = Some(context.clone());
        let run = Run(self, self.begin());
        let mine = run.1;
        let mut current = self.current.subscribe();
        ctx.refresh();
        let ended = tiny_runtime::tokio::select! {
            biased;
            reply = self.out(ctx, Context(context)) => reply,
            _ = current.wait_for(|current| *current != mine) => {
                Err(Error::permanent("it was ended from the dashboard, or by another one"))
            }
        };
        drop(run);
        ctx.refresh();
        ended
    }

    /// What is sent.
    #[port(source, position = "right")]
    async fn out(&self, ctx: &Ctx, message: Context) -> Result;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::passing::{context, json};

    fn press(context: Json) -> SignalPanel {
        SignalPanel { context, send: true, ..SignalPanel::default() }
    }

    #[tiny_runtime::test]
    async fn it_sends_what_the_dashboard_says_else_what_was_last_else_the_settings() -> Result<()> {
        let bench = Bench::<Signal>::new();
        bench.settings(SignalSettings { context: context("set") });
        bench.reply(Signal::OUT, "done".to_owned());
        let reply = bench.send(Signal::CONTROL, press(Json::default())).await?;
        assert_eq!(reply.to_json()?, Some(json!("done")));
        bench.send(Signal::CONTROL, press(context("said"))).await?.ignore();
        bench.send(Signal::CONTROL, press(Json::default())).await?.ignore();
        let sent: Vec<Json> = bench.sent(Signal::OUT).into_iter().map(|it| it.0).collect();
        assert_eq!(sent, [context("set"), context("said"), context("said")]);
        assert_eq!(bench.view().unwrap_or_default()["running"], false);
        Ok(())
    }

    #[tiny_runtime::test]
    async fn a_run_ends_at_reset_and_at_the_next() -> Result<()> {
        let component = Signal::default();
        let one = component.begin();
        assert!(component.panel().running);
        let two = component.begin();
        assert_ne!(one, two);
        component.end(Some(one));
        assert!(component.panel().running, "an older one ends nothing");
        component.end(None);
        assert!(!component.panel().running);
        Ok(())
    }
}
