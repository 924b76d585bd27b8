//! The charts: what they render, what they refuse, and what others say of it.
//!
//! Renders of `charts/tiny-operator/ci/*.yaml` lie in `renders/`. They are looked at here without Helm; with `TINY_HELM` they are rendered
//! again and compared, or written anew with `BLESS=1`. With `TINY_TEST_KUBECONFIG`, too, they are installed there. `TINY_HELM3`, `TINY_KUBERNETES_VALIDATE` and `TINY_CHECKOV` name further
//! judges. A test whose tool is not named says so and passes.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};
use tiny_crds::TinyModule;
use tiny_tests::{Called, Cluster, Desk, eventually, root};

/// Where the table of values stands in a README.
const BEGIN: &str = "<!-- values: begin -->\n";
const END: &str = "<!-- values: end -->";

fn chart(name: &str) -> PathBuf {
    root().join("charts").join(name)
}

fn bless() -> bool {
    std::env::var_os("BLESS").is_some_and(|value| value == "1")
}

fn tool(variable: &str) -> Option<PathBuf> {
    let found = std::env::var_os(variable).map(PathBuf::from);
    if found.is_none() {
        eprintln!("skipped: {variable} names no program");
    }
    found
}

/// Helm with folders of its own.
struct Helm {
    program: PathBuf,
    home: tempfile::TempDir,
}

impl Helm {
    fn of(variable: &str) -> Option<Self> {
        tool(variable).map(|program| Self { program, home: tempfile::tempdir().unwrap() })
    }

    /// Without a cluster, unless the arguments name one.
    fn call(&self, args: &[&str]) -> Called {
        let home = self.home.path();
        let mut command = Command::new(&self.program);
        command
            .args(args)
            .current_dir(root())
            .env("HELM_CACHE_HOME", home.join("cache"))
            .env("HELM_CONFIG_HOME", home.join("config"))
            .env("HELM_DATA_HOME", home.join("data"))
            .env("KUBECONFIG", home.join("none"));
        command.output().unwrap().into()
    }

    #[track_caller]
    fn ok(&self, args: &[&str]) -> String {
        self.call(args).ok()
    }

    /// What it says when it refuses.
    #[track_caller]
    fn refused(&self, args: &[&str]) -> String {
        self.call(args).refused()
    }

    fn render(&self, values: &Path, more: &[&str]) -> String {
        let chart = chart("tiny-operator");
        let mut args = vec!["template", "hello", text(&chart), "--namespace", "tinysystems"];
        args.extend(["--kube-version", "1.37.0", "--values", text(values)]);
        args.extend(more);
        self.ok(&args)
    }
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// The files of values with their names, in order.
fn sets() -> BTreeMap<String, PathBuf> {
    let files = fs::read_dir(chart("tiny-operator").join("ci")).unwrap();
    let named = |path: PathBuf| (path.file_stem().unwrap().to_str().unwrap().to_owned(), path);
    files.map(|entry| named(entry.unwrap().path())).collect()
}

fn golden(name: &str) -> PathBuf {
    root().join("tests/tests/renders").join(name).with_extension("yaml")
}

fn objects(text: &str) -> Vec<Value> {
    let all: Vec<Value> = serde_saphyr::from_multiple(text).unwrap();
    all.into_iter().filter(|object| !object.is_null()).collect()
}

/// What was rendered last of each set of values.
fn renders() -> BTreeMap<String, Vec<Value>> {
    let read = |name: String| {
        let text = fs::read_to_string(golden(&name)).unwrap();
        (name, objects(&text))
    };
    sets().into_keys().map(read).collect()
}

fn is(object: &Value, kind: &str) -> bool {
    object["kind"] == kind
}

fn list<'a>(value: &'a Value, pointer: &str) -> &'a [Value] {
    value.pointer(pointer).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// The template of the pods of this object, or the pod.
fn pod(object: &Value) -> Option<&Value> {
    match object["kind"].as_str()? {
        "Pod" => Some(object),
        "Deployment" | "Job" => object.pointer("/spec/template"),
        _ => None,
    }
}

