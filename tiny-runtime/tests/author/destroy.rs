//! The destroy hook: what a component deletes when its node is deleted.

use std::sync::Mutex;

use serde_json::json;
use tiny_runtime::prelude::*;
use tokio::time::Instant;

/// Where to keep a table.
#[message]
struct Place {
    /// The name of the table.
    table: String,
}

impl Default for Place {
    fn default() -> Self {
        Self { table: "first".into() }
    }
}

/// Keeps a table.
#[component(name = "keeper")]
#[derive(Default)]
struct Keeper {
    place: Settings<Place>,
    rows: State<u64>,
    log: Mutex<Vec<String>>,
}

impl Keeper {
    fn note(&self, line: impl Into<String>) {
        self.log.lock().unwrap().push(line.into());
    }

    fn lines(&self) -> Vec<String> {
        self.log.lock().unwrap().clone()
    }
}

#[component]
impl Keeper {
    /// Makes the table.
    #[port(settings)]
    async fn place(&self, _ctx: &Ctx, place: &Place) -> Result<()> {
        if place.table == "bad" {
            return Err(Error::permanent("no table is called `bad`"));
        }
        self.note(format!("made {}", place.table));
        Ok(())
    }

    /// Adds a row.
    #[port(target)]
    async fn add(&self, _ctx: &Ctx, _row: String) -> Result<u64> {
        self.rows
            .update(|rows| {
                *rows += 1;
                *rows
            })
            .await
    }

    /// Drops the table.
    #[port(destroy)]
    async fn on_destroy(&self, ctx: &Ctx) -> Result<()> {
        let table = self.place.get().table.clone();
        self.note(format!("drop {table} of {} rows", self.rows.get()));
        match &*table {
            "busy" if self.lines().len() < 4 => return Err(Error::transient("somebody reads it")),
            "locked" => return Err(Error::permanent("the table is locked")),
            _ => {}
        }
        self.rows.update(|rows| *rows = 0).await?;
        self.dropped(ctx, table).await?.ignore();
        Ok(())
    }

    /// The name of a table that was dropped.
    #[port(source)]
    async fn dropped(&self, ctx: &Ctx, message: String) -> Result;
}

#[tokio::test(start_paused = true)]
async fn the_hook_has_settings_and_state_and_may_send() {
    let bench = Bench::<Keeper>::with_state(json!({"rows": 6}));
    assert_eq!(bench.send(Keeper::ADD, String::new()).await.unwrap(), 7);
    let keeper = bench.component();
    bench.destroy().await.unwrap();
    assert_eq!(keeper.lines(), ["made first", "drop first of 7 rows"]);
    assert_eq!(bench.sent(Keeper::DROPPED), ["first"]);
    assert_eq!(bench.stored("rows"), Some(json!(0)));
    assert!(bench.ports().is_empty(), "the node is gone");
}

#[tokio::test(start_paused = true)]
async fn the_hook_waits_for_the_first_settings() {
    let bench = Bench::<Keeper>::new();
    let keeper = bench.component();
    bench.settings_json(json!({"table": "second"}));
    bench.destroy().await.unwrap();
    assert_eq!(keeper.lines().last().unwrap(), "drop second of 0 rows");
}

#[tokio::test(start_paused = true)]
async fn a_component_without_its_settings_is_not_asked_to_delete_anything() {
    let bench = Bench::<Keeper>::new();
    let keeper = bench.component();
    bench.settings_json(json!({"table": "bad"}));
    bench.destroy().await.unwrap();
    assert_eq!(keeper.lines(), [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn a_restart_and_the_end_of_the_process_delete_nothing() {
    let bench = Bench::<Keeper>::new();
    bench.send(Keeper::ADD, String::new()).await.unwrap();
    let before = bench.component();
    let bench = bench.restart();
    assert_eq!(bench.send(Keeper::ADD, String::new()).await.unwrap(), 2);
    let after = bench.component();
    bench.remove().await;
    assert_eq!([before.lines(), after.lines()], [["made first"], ["made first"]]);
}

#[tokio::test(start_paused = true)]
async fn what_fails_for_now_is_tried_again_and_what_fails_for_good_is_said() {
    let bench = Bench::<Keeper>::new();
    let keeper = bench.component();
    bench.settings_json(json!({"table": "busy"}));
    let start = Instant::now();
    bench.destroy().await.unwrap();
    assert_eq!(keeper.lines().len(), 4, "{:?}", keeper.lines());
    assert!(start.elapsed().as_secs() <= 3);

    let bench = Bench::<Keeper>::new();
    bench.settings_json(json!({"table": "locked"}));
    let error = bench.destroy().await.unwrap_err();
    assert!(!error.is_retryable());
    assert_eq!(error.to_string(), "the table is locked");
}

#[tokio::test]
async fn the_hook_is_no_port() {
    let bench = Bench::<Keeper>::new();
    assert_eq!(bench.ports(), ["add", "dropped", "_settings"]);
    assert_eq!(bench.schema("_destroy"), None);
}
