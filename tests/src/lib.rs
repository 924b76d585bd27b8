//! What the end-to-end suites share: the real binary of hello-module, in a folder of its own.

mod typed;

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

pub use typed::Typed;

/// The longest wait for anything.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// The binary of hello-module, built as it stands.
pub fn hello_module() -> &'static Path {
    binary("hello-module")
}

/// The binary of this package of the workspace, built as it stands.
pub fn binary(package: &'static str) -> &'static Path {
    static BINARIES: Mutex<BTreeMap<&'static str, &'static Path>> = Mutex::new(BTreeMap::new());
    // Held while it is built: who comes meanwhile waits for it.
    let mut binaries = BINARIES.lock().unwrap_or_else(PoisonError::into_inner);
    binaries.entry(package).or_insert_with(|| {
        let mut build = cargo();
        build.args(["build", "--quiet", "--package", package]).current_dir(root());
        let built = build.status().expect("cargo should start");
        assert!(built.success(), "{package} does not build");
        let test = std::env::current_exe().expect("a test has a path");
        // target/debug/deps/test → target/debug/hello-module
        let profile = test.parent().and_then(Path::parent).expect("a test lies in deps/");
        let path = profile.join(format!("{package}{}", std::env::consts::EXE_SUFFIX));
        Box::leak(path.into_boxed_path())
    })
}

/// Cargo as if called from a shell. A build script that looks at what Cargo told this test of its own crate, as that of ring
/// does, would be dirty at every turn, and with it all that depends on it.
fn cargo() -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy();
        if ["CARGO_MANIFEST_", "CARGO_PKG_"].iter().any(|start| text.starts_with(start)) {
            command.env_remove(name);
        }
    }
    command
}

/// The root of the repository.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").canonicalize().expect("the root is there")
}

/// The flow of hello-module.
pub fn flow() -> PathBuf {
    root().join("examples/hello-module/flow.yaml")
}

/// A folder with a local plane of its own; it goes when the last of its desks is dropped.
pub struct Desk {
    folder: Arc<tempfile::TempDir>,
    binary: &'static Path,
    variables: Vec<(&'static str, String)>,
}

impl Desk {
    /// An empty folder, for the binary of hello-module.
    #[allow(clippy::new_without_default, reason = "it makes a folder")]
    pub fn new() -> Self {
        Self::of("hello-module")
    }

    /// The same for the binary of another package of the workspace.
    pub fn of(package: &'static str) -> Self {
        let folder = Arc::new(tempfile::tempdir().expect("a temporary folder"));
        Self { folder, binary: binary(package), variables: Vec::new() }
    }

    /// With an environment variable for all that is started here.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: &str) -> Self {
        self.variables.push((name, value.to_owned()));
        self
    }

    /// The folder.
    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Writes a file and says where it is.
    pub fn file(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path().join(name);
        std::fs::write(&path, text).expect("a file can be written");
        path
    }

    /// The kubeconfig of the local plane.
    pub fn kubeconfig(&self) -> PathBuf {
        self.path().join(".tiny/kubeconfig")
    }

    /// The same folder for the binary of another package.
    #[must_use]
    pub fn beside(&self, package: &'static str) -> Self {
        let (folder, variables) = (self.folder.clone(), self.variables.clone());
        Self { folder, binary: binary(package), variables }
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(self.binary);
        command
            .args(args)
            .current_dir(self.path())
            .env_remove("KUBECONFIG")
            .env_remove("KUBERNETES_SERVICE_HOST")
            .env_remove("RUST_LOG")
            // As if called from a shell, not by cargo.
            .env_remove("CARGO")
            .envs(self.variables.iter().map(|(name, value)| (name, value)));
        command
    }

    /// Runs a command to its end.
    pub fn call(&self, args: &[&str]) -> Called {
        self.call_with(args, "")
    }

    /// Runs a command to its end, with something on stdin. One that does not end fails the test.
    pub fn call_with(&self, args: &[&str], stdin: &str) -> Called {
        let mut command = self.command(args);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("the binary should start");
        let mut input = child.stdin.take().expect("stdin is piped");
        // A command that does not read its stdin closes it.
        drop(input.write_all(stdin.as_bytes()));
        drop(input);
        let pid = child.id().to_string();
        let (send, ended) = mpsc::channel();
        std::thread::spawn(move || send.send(child.wait_with_output()));
        match ended.recv_timeout(PATIENCE) {
            Ok(output) => output.expect("the command should end").into(),
            Err(_) => {
                drop(Command::new("kill").args(["-9", &pid]).status());
                panic!("{args:?} has not ended after {PATIENCE:?}");
            }
        }
    }

