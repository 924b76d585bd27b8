//! Watching: what is there, then every change, until the client or its timeout ends it.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes};
use http::{Response, StatusCode};
use serde_json::{Value, json};
use tokio::sync::watch;
use tokio::time::Instant;

use super::{Call, json};
use crate::local::failure::{Cause, Failure};
use crate::local::history::Change;
use crate::local::index::{Key, Stored};
use crate::local::object;
use crate::local::request::Shape;
use crate::local::selector::Selector;

/// How long a watch lasts that sets no timeout.
const LONGEST: Duration = Duration::from_secs(30 * 60);
/// How often a quiet watch says how far it is.
const BOOKMARK: Duration = Duration::from_secs(60);
/// Changes taken from the history at once.
const BATCH: usize = 64;

/// Where a watch stands.
struct Watch {
    call: Call,
    selector: Selector,
    head: watch::Receiver<u64>,
    /// What was there at the start and is not sent yet.
    initial: VecDeque<Arc<Stored>>,
    /// Whether the end of the initial objects is marked.
    mark: bool,
    cursor: u64,
    bookmarks: bool,
    next_bookmark: Instant,
    deadline: Instant,
    /// Whether a table still has to describe its columns.
    describe: bool,
    ended: bool,
}

impl Call {
    pub(super) fn watch(self) -> Result<Response<Body>, Failure> {
        let selector = self.selector()?;
        let head = self.plane.store.head(self.kind.home).ok_or_else(Failure::no_such_path)?;
        let timeout = self.parameters.number("timeoutSeconds")?.filter(|seconds| *seconds > 0);
        let timeout = timeout.map_or(LONGEST, |seconds| LONGEST.min(Duration::from_secs(seconds)));
        let from = self.from()?;
        let (cursor, initial) = {
            let state = self.plane.store.read();
            match from {
                Some(version) => (version, VecDeque::new()),
                None => {
                    let namespace = self.target.namespace.as_deref();
                    let objects = state.index.range(self.kind.home, namespace);
                    let found = objects.filter(|(key, stored)| selector.matches(key, stored));
                    (state.index.version, found.map(|(_, stored)| Arc::clone(stored)).collect())
                }
            }
        };
        let now = Instant::now();
        let watch = Watch {
            mark: self.streams_initial() && self.parameters.flag("allowWatchBookmarks"),
            bookmarks: self.parameters.flag("allowWatchBookmarks"),
            call: self,
            selector,
            head,
            initial,
            cursor,
            next_bookmark: now + BOOKMARK,
            deadline: now + timeout,
            describe: true,
            ended: false,
        };
        let lines = futures::stream::unfold(watch, |mut watch| async {
            let line = watch.next().await?;
            Some((Ok::<_, Infallible>(line), watch))
        });
        Ok(json(StatusCode::OK, Body::from_stream(lines)))
    }

    fn streams_initial(&self) -> bool {
        self.parameters.flag("sendInitialEvents")
    }

    /// The version to start after; `None` starts with what is there.
    fn from(&self) -> Result<Option<u64>, Failure> {
        let version = self.version()?;
        if !self.parameters.text("sendInitialEvents").is_empty()
            && self.parameters.text("resourceVersionMatch") != "NotOlderThan"
        {
            let why = "sendInitialEvents requires setting resourceVersionMatch to NotOlderThan";
            let cause = Cause::forbidden("resourceVersionMatch", why);
            return Err(Failure::invalid_options("ListOptions", &cause));
        }
        let state = self.plane.store.read();
        if self.streams_initial() || version == 0 {
            // `sendInitialEvents=false` without a version means: only what comes.
            let only_new = self.parameters.text("sendInitialEvents") == "false";
            return Ok(only_new.then_some(state.index.version));
        }
        // A version from the future is of another life of this plane: the watch starts over.
        match version > state.index.version {
            true => Ok(Some(0)),
            false => Ok(Some(version)),
        }
    }

    fn version(&self) -> Result<u64, Failure> {
        let text = self.parameters.text("resourceVersion");
        match text {
            "" => Ok(0),
            text => text.parse().map_err(|_| {
                let why = "must be an integer as the server wrote it";
                let cause = Cause::invalid("resourceVersion", &text.into(), why);
                Failure::invalid_options("ListOptions", &cause)
            }),
        }
    }
}