// Without any tool.

#[test]
fn a_render_is_kept_of_each_set_of_values() {
    let kept: BTreeSet<String> = fs::read_dir(golden("x").parent().unwrap())
        .unwrap()
        .map(|entry| entry.unwrap().path().file_stem().unwrap().to_str().unwrap().to_owned())
        .collect();
    assert_eq!(kept, sets().into_keys().collect());
    assert!(kept.len() >= 8);
}

/// <https://kubernetes.io/docs/concepts/security/pod-security-standards/#restricted>, and a root that is read only.
#[test]
fn all_pods_fit_the_restricted_profile() {
    let mut seen = 0;
    for (name, objects) in renders() {
        for object in &objects {
            let Some(pod) = pod(object) else { continue };
            let of = format!("{name}: {} {}", object["kind"], object["metadata"]["name"]);
            let spec = &pod["spec"];
            for field in ["hostNetwork", "hostPID", "hostIPC"] {
                assert!(spec.get(field).is_none_or(|value| value == false), "{of}: {field}");
            }
            for volume in list(spec, "/volumes") {
                let kinds = [
                    "configMap",
                    "csi",
                    "downwardAPI",
                    "emptyDir",
                    "ephemeral",
                    "persistentVolumeClaim",
                    "projected",
                    "secret",
                ];
                assert!(kinds.iter().any(|kind| volume.get(kind).is_some()), "{of}: {volume}");
            }
            assert_eq!(spec["automountServiceAccountToken"], true, "{of}");
            assert_eq!(spec["enableServiceLinks"], false, "{of}");
            let of_pod = &spec["securityContext"];
            assert_eq!(of_pod["fsGroup"], 65532, "{of}");
            let containers = list(spec, "/containers").iter().chain(list(spec, "/initContainers"));
            for container in containers {
                let of = format!("{of}, {}", container["name"]);
                let own = &container["securityContext"];
                let either = |field: &str| own.get(field).or_else(|| of_pod.get(field)).cloned();
                assert_eq!(either("runAsNonRoot"), Some(json!(true)), "{of}");
                assert_eq!(either("runAsUser"), Some(json!(65532)), "{of}");
                assert_eq!(either("runAsGroup"), Some(json!(65532)), "{of}");
                let profile = either("seccompProfile").unwrap();
                assert_eq!(profile["type"], "RuntimeDefault", "{of}");
                assert_eq!(own["allowPrivilegeEscalation"], false, "{of}");
                assert!(own.get("privileged").is_none_or(|value| value == false), "{of}");
                assert_eq!(own["capabilities"], json!({"drop": ["ALL"]}), "{of}");
                assert_eq!(own["readOnlyRootFilesystem"], true, "{of}");
                assert!(container["resources"]["limits"]["memory"].is_string(), "{of}");
                for port in list(container, "/ports") {
                    assert!(port.get("hostPort").is_none(), "{of}");
                }
                seen += 1;
            }
        }
    }
    assert!(seen >= 20, "{seen}");
}

/// All that the account of a module may do, as its binary says; for all modules of a namespace, where its name is not known.
fn rules(module: Option<&str>) -> Value {
    let printed = Desk::new().call(&["rbac", "--name", module.unwrap_or("any")]).ok();
    let role: Value = serde_saphyr::from_str(&printed).unwrap();
    let mut rules = role["rules"].clone();
    if module.is_none() {
        for rule in rules.as_array_mut().unwrap() {
            rule.as_object_mut().unwrap().remove("resourceNames");
        }
    }
    rules
}

/// The only role of this kind and of this part of the module.
fn role<'a>(objects: &'a [Value], kind: &str, component: &str) -> &'a Value {
    let mut found = objects.iter().filter(|object| {
        is(object, kind) && object["metadata"]["labels"]["app.kubernetes.io/component"] == component
    });
    let role = found.next().unwrap();
    assert!(found.next().is_none());
    role
}

