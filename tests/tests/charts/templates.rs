//! What Helm makes of the charts: renders that are current, and values that are refused.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};
use tiny_tests::Called;

use crate::helm::{Helm, bless, chart, golden, is, list, objects, sets, text};

#[test]
fn helm_finds_nothing_to_complain_of() {
    let Some(helm) = Helm::of("TINY_HELM") else { return };
    helm.ok(&["lint", "--strict", text(&chart("tiny-crds"))]);
    let chart = chart("tiny-operator");
    for file in sets().values() {
        helm.ok(&["lint", "--strict", text(&chart), "--values", text(file)]);
    }
}

/// With `BLESS=1` the renders are written anew.
#[test]
fn renders_are_current_and_the_same_each_time() {
    let Some(helm) = Helm::of("TINY_HELM") else { return };
    for (name, file) in sets() {
        let once = helm.render(&file, &[]);
        assert!(once == helm.render(&file, &[]), "{name}: two renders are not the same");
        if bless() {
            fs::write(golden(&name), &once).unwrap();
        }
        let stored = fs::read_to_string(golden(&name)).unwrap_or_default();
        assert!(stored == once, "{name}: the render is old: run this test with BLESS=1");
    }
    // Charts that are there already, with the values that come with them.
    let named = sets()["named"].clone();
    let ha = chart("tiny-operator").join("values-ha.yaml");
    let two = objects(&helm.render(&named, &["--values", text(&ha)]));
    assert!(two.iter().any(|object| is(object, "PodDisruptionBudget")));
    let crds = objects(&helm.ok(&["template", "tiny-crds", text(&chart("tiny-crds"))]));
    let count = |kind| crds.iter().filter(|object| is(object, kind)).count();
    assert_eq!((count("CustomResourceDefinition"), count("ClusterRole")), (7, 3));
    let verbs = |role: &str| {
        let mut found = crds.iter().filter(|object| object["metadata"]["name"] == role);
        let role = found.next().unwrap();
        assert!(found.next().is_none() && list(role, "/rules").len() == 1);
        let resources = list(&list(role, "/rules")[0], "/resources");
        let gather = |into: &&str| {
            let label = format!("rbac.authorization.k8s.io/aggregate-to-{into}");
            role["metadata"]["labels"][label] == "true"
        };
        let into: Vec<&str> = ["view", "edit", "admin"].into_iter().filter(gather).collect();
        (into.join(" "), resources.len(), role["rules"][0]["verbs"].clone())
    };
    let write = json!(["create", "update", "patch", "delete", "deletecollection"]);
    assert_eq!(verbs("tiny-view"), ("view edit admin".into(), 7, json!(["get", "list", "watch"])));
    assert_eq!(verbs("tiny-edit"), ("edit admin".into(), 6, write.clone()));
    assert_eq!(verbs("tiny-admin"), ("admin".into(), 1, write));
    for crd in crds.iter().filter(|object| is(object, "CustomResourceDefinition")) {
        assert_eq!(crd.get("status"), None);
        assert_eq!(crd["metadata"]["annotations"]["helm.sh/resource-policy"], "keep");
    }
}

/// By kind and name, whatever the order.
fn sorted(text: &str) -> BTreeMap<String, Value> {
    let named =
        |object: Value| (format!("{} {}", object["kind"], object["metadata"]["name"]), object);
    objects(text).into_iter().map(named).collect()
}

#[test]
fn both_helms_render_the_same_objects() {
    let (Some(four), Some(three)) = (Helm::of("TINY_HELM"), Helm::of("TINY_HELM3")) else { return };
    assert!(four.ok(&["version", "--short"]).starts_with("v4."));
    assert!(three.ok(&["version", "--short"]).starts_with("v3."));
    for (name, file) in sets() {
        assert_eq!(sorted(&four.render(&file, &[])), sorted(&three.render(&file, &[])), "{name}");
    }
    let crds = chart("tiny-crds");
    let args = ["template", "tiny-crds", text(&crds), "--kube-version", "1.37.0"];
    assert_eq!(sorted(&four.ok(&args)), sorted(&three.ok(&args)));
}

