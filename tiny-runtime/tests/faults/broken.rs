//! What may happen to a process.

use std::time::Duration;

use rustix::process::Signal;
use tiny_runtime::wire::Security;

use crate::Dice;
use crate::judge::Report;
use crate::town::Town;

const MOMENT: Duration = Duration::from_millis(300);

/// Killed amid calls; the next one comes on the same port.
pub(crate) async fn killed(dice: Dice) -> Report {
    let mut town = Town::new(dice, Security::default());
    let peer = town.peer();
    town.options.address.clone_from(&peer.address);
    town.tell(&peer.address);
    town.begin().await;
    town.pass(Duration::ZERO, MOMENT).await;
    peer.kill();
    town.pass(Duration::ZERO, MOMENT * 3).await;
    let peer = town.peer();
    let recovery = town.recovered("it was started again").await;
    town.pass(Duration::ZERO, MOMENT).await;
    town.end(&peer, recovery).await
}

/// Ended in order; the next one comes on another port.
pub(crate) async fn moved(dice: Dice) -> Report {
    let mut town = Town::new(dice, Security::default());
    let peer = town.peer();
    town.tell(&peer.address);
    town.begin().await;
    town.pass(Duration::ZERO, MOMENT).await;
    peer.end().await;
    town.pass(Duration::ZERO, MOMENT * 3).await;
    let peer = town.peer();
    town.tell(&peer.address);
    let recovery = town.recovered("it was started elsewhere").await;
    town.end(&peer, recovery).await
}

/// Killed amid calls; the next one comes on another port.
pub(crate) async fn replaced(dice: Dice) -> Report {
    let mut town = Town::new(dice, Security::default());
    let peer = town.peer();
    town.tell(&peer.address);
    town.begin().await;
    town.pass(Duration::ZERO, MOMENT).await;
    peer.kill();
    town.pass(Duration::ZERO, MOMENT * 3).await;
    let peer = town.peer();
    town.tell(&peer.address);
    let recovery = town.recovered("it was started elsewhere").await;
    town.end(&peer, recovery).await
}

/// Stopped, and let go on.
pub(crate) async fn stopped(dice: Dice) -> Report {
    let mut town = Town::new(dice, Security::default());
    let peer = town.peer();
    town.tell(&peer.address);
    town.begin().await;
    town.pass(Duration::ZERO, MOMENT).await;
    peer.signal(Signal::STOP);
    tokio::time::sleep(Duration::from_secs(20)).await;
    peer.signal(Signal::CONT);
    let recovery = town.recovered("it was let go on").await;
    town.end(&peer, recovery).await
}