#[test]
fn a_module_may_do_what_is_listed_and_no_more() {
    let renders = renders();
    for name in ["named", "digest", "ha", "tls"] {
        assert_eq!(role(&renders[name], "Role", "manager")["rules"], rules(Some("hello-module")));
    }
    for name in ["seed", "unnamed"] {
        assert_eq!(role(&renders[name], "Role", "manager")["rules"], rules(None), "{name}");
    }
    let mut more = rules(Some("hello-module"));
    let secret = json!({"apiGroups": [""], "resources": ["secrets"], "resourceNames": ["hello"], "verbs": ["get"]});
    more.as_array_mut().unwrap().push(secret);
    assert_eq!(role(&renders["extras"], "Role", "manager")["rules"], more);

    let cluster = role(&renders["cluster"], "ClusterRole", "manager");
    assert_eq!(cluster["rules"], rules(None));
    assert_eq!(cluster["metadata"]["name"], "tinysystems-hello-tiny-operator-manager");
    for (name, objects) in &renders {
        let wide = objects.iter().filter(|object| is(object, "ClusterRole")).count();
        assert_eq!(wide, usize::from(name == "cluster"), "{name}");
        let text = serde_json::to_string(&objects).unwrap();
        assert!(!text.contains(r#""*""#), "{name}: a rule for everything");
    }
    let none = ["Role", "RoleBinding", "ClusterRole", "ClusterRoleBinding", "ServiceAccount"];
    assert!(!renders["no-rbac"].iter().any(|object| none.iter().any(|kind| is(object, kind))));
}

#[test]
fn hooks_have_accounts_of_their_own_that_may_do_little() {
    let renders = renders();
    let ours = json!(["operator.tinysystems.io"]);
    let test = role(&renders["tests"], "Role", "test");
    let expected =
        json!([{"apiGroups": ours, "resources": ["tinysignals"], "verbs": ["create", "get"]}]);
    assert_eq!(test["rules"], expected);
    let nodes = json!({"apiGroups": ours, "resources": ["tinynodes"], "verbs": ["list", "patch"]});
    for (name, module) in [("named", Some("hello-module")), ("unnamed", None)] {
        let mut modules =
            json!({"apiGroups": ours, "resources": ["tinymodules"], "verbs": ["delete"]});
        if let Some(module) = module {
            modules["resourceNames"] = json!([module]);
        }
        let delete = role(&renders[name], "Role", "pre-delete");
        let deployment = json!(["hello-tiny-operator-controller-manager"]);
        let get = json!({"apiGroups": ["apps"], "resources": ["deployments"], "resourceNames": deployment, "verbs": ["get"]});
        let scale = json!({"apiGroups": ["apps"], "resources": ["deployments/scale"], "resourceNames": deployment, "verbs": ["patch"]});
        let pods = json!({"apiGroups": [""], "resources": ["pods"], "verbs": ["list"]});
        assert_eq!(delete["rules"], json!([modules, get, scale, pods, nodes]), "{name}");
    }
    let mut seen = BTreeSet::new();
    for (name, objects) in &renders {
        for object in objects {
            let meta = &object["metadata"];
            let component = meta["labels"]["app.kubernetes.io/component"].as_str();
            let hook = meta["annotations"]["helm.sh/hook"].as_str();
            let expected = match component {
                Some("pre-delete") => Some("pre-delete"),
                Some("test") => Some("test"),
                _ => None,
            };
            assert_eq!(hook, expected, "{name}: {} {}", object["kind"], meta["name"]);
            seen.extend(hook);
            // What a hook needs is there before it: lower weights come first.
            if let Some(account) = pod(object).and(hook) {
                let weight = |object: &Value| -> i64 {
                    let weight = &object["metadata"]["annotations"]["helm.sh/hook-weight"];
                    weight.as_str().map_or(0, |text| text.parse().unwrap())
                };
                for kind in ["ServiceAccount", "Role", "RoleBinding"] {
                    let before = objects.iter().filter(|other| is(other, kind)).filter(|other| {
                        other["metadata"]["annotations"]["helm.sh/hook"] == account
                    });
                    let mut count = 0;
                    for other in before {
                        assert!(weight(other) < weight(object), "{name}: {kind}");
                        count += 1;
                    }
                    assert_eq!(count, usize::from(name != "no-rbac"), "{name}: {kind}");
                }
            }
        }
    }
    assert_eq!(seen, BTreeSet::from(["pre-delete", "test"]), "and no other hook");
}

#[test]
fn selectors_find_the_pods_of_the_module_and_no_others() {
    for (name, objects) in renders() {
        let deployment = objects.iter().find(|object| is(object, "Deployment")).unwrap();
        let selector = &deployment["spec"]["selector"]["matchLabels"];
        let finds = |pod: &Value| {
            let labels = &pod["metadata"]["labels"];
            selector.as_object().unwrap().iter().all(|(key, value)| labels[key] == *value)
        };
        for object in &objects {
            if let Some(pod) = pod(object) {
                assert_eq!(finds(pod), is(object, "Deployment"), "{name}: {}", object["kind"]);
            }
            let same = match object["kind"].as_str().unwrap() {
                "Service" => &object["spec"]["selector"],
                "PodDisruptionBudget" | "PodMonitor" => &object["spec"]["selector"]["matchLabels"],
                "NetworkPolicy" => &object["spec"]["podSelector"]["matchLabels"],
                _ => continue,
            };
            assert_eq!(same, selector, "{name}: {}", object["kind"]);
        }
    }
}

#[test]
fn objects_are_well_formed() {
    for (name, objects) in renders() {
        let mut names = BTreeSet::new();
        for object in &objects {
            let meta = &object["metadata"];
            let own = meta["name"].as_str().unwrap();
            let of = format!("{name}: {} {own}", object["kind"]);
            assert!(names.insert(format!("{} {own}", object["kind"])), "{of} is there twice");
            assert!(own.len() <= 63, "{of}");
            let Some(labels) = meta.get("labels") else {
                assert!(is(object, "TinyNode"), "{of} has no labels");
                continue;
            };
            for label in ["name", "instance", "version", "managed-by", "part-of", "component"] {
                let value = labels[format!("app.kubernetes.io/{label}")].as_str().unwrap();
                assert!(!value.is_empty() && value.len() <= 63, "{of}: {label}");
            }
            if is(object, "TinyModule") {
                serde_json::from_value::<TinyModule>(object.clone()).unwrap();
            }
            let Some(pod) = pod(object) else { continue };
            for container in list(pod, "/spec/containers") {
                // A server that applies refuses a list with two entries of one key.
                for (of_list, key) in
                    [("/env", "name"), ("/ports", "containerPort"), ("/volumeMounts", "mountPath")]
                {
                    let keys: Vec<&Value> =
                        list(container, of_list).iter().map(|entry| &entry[key]).collect();
                    for (at, key) in keys.iter().enumerate() {
                        assert!(!keys[..at].contains(key), "{of}: {key} is there twice");
                    }
                }
            }
        }
    }
}

/// The manager of a set of values.
fn manager<'a>(renders: &'a BTreeMap<String, Vec<Value>>, name: &str) -> &'a Value {
    let deployment = renders[name].iter().find(|object| is(object, "Deployment")).unwrap();
    &list(deployment, "/spec/template/spec/containers")[0]
}

