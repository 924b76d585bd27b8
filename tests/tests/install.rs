//! The image that `build` made and the charts, on a real cluster with a real node: `.ci/install` starts it, builds and imports the image,
//! and says where all that is.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::Value;
use tiny_tests::{Called, Desk, eventually, flow, root};

/// What `.ci/install` has prepared.
struct Place {
    kubeconfig: String,
    /// Values of the image, as `build` wrote them.
    values: String,
    /// Where the API server writes what it was asked.
    audit: PathBuf,
}

/// The name and the path of a Helm.
type Helm = (&'static str, String);

impl Place {
    fn new() -> Option<Self> {
        let var = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
        let found = || {
            let (kubeconfig, values) = (var("TINY_NODE_KUBECONFIG")?, var("TINY_IMAGE_VALUES")?);
            Some(Self { kubeconfig, values, audit: var("TINY_AUDIT_LOG")?.into() })
        };
        if found().is_none() {
            eprintln!("skipped: no cluster with a node that has the image (see .ci/install)");
        }
        found()
    }

    fn helms() -> Vec<Helm> {
        let found = [("helm4", "TINY_HELM"), ("helm3", "TINY_HELM3")].into_iter();
        let found = found.filter_map(|(name, var)| match std::env::var(var) {
            Ok(path) if !path.is_empty() => Some((name, path)),
            _ => {
                eprintln!("skipped: {var} names no Helm");
                None
            }
        });
        found.collect()
    }

    /// Makes a namespace on a cluster that has the CRDs, whichever test came first.
    fn prepare(&self, helm: &Helm, namespace: &str) {
        self.kubectl("default", &["create", "namespace", namespace]).ok();
        let crds = ["upgrade", "--install", "tiny-crds", "charts/tiny-crds", "--take-ownership"];
        self.helm(helm, "default", &crds).ok();
    }

    fn kubectl(&self, namespace: &str, args: &[&str]) -> Called {
        let mut command = Command::new("kubectl");
        command.args(["--kubeconfig", &self.kubeconfig, "-n", namespace]).args(args);
        command.output().unwrap().into()
    }

    fn helm(&self, helm: &Helm, namespace: &str, args: &[&str]) -> Called {
        let mut command = Command::new(&helm.1);
        command.args(args).args(["--kubeconfig", &self.kubeconfig, "-n", namespace]);
        command.current_dir(root()).env("HELM_CACHE_HOME", root().join("target/helm"));
        command.output().unwrap().into()
    }

    /// The arguments by which a module is installed, and waited for.
    fn install<'a>(&'a self, verb: &'a str, more: &[&'a str]) -> Vec<&'a str> {
        let mut args = vec![verb, "hello", "charts/tiny-operator", "--values", &self.values];
        args.extend(["--wait", "--timeout", "120s"]);
        args.extend(more);
        args
    }

    fn json(&self, namespace: &str, args: &[&str]) -> Value {
        let mut all = args.to_vec();
        all.extend(["-o", "json"]);
        serde_json::from_str(&self.kubectl(namespace, &all).ok()).unwrap()
    }

    /// Sends a greeting as anybody would, and returns the reply.
    fn greet(&self, desk: &Desk, namespace: &str, name: &str) -> String {
        let signal = format!(
            "apiVersion: operator.tinysystems.io/v1alpha1\nkind: TinySignal\nmetadata:\n  name: greet-{name}\nspec:\n  node: hello\n  port: \
             input\n  data: {{name: {name}}}\n  nonce: \"1\"\n"
        );
        let file = desk.file("signal.yaml", &signal);
        self.kubectl(namespace, &["apply", "-f", file.to_str().unwrap()]).ok();
        let signal = format!("tinysignal/greet-{name}");
        let done = "--for=jsonpath={.status.phase}=Succeeded";
        self.kubectl(namespace, &["wait", &signal, done, "--timeout=60s"]).ok();
        self.kubectl(namespace, &["get", &signal, "-o", "jsonpath={.status.reply}"]).ok()
    }

    /// Every request of the accounts of a namespace.
    fn asked(&self, namespace: &str) -> Vec<Value> {
        let text = std::fs::read_to_string(&self.audit).unwrap();
        let account = format!("system:serviceaccount:{namespace}:");
        let all = text.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        let of_ours = |event: &Value| {
            event["user"]["username"].as_str().is_some_and(|name| name.starts_with(&account))
        };
        all.filter(of_ours).collect()
    }
}

