//! What a module goes through as a pod: it is told its plane, is asked to end, and is uninstalled. Here on a local plane.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::process::Command;
use std::time::{Duration, Instant};

use tiny_tests::{Desk, Running, eventually, flow, get};

/// The status that a probe gets.
fn probe(module: &Running, path: &str) -> u16 {
    get(&module.door("probes"), path).0
}

fn tell_to_end(module: &Running) {
    let kill = format!("kill -TERM {}", module.id());
    assert!(Command::new("sh").args(["-c", &kill]).status().unwrap().success());
}

#[test]
fn a_module_that_is_told_to_end_is_not_ready_first_and_goes_on_for_a_while() {
    let desk = Desk::new();
    let flow = flow();
    let more = ["--apply", flow.to_str().unwrap(), "--shutdown-delay", "8s", "--drain-timeout=24s"];
    let mut module = desk.run(&more);
    module.line("next ");
    eventually("readiness", || (probe(&module, "/readyz") == 200).then_some(()));
    tell_to_end(&module);
    let began = Instant::now();
    module.line("stopping   runs under way have 5s to end");
    assert_eq!((probe(&module, "/readyz"), probe(&module, "/livez")), (503, 200));
    // Who has not heard of it yet is served.
    let reply = desk.call(&["signal", "hello", "input", r#"{"name":"World"}"#, "--wait"]).ok();
    assert_eq!(reply, "Hello, World!\n");
    assert!(module.wait().success());
    assert!(began.elapsed() >= Duration::from_secs(8), "it has waited");
}

#[test]
fn an_image_must_be_told_its_plane_and_the_name_is_that_of_the_crate() {
    let desk = Desk::new().with("TINY_IN_IMAGE", "1").with("TINY_IMAGE", "ghcr.io/me/hello:7");
    let said = desk.call(&["run"]).refused();
    assert!(said.starts_with("this is an image outside of a cluster"), "{said}");
    let mut module = desk.start(&["run", "--local", "plane", "--leader-elect"]);
    module.line("module     hello-module 0.1.0");
    assert!(desk.path().join("plane/kubeconfig").exists());
    let image = eventually("the module's object", || {
        let got = desk.call(&["get", "module", "hello-module", "--local=plane", "-o", "json"]);
        let module: serde_json::Value = serde_json::from_str(&got.stdout).ok()?;
        module["spec"]["image"].as_str().map(ToOwned::to_owned)
    });
    assert_eq!(image, "ghcr.io/me/hello:7");
    assert!(module.interrupt().success());
}

#[test]
fn a_module_that_is_uninstalled_lets_go_of_its_nodes_and_stays_uninstalled() {
    let desk = Desk::new();
    let module = desk.greeting();
    let held = format!(
        "apiVersion: operator.tinysystems.io/v1alpha1\nkind: TinyNode\nmetadata:\n  name: held\n  finalizers: [{}]\nspec:\n  module: \
         absent\n  component: x\n",
        tiny_crds::labels::NODE_FINALIZER
    );
    desk.call(&["apply", "-f", desk.file("held.yaml", &held).to_str().unwrap()]).ok();
    let finalizers = || {
        let node = desk.call(&["get", "node", "held", "-o", "json"]).ok();
        let node: serde_json::Value = serde_json::from_str(&node).unwrap();
        node["metadata"]["finalizers"].as_array().map_or(0, Vec::len)
    };
    assert_eq!(finalizers(), 1);
    // A hook of another module is none of its business.
    let said = desk.call(&["pre-delete"]).ok();
    assert_eq!(said, "module `hello-module` is let go of; 0 of its nodes were held and are free\n");
    assert_eq!(finalizers(), 1);
    let said = desk.call(&["pre-delete", "--name", "absent"]).ok();
    assert_eq!(said, "module `absent` is let go of; 1 of its nodes were held and are free\n");
    assert_eq!(finalizers(), 0);
    // What it hosts goes on until it is stopped, but nobody registers it anew.
    let reply = desk.call(&["signal", "hello", "input", r#"{"name":"you"}"#, "--wait"]).ok();
    assert_eq!(reply, "Hello, you!\n");
    assert!(!desk.call(&["get", "modules"]).ok().contains("hello-module"));
    assert!(module.interrupt().success());
    let module = desk.module("hello-module");
    eventually("the next process registers it", || {
        desk.call(&["get", "modules"]).ok().contains("hello-module").then_some(())
    });
    assert!(module.interrupt().success());
}

#[test]
fn a_signal_of_its_own_needs_no_look_at_anything_else() {
    let desk = Desk::new();
    let module = desk.greeting();
    let send = |more: &[&str]| {
        let args = ["signal", "hello", "input", r#"{"name":"Helm"}"#, "--once"];
        desk.call(&[args.as_slice(), more].concat())
    };
    assert_eq!(send(&[]).ok(), "Hello, Helm!\n");
    assert_eq!(send(&[]).ok(), "Hello, Helm!\n", "beside the first");
    let nowhere = ["signal", "nowhere", "input", "{}", "--once", "--timeout", "1s"];
    let said = desk.call(&nowhere).refused();
    assert!(said.contains("is there a node `nowhere` with a port `input`"), "{said}");
    assert!(module.interrupt().success());
}

#[test]
fn what_a_module_may_do_is_printed_as_a_role() {
    let desk = Desk::new();
    let role = desk.call(&["rbac", "--name", "Acme/M", "--namespace", "flows"]).ok();
    for line in ["kind: Role", "  name: acme-m", "  namespace: flows", "  - acme-m-lock"] {
        assert!(role.contains(line), "{role}");
    }
    assert!(!role.contains('*') && !role.contains("secrets"), "{role}");
    let module = desk.greeting();
    let said = desk.call(&["pre-install"]).ok();
    assert!(said.starts_with("the local plane is ready"), "{said}");
    assert!(module.interrupt().success());
}
