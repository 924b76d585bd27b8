//! What is proved bit by bit is what would be proved at once, and what passes through is as well known as what went in.

use fastrand::Rng;
use serde_json::{Value, json};

use super::*;
use crate::component::NodeInfo;
use crate::engine::{EdgeDecl, NodeDecl, Port, RetryBounds};

/// Flows that are changed step by step, where `ROUNDS` says nothing else.
const ROUNDS: u64 = 40;

fn text(definitions: Value) -> Text {
    Text::from(&json!({"$ref": "#/$defs/M", "$defs": definitions}))
}

fn object(properties: Value, required: &[&str]) -> Value {
    json!({"type": "object", "properties": properties, "required": required, "path": "$"})
}

fn port(name: &str, is_source: bool, schema: Text) -> Port {
    Port { name: name.into(), is_source, schema, response: None, default: None }
}

/// A node that takes anything and passes it on.
fn passing() -> Face {
    let context = |flag: &str| {
        let mut it = json!({"path": "$.context"});
        it[flag] = true.into();
        let message = object(json!({"context": {"$ref": "#/$defs/Context"}}), &["context"]);
        text(json!({"M": message, "Context": it}))
    };
    Face::Told(
        [port("in", false, context("configurable")), port("out", true, context("shared"))].into(),
    )
}

/// A node that sends an object with these fields.
fn source(fields: Value) -> Face {
    let names: Vec<&str> = fields.as_object().unwrap().keys().map(String::as_str).collect();
    Face::Told([port("out", true, text(json!({"M": object(fields.clone(), &names)})))].into())
}

/// A node that takes a text and a number.
fn end() -> Face {
    let fields = json!({"text": {"type": "string"}, "number": {"type": ["integer", "null"]}});
    Face::Told([port("in", false, text(json!({"M": object(fields, &["text"])})))].into())
}

fn site(face: Face, edges: &[(&str, Option<Value>)]) -> Site {
    let edge = |(number, (to, mapping)): (usize, &(&str, Option<Value>))| EdgeDecl {
        id: format!("e{number}").into(),
        port: "out".into(),
        to: Address::new(*to, "in"),
        mapping: mapping.clone(),
        bounds: RetryBounds::default(),
        fault: None,
    };
    let decl = NodeDecl {
        info: NodeInfo::default(),
        edges: edges.iter().enumerate().map(edge).collect(),
        ..NodeDecl::default()
    };
    Site::new(&decl, face, Vec::new())
}

fn proofs(sites: Vec<(&str, Site)>) -> Proofs {
    let mut proofs = Proofs::default();
    for (name, site) in sites {
        proofs.put(name, Some(site));
    }
    proofs.settle();
    proofs
}

fn verdicts(proofs: &Proofs, node: &str) -> Vec<String> {
    let rows = proofs.of(node).iter().flat_map(|(_, proof)| &proof.rows);
    rows.map(|row| match &row.verdict {
        Verdict::Proved => format!("{} proved: {}", row.field, row.given),
        Verdict::Refuted { why, .. } => format!("refuted: {why}"),
        Verdict::Unknown { why } => format!("unknown: {why}"),
    })
    .collect()
}

fn order() -> Face {
    source(json!({"id": {"type": "integer"}, "name": {"type": "string"}}))
}

fn context(of: &str) -> Option<Value> {
    Some(json!({"context": of}))
}

#[test]
fn what_comes_behind_is_as_well_known_as_what_went_in() {
    let proofs = proofs(vec![
        ("order", site(order(), &[("first", context("{{ $ }}"))])),
        ("first", site(passing(), &[("second", None)])),
        ("second", site(passing(), &[("third", context("{{ $.context }}"))])),
        (
            "third",
            site(
                passing(),
                &[
                    (
                        "end",
                        Some(
                            json!({"text": "{{ $.context.name }}", "number": "{{ $.context.id }}"}),
                        ),
                    ),
                    ("end", Some(json!({"text": "{{ $.context.nmae }}"}))),
                ],
            ),
        ),
        ("end", site(end(), &[])),
    ]);
    assert_eq!(
        verdicts(&proofs, "third"),
        [
            "text proved: a text",
            "number proved: a whole number",
            "refuted: `text`: `{{ $.context.nmae }}` leads nowhere: `M` has no `nmae` (did you mean `name`?), only `id` and `name`; and the field is required"
        ]
    );
}

