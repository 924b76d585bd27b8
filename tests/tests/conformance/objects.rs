//! What writers rely on.

use futures::future::join_all;
use k8s_openapi::api::coordination::v1::{Lease, LeaseSpec};
use k8s_openapi::api::core::v1::{Event as CoreEvent, Namespace};
use k8s_openapi::api::events::v1::Event;
use kube::api::{Api, DeleteParams, ListParams, Patch, PatchParams, PostParams};
use kube::runtime::events::{Event as News, EventType, Recorder, Reporter};
use kube::runtime::wait::{await_condition, conditions};
use kube::{Resource, ResourceExt};
use serde_json::{Value, json};
use tiny_crds::TinyNode;

use crate::stage::{Stage, node, soon, stages};

fn nodes(stage: &Stage) -> Api<TinyNode> {
    Api::namespaced(stage.client.clone(), &stage.namespace)
}

fn merge(value: &Value) -> Patch<&Value> {
    Patch::Merge(value)
}

#[tokio::test]
async fn a_write_that_changes_nothing_makes_no_version() {
    for stage in stages("no-change").await {
        let nodes = nodes(&stage);
        let made = nodes.create(&PostParams::default(), &node("a", &[])).await.unwrap();
        // The real server stores the default of the status with the first replace, as a version.
        let made = nodes.replace("a", &PostParams::default(), &made).await.unwrap();
        let params = PatchParams::default();
        let same = json!({ "spec": { "component": made.spec.component } });
        let patched = nodes.patch("a", &params, &merge(&same)).await.unwrap();
        assert_eq!(patched.resource_version(), made.resource_version(), "{}", stage.plane);
        let replaced = nodes.replace("a", &PostParams::default(), &made).await.unwrap();
        assert_eq!(replaced.resource_version(), made.resource_version(), "{}", stage.plane);
        let status = json!({ "status": { "status": "fine" } });
        let first = nodes.patch_status("a", &params, &merge(&status)).await.unwrap();
        let again = nodes.patch_status("a", &params, &merge(&status)).await.unwrap();
        assert_eq!(again.resource_version(), first.resource_version(), "{}", stage.plane);
    }
}

#[tokio::test]
async fn only_changes_of_the_spec_count_as_generations() {
    for stage in stages("generation").await {
        let nodes = nodes(&stage);
        let params = PatchParams::default();
        nodes.create(&PostParams::default(), &node("a", &[])).await.unwrap();
        let labelled = json!({ "metadata": { "labels": { "a": "b" } } });
        let status = json!({ "status": { "status": "fine" } });
        let after = nodes.patch("a", &params, &merge(&labelled)).await.unwrap();
        assert_eq!(after.metadata.generation, Some(1), "{}", stage.plane);
        let after = nodes.patch_status("a", &params, &merge(&status)).await.unwrap();
        assert_eq!(after.metadata.generation, Some(1), "{}", stage.plane);
        let spec = json!({ "spec": { "component": "other" } });
        let after = nodes.patch("a", &params, &merge(&spec)).await.unwrap();
        assert_eq!(after.metadata.generation, Some(2), "{}", stage.plane);
        assert_eq!(after.status.unwrap().status, "fine");
    }
}

#[tokio::test]
async fn of_writers_that_saw_the_same_version_one_wins() {
    for stage in stages("one-wins").await {
        let nodes = nodes(&stage);
        let made = nodes.create(&PostParams::default(), &node("a", &[])).await.unwrap();
        let writes = (0..12).map(|at| {
            let (nodes, mut node) = (nodes.clone(), made.clone());
            node.spec.component = format!("c{at}");
            async move { nodes.replace("a", &PostParams::default(), &node).await }
        });
        let outcomes = join_all(writes).await;
        let (won, lost): (Vec<_>, Vec<_>) = outcomes.into_iter().partition(Result::is_ok);
        assert_eq!(won.len(), 1, "{}", stage.plane);
        for outcome in lost {
            let kube::Error::Api(status) = outcome.unwrap_err() else { panic!("not an answer") };
            assert!(status.is_conflict(), "{}: {status:?}", stage.plane);
        }
    }
}

