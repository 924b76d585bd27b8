//! Another module: the addresses behind its name, and a connection to each.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::task::AbortHandle;
use tokio::time::{Instant, sleep, timeout_at};
use tokio_util::sync::CancellationToken;

use super::answer::Fate;
use super::letter;
use super::link::{Link, Way};
use super::security::Security;
use crate::component::{Error, Reply, Result};
use crate::engine::{Dice, Envelope};

/// How often the addresses behind a name are looked up.
const LOOK_UP: Duration = Duration::from_secs(5);
/// Addresses of one module that are used.
const ADDRESSES: usize = 16;
/// The waits before a message that reached nobody is sent again: the first, and the longest.
const WAITS: (Duration, Duration) = (Duration::from_millis(50), Duration::from_secs(2));

/// A module that messages go to. Its connections end when this is dropped.
pub(super) struct Peer {
    name: String,
    /// Where it says that it is, as `host:port`.
    address: String,
    links: Arc<Links>,
    dice: Arc<Dice>,
    look_up: AbortHandle,
    /// Comes when the module is somewhere else.
    retired: CancellationToken,
}

#[derive(Default)]
struct Links {
    all: RwLock<BTreeMap<SocketAddr, Link>>,
    /// Why there are none.
    missing: RwLock<String>,
    /// Tells that one of them has changed.
    changed: Arc<Notify>,
    /// Where the search for the least busy one begins.
    turn: AtomicUsize,
}

impl Peer {
    /// Begins to connect to module `name` at `address`.
    pub(super) fn at(name: &str, address: &str, security: Security, dice: Arc<Dice>) -> Self {
        let links = Arc::new(Links::default());
        let looking = follow(address.to_owned(), security, dice.clone(), links.clone());
        let look_up = tokio::spawn(looking).abort_handle();
        let retired = CancellationToken::new();
        Self { name: name.to_owned(), address: address.to_owned(), links, dice, look_up, retired }
    }

    /// Where it says that it is.
    pub(super) fn address(&self) -> &str {
        &self.address
    }

    /// Says that the module is somewhere else now: what has reached it goes on, what has not goes there.
    pub(super) fn retire(&self) {
        self.retired.cancel();
    }

    /// Brings an envelope there and waits for what comes of it. What reached nobody is sent again, until `until`; what reached somebody
    /// never is. `None` when it reached nobody and the module is somewhere else now.
    pub(super) async fn deliver(
        &self,
        envelope: &Envelope,
        payload: &bytes::Bytes,
        is_inside: impl Fn() -> bool,
        until: Instant,
    ) -> Option<Result<Reply>> {
        let mut wait = WAITS.0;
        let mut attempt = 1;
        let mut last = None;
        loop {
            // To be told of changes costs more than to look.
            let way = match self.links.least_busy() {
                Some(way) if !self.retired.is_cancelled() => Some(way),
                _ => Box::pin(self.retired.run_until_cancelled(self.way(until))).await?,
            };
            let Some(way) = way else { return Some(Err(self.unreachable(last.as_deref()))) };
            let message = || letter::written(envelope, payload.clone(), attempt);
            match way.call(message, &is_inside, until).await {
                Fate::Done(result) => return Some(result),
                Fate::Lost(why) => {
                    return Some(Err(Error::transient(format!(
                        "module `{}` at {} was lost while it handled a message to `{}`, and may have handled it: {why}",
                        self.name, self.address, envelope.line.to
                    ))));
                }
                Fate::Untouched { why, after } => {
                    let pause = after.max(wait / 2 + self.dice.up_to(wait / 2));
                    if Instant::now() + pause >= until {
                        return Some(Err(self.unreachable(Some(&why))));
                    }
                    Box::pin(self.retired.run_until_cancelled(sleep(pause))).await?;
                    wait = (wait * 2).min(WAITS.1);
                    attempt += 1;
                    last = Some(why);
                }
            }
        }
    }

    /// The least busy connection, waited for until `until`.
    async fn way(&self, until: Instant) -> Option<Way> {
        loop {
            let changed = self.links.changed.notified();
            if let Some(way) = self.links.least_busy() {
                return Some(way);
            }
            timeout_at(until, changed).await.ok()?;
        }
    }

    fn unreachable(&self, last: Option<&str>) -> Error {
        let why = match last {
            Some(why) => why.to_owned(),
            None => self.links.why(),
        };
        Error::exhausted(format!(
            "module `{}` cannot be reached at {}: {why}; see whether it runs, and what `get module` says",
            self.name, self.address
        ))
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        self.look_up.abort();
    }
}

impl Links {
    fn least_busy(&self) -> Option<Way> {
        let all = self.all.read().unwrap_or_else(PoisonError::into_inner);
        let count = all.len();
        if count == 1 {
            return all.values().next()?.way().ok().map(|(way, _)| way);
        }
        let first = self.turn.fetch_add(1, Ordering::Relaxed) % count.max(1);
        let in_turn = all.values().cycle().skip(first).take(count);
        let ways = in_turn.filter_map(|link| link.way().ok());
        ways.min_by_key(|(_, open)| *open).map(|(way, _)| way)
    }

    fn why(&self) -> String {
        let all = self.all.read().unwrap_or_else(PoisonError::into_inner);
        let down = all.values().find_map(|link| link.way().err());
        let missing = || self.missing.read().unwrap_or_else(PoisonError::into_inner).clone();
        down.unwrap_or_else(missing)
    }

    fn say_missing(&self, why: String) {
        *self.missing.write().unwrap_or_else(PoisonError::into_inner) = why;
    }
}

/// Keeps a connection to each address behind a name.
async fn follow(address: String, security: Security, dice: Arc<Dice>, links: Arc<Links>) {
    let host = address.rsplit_once(':').map_or(&*address, |(host, _)| host);
    let host = host.trim_start_matches('[').trim_end_matches(']').to_owned();
    loop {
        match tokio::net::lookup_host(&address).await {
            Ok(found) => {
                let mut found: Vec<SocketAddr> = found.collect();
                found.sort_unstable();
                found.dedup();
                found.truncate(ADDRESSES);
                let mut all = links.all.write().unwrap_or_else(PoisonError::into_inner);
                all.retain(|address, _| found.contains(address));
                for address in found {
                    let changed = links.changed.clone();
                    all.entry(address).or_insert_with(|| {
                        let changed = move || changed.notify_waiters();
                        Link::to(address, &host, &security, dice.clone(), changed)
                    });
                }
            }
            // Connections that stand go on: a name server has its bad moments.
            Err(e) => links.say_missing(format!("cannot look up `{host}`: {e}")),
        }
        links.changed.notify_waiters();
        if address.parse::<SocketAddr>().is_ok() {
            // There is nothing to look up again.
            std::future::pending::<()>().await;
        }
        sleep(LOOK_UP).await;
    }
}
