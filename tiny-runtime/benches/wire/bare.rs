//! tonic alone: the same protocol, with nothing behind it.

use std::pin::Pin;

use bytes::Bytes;
use futures::{Stream, StreamExt};
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tonic::transport::{Channel, Endpoint, server::TcpIncoming};
use tonic::{Request, Response, Status, Streaming};

use crate::end;
use crate::proto::module_service_client::ModuleServiceClient;
use crate::proto::module_service_server::{ModuleService, ModuleServiceServer};
use crate::proto::{Answer, Call, MessageRequest, MessageResponse, Outcome, Trace};

struct Service;

#[tonic::async_trait]
impl ModuleService for Service {
    async fn message(
        &self,
        _: Request<MessageRequest>,
    ) -> Result<Response<MessageResponse>, Status> {
        Ok(Response::new(answer()))
    }

    type ExchangeStream = Pin<Box<dyn Stream<Item = Result<Answer, Status>> + Send>>;

    async fn exchange(
        &self,
        request: Request<Streaming<Call>>,
    ) -> Result<Response<Self::ExchangeStream>, Status> {
        let answers = request.into_inner().map(|call| {
            let id = call?.id;
            Ok(Answer { id, response: Some(answer()), credits: 0 })
        });
        Ok(Response::new(Box::pin(answers)))
    }
}

fn answer() -> MessageResponse {
    MessageResponse { outcome: Outcome::Empty.into(), ..MessageResponse::default() }
}

/// What a mapped hop of the other rows puts on the wire.
fn message() -> MessageRequest {
    MessageRequest {
        from: "n1:output".into(),
        to: "n2:input".into(),
        payload: Bytes::from_static(br#"{"name":"Ada Lovelace","total":129.95}"#),
        edge_id: "to-n2".into(),
        mapped: true,
        hops: 1,
        path: vec!["n1".into()],
        attempt: 1,
        trace: Some(Trace { run: Bytes::from_static(&[7; 16]), span: 0, sampled: false }),
        ..MessageRequest::default()
    }
}

/// Serves until nobody asks any more.
pub(crate) async fn serve() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port is free");
    let address = listener.local_addr().expect("it has an address").to_string();
    let server = tonic::transport::Server::builder().add_service(ModuleServiceServer::new(Service));
    let incoming = TcpIncoming::from(listener).with_nodelay(Some(true));
    tokio::select! {
        served = server.serve_with_incoming(incoming) => served.expect("it serves"),
        () = end::answer(address) => {}
    }
}

pub(crate) struct Client(ModuleServiceClient<Channel>);

impl Client {
    pub(crate) async fn connect(address: &str) -> Self {
        let endpoint =
            Endpoint::from_shared(format!("http://{address}")).expect("it is an address");
        let channel = endpoint.tcp_nodelay(true).connect().await.expect("it listens");
        Self(ModuleServiceClient::new(channel))
    }

    /// One call.
    pub(crate) async fn call(&self) {
        let response = self.0.clone().message(message()).await;
        assert!(response.is_ok());
    }

    /// So many calls, `window` at once.
    pub(crate) async fn unary(&self, messages: u32, window: usize) {
        let each = messages / u32::try_from(window).expect("it is small");
        let clients = (0..window).map(|_| {
            let client = Self(self.0.clone());
            tokio::spawn(async move {
                for _ in 0..each {
                    client.call().await;
                }
            })
        });
        for client in clients.collect::<Vec<_>>() {
            client.await.expect("no call fails");
        }
    }

    /// So many messages over one stream, `window` unanswered at once.
    pub(crate) async fn stream(&self, messages: u32, window: usize) {
        let (calls, outgoing) = mpsc::channel(window);
        let outgoing = tokio_stream(outgoing);
        let call = |id| Call { id, message: Some(message()) };
        for id in 0..window as u64 {
            calls.send(call(id)).await.expect("the stream stands");
        }
        let response = self.0.clone().exchange(outgoing).await.expect("the stream opens");
        let mut answers = response.into_inner();
        let mut sent = window as u64;
        for _ in 0..messages {
            assert!(matches!(answers.message().await, Ok(Some(_))));
            if sent < u64::from(messages) {
                calls.send(call(sent)).await.expect("the stream stands");
                sent += 1;
            }
        }
    }
}

fn tokio_stream(receiver: mpsc::Receiver<Call>) -> impl Stream<Item = Call> + Send {
    futures::stream::unfold(receiver, |mut receiver| async move {
        receiver.recv().await.map(|call| (call, receiver))
    })
}
