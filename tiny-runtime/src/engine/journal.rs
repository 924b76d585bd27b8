//! The state of one node: changes queue up and are stored together.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use tokio::sync::SetOnce;

use super::store::{StateStore, Stored, Unwritten};
use crate::component::{BoxFuture, Edit, Error, Instance, Ledger, Result, panic};

/// Bytes of all states of one node: it lies in the node's status, beside much else, and an object has 1.5 MB.
const LIMIT: usize = 256 * 1024;
/// How often one change may lose against others before it counts as failed.
const TRIES: u32 = 100;

/// Keeps the state of one node.
///
/// A change is made on the draft, in its caller's task; one write at a time carries the draft to the store, and what comes
/// meanwhile makes up the next draft. When somebody else has written first, all changes that were not stored are made again, on
/// what is there now.
pub(super) struct Journal {
    node: String,
    store: Arc<dyn StateStore>,
    instance: Weak<dyn Instance>,
    pages: Mutex<Pages>,
    me: Weak<Self>,
}

#[derive(Default)]
struct Pages {
    stored: Stored,
    /// What is on its way to the store.
    flight: Option<BTreeMap<String, String>>,
    /// What follows it.
    draft: Option<Draft>,
}

struct Draft {
    texts: BTreeMap<String, String>,
    fate: Open,
}

/// A fate that is to come. Dropped before, there is nobody left who would carry the draft.
struct Open(Arc<SetOnce<Fate>>);

impl Open {
    fn comes(&self, fate: Fate) {
        // A fate comes once.
        let _set_before = self.0.set(fate);
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.comes(Fate::Failed(Error::cancelled("the process is stopping")));
    }
}

/// What became of a draft.
#[derive(Clone)]
enum Fate {
    Stored,
    /// Somebody else was first.
    Again,
    Failed(Error),
}

impl Pages {
    /// What stands under `key`, drafts included.
    fn text(&self, key: &str) -> Option<&String> {
        let draft = self.draft.as_ref().map(|draft| &draft.texts);
        let pages = [draft, self.flight.as_ref(), Some(&self.stored.texts)];
        pages.into_iter().flatten().find_map(|page| page.get(key))
    }

    /// Bytes of all texts if `text` stood under `key`.
    fn size_with(&self, key: &str, text: &str) -> usize {
        let draft = self.draft.as_ref().map(|draft| &draft.texts);
        let mut sizes = BTreeMap::new();
        for page in [Some(&self.stored.texts), self.flight.as_ref(), draft].into_iter().flatten() {
            sizes.extend(page.iter().map(|(key, text)| (key.as_str(), text.len())));
        }
        sizes.insert(key, text.len());
        sizes.iter().map(|(key, size)| key.len() + size).sum()
    }
}

impl Journal {
    pub(super) fn new(
        node: &str,
        store: Arc<dyn StateStore>,
        instance: &Arc<dyn Instance>,
        stored: Stored,
    ) -> Arc<Self> {
        Arc::new_cyclic(|me| Self {
            node: node.to_owned(),
            store,
            instance: Arc::downgrade(instance),
            pages: Mutex::new(Pages { stored, ..Pages::default() }),
            me: me.clone(),
        })
    }

    /// Takes in what somebody else stored. Returns whether that is new.
    pub(super) fn seen(&self, stored: Stored) -> bool {
        let mut pages = self.pages();
        if pages.flight.is_some() || pages.stored.is_newer_than(&stored) {
            // The write that is under way, or was, knows better.
            return false;
        }
        let changed = pages.stored.texts != stored.texts;
        pages.stored = stored;
        if changed {
            self.tell(&pages);
        }
        changed
    }

    /// Has the component's cells take what is stored.
    fn tell(&self, pages: &Pages) {
        let Some(instance) = self.instance.upgrade() else { return };
        // What reads it may be an author's; a panic in there must not leave those waiting whose change was stored.
        let stored = |key: &str| pages.stored.texts.get(key).cloned();
        let taken = panic::caught(|| instance.take_state(&stored));
        if let Err(why) = taken.unwrap_or_else(|text| Err(format!("reading it panicked: {text}"))) {
            tracing::error!(
                node = self.node,
                "somebody else wrote a state that does not fit: {why}"
            );
        }
    }