#[test]
fn a_module_is_installed_upgraded_rolled_back_and_uninstalled() {
    let Some(place) = Place::new() else { return };
    let desk = Desk::new();
    for helm in Place::helms() {
        let namespace = format!("greetings-{}", helm.0);
        let namespace = namespace.as_str();
        let began = Instant::now();
        let tell =
            |what: &str| eprintln!("{} {:>5.1} s: {what}", helm.0, began.elapsed().as_secs_f64());
        place.kubectl("default", &["create", "namespace", namespace]).ok();
        let strict = "pod-security.kubernetes.io/enforce=restricted";
        place.kubectl("default", &["label", "namespace", namespace, strict]).ok();

        if helm.0 == "helm4" {
            let refused = place.helm(&helm, namespace, &place.install("install", &[]));
            assert_ne!(refused.code, 0, "without the CRDs: {refused:?}");
            assert!(refused.stderr.contains("TinyModule"), "{}", refused.stderr);
            place.helm(&helm, namespace, &["uninstall", "hello", "--ignore-not-found"]).ok();
            place
                .helm(&helm, "default", &["install", "tiny-crds", "charts/tiny-crds", "--wait"])
                .ok();
            tell("CRDs");
        }
        place.helm(&helm, "default", &["upgrade", "tiny-crds", "charts/tiny-crds"]).ok();
        place.helm(&helm, namespace, &place.install("install", &[])).ok();
        tell("installed");
        let module = place.json(namespace, &["get", "tinymodule", "hello-module"]);
        let condition = |module: &Value, type_: &str| {
            let all = module["status"]["conditions"].as_array().cloned().unwrap_or_default();
            all.into_iter().find(|condition| condition["type"] == type_).unwrap()
        };
        assert_eq!(
            condition(&module, "Ready")["status"],
            "True",
            "it waited until the module is there"
        );
        assert!(module["status"]["addr"].as_str().unwrap().starts_with("hello-tiny-operator"));

        let file = flow();
        place.kubectl(namespace, &["apply", "-f", file.to_str().unwrap()]).ok();
        assert_eq!(place.greet(&desk, namespace, "world"), "Hello, world!");
        tell("greeted");
        let tests = ["--set", "tests.node=hello", "--set", "tests.port=input"];
        let data = ["--set-json", r#"tests.data={"name":"Helm"}"#];
        let more: Vec<&str> = tests.into_iter().chain(data).collect();
        place.helm(&helm, namespace, &place.install("upgrade", &more)).ok();
        let tested = place.helm(&helm, namespace, &["test", "hello", "--logs", "--timeout", "60s"]);
        assert_eq!(tested.code, 0, "{tested:?}");
        assert!(tested.stdout.contains("Hello, Helm!"), "{}", tested.stdout);
        tell("tested");

        // What each change keeps: the flow answers after it, and the module is the same.
        let twice =
            [more.as_slice(), &["--set", "controllerManager.manager.env.GREETED=twice"]].concat();
        place.helm(&helm, namespace, &place.install("upgrade", &twice)).ok();
        assert_eq!(place.greet(&desk, namespace, "upgrade"), "Hello, upgrade!");
        place.helm(&helm, namespace, &["rollback", "hello", "--wait", "--timeout", "120s"]).ok();
        assert_eq!(place.greet(&desk, namespace, "rollback"), "Hello, rollback!");
        tell("upgraded and rolled back");

        let wrong = place
            .install("upgrade", &["--set", "controllerManager.manager.imagePullPolicy=Perhaps"]);
        let said = place.helm(&helm, namespace, &wrong);
        assert_ne!(said.code, 0);
        assert!(said.stderr.contains("imagePullPolicy"), "{}", said.stderr);

        // Two nodes that only the module, and then nobody, would let go of.
        let hold = r#"{"metadata":{"finalizers":["operator.tinysystems.io/node"]}}"#;
        let finalizer = tiny_crds::labels::NODE_FINALIZER;
        let hold = hold.replace("operator.tinysystems.io/node", finalizer);
        place.kubectl(namespace, &["patch", "tinynode", "show", "--type=merge", "-p", &hold]).ok();
        let none = |kind: &str| {
            let node = place.json(namespace, &["get", "tinynode", kind]);
            node["metadata"]["finalizers"].as_array().is_none_or(Vec::is_empty)
        };
        eventually("the module lets go of a node whose component needs no end", || {
            none("show").then_some(())
        });
        let stray = "apiVersion: operator.tinysystems.io/v1alpha1\nkind: TinyNode\nmetadata:\n  name: stray\n  finalizers: [FINALIZER]\n\
                     spec:\n  module: hello-module\n  component: gone\n";
        let stray = desk.file("stray.yaml", &stray.replace("FINALIZER", finalizer));
        place.kubectl(namespace, &["apply", "-f", stray.to_str().unwrap()]).ok();

        place.helm(&helm, namespace, &["uninstall", "hello", "--wait", "--timeout", "120s"]).ok();
        tell("uninstalled");
        assert!(none("stray") && none("hello"), "nothing hangs on a finalizer");
        let left = place.json(
            namespace,
            &["get", "deployment,service,serviceaccount,role,rolebinding,job,tinymodule"],
        );
        let left: BTreeSet<String> = left["items"]
            .as_array()
            .unwrap()
            .iter()
            .map(|object| {
                format!(
                    "{}/{}",
                    object["kind"].as_str().unwrap(),
                    object["metadata"]["name"].as_str().unwrap()
                )
            })
            .collect();
        assert_eq!(
            left,
            BTreeSet::from(["ServiceAccount/default".to_owned()]),
            "all but the user's own is gone"
        );

        // As in the original, where only the image is named.
        let values: Value =
            serde_json::from_str(&yaml(&std::fs::read_to_string(&place.values).unwrap())).unwrap();
        let image = &values["controllerManager"]["manager"]["image"];
        let set = |name: &str| {
            format!("controllerManager.manager.image.{name}={}", image[name].as_str().unwrap())
        };
        let (repository, tag) = (set("repository"), set("tag"));
        let args = [
            "install",
            "my-thing",
            "charts/tiny-operator",
            "--set",
            &repository,
            "--set",
            &tag,
            "--wait",
            "--timeout",
            "120s",
        ];
        place.helm(&helm, namespace, &args).ok();
        assert_eq!(place.greet(&desk, namespace, "again"), "Hello, again!");
        tell("installed as the original was");

        check_rights(&place, namespace);
        let deleted = Instant::now();
        place.kubectl("default", &["delete", "namespace", namespace, "--timeout=120s"]).ok();
        assert!(deleted.elapsed() < Duration::from_secs(100), "nobody holds an object back");
        tell("the namespace is gone");
    }
}

/// What the accounts asked for was allowed, and what they may do is what they do.
fn check_rights(place: &Place, namespace: &str) {
    let asked = place.asked(namespace);
    assert!(asked.len() > 50, "the log has what they asked for: {}", asked.len());
    let refused: Vec<String> = asked
        .iter()
        .filter(|event| event["responseStatus"]["code"] == 403)
        .map(|event| {
            format!("{} {} {}", event["user"]["username"], event["verb"], event["requestURI"])
        })
        .collect();
    assert!(refused.is_empty(), "{refused:#?}");
    let role = place.json(namespace, &["get", "role", "my-thing-tiny-operator-manager"]);
    for rule in role["rules"].as_array().unwrap() {
        let has = |list: &Value, word: &str| list.as_array().unwrap().iter().any(|it| it == word);
        let uses = |event: &&Value| {
            let object = &event["objectRef"];
            let word = |name: &str| object[name].as_str().unwrap_or_default();
            let resource = match word("subresource") {
                "" => word("resource").to_owned(),
                sub => format!("{}/{sub}", word("resource")),
            };
            event["user"]["username"]
                .as_str()
                .is_some_and(|name| name.ends_with("-controller-manager"))
                && has(&rule["apiGroups"], word("apiGroup"))
                && has(&rule["resources"], &resource)
                && has(&rule["verbs"], event["verb"].as_str().unwrap_or_default())
        };
        assert!(asked.iter().any(|event| uses(&event)), "nobody uses {rule}");
    }
}

/// Two modules of one image, which find each other by the names of their Services: in an empty root, without a library for that.
#[test]
fn modules_find_each_other_by_name() {
    let Some(place) = Place::new() else { return };
    let Some(helm) = Place::helms().into_iter().next() else { return };
    let (desk, namespace) = (Desk::new(), "pair");
    place.prepare(&helm, namespace);
    let flow = root().join("examples/hello-module/two-modules.yaml");
    place.kubectl(namespace, &["apply", "-f", flow.to_str().unwrap()]).ok();
    for name in ["a", "b"] {
        let module = format!("module.name={name}");
        let args = ["install", name, "charts/tiny-operator", "--values", &place.values];
        let more = ["--set", &module, "--wait", "--timeout", "120s"];
        place.helm(&helm, namespace, &[&args[..], &more[..]].concat()).ok();
    }
    let addr = place.json(namespace, &["get", "tinymodule", "b"])["status"]["addr"].clone();
    assert_eq!(addr, "b-tiny-operator-manager-service:8483");
    let signal = "apiVersion: operator.tinysystems.io/v1alpha1\nkind: TinySignal\nmetadata:\n  name: there-and-back\nspec:\n  node: first\n  port: \
                  input\n  data: {name: World}\n";
    let file = desk.file("signal.yaml", signal);
    place.kubectl(namespace, &["apply", "-f", file.to_str().unwrap()]).ok();
    let (signal, done) = ("tinysignal/there-and-back", "--for=jsonpath={.status.phase}=Succeeded");
    place.kubectl(namespace, &["wait", signal, done, "--timeout=60s"]).ok();
    let reply = place.kubectl(namespace, &["get", signal, "-o", "jsonpath={.status.reply}"]).ok();
    assert_eq!(reply, "Welcome, Hello, World!!");
    for name in ["a", "b"] {
        place.helm(&helm, namespace, &["uninstall", name, "--wait", "--timeout", "120s"]).ok();
    }
    place.kubectl("default", &["delete", "namespace", namespace, "--timeout=120s"]).ok();
}

/// Two pods, of which one leads; when that is deleted the other does, and nothing is lost.
#[test]
fn of_two_replicas_one_takes_over() {
    let Some(place) = Place::new() else { return };
    let Some(helm) = Place::helms().into_iter().next() else { return };
    let (desk, namespace) = (Desk::new(), "replicas");
    place.prepare(&helm, namespace);
    let ha = ["--values", "charts/tiny-operator/values-ha.yaml"];
    place.helm(&helm, namespace, &place.install("install", &ha)).ok();
    let file = flow();
    place.kubectl(namespace, &["apply", "-f", file.to_str().unwrap()]).ok();
    assert_eq!(place.greet(&desk, namespace, "both"), "Hello, both!");
    let leader = || {
        let lease = place.json(namespace, &["get", "lease", "hello-module-lock"]);
        let holder = lease["spec"]["holderIdentity"].as_str().unwrap_or_default().to_owned();
        holder.rsplit_once('_').map(|(pod, _)| pod.to_owned()).filter(|pod| !pod.is_empty())
    };
    let first = eventually("somebody leads", leader);
    place.kubectl(namespace, &["delete", "pod", &first, "--wait=false"]).ok();
    assert_eq!(place.greet(&desk, namespace, "other"), "Hello, other!");
    let next = eventually("another leads", || leader().filter(|pod| *pod != first));
    let pods = place.json(namespace, &["get", "pods"]);
    let names = pods["items"].as_array().unwrap().iter().map(|pod| &pod["metadata"]["name"]);
    assert!(names.into_iter().any(|name| *name == *next), "{next} is one of them");
    place.helm(&helm, namespace, &["uninstall", "hello", "--wait", "--timeout", "120s"]).ok();
    place.kubectl("default", &["delete", "namespace", namespace, "--timeout=120s"]).ok();
}

/// The installation of an image that is not there ends with a reason, in time.
#[test]
fn an_installation_that_cannot_succeed_says_why() {
    let Some(place) = Place::new() else { return };
    for helm in Place::helms() {
        let namespace = format!("wrong-{}", helm.0);
        place.kubectl("default", &["create", "namespace", &namespace]).ok();
        let args = [
            "install",
            "wrong",
            "charts/tiny-operator",
            "--wait",
            "--timeout",
            "15s",
            "--set",
            "controllerManager.manager.image.repository=localhost/nowhere",
        ];
        let said = place.helm(&helm, &namespace, &args);
        assert_ne!(said.code, 0, "{said:?}");
        // Helm 3 says no more than that.
        let reason = match helm.0 {
            "helm3" => "deadline",
            _ => "wrong-tiny-operator-controller-manager",
        };
        assert!(said.stderr.contains(reason), "{}", said.stderr);
        let pods = place.json(&namespace, &["get", "pods"]);
        let waiting =
            &pods["items"][0]["status"]["containerStatuses"][0]["state"]["waiting"]["reason"];
        assert!(waiting.as_str().is_some_and(|reason| reason.contains("Pull")), "{waiting}");
        place.kubectl("default", &["delete", "namespace", &namespace, "--timeout=60s"]).ok();
    }
}

/// YAML as JSON.
fn yaml(text: &str) -> String {
    serde_saphyr::from_str::<Value>(text).unwrap().to_string()
}
