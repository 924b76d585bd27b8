//! The flows that are measured: their components, their nodes and edges, and how a message goes in.

use std::collections::HashMap;
use std::hint::black_box;
use std::sync::{Arc, LazyLock};

use serde_json::{Value, json};
use tiny_runtime::component::NodeInfo;
use tiny_runtime::engine::{
    Address, Dice, EdgeDecl, NodeDecl, Peer, RetryBounds, Scheduler, Trigger, Waits,
};
use tiny_runtime::prelude::*;
use tiny_runtime::registry::Registry;
use tokio_util::sync::CancellationToken;

/// A document as it would come over HTTP: 313 bytes of JSON.
pub(crate) fn document() -> Value {
    json!({
        "id": "ord-000001842",
        "user": {"name": "Ada Lovelace", "email": "ada@example.com", "tier": "gold"},
        "order": {
            "total": 129.95,
            "currency": "EUR",
            "items": [{"sku": "SKU-0000", "qty": 0}, {"sku": "SKU-0001", "qty": 1}],
        },
        "ts": 1_712_345_678,
        "ok": true,
        "source": "web",
        "region": "eu-west-1",
        "trace": "4bf92f3577b34da6",
        "attempt": 1,
        "score": 0.75,
    })
}

/// The document, typed.
#[message]
pub(crate) struct Document {
    /// Its number.
    pub(crate) id: String,
    /// Who ordered.
    pub(crate) user: User,
    /// What was ordered.
    pub(crate) order: Order,
    /// When, in seconds.
    pub(crate) ts: i64,
    /// Whether it is paid.
    pub(crate) ok: bool,
    /// Where it comes from.
    pub(crate) source: String,
    /// Where it goes.
    pub(crate) region: String,
    /// What it belongs to.
    pub(crate) trace: String,
    /// How often it was tried.
    pub(crate) attempt: u32,
    /// How good it is.
    pub(crate) score: f64,
}

/// Who ordered.
#[message]
pub(crate) struct User {
    /// The name.
    pub(crate) name: String,
    /// The address.
    pub(crate) email: String,
    /// How often they buy.
    pub(crate) tier: String,
}

/// What was ordered.
#[message]
pub(crate) struct Order {
    /// The price.
    pub(crate) total: f64,
    /// Its currency.
    pub(crate) currency: String,
    /// What it consists of.
    pub(crate) items: Vec<Item>,
}

/// One line of an order.
#[message]
pub(crate) struct Item {
    /// The article.
    pub(crate) sku: String,
    /// How many.
    pub(crate) qty: u32,
}

/// What a mapping of two fields makes of a document.
#[message]
pub(crate) struct Label {
    /// Who ordered.
    pub(crate) name: String,
    /// The price.
    pub(crate) total: f64,
}

/// The mapping of two fields.
pub(crate) fn two_fields() -> Value {
    json!({"name": "{{ $.user.name }}", "total": "{{ $.order.total }}"})
}

static JSON: LazyLock<Json> = LazyLock::new(|| Json::from(document()));
/// The same, typed.
pub(crate) static TYPED: LazyLock<Document> =
    LazyLock::new(|| serde_json::from_value(document()).expect("the document has its type"));

/// Sends the document, as JSON, for whatever comes.
#[component(name = "courier")]
#[derive(Default)]
pub(crate) struct Courier;

#[component]
impl Courier {
    /// Any JSON.
    #[port(target)]
    async fn input(&self, ctx: &Ctx, message: Json) -> Result {
        black_box(&message);
        self.output(ctx, JSON.clone()).await
    }

    /// The document.
    #[port(source)]
    async fn output(&self, ctx: &Ctx, message: Json) -> Result;
}

/// Sends a fresh typed document for each label.
#[component(name = "printer")]
#[derive(Default)]
pub(crate) struct Printer;

#[component]
impl Printer {
    /// A label.
    #[port(target)]
    async fn input(&self, ctx: &Ctx, message: Label) -> Result {
        black_box(&message);
        self.output(ctx, TYPED.clone()).await
    }

    /// The document.
    #[port(source)]
    async fn output(&self, ctx: &Ctx, message: Document) -> Result;
}

