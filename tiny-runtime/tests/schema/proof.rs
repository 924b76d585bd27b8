//! What is proved never fails, and what is refuted does: for random mappings between random types.
//!
//! `PAIRS` is the number of pairs of types, each with a mapping of its own; `SEED` repeats a run.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use serde_json::{Map, Value, json};
use tiny_runtime::component::Message;
use tiny_runtime::mapping::{Document, Mapping, Proof, Shape, Verdict, identity};
use tiny_runtime::schema::of;

use crate::property::any::{Any, Dice};
use crate::property::forms::{self, Visit};

/// Pairs of types, where `PAIRS` says nothing else.
const PAIRS: usize = 30_000;
/// Messages that are sent over an edge that is proved.
const MESSAGES: usize = 6;

/// A type, without its type.
struct Type {
    name: &'static str,
    schema: Value,
    shape: Shape,
    any: fn(&mut Dice) -> Value,
    read: fn(&Value) -> Result<(), String>,
    map: fn(&Mapping, &Value) -> Result<(), String>,
}

#[derive(Default)]
struct Types(Vec<Type>);

impl Visit for Types {
    fn visit<T: Message + Any>(&mut self) {
        let schema = of::<T>();
        self.0.push(Type {
            name: std::any::type_name::<T>(),
            shape: Document::of(&schema).shape(),
            schema,
            any: |dice| serde_json::to_value(T::any(dice, 3)).unwrap(),
            read: |value| {
                serde_json::from_value::<T>(value.clone()).map(drop).map_err(|e| e.to_string())
            },
            map: |mapping, message| {
                let decoded = mapping.decode::<T>(|| mapping.read_value(message));
                decoded.map(drop).map_err(|e| e.to_string())
            },
        });
    }
}

/// A path of a value, as `$` writes it, with what stands there.
fn paths(value: &Value, at: &str, found: &mut Vec<(String, Value)>) {
    found.push((at.to_owned(), value.clone()));
    if found.len() > 40 {
        return;
    }
    match value {
        Value::Object(map) => {
            for (key, value) in map.iter().take(5) {
                paths(value, &format!("{at}['{key}']"), found);
            }
        }
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate().take(2) {
                paths(item, &format!("{at}[{index}]"), found);
            }
        }
        _ => {}
    }
}

fn kind(value: &Value) -> u8 {
    match value {
        Value::Null => 0,
        Value::Bool(_) => 1,
        Value::Number(number) if number.is_f64() => 2,
        Value::Number(_) => 3,
        Value::String(_) => 4,
        Value::Array(_) => 5,
        Value::Object(_) => 6,
    }
}

/// An expression over the source that may, by and large, give something like `wanted`.
fn expression(dice: &mut Dice, paths: &[(String, Value)], wanted: &Value) -> String {
    let alike: Vec<&String> = paths
        .iter()
        .filter(|(_, value)| kind(value) == kind(wanted))
        .map(|(path, _)| path)
        .collect();
    let any = |dice: &mut Dice| paths[dice.below(paths.len())].0.clone();
    let like = |dice: &mut Dice| match alike.as_slice() {
        [] => any(dice),
        alike => alike[dice.below(alike.len())].clone(),
    };
    let literal = |dice: &mut Dice| match dice.below(8) {
        0 => "`null`".to_owned(),
        1 => "1".to_owned(),
        2 => "'a'".to_owned(),
        3 => "`[]`".to_owned(),
        4 => "1.5".to_owned(),
        5 => "-1".to_owned(),
        6 => "'unit'".to_owned(),
        _ => format!("`{}`", wanted.to_string().replace('`', "\\`")),
    };
    let (one, other) = (like(dice), like(dice));
    if dice.below(5) == 0 {
        let third = any(dice);
        return jmes(dice, &one, &other, &third);
    }
    match dice.below(30) {
        0..9 => one,
        9 => any(dice),
        10 => format!("coalesce({one}, {other})"),
        11 => format!("coalesce({one}, {})", literal(dice)),
        12 => format!("{} ? {one} : {other}", any(dice)),
        13 => format!("{one} ? {one} : {}", literal(dice)),
        14 => format!("{one} != `null` ? {one} : {}", literal(dice)),
        15 => format!("{one} {} {other}", ["+", "-", "*", "/", "%"][dice.below(5)]),
        16 => format!("{one} {} {}", ["==", "<", "!="][dice.below(3)], any(dice)),
        17 => format!("string({})", any(dice)),
        18 => {
            let all = tiny_runtime::mapping::FUNCTIONS;
            let function = &all[dice.below(all.len())];
            let args: Vec<String> = function
                .takes
                .iter()
                .map(|takes| match takes {
                    tiny_runtime::mapping::Takes::Expression => "&@".to_owned(),
                    _ => any(dice),
                })
                .collect();
            format!("{}({})", function.name, args.join(", "))
        }
        19 => format!("{}[*]", any(dice)),
        20 => format!("{}..*", any(dice)),
        21 => format!("{one}[?@ != `null`]"),
        22 => format!("first({})", any(dice)),
        23 => format!("{}.{}", any(dice), ["one", "maybe", "kind", "nope"][dice.below(4)]),
        24 => format!("length({})", any(dice)),
        25 => format!("first({one}[?@.maybe != `null`].maybe)"),
        26 => format!("{one}[?@.maybe].maybe"),
        27 => format!("{one}.kind == 'unit' ? {one} : {one}.inside"),
        28 => format!("{one}.kind != 'unit' ? {one}.inside : {other}"),
        _ => literal(dice),
    }
}

