//! The official suites of both languages, and what was recorded of the original's.
//!
//! Needs them: `TINY_CONFORMANCE=DIR TINY_VECTORS=DIR cargo test -p tiny-runtime --lib mapping`.

use std::path::PathBuf;

use serde_json::Value;

use super::super::eval::{Eval, Failure, Got, Steps};
use super::super::paths::Paths;
use super::super::query::Scope;
use super::super::tree::Expr;
use super::super::{compare, dollar, expression, jmes, path};

fn folder(variable: &str, what: &str) -> Option<PathBuf> {
    let folder = std::env::var_os(variable).map(PathBuf::from);
    if folder.is_none() {
        eprintln!("skipped: {variable} is not set, so there is no {what}");
    }
    folder
}

fn read(file: PathBuf) -> Value {
    serde_json::from_str(&std::fs::read_to_string(file).unwrap()).unwrap()
}

fn slots<'a>(paths: &Paths, message: &'a Value) -> Vec<Option<&'a Value>> {
    paths.list.iter().map(|path| path::follow(message, path.as_ref()?)).collect()
}

fn evaluated(expr: &Expr, paths: &Paths, message: &Value) -> Result<Value, Failure> {
    let slots = slots(paths, message);
    let steps = Steps::default();
    let got = Eval { slots: &slots, steps: &steps }.of(expr, &Value::Null)?;
    Ok(match got {
        Got::Nothing => Value::Null,
        got => got.into_value(),
    })
}

#[test]
fn jsonpath_is_that_of_rfc_9535() {
    let Some(folder) = folder("TINY_CONFORMANCE", "suite of JSONPath") else { return };
    let suite = read(folder.join("jsonpath/cts.json"));
    let cases = suite["tests"].as_array().unwrap();
    let mut wrong = Vec::new();
    for case in cases {
        let (name, selector) = (case["name"].as_str().unwrap(), case["selector"].as_str().unwrap());
        let mut paths = Paths::default();
        let parsed = dollar::query(selector, &mut paths);
        if case["invalid_selector"] == true {
            wrong.extend(parsed.is_ok().then(|| format!("{name}: `{selector}` should be refused")));
            continue;
        }
        let query = match parsed {
            Ok(query) => query,
            Err(fault) => {
                wrong.push(format!("{name}: `{selector}`: {fault:?}"));
                continue;
            }
        };
        let message = &case["document"];
        let (slots, steps) = (slots(&paths, message), Steps::default());
        let scope = Scope { slots: &slots, current: None, steps: &steps };
        let found: Vec<Value> = query.select(scope).unwrap().into_iter().cloned().collect();
        let allowed = match case.get("results") {
            Some(several) => several.as_array().unwrap().clone(),
            None => vec![case["result"].clone()],
        };
        if !allowed.contains(&found.clone().into()) {
            wrong.push(format!("{name}: `{selector}` gives {found:?}, not {}", allowed[0]));
        }
    }
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), cases.len(), wrong.join("\n"));
    eprintln!("{} cases of JSONPath pass", cases.len());
}