#[tokio::test]
async fn patches_without_a_version_never_lose_each_other() {
    for stage in stages("patches").await {
        let nodes = nodes(&stage);
        nodes.create(&PostParams::default(), &node("a", &[])).await.unwrap();
        let patches = (0..20).map(|at| {
            let nodes = nodes.clone();
            let patch = json!({ "metadata": { "annotations": { format!("n{at}"): "1" } } });
            async move { nodes.patch("a", &PatchParams::default(), &merge(&patch)).await.unwrap() }
        });
        join_all(patches).await;
        assert_eq!(nodes.get("a").await.unwrap().annotations().len(), 20, "{}", stage.plane);
    }
}

#[tokio::test]
async fn a_generated_name_is_new_each_time() {
    for stage in stages("generate").await {
        let nodes = nodes(&stage);
        let mut template = node("", &[]);
        template.metadata.name = None;
        template.metadata.generate_name = Some("run-".into());
        let params = PostParams::default();
        let makes = (0..10).map(|_| nodes.create(&params, &template));
        let mut names: Vec<_> =
            join_all(makes).await.into_iter().map(|made| made.unwrap().name_any()).collect();
        assert!(names.iter().all(|name| name.starts_with("run-") && name.len() == 9));
        names.sort();
        names.dedup();
        assert_eq!(names.len(), 10, "{}", stage.plane);
    }
}

#[tokio::test]
async fn finalizers_hold_an_object_until_the_last_is_gone() {
    for stage in stages("finalizers").await {
        let nodes = nodes(&stage);
        let mut held = node("a", &[]);
        held.metadata.finalizers = Some(vec!["tinysystems.io/a".into(), "tinysystems.io/b".into()]);
        let made = nodes.create(&PostParams::default(), &held).await.unwrap();
        let deleted = nodes.delete("a", &DeleteParams::default()).await.unwrap();
        let marked = deleted.left().expect("it is still there");
        assert!(marked.metadata.deletion_timestamp.is_some(), "{}", stage.plane);
        let one = json!({ "metadata": { "finalizers": ["tinysystems.io/b"] } });
        nodes.patch("a", &PatchParams::default(), &merge(&one)).await.unwrap();
        assert!(nodes.get_opt("a").await.unwrap().is_some(), "{}", stage.plane);
        let none = json!({ "metadata": { "finalizers": null } });
        nodes.patch("a", &PatchParams::default(), &merge(&none)).await.unwrap();
        assert!(nodes.get_opt("a").await.unwrap().is_none(), "{}", stage.plane);
        let uid = made.uid().unwrap();
        let gone = conditions::is_deleted(&uid);
        soon(await_condition(nodes.clone(), "a", gone)).await.unwrap();
    }
}

#[tokio::test]
async fn a_lease_goes_to_one_candidate() {
    for stage in stages("lease").await {
        let leases: Api<Lease> = Api::namespaced(stage.client.clone(), &stage.namespace);
        let lease = |holder: &str| Lease {
            metadata: kube::api::ObjectMeta { name: Some("m-lock".into()), ..Default::default() },
            spec: Some(LeaseSpec {
                holder_identity: Some(holder.to_owned()),
                lease_duration_seconds: Some(15),
                ..Default::default()
            }),
        };
        let first = leases.create(&PostParams::default(), &lease("a")).await.unwrap();
        let error = leases.create(&PostParams::default(), &lease("b")).await.unwrap_err();
        assert!(matches!(error, kube::Error::Api(status) if status.is_already_exists()));
        let mut taken = lease("b");
        taken.metadata.resource_version = first.resource_version();
        leases.replace("m-lock", &PostParams::default(), &taken).await.unwrap();
        let error = leases.replace("m-lock", &PostParams::default(), &taken).await.unwrap_err();
        assert!(matches!(error, kube::Error::Api(status) if status.is_conflict()));
        let holder = leases.get("m-lock").await.unwrap().spec.unwrap().holder_identity;
        assert_eq!(holder.as_deref(), Some("b"), "{}", stage.plane);
    }
}

