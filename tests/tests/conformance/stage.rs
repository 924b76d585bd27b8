//! Where a test plays: a namespace of its own on a plane.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use http::{HeaderMap, Request};
use k8s_openapi::api::core::v1::Namespace;
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::api::{Api, PostParams};
use kube::client::Body;
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::runtime::wait::{await_condition, conditions};
use kube::{Client, Config, ResourceExt};
use serde_json::{Value, json};
use tiny_crds::{TinyNode, manifest};
use tiny_runtime::local::LocalPlane;

/// A namespace on a plane.
pub(crate) struct Stage {
    pub(crate) client: Client,
    pub(crate) namespace: String,
    /// `local` or `real`, for messages.
    pub(crate) plane: &'static str,
}

/// What came back.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) code: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Value,
}

/// The stages of a test, one for each plane.
pub(crate) async fn stages(test: &str) -> Vec<Stage> {
    let mut stages = vec![local(test).await];
    if let Ok(file) = std::env::var("TINY_TEST_KUBECONFIG") {
        stages.push(real(test, &file).await);
    }
    stages
}

async fn local(test: &str) -> Stage {
    let plane = LocalPlane::in_memory(manifest::crds()).unwrap();
    plane.ensure_namespace(test).await.unwrap();
    Stage { client: plane.client(test), namespace: test.to_owned(), plane: "local" }
}

async fn real(test: &str, file: &str) -> Stage {
    let kubeconfig = Kubeconfig::read_from(file).unwrap();
    let options = KubeConfigOptions::default();
    let config = Config::from_custom_kubeconfig(kubeconfig, &options).await.unwrap();
    let client = Client::try_from(config).unwrap();
    let crds: Api<CustomResourceDefinition> = Api::all(client.clone());
    for crd in manifest::crds() {
        match crds.create(&PostParams::default(), &crd).await {
            Ok(_) => {}
            Err(kube::Error::Api(status)) if status.is_already_exists() => {}
            Err(error) => panic!("{error}"),
        }
        let name = crd.name_any();
        let established = await_condition(crds.clone(), &name, conditions::is_crd_established());
        tokio::time::timeout(Duration::from_secs(20), established).await.unwrap().unwrap();
    }
    let namespaces: Api<Namespace> = Api::all(client.clone());
    // A name of its own for each run: a namespace takes its time to end.
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis();
    let name = format!("{test}-{now}");
    let namespace = json!({ "metadata": { "name": name } });
    let namespace: Namespace = serde_json::from_value(namespace).unwrap();
    namespaces.create(&PostParams::default(), &namespace).await.unwrap();
    Stage { client, namespace: name, plane: "real" }
}

impl Stage {
    /// Sends a request as it stands. `{ns}` in path and body is the stage's namespace.
    pub(crate) async fn ask(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &Value,
    ) -> Answer {
        let path = path.replace("{ns}", &self.namespace);
        let mut request = Request::builder().method(method).uri(path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let body = match body {
            Value::Null => Vec::new(),
            Value::String(raw) => raw.clone().into_bytes(),
            body => body.to_string().replace("{ns}", &self.namespace).into_bytes(),
        };
        let response = self.client.send(request.body(Body::from(body)).unwrap()).await.unwrap();
        let (head, body) = response.into_parts();
        let bytes = body.collect_bytes().await.unwrap();
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let body = serde_json::from_str(&text).unwrap_or(Value::String(text));
        Answer { code: head.status.as_u16(), headers: head.headers, body }
    }
}

/// A node of no importance.
pub(crate) fn node(name: &str, labels: &[(&str, &str)]) -> TinyNode {
    let mut node = TinyNode::new(name, Default::default());
    node.spec.module = "m".into();
    node.spec.component = "c".into();
    let labels = labels.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned()));
    node.metadata.labels = Some(labels.collect());
    node
}

/// Waits, but not for ever.
pub(crate) async fn soon<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(30), future).await.expect("it never came")
}
