//! One signal, carried out: its status says `Running`, the message is sent, its status says what came of it.

use std::time::Duration;

use jiff::Timestamp;
use kube::{Api, ResourceExt};
use tiny_crds::{Phase, Time, TinySignal, TinySignalStatus};
use tokio_util::sync::CancellationToken;

use super::backoff;
use super::directory::Directory;
use super::lease::{Leadership, Term};
use super::status::{self, Written};
use crate::component::panic;
use crate::component::{Error, Kind, Reply, Result};
use crate::engine::{Address, Outcome, Peer, Scheduler, Trigger};
use crate::{json, words};

/// Bytes of an error in a status.
const SENTENCE: usize = 4096;
/// The deepest reply that a status keeps: a list of objects nests it further, and readers of JSON stop at 128.
const DEEPEST: usize = 64;
/// The longest pause between two tries to write how a run ended.
const PAUSE: Duration = Duration::from_secs(5);

/// What is to be done.
pub(crate) enum Job {
    /// Send the message.
    Run { attempt: i32, term: Term },
    /// Say that the nonce has run with other data.
    Refuse,
}

/// Where it is done.
pub(crate) struct Place {
    pub(crate) api: Api<TinySignal>,
    pub(crate) leadership: Leadership,
    pub(crate) scheduler: Scheduler,
    /// Cancelled by a newer nonce or the signal's end: the run is over, and its status says so.
    pub(crate) cancel: CancellationToken,
    /// Cancelled, with `cancel`, by shutdown, a lost lease or another owner: the status stays `Running`, and whoever answers
    /// for the signal next runs it again.
    pub(crate) abandon: CancellationToken,
    /// Cancelled when the process is about to end: a run that ends for it is left to the next one, likewise.
    pub(crate) closing: CancellationToken,
    pub(crate) directory: Directory,
}

impl Place {
    pub(crate) async fn carry_out(&self, signal: TinySignal, job: Job) {
        let done = match job {
            Job::Run { attempt, term } => self.run(&signal, attempt, term).await,
            Job::Refuse => self.refuse(&signal).await,
        };
        let pause = match done {
            Ok(true) => return,
            // The watch is about to bring a newer version; until then the same step would fail again.
            Ok(false) => Duration::from_millis(250),
            Err(e) => {
                tracing::warn!(signal = signal.name_any(), "cannot write its status: {e}");
                PAUSE
            }
        };
        tokio::select! {
            () = self.cancel.cancelled() => {}
            () = tokio::time::sleep(pause) => {}
        }
    }

    /// Sends the message; false when the signal has changed meanwhile.
    async fn run(&self, signal: &TinySignal, attempt: i32, term: Term) -> kube::Result<bool> {
        let started = running(signal, attempt, term);
        let Some(stored) = self.write(signal, &started).await? else { return Ok(false) };
        let fate = match self.trigger(signal) {
            Ok(trigger) => {
                let outcome = self.scheduler.start(trigger).await;
                log(&outcome);
                outcome.result
            }
            Err(why) => Err(Error::permanent(why)),
        };
        let interrupted = matches!(&fate, Err(error) if error.kind() == Kind::Cancelled);
        // The node may have gone to another module a moment before this heard of it.
        let theirs = matches!(self.directory.peer(&signal.spec.node), Peer::Foreign { .. });
        let left = theirs || self.abandon.is_cancelled() || self.closing.is_cancelled();
        if !(interrupted && left) {
            self.finish(*stored, &started, &fate).await;
        }
        Ok(true)
    }

    /// Writes how the run ended, until that is stored, or somebody else answers for the signal.
    async fn finish(&self, stored: TinySignal, started: &TinySignalStatus, fate: &Result<Reply>) {
        let mut ended = ended(started, fate);
        let mut base = stored;
        let mut failures = 0;
        while self.leadership.term().map(term_number) == started.term {
            let error = match self.write(&base, &ended).await {
                Ok(Some(_)) => return,
                // Something else in the object changed, e.g. its spec holds a newer nonce.
                Ok(None) => match self.api.get_opt(&base.name_any()).await {
                    Ok(Some(now)) if is_still(&now, started) => {
                        base = now;
                        continue;
                    }
                    Ok(_) => return,
                    Err(e) => e,
                },
                // The plane refuses this very status: say at least how it ended.
                Err(kube::Error::Api(status))
                    if matches!(status.code, 400 | 413 | 422) && failures == 0 =>
                {
                    ended.reply = None;
                    ended.error = Some(words::shortened(&status.message, SENTENCE));
                    kube::Error::Api(status)
                }
                Err(e) => e,
            };
            failures += 1;
            tracing::warn!(
                signal = base.name_any(),
                "cannot write how it ended, trying again: {error}"
            );
            tokio::time::sleep(backoff(failures).min(PAUSE)).await;
        }
    }

    async fn refuse(&self, signal: &TinySignal) -> kube::Result<bool> {
        let mut status = signal.status.clone().unwrap_or_default();
        status.observed_generation = signal.metadata.generation;
        if !status.phase.as_ref().is_some_and(Phase::is_final) {
            status.phase = Some(Phase::Failed);
            status.error = Some("the run was cut short, and the spec changed since".to_owned());
            status.finish_time = Some(Time(Timestamp::now()));
        }
        status.message = Some(format!(
            "the spec changed, but nonce `{}` has run already, so this did not run; write a new nonce",
            signal.nonce()
        ));
        Ok(self.write(signal, &status).await?.is_some())
    }

