//! State, hooks, dynamic ports and control ports, as a plane shows and keeps them.

use std::time::Duration;

use kube::api::{Patch, PatchParams};
use serde_json::{Value, json};
use tiny_crds::condition::{EDGES_VALID, READY, RECONCILING, SETTINGS_VALID, STALLED};
use tiny_crds::{Phase, PortStatus, TinyModule, TinyNode, condition};
use tiny_runtime::prelude::*;

use crate::stage::{Stage, condition_is};

/// How a door is made.
#[message(default)]
pub(crate) struct Make {
    /// The rooms behind it.
    pub(crate) rooms: Vec<String>,
    /// What opens it.
    pub(crate) key: Secret<String>,
}

impl Default for Make {
    fn default() -> Self {
        Self { rooms: vec!["hall".into()], key: "hunter2".to_owned().into() }
    }
}

/// What is kept of a door.
#[message]
#[derive(Default)]
pub(crate) struct Kept {
    /// How often it was opened.
    pub(crate) opened: u64,
}

/// What people see of a door.
#[message]
pub(crate) struct Panel {
    /// Opens it.
    #[ui(format = "button")]
    #[serde(default)]
    pub(crate) open: bool,
    /// How often it was opened.
    #[ui(readonly)]
    #[serde(default)]
    pub(crate) opened: u64,
    /// What opens it.
    #[serde(default)]
    pub(crate) key: Secret<String>,
}

/// Somebody at a door.
#[message]
pub(crate) struct Guest {
    /// The room to go to.
    pub(crate) room: String,
}

/// A door to several rooms.
#[component(name = "door")]
#[derive(Default)]
pub(crate) struct Door {
    make: Settings<Make>,
    kept: State<Kept>,
}

impl Door {
    fn rooms(&self) -> Vec<String> {
        self.make.get().rooms.clone()
    }

    fn panel(&self) -> Panel {
        Panel { open: false, opened: self.kept.get().opened, key: self.make.get().key.clone() }
    }
}

#[component]
impl Door {
    /// A door has rooms behind it.
    #[port(settings)]
    async fn made(&self, _ctx: &Ctx, make: &Make) -> Result<()> {
        if make.rooms.is_empty() {
            return Err(Error::permanent("a door leads somewhere: name a room"));
        }
        Ok(())
    }

    /// Opens the door from a dashboard.
    #[port(control, read = Self::panel)]
    async fn control(&self, ctx: &Ctx, panel: &Panel) -> Result<Panel> {
        if panel.open {
            self.kept.update(|kept| kept.opened += 1).await?;
            ctx.refresh();
        }
        Ok(self.panel())
    }

    /// Comes to the door, and answers how often it was opened.
    #[port(target)]
    async fn knock(&self, ctx: &Ctx, guest: Guest) -> Result<u64> {
        let opened = self.kept.update(|kept| {
            kept.opened += 1;
            kept.opened
        });
        let opened = opened.await?;
        self.into(ctx, &guest.room, guest.room.clone()).await?.ignore();
        Ok(opened)
    }

    /// Into one of the rooms.
    #[port(source, each = Self::rooms)]
    async fn into(&self, ctx: &Ctx, room: &str, message: String) -> Result;
}

fn door(rooms: &[&str]) -> Value {
    json!({
        "module": "m", "component": "door",
        "ports": [{"port": "_settings", "configuration": {"rooms": rooms}}]
    })
}

async fn knock(stage: &Stage, nonce: &str, node: &str) -> Value {
    let signal = json!({"node": node, "port": "knock", "data": {"room": "hall"}, "nonce": nonce});
    stage.signal(nonce, signal).await;
    let status = stage.status(nonce, Phase::Succeeded, nonce).await;
    status.reply.unwrap()
}

fn port<'a>(node: &'a TinyNode, name: &str) -> Option<&'a PortStatus> {
    node.status.as_ref()?.ports.iter().find(|port| port.name == name)
}

