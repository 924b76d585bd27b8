//! What may happen to a process.

use std::time::Duration;

use rustix::process::Signal;

use crate::judge::Report;
use crate::peer::Peer;
use crate::town::Town;
use crate::{BoxFuture, Dice};

const MOMENT: Duration = Duration::from_millis(300);

/// Killed amid calls; the next one comes on the same port.
pub(crate) async fn killed(dice: Dice) -> Report {
    again(dice, true, |peer| Box::pin(async { peer.kill() })).await
}

/// Ended in order; the next one comes on another port.
pub(crate) async fn moved(dice: Dice) -> Report {
    again(dice, false, |peer| Box::pin(peer.end())).await
}

/// Killed amid calls; the next one comes on another port.
pub(crate) async fn replaced(dice: Dice) -> Report {
    again(dice, false, |peer| Box::pin(async { peer.kill() })).await
}

/// Ends it, and starts the next one a while later.
async fn again(
    dice: Dice,
    is_same_port: bool,
    end: impl FnOnce(Peer) -> BoxFuture<'static, ()>,
) -> Report {
    let (mut town, peer) = Town::that_talks(dice).await;
    if is_same_port {
        town.options.address.clone_from(&peer.address);
    }
    town.pass(Duration::ZERO, MOMENT).await;
    end(peer).await;
    town.pass(Duration::ZERO, MOMENT * 3).await;
    let peer = town.peer();
    town.tell(&peer.address);
    let recovery = town.recovered("it was started again").await;
    town.pass(Duration::ZERO, MOMENT).await;
    town.end(&peer, recovery).await
}

/// Stopped, and let go on.
pub(crate) async fn stopped(dice: Dice) -> Report {
    let (mut town, peer) = Town::that_talks(dice).await;
    town.pass(Duration::ZERO, MOMENT).await;
    peer.signal(Signal::STOP);
    tokio::time::sleep(Duration::from_secs(20)).await;
    peer.signal(Signal::CONT);
    let recovery = town.recovered("it was let go on").await;
    town.end(&peer, recovery).await
}
