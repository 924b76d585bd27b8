//! A thousand slow clients at once.

use std::fs;
use std::sync::Arc;
use std::time::Duration;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use serde_json::json;
use socket2::{Domain, Socket, Type};
use tiny_tests::{Running, get};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio::sync::{Semaphore, mpsc, watch};
use tokio::task::{JoinSet, block_in_place};
use tokio::time::{sleep, timeout};

use super::talk::{PATIENCE, Talk, request};
use super::web::Web;

/// Clients of each kind.
const EACH: usize = 250;
/// Of all kinds.
const ALL: usize = 4 * EACH;
/// Seconds that a request has to come in, and a piece of a response to be taken. All are connected well before that.
const LIMIT: u64 = 20;
/// How long an idle connection is kept beyond that.
const BEYOND: u64 = 15;
/// How often a byte comes or is taken.
const DRIP: Duration = Duration::from_millis(500);
/// What is sent at once of a body of 900 000 bytes.
const START: usize = 64 * 1024;
/// A body that is said again: as a response it is more than the server leaves to the system (`UNSENT`) and a socket takes in at once.
const LARGE: usize = 256 * 1024;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// The head of a request, byte by byte.
    Head,
    /// A body of which the most is missing.
    Body,
    /// A body in chunks of a byte.
    Chunks,
    /// A large response, taken byte by byte.
    Response,
}

/// What the clients share.
#[derive(Clone)]
struct Site {
    address: String,
    begun: mpsc::Sender<Kind>,
    /// True when the server has closed all its connections.
    over: watch::Receiver<bool>,
    /// Bodies of which the sum has a bound come a few at a time.
    gate: Arc<Semaphore>,
}

impl Site {
    /// A client, until the server ends it. What came.
    async fn client(self, kind: Kind) -> (Kind, Vec<u8>) {
        let post = "POST /slow HTTP/1.1\r\nHost: web\r\n";
        let said = match kind {
            Kind::Head => self.sends(kind, post.to_owned(), "x").await,
            Kind::Body => {
                let body = "x".repeat(START);
                let first = format!("{post}Content-Length: 900000\r\n\r\n{body}");
                self.sends(kind, first, "x").await
            }
            Kind::Chunks => {
                let first = format!("{post}Transfer-Encoding: chunked\r\n\r\n");
                self.sends(kind, first, "1\r\nx\r\n").await
            }
            Kind::Response => self.takes().await,
        };
        (kind, said)
    }

    async fn sends(self, kind: Kind, first: String, drip: &str) -> Vec<u8> {
        let stream = TcpStream::connect(&self.address).await.unwrap();
        let (mut reads, mut writes) = stream.into_split();
        let mut said = Vec::new();
        writes.write_all(first.as_bytes()).await.unwrap();
        self.begun.send(kind).await.unwrap();
        let dripping = async {
            while writes.write_all(drip.as_bytes()).await.is_ok() {
                sleep(DRIP).await;
            }
            std::future::pending::<()>().await;
        };
        tokio::select! {
            // A reset is an end, too.
            _ended = reads.read_to_end(&mut said) => {}
            () = dripping => {}
        }
        said
    }

    async fn takes(mut self) -> Vec<u8> {
        let permit = self.gate.acquire().await.unwrap();
        let mut stream = narrow(&self.address).await;
        stream.write_all(request("POST", "/slow", &"x".repeat(LARGE)).as_bytes()).await.unwrap();
        let mut said = vec![stream.read_u8().await.unwrap()];
        drop(permit);
        self.begun.send(Kind::Response).await.unwrap();
        while !*self.over.borrow() {
            tokio::select! {
                _over = self.over.changed() => {}
                () = sleep(DRIP) => said.push(stream.read_u8().await.unwrap()),
            }
        }
        // What the server has sent by then is on its way; a reset is an end, too.
        drop(stream.read_to_end(&mut said).await);
        said
    }
}

/// A connection that takes in little at once. On loopback a socket would send megabytes ahead, as its segments are that large.
async fn narrow(address: &str) -> TcpStream {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    socket.set_tcp_mss(536).unwrap();
    socket.set_recv_buffer_size(4096).unwrap();
    socket.set_nonblocking(true).unwrap();
    let socket = TcpSocket::from_std_stream(socket.into());
    socket.connect(address.parse().unwrap()).await.unwrap()
}

/// What Linux tells of a process.
struct Process(u32);

impl Process {
    /// Of its memory, in KiB.
    fn memory(&self, name: &str) -> usize {
        let status = fs::read_to_string(format!("/proc/{}/status", self.0)).unwrap();
        let line = status.lines().find(|line| line.starts_with(name)).unwrap();
        line.split_whitespace().nth(1).unwrap().parse().unwrap()
    }

    /// How many files it may have open.
    fn most_files(&self) -> usize {
        let limits = fs::read_to_string(format!("/proc/{}/limits", self.0)).unwrap();
        let line = limits.lines().find_map(|line| line.strip_prefix("Max open files")).unwrap();
        line.split_whitespace().next().unwrap().parse().unwrap_or(usize::MAX)
    }
}