    /// Starts a command that lasts.
    pub fn start(&self, args: &[&str]) -> Running {
        Running::start(self.command(args))
    }

    /// Starts `run --name hello-module` with further arguments.
    pub fn run(&self, args: &[&str]) -> Running {
        let mut all = vec!["run", "--name", "hello-module"];
        all.extend(args);
        self.start(&all)
    }

    /// Starts the components of hello-module as the module `name`, and waits until it has said how its nodes are. The first module
    /// of a desk hosts the local plane, the others share it.
    pub fn module(&self, name: &str) -> Running {
        let mut running = self.start(&["run", "--name", name]);
        running.line("nodes ");
        running
    }

    /// Starts a module with the flow and waits until it has said what to type next.
    pub fn greeting(&self) -> Running {
        let flow = flow();
        let mut running = self.run(&["--apply", flow.to_str().expect("a path in UTF-8")]);
        running.line("next ");
        running
    }

    /// Cargo in a folder of this one, with what it has downloaded already. All share one target folder, which stays warm.
    pub fn cargo(&self, folder: &str, args: &[&str]) -> Command {
        let target = hello_module().ancestors().nth(2).expect("the binary lies in target/debug/");
        let mut command = cargo();
        command
            .args(args)
            .current_dir(self.path().join(folder))
            .env("CARGO_TARGET_DIR", target.join("scaffold"))
            .env("CARGO_NET_OFFLINE", "true")
            .env_remove("KUBECONFIG")
            .env_remove("KUBERNETES_SERVICE_HOST")
            .env_remove("RUST_LOG");
        command
    }

    /// Runs kubectl against the local plane.
    pub fn kubectl(&self, args: &[&str]) -> Called {
        let mut command = Command::new("kubectl");
        command.arg("--kubeconfig").arg(self.kubeconfig()).args(args).env("HOME", self.path());
        command.output().expect("kubectl should start").into()
    }
}

/// What a command printed, and how it ended.
#[derive(Debug)]
pub struct Called {
    /// Its exit code; -1 when a signal ended it.
    pub code: i32,
    /// What it printed to stdout.
    pub stdout: String,
    /// What it printed to stderr.
    pub stderr: String,
}

impl From<Output> for Called {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }
}

impl Called {
    /// Its stdout; fails when the command failed.
    #[track_caller]
    pub fn ok(self) -> String {
        assert_eq!(self.code, 0, "{self:?}");
        self.stdout
    }

    /// What it said when it failed, without `error: `.
    #[track_caller]
    pub fn refused(self) -> String {
        assert_eq!(self.code, 1, "{self:?}");
        let said = self.stderr.trim_end();
        said.strip_prefix("error: ").unwrap_or(said).to_owned()
    }
}

/// A process that runs; killed when this is dropped.
pub struct Running {
    child: Child,
    lines: Receiver<String>,
    /// All that it has printed so far, stdout and stderr.
    pub printed: Vec<String>,
}

impl Running {
    /// Starts it, and listens to what it prints.
    pub fn start(mut command: Command) -> Self {
        let piped = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = piped.spawn().expect("the binary should start");
        let (sender, lines) = mpsc::channel();
        let out: [Box<dyn Read + Send>; 2] = [
            Box::new(child.stdout.take().expect("stdout is piped")),
            Box::new(child.stderr.take().expect("stderr is piped")),
        ];
        for pipe in out {
            let sender = sender.clone();
            std::thread::spawn(move || {
                for line in BufReader::new(pipe).lines().map_while(Result::ok) {
                    if sender.send(line).is_err() {
                        return;
                    }
                }
            });
        }
        Self { child, lines, printed: Vec::new() }
    }

    /// Waits for a line that holds `part`.
    #[track_caller]
    pub fn line(&mut self, part: &str) -> String {
        let end = Instant::now() + PATIENCE;
        loop {
            match self.lines.recv_timeout(end.saturating_duration_since(Instant::now())) {
                Ok(line) => {
                    self.printed.push(line.clone());
                    if line.contains(part) {
                        return line;
                    }
                }
                Err(RecvTimeoutError::Timeout) => panic!("no `{part}` in {:#?}", self.printed),
                Err(RecvTimeoutError::Disconnected) => {
                    panic!("it ended without `{part}`: {:#?}", self.printed)
                }
            }
        }
    }

    /// Whether it has printed a line that holds `part` by now.
    pub fn has(&mut self, part: &str) -> bool {
        self.printed.extend(self.lines.try_iter());
        self.printed.iter().any(|line| line.contains(part))
    }