fn args(container: &Value) -> Vec<&str> {
    list(container, "/args").iter().map(|arg| arg.as_str().unwrap()).collect()
}

fn variable<'a>(container: &'a Value, name: &str) -> &'a Value {
    let mut found = list(container, "/env").iter().filter(|entry| entry["name"] == name);
    let entry = found.next().unwrap_or_else(|| panic!("no {name}"));
    entry.get("value").or_else(|| entry.get("valueFrom")).unwrap()
}

#[test]
fn values_reach_the_manager() {
    let renders = renders();
    let of = |name| manager(&renders, name);
    assert_eq!(
        args(of("named")),
        [
            "run",
            "--namespace=tinysystems",
            "--name=hello-module",
            "--version=1.2.3",
            "--grpc-server-bind-address=:8483",
            "--metrics-bind-address=:8080",
            "--health-probe-bind-address=:8081",
            "--grpc-plaintext",
            "--drain-timeout=25s",
            "--shutdown-delay=3s",
        ]
    );
    assert!(!args(of("unnamed")).iter().any(|arg| arg.starts_with("--name=")));
    assert!(args(of("unnamed")).contains(&"--version=0.1.0"));
    assert!(args(of("extras")).ends_with(&["--shutdown-delay=3s", "--quiet"]));
    assert_eq!(args(of("seed")).last(), Some(&"--grpc-plaintext"), "arguments replace all");

    let tls = |name| -> Vec<&str> {
        args(of(name)).into_iter().filter(|arg| arg.starts_with("--grpc-tls-")).collect()
    };
    let cert = "--grpc-tls-cert=/etc/tiny/tls/tls.crt";
    let key = "--grpc-tls-key=/etc/tiny/tls/tls.key";
    assert_eq!(tls("tls"), [cert, key, "--grpc-tls-ca=/etc/tiny/tls/ca.crt"]);
    assert_eq!(tls("tls-one-way"), [cert, key]);
    for name in ["tls", "tls-one-way"] {
        assert!(!args(of(name)).contains(&"--grpc-plaintext"));
    }

    let digest = of("digest")["image"].as_str().unwrap();
    assert!(digest.starts_with("registry.example.com/hello-module@sha256:0123"), "{digest}");
    for name in renders.keys() {
        let manager = of(name);
        assert_eq!(variable(manager, "TINY_IMAGE"), &manager["image"], "{name}");
        let modules = renders[name].iter().filter(|object| is(object, "TinyModule"));
        for module in modules {
            assert_eq!(module["spec"]["image"], manager["image"], "{name}");
            assert!(
                args(manager).contains(&&*format!(
                    "--name={}",
                    module["metadata"]["name"].as_str().unwrap()
                ))
            );
        }
    }
    assert_eq!(
        variable(of("named"), "SELF_SERVICE_HOST"),
        "hello-tiny-operator-manager-service:8483"
    );
    assert_eq!(variable(of("extras"), "KUBERNETES_CLUSTER_DOMAIN"), "example.local");
    assert_eq!(variable(of("extras"), "TWICE"), "twice", "`extraEnv` wins");
    assert_eq!(
        variable(of("otlp"), "OTEL_RESOURCE_ATTRIBUTES"),
        "deployment.environment.name=production,k8s.deployment.name=hello,\
         k8s.namespace.name=tinysystems,k8s.pod.name=$(POD_NAME)"
    );

    let spec = |name: &str| {
        let deployment = renders[name].iter().find(|object| is(object, "Deployment")).unwrap();
        deployment["spec"]["template"]["spec"].clone()
    };
    assert_eq!(spec("named")["terminationGracePeriodSeconds"], 30);
    assert_eq!(spec("ha")["terminationGracePeriodSeconds"], 60);
    assert_eq!(spec("named").get("topologySpreadConstraints"), None);
    assert_eq!(list(&spec("ha"), "/topologySpreadConstraints").len(), 1);
    let budget = |name: &str| renders[name].iter().any(|one| is(one, "PodDisruptionBudget"));
    assert!(budget("ha") && budget("extras") && !budget("named"));

    // A mapping keeps its braces.
    let node = renders["extras"].iter().find(|object| is(object, "TinyNode")).unwrap();
    assert_eq!(list(node, "/spec/edges")[0]["configuration"]["text"], "{{ $.greeting }}");

    let test = renders["tests"].iter().find(|object| is(object, "Pod")).unwrap();
    assert_eq!(
        args(&list(test, "/spec/containers")[0]),
        [
            "signal",
            "--namespace=tinysystems",
            "--timeout=30s",
            "--once",
            "--",
            "hello",
            "input",
            r#"{"name":"World"}"#
        ]
    );
}

