//! The charts on a cluster.

use std::fs;

use tiny_tests::{Cluster, eventually};

use crate::helm::{Helm, chart, golden, sets, text};

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