/// The same in JMESPath.
fn jmes(dice: &mut Dice, one: &str, other: &str, third: &str) -> String {
    let path = |path: &str| {
        let names = path.trim_start_matches('$').replace("['", ".\"").replace("']", "\"");
        let names = names.trim_start_matches('.').to_owned();
        if names.is_empty() { "@".to_owned() } else { names }
    };
    let (one, other, third) = (path(one), path(other), path(third));
    match dice.below(14) {
        0 => one,
        1 => format!("{one} || {other}"),
        2 => format!("{one} && {other}"),
        3 => format!("{third}[*]"),
        4 => format!("{third}[?@ != `null`]"),
        5 => format!("{third}[].{{a: @, one: one}}"),
        6 => format!("{third}[?maybe].maybe | [0]"),
        7 => format!("{third}[?maybe != `null`].[maybe, one]"),
        8 => format!("not_null({one}, {other}, `1`)"),
        9 => format!("{one} > {other}"),
        10 => format!("{third}.*"),
        11 => format!("{third}[0].{{one: one, kind: kind}}"),
        12 => format!("{third}[-1:]"),
        _ => format!("[{one}, {other}]"),
    }
}

fn leaf(dice: &mut Dice, paths: &[(String, Value)], wanted: &Value) -> Value {
    match dice.below(12) {
        0 => wanted.clone(),
        1 => format!("x {{{{ {} }}}}", expression(dice, paths, wanted)).into(),
        _ => format!("{{{{ {} }}}}", expression(dice, paths, wanted)).into(),
    }
}

/// A mapping that makes something like `wanted` of messages like `message`.
fn mapping(dice: &mut Dice, message: &Value, wanted: &Value, depth: usize) -> Value {
    let mut found = Vec::new();
    paths(message, "$", &mut found);
    built(dice, &found, wanted, depth)
}

fn built(dice: &mut Dice, paths: &[(String, Value)], wanted: &Value, depth: usize) -> Value {
    match wanted {
        Value::Object(map) if depth == 0 || dice.below(3) == 0 => {
            let mut fields = Map::new();
            for (key, value) in map {
                if dice.below(20) > 0 {
                    fields.insert(key.clone(), built(dice, paths, value, depth + 1));
                }
            }
            if dice.below(20) == 0 {
                fields.insert("new".into(), leaf(dice, paths, &json!(1)));
            }
            // What belongs to another variant.
            if map.contains_key("kind") && dice.below(8) == 0 {
                fields.insert("content".into(), leaf(dice, paths, &json!(1)));
            }
            fields.into()
        }
        Value::Array(items) if dice.below(3) == 0 => {
            items.iter().map(|item| built(dice, paths, item, depth + 1)).collect()
        }
        wanted => leaf(dice, paths, wanted),
    }
}

#[derive(Default)]
struct Tally {
    edges: usize,
    rows: usize,
    proved: usize,
    refuted: usize,
    unknown: BTreeMap<String, usize>,
    proved_edges: usize,
    refuted_edges: usize,
    messages: usize,
    faults: Vec<String>,
}

impl Tally {
    fn count(&mut self, proof: &Proof) {
        self.edges += 1;
        self.proved_edges += usize::from(proof.is_proved());
        self.refuted_edges += usize::from(proof.refuted().next().is_some());
        for row in &proof.rows {
            self.rows += 1;
            match &row.verdict {
                Verdict::Proved => self.proved += 1,
                Verdict::Refuted { .. } => self.refuted += 1,
                Verdict::Unknown { why } => {
                    let cause = why.rsplit(": ").next().unwrap_or_default();
                    let cause: String =
                        cause.chars().filter(|c| !c.is_ascii_digit()).take(60).collect();
                    *self.unknown.entry(cause).or_default() += 1;
                }
            }
        }
    }

    fn and(mut self, other: Self) -> Self {
        self.edges += other.edges;
        self.rows += other.rows;
        self.proved += other.proved;
        self.refuted += other.refuted;
        self.proved_edges += other.proved_edges;
        self.refuted_edges += other.refuted_edges;
        self.messages += other.messages;
        for (cause, count) in other.unknown {
            *self.unknown.entry(cause).or_default() += count;
        }
        self.faults.extend(other.faults);
        self
    }

    fn fault(&mut self, source: &Type, target: &Type, written: Option<&Value>, why: &str) {
        self.faults.push(format!(
            "{} -> {}: {why}\nmapping {}\nsource {}\ntarget {}",
            source.name,
            target.name,
            written.map_or_else(|| "none".into(), Value::to_string),
            source.schema,
            target.schema
        ));
    }
}

