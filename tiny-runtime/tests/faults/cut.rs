//! What may happen to the network: the peer lives in a namespace of its own, at the other end of a virtual cable.

use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use tiny_runtime::wire::Security;

use crate::Dice;
use crate::judge::Report;
use crate::town::Town;

/// Longer than it takes to notice.
const CUT: Duration = Duration::from_secs(12);

/// Why no namespace can be made here, if so.
pub(crate) fn hindrance() -> Option<String> {
    let made = Cable::new();
    made.err().map(|why| format!("no network namespace can be made here ({why})"))
}

/// A namespace with a cable to here; both go when this is dropped.
struct Cable {
    name: String,
    /// Its ends, here and there: of 198.18.0.0/15, which is kept free for tests of networks.
    ends: [String; 2],
}

impl Cable {
    fn new() -> Result<Self, String> {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        // Names of interfaces have 15 bytes; no two processes have the same.
        let (process, count) = (std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let name = format!("ty{process:x}-{count:x}");
        let subnet = (process.wrapping_mul(64) + count) % 32_768;
        let end = |at: u32| {
            let bits = subnet * 4 + at;
            format!("198.{}.{}.{}", 18 + bits / 65_536, bits / 256 % 256, bits % 256)
        };
        let cable = Self { name, ends: [end(1), end(2)] };
        let (name, [here, there]) = (&cable.name, &cable.ends);
        ip(&format!("netns add {name}"))?;
        ip(&format!("link add {name} type veth peer name tiny netns {name}"))?;
        ip(&format!("addr add {here}/30 dev {name}"))?;
        ip(&format!("link set {name} up"))?;
        ip(&format!("-n {name} addr add {there}/30 dev tiny"))?;
        ip(&format!("-n {name} link set tiny up"))?;
        ip(&format!("-n {name} link set lo up"))?;
        Ok(cable)
    }
}

impl Drop for Cable {
    fn drop(&mut self) {
        // The interface goes with its other end.
        drop(ip(&format!("netns del {}", self.name)));
        drop(ip(&format!("route del blackhole {}", self.ends[1])));
    }
}

fn ip(arguments: &str) -> Result<(), String> {
    let called = Command::new("ip").args(arguments.split(' ')).output();
    let output = called.map_err(|e| format!("ip: {e}"))?;
    match output.status.success() {
        true => Ok(()),
        false => Err(format!("ip {arguments}: {}", String::from_utf8_lossy(&output.stderr).trim())),
    }
}

/// What the peer sends is lost.
pub(crate) async fn silent(dice: Dice) -> Report {
    let one_way = |cable: &Cable, verb: &str| {
        let ([here, _], name) = (&cable.ends, &cable.name);
        ip(&format!("-n {name} route {verb} blackhole {here}"))
    };
    round(dice, one_way).await
}

/// What is sent to the peer is lost.
pub(crate) async fn deaf(dice: Dice) -> Report {
    let other_way =
        |cable: &Cable, verb: &str| ip(&format!("route {verb} blackhole {}", cable.ends[1]));
    round(dice, other_way).await
}

/// Both are lost.
pub(crate) async fn apart(dice: Dice) -> Report {
    let unplug = |cable: &Cable, verb: &str| {
        let state = if verb == "add" { "down" } else { "up" };
        ip(&format!("-n {} link set tiny {state}", cable.name))
    };
    round(dice, unplug).await
}

/// Cuts with `add`, and mends with `del`.
async fn round(dice: Dice, cut: impl Fn(&Cable, &str) -> Result<(), String>) -> Report {
    let mut town = Town::new(dice, Security::plaintext());
    let cable = Cable::new().unwrap();
    town.options.network = Some(cable.name.clone());
    town.options.address = format!("{}:0", cable.ends[1]);
    let peer = town.peer();
    town.tell(&peer.address);
    town.begin().await;
    town.pass(Duration::ZERO, Duration::from_millis(300)).await;
    cut(&cable, "add").unwrap();
    town.pass(CUT, Duration::from_secs(2)).await;
    cut(&cable, "del").unwrap();
    let recovery = town.recovered("the network was mended").await;
    town.end(&peer, recovery).await
}