// The schema and the table.

fn values(chart_name: &str) -> (String, Value) {
    let text = fs::read_to_string(chart(chart_name).join("values.yaml")).unwrap();
    let value = serde_saphyr::from_str(&text).unwrap();
    (text, value)
}

/// What a comment says of a value: its path, and the words after `# --`.
fn documented(text: &str) -> Vec<(String, String)> {
    let mut rows = Vec::new();
    let mut path: Vec<(usize, &str)> = Vec::new();
    let mut doc: Option<String> = None;
    for line in text.lines() {
        let bare = line.trim_start();
        let indent = line.len() - bare.len();
        if let Some(words) = bare.strip_prefix("# -- ") {
            doc = Some(words.to_owned());
        } else if let Some(words) = bare.strip_prefix("# ") {
            if let Some(doc) = &mut doc {
                doc.push(' ');
                doc.push_str(words);
            }
        } else if let Some((key, _)) = bare.split_once(':')
            && key.bytes().all(|byte| byte.is_ascii_alphanumeric())
        {
            path.retain(|(outer, _)| *outer < indent);
            path.push((indent, key));
            if let Some(doc) = doc.take() {
                let keys: Vec<&str> = path.iter().map(|(_, key)| *key).collect();
                rows.push((keys.join("."), doc));
            }
        }
    }
    rows
}