#[test]
fn how_a_form_shows_a_text_says_nothing_of_what_may_stand_there() {
    let field = |format: &str| json!({"type": "string", "format": format});
    let fields =
        json!({"area": field("textarea"), "secret": field("password"), "day": field("date")});
    let end = Face::Told([port("in", false, text(json!({"M": object(fields, &[])})))].into());
    let mapping = json!({
        "area": "{{ $.name }}", "secret": "{{ $.name }}", "day": "{{ $.name }}"
    });
    let proofs =
        proofs(vec![("order", site(order(), &[("end", Some(mapping))])), ("end", site(end, &[]))]);
    let verdicts = verdicts(&proofs, "order");
    let starts = ["area proved: a text", "secret proved: a text", "unknown: "];
    assert!(verdicts.iter().zip(starts).all(|(it, start)| it.starts_with(start)), "{verdicts:?}");
    assert_eq!(verdicts.len(), 3);
}

#[test]
fn two_edges_bring_both_types() {
    let other = source(json!({"name": {"type": ["string", "null"]}}));
    let proofs = proofs(vec![
        ("order", site(order(), &[("pass", context("{{ $ }}"))])),
        ("other", site(other, &[("pass", context("{{ $ }}"))])),
        ("pass", site(passing(), &[("end", Some(json!({"text": "{{ $.context.name }}"})))])),
        ("end", site(end(), &[])),
    ]);
    assert_eq!(
        verdicts(&proofs, "pass"),
        [
            "refuted: `text`: `{{ $.context.name }}` may be null, and a text is wanted; `coalesce` gives another value in its place"
        ]
    );
}

#[test]
fn a_circle_is_told_from_what_leads_into_it_and_heals() {
    let back = Some(json!({"context": "{{ $.context }}"}));
    let mut proofs = proofs(vec![
        ("order", site(order(), &[("one", context("{{ $ }}"))])),
        (
            "wrong",
            site(source(json!({"name": {"type": "integer"}})), &[("one", context("{{ $ }}"))]),
        ),
        ("one", site(passing(), &[("two", None)])),
        (
            "two",
            site(
                passing(),
                &[("one", back), ("end", Some(json!({"text": "{{ $.context.name }}"})))],
            ),
        ),
        ("end", site(end(), &[])),
    ]);
    let wrong = "refuted: `text`: `{{ $.context.name }}` may be a whole number, and a text is wanted; `string` makes a text of it";
    assert_eq!(verdicts(&proofs, "two")[1..], [wrong]);
    // Nobody in the circle remembers what came from there.
    proofs.put("wrong", None);
    let changed = proofs.settle();
    assert!(changed.contains("two"), "{changed:?}");
    assert_eq!(verdicts(&proofs, "two")[1..], ["text proved: a text"]);
}

#[test]
fn what_grows_with_each_turn_is_any_json_in_the_end() {
    let proofs = proofs(vec![
        ("order", site(order(), &[("one", context("{{ $ }}"))])),
        (
            "one",
            site(
                passing(),
                &[
                    ("one", Some(json!({"context": {"before": "{{ $.context }}"}}))),
                    ("end", Some(json!({"text": "{{ $.context.name }}"}))),
                ],
            ),
        ),
        ("end", site(end(), &[])),
    ]);
    let told = verdicts(&proofs, "one");
    assert!(
        told[1].starts_with("unknown: ") && told[1].contains("each turn of a circle"),
        "{told:?}"
    );
}

