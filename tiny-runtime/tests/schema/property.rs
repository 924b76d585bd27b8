//! What serde writes validates, and what validates serde reads: for types that are generated from forms and what is in them.
//!
//! `ROUNDS` is the number of values of each type; `SEED` repeats a run.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};
use tiny_runtime::component::Message;
use tiny_runtime::schema::of;

pub(crate) mod any;
pub(crate) mod forms;

use any::{Any, Dice};

/// Values of each type, where `ROUNDS` says nothing else.
const ROUNDS: usize = 500;

/// The checks of this file, type by type.
struct Checks {
    dice: Dice,
    rounds: usize,
    tally: Tally,
}

impl forms::Visit for Checks {
    fn visit<T: Message + Any>(&mut self) {
        check::<T>(&mut self.dice, self.rounds, &mut self.tally);
    }
}

#[derive(Default)]
struct Tally {
    types: usize,
    written: usize,
    validated: usize,
    read: usize,
    gaps: BTreeMap<&'static str, usize>,
    faults: Vec<String>,
}

/// Where validators and serde are known to differ: JSON schema has no words for it.
fn gap(value: &Value, schema: &Value, error: &str) -> Option<&'static str> {
    let mut whole_reals = false;
    each(value, &mut |value| {
        whole_reals |= value.is_f64() && value.as_f64().is_some_and(|it| it.fract() == 0.0)
    });
    if whole_reals {
        return Some("`1.0` is a whole number for JSON schema, and none for serde");
    }
    if error.contains("expected unit variant") {
        return Some(
            "a variant without content has some, beside its name: no schema of `schemars` forbids it",
        );
    }
    // Of what a format means, validators ask less than the crate that reads the text.
    let of_text = ["duration", "failed to parse", "parameter"];
    let hidden = schema.to_string().contains("timespan") && error.contains("any variant");
    if hidden || of_text.iter().any(|word| error.contains(word)) {
        return Some("a format is checked more exactly where it is read");
    }
    None
}

fn each(value: &Value, see: &mut impl FnMut(&Value)) {
    see(value);
    match value {
        Value::Array(items) => items.iter().for_each(|item| each(item, see)),
        Value::Object(fields) => fields.values().for_each(|field| each(field, see)),
        _ => {}
    }
}

/// Checks one type.
fn check<T: Message + Any>(dice: &mut Dice, rounds: usize, tally: &mut Tally) {
    let schema = of::<T>();
    let name = std::any::type_name::<T>();
    assert_eq!(schema.to_string(), of::<T>().to_string(), "{name}");
    let faults = jsonschema::draft202012::meta::validate(&schema);
    assert!(faults.is_ok(), "{name}: {faults:?}\n{schema:#}");
    let options = jsonschema::draft202012::options().should_validate_formats(true);
    let validator = options.build(&schema).unwrap_or_else(|e| panic!("{name}: {e}\n{schema:#}"));
    tally.types += 1;
    for _ in 0..rounds {
        let value = serde_json::to_value(T::any(dice, 3)).unwrap();
        if let Err(error) = validator.validate(&value) {
            panic!("{name} writes what does not validate: {error}\n{value}\n{schema:#}");
        }
        tally.written += 1;
        let mut changed = value;
        for _ in 0..=dice.below(2) {
            change(&mut changed, dice);
        }
        if !validator.is_valid(&changed) {
            continue;
        }
        tally.validated += 1;
        match serde_json::from_value::<T>(changed.clone()) {
            Ok(_) => tally.read += 1,
            Err(error) => match gap(&changed, &schema, &error.to_string()) {
                Some(gap) => *tally.gaps.entry(gap).or_default() += 1,
                None => {
                    let fault =
                        format!("{name} cannot read what validates: {error}\n{changed}\n{schema}");
                    tally.faults.push(fault);
                    return;
                }
            },
        }
    }
}

/// Changes one place of a value.
fn change(value: &mut Value, dice: &mut Dice) {
    match value {
        Value::Object(fields) if !fields.is_empty() && dice.below(4) > 0 => {
            let at = dice.below(fields.len());
            match dice.below(6) {
                0 => drop(fields.remove(&fields.keys().nth(at).unwrap().clone())),
                1 => drop(fields.insert(format!("new{}", dice.below(3)), leaf(dice))),
                _ => change(fields.values_mut().nth(at).unwrap(), dice),
            }
        }
        Value::Array(items) if !items.is_empty() && dice.below(4) > 0 => {
            let at = dice.below(items.len());
            match dice.below(6) {
                0 => drop(items.remove(at)),
                1 => items.push(items[at].clone()),
                _ => change(&mut items[at], dice),
            }
        }
        other => *other = leaf(dice),
    }
}

fn leaf(dice: &mut Dice) -> Value {
    match dice.below(16) {
        0 => Value::Null,
        1 => json!(true),
        2 => json!(0),
        3 => json!(-1),
        4 => json!(dice.number()),
        5 => json!(i64::MIN),
        6 => json!(u64::MAX),
        7 => json!(1.5),
        8 => json!(1e300),
        9 => json!(""),
        10 => json!("a"),
        11 => json!("2024-02-30T25:00:00Z"),
        12 => json!("unit"),
        13 => json!([]),
        14 => json!([1, "a"]),
        _ => Value::Object(Map::new()),
    }
}

#[test]
fn what_is_written_validates_and_what_validates_is_read() {
    let number = |name: &str| std::env::var(name).ok().and_then(|value| value.parse().ok());
    let rounds = number("ROUNDS").map_or(ROUNDS, |rounds| usize::try_from(rounds).unwrap());
    let seed: u64 = number("SEED").unwrap_or(20_261_126);
    let mut checks = Checks { dice: Dice::new(seed), rounds, tally: Tally::default() };
    forms::each(&mut checks);
    let Tally { types, written, validated, read, gaps, faults } = &checks.tally;
    eprintln!(
        "seed {seed}: {written} values of {types} types validate; of {validated} changed ones that do, {read} are read"
    );
    for (gap, count) in gaps {
        eprintln!("known difference, {count} times: {gap}");
    }
    assert!(faults.is_empty(), "{}", faults.join("\n\n"));
    assert!(*types >= 200, "{types}");
    assert!(*written >= rounds * 200, "{written}");
    assert!(*validated > written / 20, "the changes are too wild to tell anything: {validated}");
}