fn at<'a>(values: &'a Value, path: &str) -> Option<&'a Value> {
    path.split('.').try_fold(values, |value, key| value.get(key))
}

/// Paths of all values that hold no further ones.
fn leaves(value: &Value, path: &str, found: &mut Vec<String>) {
    match value.as_object() {
        Some(map) if !map.is_empty() => {
            for (key, value) in map {
                let dot = if path.is_empty() { "" } else { "." };
                leaves(value, &format!("{path}{dot}{key}"), found);
            }
        }
        _ => found.push(path.to_owned()),
    }
}

/// With `BLESS=1` the tables are written anew.
#[test]
fn tables_of_values_are_current() {
    for name in ["tiny-crds", "tiny-operator"] {
        let (text, values) = values(name);
        let rows = documented(&text);
        let mut all = Vec::new();
        leaves(&values, "", &mut all);
        for leaf in all {
            let said = |(path, _): &(String, String)| {
                leaf == *path
                    || leaf.strip_prefix(&**path).is_some_and(|rest| rest.starts_with('.'))
            };
            assert!(rows.iter().any(said), "{name}: values.yaml does not say what `{leaf}` is");
        }
        let mut table = String::from("\n| value | default | |\n|---|---|---|\n");
        for (path, doc) in &rows {
            let default = at(&values, path).unwrap_or_else(|| panic!("{name}: {path}"));
            table += &format!("| `{path}` | `{default}` | {} |\n", doc.replace('|', "\\|"));
        }
        table.push('\n');

        let path = chart(name).join("README.md");
        let readme = fs::read_to_string(&path).unwrap();
        let (before, rest) = readme.split_once(BEGIN).unwrap();
        let (_, after) = rest.split_once(END).unwrap();
        let expected = format!("{before}{BEGIN}{table}{END}{after}");
        if bless() {
            fs::write(&path, &expected).unwrap();
        } else {
            assert!(readme == expected, "{name}: README.md is old: run this test with BLESS=1");
        }
    }
}

/// Objects whose fields are Kubernetes' own; it says itself what is wrong in them.
const OPEN: [&str; 5] = [
    "/properties/global",
    "/definitions/object",
    "/properties/extraObjects/items",
    "/properties/controllerManager/properties/manager/properties/extraVolumes/items",
    "/properties/controllerManager/properties/manager/properties/extraContainers/items",
];

