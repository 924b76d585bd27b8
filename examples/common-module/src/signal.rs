//! `signal`: a button.

use std::sync::{Mutex, MutexGuard, PoisonError};

use tiny_runtime::prelude::*;
use tiny_runtime::tokio::sync::oneshot;

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
    /// What is sent; nothing means what was said here last, unless the settings have changed since; else what the settings hold.
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
#[derive(Default)]
pub(crate) struct Signal {
    settings: Settings<SignalSettings>,
    said: Mutex<Option<Said>>,
    /// What runs: dropped, it ends; and it is closed when it has ended by itself.
    current: Mutex<Option<oneshot::Sender<()>>>,
}

/// What the dashboard said last.
struct Said {
    context: Json,
    /// What the settings held then. Where they hold something else now, what was said is out of date.
    instead_of: Json,
}

impl Signal {
    fn panel(&self) -> SignalPanel {
        let running = self.current().as_ref().is_some_and(|run| !run.is_closed());
        SignalPanel { context: self.context(), send: false, reset: false, running }
    }

    /// What is sent where the dashboard says nothing.
    fn context(&self) -> Json {
        let settings = self.settings.get();
        let said = self.said.lock().unwrap_or_else(PoisonError::into_inner);
        let said = said.as_ref().filter(|said| said.instead_of == settings.context);
        said.map_or(&settings.context, |said| &said.context).clone()
    }

    fn current(&self) -> MutexGuard<'_, Option<oneshot::Sender<()>>> {
        self.current.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Has the dashboard shown anew when it is dropped, as the future of a press that nobody waits for any more.
struct Refresh<'a>(&'a Ctx);

impl Drop for Refresh<'_> {
    fn drop(&mut self) {
        self.0.refresh();
    }
}

#[component]
impl Signal {
    /// What people do.
    #[port(control, read = Self::panel)]
    async fn control(&self, ctx: &Ctx, panel: &SignalPanel) -> Result {
        if panel.reset {
            *self.current() = None;
            ctx.refresh();
        }
        if !panel.send {
            return Ok(Reply::none());
        }
        if !panel.context.is_null() {
            let instead_of = self.settings.get().context.clone();
            let said = Said { context: panel.context.clone(), instead_of };
            *self.said.lock().unwrap_or_else(PoisonError::into_inner) = Some(said);
        }
        // Dropped last: what is shown then is that the run has ended.
        let _refresh = Refresh(ctx);
        let (run, ended) = oneshot::channel();
        *self.current() = Some(run);
        ctx.refresh();
        tiny_runtime::tokio::select! {
            biased;
            reply = self.out(ctx, Context(self.context())) => reply,
            _ = ended => {
                Err(Error::permanent("it was ended from the dashboard, or by another one"))
            }
        }
    }

    /// What is sent.
    #[port(source, position = "right")]
    async fn out(&self, ctx: &Ctx, message: Context) -> Result;
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tiny_runtime::component::NodeInfo;
    use tiny_runtime::engine::{
        Address, Dice, EdgeDecl, NodeDecl, Peer, RetryBounds, Scheduler, Trigger, Waits,
    };
    use tiny_runtime::registry::Registry;
    use tiny_runtime::tokio::spawn;
    use tiny_runtime::tokio::time::timeout;

    use super::*;
    use crate::passing::{context, in_force, json};

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
    async fn what_was_said_is_forgotten_with_the_settings_that_it_was_said_under() -> Result<()> {
        let bench = Bench::<Signal>::new();
        let send = async |context: Json| {
            bench.send(Signal::CONTROL, press(context)).await?.ignore();
            Ok::<_, Error>(bench.sent(Signal::OUT).pop().map(|it| it.0).unwrap_or_default())
        };
        bench.settings(SignalSettings { context: context("old") });
        assert_eq!(send(Json::default()).await?, context("old"));
        bench.settings(SignalSettings { context: context("new") });
        assert_eq!(send(Json::default()).await?, context("new"), "a press says nothing");
        assert_eq!(send(context("said")).await?, context("said"));
        bench.settings(SignalSettings { context: context("newer") });
        assert_eq!(bench.view().unwrap_or_default()["context"], *context("newer"));
        assert_eq!(send(Json::default()).await?, context("newer"));
        Ok(())
    }

    #[tiny_runtime::test]
    async fn a_run_ends_at_reset_and_at_the_next() -> Result<()> {
        let bench = Bench::<Signal>::new();
        bench.stall(Signal::OUT);
        let running = || bench.view().unwrap_or_default()["running"] == true;
        let one = spawn(bench.send(Signal::CONTROL, press(context("one"))));
        in_force().await;
        assert!(running());
        let two = spawn(bench.send(Signal::CONTROL, press(context("two"))));
        in_force().await;
        assert!(one.is_finished() && running(), "an older one ends nothing");
        let reset = SignalPanel { reset: true, ..SignalPanel::default() };
        bench.send(Signal::CONTROL, reset).await?.ignore();
        in_force().await;
        assert!(two.is_finished() && !running());
        Ok(())
    }

    #[tiny_runtime::test]
    async fn a_press_that_nobody_waits_for_any_more_is_shown_as_over() -> Result<()> {
        let registry = Registry::collect().map_err(|e| Error::permanent(e.to_string()))?;
        let scheduler = Scheduler::new(registry.into(), Waits::default(), Dice::seeded(1));
        let node = |component: &str, edges| NodeDecl {
            info: NodeInfo { name: component.into(), ..NodeInfo::default() },
            component: component.into(),
            edges,
            ..NodeDecl::default()
        };
        let slow = EdgeDecl {
            id: "slow".into(),
            port: "out".into(),
            to: Address::new("delay", "in"),
            mapping: Some(json!({ "context": {}, "delay": 60_000 })),
            bounds: RetryBounds::default(),
            fault: None,
        };
        let peer = |_: &str| Peer::Ours { component: "delay".into() };
        assert_eq!(scheduler.update(node("delay", vec![]), peer), []);
        assert_eq!(scheduler.update(node("signal", vec![slow]), peer), []);
        let pressed = spawn({
            let scheduler = scheduler.clone();
            let trigger = Trigger {
                name: "test".into(),
                to: Address::new("signal", "_control"),
                data: Some(json!({ "send": true })),
                timeout: Some(Duration::from_secs(3)),
                cancel: Default::default(),
            };
            async move { scheduler.start(trigger).await }
        });
        in_force().await;
        assert!(scheduler.news().await.contains_key("signal"), "it has begun");
        assert!(pressed.await.is_ok_and(|outcome| outcome.result.is_err()), "its time is over");
        let news = timeout(Duration::from_secs(1), scheduler.news()).await;
        assert!(news.is_ok_and(|news| news.contains_key("signal")), "it has ended");
        Ok(())
    }
}
