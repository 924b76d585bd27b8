//! What the charts render, looked at without any tool.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use serde_json::{Value, json};
use tiny_crds::TinyModule;
use tiny_tests::Desk;

use crate::helm::{golden, is, list, pod, renders, sets};

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
