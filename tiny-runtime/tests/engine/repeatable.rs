//! One seed, one flow, one trigger: the same run, again and again.

use proptest::prelude::*;
use serde_json::Value;
use tiny_runtime::component::Visit;

use crate::stage::{Act, World};

/// Nodes with edges to later ones, and what each does.
#[derive(Clone, Debug)]
struct Graph {
    seed: u64,
    nodes: Vec<(bool, Vec<usize>, Vec<Act>)>,
}

fn acts() -> impl Strategy<Value = Vec<Act>> {
    let act = prop_oneof![
        4 => Just(Act::Pass),
        2 => Just(Act::Answer("yes")),
        2 => (0..200_u64).prop_map(|ms| Act::Late(ms, "late")),
        1 => Just(Act::Nothing),
        1 => Just(Act::Transient("busy")),
        1 => Just(Act::Permanent("no")),
        1 => Just(Act::Panic("oh")),
    ];
    prop::collection::vec(act, 1..4)
}

fn graphs() -> impl Strategy<Value = Graph> {
    let node = (any::<bool>(), prop::collection::vec(1..4_usize, 0..3), acts());
    (any::<u64>(), prop::collection::vec(node, 2..8)).prop_map(|(seed, mut nodes)| {
        let last = nodes.len() - 1;
        for (at, (_, to, _)) in nodes.iter_mut().enumerate() {
            *to = to.iter().map(|step| at + step).filter(|to| *to <= last).collect();
            to.dedup();
        }
        // The root always passes on.
        nodes[0] = (false, (1..=last.min(3)).collect(), vec![Act::Pass]);
        Graph { seed, nodes }
    })
}

#[derive(Debug, PartialEq)]
struct Told {
    result: Result<Option<Value>, String>,
    visits: Vec<Visit>,
    failures: Vec<String>,
    log: Vec<String>,
    took: std::time::Duration,
}

async fn play(graph: &Graph) -> Told {
    let world = World::seeded(graph.seed);
    for (at, (sequential, to, acts)) in graph.nodes.iter().enumerate().rev() {
        let edges: Vec<_> = to
            .iter()
            .map(|to| format!("out n{to}:input"))
            .collect::<std::collections::BTreeSet<_>>()
            .into_iter()
            .collect();
        let edges: Vec<_> = edges.iter().map(String::as_str).collect();
        let name = format!("n{at}");
        let component = if *sequential { "solo" } else { "actor" };
        world.script(&name, acts).node(&name, component, &edges);
    }
    let outcome = world.run("n0:input").await;
    Told {
        visits: outcome.run.visits(),
        failures: outcome.run.failures(),
        log: world.log(),
        took: outcome.took,
        result: match outcome.result {
            Ok(reply) => Ok(reply.to_json().unwrap()),
            Err(error) => Err(format!("{error:?}")),
        },
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_flow_runs_the_same_way_every_time(graph in graphs()) {
        let told = || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_time()
                .start_paused(true)
                .build()
                .unwrap();
            runtime.block_on(play(&graph))
        };
        let (first, second) = (told(), told());
        prop_assert!(!first.visits.is_empty());
        prop_assert_eq!(first, second);
    }
}
