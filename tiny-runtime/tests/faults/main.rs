//! What may happen to two modules that talk, done to real processes: while messages go from one to the other, the other is killed, stopped,
//! cut off, replaced, or bothered by strangers.
//!
//! After each round: no message is lost that had a retrying sender, none is delivered again after it has been answered, none ends later
//! than its deadline, memory stays within bounds, and 5 s after the fault has ended messages go through again.
//!
//! `ROUNDS` of each fault are made, from `SEED` on; without `ROUNDS`, one of each that lasts under 5 s. All faults go on at once, each
//! with processes of its own. Words name the faults to make. Prints a row of a table for each.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod bothered;
mod broken;
mod cut;
mod judge;
mod peer;
#[path = "../../src/wire/proto.rs"]
#[allow(dead_code, reason = "strangers call only")]
mod proto;
mod town;

use std::process::ExitCode;
use std::time::Duration;

use judge::Report;

/// The longest time from the end of a fault to a message that goes through.
const RECOVERY: Duration = Duration::from_secs(5);

/// One kind of fault.
struct Fault {
    name: &'static str,
    /// In words, for the table.
    title: &'static str,
    /// Whether a round lasts 5 s or more.
    is_long: bool,
    /// Whether it needs a network of its own.
    is_of_network: bool,
    round: fn(Dice) -> BoxFuture<'static, Report>,
}

type Dice = fastrand::Rng;
type BoxFuture<'a, T> = std::pin::Pin<Box<dyn Future<Output = T> + Send + 'a>>;

const FAULTS: [Fault; 11] = [
    Fault {
        name: "killed",
        title: "killed with SIGKILL amid calls, started again on its port",
        is_long: false,
        is_of_network: false,
        round: |dice| Box::pin(broken::killed(dice)),
    },
    Fault {
        name: "moved",
        title: "ended in order, started again on another port",
        is_long: false,
        is_of_network: false,
        round: |dice| Box::pin(broken::moved(dice)),
    },
    Fault {
        name: "replaced",
        title: "killed with SIGKILL amid calls, started again on another port",
        is_long: false,
        is_of_network: false,
        round: |dice| Box::pin(broken::replaced(dice)),
    },
    Fault {
        name: "stopped",
        title: "stopped with SIGSTOP for 20 s",
        is_long: true,
        is_of_network: false,
        round: |dice| Box::pin(broken::stopped(dice)),
    },
    Fault {
        name: "silent",
        title: "network cut for 12 s, what it sends is lost",
        is_long: true,
        is_of_network: true,
        round: |dice| Box::pin(cut::silent(dice)),
    },
    Fault {
        name: "deaf",
        title: "network cut for 12 s, what is sent to it is lost",
        is_long: true,
        is_of_network: true,
        round: |dice| Box::pin(cut::deaf(dice)),
    },
    Fault {
        name: "apart",
        title: "network cut for 12 s both ways",
        is_long: true,
        is_of_network: true,
        round: |dice| Box::pin(cut::apart(dice)),
    },
    Fault {
        name: "stranger",
        title: "an address that leads to somebody with another identity",
        is_long: false,
        is_of_network: false,
        round: |dice| Box::pin(bothered::by_an_impostor(dice)),
    },
    Fault {
        name: "oversize",
        title: "strangers send messages and headers that are too large",
        is_long: false,
        is_of_network: false,
        round: |dice| Box::pin(bothered::by_too_much(dice)),
    },
    Fault {
        name: "garbage",
        title: "strangers send garbage",
        is_long: false,
        is_of_network: false,
        round: |dice| Box::pin(bothered::by_garbage(dice)),
    },
    Fault {
        name: "streams",
        title: "strangers open 10 000 streams",
        is_long: false,
        is_of_network: false,
        round: |dice| Box::pin(bothered::by_streams(dice)),
    },
];

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    if let [role, options @ ..] = &words[..]
        && role == "peer"
    {
        runtime.block_on(peer::serve(options));
        return ExitCode::SUCCESS;
    }
    let named: Vec<&String> = words.iter().filter(|word| !word.starts_with('-')).collect();
    let chosen = FAULTS
        .iter()
        .filter(|fault| named.is_empty() || named.iter().any(|word| fault.name == *word));
    let rounds = number("ROUNDS");
    let seed = number("SEED").unwrap_or(1);
    if !cfg!(target_os = "linux") {
        println!("skipped: faults are made with the means of Linux");
        return ExitCode::SUCCESS;
    }
    println!(
        "| fault | rounds | seeds | messages | slowest recovery | latest end | memory | outcome |"
    );
    println!("|---|---|---|---|---|---|---|---|");
    let all = chosen.map(|fault| async move {
        let rounds = match (rounds, fault.is_long) {
            (None, true) => return skipped(fault, "it lasts; set ROUNDS"),
            (rounds, _) => rounds.unwrap_or(1),
        };
        if let Some(why) = fault.is_of_network.then(cut::hindrance).flatten() {
            return skipped(fault, &why);
        }
        made(fault, rounds, seed).await
    });
    let passed = runtime.block_on(futures::future::join_all(all));
    // A row that failed has told why.
    if passed.into_iter().all(|passed| passed) { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn number(variable: &str) -> Option<u64> {
    let text = std::env::var(variable).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("{variable}={text} is not a number")))
}

fn skipped(fault: &Fault, why: &str) -> bool {
    println!("| {} | 0 | | | | | | skipped: {why} |", fault.title);
    true
}

/// Makes a fault so many times; prints its row.
async fn made(fault: &Fault, rounds: u64, seed: u64) -> bool {
    let mut sum = Report::default();
    let mut outcome = "passed".to_owned();
    let mut last = seed;
    for seed in seed..seed + rounds {
        last = seed;
        // A task of its own, so that a panic is a row like others.
        let round = tokio::spawn((fault.round)(Dice::with_seed(seed))).await;
        match round {
            Ok(report) => sum = sum.and(report),
            Err(e) => sum.faults.push(format!("the test broke: {e}")),
        }
        if let Some(why) = sum.faults.first() {
            outcome = format!("**failed** at seed {seed}: {why}");
            break;
        }
    }
    println!(
        "| {} | {} | {seed} to {last} | {} | {:.1} s | {:.1} s after its deadline | {} MB | {outcome} |",
        fault.title,
        last - seed + 1,
        sum.messages,
        sum.recovery.as_secs_f64(),
        sum.late.as_secs_f64(),
        sum.memory / 1_000_000,
    );
    for more in sum.faults.iter().skip(1).take(20) {
        eprintln!("{}: {more}", fault.name);
    }
    sum.faults.is_empty()
}