/// Connections that the process behind a port has accepted and not closed, as Linux tells.
fn connections(port: u16) -> usize {
    let (table, local) = (fs::read_to_string("/proc/net/tcp").unwrap(), format!(":{port:04X}"));
    let is_open = |line: &&str| {
        let words: Vec<&str> = line.split_whitespace().collect();
        // 0A listens; what no process has any more, or yet, has no inode.
        words[1].ends_with(&local) && words[3] != "0A" && words[9] != "0"
    };
    table.lines().skip(1).filter(is_open).count()
}

/// Waits until there are so many.
async fn are_connected(port: u16, count: usize) {
    let waiting = async {
        while connections(port) != count {
            sleep(Duration::from_millis(50)).await;
        }
    };
    let done = timeout(PATIENCE + Duration::from_secs(LIMIT + BEYOND), waiting).await;
    assert!(done.is_ok(), "{} connections instead of {count}", connections(port));
}

/// Starts it with the limit that a shell has as a rule; this process gets the most that it may have. `None` where that is too little.
fn start(web: &Web) -> Option<Running> {
    let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
    if maximum.is_some_and(|most| most < 4096) {
        eprintln!("skipped: no more than {maximum:?} files may be open");
        return None;
    }
    setrlimit(Resource::Nofile, Rlimit { current: Some(1024), maximum }).unwrap();
    let running = web.start();
    setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum }).unwrap();
    Some(running)
}

/// 200 requests one after the other, and 64 at once: all are answered.
async fn are_served(address: &str) {
    let mut kept = Talk::to(address).await.unwrap();
    for nth in 0..100 {
        let (path, body) = (format!("/{nth}"), format!("body {nth}"));
        for mut talk in [None, Some(Talk::to(address).await.unwrap())] {
            let talk = talk.as_mut().unwrap_or(&mut kept);
            let said = talk.ask("POST", &path, &body).await.unwrap();
            assert_eq!((said.status, said.body), (200, format!("{path} {body}")));
        }
    }
    let mut at_once = JoinSet::new();
    for _ in 0..64 {
        let address = address.to_owned();
        at_once.spawn(async move {
            let mut talk = Talk::to(&address).await.unwrap();
            assert_eq!(talk.ask("GET", "/", "").await.unwrap().status, 200);
        });
    }
    while let Some(served) = at_once.join_next().await {
        served.unwrap();
    }
}

/// What may be resident, in KiB, of which there was this before. Of the bound's 281 MiB beyond that, 230 were seen at most, in a build for
/// debugging: 28 KiB for a connection and 64 to read into, and twice what is held, as buffers grow by doubling.
fn bound(before: usize) -> usize {
    let held = EACH * (START + LARGE) / 1024;
    before + ALL * (64 + 64) + 2 * held
}

/// That the server has ended a client as it should.
fn is_ended(kind: Kind, said: &[u8]) {
    let said = String::from_utf8_lossy(said);
    match kind {
        // There is no request to answer.
        Kind::Head => assert_eq!(said, ""),
        Kind::Body | Kind::Chunks => {
            assert!(said.starts_with("HTTP/1.1 408 "), "{kind:?}: {said}");
            assert!(said.contains("\r\nconnection: close\r\n"), "{kind:?}: {said}");
        }
        Kind::Response => {
            assert!(said.starts_with("HTTP/1.1 200 "), "{said}");
            assert!(said.len() < LARGE, "it was not cut off");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_slow_clients_keep_nobody_from_being_served_and_are_ended() {
    let web = Web::new(1, json!({}), json!({"readTimeout": LIMIT, "writeTimeout": LIMIT}));
    let Some(running) = block_in_place(|| start(&web)) else { return };
    let process = Process(running.id());
    assert!(process.most_files() >= 4096, "it raises its limit");
    let (address, port) = (web.address(0), web.ports[0]);
    are_served(&address).await;
    are_connected(port, 0).await;
    let before = process.memory("VmRSS");

    let (begun, mut begins) = mpsc::channel(ALL);
    let (told, over) = watch::channel(false);
    let gate = Arc::new(Semaphore::new(4));
    let site = Site { address: address.clone(), begun, over, gate };
    let mut clients = JoinSet::new();
    for _ in 0..EACH {
        for kind in [Kind::Head, Kind::Body, Kind::Chunks, Kind::Response] {
            clients.spawn(site.clone().client(kind));
        }
    }
    for _ in 0..ALL {
        timeout(PATIENCE, begins.recv()).await.unwrap();
    }
    are_connected(port, ALL).await;
    are_served(&address).await;
    are_connected(port, ALL).await;
    let (resident, peak) = (process.memory("VmRSS"), process.memory("VmHWM"));
    println!(
        "{ALL} slow clients: {before} KiB are resident before, {resident} KiB with them, {peak} KiB at the most"
    );
    assert!(peak < bound(before), "{peak} KiB are more than {} KiB", bound(before));

    are_connected(port, 0).await;
    told.send_replace(true);
    while let Some(ended) = timeout(PATIENCE, clients.join_next()).await.unwrap() {
        let (kind, said) = ended.unwrap();
        is_ended(kind, &said);
    }
    are_served(&address).await;
    let (_, metrics) = get(&running.door("metrics"), "/metrics");
    assert!(
        metrics.contains(r#"status="2xx""#) && !metrics.contains(r#"status="5xx""#),
        "{metrics}"
    );
    assert!(block_in_place(|| running.terminate()).success());
}
