//! A client that waits while the local plane goes from one host to the next.

use std::error::Error;
use std::time::Duration;

use http::{Method, Request, Response};
use hyper_util::client::legacy;
use kube::Client;
use kube::client::Body;
use tokio::time::{Instant, sleep};
use tower::service_fn;

/// The longest wait for the next host. A leader asks whether it leads before it writes, which is true for 10 s after it said so
/// last; nobody else leads before 15 s have passed. What waits in between must be sent before that.
const PATIENCE: Duration = Duration::from_secs(4);
/// From one attempt to the next.
const BREATH: Duration = Duration::from_millis(50);

/// The same client, but a request that reached no host is sent again until one answers, 4 s at most. One that may have reached a
/// host is sent again only if it asks and changes nothing.
pub(crate) fn patient(client: &Client) -> Client {
    let namespace = client.default_namespace().to_owned();
    let client = client.clone();
    let service = service_fn(move |request| send(client.clone(), request));
    Client::new(service, namespace)
}

async fn send(client: Client, request: Request<Body>) -> kube::Result<Response<Body>> {
    let end = Instant::now() + PATIENCE;
    let asks = request.method() == Method::GET;
    let mut request = request;
    loop {
        let again = copy(&request);
        match (client.send(request).await, again) {
            (Err(error), Some(again)) if may_go_again(&error, asks) && Instant::now() < end => {
                sleep(BREATH).await;
                request = again;
            }
            (answered, _) => return answered,
        }
    }
}

/// The same request once more; `None` when its body is not at hand any more.
fn copy(request: &Request<Body>) -> Option<Request<Body>> {
    let mut copy = Request::new(request.body().try_clone()?);
    request.method().clone_into(copy.method_mut());
    request.uri().clone_into(copy.uri_mut());
    request.headers().clone_into(copy.headers_mut());
    Some(copy)
}

/// Whether a request that failed may be sent again: it has not arrived, or may arrive twice.
fn may_go_again(error: &kube::Error, asks: bool) -> bool {
    let causes = std::iter::successors(Some(error as &(dyn Error + 'static)), |&it| it.source());
    let mut broken = causes.filter_map(|cause| cause.downcast_ref::<legacy::Error>());
    broken.next().is_some_and(|error| asks || error.is_connect())
}

#[cfg(test)]
mod tests {
    use k8s_openapi::api::core::v1::ConfigMap;
    use kube::api::PostParams;
    use kube::config::{KubeConfigOptions, Kubeconfig};
    use kube::{Api, Config};

    use super::*;
    use crate::local::LocalPlane;

    #[tokio::test]
    async fn what_is_written_between_two_hosts_is_written_at_the_second() {
        let folder = tempfile::tempdir().unwrap();
        let plane = LocalPlane::open(folder.path(), Vec::new()).unwrap();
        plane.serve("default", None).await.unwrap();
        let kubeconfig = Kubeconfig::read_from(folder.path().join("kubeconfig")).unwrap();
        let options = KubeConfigOptions::default();
        let config = Config::from_custom_kubeconfig(kubeconfig, &options).await.unwrap();
        let maps: Api<ConfigMap> =
            Api::default_namespaced(patient(&Client::try_from(config).unwrap()));
        plane.shutdown().await;

        let mut map = ConfigMap::default();
        map.metadata.name = Some("a".into());
        let params = PostParams::default();
        let written = maps.create(&params, &map);
        let next = async {
            sleep(2 * BREATH).await;
            let plane = LocalPlane::open(folder.path(), Vec::new()).unwrap();
            plane.serve_again().await.unwrap();
            plane
        };
        let (written, plane) = tokio::join!(written, next);
        written.unwrap();
        maps.get("a").await.unwrap();
        plane.shutdown().await;
    }
}
