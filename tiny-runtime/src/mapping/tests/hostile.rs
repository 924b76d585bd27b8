//! Expressions that are written to hurt: each ends soon, with an answer or with a sentence that names the limit.

use std::time::Duration;

use serde_json::{Value, json};

use super::super::Mapping;

/// A stack smaller than that of a worker of tokio, so that its overflow would show here first.
const STACK: usize = 1024 * 1024;

fn hostile() -> Vec<(String, &'static str)> {
    let many = |count: usize, one: &str| one.repeat(count);
    let nested = |count: usize, open: &str, inner: &str, close: &str| {
        format!("{}{inner}{}", open.repeat(count), close.repeat(count))
    };
    vec![
        (many(1_000_000, "["), "bytes, more than"),
        (many(60_000, "("), ""),
        (nested(20_000, "(", "$.a", ")"), "nested deeper than"),
        (nested(60, "(", "$.a", ")"), ""),
        (nested(30_000, "!", "$.a", ""), "nested deeper than"),
        (nested(30_000, "-", "$.a", ""), "nested deeper than"),
        (format!("$.a{}", many(20_000, "+1")), "operators stand in one row"),
        (format!("$.a{}", many(20_000, " ? 1 : 2")), ""),
        (format!("$.a ? {}", many(20_000, "1 ? ")), ""),
        (format!("${}", many(20_000, "..*")), "more than 256 steps"),
        (format!("${}", many(200, "..*")), ""),
        (format!("${}", many(20, "..[*,*,*,*]")), "more than 400000 steps"),
        (format!("$[?{}]", nested(10_000, "(", "@.a", ")")), "nested deeper than"),
        (format!("$[?{}@.a]", many(20_000, "!")), ""),
        (format!("{}$.a{}", many(100, "$.l[?@.a == "), many(100, "]")), ""),
        ("$.l[::-1] == $.l[9007199254740991:-9007199254740991:-9007199254740991]".to_owned(), ""),
        ("$.l[?match(@, '(a+)+$')]".to_owned(), ""),
        ("$.l[?search(@, '(x+x+)+y')]".to_owned(), ""),
        ("$.l[?match(@, '((((a{100}){100}){100}){100})')]".to_owned(), ""),
        ("$.l[?match(@, $.pattern)]".to_owned(), ""),
        (nested(30, "replace(", "$.text", ", 'a', 'aaaaaaaaaaaaaaaaaaaa')"), "more than 4 MiB"),
        (nested(30, "join('aaaaaaaaaaaaaaaaaaaa', split(", "$.text", ", ''))"), ""),
        (many(30_000, "a."), ""),
        (format!("a{}", many(20_000, "[*]")), "more than 512 parts"),
        (format!("a{}", many(30_000, "[]")), "more than 512 parts"),
        (nested(30_000, "[", "a", "]"), "nested deeper than 64"),
        (nested(60, "[", "a", "]"), ""),
        (nested(120, "[", "a", "]"), ""),
        (nested(30_000, "!", "a", ""), "nested deeper than 64"),
        (nested(60, "!", "a", ""), ""),
        (format!("a{}", many(100, "[*]")), ""),
        (format!("l{}", many(20, " | map(&[@, @], @)")), "more than 400000 steps"),
        (format!("a{}", many(500, " || b")), ""),
        ("`[".to_owned() + &many(10_000, "[") + "`", ""),
        (many(100, "'"), ""),
        (many(99, "\\'"), ""),
        ("$.\u{0}".to_owned(), ""),
        ("sort_by(l, &@)".to_owned(), ""),
    ]
}

#[test]
fn hostile_expressions_end_soon_and_hurt_nobody() {
    let message = json!({
        "a": {"a": {"a": [1, 2, {"a": [[[[]]]]}]}},
        "l": vec!["aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!"; 200],
        "text": "a".repeat(1000),
        "pattern": "(((a+)+)+)+$",
    });
    let run = move || {
        let mut slowest = (Duration::ZERO, String::new());
        for (text, expected) in hostile() {
            let before = cpu();
            let said = answer(&text, &message);
            let took = cpu().saturating_sub(before);
            let shown: String = text.chars().take(60).collect();
            assert!(said.contains(expected), "`{shown}`: {said}");
            // 50 ms in an optimized build; this one takes about ten times as long.
            assert!(took < Duration::from_secs(1), "`{shown}` took {took:?}: {said}");
            slowest = slowest.max((took, shown));
        }
        eprintln!("slowest, {:?} of CPU: {}", slowest.0, slowest.1);
    };
    std::thread::Builder::new().stack_size(STACK).spawn(run).unwrap().join().unwrap();
}

/// CPU of this thread so far, where the system tells.
fn cpu() -> Duration {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let nanos = text.split(' ').next().and_then(|nanos| nanos.parse().ok());
    Duration::from_nanos(nanos.unwrap_or_default())
}

fn answer(text: &str, message: &Value) -> String {
    match Mapping::compile(&json!({"expression": text, "value": null})) {
        Err(_) => {}
        Ok(mapping) => return evaluated(&mapping, message),
    }
    // Whatever is no `$` expression may be one of the other language.
    match Mapping::compile(&json!(format!("{{{{ {text} }}}}"))) {
        Err(faults) => faults[0].to_string(),
        Ok(mapping) => evaluated(&mapping, message),
    }
}

fn evaluated(mapping: &Mapping, message: &Value) -> String {
    let result = mapping.read_value(message).and_then(|slots| mapping.value(slots));
    result.map_or_else(|e| e.to_string(), |value| format!("{} bytes", value.to_string().len()))
}
