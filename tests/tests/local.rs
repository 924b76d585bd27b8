//! What is true of the local plane alone: its folder, its door, and what survives.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use http::Request;
use k8s_openapi::api::coordination::v1::{Lease, LeaseSpec};
use k8s_openapi::api::core::v1::ConfigMap;
use kube::api::{Api, ListParams, ObjectMeta, PostParams};
use kube::client::Body;
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::{Client, Config, ResourceExt};
use serde_json::json;
use tiny_crds::{TinyNode, manifest};
use tiny_runtime::local::{LocalPlane, OpenError, ServeError};

const CHILD: &str = "TINY_TEST_CHILD_FOLDER";

fn open(folder: &Path) -> LocalPlane {
    LocalPlane::open(folder, manifest::crds()).unwrap()
}

fn map(name: &str) -> ConfigMap {
    let metadata = ObjectMeta { name: Some(name.to_owned()), ..ObjectMeta::default() };
    ConfigMap { metadata, ..ConfigMap::default() }
}

fn maps(plane: &LocalPlane) -> Api<ConfigMap> {
    Api::default_namespaced(plane.client("default"))
}

/// A client that comes through the door, as kubectl does.
async fn outside(folder: &Path) -> (Client, Config) {
    let kubeconfig = Kubeconfig::read_from(folder.join("kubeconfig")).unwrap();
    let options = KubeConfigOptions::default();
    let config = Config::from_custom_kubeconfig(kubeconfig, &options).await.unwrap();
    (Client::try_from(config.clone()).unwrap(), config)
}

#[tokio::test]
async fn a_folder_belongs_to_one_process_at_a_time() {
    let folder = tempfile::tempdir().unwrap();
    let plane = open(folder.path());
    let error = LocalPlane::open(folder.path(), manifest::crds()).unwrap_err();
    assert!(matches!(error, OpenError::AlreadyOpen { .. }));
    assert!(error.to_string().contains(folder.path().to_str().unwrap()), "{error}");
    plane.shutdown().await;
    open(folder.path()).shutdown().await;
}

#[tokio::test]
async fn after_a_restart_everything_is_there_and_versions_go_on() {
    let folder = tempfile::tempdir().unwrap();
    let plane = open(folder.path());
    let made = maps(&plane).create(&PostParams::default(), &map("a")).await.unwrap();
    plane.shutdown().await;
    let refused = maps(&plane).create(&PostParams::default(), &map("b")).await.unwrap_err();
    assert!(matches!(refused, kube::Error::Api(status) if status.code == 503));
    let plane = open(folder.path());
    let found = maps(&plane).get("a").await.unwrap();
    assert_eq!(found, made);
    let next = maps(&plane).create(&PostParams::default(), &map("b")).await.unwrap();
    let number = |map: &ConfigMap| map.resource_version().unwrap().parse::<u64>().unwrap();
    assert!(number(&next) > number(&made));
    plane.shutdown().await;
}

#[tokio::test]
async fn nobody_holds_a_lease_of_a_plane_that_just_opened() {
    let folder = tempfile::tempdir().unwrap();
    let plane = open(folder.path());
    let leases: Api<Lease> = Api::default_namespaced(plane.client("default"));
    let lease = Lease {
        metadata: ObjectMeta { name: Some("m-lock".into()), ..ObjectMeta::default() },
        spec: Some(LeaseSpec {
            holder_identity: Some("killed".into()),
            lease_transitions: Some(3),
            ..LeaseSpec::default()
        }),
    };
    leases.create(&PostParams::default(), &lease).await.unwrap();
    plane.shutdown().await;
    let plane = open(folder.path());
    let leases: Api<Lease> = Api::default_namespaced(plane.client("default"));
    let spec = leases.get("m-lock").await.unwrap().spec.unwrap();
    assert_eq!((spec.holder_identity, spec.lease_transitions), (None, Some(3)));
    plane.shutdown().await;
}

