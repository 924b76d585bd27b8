//! The lease of a module: of all processes that run it, one leads.
//!
//! The algorithm is that of client-go. Nobody compares wall clocks: a holder counts its term from the *sending* of its
//! last renewal, others count from when *they* saw the record change, each by its own monotonic clock, and the holder
//! counts shorter. Every write carries the `resourceVersion` it was computed from, so of two that claim one wins.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use k8s_openapi::api::coordination::v1::{Lease as Record, LeaseSpec};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::MicroTime;
use kube::api::PostParams;
use kube::{Api, Client};
use tiny_crds::names;
use tokio::time::{Instant, sleep, sleep_until, timeout, timeout_at};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

pub(crate) use super::leadership::{Leadership, Term};

use super::leadership::Conviction;
use crate::engine::Dice;

/// How long a record must stay unchanged until somebody else may take it over.
const EXPIRES_AFTER: Duration = Duration::from_secs(15);
/// From one renewal to the next, and from one look of those who wait to the next.
const PERIOD: Duration = Duration::from_secs(2);
/// The longest wait for one answer.
const ANSWER: Duration = Duration::from_secs(5);
/// The longest that a release may hold up the end of the process.
const RELEASE: Duration = Duration::from_secs(5);
/// How often one attempt reads again after a conflict.
const CONFLICTS: u32 = 3;

/// A name for this process that no other has: pod or host, `_`, and something random. New at each call: one for each
/// [`Lease`].
pub(crate) fn identity() -> String {
    let named = |key| std::env::var(key).ok().filter(|name| !name.is_empty());
    let host = named("POD_NAME").or_else(|| named("HOSTNAME")).unwrap_or_else(host);
    format!("{host}_{}", uuid::Uuid::new_v4())
}

fn host() -> String {
    let stored = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    match stored.trim() {
        "" => "host".into(),
        name => name.into(),
    }
}

/// One process's claim to lead a module.
#[derive(Debug)]
pub(crate) struct Lease {
    api: Api<Record>,
    name: String,
    identity: Arc<str>,
    conviction: Conviction,
    leadership: Leadership,
    dice: Dice,
    seen: Option<Seen>,
    /// The greatest term ever seen: terms grow even when somebody deletes the record.
    latest: Option<i32>,
    /// True when the record may name this process.
    claimed: bool,
    /// What went wrong last, so that an outage is told once.
    fault: Option<String>,
}

/// The record as it was last read or written.
#[derive(Debug)]
struct Seen {
    record: Record,
    /// When it was first seen to say this, by our own clock.
    since: Instant,
}

impl Seen {
    fn spec(&self) -> LeaseSpec {
        self.record.spec.clone().unwrap_or_default()
    }
}

/// Why a request did not do what it should.
#[derive(Debug, thiserror::Error)]
enum Fault {
    #[error("no answer in time")]
    Late,
    #[error(transparent)]
    Refused(#[from] kube::Error),
}

impl Fault {
    /// True when the record is another one than we thought: read it again.
    fn is_stale(&self) -> bool {
        let Self::Refused(kube::Error::Api(status)) = self else { return false };
        status.is_conflict() || status.is_already_exists() || status.is_not_found()
    }
}

impl Lease {
    /// The claim of the process `identity` (see [`identity()`]) to lead `module` in `namespace`, over the record
    /// `<module>-lock`. Nothing happens before [`Lease::run`].
    pub(crate) fn new(
        client: Client,
        namespace: &str,
        module: &str,
        identity: &str,
        dice: Dice,
    ) -> Self {
        let identity: Arc<str> = identity.into();
        let (conviction, leadership) = Conviction::new(Arc::clone(&identity));
        Self {
            api: Api::namespaced(client, namespace),
            name: format!("{}-lock", names::sanitise(module)),
            identity,
            conviction,
            leadership,
            dice,
            seen: None,
            latest: None,
            claimed: false,
            fault: None,
        }
    }

