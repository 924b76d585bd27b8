//! What watchers rely on.

use std::time::{Duration, Instant};

use futures::{StreamExt, TryStreamExt};
use kube::ResourceExt;
use kube::api::{
    Api, DeleteParams, ListParams, Patch, PatchParams, PostParams, WatchEvent, WatchParams,
};
use kube::runtime::watcher::{self, watcher};
use serde_json::{Value, json};
use tiny_crds::TinyNode;

use crate::stage::{Stage, node, soon, stages};

fn nodes(stage: &Stage) -> Api<TinyNode> {
    Api::namespaced(stage.client.clone(), &stage.namespace)
}

async fn patch(nodes: &Api<TinyNode>, name: &str, patch: Value) {
    nodes.patch(name, &PatchParams::default(), &Patch::Merge(patch)).await.unwrap();
}

/// The next events of a watch, as `WORD name`.
async fn told(
    nodes: &Api<TinyNode>,
    params: &WatchParams,
    from: &str,
    count: usize,
) -> Vec<String> {
    let events = nodes.watch(params, from).await.unwrap();
    let words = events.map_ok(|event| match event {
        WatchEvent::Added(node) => format!("ADDED {}", node.name_any()),
        WatchEvent::Modified(node) => format!("MODIFIED {}", node.name_any()),
        WatchEvent::Deleted(node) => format!("DELETED {}", node.name_any()),
        WatchEvent::Bookmark(mark) => {
            format!(
                "BOOKMARK {}",
                mark.metadata.annotations.contains_key("k8s.io/initial-events-end")
            )
        }
        WatchEvent::Error(status) => format!("ERROR {} {}", status.code, status.reason),
    });
    soon(words.take(count).try_collect()).await.unwrap()
}

async fn version(nodes: &Api<TinyNode>) -> String {
    nodes.list(&ListParams::default()).await.unwrap().metadata.resource_version.unwrap()
}

#[tokio::test]
async fn a_watch_tells_all_that_happened_after_its_version_in_order() {
    for stage in stages("watch").await {
        let nodes = nodes(&stage);
        nodes.create(&PostParams::default(), &node("old", &[])).await.unwrap();
        let from = version(&nodes).await;
        nodes.create(&PostParams::default(), &node("a", &[])).await.unwrap();
        patch(&nodes, "a", json!({ "spec": { "component": "x" } })).await;
        patch(&nodes, "a", json!({ "spec": { "component": "x" } })).await;
        nodes.delete("a", &DeleteParams::default()).await.unwrap();
        let words = told(&nodes, &WatchParams::default(), &from, 3).await;
        assert_eq!(words, ["ADDED a", "MODIFIED a", "DELETED a"], "{}", stage.plane);
        let words = told(&nodes, &WatchParams::default(), "0", 1).await;
        assert_eq!(words, ["ADDED old"], "{}", stage.plane);
    }
}

#[tokio::test]
async fn an_object_enters_and_leaves_a_watch_by_its_labels() {
    for stage in stages("enter-leave").await {
        let nodes = nodes(&stage);
        nodes.create(&PostParams::default(), &node("a", &[])).await.unwrap();
        let from = version(&nodes).await;
        patch(&nodes, "a", json!({ "metadata": { "labels": { "x": "1" } } })).await;
        patch(&nodes, "a", json!({ "spec": { "component": "x" } })).await;
        patch(&nodes, "a", json!({ "metadata": { "labels": { "x": "2" } } })).await;
        nodes.delete("a", &DeleteParams::default()).await.unwrap();
        nodes.create(&PostParams::default(), &node("b", &[("x", "1")])).await.unwrap();
        let params = WatchParams::default().labels("x=1");
        let words = told(&nodes, &params, &from, 4).await;
        assert_eq!(words, ["ADDED a", "MODIFIED a", "DELETED a", "ADDED b"], "{}", stage.plane);
    }
}

#[tokio::test]
async fn a_watch_of_one_name_sees_only_that_name() {
    for stage in stages("one-name").await {
        let nodes = nodes(&stage);
        let from = version(&nodes).await;
        nodes.create(&PostParams::default(), &node("a", &[])).await.unwrap();
        nodes.create(&PostParams::default(), &node("b", &[])).await.unwrap();
        let params = WatchParams::default().fields("metadata.name=b");
        assert_eq!(told(&nodes, &params, &from, 1).await, ["ADDED b"], "{}", stage.plane);
    }
}

#[tokio::test]
async fn a_streaming_list_marks_where_what_was_there_ends() {
    for stage in stages("streaming").await {
        let nodes = nodes(&stage);
        nodes.create(&PostParams::default(), &node("a", &[])).await.unwrap();
        nodes.create(&PostParams::default(), &node("b", &[])).await.unwrap();
        let params = WatchParams::default().initial_events();
        let words = told(&nodes, &params, "", 3).await;
        assert_eq!(words, ["ADDED a", "ADDED b", "BOOKMARK true"], "{}", stage.plane);
    }
}

#[tokio::test]
async fn a_watch_that_comes_too_late_is_told_to_start_over() {
    for stage in stages("too-late").await {
        let nodes = nodes(&stage);
        nodes.create(&PostParams::default(), &node("a", &[])).await.unwrap();
        let words = told(&nodes, &WatchParams::default(), "1", 1).await;
        assert_eq!(words, ["ERROR 410 Expired"], "{}", stage.plane);
    }
}

#[tokio::test]
async fn a_watch_ends_when_its_time_is_over() {
    for stage in stages("timeout").await {
        let nodes = nodes(&stage);
        let from = version(&nodes).await;
        let started = Instant::now();
        let params = WatchParams::default().timeout(2);
        let events = nodes.watch(&params, &from).await.unwrap();
        let seen: Vec<_> = soon(events.collect::<Vec<_>>()).await;
        let took = started.elapsed();
        let all_fine = seen.iter().all(|event| matches!(event, Ok(WatchEvent::Bookmark(_))));
        assert!(all_fine, "{}", stage.plane);
        assert!(took > Duration::from_millis(1500) && took < Duration::from_secs(6), "{took:?}");
    }
}

#[tokio::test]
async fn watchers_of_both_strategies_follow_everything() {
    for stage in stages("watchers").await {
        let nodes = nodes(&stage);
        nodes.create(&PostParams::default(), &node("a", &[])).await.unwrap();
        for config in [watcher::Config::default(), watcher::Config::default().streaming_lists()] {
            let mut events = watcher(nodes.clone(), config).boxed();
            let mut words = Vec::new();
            while words.len() < 3 {
                words.push(match soon(events.next()).await.unwrap().unwrap() {
                    watcher::Event::Init => "init".to_owned(),
                    watcher::Event::InitApply(node) => format!("there {}", node.name_any()),
                    watcher::Event::InitDone => "done".to_owned(),
                    other => panic!("{other:?}"),
                });
            }
            assert_eq!(words, ["init", "there a", "done"], "{}", stage.plane);
            nodes.create(&PostParams::default(), &node("b", &[])).await.unwrap();
            let next = soon(events.next()).await.unwrap().unwrap();
            assert!(matches!(next, watcher::Event::Apply(node) if node.name_any() == "b"));
            nodes.delete("b", &DeleteParams::default()).await.unwrap();
            let next = soon(events.next()).await.unwrap().unwrap();
            assert!(matches!(next, watcher::Event::Delete(node) if node.name_any() == "b"));
        }
    }
}