/// A value, and where the message must point, as JSON pointers have it.
const WRONG: [(&str, &str); 34] = [
    ("replica=2", "additional properties 'replica' not allowed"),
    ("module.nmae=\"x\"", "/module': additional properties 'nmae' not allowed"),
    ("module.name=\"Hello\"", "/module/name"),
    ("module.name=\"a.b\"", "/module/name"),
    ("module.version=\"1 2\"", "/module/version"),
    ("controllerManager.replicas=\"two\"", "/controllerManager/replicas"),
    ("controllerManager.replicas=-1", "/controllerManager/replicas"),
    ("controllerManager.drainSeconds=0", "/controllerManager/drainSeconds"),
    ("controllerManager.drainSeconds=3601", "/controllerManager/drainSeconds"),
    ("controllerManager.drainSeconds=\"25s\"", "/controllerManager/drainSeconds"),
    ("controllerManager.shutdownDelaySeconds=1.5", "/controllerManager/shutdownDelaySeconds"),
    ("controllerManager.serviceAccount.create=\"yes\"", "/controllerManager/serviceAccount/create"),
    (
        "controllerManager.podDisruptionBudget.maxUnavailable=\"101%\"",
        "/controllerManager/podDisruptionBudget/maxUnavailable",
    ),
    ("controllerManager.tolerations=[{\"keys\":\"a\"}]", "/controllerManager/tolerations/0"),
    (
        "controllerManager.manager.image.repository=\"a/b:1\"",
        "/controllerManager/manager/image/repository",
    ),
    (
        "controllerManager.manager.image.repository=\"\"",
        "controllerManager.manager.image.repository is required",
    ),
    ("controllerManager.manager.image.tag=1", "/controllerManager/manager/image/tag"),
    (
        "controllerManager.manager.image.digest=\"sha256:1\"",
        "/controllerManager/manager/image/digest",
    ),
    (
        "controllerManager.manager.imagePullPolicy=\"Sometimes\"",
        "/controllerManager/manager/imagePullPolicy",
    ),
    ("controllerManager.manager.args=\"run\"", "/controllerManager/manager/args"),
    (
        "controllerManager.manager.extraEnv=[{\"nam\":\"A\"}]",
        "/controllerManager/manager/extraEnv/0",
    ),
    ("controllerManager.manager.env={\"1A\":\"x\"}", "/controllerManager/manager/env"),
    (
        "controllerManager.manager.containerSecurityContext.runAsRoot=true",
        "/controllerManager/manager/containerSecurityContext",
    ),
    (
        "controllerManager.manager.resources.limits.memory=\"256 MB\"",
        "/controllerManager/manager/resources/limits/memory",
    ),
    ("commonLabels={\"team\":1}", "/commonLabels/team"),
    ("managerService.ports=[]", "/managerService/ports"),
    ("managerService.ports=[{\"name\":\"metrics\",\"port\":1}]", "/managerService/ports/0/name"),
    (
        "managerService.metrics.port=8081",
        "managerService.metrics.port: 8081 is taken by the probes",
    ),
    ("managerService.metrics.port=8483", "managerService.ports[0].targetPort: 8483 is taken"),
    (
        "managerIngress.ingress={\"enabled\":true,\"port\":\"http\"}",
        "managerIngress.ingress.port: managerService.ports has no port `http`; it has grpc",
    ),
    ("tls.existingSecret=true", "/tls/existingSecret"),
    ("otlp.endpoint=\"collector:4317\"", "/otlp/endpoint"),
    ("rbac.scope=\"all\"", "/rbac/scope"),
    ("tests.node=\"hello\"", "/tests/port"),
];

#[test]
fn wrong_values_are_refused_with_their_place() {
    let helms = [Helm::of("TINY_HELM"), Helm::of("TINY_HELM3")];
    let chart = chart("tiny-operator");
    let named = sets()["named"].clone();
    for (wrong, place) in WRONG {
        let args =
            ["template", "hello", text(&chart), "--values", text(&named), "--set-json", wrong];
        if let Some(four) = &helms[0] {
            let said = four.refused(&args);
            assert!(said.contains(place), "{wrong}: {said}");
        }
        if let Some(three) = &helms[1] {
            let said = three.refused(&args);
            // It writes dots for slashes, and its own words for what is wrong.
            let place = place.split('\'').next().unwrap();
            let dotted = place.strip_prefix('/').map(|path| path.replace('/', "."));
            let place = dotted.as_deref().unwrap_or(place);
            let named = said.contains(place) || said.contains("Additional property replica");
            assert!(named, "{wrong}: {said}");
        }
    }
    if let Some(helm) = &helms[0] {
        let args = ["template", "hello", text(&chart), "--values", text(&named)];
        let said = helm.refused(&[&args[..], &["--kube-version", "1.27.3"]].concat());
        assert!(said.contains(">=1.28.0-0"), "{said}");
        let crds = self::chart("tiny-crds");
        let said =
            helm.refused(&["template", "x", text(&crds), "--set-json", "rbac.agregate=true"]);
        assert!(said.contains("/rbac': additional properties 'agregate'"), "{said}");
    }
}

