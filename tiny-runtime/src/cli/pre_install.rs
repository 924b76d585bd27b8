//! `pre-install`: whether a cluster is ready for this module.

use anyhow::{Context, Result, bail};
use futures::StreamExt;
use k8s_openapi::api::authorization::v1::{
    ResourceAttributes, SelfSubjectAccessReview, SelfSubjectAccessReviewSpec,
};
use k8s_openapi::api::rbac::v1::PolicyRule;
use kube::api::PostParams;
use kube::{Api, Client};

use super::plane::PlaneArgs;
use super::{Binary, object_name, print, rbac};

/// Questions on their way at once.
const AT_ONCE: usize = 8;

/// Says whether a cluster is ready for this module
#[derive(Debug, clap::Args)]
pub(super) struct PreInstall {
    /// Name of the module; by default that of the crate
    #[arg(short, long)]
    name: Option<String>,
    #[command(flatten)]
    plane: PlaneArgs,
}

impl PreInstall {
    /// Asks for the CRDs and the namespace, and whether the account that asks may do what the module does.
    pub(super) async fn carry_out(self, binary: Binary) -> Result<()> {
        let name = object_name(self.name.as_deref().unwrap_or(binary.name))?;
        let plane = self.plane.connect().await?;
        if plane.is_local {
            return print("the local plane is ready: it has the CRDs, and asks for no rights");
        }
        let namespace = &self.plane.namespace;
        let rules = rbac::rules(&name);
        let rights = rules.iter().flat_map(|rule| rights(rule, namespace));
        let answers = rights.map(|right| missing(plane.client.clone(), right));
        let answers: Vec<_> = futures::stream::iter(answers).buffered(AT_ONCE).collect().await;
        let answers = answers.into_iter().collect::<Result<Vec<_>>>()?;
        let missing: Vec<String> = answers.into_iter().flatten().collect();
        if !missing.is_empty() {
            bail!(
                "this account lacks rights in namespace `{namespace}` that the module needs: {}; `rbac --name {name} --namespace \
                 {namespace}` prints a Role that has them",
                missing.join(", ")
            );
        }
        print(&format!(
            "the {} is ready for `{name}`: it has the CRDs and namespace `{namespace}`, and this account has the rights",
            plane.title
        ))
    }
}

/// The single rights of a rule.
fn rights(rule: &PolicyRule, namespace: &str) -> Vec<ResourceAttributes> {
    let mut rights = Vec::new();
    for group in rule.api_groups.iter().flatten() {
        for resource in rule.resources.iter().flatten() {
            let (resource, sub) = match resource.split_once('/') {
                Some((resource, sub)) => (resource, Some(sub.to_owned())),
                None => (resource.as_str(), None),
            };
            rights.extend(rule.verbs.iter().map(|verb| ResourceAttributes {
                namespace: Some(namespace.to_owned()),
                group: Some(group.clone()),
                resource: Some(resource.to_owned()),
                subresource: sub.clone(),
                verb: Some(verb.clone()),
                name: rule.resource_names.as_ref().and_then(|names| names.first().cloned()),
                ..ResourceAttributes::default()
            }));
        }
    }
    rights
}

/// Asks for one right; what comes back is its name, where it is missing.
async fn missing(client: Client, right: ResourceAttributes) -> Result<Option<String>> {
    let word = |text: &Option<String>| text.clone().unwrap_or_default();
    let sub = right.subresource.as_ref().map(|sub| format!("/{sub}")).unwrap_or_default();
    let what = format!("{} {}{sub}", word(&right.verb), word(&right.resource));
    let spec = SelfSubjectAccessReviewSpec {
        resource_attributes: Some(right),
        ..SelfSubjectAccessReviewSpec::default()
    };
    let review = SelfSubjectAccessReview { spec, ..SelfSubjectAccessReview::default() };
    let api: Api<SelfSubjectAccessReview> = Api::all(client);
    let answer = api.create(&PostParams::default(), &review).await;
    let answer = answer.context("cannot ask the cluster for the rights of this account")?;
    let is_allowed = answer.status.is_some_and(|status| status.allowed);
    Ok((!is_allowed).then_some(what))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_right_is_asked_for_by_itself() {
        let rules = rbac::rules("demo");
        let asked = rules.iter().flat_map(|rule| rights(rule, "n")).count();
        let product =
            |rule: &PolicyRule| rule.verbs.len() * rule.resources.iter().flatten().count();
        assert_eq!(asked, rules.iter().map(product).sum::<usize>());
        let named = rules.iter().flat_map(|rule| rights(rule, "n"));
        let named = named.filter(|right| right.name.as_deref() == Some("demo-lock"));
        assert_eq!(named.count(), 2, "to get and to update the lease");
        let status = rights(&rules[1], "n").remove(0);
        let resource = (status.resource.as_deref(), status.subresource.as_deref());
        assert_eq!(resource, (Some("tinynodes"), Some("status")));
    }
}
