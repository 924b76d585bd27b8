//! The one layer of retries: the receiver tries again, nobody else does.

use std::future::Future;
use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::Dice;
use crate::component::{Error, Kind, Reply, Result};

/// How often and for how long a receiver tries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RetryBounds {
    /// Attempts in all, the first included; 0 sets no bound.
    pub attempts: u32,
    /// The longest wait after the first attempt; it doubles with each further one.
    pub initial: Duration,
    /// The longest wait between two attempts.
    pub max: Duration,
    /// The longest time for the hop with all its attempts.
    pub timeout: Option<Duration>,
}

impl Default for RetryBounds {
    fn default() -> Self {
        Self {
            attempts: 10,
            initial: Duration::from_secs(1),
            max: Duration::from_secs(30),
            timeout: None,
        }
    }
}

impl RetryBounds {
    /// The longest wait after attempt number `attempt` (the first is 1).
    pub(super) fn wait(&self, attempt: u32) -> Duration {
        let doublings = attempt.saturating_sub(1).min(20);
        self.initial.saturating_mul(1 << doublings).min(self.max)
    }
}

/// A failed attempt that will be followed by another.
pub(crate) struct Retry<'a> {
    pub(crate) attempt: u32,
    pub(crate) wait: Duration,
    pub(crate) error: &'a Error,
}

/// Calls `attempt` until it succeeds, fails for good, or `bounds` or `deadline` end it. A transient error that is given up
/// comes back as [`Kind::Exhausted`], so that no caller multiplies the attempts.
pub(crate) async fn until_done<F: Future<Output = Result<Reply>>>(
    bounds: RetryBounds,
    deadline: Option<Instant>,
    dice: &Dice,
    mut attempt: impl FnMut() -> F,
    waiting: impl FnMut(Retry<'_>),
) -> Result<Reply> {
    match attempt().await {
        Err(error) if may_pass(&error) => {
            again(error, bounds, deadline, dice, attempt, waiting).await
        }
        done => done,
    }
}

/// Whether another attempt may help.
pub(crate) fn may_pass(error: &Error) -> bool {
    matches!(error.kind(), Kind::Transient { .. })
}

/// What follows a first attempt that failed with `error`: see [`until_done`].
pub(crate) async fn again<F: Future<Output = Result<Reply>>>(
    mut error: Error,
    bounds: RetryBounds,
    deadline: Option<Instant>,
    dice: &Dice,
    mut attempt: impl FnMut() -> F,
    mut waiting: impl FnMut(Retry<'_>),
) -> Result<Reply> {
    let mut count = 1;
    loop {
        if bounds.attempts != 0 && count >= bounds.attempts {
            return Err(Error::exhausted(match count {
                1 => error.to_string(),
                _ => format!("gave up after {count} attempts: {error}"),
            }));
        }
        let asked = match error.kind() {
            Kind::Transient { after } => after.unwrap_or_default(),
            Kind::Permanent | Kind::Exhausted | Kind::Limit | Kind::Cancelled => Duration::ZERO,
        };
        let wait = dice.up_to(bounds.wait(count)).max(asked);
        if deadline.is_some_and(|deadline| Instant::now() + wait >= deadline) {
            let text = format!("gave up after {count} attempts, the deadline is near: {error}");
            return Err(Error::exhausted(text));
        }
        waiting(Retry { attempt: count, wait, error: &error });
        sleep(wait).await;
        count += 1;
        error = match attempt().await {
            Err(error) if may_pass(&error) => error,
            done => return done,
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn run(
        bounds: RetryBounds,
        deadline: Option<Instant>,
        outcome: impl Fn(u32) -> Result<Reply>,
    ) -> (Result<Reply>, u32, Vec<Duration>) {
        let (mut calls, mut waits) = (0, Vec::new());
        let result = until_done(
            bounds,
            deadline,
            &Dice::seeded(7),
            || {
                calls += 1;
                std::future::ready(outcome(calls))
            },
            |retry| waits.push(retry.wait),
        )
        .await;
        (result, calls, waits)
    }

    #[tokio::test(start_paused = true)]
    async fn ten_attempts_and_no_more() {
        let (result, calls, waits) =
            run(RetryBounds::default(), None, |_| Err(Error::transient("busy"))).await;
        let error = result.unwrap_err();
        assert_eq!(error.kind(), Kind::Exhausted);
        assert_eq!(error.to_string(), "gave up after 10 attempts: busy");
        assert_eq!(calls, 10);
        let most = [1, 2, 4, 8, 16, 30, 30, 30, 30].map(Duration::from_secs);
        assert_eq!(waits.len(), most.len());
        assert!(waits.iter().zip(most).all(|(wait, most)| *wait <= most), "{waits:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn success_and_permanent_errors_end_it() {
        let third = |n| if n < 3 { Err(Error::transient("busy")) } else { Ok(Reply::none()) };
        let (result, calls, _) = run(RetryBounds::default(), None, third).await;
        assert!(result.is_ok());
        assert_eq!(calls, 3);

        let (result, calls, _) =
            run(RetryBounds::default(), None, |_| Err(Error::permanent("no"))).await;
        assert_eq!(result.unwrap_err().kind(), Kind::Permanent);
        assert_eq!(calls, 1);
    }

    #[tokio::test(start_paused = true)]
    async fn the_component_may_ask_for_a_longer_wait() {
        let asked = Duration::from_secs(90);
        let once =
            |n| if n == 1 { Err(Error::retry_after("busy", asked)) } else { Ok(Reply::none()) };
        let (_, _, waits) = run(RetryBounds::default(), None, once).await;
        assert_eq!(waits, [asked]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_wait_never_outlives_the_deadline() {
        let bounds = RetryBounds { attempts: 0, ..RetryBounds::default() };
        let deadline = Instant::now() + Duration::from_secs(60);
        let (result, calls, _) =
            run(bounds, Some(deadline), |_| Err(Error::transient("busy"))).await;
        assert_eq!(result.unwrap_err().kind(), Kind::Exhausted);
        assert!(Instant::now() < deadline);
        assert!(calls > 3);
    }
}