#[tokio::test]
async fn a_state_survives_its_process_and_lies_in_the_status() {
    let stage = Stage::new().await;
    let operator = stage.start("m");
    stage.node("door", door(&["hall"])).await;
    stage.until("door", condition_is(READY, "True")).await;
    assert_eq!(knock(&stage, "one", "door").await, json!(1));
    assert_eq!(knock(&stage, "two", "door").await, json!(2));
    operator.stop().await;
    let kept = |node: Option<&TinyNode>| {
        let metadata = node.and_then(|node| node.status.as_ref()).map(|status| &status.metadata);
        metadata.is_some_and(|kept| kept.get("kept").is_some_and(|it| it == r#"{"opened":2}"#))
    };
    stage.until("door", kept).await;
    let operator = stage.start("m");
    assert_eq!(knock(&stage, "three", "door").await, json!(3));
    stage.end(operator).await;
}

#[tokio::test]
async fn two_processes_on_one_plane_lose_no_update() {
    let stage = Stage::new().await;
    let (one, two) = (stage.start("m"), stage.start("m"));
    stage.node("door", door(&["hall"])).await;
    stage.until("door", condition_is(READY, "True")).await;
    // Only one of them leads and runs signals; somebody else writes the same state meanwhile, as the other would.
    let api = stage.api::<TinyNode>();
    for n in 0..10_u64 {
        let nonce = format!("n{n}");
        stage
            .signal(
                &nonce,
                json!({"node": "door", "port": "knock", "data": {"room": "hall"}, "nonce": nonce}),
            )
            .await;
        let patch = json!({"status": {"metadata": {format!("other{n}"): "\"kept\""}}});
        api.patch_status("door", &PatchParams::default(), &Patch::Merge(patch)).await.unwrap();
    }
    for n in 0..10 {
        let nonce = format!("n{n}");
        stage.status(&nonce, Phase::Succeeded, &nonce).await;
    }
    let metadata = api.get("door").await.unwrap().status.unwrap().metadata;
    assert_eq!(metadata["kept"], r#"{"opened":10}"#);
    assert_eq!(metadata.len(), 11, "{metadata:?}");
    one.stop().await;
    stage.end(two).await;
}

#[tokio::test]
async fn ports_of_the_status_follow_the_settings() {
    let stage = Stage::new().await;
    let operator = stage.start("m");
    stage.node("door", door(&["hall", "attic"])).await;
    let has = |name: &'static str| {
        move |node: Option<&TinyNode>| node.is_some_and(|node| port(node, name).is_some())
    };
    let node = stage.until("door", has("into_attic")).await;
    assert!(port(&node, "into_hall").unwrap().schema.is_absent(), "the module has it");
    assert!(!port(&node, "into_attic").unwrap().schema.is_absent(), "the module has it not");
    let offers = |module: Option<&TinyModule>| {
        let status = module.and_then(|module| module.status.as_ref());
        status.is_some_and(|status| !status.components.is_empty())
    };
    let module = stage.until("m", offers).await;
    let offered = module.status.unwrap().components;
    let offered = offered.iter().find(|component| component.name == "door").unwrap();
    let names: Vec<&str> = offered.ports.iter().map(|port| port.name.as_str()).collect();
    assert_eq!(names, ["_control", "knock", "into_hall", "_settings"]);
    let patch = Patch::Merge(json!({"spec": {"ports": [
        {"port": "_settings", "configuration": {"rooms": ["cellar"]}}
    ]}}));
    stage.api::<TinyNode>().patch("door", &PatchParams::default(), &patch).await.unwrap();
    let node = stage.until("door", has("into_cellar")).await;
    assert!(port(&node, "into_hall").is_none());
    stage.end(operator).await;
}

#[tokio::test]
async fn an_edge_at_a_port_that_is_not_there_now_waits_for_it() {
    let stage = Stage::new().await;
    let operator = stage.start("m");
    let mut spec = door(&["hall"]);
    spec["edges"] = json!([{"id": "e", "port": "into_attic", "to": "last:input", "configuration": {"text": "{{ $ }}"}}]);
    stage.node("last", json!({"module": "m", "component": "answer"})).await;
    stage.node("door", spec).await;
    let node = stage.until("door", condition_is(EDGES_VALID, "False")).await;
    let conditions = node.status.unwrap().conditions;
    let edges = condition::find(&conditions, EDGES_VALID).unwrap();
    assert_eq!(edges.reason, "PortAbsent");
    assert_eq!(
        edges.message,
        "node `door`, edge `e`: node `door` has no port `into_attic` now; its ports follow settings and state, here they are `_control`, `knock`, `into_hall` and `_settings`"
    );
    assert!(condition::find(&conditions, STALLED).is_none(), "it may still come");
    assert_eq!(condition::find(&conditions, RECONCILING).map(|it| &*it.status), Some("True"));
    let patch = Patch::Merge(json!({"spec": {"ports": [
        {"port": "_settings", "configuration": {"rooms": ["attic"]}}
    ]}}));
    stage.api::<TinyNode>().patch("door", &PatchParams::default(), &patch).await.unwrap();
    stage.until("door", condition_is(READY, "True")).await;
    stage.end(operator).await;
}

#[tokio::test]
async fn refused_settings_are_a_condition_with_the_components_own_words() {
    let stage = Stage::new().await;
    let operator = stage.start("m");
    stage.node("door", door(&[])).await;
    let node = stage.until("door", condition_is(SETTINGS_VALID, "False")).await;
    let conditions = node.status.unwrap().conditions;
    let settings = condition::find(&conditions, SETTINGS_VALID).unwrap();
    assert_eq!(settings.reason, "SettingsRefused");
    assert_eq!(
        settings.message,
        "node `door`: its component refuses the settings: a door leads somewhere: name a room"
    );
    let patch = Patch::Merge(json!({"spec": {"ports": [
        {"port": "_settings", "configuration": {"rooms": ["hall"]}}
    ]}}));
    stage.api::<TinyNode>().patch("door", &PatchParams::default(), &patch).await.unwrap();
    stage.until("door", condition_is(READY, "True")).await;
    stage.end(operator).await;
}

#[tokio::test]
async fn a_dashboard_sees_and_does_and_no_secret_shows() {
    let stage = Stage::new().await;
    let operator = stage.start("m");
    stage.node("door", door(&["hall"])).await;
    stage.until("door", condition_is(READY, "True")).await;
    stage
        .signal(
            "press",
            json!({"node": "door", "port": "_control", "data": {"open": true}, "nonce": "press"}),
        )
        .await;
    let status = stage.status("press", Phase::Succeeded, "press").await;
    let reply = status.reply.unwrap();
    assert_eq!(reply, json!({"open": false, "opened": 1, "key": "***"}));
    let shows = |node: Option<&TinyNode>| {
        let control = node.and_then(|node| port(node, "_control"));
        control.is_some_and(|it| {
            it.configuration.value().unwrap()
                == Some(json!({"open": false, "opened": 1, "key": "***"}))
        })
    };
    let node = stage.until("door", shows).await;
    let module = stage.api::<TinyModule>().get("m").await.unwrap();
    for text in [serde_json::to_string(&node).unwrap(), serde_json::to_string(&module).unwrap()] {
        assert!(!text.contains("hunter2"), "a secret shows: {text}");
    }
    stage.end(operator).await;
}

#[tokio::test]
async fn a_component_that_refreshes_without_end_writes_once_a_second() {
    let stage = Stage::new().await;
    let operator = stage.start("m");
    stage.node("door", door(&["hall"])).await;
    stage.until("door", condition_is(READY, "True")).await;
    let version =
        |node: &TinyNode| node.metadata.resource_version.clone().unwrap().parse::<u64>().unwrap();
    let before = version(&stage.api::<TinyNode>().get("door").await.unwrap());
    for n in 0..30 {
        let nonce = format!("p{n}");
        stage
            .signal(
                &nonce,
                json!({"node": "door", "port": "_control", "data": {"open": true}, "nonce": nonce}),
            )
            .await;
        stage.status(&nonce, Phase::Succeeded, &nonce).await;
    }
    tokio::time::sleep(Duration::from_secs(2)).await;
    let node = stage.api::<TinyNode>().get("door").await.unwrap();
    assert_eq!(
        port(&node, "_control").unwrap().configuration.value().unwrap().unwrap()["opened"],
        json!(30)
    );
    // Thirty signals with three writes each, thirty states, and few statuses: versions count all writes of the plane.
    let writes = version(&node) - before;
    assert!(writes < 30 * 4 + 20, "{writes} writes");
    stage.end(operator).await;
}
