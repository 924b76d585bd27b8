//! What a mapping costs, against the same written by hand and against the crate of JMESPath.
//!
//! `cargo bench -p tiny-runtime --bench mapping`. Nanoseconds of CPU of this thread, medians of rounds; compare the ratios.

use std::hint::black_box;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tiny_runtime::mapping::Mapping;

const ROUNDS: usize = 7;
const TIMES: u32 = 400_000;

/// An order of about 300 bytes as JSON, with `rest` more in it that nobody reads.
#[derive(Serialize)]
struct Order {
    id: u64,
    customer: Customer,
    price: f64,
    currency: String,
    paid: bool,
    note: String,
    lines: Vec<Line>,
    rest: Vec<String>,
}

#[derive(Serialize)]
struct Customer {
    name: String,
    city: String,
    email: String,
}

#[derive(Serialize)]
struct Line {
    sku: String,
    count: u32,
}

/// What two fields become.
#[derive(Deserialize)]
#[allow(dead_code, reason = "nobody reads it")]
struct Label {
    name: String,
    id: u64,
}

fn order(rest: usize) -> Order {
    let line = |sku: &str, count| Line { sku: sku.into(), count };
    Order {
        id: 4711,
        customer: Customer {
            name: "Ada Lovelace".into(),
            city: "London".into(),
            email: "ada@example.com".into(),
        },
        price: 129.5,
        currency: "GBP".into(),
        paid: true,
        note: "leave it at the door, and ring the bell twice".into(),
        lines: vec![line("engine", 1), line("card", 250)],
        rest: vec!["x".repeat(100); rest],
    }
}

/// CPU of this thread so far, in nanoseconds.
fn cpu() -> f64 {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").expect("this is Linux");
    text.split(' ').next().and_then(|nanos| nanos.parse().ok()).expect("a number")
}

/// Nanoseconds of one call.
fn measured(mut call: impl FnMut()) -> f64 {
    let mut rounds: Vec<f64> = (0..=ROUNDS)
        .map(|_| {
            let before = cpu();
            (0..TIMES).for_each(|_| call());
            (cpu() - before) / f64::from(TIMES)
        })
        .skip(1)
        .collect();
    rounds.sort_by(f64::total_cmp);
    rounds[rounds.len() / 2]
}

fn by_hand(message: &Value) -> Value {
    json!({
        "id": message["id"].clone(),
        "name": message["customer"]["name"].clone(),
        "city": message["customer"]["city"].clone(),
        "price": message["price"].clone(),
        "first": message["lines"][0]["sku"].clone(),
    })
}

fn main() {
    let five = Mapping::compile(&json!({
        "id": "{{ $.id }}",
        "name": "{{ $.customer.name }}",
        "city": "{{ $.customer.city }}",
        "price": "{{ $.price }}",
        "first": "{{ $.lines[0].sku }}",
    }))
    .expect("it compiles");
    let two = Mapping::compile(&json!({"name": "{{ $.customer.name }}", "id": "{{ $.id }}"}));
    let two = two.expect("it compiles");
    let total = Mapping::expression("$.price * 2 + $.id").expect("it compiles");

    for rest in [0, 100] {
        let order = order(rest);
        let value = serde_json::to_value(&order).expect("an order is JSON");
        let size = value.to_string().len();
        println!("a message of {size} bytes");
        assert_eq!(
            five.value(five.read_value(&value).expect("it reads")).expect("it maps"),
            by_hand(&value)
        );

        let hand = measured(|| drop(black_box(by_hand(black_box(&value)))));
        let row = |title: &str, nanos: f64, floor: f64| {
            println!("  {title:<52}{nanos:8.0} ns {:6.2} ×", nanos / floor);
        };
        row("five fields by hand, from JSON to JSON", hand, hand);
        let mapped = || five.value(five.read_value(black_box(&value)).expect("it reads"));
        row("five fields mapped, from JSON to JSON", measured(|| drop(black_box(mapped()))), hand);
        let typed = || two.decode::<Label>(|| two.read(black_box(&order)));
        row(
            "two fields mapped, from a type to a type",
            measured(|| drop(black_box(typed()))),
            hand,
        );
        let json = || two.decode::<Label>(|| two.read_value(black_box(&value)));
        row("two fields mapped, from JSON to a type", measured(|| drop(black_box(json()))), hand);
        let two_json = || two.value(two.read_value(black_box(&value)).expect("it reads"));
        row("two fields mapped, from JSON to JSON", measured(|| drop(black_box(two_json()))), hand);
        let summed = || total.value(total.read_value(black_box(&value)).expect("it reads"));
        row("`$.price * 2 + $.id`", measured(|| drop(black_box(summed()))), hand);

        for expression in ["customer.name", "lines[?count > `10`].sku | [0]"] {
            let ours = Mapping::expression(expression).expect("it compiles");
            let theirs = jmespath::compile(expression).expect("it compiles");
            let search = measured(|| drop(black_box(theirs.search(black_box(&value)))));
            row(&format!("`{expression}` by the crate's `search`"), search, search);
            let found = || ours.value(ours.read_value(black_box(&value)).expect("it reads"));
            row("the same by ours", measured(|| drop(black_box(found()))), search);
        }
    }
}