/// Sends the document, as JSON, for each label.
#[component(name = "clerk")]
#[derive(Default)]
pub(crate) struct Clerk;

#[component]
impl Clerk {
    /// A label.
    #[port(target)]
    async fn input(&self, ctx: &Ctx, message: Label) -> Result {
        black_box(&message);
        self.output(ctx, JSON.clone()).await
    }

    /// The document.
    #[port(source)]
    async fn output(&self, ctx: &Ctx, message: Json) -> Result;
}

/// Hands on what it owns.
#[component(name = "owner")]
#[derive(Default)]
pub(crate) struct Owner;

#[component]
impl Owner {
    /// The document, by value.
    #[port(target)]
    async fn input(&self, ctx: &Ctx, message: Document) -> Result {
        self.output(ctx, message).await
    }

    /// The same.
    #[port(source)]
    async fn output(&self, ctx: &Ctx, message: Document) -> Result;
}

/// A number, and the document beside it by reference.
#[message]
pub(crate) struct Shared {
    /// A number.
    pub(crate) n: u64,
    /// The document.
    pub(crate) context: Json,
}

/// Looks at what it gets, and sends its like.
#[component(name = "reader")]
#[derive(Default)]
pub(crate) struct Reader;

#[component]
impl Reader {
    /// A message that is only looked at.
    #[port(target)]
    async fn input(&self, ctx: &Ctx, message: &Shared) -> Result {
        self.output(ctx, message.clone()).await
    }

    /// The same again.
    #[port(source)]
    async fn output(&self, ctx: &Ctx, message: Shared) -> Result;
}

/// Hands a context on.
#[component(name = "passer")]
#[derive(Default)]
pub(crate) struct Passer;

#[component]
impl Passer {
    /// What is handed on.
    #[port(target)]
    async fn input(&self, ctx: &Ctx, message: Shared) -> Result {
        self.output(ctx, message).await
    }

    /// The same.
    #[port(source)]
    async fn output(&self, ctx: &Ctx, message: Shared) -> Result;
}

/// Asks the next one, and answers what that answers.
#[component(name = "asker")]
#[derive(Default)]
pub(crate) struct Asker;

#[component]
impl Asker {
    /// The question.
    #[port(target)]
    async fn input(&self, ctx: &Ctx, message: Label) -> Result<Label> {
        self.output(ctx, message).await
    }

    /// The question, passed on.
    #[port(source)]
    async fn output(&self, ctx: &Ctx, message: Label) -> Result<Label>;
}

/// Knows the answer.
#[component(name = "knower")]
#[derive(Default)]
pub(crate) struct Knower;

#[component]
impl Knower {
    /// The question.
    #[port(target)]
    async fn input(&self, _ctx: &Ctx, message: Label) -> Result<Label> {
        Ok(message)
    }
}

/// A chain of one component that is measured.
pub(crate) struct Scene {
    pub(crate) title: &'static str,
    pub(crate) component: &'static str,
    /// The mapping of each edge.
    pub(crate) mapping: Option<Value>,
    /// What the first node gets.
    pub(crate) data: Value,
}

/// All chains.
pub(crate) fn scenes() -> [Scene; 7] {
    let kept = || Some(json!({"n": "{{ $.n }}", "context": "{{ $.context }}"}));
    let with = |context: Value| json!({"n": 1, "context": context});
    let eleven: Value = vec!["x".repeat(100); 110].into();
    let label = json!({"name": "Ada", "total": 1.5});
    let scene = |title, component, mapping, data| Scene { title, component, mapping, data };
    [
        scene("mapped hop on JSON, 2 fields of 313 B", "courier", Some(two_fields()), document()),
        scene(
            "typed, 2 mapped fields, sends a fresh 313 B",
            "printer",
            Some(two_fields()),
            label.clone(),
        ),
        scene("typed, 2 mapped fields of JSON of 313 B", "clerk", Some(two_fields()), label),
        scene("identity, typed, `&T`", "reader", None, with(document())),
        scene("identity, typed, 313 B `T`", "owner", None, document()),
        scene("passthrough of nothing", "passer", kept(), with(Value::Null)),
        scene("passthrough of 11 KB", "passer", kept(), with(eleven)),
    ]
}

