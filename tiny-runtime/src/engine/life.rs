//! The life of a node beside its messages: settings, then reconcile, then messages, and again whenever something changes; at its
//! end, where it is one for good, destroy.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde_json::Value;
use tokio::sync::Notify;
use tokio::time::{Instant, sleep_until, timeout, timeout_at};

use super::changes::Changes;
use super::graph::{Cause, Finding};
use super::news::What;
use super::outlet::FAREWELL;
use super::retry::{self, RetryBounds};
use super::runner::{Guarded, Runner};
use crate::component::{Error, Kind, Reply, Result, panic};

/// How often `reconcile` runs when nothing happens.
const PERIOD: Duration = Duration::from_secs(5 * 60);

/// The longest time for `destroy` with all its attempts, and for the settings that it needs.
const DESTROY: Duration = Duration::from_secs(30);

/// How far a node is, and what waits to be done.
#[derive(Debug)]
pub(super) struct Life {
    wanted: Mutex<Wanted>,
    any: Notify,
    /// True once messages are taken; asked by every message.
    is_started: AtomicBool,
    /// The same, for those who wait for it.
    started: Changes,
    /// What the settings hook failed with.
    refused: Mutex<Option<String>>,
}

#[derive(Debug, Default)]
struct Wanted {
    /// New settings, which may be none.
    settings: Option<Option<Value>>,
    reconcile: bool,
}

impl Life {
    /// A life that has begun already where there is nothing to do first.
    pub(super) fn new(has_hooks: bool) -> Self {
        Self {
            wanted: Mutex::default(),
            any: Notify::new(),
            is_started: AtomicBool::new(!has_hooks),
            started: Changes::default(),
            refused: Mutex::default(),
        }
    }

    pub(super) fn is_started(&self) -> bool {
        self.is_started.load(Ordering::Acquire)
    }

    fn start(&self) {
        self.is_started.store(true, Ordering::Release);
        self.started.come();
    }

    /// Waits until messages are taken; false when that does not come within `limit`.
    pub(super) async fn started(&self, limit: Duration) -> bool {
        if self.is_started() {
            return true;
        }
        let begun = self.started.until(|| self.is_started().then_some(()));
        timeout(limit, begun).await.is_ok()
    }

    pub(super) fn wants_settings(&self, settings: Option<Value>) {
        self.wanted().settings = Some(settings);
        self.any.notify_one();
    }

    pub(super) fn wants_reconcile(&self) {
        self.wanted().reconcile = true;
        self.any.notify_one();
    }

    /// What a condition of the node should say of it.
    pub(super) fn finding(&self, node: &str) -> Option<Finding> {
        let refused = self.refused.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let (cause, message) = match refused {
            Some(why) => {
                let kept =
                    if self.is_started() { "; the settings before stay in force" } else { "" };
                let why = format!("node `{node}`: its component refuses the settings: {why}{kept}");
                (Cause::SettingsRefused, why)
            }
            None if self.is_started() => return None,
            None => {
                (Cause::Starting, format!("node `{node}` is starting: its hooks have not ended"))
            }
        };
        Some(Finding { cause, edge: None, message })
    }

    fn wanted(&self) -> MutexGuard<'_, Wanted> {
        self.wanted.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until there are newer settings than those that are being put in force.
    async fn newer_settings(&self) {
        loop {
            let any = self.any.notified();
            if self.wanted().settings.is_some() {
                return;
            }
            any.await;
        }
    }
}

impl Runner {
    /// Does what the node's life wants until the node is removed.
    pub(super) async fn live(self: Arc<Self>) {
        let removed = self.removed.token().clone();
        removed.run_until_cancelled(self.live_on()).await;
    }

    async fn live_on(self: Arc<Self>) {
        // What is not in force yet; whether anything ever was; when `reconcile` is due.
        let (mut settings, mut is_settled, mut due) =
            (None, !self.component.has.settings_hook, Instant::now());
        let mut failures = 0;
        loop {
            let wanted = std::mem::take(&mut *self.life.wanted());
            if wanted.reconcile {
                due = Instant::now();
            }
            settings = wanted.settings.or(settings);
            if let Some(newest) = &settings {
                match self.settle(newest.as_ref()).await {
                    Settled::InForce => (settings, is_settled) = (None, true),
                    Settled::Outdated => continue,
                    Settled::Refused { for_good: true } => settings = None,
                    Settled::Refused { for_good: false } => {}
                }
            }
            if is_settled && Instant::now() >= due {
                failures = if self.reconcile().await { 0 } else { failures + 1 };
                due = Instant::now()
                    + match failures {
                        0 => PERIOD,
                        _ => RetryBounds::default().wait(failures),
                    };
            }
            if is_settled && !self.life.is_started() {
                self.life.start();
                self.news(What::default());
            }
            let pause = if is_settled { due } else { Instant::now() + PERIOD };
            tokio::select! {
                biased;
                () = self.life.any.notified() => {}
                () = sleep_until(pause) => {}
            }
        }
    }

