//! `rbac`: what a module may do on a cluster, and nothing more.

use anyhow::Result;
use k8s_openapi::api::rbac::v1::{PolicyRule, Role};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use tiny_crds::{GROUP, manifest};

use super::{Binary, object_name, plane, print};

/// Prints the Role that this module needs on a cluster
#[derive(Debug, clap::Args)]
pub(super) struct Rbac {
    /// Name of the module; by default that of the crate
    #[arg(short, long)]
    name: Option<String>,
    /// Namespace of the objects
    #[arg(long, default_value_t = plane::namespace())]
    namespace: String,
}

impl Rbac {
    pub(super) fn carry_out(self, binary: Binary) -> Result<()> {
        let name = object_name(self.name.as_deref().unwrap_or(binary.name))?;
        let metadata = ObjectMeta {
            name: Some(name.clone()),
            namespace: Some(self.namespace),
            ..ObjectMeta::default()
        };
        let role = Role { metadata, rules: Some(rules(&name)) };
        print(&serde_saphyr::to_string(&role)?)
    }
}

/// The rights of the module whose object is called `module`, in its namespace. What does not exist yet cannot be named, so the right to
/// create names nothing.
pub(super) fn rules(module: &str) -> Vec<PolicyRule> {
    let kinds: Vec<String> =
        manifest::crds().into_iter().map(|crd| crd.spec.names.plural).collect();
    let kinds: Vec<&str> = kinds.iter().map(String::as_str).collect();
    let lease = format!("{module}-lock");
    let leases = ("coordination.k8s.io", &["leases"][..]);
    vec![
        rule((GROUP, &kinds), &["get", "list", "watch"], None),
        rule((GROUP, &["tinynodes/status", "tinysignals/status"]), &["patch"], None),
        // Finalizers, of nodes whose component deletes what it made outside.
        rule((GROUP, &["tinynodes"]), &["patch"], None),
        rule((GROUP, &["tinymodules"]), &["create"], None),
        rule((GROUP, &["tinymodules/status"]), &["patch"], Some(module)),
        rule(leases, &["create"], None),
        rule(leases, &["get", "update"], Some(&lease)),
        rule(("events.k8s.io", &["events"]), &["create", "patch"], None),
    ]
}

fn rule((group, resources): (&str, &[&str]), verbs: &[&str], name: Option<&str>) -> PolicyRule {
    let all = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
    PolicyRule {
        api_groups: Some(all(&[group])),
        resources: Some(all(resources)),
        resource_names: name.map(|name| vec![name.to_owned()]),
        verbs: all(verbs),
        ..PolicyRule::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_right_is_for_everything() {
        for rule in rules("demo") {
            let words = [rule.api_groups.unwrap(), rule.resources.unwrap(), rule.verbs];
            assert!(words.iter().flatten().all(|word| !word.contains('*') && word != "secrets"));
        }
    }
}