#[test]
fn a_change_looks_only_at_what_it_can_affect() {
    let mut proofs = proofs(vec![
        ("order", site(order(), &[("pass", context("{{ $ }}")), ("far", context("{{ $.id }}"))])),
        ("pass", site(passing(), &[("end", Some(json!({"text": "{{ $.context.name }}"})))])),
        ("far", site(passing(), &[("end", Some(json!({"text": "{{ string($.context) }}"})))])),
        ("end", site(end(), &[])),
    ]);
    let before: Vec<_> = proofs.of("far").iter().map(|(_, proof)| proof.clone()).collect();
    proofs.put(
        "pass",
        Some(site(passing(), &[("end", Some(json!({"text": "{{ $.context.id }}"})))])),
    );
    assert_eq!(proofs.settle(), BTreeSet::from(["pass".to_owned()]));
    assert!(verdicts(&proofs, "pass")[0].starts_with("refuted: "));
    let after: Vec<_> = proofs.of("far").iter().map(|(_, proof)| proof.clone()).collect();
    assert!(
        before.iter().zip(&after).all(|(one, other)| Arc::ptr_eq(one, other)),
        "not proved again"
    );
    assert!(proofs.settle().is_empty());
}

/// A random node of a random flow.
fn any(rng: &mut Rng, names: &[&str]) -> Site {
    let mapping = |rng: &mut Rng, deep: bool| {
        let of = if deep { "$.context" } else { "$" };
        match rng.u8(..7) {
            0 => None,
            1 => Some(json!({"context": format!("{{{{ {of} }}}}")})),
            2 => Some(json!({"context": {"inner": format!("{{{{ {of} }}}}")}, "text": "x"})),
            3 => Some(
                json!({"context": format!("{{{{ {of}.name }}}}"), "text": format!("{{{{ {of}.name }}}}")}),
            ),
            4 => Some(
                json!({"text": format!("{{{{ string({of}.id) }}}}"), "context": "{{ $.nothing }}"}),
            ),
            5 => Some(json!({"context": format!("{{{{ coalesce({of}.inner, {of}) }}}}")})),
            _ => Some(json!({"text": "{{ $.context.inner.name }}", "context": 1})),
        }
    };
    let (face, deep) = match rng.u8(..8) {
        0 => (order(), false),
        1 => (
            source(json!({"name": {"type": ["string", "null"]}, "inner": {"type": "object"}})),
            false,
        ),
        2 => (end(), false),
        3 => (Face::Unknown, false),
        _ => (passing(), true),
    };
    let edges: Vec<_> = (0..rng.usize(..4))
        .map(|_| (names[rng.usize(..names.len())], mapping(rng, deep)))
        .collect();
    site(face, &edges)
}

#[test]
fn bit_by_bit_is_the_same_as_at_once() {
    let names = ["a", "b", "c", "d", "e", "f", "g"];
    let rounds = std::env::var("ROUNDS").ok().and_then(|rounds| rounds.parse().ok());
    for seed in 0..rounds.unwrap_or(ROUNDS) {
        let mut rng = Rng::with_seed(seed);
        let (mut proofs, mut sites) = (Proofs::default(), BTreeMap::new());
        for step in 0..30 {
            for _ in 0..=rng.usize(..2) {
                let name = names[rng.usize(..names.len())];
                let site = (rng.u8(..6) > 0).then(|| any(&mut rng, &names));
                proofs.put(name, site.clone());
                match site {
                    Some(site) => drop(sites.insert(name, site)),
                    None => drop(sites.remove(name)),
                }
            }
            proofs.settle();
            let mut fresh = Proofs::default();
            for (name, site) in &sites {
                fresh.put(name, Some(site.clone()));
            }
            fresh.settle();
            for name in names {
                assert_eq!(
                    verdicts(&proofs, name),
                    verdicts(&fresh, name),
                    "seed {seed}, step {step}, node {name}"
                );
            }
        }
    }
}
