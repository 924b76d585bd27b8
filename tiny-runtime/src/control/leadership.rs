//! Leadership as the rest of the process sees it: asked right before each thing that only a leader may do.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;

/// How long a renewal counts, from its sending: 5 s less than others wait, so that a holder has stopped before anybody
/// takes over.
pub(super) const COUNTS_FOR: Duration = Duration::from_secs(10);

/// One uninterrupted time of leading: `leaseTransitions` of the lease. A later term is always the greater one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Term(pub i32);

impl fmt::Display for Term {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Whether this process leads its module. A clone costs a reference count and has its own view of what changed.
#[derive(Clone, Debug)]
pub(crate) struct Leadership {
    identity: Arc<str>,
    belief: watch::Receiver<Belief>,
}

impl Leadership {
    /// Of a process that never leads.
    #[cfg(test)]
    pub(crate) fn of_nobody() -> Self {
        Conviction::new("nobody".into()).1
    }

    /// The term of this process: there only while it holds the lease and less than 10 s have passed since it sent the
    /// last renewal that succeeded. The clock is read at each call, so a process that stood still has no term when it
    /// goes on. (A clock that stops while the machine sleeps cannot tell; then the `resourceVersion` of each write does.)
    pub(crate) fn term(&self) -> Option<Term> {
        self.belief.borrow().term_now()
    }

    /// Waits until a term begins or ends that this clone has not seen, and returns the term there is then. A lease that
    /// is gone begins no term any more: the wait then ends with whatever drops it.
    pub(crate) async fn changed(&mut self) -> Option<Term> {
        if self.belief.changed().await.is_err() {
            return std::future::pending().await;
        }
        self.belief.borrow_and_update().term_now()
    }

    /// The name of this process in the lease.
    pub(crate) fn identity(&self) -> &str {
        &self.identity
    }

    /// The leadership of a process that has no rival.
    #[cfg(test)]
    pub(crate) fn always() -> Self {
        let century = Duration::from_secs(100 * 365 * 24 * 60 * 60);
        let belief = Belief { term: Some(Term(0)), until: Instant::now() + century };
        Self { identity: "alone".into(), belief: watch::channel(belief).1 }
    }
}

#[derive(Clone, Copy, Debug)]
struct Belief {
    term: Option<Term>,
    until: Instant,
}

impl Belief {
    fn term_now(&self) -> Option<Term> {
        self.term.filter(|_| Instant::now() < self.until)
    }
}

/// The writing end of a [`Leadership`]. Dropping it ends the term.
#[derive(Debug)]
pub(super) struct Conviction {
    belief: watch::Sender<Belief>,
}

impl Conviction {
    pub(super) fn new(identity: Arc<str>) -> (Self, Leadership) {
        let (sender, belief) = watch::channel(Belief { term: None, until: Instant::now() });
        (Self { belief: sender }, Leadership { identity, belief })
    }

    /// This term holds by a renewal sent at `sent`. Wakes waiters only when the term is another one.
    pub(super) fn hold(&self, term: Term, sent: Instant) {
        self.belief.send_if_modified(|belief| {
            // A term that had lapsed unseen begins for whoever saw that it had.
            let changed = belief.term_now() != Some(term);
            *belief = Belief { term: Some(term), until: sent + COUNTS_FOR };
            changed
        });
    }

    /// There is no term any more. Returns the one that ended.
    pub(super) fn end(&self) -> Option<Term> {
        let mut ended = None;
        self.belief.send_if_modified(|belief| {
            ended = belief.term.take();
            ended.is_some()
        });
        ended
    }

    pub(super) fn term(&self) -> Option<Term> {
        self.belief.borrow().term_now()
    }

    /// When the term ends unless it is renewed; also of a term whose end nobody has noticed yet.
    pub(super) fn until(&self) -> Option<Instant> {
        let belief = self.belief.borrow();
        belief.term.map(|_| belief.until)
    }
}

impl Drop for Conviction {
    fn drop(&mut self) {
        self.end();
    }
}