    /// Whether this process leads. It does not before [`Lease::run`], nor after it.
    pub(crate) fn leadership(&self) -> Leadership {
        self.leadership.clone()
    }

    /// Leads whenever nobody else does, until `shutdown`; then gives the lease back, for which it takes 5 s at most.
    /// Cancel `shutdown` when all that only a leader may do has ended: somebody else may lead a moment later.
    pub(crate) async fn run(mut self, shutdown: CancellationToken) {
        while let Some(next) = shutdown.run_until_cancelled(self.step()).await {
            if shutdown.run_until_cancelled(sleep_until(next)).await.is_none() {
                break;
            }
        }
        self.step_down("the process ends");
        self.release().await;
    }

    /// One renewal, or one look whether the lease is free. Returns when the next is due.
    async fn step(&mut self) -> Instant {
        self.lapse();
        let began = Instant::now();
        let outcome = self.attempt().await;
        self.lapse();
        let well = outcome.is_ok();
        self.tell(outcome);
        match self.conviction.until() {
            Some(_) if well => began + PERIOD,
            Some(until) => until.min(Instant::now() + PERIOD / 4 + self.dice.up_to(PERIOD)),
            None => Instant::now() + PERIOD + self.dice.up_to(PERIOD / 5),
        }
    }

    async fn attempt(&mut self) -> Result<(), Fault> {
        // A leader knows the record: nobody else writes it.
        if self.conviction.term().is_none() {
            self.look().await?;
        }
        let mut conflicts = 0;
        while let Some(claim) = self.claim() {
            match self.write(claim).await {
                Err(fault) if fault.is_stale() && conflicts < CONFLICTS => {
                    conflicts += 1;
                    self.look().await?;
                }
                outcome => return outcome,
            }
        }
        Ok(())
    }

    /// What to write in order to lead or to lead on; `None` while somebody else may lead.
    fn claim(&self) -> Option<Record> {
        let now = MicroTime(Timestamp::now());
        let Some(seen) = &self.seen else {
            let mut record = Record::default();
            record.metadata.name = Some(self.name.clone());
            let first = self.latest.map_or(0, |term| term.saturating_add(1));
            record.spec = Some(self.taken(LeaseSpec::default(), first, now));
            return Some(record);
        };
        let mut spec = seen.spec();
        let term = spec.lease_transitions.unwrap_or(0);
        let holder = spec.holder_identity.as_deref().unwrap_or_default();
        let ours = holder == &*self.identity;
        let spec = if ours && self.conviction.term() == Some(Term(term)) {
            spec.renew_time = Some(now);
            spec
        } else if ours || holder.is_empty() || seen.since.elapsed() >= EXPIRES_AFTER {
            // Ours without a term: it lapsed, or the answer was lost. What was begun in that term has ended, so this
            // is a new one.
            self.taken(spec, term.saturating_add(1), now)
        } else {
            return None;
        };
        Some(Record { spec: Some(spec), ..seen.record.clone() })
    }

    fn taken(&self, spec: LeaseSpec, term: i32, now: MicroTime) -> LeaseSpec {
        LeaseSpec {
            holder_identity: Some(self.identity.to_string()),
            lease_duration_seconds: Some(15),
            lease_transitions: Some(term),
            acquire_time: Some(now.clone()),
            renew_time: Some(now),
            ..spec
        }
    }

    async fn write(&mut self, claim: Record) -> Result<(), Fault> {
        self.claimed = true;
        let sent = Instant::now();
        let stored = self.store(&claim).await?;
        let term = Term(stored.spec.as_ref().and_then(|spec| spec.lease_transitions).unwrap_or(0));
        self.note(Some(stored));
        if self.conviction.term() != Some(term) {
            info!(lease = self.name, identity = &*self.identity, %term, "leads");
        }
        self.conviction.hold(term, sent);
        Ok(())
    }