#[tokio::test]
async fn the_door_opens_at_the_same_place_and_only_with_the_token() {
    let folder = tempfile::tempdir().unwrap();
    let plane = open(folder.path());
    let address = plane.serve("default", None).await.unwrap();
    assert!(address.ip().is_loopback());
    let (client, mut config) = outside(folder.path()).await;
    Api::<ConfigMap>::default_namespaced(client)
        .create(&PostParams::default(), &map("a"))
        .await
        .unwrap();
    config.auth_info.token = Some("guessed".to_owned().into());
    let stranger = Client::try_from(config).unwrap();
    let error = Api::<ConfigMap>::default_namespaced(stranger).get("a").await.unwrap_err();
    assert!(matches!(error, kube::Error::Api(status) if status.code == 401));
    plane.shutdown().await;
    let plane = open(folder.path());
    assert_eq!(plane.serve("default", None).await.unwrap(), address);
    let (client, _) = outside(folder.path()).await;
    Api::<ConfigMap>::default_namespaced(client).get("a").await.unwrap();
    plane.shutdown().await;
    assert_eq!(std::fs::read_to_string(folder.path().join(".gitignore")).unwrap(), "*\n");
}

#[tokio::test]
async fn a_taken_port_is_left_to_its_owner() {
    let folder = tempfile::tempdir().unwrap();
    let plane = open(folder.path());
    let address = plane.serve("default", None).await.unwrap();
    plane.shutdown().await;
    tokio::time::sleep(Duration::from_millis(100)).await;
    let _owner = std::net::TcpListener::bind(address).unwrap();
    let plane = open(folder.path());
    assert_ne!(plane.serve("default", None).await.unwrap(), address);
    let (client, _) = outside(folder.path()).await;
    client.apiserver_version().await.unwrap();
    plane.shutdown().await;
}

#[tokio::test]
async fn a_plane_in_memory_has_no_door() {
    let plane = LocalPlane::in_memory(manifest::crds()).unwrap();
    assert!(matches!(plane.serve("default", None).await, Err(ServeError::InMemory)));
}

#[tokio::test]
async fn a_body_over_the_limit_is_refused() {
    let plane = LocalPlane::in_memory(manifest::crds()).unwrap();
    let client = plane.client("default");
    let ask = async |size: usize| {
        let body = json!({ "kind": "ConfigMap", "apiVersion": "v1", "data": { "a": "x".repeat(size) }, "metadata": { "name": "a" } });
        let request = Request::post("/api/v1/namespaces/default/configmaps?dryRun=All")
            .header("content-type", "application/json")
            .body(Body::from(body.to_string().into_bytes()))
            .unwrap();
        client.send(request).await.unwrap().status().as_u16()
    };
    assert_eq!(ask(1024).await, 201);
    assert_eq!(ask(9 * 1024 * 1024).await, 413);
}

#[tokio::test]
async fn a_shutdown_ends_watches() {
    use futures::StreamExt;
    let plane = LocalPlane::in_memory(manifest::crds()).unwrap();
    let nodes: Api<TinyNode> = Api::default_namespaced(plane.client("default"));
    let events = nodes.watch(&Default::default(), "0").await.unwrap();
    plane.shutdown().await;
    let rest = tokio::time::timeout(Duration::from_secs(5), events.count()).await;
    assert_eq!(rest.expect("the watch goes on"), 0);
}

/// The child of the next test: writes until it is killed, and says what was acknowledged.
#[tokio::test]
async fn child_that_writes_until_it_is_killed() {
    let Ok(folder) = std::env::var(CHILD) else { return };
    let plane = open(folder.as_ref());
    for at in 0.. {
        maps(&plane).create(&PostParams::default(), &map(&format!("m{at}"))).await.unwrap();
        std::fs::write(Path::new(&folder).join("acknowledged"), at.to_string()).unwrap();
    }
}

#[tokio::test]
async fn what_was_acknowledged_survives_a_kill() {
    let folder = tempfile::tempdir().unwrap();
    let told = folder.path().join("acknowledged");
    let acknowledged = || {
        let text = std::fs::read_to_string(&told).unwrap_or_default();
        text.parse::<usize>().ok()
    };
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "child_that_writes_until_it_is_killed"])
        .env(CHILD, folder.path())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let started = Instant::now();
    while acknowledged().is_none_or(|count| count < 40) {
        assert!(started.elapsed() < Duration::from_secs(60), "the child does not write");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let before = acknowledged();
    child.kill().unwrap();
    child.wait().unwrap();
    // The kill may cut the note of the last one short; never below what was read before.
    let last = acknowledged().max(before).unwrap();
    let plane = open(folder.path());
    let found = maps(&plane).list(&ListParams::default()).await.unwrap().items;
    let names: Vec<_> = found.iter().map(ResourceExt::name_any).collect();
    for at in 0..=last {
        assert!(names.contains(&format!("m{at}")), "`m{at}` was acknowledged and is gone");
    }
    plane.shutdown().await;
}