    /// Writes the status over the version in `signal`; `None` when that is not the newest, or this process does not lead.
    async fn write(
        &self,
        signal: &TinySignal,
        after: &TinySignalStatus,
    ) -> kube::Result<Option<Box<TinySignal>>> {
        let (name, version) = (signal.name_any(), signal.resource_version());
        let before = signal.status.as_ref();
        let written =
            status::write(&self.api, &self.leadership, &name, version.as_deref(), before, after);
        Ok(match written.await? {
            Written::Stored(stored) => Some(stored),
            Written::Stale | Written::NotLeading => None,
        })
    }

    fn trigger(&self, signal: &TinySignal) -> std::result::Result<Trigger, String> {
        let data =
            signal.spec.data.value().map_err(|e| format!("`spec.data` cannot be read: {e}"))?;
        let timeout = signal.spec.timeout().map_err(|e| format!("`spec.timeout`: {e}"))?;
        Ok(Trigger {
            name: format!("signal {}", signal.name_any()),
            to: Address::new(signal.spec.node.as_str(), signal.spec.port.as_str()),
            data,
            timeout,
            cancel: self.cancel.clone(),
        })
    }
}

fn running(signal: &TinySignal, attempt: i32, term: Term) -> TinySignalStatus {
    TinySignalStatus {
        phase: Some(Phase::Running),
        observed_nonce: Some(signal.nonce()),
        observed_generation: signal.metadata.generation,
        attempts: Some(attempt),
        start_time: Some(Time(Timestamp::now())),
        term: Some(term_number(term)),
        conditions: signal.status.clone().unwrap_or_default().conditions,
        ..TinySignalStatus::default()
    }
}

/// What `started` becomes by `fate`.
fn ended(started: &TinySignalStatus, fate: &Result<Reply>) -> TinySignalStatus {
    let mut status = started.clone();
    status.finish_time = Some(Time(Timestamp::now()));
    let reply = match fate {
        // The author's code writes its reply as JSON, and may panic over it.
        Ok(reply) => panic::caught(|| reply.shown()).unwrap_or_else(|text| {
            Err(Error::permanent(format!("the reply panicked when it was written as JSON: {text}")))
        }),
        Err(error) => Err(error.clone()),
    };
    match reply {
        Ok(reply) => {
            status.phase = Some(Phase::Succeeded);
            let bytes = reply.as_ref().map_or(0, |reply| reply.to_string().len());
            if bytes > TinySignalStatus::REPLY_LIMIT
                || reply.as_ref().is_some_and(|it| json::depth(it) > DEEPEST)
            {
                status.reply_bytes = i64::try_from(bytes).ok();
            } else {
                status.reply = reply;
            }
        }
        Err(error) => {
            let cancelled = error.kind() == Kind::Cancelled;
            status.phase = Some(if cancelled { Phase::Cancelled } else { Phase::Failed });
            status.error = Some(words::shortened(&error.to_string(), SENTENCE));
        }
    }
    status
}

/// Whether the signal still says that it is this very attempt that runs.
fn is_still(signal: &TinySignal, started: &TinySignalStatus) -> bool {
    signal.status.as_ref().is_some_and(|status| {
        status.phase == started.phase
            && status.observed_nonce == started.observed_nonce
            && status.attempts == started.attempts
            && status.term == started.term
    })
}

fn term_number(term: Term) -> i64 {
    i64::from(term.0)
}

/// One line for each run, and one more for each branch that failed behind a reply.
fn log(outcome: &Outcome) {
    let run = outcome.run.id();
    tracing::info!(target: "tiny_runtime::run", "{outcome}");
    for failure in outcome.run.failures() {
        tracing::warn!(target: "tiny_runtime::run", %run, "{failure}");
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_reply_is_kept_up_to_its_limit_and_measured_above_it() {
        let started = TinySignalStatus::default();
        let small = ended(&started, &Ok(Reply::of("hi".to_owned())));
        assert_eq!(small.phase, Some(Phase::Succeeded));
        assert_eq!(small.reply, Some(json!("hi")));
        assert_eq!(small.reply_bytes, None);

        // Two quotes belong to the JSON.
        let fits = "x".repeat(TinySignalStatus::REPLY_LIMIT - 2);
        assert!(ended(&started, &Ok(Reply::of(fits.clone()))).reply.is_some());
        let large = ended(&started, &Ok(Reply::of(fits + "x")));
        assert_eq!(large.reply, None);
        assert_eq!(large.reply_bytes, Some(16 * 1024 + 1));
    }

    #[test]
    fn a_deep_reply_is_not_kept_where_it_would_make_lists_unreadable() {
        let deep = |levels| (0..levels).fold(json!(1), |inner, _| json!([inner]));
        let kept = |levels| {
            let body = crate::component::Body::json(deep(levels));
            ended(&TinySignalStatus::default(), &Ok(Reply::from_body(body))).reply.is_some()
        };
        assert!(kept(64));
        assert!(!kept(65));
    }

    #[test]
    fn no_reply_is_not_null() {
        assert_eq!(ended(&TinySignalStatus::default(), &Ok(Reply::none())).reply, None);
    }

    #[test]
    fn a_failure_says_why_and_a_cancelled_run_is_no_failure() {
        let started = TinySignalStatus::default();
        let failed = ended(&started, &Err(Error::permanent("a greeting needs a name")));
        assert_eq!(failed.phase, Some(Phase::Failed));
        assert_eq!(failed.error.as_deref(), Some("a greeting needs a name"));
        let cancelled = ended(&started, &Err(Error::cancelled("the run was cancelled")));
        assert_eq!(cancelled.phase, Some(Phase::Cancelled));
    }
}
