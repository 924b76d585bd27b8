//! The other end of every source of a bench: records what arrives, and answers as the test says.

use std::collections::{HashMap, VecDeque};
use std::future::{pending, ready};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::component::{
    Body, BoxFuture, ComponentType, Ctx, Error, Info, Instance, PortInfo, Reply, Result, Role,
};

/// Names the tap's component and its node: no author's component can be called so.
pub(super) const TAP: &str = "_tap";

/// What a tap does with one message.
#[derive(Clone)]
pub(super) enum Act {
    Reply(Reply),
    Fail(Error),
    /// Never answers: it waits until nobody waits for it any more.
    Stall,
}

/// What the sources of one component sent, and what they are answered.
#[derive(Default)]
pub(super) struct Record(Mutex<HashMap<String, Line>>);

/// One source.
#[derive(Default)]
struct Line {
    sent: Vec<Body>,
    acts: VecDeque<Act>,
    /// The act of the last message, which goes on when no other follows.
    last: Option<Act>,
}

impl Record {
    /// What `source` sent, in order.
    pub(super) fn sent(&self, source: &str) -> Vec<Body> {
        self.lines().get(source).map(|line| line.sent.clone()).unwrap_or_default()
    }

    /// Says what happens to the next message of `source` that has no act yet, and to all that follow it.
    pub(super) fn add(&self, source: &str, act: Act) {
        self.lines().entry(source.to_owned()).or_default().acts.push_back(act);
    }

    fn take(&self, source: String, body: &Body) -> Option<Act> {
        let mut lines = self.lines();
        let line = lines.entry(source).or_default();
        line.sent.push(body.clone());
        if let Some(act) = line.acts.pop_front() {
            line.last = Some(act);
        }
        line.last.clone()
    }

    fn lines(&self) -> MutexGuard<'_, HashMap<String, Line>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The component at the other end: it has a target of the same name and type for each source of `tapped`.
pub(super) fn component(tapped: &ComponentType, record: &Arc<Record>) -> ComponentType {
    let info = Info {
        name: TAP,
        description: "Records what a component sends.",
        info: "",
        tags: &[],
        aliases: &[],
        concurrency: Info::CONCURRENCY,
    };
    let sources: Vec<PortInfo> =
        tapped.ports().iter().filter(|port| port.is_source()).cloned().collect();
    let target = |port: &PortInfo| PortInfo { role: Role::Target, catch: None, ..port.clone() };
    let targets = sources.iter().map(target).collect();
    let record = record.clone();
    ComponentType::new(info, targets, move || {
        Box::new(Tap { sources: sources.clone(), record: record.clone() })
    })
}

struct Tap {
    sources: Vec<PortInfo>,
    record: Arc<Record>,
}

impl Tap {
    /// What is answered; `None` where nothing ever is.
    fn answer(&self, port: usize, item: &str, body: &Body) -> Option<Result<Reply>> {
        let Some(source) = self.sources.get(port) else { return Some(Ok(Reply::none())) };
        Some(match self.record.take(source.name(item), body) {
            Some(Act::Reply(reply)) => Ok(reply),
            Some(Act::Fail(error)) => Err(error),
            Some(Act::Stall) => return None,
            // A test that answers nothing has not handled the failure: it must not look like a success.
            None if source.role == Role::Error => Err(failed(body)),
            None => Ok(Reply::none()),
        })
    }
}

/// The error that made a failure.
fn failed(failure: &Body) -> Error {
    let failure = match failure.to_value() {
        Ok(value) => value,
        Err(error) => return Error::permanent(format!("a failure that is no JSON: {error}")),
    };
    let error = failure["error"].as_str().unwrap_or_default();
    match failure["retryable"].as_bool() {
        Some(true) => Error::exhausted(error),
        _ => Error::permanent(error),
    }
}

impl Instance for Tap {
    fn handle<'a>(
        &'a self,
        port: usize,
        item: &'a str,
        _: &'a Ctx,
        body: &'a Body,
    ) -> BoxFuture<'a, Result<Reply>> {
        match self.answer(port, item, body) {
            Some(answer) => Box::pin(ready(answer)),
            None => Box::pin(pending()),
        }
    }
}
