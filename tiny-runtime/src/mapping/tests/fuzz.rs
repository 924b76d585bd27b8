//! Expressions that nobody would write: none panics, hangs or overflows, and a typed message gives what its JSON gives.
//!
//! `ROUNDS` is the number of expressions, `SEED` repeats a run.

use fastrand::Rng;
use serde_json::{Value, json};

use super::super::Mapping;

/// Expressions, where `ROUNDS` says nothing else.
const ROUNDS: u64 = 20_000;

/// What both languages are made of.
const TOKENS: &[&str] = &[
    "$",
    "@",
    ".",
    "..",
    "*",
    "[",
    "]",
    "[*]",
    "[]",
    "[0]",
    "[-1]",
    "[1:2]",
    "[::-1]",
    "[?",
    "(",
    ")",
    "{",
    "}",
    "a",
    "b",
    "items",
    "name",
    "'x'",
    "\"a\"",
    "`1`",
    "`[1, 2]`",
    "`{\"a\": null}`",
    "1",
    "0",
    "-1",
    "1.5",
    "1e309",
    "9223372036854775807",
    "+",
    "-",
    "/",
    "%",
    "==",
    "!=",
    "<",
    "<=",
    ">",
    ">=",
    "&&",
    "||",
    "!",
    "?",
    ":",
    ",",
    "|",
    "&",
    "true",
    "null",
    "length(",
    "sum(",
    "sort_by(",
    "map(",
    "join(",
    "match(",
    "replace(",
    "substr(",
    "number(",
    "string(",
    "not(",
    "first(",
    " ",
    "\\",
    "'",
    "\"",
    "`",
    "}}",
    "{{",
    "\u{e9}",
    "\u{1d11e}",
    "\n",
    "\u{0}",
];

/// Expressions that mean something, to be changed a little.
const CORPUS: &[&str] = &[
    "$.items[?@.price > 10 && match(@.sku, 'a.*')].sku",
    "$.a + 1 * -($.b - 2) / 3 % 4",
    "$.on ? upper($.name) : join(', ', $.items[*].sku)",
    "sort_by(items[?price > `1`], &price)[*].{s: sku, t: tags[0]} | [0]",
    "items[].tags[] | [?@ != 'x'] | length(@)",
    "map(&[sku, price], items)[0][1] || `{\"a\": [1, {}]}`",
    "$..[?length(@.tags) > 1]['sku', 'price', *, 0, ::2]",
    "sum($.items[*].price) + avg($.items[*].price) >= max($.items[*].price)",
    "substr(replace(string($.items), 'a', 'bb'), 1, 9) + base64_encode('x')",
    "merge(@, {a: parse_json('[1]'), b: not(a)}).a[0]",
];

fn one<'a>(dice: &mut Rng, list: &[&'a str]) -> &'a str {
    list[dice.usize(..list.len())]
}

fn soup(dice: &mut Rng) -> String {
    (0..=dice.usize(..24)).map(|_| one(dice, TOKENS)).collect()
}

fn changed(dice: &mut Rng) -> String {
    let mut letters: Vec<char> = one(dice, CORPUS).chars().collect();
    for _ in 0..=dice.usize(..4) {
        let at = dice.usize(..=letters.len());
        match dice.usize(..4) {
            0 if at < letters.len() => drop(letters.remove(at)),
            1 => {
                let (from, to) = (at.min(letters.len() / 2), at);
                let again: Vec<char> = letters[from..to].to_vec();
                letters.splice(at..at, again);
            }
            _ => drop(letters.splice(at..at, one(dice, TOKENS).chars())),
        }
    }
    letters.into_iter().collect()
}

#[test]
fn no_expression_panics_or_hangs_and_a_typed_message_gives_what_its_json_gives() {
    let number = |name: &str| std::env::var(name).ok().and_then(|value| value.parse().ok());
    let (rounds, seed) = (number("ROUNDS").unwrap_or(ROUNDS), number("SEED").unwrap_or(20_261_126));
    let message = json!({
        "a": 1, "b": [1, [2, "x"], {"a": null}], "on": true, "name": "\u{e9}a",
        "items": [{"sku": "a", "price": 5, "tags": ["x"]}, {"sku": "b", "price": 20.5, "tags": ["x", "y"]}],
    });
    let mut dice = Rng::with_seed(seed);
    let (mut compiled, mut evaluated) = (0, 0);
    for round in 0..rounds {
        let text = if dice.bool() { soup(&mut dice) } else { changed(&mut dice) };
        let older = json!({"expression": &text, "value": null});
        for mapping in [Value::from(format!("{{{{ {text} }}}}")), older] {
            let Ok(mapping) = Mapping::compile(&mapping) else { continue };
            compiled += 1;
            let from_json = mapping.read_value(&message).and_then(|slots| mapping.value(slots));
            let from_type = mapping.read(&message).and_then(|slots| mapping.value(slots));
            evaluated += usize::from(from_json.is_ok());
            // The time goes on between the two.
            if !text.contains("now") {
                assert_eq!(from_json, from_type, "round {round} of seed {seed}: {text:?}");
            }
        }
    }
    eprintln!(
        "seed {seed}: of {rounds} expressions, each in two forms, {compiled} compile and {evaluated} give something"
    );
    assert!(
        evaluated > usize::try_from(rounds).unwrap() / 20,
        "{evaluated}: too few mean anything"
    );
}
