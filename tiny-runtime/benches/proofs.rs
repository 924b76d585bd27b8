//! What it costs to prove the edges of a large flow: 1000 nodes with 2000 mapped edges, from cold, and after one change.
//!
//! `cargo bench -p tiny-runtime --bench proofs`. CPU is that of the process, as Linux counts it; the floor is to parse the text of the
//! schemas and mappings once, which nobody can do without.

use std::hint::black_box;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tiny_runtime::component::NodeInfo;
use tiny_runtime::engine::{Address, EdgeDecl, Face, NodeDecl, Port, Proofs, RetryBounds, Site};
use tiny_runtime::mapping::Mapping;
use tiny_runtime::prelude::*;
use tiny_runtime::schema;

const NODES: usize = 1000;
const CHANGES: usize = 200;

/// Who orders.
#[message]
pub struct Customer {
    /// The name.
    pub name: String,
    /// What friends say.
    pub nick: Option<String>,
    /// Where letters go.
    pub email: String,
}

/// What is ordered.
#[message]
pub struct Item {
    /// The number of the article.
    pub sku: String,
    /// For one.
    pub price: f64,
    /// How many.
    pub count: u32,
}

/// An order.
#[message]
pub struct Order {
    /// Its number.
    pub id: u64,
    /// Who orders.
    pub customer: Customer,
    /// What.
    pub items: Vec<Item>,
    /// What else is to say.
    pub note: Option<String>,
    /// What came with it.
    #[ui(shared)]
    pub context: Json,
}

/// What a node takes.
#[message]
pub struct Task {
    /// What it is called.
    pub title: String,
    /// For whom.
    pub who: String,
    /// Which articles.
    pub articles: Vec<String>,
    /// How many there are.
    pub count: u64,
    /// What else is to say.
    pub note: Option<String>,
    /// What comes with it.
    #[ui(configurable)]
    pub context: Json,
}

/// CPU time of the process.
fn cpu() -> Duration {
    let stat = std::fs::read_to_string("/proc/self/schedstat").expect("Linux tells it");
    let nanos = stat.split_whitespace().next().and_then(|it| it.parse().ok());
    Duration::from_nanos(nanos.expect("it is a number"))
}

fn mapping(number: usize) -> Value {
    json!({
        "title": format!("order {{{{ $.id }}}}, step {number}"),
        "who": "{{ coalesce($.customer.nick, $.customer.name) }}",
        "articles": "{{ items[].sku }}",
        "count": "{{ length($.items) }}",
        "note": "{{ $.note ? upper($.note) : `null` }}",
        "context": if number.is_multiple_of(2) { "{{ $.context }}" } else { "{{ $.customer }}" },
    })
}

/// Half of the nodes lead to the next, all lead to one some way off.
fn site(face: &Face, number: usize, changed: bool) -> Site {
    let edge = |id: &str, to: usize| EdgeDecl {
        id: id.into(),
        port: "out".into(),
        to: Address::new(format!("node-{}", to % NODES), "in"),
        mapping: Some(mapping(number + usize::from(changed) * NODES)),
        bounds: RetryBounds::default(),
        fault: None,
    };
    let decl = NodeDecl {
        info: NodeInfo { name: format!("node-{number}"), ..NodeInfo::default() },
        edges: vec![edge("a", number + 1), edge("b", number * 7 + 13)],
        ..NodeDecl::default()
    };
    Site::new(&decl, face.clone(), Vec::new())
}

fn main() {
    // `cargo test` runs benches too, to see that they run.
    if std::env::args().any(|arg| arg == "--test") {
        return;
    }
    let port = |name: &str, is_source, schema| Port {
        name: name.into(),
        is_source,
        schema,
        response: None,
        default: None,
    };
    let face = Face::Told(
        [port("in", false, schema::text::<Task>()), port("out", true, schema::text::<Order>())]
            .into(),
    );

    let before = cpu();
    for number in 0..NODES {
        for _ in 0..2 {
            black_box(Mapping::compile(&mapping(number)).expect("it compiles"));
        }
    }
    let compiled = cpu() - before;

    let before = cpu();
    let sites: Vec<Site> = (0..NODES).map(|number| site(&face, number, false)).collect();
    let mut proofs = Proofs::default();
    for (number, site) in sites.into_iter().enumerate() {
        proofs.put(&format!("node-{number}"), Some(site));
    }
    proofs.settle();
    let cold = cpu() - before;
    let edges: usize = (0..NODES).map(|number| proofs.of(&format!("node-{number}")).len()).sum();
    let all = (0..NODES).flat_map(|number| proofs.of(&format!("node-{number}")).to_vec());
    let (mut proved, mut rows) = (0, 0);
    for (_, proof) in all {
        rows += proof.rows.len();
        proved += usize::from(proof.is_proved());
    }
    println!("{edges} edges with {rows} fields, {proved} edges proved");
    println!("cold, compiled and proved:  {:8.1} ms CPU", cold.as_secs_f64() * 1e3);
    println!("  of it to compile:         {:8.1} ms CPU", compiled.as_secs_f64() * 1e3);

    let mut longest = Duration::ZERO;
    let before = cpu();
    for change in 0..CHANGES {
        let number = change * 5 % NODES;
        let started = Instant::now();
        proofs.put(&format!("node-{number}"), Some(site(&face, number, true)));
        black_box(proofs.settle());
        longest = longest.max(started.elapsed());
    }
    let changed = (cpu() - before) / u32::try_from(CHANGES).expect("it is small");
    println!(
        "one node with two edges changed: {:.3} ms CPU each, the longest {:.3} ms of wall time",
        changed.as_secs_f64() * 1e3,
        longest.as_secs_f64() * 1e3
    );
}
