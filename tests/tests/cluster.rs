//! The same binary, CRDs, samples and flow against a real API server, where `TINY_TEST_KUBECONFIG` names one.

use tiny_tests::{Cluster, Desk, eventually, flow, root};

/// The flags that send a command of ours to a cluster.
fn flags(cluster: &Cluster) -> [&str; 4] {
    ["--kubeconfig", &cluster.kubeconfig, "--namespace", &cluster.namespace]
}

/// Installs the CRDs as the binary prints them.
fn install(cluster: &Cluster, desk: &Desk) {
    let crds = desk.file("crds.yaml", &desk.call(&["crds"]).ok());
    let crds = crds.to_str().expect("a path in UTF-8");
    cluster.kubectl(&["apply", "--server-side", "--force-conflicts", "-f", crds]).ok();
    cluster.kubectl(&["wait", "--for=condition=Established", "-f", crds, "--timeout=30s"]).ok();
}

#[test]
fn a_greeting_travels_on_a_real_cluster() {
    let Some(cluster) = Cluster::new("greeting") else { return };
    let desk = Desk::new();
    let fresh = cluster.kubectl(&["get", "crd", "tinynodes.operator.tinysystems.io"]).code != 0;
    if fresh {
        let mut args = vec!["get", "nodes"];
        args.extend(flags(&cluster));
        let said = desk.call(&args).refused();
        assert!(said.contains("does not have the CRDs of Tiny; install them with"), "{said}");
    }
    install(&cluster, &desk);

    let mut args = vec!["get", "nodes", "--namespace", "nowhere"];
    args.extend(&flags(&cluster)[..2]);
    let said = desk.call(&args).refused();
    assert!(
        said.contains(
            "has no namespace `nowhere`; create it with `kubectl create namespace nowhere`"
        ),
        "{said}"
    );

    let flow = flow();
    let mut args = flags(&cluster).to_vec();
    args.extend(["--apply", flow.to_str().expect("a path in UTF-8")]);
    let mut module = desk.run(&args);
    let next = module.line("next ");
    assert!(next.contains(&format!("--wait --namespace {}", cluster.namespace)), "{next}");
    assert!(!desk.path().join(".tiny").exists(), "a cluster needs no local plane");

    let mut args = vec!["signal", "hello", "input", r#"{"name":"World"}"#, "--wait"];
    args.extend(flags(&cluster));
    assert_eq!(desk.call(&args).ok(), "Hello, World!\n");
    let reply =
        cluster.kubectl(&["get", "ts", "hello-input", "-o", "jsonpath={.status.reply}"]).ok();
    assert_eq!(reply, "Hello, World!");
    let described = cluster.kubectl(&["describe", "tn", "hello"]).ok();
    assert!(described.contains("the node takes messages"), "{described}");
    assert!(module.interrupt().success());

    // Released, so that the next one leads at once.
    let holder = cluster
        .kubectl(&["get", "lease", "hello-module-lock", "-o", "jsonpath={.spec.holderIdentity}"])
        .ok();
    assert_eq!(holder, "");
}

#[test]
fn flow_and_samples_are_accepted_unchanged() {
    let Some(cluster) = Cluster::new("samples") else { return };
    let desk = Desk::new();
    install(&cluster, &desk);
    let samples = root().join("examples/samples");
    for path in [&flow(), &samples] {
        let path = path.to_str().expect("a path in UTF-8");
        cluster.kubectl(&["apply", "--validate=strict", "-f", path]).ok();
        cluster
            .kubectl(&[
                "apply",
                "--server-side",
                "--force-conflicts",
                "--validate=strict",
                "-f",
                path,
            ])
            .ok();
    }
    let kinds = "tp,tf,tn,tm,ts,tt,twp";
    let names = cluster.kubectl(&["get", kinds, "-o", "name"]).ok();
    assert!(names.lines().count() >= 8, "{names}");
}

#[test]
fn a_greeting_travels_through_two_modules_on_a_real_cluster() {
    let Some(cluster) = Cluster::new("modules") else { return };
    let desk = Desk::new();
    install(&cluster, &desk);
    let flow = root().join("examples/hello-module/two-modules.yaml");
    let flow = flow.to_str().expect("a path in UTF-8");
    let module = |name: &'static str, more: &[&str]| {
        let mut args = vec!["run", "--name", name];
        args.extend(flags(&cluster));
        args.extend(more);
        let mut running = desk.start(&args);
        running.line("nodes ");
        running
    };
    let (a, b) = (module("a", &["--apply", flow]), module("b", &[]));
    let greet = || {
        let mut args = vec!["signal", "first", "input", r#"{"name":"World"}"#, "--wait"];
        args.extend(flags(&cluster));
        desk.call(&args).ok()
    };
    assert_eq!(greet(), "Welcome, Hello, World!!\n");
    let addresses = || {
        let path = "jsonpath={.items[*].status.addr}";
        cluster.kubectl(&["get", "tinymodules", "-o", path]).ok()
    };
    let before = addresses();
    assert_eq!(before.split_whitespace().count(), 2, "{before}");

    // It comes back on another port, once its lease is free.
    b.kill();
    let b = module("b", &[]);
    eventually("another address", || (addresses() != before).then_some(()));
    assert_eq!(greet(), "Welcome, Hello, World!!\n");
    assert!(a.interrupt().success());
    assert!(b.interrupt().success());
}