    /// Makes a change on the draft. `None` when it changes nothing.
    fn draft(&self, key: &'static str, edit: &mut Edit<'_>) -> Result<Option<Arc<SetOnce<Fate>>>> {
        let mut pages = self.pages();
        let before = pages.text(key).cloned();
        let text = edit(before.as_deref())?;
        if pages.stored.texts.get(key) == Some(&text) && before.as_ref() == Some(&text) {
            return Ok(None);
        }
        let size = pages.size_with(key, &text);
        if size > LIMIT {
            return Err(Error::permanent(format!(
                "the state of node `{}` would take {size} bytes, more than {LIMIT}: keep less of it",
                self.node
            )));
        }
        let draft = pages
            .draft
            .get_or_insert_with(|| Draft { texts: BTreeMap::new(), fate: Open(Arc::default()) });
        draft.texts.insert(key.to_owned(), text);
        let fate = draft.fate.0.clone();
        if pages.flight.is_none()
            && let Some(me) = self.me.upgrade()
        {
            pages.flight = Some(BTreeMap::new());
            tokio::spawn(me.carry());
        }
        Ok(Some(fate))
    }

    /// Carries drafts to the store, one after the other, until there is none.
    async fn carry(self: Arc<Self>) {
        loop {
            let Some((texts, fate, version)) = self.next() else { return };
            let version = match version {
                Some(version) => Ok(Some(version)),
                // Nobody has read it yet; a write without a version would be blind.
                None => self.store.read(&self.node).await.map(|stored| {
                    self.pages().stored = stored.clone();
                    stored.version
                }),
            };
            let written = match version {
                Ok(version) => self.store.write(&self.node, version.as_deref(), &texts).await,
                Err(e) => Err(Unwritten::Failed(e)),
            };
            let (stored, outcome) = match written {
                Ok(stored) => (Some(stored), Fate::Stored),
                Err(Unwritten::Failed(e)) => (None, Fate::Failed(e)),
                Err(Unwritten::Conflict) => match self.store.read(&self.node).await {
                    Ok(stored) => (Some(stored), Fate::Again),
                    Err(e) => (None, Fate::Failed(e)),
                },
            };
            self.landed(stored, &fate, outcome);
        }
    }

    /// The next draft to carry, its fate and the version that it is written over.
    fn next(&self) -> Option<(BTreeMap<String, String>, Open, Option<String>)> {
        let mut pages = self.pages();
        let Some(draft) = pages.draft.take() else {
            pages.flight = None;
            return None;
        };
        pages.flight = Some(draft.texts.clone());
        Some((draft.texts, draft.fate, pages.stored.version.clone()))
    }

    fn landed(&self, stored: Option<Stored>, fate: &Open, outcome: Fate) {
        let mut pages = self.pages();
        pages.flight = Some(BTreeMap::new());
        if let Some(stored) = stored {
            pages.stored = stored;
            self.tell(&pages);
        }
        // What follows was made on what did not come to be.
        let is_stored = matches!(outcome, Fate::Stored);
        if !is_stored && let Some(draft) = pages.draft.take() {
            draft.fate.comes(Fate::Again);
        }
        drop(pages);
        fate.comes(outcome);
    }

    fn pages(&self) -> MutexGuard<'_, Pages> {
        self.pages.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Ledger for Journal {
    fn edit<'a>(&'a self, key: &'static str, edit: &'a mut Edit<'_>) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move {
            for _ in 0..TRIES {
                let Some(fate) = self.draft(key, edit)? else { return Ok(()) };
                match fate.wait().await {
                    Fate::Stored => return Ok(()),
                    Fate::Again => {}
                    Fate::Failed(e) => {
                        let what = format!("storing the state of node `{}`", self.node);
                        return Err(e.clone().context(what));
                    }
                }
            }
            Err(Error::transient(format!(
                "the state of node `{}` changes too often: {TRIES} attempts were outrun by others",
                self.node
            )))
        })
    }
}