fn closed(schema: &Value, path: &str) {
    match schema {
        Value::Object(map) => {
            let object = map.get("type").is_some_and(|kind| kind == "object");
            if object && !OPEN.contains(&path) {
                // Closed, or a map whose values are of one kind.
                let further = map.get("additionalProperties");
                let kind = further.is_some_and(Value::is_object) && !map.contains_key("properties");
                assert!(kind || further == Some(&json!(false)), "{path} takes any name");
            }
            map.iter().for_each(|(key, value)| closed(value, &format!("{path}/{key}")));
        }
        Value::Array(all) => {
            all.iter().enumerate().for_each(|(at, value)| closed(value, &format!("{path}/{at}")));
        }
        _ => {}
    }
}

#[test]
fn schemas_know_each_value_and_take_no_other_names() {
    for name in ["tiny-crds", "tiny-operator"] {
        let text = fs::read_to_string(chart(name).join("values.schema.json")).unwrap();
        let schema: Value = serde_json::from_str(&text).unwrap();
        closed(&schema, "");
        let validator = jsonschema::validator_for(&schema).unwrap();
        let (_, values) = values(name);
        assert!(validator.is_valid(&values), "{name}: {:?}", validator.validate(&values).err());
        // A value that is known to the schema alone has no default and no line in the table.
        let mut given = Vec::new();
        leaves(&values, "", &mut given);
        let mut known = Vec::new();
        properties(&schema, "", &mut known);
        for path in known {
            let there = given.iter().any(|leaf| {
                leaf == &path
                    || leaf.starts_with(&format!("{path}."))
                    || path.starts_with(&format!("{leaf}."))
            });
            let free = [
                "global",
                "controllerManager.manager.containerSecurityContext.",
                "controllerManager.manager.resources.",
            ];
            assert!(
                there || free.iter().any(|start| path.starts_with(start)),
                "{name}: `{path}` is in the schema and not in values.yaml"
            );
        }
    }
}

fn properties(schema: &Value, path: &str, found: &mut Vec<String>) {
    let Some(map) = schema.get("properties").and_then(Value::as_object) else { return };
    for (key, value) in map {
        let dot = if path.is_empty() { "" } else { "." };
        let path = format!("{path}{dot}{key}");
        properties(value, &path, found);
        found.push(path);
    }
}

// With Helm.

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

// With Helm and a cluster.

/// What its API server holds of the charts, in a namespace under the restricted profile.
struct Place(Cluster);

impl Place {
    fn new() -> Option<Self> {
        let cluster = Cluster::new("charts")?;
        // Whoever does not fit the profile is refused, or said of a template.
        let profile =
            ["enforce", "warn"].map(|mode| format!("pod-security.kubernetes.io/{mode}=restricted"));
        let [enforce, warn] = &profile;
        cluster.kubectl(&["label", "namespace", &cluster.namespace, enforce, warn]).ok();
        Some(Self(cluster))
    }

    fn helm(&self, helm: &Helm, args: &[&str]) -> String {
        let place = ["--kubeconfig", &self.0.kubeconfig, "--namespace", &self.0.namespace];
        helm.ok(&[args, &place].concat())
    }

    fn may(&self, who: &str, what: &str) -> bool {
        let mut args = vec!["auth", "can-i"];
        args.extend(what.split(' '));
        args.extend(["--as", who]);
        self.0.kubectl(&args).stdout.trim() == "yes"
    }

    /// Resource versions of all that the release has written.
    fn versions(&self) -> String {
        let kinds = "deployments,services,serviceaccounts,roles,rolebindings,tinymodules";
        let columns = "custom-columns=K:.kind,N:.metadata.name,V:.metadata.resourceVersion,G:.metadata.generation";
        let label = "app.kubernetes.io/managed-by=Helm";
        let all = self
            .0
            .kubectl(&["get", kinds, "--selector", label, "--no-headers", "--output", columns])
            .ok();
        // Controllers write the status of a Deployment, which counts as a version of it.
        let lines = all.lines().map(|line| {
            let words: Vec<&str> = line.split_whitespace().collect();
            let [kind, name, version, generation] = words[..] else { panic!("{line}") };
            let version = if kind == "Deployment" { generation } else { version };
            format!("{kind} {name} {version}")
        });
        lines.collect::<Vec<_>>().join("\n")
    }
}