impl Watch {
    /// The next lines; `None` is the end.
    async fn next(&mut self) -> Option<Bytes> {
        loop {
            if let Some(stored) = self.initial.pop_front() {
                return Some(self.line("ADDED", &stored));
            }
            if std::mem::take(&mut self.mark) {
                return Some(self.bookmark(true));
            }
            if self.ended || Instant::now() >= self.deadline {
                return None;
            }
            match self.pull() {
                Some(lines) if !lines.is_empty() => return Some(lines),
                Some(_) => {}
                None => return Some(self.forgotten()),
            }
            let wake = self.next_bookmark.min(self.deadline);
            tokio::select! {
                // An error means that the store is gone with the plane.
                changed = self.head.changed() => self.ended = changed.is_err(),
                () = self.call.plane.closing.cancelled() => self.ended = true,
                () = tokio::time::sleep_until(wake) => {
                    self.ended = Instant::now() >= self.deadline;
                    self.next_bookmark = Instant::now() + BOOKMARK;
                    if self.bookmarks {
                        return Some(self.bookmark(false));
                    }
                }
            }
        }
    }

    /// Takes what has happened since; `None` when some of it is forgotten.
    fn pull(&mut self) -> Option<Bytes> {
        let kind = self.call.kind.home;
        let mut lines = Vec::new();
        loop {
            // Seen before it is read: what comes in between wakes the next wait.
            self.head.mark_unchanged();
            let changes = {
                let state = self.call.plane.store.read();
                let changes = state.history.after(kind, self.cursor, BATCH)?;
                let last = changes.last().map(|change| change.version);
                self.cursor = last.unwrap_or(self.cursor.max(state.index.version));
                changes
            };
            for change in &changes {
                if let Some((word, stored)) = self.seen(change) {
                    lines.extend_from_slice(&self.line(word, &stored));
                }
            }
            if changes.is_empty() || !lines.is_empty() {
                return Some(Bytes::from(lines));
            }
        }
    }

    /// How this watch sees a change: an object may enter or leave what its selector means.
    fn seen(&self, change: &Change) -> Option<(&'static str, Arc<Stored>)> {
        let meant = |key: &Key, stored: &Stored| {
            let namespace = self.call.target.namespace.as_deref();
            namespace.is_none_or(|namespace| key.namespace == namespace)
                && self.selector.matches(key, stored)
        };
        let before = change.before.as_ref().filter(|stored| meant(&change.key, stored));
        let now = !change.removed && meant(&change.key, &change.after);
        let after = || Arc::clone(&change.after);
        match (before, now) {
            (None, true) => Some(("ADDED", after())),
            (Some(_), true) => Some(("MODIFIED", after())),
            (Some(_), false) if change.removed => Some(("DELETED", after())),
            (Some(before), false) => {
                let last = Stored::new(change.version, before.value());
                Some(("DELETED", Arc::new(last)))
            }
            (None, false) => None,
        }
    }

    fn line(&mut self, word: &str, stored: &Stored) -> Bytes {
        let describe = self.call.shape != Shape::Table || std::mem::take(&mut self.describe);
        event(word, &self.call.shaped(stored, describe))
    }

    fn bookmark(&mut self, initial: bool) -> Bytes {
        let kind = &self.call.kind;
        let mut value = json!({
            "kind": kind.kind, "apiVersion": kind.api_version(), "metadata": {}
        });
        if kind.group == "events.k8s.io" {
            // `shaped` turns it into this form again.
            value["apiVersion"] = Value::from("v1");
        }
        object::metadata_mut(&mut value).insert("creationTimestamp".to_owned(), Value::Null);
        if initial {
            value["metadata"]["annotations"] = json!({ "k8s.io/initial-events-end": "true" });
        }
        self.line("BOOKMARK", &Stored::new(self.cursor, value))
    }

    /// The last line of a watch that was too slow.
    fn forgotten(&mut self) -> Bytes {
        self.ended = true;
        let oldest = self.call.plane.store.read().history.oldest(self.call.kind.home);
        let why = format!("too old resource version: {} ({oldest})", self.cursor);
        let failure = Failure::expired(why);
        event("ERROR", failure.status().to_string().as_bytes())
    }
}

fn event(word: &str, object: &[u8]) -> Bytes {
    let mut line = format!(r#"{{"type":"{word}","object":"#).into_bytes();
    line.extend_from_slice(object);
    line.extend_from_slice(b"}\n");
    Bytes::from(line)
}