/// How one node is made.
pub(crate) struct Node {
    pub(crate) name: String,
    pub(crate) component: &'static str,
    /// Nodes that its source leads to, each with the mapping of the edge.
    pub(crate) edges: Vec<(String, Option<Value>)>,
}

impl Node {
    /// One that leads nowhere.
    pub(crate) fn end(name: &str, component: &'static str) -> Self {
        Self { name: name.into(), component, edges: vec![] }
    }

    /// The node as the engine takes it. Each component has a target `input`, and at most a source `output`.
    pub(crate) fn declared(self) -> NodeDecl {
        let edge = |(to, mapping): (String, Option<Value>)| EdgeDecl {
            id: format!("to-{to}").into(),
            port: "output".into(),
            to: Address::new(to, "input"),
            mapping,
            bounds: RetryBounds::default(),
            fault: None,
        };
        NodeDecl {
            info: NodeInfo { name: self.name, ..NodeInfo::default() },
            component: self.component.into(),
            edges: self.edges.into_iter().map(edge).collect(),
            ..NodeDecl::default()
        }
    }
}

/// The nodes on an engine of their own.
pub(crate) fn load(nodes: Vec<Node>) -> Scheduler {
    let registry = Registry::collect().expect("each name stands for one component");
    let components: HashMap<String, &'static str> =
        nodes.iter().map(|node| (node.name.clone(), node.component)).collect();
    let peer = |name: &str| Peer::Ours { component: components[name].into() };
    let scheduler = Scheduler::new(Arc::new(registry), Waits::default(), Dice::seeded(1));
    for node in nodes {
        let findings = scheduler.update(node.declared(), peer);
        assert!(findings.is_empty(), "{findings:?}");
    }
    scheduler
}

/// `hops` nodes in a row, `n1` first.
pub(crate) fn chain(component: &'static str, hops: usize, mapping: Option<&Value>) -> Scheduler {
    let node = |at: usize| Node {
        name: format!("n{at}"),
        component,
        edges: match at < hops {
            true => vec![(format!("n{}", at + 1), mapping.cloned())],
            false => vec![],
        },
    };
    load((1..=hops).map(node).collect())
}

/// So many nodes in a ring, each with two mapped edges.
pub(crate) fn large(count: usize) -> Vec<Node> {
    let edge = |to: usize| (format!("n{}", to % count), Some(two_fields()));
    let node = |at: usize| Node {
        name: format!("n{at}"),
        component: "printer",
        edges: vec![edge(at + 1), edge(at + 2)],
    };
    (0..count).map(node).collect()
}

/// One node that sends to ten, all of which send to one.
pub(crate) fn fan() -> Scheduler {
    let node = |name: &str, to: Vec<String>| Node {
        name: name.into(),
        component: "reader",
        edges: to.into_iter().map(|to| (to, None)).collect(),
    };
    let branches = || (0..10).map(|at| format!("b{at}"));
    let mut nodes = vec![node("n1", branches().collect()), node("sink", vec![])];
    nodes.extend(branches().map(|name| node(&name, vec!["sink".into()])));
    load(nodes)
}

/// A question that goes through `hops` nodes.
pub(crate) fn asking(hops: usize) -> Vec<Node> {
    let node = |at: usize| Node {
        name: format!("n{at}"),
        component: if at == hops { "knower" } else { "asker" },
        edges: if at == hops { vec![] } else { vec![(format!("n{}", at + 1), None)] },
    };
    (1..=hops).map(node).collect()
}

/// What sends `data` to `node`.
pub(crate) fn trigger(node: &str, data: &Value) -> Trigger {
    Trigger {
        name: String::new(),
        to: Address::new(node, "input"),
        data: Some(data.clone()),
        timeout: None,
        cancel: CancellationToken::new(),
    }
}

/// Sends `data` into the first node, `times` times one after the other.
pub(crate) async fn drive(scheduler: &Scheduler, data: &Value, times: u32) {
    for _ in 0..times {
        let outcome = scheduler.start(trigger("n1", data)).await;
        assert!(outcome.result.is_ok(), "{outcome}");
    }
}