#[test]
fn names_that_look_like_numbers_stay_names() {
    let Some(helm) = Helm::of("TINY_HELM") else { return };
    let chart = chart("tiny-operator");
    let named = sets()["tests"].clone();
    let args = ["template", "1234", text(&chart), "--namespace", "5e3", "--values", text(&named)];
    let more = ["--set-json", r#"managerService.ports=[{"name":"on","port":8483}]"#];
    for object in objects(&helm.ok(&[&args[..], &more].concat())) {
        let meta = &object["metadata"];
        assert_eq!(meta["namespace"], "5e3", "{}", object["kind"]);
        assert_eq!(meta["labels"]["app.kubernetes.io/instance"], "1234", "{}", object["kind"]);
        if is(&object, "Service") {
            assert_eq!(list(&object, "/spec/ports")[0]["targetPort"], "on");
        }
    }
}

#[test]
fn long_names_stay_apart() {
    let Some(helm) = Helm::of("TINY_HELM") else { return };
    let (chart, named) = (chart("tiny-operator"), sets()["named"].clone());
    let mut names = BTreeSet::new();
    for last in ["a", "b"] {
        let release = format!("{}{last}", "r".repeat(52));
        let out = helm.ok(&["template", &release, text(&chart), "--values", text(&named)]);
        let all = objects(&out);
        let deployment = all.iter().find(|object| is(object, "Deployment")).unwrap();
        let name = deployment["metadata"]["name"].as_str().unwrap().to_owned();
        assert!(name.len() <= 63, "{name}");
        names.insert(name);
    }
    assert_eq!(names.len(), 2);
}

#[test]
fn a_pod_monitor_is_written_where_the_cluster_knows_it() {
    let Some(helm) = Helm::of("TINY_HELM") else { return };
    let named = sets()["named"].clone();
    let on = ["--set", "podMonitor.enabled=true"];
    let known = ["--api-versions", "monitoring.coreos.com/v1/PodMonitor"];
    let monitors = |more: &[&str]| {
        objects(&helm.render(&named, more)).iter().filter(|one| is(one, "PodMonitor")).count()
    };
    assert_eq!(monitors(&on), 0);
    assert_eq!(monitors(&[&on[..], &known].concat()), 1);
}

#[test]
fn notes_say_what_is_next_and_what_is_not_safe() {
    let Some(helm) = Helm::of("TINY_HELM") else { return };
    let notes = |name: &str| {
        let (chart, file) = (chart("tiny-operator"), sets()[name].clone());
        let args = ["install", "hello", text(&chart), "--namespace", "tinysystems"];
        let more = ["--dry-run=client", "--values", text(&file)];
        let out = helm.ok(&[&args[..], &more].concat());
        out.split_once("\nNOTES:\n").unwrap().1.to_owned()
    };
    let (plain, name) = ("is not encrypted", "`module.name` is empty");
    let tls = notes("tls");
    assert!(tls.contains("get tinymodule hello-module"), "{tls}");
    assert!(tls.contains("logs deployment/hello-tiny-operator-controller-manager"), "{tls}");
    assert!(!tls.contains("WARNING") && !tls.contains("helm "), "{tls}");
    let unnamed = notes("unnamed");
    assert!(unnamed.contains(plain) && unnamed.contains(name), "{unnamed}");
    let tests = notes("tests");
    assert!(tests.contains("helm --namespace tinysystems test hello"), "{tests}");
    assert!(tests.contains(plain) && !tests.contains(name), "{tests}");
}

#[test]
fn charts_can_be_packed_and_indexed() {
    let Some(helm) = Helm::of("TINY_HELM") else { return };
    let folder = tempfile::tempdir().unwrap();
    let to = text(folder.path());
    for name in ["tiny-crds", "tiny-operator"] {
        helm.ok(&["package", text(&chart(name)), "--destination", to]);
        let packed = folder.path().join(format!("{name}-0.1.0.tgz"));
        // Helm reads back what it has packed.
        let shown = helm.ok(&["show", "chart", text(&packed)]);
        assert!(shown.contains(&format!("name: {name}")), "{shown}");
    }
    let packed = folder.path().join("tiny-operator-0.1.0.tgz");
    let named = sets()["named"].clone();
    let of = |chart: &Path| helm.ok(&["template", "x", text(chart), "--values", text(&named)]);
    assert_eq!(of(&packed), of(&chart("tiny-operator")));
    let listed = Command::new("tar").arg("-tzf").arg(&packed).output().unwrap();
    let files = Called::from(listed).ok();
    assert!(files.contains("tiny-operator/values-ha.yaml"), "{files}");
    assert!(!files.contains("/ci/"), "{files}");
    helm.ok(&["repo", "index", to]);
    let index = fs::read_to_string(folder.path().join("index.yaml")).unwrap();
    let index: Value = serde_saphyr::from_str(&index).unwrap();
    for name in ["tiny-crds", "tiny-operator"] {
        assert_eq!(list(&index["entries"], &format!("/{name}")).len(), 1, "{index}");
    }
}