    async fn store(&self, record: &Record) -> Result<Record, Fault> {
        let params = PostParams::default();
        match record.metadata.resource_version {
            Some(_) => self.bounded(self.api.replace(&self.name, &params, record)).await,
            None => self.bounded(self.api.create(&params, record)).await,
        }
    }

    /// Reads the record. A term that it does not confirm ends.
    async fn look(&mut self) -> Result<(), Fault> {
        let record = self.bounded(self.api.get_opt(&self.name)).await?;
        self.note(record);
        if self.conviction.term().is_some() && !self.is_confirmed() {
            self.step_down("the lease is not ours any more");
        }
        Ok(())
    }

    fn is_confirmed(&self) -> bool {
        let spec = self.seen.as_ref().map(Seen::spec).unwrap_or_default();
        self.is_ours() && spec.lease_transitions.map(Term) == self.conviction.term()
    }

    fn is_ours(&self) -> bool {
        let spec = self.seen.as_ref().map(Seen::spec).unwrap_or_default();
        spec.holder_identity.as_deref() == Some(&*self.identity)
    }

    fn note(&mut self, record: Option<Record>) {
        let unchanged =
            |seen: &&Seen| record.as_ref().is_some_and(|new| new.spec == seen.record.spec);
        let since =
            self.seen.as_ref().filter(unchanged).map_or_else(Instant::now, |seen| seen.since);
        self.seen = record.map(|record| Seen { record, since });
        let term = self.seen.as_ref().and_then(|seen| seen.spec().lease_transitions);
        self.latest = self.latest.max(term);
    }

    /// Never waits longer than the term that the request may renew.
    async fn bounded<T>(&self, request: impl Future<Output = kube::Result<T>>) -> Result<T, Fault> {
        let end = Instant::now() + ANSWER;
        let end = self.conviction.until().map_or(end, |until| end.min(until));
        Ok(timeout_at(end, request).await.map_err(|_| Fault::Late)??)
    }

    /// Ends a term that was not renewed in time.
    fn lapse(&mut self) {
        if self.conviction.until().is_some_and(|until| until <= Instant::now()) {
            self.step_down("no renewal succeeded for 10 s");
        }
    }

    fn step_down(&self, why: &str) {
        if let Some(term) = self.conviction.end() {
            info!(lease = self.name, identity = &*self.identity, %term, "leads no more: {why}");
        }
    }

    fn tell(&mut self, outcome: Result<(), Fault>) {
        let fault = outcome.err().map(|fault| fault.to_string());
        if fault != self.fault {
            match &fault {
                Some(fault) => {
                    warn!(lease = self.name, "the lease cannot be kept or taken: {fault}")
                }
                None => info!(lease = self.name, "the lease can be kept or taken again"),
            }
        }
        self.fault = fault;
    }

    /// Lets the next one lead at once instead of after 15 s.
    async fn release(&mut self) {
        if self.claimed && timeout(RELEASE, self.vacate()).await.is_err() {
            let fault = self.fault.take().unwrap_or_else(|| Fault::Late.to_string());
            warn!(lease = self.name, "the lease was not given back, it expires in 15 s: {fault}");
        }
    }

    async fn vacate(&mut self) {
        while let Err(fault) = self.try_to_vacate().await {
            self.fault = Some(fault.to_string());
            sleep(self.dice.up_to(PERIOD / 4)).await;
        }
    }

    async fn try_to_vacate(&mut self) -> Result<(), Fault> {
        self.look().await?;
        let Some(seen) = self.seen.as_ref().filter(|_| self.is_ours()) else { return Ok(()) };
        let now = MicroTime(Timestamp::now());
        let spec = LeaseSpec {
            holder_identity: Some(String::new()),
            lease_duration_seconds: Some(1),
            acquire_time: Some(now.clone()),
            renew_time: Some(now),
            ..seen.spec()
        };
        self.store(&Record { spec: Some(spec), ..seen.record.clone() }).await.map(drop)
    }
}

#[cfg(test)]
mod plane;
#[cfg(test)]
mod tests;