#[tokio::test]
async fn what_a_recorder_publishes_is_seen_in_both_forms_of_an_event() {
    for stage in stages("recorder").await {
        let made = nodes(&stage).create(&PostParams::default(), &node("a", &[])).await.unwrap();
        let reporter = Reporter { controller: "tiny".into(), instance: Some("one".into()) };
        let recorder = Recorder::new(stage.client.clone(), reporter);
        let news = News {
            type_: EventType::Warning,
            reason: "Waiting".into(),
            note: Some("it waits".into()),
            action: "Deliver".into(),
            secondary: None,
        };
        recorder.publish(&news, &made.object_ref(&())).await.unwrap();
        recorder.publish(&news, &made.object_ref(&())).await.unwrap();
        let new: Api<Event> = Api::namespaced(stage.client.clone(), &stage.namespace);
        let new = new.list(&ListParams::default()).await.unwrap().items;
        assert_eq!(new.len(), 1, "{}", stage.plane);
        assert_eq!(new[0].note.as_deref(), Some("it waits"));
        assert_eq!(new[0].series.as_ref().map(|series| series.count), Some(2));
        let core: Api<CoreEvent> = Api::namespaced(stage.client.clone(), &stage.namespace);
        let about = format!("involvedObject.uid={},reason=Waiting", made.uid().unwrap());
        let core = core.list(&ListParams::default().fields(&about)).await.unwrap().items;
        assert_eq!(core.len(), 1, "{}", stage.plane);
        assert_eq!(core[0].message.as_deref(), Some("it waits"));
        assert_eq!(core[0].involved_object.name.as_deref(), Some("a"));
    }
}

#[tokio::test]
async fn a_collection_is_deleted_by_its_selector() {
    for stage in stages("collection").await {
        let nodes = nodes(&stage);
        for (name, labels) in [("a", [("x", "1")]), ("b", [("x", "2")]), ("c", [("x", "1")])] {
            nodes.create(&PostParams::default(), &node(name, &labels)).await.unwrap();
        }
        let ones = ListParams::default().labels("x=1");
        let deleted = nodes.delete_collection(&DeleteParams::default(), &ones).await.unwrap();
        assert_eq!(deleted.left().map(|list| list.items.len()), Some(2), "{}", stage.plane);
        let left = nodes.list(&ListParams::default()).await.unwrap();
        let names: Vec<_> = left.items.iter().map(ResourceExt::name_any).collect();
        assert_eq!(names, ["b"], "{}", stage.plane);
    }
}

#[tokio::test]
async fn a_deleted_namespace_takes_everything_in_it_along() {
    for stage in stages("ending").await {
        let nodes = nodes(&stage);
        let mut held = node("held", &[]);
        held.metadata.finalizers = Some(vec!["tinysystems.io/a".into()]);
        nodes.create(&PostParams::default(), &held).await.unwrap();
        let free = nodes.create(&PostParams::default(), &node("free", &[])).await.unwrap();
        let namespaces: Api<Namespace> = Api::all(stage.client.clone());
        let uid = namespaces.get(&stage.namespace).await.unwrap().uid().unwrap();
        namespaces.delete(&stage.namespace, &DeleteParams::default()).await.unwrap();
        let free = free.uid().unwrap();
        let gone = conditions::is_deleted(&free);
        soon(await_condition(nodes.clone(), "free", gone)).await.unwrap();
        let error = nodes.create(&PostParams::default(), &node("late", &[])).await.unwrap_err();
        assert!(matches!(error, kube::Error::Api(status) if status.is_forbidden()));
        let none = json!({ "metadata": { "finalizers": null } });
        nodes.patch("held", &PatchParams::default(), &merge(&none)).await.unwrap();
        let gone = conditions::is_deleted(&uid);
        soon(await_condition(namespaces, &stage.namespace, gone)).await.unwrap();
    }
}
