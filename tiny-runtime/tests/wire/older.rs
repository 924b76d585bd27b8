//! Modules of the first version of the protocol, at either end.

use std::sync::{Arc, Mutex};

use serde_json::json;
use tiny_runtime::component::Kind;
use tiny_runtime::engine::InwardDecl;
use tokio_stream_of::incoming;
use tonic::{Code, Request, Response, Status};

use crate::seed::module_service_client::ModuleServiceClient;
use crate::seed::module_service_server::{ModuleService, ModuleServiceServer};
use crate::seed::{MessageRequest, MessageResponse};
use crate::stage::{Act, address, answer, failure, mapped};
use crate::town::{Town, quick};

mod tokio_stream_of {
    use futures::Stream;
    use tokio::net::{TcpListener, TcpStream};

    /// The connections of a listener.
    pub(super) fn incoming(
        listener: TcpListener,
    ) -> impl Stream<Item = std::io::Result<TcpStream>> {
        futures::stream::unfold(listener, |listener| async move {
            Some((listener.accept().await.map(|(stream, _)| stream), listener))
        })
    }
}

fn request(payload: &str) -> MessageRequest {
    MessageRequest {
        id: String::new(),
        from: "far:out".into(),
        to: "two:input".into(),
        payload: payload.to_owned().into(),
        edge_id: "e".into(),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_older_module_gets_a_reply_an_empty_one_and_an_error_and_its_messages_are_mapped() {
    let town = Town::new();
    let b = town.module("b").await;
    let mut two = b.world.decl("two", "actor", vec![]);
    two.inward = vec![InwardDecl {
        from: address("far:out"),
        port: "input".into(),
        mapping: json!({"text": "{{ $.name }}"}),
    }];
    b.world.update(two);
    b.script("two", &[Act::Answer("hi"), Act::Nothing, Act::Permanent("no such thing")]);
    let mut client = ModuleServiceClient::connect(format!("http://{}", b.address)).await.unwrap();
    let reply = client.message(request(r#"{"name":"Ann"}"#)).await.unwrap().into_inner();
    assert_eq!(&*reply.data, br#"{"text":"hi"}"#);
    assert_eq!(b.world.arrivals(), ["two: Ann"], "its mapping is `ports[].from`");
    let empty = client.message(request(r#"{"name":"Ann"}"#)).await.unwrap().into_inner();
    assert_eq!(&*empty.data, b"", "not `null`, which would be a reply");
    let error = client.message(request(r#"{"name":"Ann"}"#)).await.unwrap_err();
    assert_eq!((error.code(), error.message()), (Code::FailedPrecondition, "no such thing"));

    let nowhere = MessageRequest { to: "nowhere".into(), ..request("{}") };
    let error = client.message(nowhere).await.unwrap_err();
    assert_eq!(error.message(), "`To` must be `node:port`, and `nowhere` is not");
    let garbage = client.message(request("not JSON")).await.unwrap_err();
    assert_eq!(garbage.code(), Code::FailedPrecondition);
    assert!(garbage.message().contains("not JSON"), "{garbage}");

    // The header of the call is its deadline.
    b.script("two", &[Act::Hang]);
    let mut hasty = Request::new(request(r#"{"name":"Ann"}"#));
    hasty.set_timeout(std::time::Duration::from_millis(100));
    assert!(client.message(hasty).await.is_err());
    b.logged("left two").await;
}

/// An older module: it answers with what the test says, and keeps what came.
#[derive(Clone, Default)]
struct Older {
    came: Arc<Mutex<Vec<(String, String, String)>>>,
}

#[tonic::async_trait]
impl ModuleService for Older {
    async fn message(
        &self,
        request: Request<MessageRequest>,
    ) -> Result<Response<MessageResponse>, Status> {
        let request = request.into_inner();
        let text = String::from_utf8(request.payload.to_vec()).unwrap();
        if text.contains("slow") {
            self.came.lock().unwrap().push((request.from, request.to, text));
            return std::future::pending().await;
        }
        let answer = match text.contains("fail") {
            true => return Err(Status::unknown("it failed")),
            false if text.contains("nothing") => "null".to_owned(),
            false => r#"{"text":"from afar"}"#.to_owned(),
        };
        self.came.lock().unwrap().push((request.from, request.to, text));
        Ok(Response::new(MessageResponse { data: answer.into() }))
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_older_module_is_called_one_by_one_and_maps_what_its_own_node_says() {
    let town = Town::new();
    let a = town.module("a").await;
    let older = Older::default();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    town.tell("old", Some(&listener.local_addr().unwrap().to_string()));
    town.own("far", "old");
    let service = ModuleServiceServer::new(older.clone());
    let serving = tonic::transport::Server::builder().add_service(service);
    tokio::spawn(serving.serve_with_incoming(incoming(listener)));

    a.node("one", "actor", &["out far:input"]);
    a.node("ask", "actor", &["ask far:input"]).script("ask", &[Act::Ask]);
    let to_ask = mapped("ask far:input", json!({"text": "{{ 'nothing of ' + $.text }}"}));
    a.edges("ask2", "actor", vec![quick(to_ask)]).script("ask2", &[Act::Ask]);
    let fails = mapped("out far:input", json!({"text": "fail"}));
    let fails = tiny_runtime::engine::EdgeDecl {
        bounds: tiny_runtime::engine::RetryBounds { attempts: 1, ..Default::default() },
        ..fails
    };
    a.edges("bad", "actor", vec![fails]);
    assert_eq!(answer(&a.run("one:input").await).as_deref(), Some("from afar"));
    assert_eq!(answer(&a.run("ask:input").await).as_deref(), Some("from afar"));
    assert_eq!(answer(&a.run("ask2:input").await), None, "`null` of an older module is no reply");
    let came = older.came.lock().unwrap().clone();
    let told = |from: &str, text: &str| (from.to_owned(), "far:input".to_owned(), text.to_owned());
    assert_eq!(
        came,
        [
            told("one:out", r#"{"text":"go"}"#),
            told("ask:ask", r#"{"text":"go"}"#),
            told("ask2:ask", r#"{"text":"nothing of go"}"#),
        ]
    );
    let mut trigger = a.world.trigger("bad:input", json!({"text": "go"}));
    trigger.timeout = Some(std::time::Duration::from_millis(300));
    let error = failure(&a.world.start(trigger).await);
    assert_eq!(error.kind(), Kind::Exhausted, "what an older module fails with may pass");
    assert!(a.world.calls("bad") >= 1);

    // Who is late has arrived, and does not arrive again.
    older.came.lock().unwrap().clear();
    let slow = mapped("out far:input", json!({"text": "slow"}));
    let timeout = Some(std::time::Duration::from_millis(200));
    let bounds = tiny_runtime::engine::RetryBounds { timeout, ..Default::default() };
    a.edges("late", "actor", vec![tiny_runtime::engine::EdgeDecl { bounds, ..slow }]);
    let error = failure(&a.run("late:input").await);
    assert_eq!(error.kind(), Kind::Exhausted, "{error}");
    assert!(error.to_string().contains("`far:input` did not end within"), "{error}");
    assert_eq!(older.came.lock().unwrap().len(), 1);
}
