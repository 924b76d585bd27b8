//! The module at the other end: a process of this binary with one node, which writes down each message before it answers.

use std::fs::File;
use std::io::{BufRead, BufReader, Lines, Write};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use tiny_runtime::component::NodeInfo;
use tiny_runtime::engine::{Dice, NodeDecl, Peer as Known, Scheduler, Waits};
use tiny_runtime::prelude::*;
use tiny_runtime::registry::Registry;
use tiny_runtime::wire::{Security, Server};
use tokio_util::sync::CancellationToken;

use crate::judge::{memory, now};

/// A message.
#[message]
pub(crate) struct Item {
    /// Which one.
    pub(crate) id: u64,
}

/// Writes down what comes, takes its time, and answers.
#[component(name = "clerk")]
#[derive(Default)]
pub(crate) struct Clerk;

static LEDGER: OnceLock<Mutex<File>> = OnceLock::new();

#[component]
impl Clerk {
    /// A message.
    #[port(target)]
    async fn input(&self, _ctx: &Ctx, message: Item) -> Result<Item> {
        // One write to the end of the file: a process that is killed leaves whole lines.
        let line = format!("{} {}\n", message.id, now().as_nanos());
        let ledger = LEDGER.get().ok_or_else(|| Error::permanent("there is no ledger"))?;
        let written = ledger.lock().unwrap().write_all(line.as_bytes());
        written.map_err(|e| Error::transient(e.to_string()))?;
        tokio::time::sleep(Duration::from_millis(message.id % 40)).await;
        Ok(message)
    }
}

/// How a peer is started.
#[derive(Clone, Debug)]
pub(crate) struct Options {
    /// Where it listens.
    pub(crate) address: String,
    /// Where it writes down what it gets.
    pub(crate) ledger: PathBuf,
    /// The folder with its papers; without, nothing is encrypted.
    pub(crate) papers: Option<PathBuf>,
    /// The network namespace that it lives in.
    pub(crate) network: Option<String>,
}

/// A process that listens. It is killed when this is dropped.
pub(crate) struct Peer {
    pub(crate) address: String,
    child: Child,
    /// Closed to tell it to end in order.
    stdin: Option<ChildStdin>,
    _output: Lines<BufReader<ChildStdout>>,
}

impl Peer {
    pub(crate) fn start(options: &Options) -> Self {
        let own = std::env::current_exe().unwrap();
        let mut command = match &options.network {
            None => Command::new(own),
            Some(network) => {
                let mut command = Command::new("ip");
                command.args(["netns", "exec", network]).arg(own);
                command
            }
        };
        command.args(["peer", &options.address]).arg(&options.ledger).args(&options.papers);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let stdin = child.stdin.take();
        let mut output = BufReader::new(child.stdout.take().unwrap()).lines();
        let address = output.next().expect("it says where it is").unwrap();
        Self { address, child, stdin, _output: output }
    }

    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Tells it to end, and waits until it has.
    pub(crate) async fn end(mut self) {
        drop(self.stdin.take());
        let ended = tokio::task::spawn_blocking(move || self.child.wait().unwrap());
        assert!(ended.await.unwrap().success(), "it ended in order");
    }

    pub(crate) fn signal(&self, signal: Signal) {
        let process = Pid::from_raw(i32::try_from(self.child.id()).unwrap()).unwrap();
        kill_process(process, signal).unwrap();
    }

    pub(crate) fn memory(&self) -> u64 {
        memory(self.child.id())
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// The peer's own side: says where it listens, and serves until its stdin is closed.
pub(crate) async fn serve(options: &[String]) {
    let [address, ledger, papers @ ..] = options else { panic!("ADDRESS LEDGER [PAPERS]") };
    let file = File::options().create(true).append(true).open(ledger).unwrap();
    LEDGER.set(Mutex::new(file)).unwrap();
    let security = match papers {
        [folder] => crate::bothered::security(folder.as_ref()),
        _ => Security::plaintext(),
    };
    let registry = Arc::new(Registry::collect().unwrap());
    let scheduler = Scheduler::new(registry, Waits::default(), Dice::fresh());
    let node = NodeDecl {
        info: NodeInfo { name: "two".into(), ..NodeInfo::default() },
        component: "clerk".into(),
        ..NodeDecl::default()
    };
    let findings = scheduler.update(node, |_| Known::Absent);
    assert!(findings.is_empty(), "{findings:?}");
    let server = Server::bind(address.parse().unwrap(), security).await.unwrap();
    println!("{}", server.address());
    let stop = CancellationToken::new();
    let (drain, serving) = server.serve(scheduler, stop.clone());
    let ending = async {
        tokio::task::spawn_blocking(|| std::io::stdin().lock().lines().for_each(drop))
            .await
            .unwrap();
        drain.drained().await;
        // The last answers are on their way.
        tokio::time::sleep(Duration::from_millis(50)).await;
        stop.cancel();
    };
    let (served, ()) = tokio::join!(serving, ending);
    served.unwrap();
}
