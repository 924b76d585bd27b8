//! Flows as people build them are proved, what passes through included.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::Value;
use tiny_tests::{binary, flow, hello_module, root};

/// What `check --json` of a binary says of a file.
fn check(binary: &Path, file: &Path) -> Vec<Value> {
    let empty = tempfile::tempdir().unwrap();
    let mut command = Command::new(binary);
    command.args(["check", "--json", "-f"]).arg(file).current_dir(empty.path());
    command.env_remove("KUBERNETES_SERVICE_HOST");
    let called = command.output().unwrap();
    let said = String::from_utf8_lossy(&called.stderr);
    assert!(called.status.success(), "{}: {said}", file.display());
    serde_json::from_slice(&called.stdout).unwrap()
}

#[test]
fn of_flows_as_people_build_them_little_is_unknown() {
    let folder = root().join("tests/fixtures/flows");
    let mut flows: Vec<_> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    flows.sort();
    assert!(flows.len() >= 20, "{}", flows.len());
    let (mut fields, mut unknown, mut passed) = (0, Vec::new(), 0);
    let fixtures = binary("tiny-fixtures");
    let all = flows.iter().map(|file| (fixtures, file.clone())).chain([(hello_module(), flow())]);
    for (binary, file) in all {
        let edges = check(binary, &file);
        assert!(!edges.is_empty(), "{}", file.display());
        for edge in &edges {
            assert_eq!(edge["warnings"], serde_json::json!([]), "{}: {edge:#}", file.display());
            for row in edge["fields"].as_array().unwrap() {
                fields += 1;
                passed += usize::from(
                    row["expression"].as_str().is_some_and(|it| it.contains("context.")),
                );
                if row["verdict"]["is"] == "unknown" {
                    unknown.push(format!("{}: {}", file.display(), row["verdict"]["why"]));
                }
            }
        }
    }
    let share = 100.0 * unknown.len() as f64 / f64::from(fields);
    eprintln!(
        "{} flows, {fields} fields, {passed} of them read behind what passes on: {} unknown ({share:.1} %)",
        flows.len() + 1,
        unknown.len()
    );
    for why in &unknown {
        eprintln!("  {why}");
    }
    assert!(share < 5.0, "{share} %");
    assert!(passed >= 20, "{passed}");
}