/// Proves one edge, and tries what was proved or refuted.
fn check(dice: &mut Dice, source: &Type, target: &Type, tally: &mut Tally) {
    let message = (source.any)(dice);
    let wanted = (target.any)(dice);
    let written = (dice.below(12) > 0).then(|| mapping(dice, &message, &wanted, 0));
    let compiled = match written.as_ref().map(Mapping::compile).transpose() {
        Ok(compiled) => compiled,
        Err(_) => return,
    };
    let proof = match &compiled {
        Some(compiled) => compiled.proof(&source.shape, &target.shape),
        None => identity(&source.shape, &target.shape),
    };
    let carry = |message: &Value| match &compiled {
        Some(compiled) => (target.map)(compiled, message),
        None => (target.read)(message),
    };
    tally.count(&proof);
    if let Some(compiled) = &compiled
        && let Ok(value) = compiled.read_value(&message).and_then(|slots| compiled.value(slots))
    {
        let result = compiled.result(&source.shape);
        // At the top a path that leads nowhere is null.
        if !result.has(&value) && !value.is_null() {
            let why = format!("{message} becomes {value}, which is not {result}");
            return tally.fault(source, target, written.as_ref(), &why);
        }
    }
    if proof.is_proved() {
        for _ in 0..MESSAGES {
            let message = (source.any)(dice);
            tally.messages += 1;
            if let Err(error) = carry(&message) {
                let why = format!("proved, and {message} fails: {error}");
                return tally.fault(source, target, written.as_ref(), &why);
            }
        }
    }
    for row in &proof.rows {
        let Verdict::Refuted { why, witness } = &row.verdict else { continue };
        if let Err(error) = (source.read)(witness) {
            let why = format!("{why}; its witness {witness} is no message of the source: {error}");
            return tally.fault(source, target, written.as_ref(), &why);
        }
        if carry(witness).is_ok() {
            let why = format!("{why}; its witness {witness} does not fail");
            return tally.fault(source, target, written.as_ref(), &why);
        }
    }
}

/// Pairs that one stream of numbers decides.
const SHARE: usize = 1000;

fn some(seed: u64, types: &[Type], tally: &mut Tally) {
    let mut dice = Dice::new(seed);
    for _ in 0..SHARE {
        let source = &types[dice.below(types.len())];
        // Often the same, so that enough is proved.
        let target = match dice.below(3) {
            0 => source,
            _ => &types[dice.below(types.len())],
        };
        check(&mut dice, source, target, tally);
    }
}

#[test]
fn what_is_proved_never_fails_and_what_is_refuted_does() {
    let number = |name: &str| std::env::var(name).ok().and_then(|value| value.parse::<u64>().ok());
    let pairs = number("PAIRS").map_or(PAIRS, |pairs| usize::try_from(pairs).unwrap());
    let seed = number("SEED").unwrap_or(20_261_126);
    let mut types = Types::default();
    forms::each(&mut types);
    let (types, next) = (types.0, AtomicU64::new(0));
    let shares = pairs.div_ceil(SHARE) as u64;
    let work = || {
        let mut tally = Tally::default();
        while tally.faults.len() < 5 {
            let share = next.fetch_add(1, Ordering::Relaxed);
            if share >= shares {
                break;
            }
            some((seed << 20) ^ share, &types, &mut tally);
        }
        tally
    };
    let tally = thread::scope(|scope| {
        let count = thread::available_parallelism().map_or(1, Into::into);
        let workers: Vec<_> = (0..count).map(|_| scope.spawn(work)).collect();
        let tallies = workers.into_iter().map(|worker| worker.join().unwrap());
        tallies.fold(Tally::default(), Tally::and)
    });
    let unknown: usize = tally.unknown.values().sum();
    eprintln!(
        "seed {seed}: {} edges with {} fields: {} proved, {} refuted, {unknown} unknown ({:.1} %); {} edges proved (tried with {} messages), {} refuted",
        tally.edges,
        tally.rows,
        tally.proved,
        tally.refuted,
        100.0 * unknown as f64 / tally.rows as f64,
        tally.proved_edges,
        tally.messages,
        tally.refuted_edges
    );
    let mut causes: Vec<_> = tally.unknown.iter().collect();
    causes.sort_by_key(|(_, count)| std::cmp::Reverse(**count));
    for (cause, count) in causes.iter().take(12) {
        eprintln!("  {count} unknown: {cause}");
    }
    let faults = tally.faults.iter().take(5).cloned().collect::<Vec<_>>();
    assert!(faults.is_empty(), "{} faults\n\n{}", tally.faults.len(), faults.join("\n\n"));
    assert!(tally.edges >= pairs * 17 / 20, "too many mappings did not compile: {}", tally.edges);
    assert!(tally.proved_edges > pairs / 20, "too little is proved: {}", tally.proved_edges);
    assert!(tally.refuted_edges > pairs / 10, "too little is refuted: {}", tally.refuted_edges);
}
