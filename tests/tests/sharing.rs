//! Several modules on one machine share a local plane: whoever comes first hosts it, and the next takes over.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use tiny_tests::{Called, Desk, Running, eventually, root};

/// The longest that a plane may be without a host; a tenth of a second is usual.
const GAP: Duration = Duration::from_secs(10);

/// A desk with the flow that goes from module `a` to module `b` and back.
struct Stage {
    desk: Desk,
    flow: String,
}

impl Stage {
    fn new() -> Self {
        let flow = root().join("examples/hello-module/two-modules.yaml");
        Self { desk: Desk::new(), flow: flow.to_str().unwrap().to_owned() }
    }

    /// Writes the flow to the plane that runs.
    fn apply(&self) {
        self.desk.call(&["apply", "-f", &self.flow]).ok();
        eventually("three nodes that are ready", || {
            let nodes = self.desk.call(&["get", "nodes"]);
            (nodes.code == 0 && nodes.stdout.matches("True").count() == 3).then_some(())
        });
    }

    fn greet(&self, name: &str) -> Called {
        let message = format!(r#"{{"name":"{name}"}}"#);
        self.desk.call(&["signal", "first", "input", &message, "--wait"])
    }

    /// Sends a message through both modules, and compares what comes back.
    #[track_caller]
    fn greets(&self, name: &str) {
        assert_eq!(self.greet(name).ok(), format!("Welcome, Hello, {name}!!\n"));
    }

    /// Where the plane is.
    fn address(&self) -> String {
        let config = std::fs::read_to_string(self.desk.kubeconfig()).unwrap();
        config.split('"').find(|text| text.starts_with("https://")).unwrap().to_owned()
    }

    /// Waits until the plane answers again, and says how long that took since `since`.
    fn answers(&self, since: Instant) -> Duration {
        self.desk.call(&["get", "nodes"]).ok();
        let took = since.elapsed();
        assert!(took < GAP, "no host for {took:?}");
        took
    }
}

const TAKEN_OVER: &str = "hosts the local plane from now on, at ";

fn took_over(next: &mut Running, address: &str) {
    let said = next.line(TAKEN_OVER);
    assert!(said.ends_with(address), "the same address as before, {address}: {said}");
}

#[test]
fn the_second_module_shares_the_plane_of_the_first_and_a_message_goes_there_and_back() {
    let stage = Stage::new();
    let mut a = stage.desk.module("a");
    let mut b = stage.desk.module("b");
    let address = stage.address();
    let host = format!("at {address}, hosted by process {}", a.id());
    assert!(b.has(&host), "{:#?}", b.printed);
    assert!(a.has(&format!("at {address}")), "{:#?}", a.printed);
    stage.apply();
    stage.greets("World");
    // Who only shares the plane may go and come.
    assert!(b.terminate().success());
    let mut b = stage.desk.module("b");
    stage.greets("again");
    assert!(!b.has(TAKEN_OVER), "{:#?}", b.printed);
    assert!(a.interrupt().success());
    assert!(b.interrupt().success());
}

/// `ROUNDS` kills; prints a row for the table of long suites.
#[test]
fn when_the_host_is_killed_the_other_takes_over_at_the_same_address() {
    let rounds =
        std::env::var("ROUNDS").map_or(2, |text| text.parse().expect("a number of rounds"));
    let stage = Stage::new();
    let (mut host, mut other) = (stage.desk.module("a"), stage.desk.module("b"));
    stage.apply();
    stage.greets("World");
    let address = stage.address();
    let (mut gap, mut recovery) = (Duration::ZERO, Duration::ZERO);
    for round in 0..rounds {
        let killed = Instant::now();
        host.kill();
        gap = gap.max(stage.answers(killed));
        took_over(&mut other, &address);
        // A message for a module that does not run waits for it, and so does whoever sent it.
        let message = format!(r#"{{"name":"you in round {round}"}}"#);
        stage.desk.call(&["signal", "first", "input", &message]).ok();
        let mut again = stage.desk.module(["a", "b"][round % 2]);
        let hosted = format!("at {address}, hosted by process {}", other.id());
        assert!(again.has(&hosted), "{:#?}", again.printed);
        let since = Instant::now();
        let reply = format!("Welcome, Hello, you in round {round}!!");
        eventually("the reply", || {
            let signal = stage.desk.call(&["get", "signal", "first-input", "-o", "json"]).ok();
            signal.contains(&reply).then_some(())
        });
        recovery = recovery.max(since.elapsed());
        (host, other) = (other, again);
    }
    println!(
        "| the host of the plane, a module too, killed with SIGKILL and started again; the plane was away for {gap:.1?} at most | {rounds} | | \
         {rounds} | {:.1} s | | | passed |",
        recovery.as_secs_f64()
    );
}

#[test]
fn a_host_that_is_told_to_end_hands_the_plane_over() {
    let stage = Stage::new();
    let a = stage.desk.module("a");
    let mut b = stage.desk.module("b");
    stage.apply();
    let address = stage.address();
    let told = Instant::now();
    assert!(a.terminate().success());
    let ended = told.elapsed();
    let took = stage.answers(told);
    println!("the host ended after {ended:?}, the plane answers {took:?} after it was told to");
    took_over(&mut b, &address);
    let _a = stage.desk.module("a");
    stage.greets("World");
}

#[test]
fn a_plane_alone_hosts_two_modules_and_one_of_them_takes_over_from_it() {
    let stage = Stage::new();
    let mut plane = stage.desk.start(&["plane"]);
    plane.line("kubeconfig ");
    let address = stage.address();
    assert!(plane.has(&format!("plane      local, .tiny at {address}")), "{:#?}", plane.printed);
    let mut a = stage.desk.module("a");
    let mut b = stage.desk.module("b");
    stage.apply();
    stage.greets("World");
    let killed = Instant::now();
    plane.kill();
    let took = stage.answers(killed);
    println!("the plane answers {took:?} after the process that was only the plane was killed");
    stage.greets("you");
    println!("both modules go on {:?} after it", killed.elapsed());
    assert!(a.has("first:input"), "{:#?}", a.printed);
    let runs = a.printed.iter().filter(|line| line.contains("signal first-input")).count();
    assert_eq!(runs, 2, "what had its reply was not sent again: {:#?}", a.printed);
    let heir = eventually("one that takes over", || {
        a.has(TAKEN_OVER).then_some(true).or_else(|| b.has(TAKEN_OVER).then_some(false))
    });
    stage.greets("World");
    assert!(!(a.has(TAKEN_OVER) && b.has(TAKEN_OVER)), "one of them, not both");
    // One that comes now waits until it is its turn.
    let mut next = stage.desk.start(&["plane"]);
    let said = next.line("plane ");
    let host = if heir { a.id() } else { b.id() };
    let expected =
        format!("at {address}, hosted by process {host}; this one takes over when it ends");
    assert!(said.ends_with(&expected), "{said}");
    assert_eq!(stage.address(), address);
    assert!(a.interrupt().success());
    assert!(b.interrupt().success());
    took_over(&mut next, &address);
    stage.answers(Instant::now());
    assert!(next.interrupt().success());
    assert!(stage.desk.call(&["get", "nodes"]).refused().contains(" does not run; start it with "));
}

#[test]
fn a_run_goes_on_while_the_plane_goes_from_one_host_to_the_next() {
    let stage = Stage::new();
    let mut plane = stage.desk.start(&["plane"]);
    plane.line("kubeconfig ");
    let flow = std::fs::read_to_string(&stage.flow).unwrap();
    let (without, third) = flow.rsplit_once("---\n").unwrap();
    let without = stage.desk.file("without.yaml", without);
    stage.desk.call(&["apply", "-f", without.to_str().unwrap()]).ok();
    let (_a, _b) = (stage.desk.module("a"), stage.desk.module("b"));
    let signal = || stage.desk.call(&["get", "signal", "first-input", "-o", "json"]).ok();
    stage.desk.call(&["signal", "first", "input", r#"{"name":"World"}"#]).ok();
    // It waits for a node that has not come yet.
    eventually("the run", || signal().contains(r#""phase": "Running""#).then_some(()));
    plane.kill();
    let third = stage.desk.file("third.yaml", third);
    stage.desk.call(&["apply", "-f", third.to_str().unwrap()]).ok();
    let signal = eventually("the reply", || {
        Some(signal()).filter(|signal| signal.contains("Welcome, Hello, World!!"))
    });
    assert!(signal.contains(r#""attempts": 1"#), "nobody began it again: {signal}");
}

#[test]
fn what_one_host_has_accepted_the_next_one_has() {
    let desk = Desk::new();
    let mut modules = vec![desk.module("m0"), desk.module("m1")];
    let over = AtomicBool::new(false);
    let accepted = std::thread::scope(|scope| {
        let writer = scope.spawn(|| {
            let mut accepted = Vec::new();
            for at in 0.. {
                if over.load(Ordering::Relaxed) {
                    return accepted;
                }
                let name = format!("project-{at}");
                let kind = "apiVersion: operator.tinysystems.io/v1alpha1\nkind: TinyProject";
                let file =
                    desk.file("project.yaml", &format!("{kind}\nmetadata: {{name: {name}}}\n"));
                // A request on its way when its host is killed may fail, and nobody counts on it.
                if desk.call(&["apply", "-f", file.to_str().unwrap()]).code == 0 {
                    accepted.push(name);
                }
            }
            accepted
        });
        for round in 2..6 {
            std::thread::park_timeout(Duration::from_millis(400));
            modules.remove(0).kill();
            modules.push(desk.module(&format!("m{round}")));
        }
        over.store(true, Ordering::Relaxed);
        writer.join().unwrap()
    });
    println!("{} writes were accepted", accepted.len());
    let listed = desk.call(&["get", "projects"]).ok();
    let listed: Vec<&str> =
        listed.lines().filter_map(|line| line.split_whitespace().next()).collect();
    for name in accepted {
        assert!(listed.contains(&name.as_str()), "`{name}` was accepted and is gone");
    }
}

#[test]
fn of_modules_that_start_at_once_one_hosts_the_plane_of_all() {
    let stage = Stage::new();
    let names = ["a", "b", "c"];
    let start = |name: &&str| stage.desk.start(&["run", "--name", name]);
    let mut modules: Vec<Running> = names.iter().map(start).collect();
    let planes: Vec<String> = modules.iter_mut().map(|module| module.line("plane ")).collect();
    let address = stage.address();
    assert!(planes.iter().all(|plane| plane.contains(&format!(" at {address}"))), "{planes:#?}");
    let hosts = planes.iter().filter(|plane| plane.ends_with(&address)).count();
    assert_eq!(hosts, 1, "{planes:#?}");
    modules.iter_mut().for_each(|module| drop(module.line("module ")));
    stage.apply();
    stage.greets("World");
    for module in modules {
        assert!(module.interrupt().success());
    }
}

#[test]
fn a_second_process_of_the_same_module_stands_by() {
    let stage = Stage::new();
    let a = stage.desk.module("a");
    let _b = stage.desk.module("b");
    stage.apply();
    let mut again = stage.desk.start(&["run", "--name", "a"]);
    let said = again.line("replica ");
    let expected = format!("`a` runs already as process {}: ", a.id());
    assert!(said.contains(&expected), "{said}");
    again.line("nodes ");
    stage.greets("World");
    a.kill();
    // Nobody waits until the lease of the killed one has run out.
    again.line("leads");
    stage.greets("World");
}
