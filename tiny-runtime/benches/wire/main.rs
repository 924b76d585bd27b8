//! What a hop to another module costs: CPU of both processes, beside the same bytes over tonic alone.
//!
//! `cargo bench -p tiny-runtime --bench wire` prints a table. The binary starts itself for the other end, so each message crosses between two
//! processes over the loopback. A hop is what a flow of two nodes costs more than its first node alone. Medians of rounds, in which the
//! rows take turns.

mod bare;
mod end;
#[path = "../flow/meter.rs"]
#[allow(dead_code, reason = "this one counts whole processes")]
mod meter;
mod module;
#[path = "../../src/wire/proto.rs"]
#[allow(dead_code, reason = "only what a bare service needs")]
mod proto;
#[path = "../flow/scenes.rs"]
#[allow(dead_code, reason = "two nodes of many")]
mod scenes;

use end::{End, cpu};
use meter::median;
use tokio::time::Instant;

/// The one that `tiny_runtime::main!` gives to a module.
#[global_allocator]
static HEAP: mimalloc::MiMalloc = mimalloc::MiMalloc;

const ROUNDS: usize = 7;
/// Messages in one round of one row.
const MESSAGES: u32 = 20_000;
/// Calls one after the other, for latency.
const CALLS: usize = 2_000;
/// Messages under way at once.
const WINDOWS: [usize; 2] = [32, 256];

fn main() {
    // What a module has: as many threads as the machine has cores.
    let runtime =
        tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime starts");
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match words[..] {
        ["module"] => runtime.block_on(module::serve()),
        ["bare"] => runtime.block_on(bare::serve()),
        // `wire only WINDOW MESSAGES`: for whoever looks where the time goes.
        ["only", window, messages] => runtime.block_on(async {
            let theirs = End::start("module");
            let far = module::sending_to(Some(&theirs.address)).await;
            let messages = messages.parse().expect("a number of messages");
            far.many(messages, window.parse().expect("a number of messages")).await;
        }),
        // `cargo bench` adds `--bench`.
        _ => runtime.block_on(measure()),
    }
}

async fn measure() {
    let (mut theirs, mut bare_end) = (End::start("module"), End::start("bare"));
    let far = module::sending_to(Some(&theirs.address)).await;
    let alone = module::sending_to(None).await;
    let bare = bare::Client::connect(&bare_end.address).await;

    println!("| what | figure | beside it |\n|---|---|---|");
    for window in WINDOWS {
        let mut rows: [Vec<f64>; 4] = Default::default();
        for _ in 0..=ROUNDS {
            rows[0].push(cost(&mut theirs, far.many(MESSAGES, window)).await);
            rows[1].push(cost(&mut theirs, alone.many(MESSAGES, window)).await);
            rows[2].push(cost(&mut bare_end, bare.stream(MESSAGES, window)).await);
            rows[3].push(cost(&mut bare_end, bare.unary(MESSAGES / 4, window)).await * 4.0);
        }
        // The first round warms up.
        let hops = rows[0].iter().zip(&rows[1]).skip(1).map(|(far, alone)| far - alone).collect();
        let [whole, first, stream, unary] = rows.map(|row| median(row[1..].to_vec()));
        let hop: f64 = median(hops);
        let row = |what: &str, figure: f64, unit: &str, note: &str| {
            println!("| {what}, {window} in flight | {figure:.2} {unit} | {note} |");
        };
        let note = format!("of {whole:.2} µs a message; its trigger and first hop take {first:.2}");
        row("mapped hop to another process", hop, "µs", &note);
        row("tonic alone, one stream", stream, "µs", "the same bytes, answered in turn");
        row("tonic alone, a call each", unary, "µs", "");
        row("mapped hop to another process / tonic's stream", hop / stream, "", "");
    }

    let mut times: [Vec<f64>; 2] = Default::default();
    for _ in 0..CALLS {
        let before = Instant::now();
        far.one().await;
        times[0].push(before.elapsed().as_secs_f64() * 1e6);
        let before = Instant::now();
        bare.call().await;
        times[1].push(before.elapsed().as_secs_f64() * 1e6);
    }
    let [ours, theirs] = times.map(median);
    println!(
        "| p50 to another process and back, one at a time | {ours:.1} µs | wall clock, the trigger and the first hop included |"
    );
    println!("| p50 of a call of tonic alone | {theirs:.1} µs | wall clock, in turns with it |");
    println!("| p50 to another process / a call of tonic alone | {:.2}  |  |", ours / theirs);
}

/// CPU of a message, of this process and the other one, in microseconds.
async fn cost(other: &mut End, work: impl Future<Output = ()>) -> f64 {
    let before = (cpu(), other.cpu());
    work.await;
    let after = (cpu(), other.cpu());
    (after.0 - before.0 + after.1 - before.1) / f64::from(MESSAGES) / 1e3
}