    /// Puts settings in force by way of the component's hook.
    async fn settle(self: &Arc<Self>, settings: Option<&Value>) -> Settled {
        let guard = self.hook_ctx("_settings", "new settings", None);
        let ctx = &guard.0;
        let attempt = || {
            let hook = guarded(self.instance.change_settings(ctx, settings));
            async { hook.await.map(|()| Reply::none()) }
        };
        let waiting = |retry: retry::Retry<'_>| self.log_retry("_settings", ctx, &retry);
        let done =
            retry::until_done(RetryBounds::default(), None, &self.around.dice, attempt, waiting);
        let done = tokio::select! {
            biased;
            done = done => done,
            () = self.life.newer_settings() => return Settled::Outdated,
        };
        let (refused, settled) = match done {
            Ok(reply) => {
                reply.ignore();
                (None, Settled::InForce)
            }
            Err(e) => (Some(e.to_string()), Settled::Refused { for_good: !e.is_retryable() }),
        };
        *self.life.refused.lock().unwrap_or_else(PoisonError::into_inner) = refused;
        self.refresh_ports();
        self.news(What::default());
        settled
    }

    /// Calls `reconcile` once; false when it failed in a way that may pass.
    async fn reconcile(self: &Arc<Self>) -> bool {
        let guard = self.hook_ctx("_reconcile", "reconcile", None);
        match guarded(self.instance.reconcile(&guard.0)).await {
            Ok(()) => true,
            Err(error) => {
                tracing::warn!(node = self.info.name, "reconcile failed: {error}");
                !matches!(error.kind(), Kind::Transient { .. })
            }
        }
    }

    /// False until the component has its settings: before that, no message and no end of the node may meet it.
    pub(super) fn is_settled(&self) -> bool {
        !self.component.has.settings_hook || self.life.is_started()
    }

    /// Puts in force, once, the settings of a node that lives for nothing but its end.
    pub(super) async fn settle_at_last(self: &Arc<Self>) -> Result<()> {
        let wanted = self.life.wanted().settings.take();
        let Some(settings) = wanted.filter(|_| !self.is_settled()) else { return Ok(()) };
        let settled = timeout(DESTROY, self.settle(settings.as_ref())).await;
        if let Ok(Settled::InForce) = settled {
            self.life.start();
            return Ok(());
        }
        let why = self.life.finding(&self.info.name).map(|finding| finding.message);
        let why =
            why.unwrap_or_else(|| format!("its settings hook did not end within {DESTROY:?}"));
        Err(match settled {
            Ok(Settled::Refused { for_good: true }) => Error::permanent(why),
            _ => Error::exhausted(why),
        })
    }

    /// Has the component of a node that was removed delete what it made outside, once everything in the node has ended.
    pub(super) async fn destroy(self: &Arc<Self>) -> Result<()> {
        self.ended().await;
        // A hop gives back its permit where it ends. One of a dashboard has none: it is dropped where it next awaits.
        let all = self.permits.acquire_many(self.component.info.concurrency.max(1));
        drop(timeout(FAREWELL, all).await);
        if !self.component.has.destroy || !self.is_settled() {
            return Ok(());
        }
        let deadline = Instant::now() + DESTROY;
        let guard = self.hook_ctx("destroy", "the end", Some(deadline));
        let ctx = &guard.0;
        let attempt = || {
            let hook = guarded(self.instance.destroy(ctx));
            async { hook.await.map(|()| Reply::none()) }
        };
        let waiting = |retry: retry::Retry<'_>| self.log_retry("destroy", ctx, &retry);
        let (bounds, dice) = (RetryBounds::default(), &self.around.dice);
        let done = retry::until_done(bounds, Some(deadline), dice, attempt, waiting);
        let done = timeout_at(deadline, done).await.unwrap_or_else(|_| {
            Err(Error::exhausted(format!("the destroy hook did not end within {DESTROY:?}")))
        });
        // What the hook measured is no more wanted than what was before it.
        self.around.shared.instruments.forget(&self.info.name);
        done.map(Reply::ignore)
    }

    fn hook_ctx(self: &Arc<Self>, port: &str, trigger: &str, deadline: Option<Instant>) -> Guarded {
        self.ctx_of_trigger(port, format!("{trigger} of `{}`", self.info.name), deadline)
    }
}

/// A panic is an error of a hook too.
async fn guarded(hook: impl Future<Output = Result<()>>) -> Result<()> {
    panic::caught_while(hook)
        .await
        .unwrap_or_else(|text| Err(Error::permanent(format!("the component panicked: {text}"))))
}

/// What became of new settings.
enum Settled {
    InForce,
    /// Newer ones have come meanwhile.
    Outdated,
    /// The hook failed; what caused it may pass, or not.
    Refused {
        for_good: bool,
    },
}
