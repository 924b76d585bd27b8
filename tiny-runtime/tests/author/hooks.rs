//! Settings hooks and reconcile hooks, and the order of a node's life.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use serde_json::json;
use tiny_runtime::prelude::*;
use tokio::time::{Instant, sleep};

use crate::until;

/// Where to connect.
#[message]
struct Connection {
    /// The address.
    address: String,
}

impl Default for Connection {
    fn default() -> Self {
        Self { address: "first".into() }
    }
}

/// Connects.
#[component(name = "connector")]
#[derive(Default)]
struct Connector {
    settings: Settings<Connection>,
    seen: State<u64>,
    log: Mutex<Vec<String>>,
    busy: AtomicU32,
}

impl Connector {
    fn note(&self, line: String) {
        self.log.lock().unwrap().push(line);
    }

    fn lines(&self) -> Vec<String> {
        self.log.lock().unwrap().clone()
    }
}

#[component]
impl Connector {
    /// Connects before the settings are in force.
    #[port(settings)]
    async fn connect(&self, ctx: &Ctx, settings: &Connection) -> Result<()> {
        let before = self.settings.get();
        self.note(format!(
            "settings {} after {}, state {}",
            settings.address,
            before.address,
            self.seen.get()
        ));
        if settings.address.starts_with("busy") && self.busy.fetch_add(1, Ordering::Relaxed) < 3 {
            return Err(Error::transient("nobody answers"));
        }
        if settings.address.starts_with("slow") {
            sleep(Duration::from_secs(10)).await;
        }
        if settings.address.starts_with("bad") {
            return Err(Error::permanent(format!(
                "`{}` is no address of `{}`",
                settings.address,
                ctx.node()
            )));
        }
        if settings.address == "panic" {
            panic!("what now");
        }
        Ok(())
    }

    /// Looks whether the connection stands.
    #[port(reconcile)]
    async fn look(&self, ctx: &Ctx) -> Result<()> {
        self.note(format!("reconcile {}", self.settings.get().address));
        if self.settings.get().address == "flaky" {
            return Err(Error::transient("not now"));
        }
        ctx.counter("looks").add(1);
        Ok(())
    }

    /// Answers where it is connected.
    #[port(target)]
    async fn ask(&self, _ctx: &Ctx, _message: String) -> Result<String> {
        self.note("message".into());
        Ok(self.settings.get().address.clone())
    }
}

async fn ask(bench: &Bench<Connector>) -> Result<String> {
    bench.send(Connector::ASK, String::new()).await
}

#[tokio::test(start_paused = true)]
async fn settings_come_first_then_reconcile_then_messages() {
    let bench = Bench::<Connector>::with_state(json!({"seen": 5}));
    assert_eq!(ask(&bench).await.unwrap(), "first");
    assert_eq!(
        bench.component().lines(),
        ["settings first after first, state 5", "reconcile first", "message"]
    );
}

#[tokio::test(start_paused = true)]
async fn new_settings_reach_the_same_component_once_its_hook_has_seen_them() {
    let bench = Bench::<Connector>::new();
    ask(&bench).await.unwrap();
    bench.settings_json(json!({"address": "second"}));
    until("second", || bench.component().settings.get().address == "second").await;
    let lines = bench.component().lines();
    assert!(lines.contains(&"settings second after first, state 0".to_owned()), "{lines:#?}");
    until("reconcile", || bench.component().lines().contains(&"reconcile second".into())).await;
    // The same again is nothing new.
    let before = bench.component().lines();
    bench.settings_json(json!({"address": "second"}));
    sleep(Duration::from_secs(5)).await;
    assert_eq!(bench.component().lines(), before);
}

#[tokio::test(start_paused = true)]
async fn what_the_hook_refuses_leaves_the_settings_before_in_force() {
    let bench = Bench::<Connector>::new();
    ask(&bench).await.unwrap();
    for (settings, why) in [
        ("bad", "`bad` is no address of `connector`"),
        ("panic", "the component panicked: what now"),
    ] {
        bench.settings_json(json!({"address": settings}));
        until("the refusal", || bench.faults().iter().any(|fault| fault.contains(why))).await;
        let fault = format!(
            "node `connector`: its component refuses the settings: {why}; the settings before stay in force"
        );
        assert_eq!(bench.faults(), [fault]);
        assert_eq!(ask(&bench).await.unwrap(), "first");
    }
    bench.settings_json(json!({"address": "good"}));
    until("the good ones", || bench.faults().is_empty()).await;
    assert_eq!(ask(&bench).await.unwrap(), "good");
}

#[tokio::test(start_paused = true)]
async fn a_node_whose_first_settings_are_refused_takes_no_message() {
    let bench = Bench::<Connector>::new();
    // Before anything has run.
    bench.settings_json(json!({"address": "bad"}));
    let start = Instant::now();
    let error = ask(&bench).await.unwrap_err();
    assert!(error.is_retryable());
    assert_eq!(start.elapsed().as_secs(), 30);
    assert_eq!(
        error.to_string(),
        "node `connector` did not start within 30s: node `connector`: its component refuses the settings: `bad` is no address of `connector`"
    );
    bench.settings_json(json!({"address": "good"}));
    assert_eq!(ask(&bench).await.unwrap(), "good");
}

#[tokio::test(start_paused = true)]
async fn a_hook_that_fails_for_now_is_tried_again_while_messages_wait() {
    let bench = Bench::<Connector>::new();
    bench.settings_json(json!({"address": "busy"}));
    assert_eq!(ask(&bench).await.unwrap(), "busy");
    let tries =
        bench.component().lines().iter().filter(|line| line.starts_with("settings busy")).count();
    assert_eq!(tries, 4);
}

#[tokio::test(start_paused = true)]
async fn newer_settings_end_a_hook_that_is_still_at_older_ones() {
    let bench = Bench::<Connector>::new();
    ask(&bench).await.unwrap();
    let start = Instant::now();
    bench.settings_json(json!({"address": "slow"}));
    until("slow", || {
        bench.component().lines().iter().any(|line| line.starts_with("settings slow"))
    })
    .await;
    bench.settings_json(json!({"address": "quick"}));
    until("quick", || bench.component().settings.get().address == "quick").await;
    assert!(start.elapsed() < Duration::from_secs(5), "{:?}", start.elapsed());
}

#[tokio::test(start_paused = true)]
async fn reconcile_comes_every_five_minutes_and_soon_after_it_failed() {
    let bench = Bench::<Connector>::new();
    ask(&bench).await.unwrap();
    let looks =
        || bench.component().lines().iter().filter(|line| line.starts_with("reconcile")).count();
    assert_eq!(looks(), 1);
    sleep(Duration::from_secs(4 * 60)).await;
    assert_eq!(looks(), 1);
    sleep(Duration::from_secs(7 * 60)).await;
    assert_eq!(looks(), 3, "in eleven minutes");
    bench.settings_json(json!({"address": "flaky"}));
    sleep(Duration::from_secs(4)).await;
    let soon = looks();
    assert!((5..=6).contains(&soon), "at once, after 1 s, after 2 s more: {soon}");
    sleep(Duration::from_secs(600)).await;
    assert!((20..30).contains(&(looks() - soon)), "then at most every 30 s: {}", looks() - soon);
}