#[test]
fn charts_are_installed_upgraded_and_removed_on_a_cluster() {
    let Some(helm) = Helm::of("TINY_HELM") else { return };
    let Some(place) = Place::new() else { return };
    let cluster = &place.0;
    let (crds, operator) = (chart("tiny-crds"), chart("tiny-operator"));
    let (crds, operator) = (text(&crds), text(&operator));
    // Another suite may have installed them with kubectl.
    let args = ["upgrade", "--install", "tiny-crds", crds, "--take-ownership", "--force-conflicts"];
    place.helm(&helm, &args);
    let generations = || {
        let columns = "custom-columns=N:.metadata.name,G:.metadata.generation";
        cluster.kubectl(&["get", "crds", "--output", columns]).ok()
    };
    let before = generations();
    place.helm(&helm, &["upgrade", "tiny-crds", crds]);
    assert_eq!(generations(), before);

    let named = sets()["named"].clone();
    let args = ["hello", operator, "--values", text(&named)];
    place.helm(&helm, &[&["install"], &args[..]].concat());
    // The second write of an object stores the default status of its kind; from then on there is nothing to write.
    place.helm(&helm, &[&["upgrade"], &args[..]].concat());
    let before = place.versions();
    assert_eq!(before.lines().count(), 6, "{before}");
    place.helm(&helm, &[&["upgrade"], &args[..]].concat());
    assert_eq!(place.versions(), before, "an upgrade to the same writes nothing");

    let account = format!(
        "system:serviceaccount:{}:hello-tiny-operator-controller-manager",
        cluster.namespace
    );
    for what in [
        "list tinynodes",
        "watch tinywidgetpages",
        "patch tinynodes --subresource=status",
        "create tinymodules",
        "patch tinymodules/hello-module --subresource=status",
        "create leases",
        "update leases/hello-module-lock",
        "create events.events.k8s.io",
    ] {
        assert!(place.may(&account, what), "{what}");
    }
    for what in [
        "delete tinynodes",
        "update tinymodules/other",
        "update leases/other-lock",
        "get secrets",
        "list pods",
        "list tinynodes --all-namespaces",
    ] {
        assert!(!place.may(&account, what), "{what}");
    }
    // Controllers gather roles into others, sooner or later.
    for (role, may, may_not) in [
        ("view", "get tinynodes", "create tinynodes"),
        ("edit", "create tinynodes", "update tinymodules"),
        ("admin", "update tinymodules", "get customresourcedefinitions"),
    ] {
        let (clusterrole, user) = (format!("--clusterrole={role}"), format!("--user={role}"));
        cluster.kubectl(&["create", "rolebinding", role, &clusterrole, &user]).ok();
        eventually(may, || place.may(role, may).then_some(()));
        assert!(!place.may(role, may_not), "{role}: {may_not}");
    }

    // What a render holds beside hooks is taken by the server, field by field, and no pod template is warned of.
    for name in sets().keys().filter(|name| *name != "extras") {
        let text = fs::read_to_string(golden(name)).unwrap();
        let own = text
            .replace("namespace: \"tinysystems\"", &format!("namespace: {:?}", cluster.namespace));
        let file = helm.home.path().join("own.yaml");
        fs::write(&file, own).unwrap();
        let args = ["apply", "--dry-run=server", "--validate=strict", "--warnings-as-errors"];
        let hooks = ["--selector", "app.kubernetes.io/component!=test", "-f", self::text(&file)];
        cluster.kubectl(&[&args[..], &hooks].concat()).ok();
    }

    place.helm(&helm, &["uninstall", "hello", "--no-hooks"]);
    assert_eq!(place.versions(), "");
    place.helm(&helm, &["uninstall", "tiny-crds"]);
    assert_eq!(generations().matches(".operator.tinysystems.io").count(), 7, "data is kept");
}

// With judges that others wrote.

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
