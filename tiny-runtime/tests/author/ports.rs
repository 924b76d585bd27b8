//! Ports that follow settings and state.

use std::time::Duration;

use serde_json::json;
use tiny_runtime::component::{ComponentType, Keys};
use tiny_runtime::prelude::*;
use tiny_runtime::testing::Flow;
use tokio::time::Instant;

/// Where messages can go.
#[message]
struct Routes {
    /// The routes.
    routes: Vec<String>,
    /// Whether what fits no route goes out too.
    rest: bool,
}

impl Default for Routes {
    fn default() -> Self {
        Self { routes: vec!["A".into(), "B".into()], rest: false }
    }
}

/// A message and where it goes.
#[message]
struct Addressed {
    /// The route.
    #[ui(configurable)]
    route: String,
    /// What goes there.
    context: Json,
}

/// Sends each message to the port of its route.
#[component(name = "router")]
#[derive(Default)]
struct Router {
    settings: Settings<Routes>,
}

impl Router {
    fn routes(&self) -> Vec<String> {
        self.settings.get().routes.clone()
    }

    fn has_rest(&self) -> bool {
        self.settings.get().rest
    }

    fn with_routes(&self, schema: Schema) -> Schema {
        schema.choices("route", self.routes())
    }
}

#[component]
impl Router {
    /// What to send on.
    #[port(target, schema = Self::with_routes)]
    async fn input(&self, ctx: &Ctx, message: Addressed) -> Result {
        if self.settings.get().routes.contains(&message.route) {
            return self.out(ctx, &message.route, message.context).await;
        }
        self.rest(ctx, message.context).await
    }

    /// Where messages of one route go.
    #[port(source, name = "out_{route}", label = "To {route}", each = Self::routes)]
    async fn out(&self, ctx: &Ctx, route: &str, message: Json) -> Result;

    /// Where the rest goes.
    #[port(source, when = Self::has_rest, position = "bottom")]
    async fn rest(&self, ctx: &Ctx, message: Json) -> Result;
}

/// Adds to what it takes where it came in.
#[component(name = "mixer")]
#[derive(Default)]
struct Mixer {
    settings: Settings<Routes>,
}

impl Mixer {
    fn inputs(&self) -> Vec<String> {
        self.settings.get().routes.clone()
    }
}

#[component]
impl Mixer {
    /// One way in.
    #[port(target, each = Self::inputs)]
    async fn take(&self, _ctx: &Ctx, input: &str, message: &Json) -> Result<String> {
        Ok(format!("{input}: {}", **message))
    }
}

fn addressed(route: &str) -> Addressed {
    Addressed { route: route.into(), context: json!({"for": route}).into() }
}

#[tokio::test(start_paused = true)]
async fn each_item_of_the_settings_is_a_port() {
    let bench = Bench::<Router>::new();
    assert_eq!(bench.ports(), ["input", "out_A", "out_B", "_settings"]);
    bench.reply(Router::OUT.of("B"), "came".to_owned());
    let reply = bench.send(Router::INPUT, addressed("B")).await.unwrap();
    assert_eq!(reply.to_json().unwrap(), Some(json!("came")));
    assert_eq!(bench.sent(Router::OUT.of("B"))[0], json!({"for": "B"}).into());
    assert!(bench.sent(Router::OUT.of("A")).is_empty());

    bench.settings_json(json!({"routes": ["x", "y", "x", "no way", "a:b"]}));
    assert_eq!(bench.ports(), ["input", "out_x", "out_y", "_settings"]);
    let faults = bench.faults();
    assert_eq!(faults.len(), 3, "{faults:#?}");
    assert!(faults[0].contains("two ports would be called `out_x`"), "{faults:#?}");
    assert!(faults[1].contains("`no way` cannot be part of a port's name"), "{faults:#?}");
}

#[tokio::test(start_paused = true)]
async fn sending_from_a_source_that_is_not_there_is_no_reply_and_no_error() {
    let bench = Bench::<Router>::new();
    bench.reply(Router::REST, "the rest".to_owned());
    let reply = bench.send(Router::INPUT, addressed("nowhere")).await.unwrap();
    assert!(reply.is_none(), "there is no such port");
    assert!(bench.sent(Router::REST).is_empty());

    bench.settings_json(json!({"rest": true}));
    assert!(bench.ports().contains(&"rest".to_owned()));
    let reply = bench.send(Router::INPUT, addressed("nowhere")).await.unwrap();
    assert_eq!(reply.to_json().unwrap(), Some(json!("the rest")));
}

#[tokio::test(start_paused = true)]
async fn the_item_reaches_the_method_of_a_target() {
    let bench = Bench::<Mixer>::new();
    let reply = bench.send(Mixer::TAKE.of("A"), json!(1).into()).await.unwrap();
    assert_eq!(reply, "A: 1");
}

#[tokio::test(start_paused = true)]
async fn a_message_for_a_port_that_is_not_there_waits_for_it() {
    let bench = Bench::<Mixer>::new();
    let (late, start) = (bench.clone(), Instant::now());
    let waiting = tokio::spawn(async move {
        let sent = late.send_json("take_C", json!(2)).await;
        sent.map(|reply| reply.to_json().unwrap())
    });
    tokio::time::sleep(Duration::from_secs(7)).await;
    bench.settings_json(json!({"routes": ["C"]}));
    assert_eq!(waiting.await.unwrap().unwrap(), Some(json!("C: 2")));
    assert_eq!(start.elapsed().as_secs(), 7);

    let error = bench.send_json("take_D", json!(2)).await.unwrap_err();
    assert!(error.is_retryable(), "the port may still come");
    assert_eq!(
        error.to_string(),
        "node `mixer` had no port `take_D` for 30s; its ports follow settings and state, here they are `take_C` and `_settings`"
    );
}

#[tokio::test(start_paused = true)]
async fn settings_shape_the_schema_of_one_node() {
    let bench = Bench::<Router>::new();
    let route = |schema: serde_json::Value| schema.pointer("/$defs/Route/enum").cloned();
    assert_eq!(route(bench.schema("input").unwrap()), Some(json!(["A", "B"])));
    bench.settings_json(json!({"routes": ["x"]}));
    assert_eq!(route(bench.schema("input").unwrap()), Some(json!(["x"])));
    let plain = (ComponentType::of::<Router>().ports()[0].schema)().value();
    assert_eq!(route(plain), None, "the type itself knows no routes");
}

#[test]
fn a_component_type_knows_which_names_its_ports_may_have() {
    let router = ComponentType::of::<Router>();
    let name = |port: &str| router.port(port).map(|(_, info)| info.meta.name);
    assert_eq!(name("out_anything"), Some("out_{route}"));
    assert_eq!(name("out_"), None, "an item is not empty");
    assert_eq!(name("input"), Some("input"));
    assert_eq!(name("outside"), None);
    let _: Keys<Router, Json> = Router::OUT;
}

#[tokio::test(start_paused = true)]
async fn edges_start_and_end_at_such_ports() {
    let flow = Flow::local()
        .node::<Router>("router")
        .node::<Mixer>("mixer")
        .settings("router", json!({"routes": ["left"]}))
        .settings("mixer", json!({"routes": ["north"]}))
        .edge("router:out_left", "mixer:take_north", json!("{{ $.for }}"));
    let message = json!({"route": "left", "context": {"for": "n"}});
    let outcome = flow.send("router:input", message).await;
    assert_eq!(outcome.result.unwrap().to_json().unwrap(), Some(json!("north: \"n\"")));
}
