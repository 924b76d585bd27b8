//! One address of a module, and the connection that is kept warm to it.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::task::AbortHandle;
use tokio::time::{Instant, sleep, timeout};
use tonic::transport::{Channel, Endpoint};

use super::answer::Fate;
use super::proto::MessageRequest;
use super::proto::module_service_client::ModuleServiceClient;
use super::security::Security;
use super::stream::{Line, NoLine};
use super::{KEEP_ALIVE, TRANSPORT, unary, words};
use crate::engine::Dice;

/// The longest wait for a connection.
const CONNECT: Duration = Duration::from_secs(3);
/// The waits between two attempts to connect: the first, and the longest.
const WAITS: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(2));
/// How often a module that knows no stream is asked again: it may have been replaced.
const ASK_AGAIN: Duration = Duration::from_secs(60);
/// The windows of the stream and of the connection, in bytes.
const WINDOWS: (u32, u32) = (2 * 1024 * 1024, 8 * 1024 * 1024);

/// A connection to one address; it ends when this is dropped.
pub(super) struct Link {
    state: Arc<Mutex<State>>,
    task: AbortHandle,
}

#[derive(Clone)]
enum State {
    /// Not connected, and why.
    Down(String),
    Stream(Arc<Line>),
    Unary(ModuleServiceClient<Channel>),
}

/// A connection as it is now, over which messages can go.
pub(super) enum Way {
    Stream(Arc<Line>),
    Unary(ModuleServiceClient<Channel>),
}

impl Link {
    /// Connects to `address`, whose certificate is that of `host`, again and again until this is dropped. `changed` is called whenever
    /// the state is another.
    pub(super) fn to(
        address: SocketAddr,
        host: &str,
        security: &Security,
        dice: Arc<Dice>,
        changed: impl Fn() + Send + Sync + 'static,
    ) -> Self {
        let state = Arc::new(Mutex::new(State::Down("not connected yet".into())));
        let endpoint = endpoint(address, host, security);
        let of_task = state.clone();
        let task = tokio::spawn(async move {
            let endpoint = match endpoint {
                Ok(endpoint) => endpoint,
                Err(why) => {
                    set(&of_task, State::Down(why));
                    changed();
                    return;
                }
            };
            let mut wait = WAITS.0;
            loop {
                match connected(&endpoint, &of_task, &changed).await {
                    // It was connected: the next attempt comes soon.
                    None => wait = WAITS.0,
                    Some(why) => set(&of_task, State::Down(why)),
                }
                changed();
                sleep(wait / 2 + dice.up_to(wait / 2)).await;
                wait = (wait * 2).min(WAITS.1);
            }
        });
        Self { state, task: task.abort_handle() }
    }

    /// The way over it, or why there is none; with the calls that are open on it.
    pub(super) fn way(&self) -> Result<(Way, usize), String> {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        match &*state {
            State::Down(why) => Err(why.clone()),
            State::Stream(line) if line.is_broken() => Err("the connection was lost".into()),
            State::Stream(line) => Ok((Way::Stream(line.clone()), line.open_calls())),
            State::Unary(client) => Ok((Way::Unary(client.clone()), 0)),
        }
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Way {
    pub(super) async fn call(
        &self,
        message: impl FnOnce() -> MessageRequest,
        is_inside: impl FnOnce() -> bool,
        until: Instant,
    ) -> Fate {
        match self {
            Self::Stream(line) => line.call(message, is_inside, until).await,
            Self::Unary(client) => Box::pin(unary::call(client.clone(), message())).await,
        }
    }
}

fn set(state: &Mutex<State>, to: State) {
    *state.lock().unwrap_or_else(PoisonError::into_inner) = to;
}

/// Connects once, and stays for as long as that holds. Returns why it did not come about.
async fn connected(
    endpoint: &Endpoint,
    state: &Mutex<State>,
    changed: &impl Fn(),
) -> Option<String> {
    loop {
        let client = match client(&asking(endpoint)).await {
            Ok(client) => client,
            Err(why) => return Some(why),
        };
        match Line::open(client).await {
            Ok(line) => {
                let line = Arc::new(line);
                set(state, State::Stream(line.clone()));
                changed();
                line.broken().await;
                set(state, State::Down("the connection was lost".into()));
                return None;
            }
            Err(NoLine::Unknown) => {
                match self::client(&quiet(endpoint)).await {
                    Ok(client) => set(state, State::Unary(client)),
                    Err(why) => return Some(why),
                }
                changed();
                sleep(ASK_AGAIN).await;
            }
            Err(NoLine::Failed(why)) => return Some(why),
        }
    }
}

/// With questions whether the other end is there.
fn asking(endpoint: &Endpoint) -> Endpoint {
    let (interval, patience) = KEEP_ALIVE;
    let endpoint = endpoint.clone().http2_keep_alive_interval(interval);
    endpoint.keep_alive_timeout(patience).keep_alive_while_idle(true)
}

/// With questions of the system alone: gRPC servers as they come take those of the protocol for an attack, and hang up amid calls.
fn quiet(endpoint: &Endpoint) -> Endpoint {
    let (interval, _) = KEEP_ALIVE;
    let endpoint = endpoint.clone().tcp_keepalive(Some(interval));
    endpoint.tcp_keepalive_interval(Some(interval)).tcp_keepalive_retries(Some(2))
}

async fn client(endpoint: &Endpoint) -> Result<ModuleServiceClient<Channel>, String> {
    let channel = match timeout(CONNECT, endpoint.connect()).await {
        Ok(Ok(channel)) => channel,
        Ok(Err(e)) => return Err(words(&e)),
        Err(_) => return Err(format!("no connection within {CONNECT:?}")),
    };
    let client = ModuleServiceClient::new(channel);
    Ok(client.max_decoding_message_size(TRANSPORT).max_encoding_message_size(TRANSPORT))
}

fn endpoint(address: SocketAddr, host: &str, security: &Security) -> Result<Endpoint, String> {
    if !security.may_reach(address) {
        return Err(format!(
            "{address} is outside this machine, and nothing goes there unencrypted: give certificates with --grpc-tls-cert, --grpc-tls-key \
             and --grpc-tls-ca, or say --grpc-plaintext where the network is trusted"
        ));
    }
    let scheme = if security.is_plain() { "http" } else { "https" };
    let endpoint = Endpoint::from_shared(format!("{scheme}://{address}")).map_err(|e| words(&e))?;
    let endpoint = endpoint
        .connect_timeout(CONNECT)
        .tcp_nodelay(true)
        .initial_stream_window_size(WINDOWS.0)
        .initial_connection_window_size(WINDOWS.1);
    match security.client(host) {
        None => Ok(endpoint),
        Some(tls) => endpoint.tls_config(tls).map_err(|e| words(&e)),
    }
}