#[test]
fn jmespath_is_the_official_one() {
    let Some(folder) = folder("TINY_CONFORMANCE", "suite of JMESPath") else { return };
    let mut wrong = Vec::new();
    let mut count = 0;
    let mut files: Vec<PathBuf> =
        std::fs::read_dir(folder.join("jmespath")).unwrap().map(|it| it.unwrap().path()).collect();
    files.sort();
    for file in files {
        let suites = read(file.clone());
        for suite in suites.as_array().unwrap() {
            for case in suite["cases"].as_array().unwrap() {
                count += 1;
                let text = case["expression"].as_str().unwrap();
                let place = format!("{}: `{text}`", file.file_stem().unwrap().display());
                let mut paths = Paths::default();
                let given = jmes::expression(text, false, &mut paths)
                    .map_err(|fault| fault.why)
                    .and_then(|expr| {
                        evaluated(&expr, &paths, &suite["given"]).map_err(|Failure(why)| why)
                    });
                match (given, case.get("error")) {
                    (Ok(given), None) => {
                        // Those that are timed have no result.
                        let expected = case.get("result");
                        if expected.is_some_and(|expected| !compare::same(&given, expected)) {
                            wrong.push(format!("{place} gives {given}, not {}", case["result"]));
                        }
                    }
                    (Ok(given), Some(error)) => {
                        wrong.push(format!("{place} gives {given}, not the error {error}"))
                    }
                    (Err(_), Some(_)) => {}
                    (Err(why), None) => wrong.push(format!("{place}: {why}")),
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{} of {count}:\n{}", wrong.len(), wrong.join("\n"));
    eprintln!("{count} cases of JMESPath pass");
}

/// Where we give something else than the original did, and why.
const OTHERWISE: &[(&str, &[&str])] = &[
    (
        "a query always gives a list, also of one",
        &["$.items[?(@.sku == \"b\")].price", "$.headers[?(@.key == 'Host')].value"],
    ),
    (
        "it is RFC 9535: no computed index, no length as a field, no `..` alone, names beyond ASCII",
        &["$.", "$.items[(@.length-1)].sku", "$.items.length", "$.\u{fc}n\u{ef}"],
    ),
    (
        "not taken",
        &[
            "$.items[?(@.sku =~ '[ab]')].sku",
            "2 ** 10",
            "1 << 4",
            "6 & 3",
            "roundtoeven(2.5)",
            "parent($.user.id)",
            "root($.user.id)",
            "\"30s\" + \"15s\"",
            "\"2024-01-01T12:00:00Z\" + \"1h\"",
            "\"1h\" + \"2024-01-01T12:00:00Z\"",
            "\"2024-01-01T12:00:00Z\" - \"1h\"",
            "\"2024-01-01T12:00:00+02:00\" + \"1h\"",
            "\"1500ms\" + \"1ms\"",
        ],
    ),
    (
        "theirs has it not",
        &[
            "!$.ok",
            "$.ok ? 'yes' : 'no'",
            "lower($.name)",
            "split('a,b', ',')",
            "contains($.name, 'n')",
            "replace('foo','o','0')",
            "substr('hello',1,3)",
        ],
    ),
    (
        "a function says what it cannot take",
        &["length($.missing)", "sum($.name)", "b64encode($.age)"],
    ),
    ("a text has characters, not bytes", &["length('\u{fc}n\u{ef}')"]),
    (
        "a number is written as JSON writes it, an object with its keys as they are, and nothing is null",
        &[
            "string($.big)",
            "string($.huge)",
            "string(1000000)",
            "string(10000000)",
            "string($.user)",
            "string($.missing)",
        ],
    ),
];

#[test]
fn expressions_give_what_was_recorded() {
    let Some(folder) = folder("TINY_VECTORS", "recordings") else { return };
    let recorded = read(folder.join("expressions.json"));
    let message = &recorded["documents"]["doc"];
    let (mut wrong, mut otherwise) = (Vec::new(), 0);
    for case in recorded["vectors"].as_array().unwrap() {
        let text = case["expression"].as_str().unwrap();
        if let Some((why, _)) = OTHERWISE.iter().find(|(_, others)| others.contains(&text)) {
            eprintln!("`{text}`: otherwise, {why}");
            otherwise += 1;
            continue;
        }
        let mut paths = Paths::default();
        let given = expression::alone(text, &mut paths)
            .map_err(|fault| format!("{} ({})", fault.why, fault.fix))
            .and_then(|expr| evaluated(&expr, &paths, message).map_err(|Failure(why)| why));
        match (given, case.get("expected_error")) {
            (Ok(given), None) if compare::same(&given, &case["expected"]) => {}
            (Err(_), Some(_)) => {}
            (given, Some(_)) => wrong
                .push(format!("`{text}` gives {given:?}, and was refused: {}", case["error_text"])),
            (given, None) => {
                wrong.push(format!("`{text}` gives {given:?}, not {}", case["expected"]))
            }
        }
    }
    assert!(wrong.is_empty(), "{}:\n{}", wrong.len(), wrong.join("\n"));
    let listed: usize = OTHERWISE.iter().map(|(_, others)| others.len()).sum();
    assert_eq!(otherwise, listed, "each that is listed was recorded");
    eprintln!(
        "{otherwise} of {} recorded expressions are judged otherwise",
        recorded["vectors"].as_array().unwrap().len()
    );
}
