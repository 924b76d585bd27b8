//! What people do and see on a dashboard.

use std::time::Duration;

use serde_json::json;
use tiny_runtime::prelude::*;
use tokio::time::sleep;

/// Buttons and what they did.
#[message]
#[derive(Default)]
struct Panel {
    /// Starts it.
    #[ui(format = "button")]
    #[serde(default)]
    start: bool,
    /// Stops it.
    #[ui(format = "button")]
    #[serde(default)]
    stop: bool,
    /// Whether it runs.
    #[ui(readonly)]
    #[serde(default)]
    status: String,
    /// What it signs in with.
    #[serde(default)]
    token: Secret<String>,
}

/// What is kept.
#[message]
#[derive(Default)]
struct Kept {
    /// Whether it runs.
    runs: bool,
}

/// Runs between two buttons.
#[component(name = "engine", sequential)]
#[derive(Default)]
struct Engine {
    kept: State<Kept>,
}

impl Engine {
    fn panel(&self) -> Panel {
        let status = if self.kept.get().runs { "Running" } else { "Not running" };
        Panel { status: status.into(), token: "hunter2".to_owned().into(), ..Panel::default() }
    }

    fn runs(&self) -> bool {
        self.kept.get().runs
    }
}

#[component]
impl Engine {
    /// Starts and stops.
    #[port(control, read = Self::panel)]
    async fn control(&self, ctx: &Ctx, panel: Panel) -> Result {
        self.kept.update(|kept| kept.runs = panel.start && !panel.stop).await?;
        ctx.refresh();
        if panel.start {
            self.started(ctx, "started".into()).await?.ignore();
        }
        Ok(Reply::of(self.panel().status))
    }

    /// Takes its time.
    #[port(target)]
    async fn work(&self, ctx: &Ctx, seconds: u64) -> Result<()> {
        let _ctx = ctx;
        sleep(Duration::from_secs(seconds)).await;
        Ok(())
    }

    /// It began, and this port with it.
    #[port(source, when = Self::runs)]
    async fn started(&self, ctx: &Ctx, message: String) -> Result;
}

#[tokio::test(start_paused = true)]
async fn a_button_changes_what_is_shown() {
    let bench = Bench::<Engine>::new();
    assert_eq!(bench.view().unwrap()["status"], json!("Not running"));
    assert_eq!(bench.view().unwrap()["token"], json!("***"), "people look at it");
    assert_eq!(bench.ports(), ["_control", "work"]);
    let reply =
        bench.send(Engine::CONTROL, Panel { start: true, ..Panel::default() }).await.unwrap();
    assert_eq!(reply.to_json().unwrap(), Some(json!("Running")));
    assert_eq!(bench.view().unwrap()["status"], json!("Running"));
    assert_eq!(bench.ports(), ["_control", "work", "started"]);
    assert_eq!(
        bench.sent(Engine::STARTED),
        ["started"],
        "a port is there as soon as it is refreshed"
    );
    let schema = bench.schema("_control").unwrap();
    let start = &schema["$defs"]["Panel"]["properties"]["start"];
    assert_eq!((&start["format"], &start["type"]), (&json!("button"), &json!("boolean")));
}

#[tokio::test(start_paused = true)]
async fn a_button_gets_through_to_a_node_that_is_busy() {
    let bench = Bench::<Engine>::new();
    let busy = bench.clone();
    let work = tokio::spawn(async move { busy.send(Engine::WORK, 3600).await });
    sleep(Duration::from_secs(1)).await;
    let stop = bench.send(Engine::CONTROL, Panel { stop: true, ..Panel::default() });
    let reply = tokio::time::timeout(Duration::from_secs(1), stop).await.expect("at once").unwrap();
    assert_eq!(reply.to_json().unwrap(), Some(json!("Not running")));
    assert!(!work.is_finished());
    work.abort();
}