    /// Where its `metrics` or `probes` are, as it has said.
    pub fn door(&self, name: &str) -> String {
        let line = self.printed.iter().find(|line| line.starts_with(name)).expect("it says so");
        let address = line.split(['/', ' ']).find(|part| part.starts_with("127.0.0.1:"));
        address.expect("an address of this machine").to_owned()
    }

    /// Its process id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Ends it without warning, as a crash would.
    pub fn kill(mut self) {
        self.child.kill().expect("it runs");
        self.child.wait().expect("it has ended");
    }

    /// Asks it to end, as Ctrl-C does, and waits until it has.
    pub fn interrupt(self) -> ExitStatus {
        self.asked("INT")
    }

    /// Asks it to end, as Kubernetes does, and waits until it has.
    pub fn terminate(self) -> ExitStatus {
        self.asked("TERM")
    }

    fn asked(mut self, signal: &str) -> ExitStatus {
        // The shell's own `kill`: not every machine has the program.
        let kill = format!("kill -{signal} {}", self.child.id());
        let sent = Command::new("sh").args(["-c", &kill]).status().expect("sh should start");
        assert!(sent.success(), "it runs no more: {:#?}", self.printed);
        self.wait()
    }

    /// Waits until it has ended.
    pub fn wait(&mut self) -> ExitStatus {
        let end = Instant::now() + PATIENCE;
        loop {
            if let Some(status) = self.child.try_wait().expect("it can be waited for") {
                return status;
            }
            assert!(Instant::now() < end, "it does not end: {:#?}", self.printed);
            std::thread::yield_now();
            std::thread::park_timeout(Duration::from_millis(20));
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended already.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// A namespace of its own on a real cluster, which goes when this is dropped.
pub struct Cluster {
    /// The kubeconfig of the cluster.
    pub kubeconfig: String,
    /// The namespace.
    pub namespace: String,
}

impl Cluster {
    /// A namespace for this test; `None`, with a word about it, where there is no cluster.
    pub fn new(test: &str) -> Option<Self> {
        let Ok(kubeconfig) = std::env::var("TINY_TEST_KUBECONFIG") else {
            eprintln!("skipped: TINY_TEST_KUBECONFIG names no cluster");
            return None;
        };
        if !has_kubectl() {
            return None;
        }
        let cluster = Self { kubeconfig, namespace: format!("{test}-{}", std::process::id()) };
        cluster.kubectl(&["create", "namespace", &cluster.namespace]).ok();
        Some(cluster)
    }

    /// Runs kubectl in the namespace.
    pub fn kubectl(&self, args: &[&str]) -> Called {
        let mut command = Command::new("kubectl");
        command.args(["--kubeconfig", &self.kubeconfig, "--namespace", &self.namespace]).args(args);
        command.output().expect("kubectl should start").into()
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        let gone = self.kubectl(&["delete", "namespace", &self.namespace, "--wait=false"]);
        if gone.code != 0 {
            eprintln!("the namespace stays: {gone:?}");
        }
    }
}

/// What an HTTP server at `address` answers: its status, and the body.
pub fn get(address: &str, path: &str) -> (u16, String) {
    ask(address, "GET", path, "", "")
}

/// What a server answers: its status and its body. Each of `headers` ends with CRLF.
pub fn ask(address: &str, method: &str, path: &str, headers: &str, body: &str) -> (u16, String) {
    let mut stream = TcpStream::connect(address).expect("somebody listens there");
    stream.set_read_timeout(Some(PATIENCE)).expect("it is not zero");
    let length = body.len();
    write!(
        stream,
        "{method} {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\nContent-Length: {length}\r\n{headers}\r\n{body}"
    )
    .expect("it reads");
    let mut text = String::new();
    stream.read_to_string(&mut text).expect("it answers in UTF-8");
    let (head, body) = text.split_once("\r\n\r\n").expect("an answer has a head");
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok());
    (status.expect("a head begins with a status"), body.to_owned())
}

/// True when kubectl can be called; says so when it cannot.
pub fn has_kubectl() -> bool {
    let found = Command::new("kubectl").args(["version", "--client"]).output();
    let found = found.is_ok_and(|output| output.status.success());
    if !found {
        eprintln!("skipped: there is no kubectl on the PATH");
    }
    found
}

/// Calls `look` until it gives something.
#[track_caller]
pub fn eventually<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let end = Instant::now() + PATIENCE;
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(Instant::now() < end, "{what} did not happen within {PATIENCE:?}");
        std::thread::park_timeout(Duration::from_millis(50));
    }
}
