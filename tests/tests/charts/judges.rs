//! What others who look at charts say.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use serde_json::Value;
use tiny_tests::Called;

use crate::helm::{golden, is, list, renders, sets, tool};

/// Kinds that Kubernetes does not have.
const FOREIGN: [&str; 3] = ["TinyModule", "TinyNode", "PodMonitor"];

#[test]
fn kubernetes_takes_the_objects() {
    let Some(program) = tool("TINY_KUBERNETES_VALIDATE") else { return };
    for version in ["1.28", "1.31", "1.34", "1.37"] {
        let mut command = Command::new(&program);
        command.args(["--strict", "--kubernetes-version", version]);
        command.args(sets().keys().map(|name| golden(name)));
        let Called { code, stdout: out, stderr: err } = command.output().unwrap().into();
        assert_eq!(code, 0, "{version}: {out}{err}");
        let mut passed = 0;
        for line in out.lines().chain(err.lines()) {
            passed += usize::from(line.contains(" passed for resource "));
            if line.contains("Couldn't find schema") {
                let known = FOREIGN.iter().any(|kind| line.contains(&format!("kind {kind} ")));
                assert!(known, "{version}: {line}");
            }
        }
        let objects = renders().into_values().flatten();
        let ours = objects.filter(|one| !FOREIGN.iter().any(|kind| is(one, kind))).count();
        assert_eq!(passed, ours, "{version}: {out}{err}");
    }
}

/// Checks of checkov that the charts do not pass, on purpose, and what says so.
const EXCEPT: [(&str, &[&str], &str); 8] = [
    ("CKV_K8S_38", &["Deployment", "Job", "Pod"], "each of our pods talks to the API server"),
    ("CKV_K8S_43", &["Deployment", "Job", "Pod"], "not everybody gives a digest"),
    ("CKV_K8S_11", &["Deployment", "Job", "Pod"], "a limit of CPU makes a module slow, not safe"),
    (
        "CKV_K8S_15",
        &["Deployment", "Job", "Pod"],
        "a tag is not moved; a registry that is down stops nothing",
    ),
    (
        "CKV2_K8S_6",
        &["Deployment", "Job", "Pod"],
        "a NetworkPolicy is off by default, and hooks take no connections",
    ),
    (
        "CKV_K8S_8",
        &["Pod", "extras"],
        "a test ends by itself; a container of extras is somebody else's",
    ),
    ("CKV_K8S_9", &["Pod", "extras"], "as before"),
    ("CKV_K8S_35", &["otlp"], "OpenTelemetry reads its headers from the environment"),
];

#[test]
fn checkov_finds_what_we_know_and_no_more() {
    let Some(program) = tool("TINY_CHECKOV") else { return };
    let folder = golden("x").parent().unwrap().to_owned();
    let output = Command::new(program)
        .args(["--skip-download", "--framework", "kubernetes", "--output", "json", "--directory"])
        .arg(&folder)
        .output()
        .unwrap();
    let Called { stdout: out, stderr: err, .. } = output.into();
    let report: Value = serde_json::from_str(&out).unwrap_or_else(|e| panic!("{e}: {out}{err}"));
    let passed = report["summary"]["passed"].as_u64().unwrap();
    assert!(passed > 1000, "only {passed} passed");
    let mut used = BTreeSet::new();
    for failed in list(&report, "/results/failed_checks") {
        let id = failed["check_id"].as_str().unwrap();
        let (kind, _) = failed["resource"].as_str().unwrap().split_once('.').unwrap();
        let file = Path::new(failed["file_path"].as_str().unwrap());
        let set = file.file_stem().unwrap().to_str().unwrap();
        let known = EXCEPT.iter().find(|(known, where_, _)| {
            *known == id && where_.iter().any(|at| [kind, set].contains(at))
        });
        assert!(known.is_some(), "{set}: {} {}: {}", failed["resource"], id, failed["check_name"]);
        assert!(id != "CKV_K8S_43" || set != "digest", "a digest is not used");
        used.insert(id);
    }
    let listed: BTreeSet<&str> = EXCEPT.iter().map(|(id, ..)| *id).collect();
    assert_eq!(used, listed, "an exception that nothing needs");
}
