//! The file that the plane lives in.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use axum::body::Bytes;
use redb::{Database, DatabaseError, ReadableDatabase, ReadableTable, TableDefinition};

use super::OpenError;
use super::history::Change;
use super::index::{Index, Key, Stored};
use super::kinds::{KindId, Kinds};
use super::seat::Seat;
use super::{object, papers};

/// `plural.group/namespace/name` → the object as JSON.
const OBJECTS: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("objects");
/// Numbers about the whole: `version`, and `head/plural.group`, the version of the last change of a kind.
const FACTS: TableDefinition<'_, &str, u64> = TableDefinition::new("facts");
const VERSION: &str = "version";
const HEAD: &str = "head/";
/// The version since when heads are kept: kinds without one have not changed since.
const HEADS: &str = "heads";
const FILE: &str = "state.redb";

/// The database of a folder. After a failed commit it is opened again and written anew, because
/// nobody knows what of that commit is in the file.
pub(super) struct Disk {
    path: PathBuf,
    database: Option<Database>,
    kinds: Arc<Kinds>,
    /// Free when the database is closed, not earlier: the next host opens it at once.
    _seat: Seat,
}

impl Disk {
    /// Opens or makes the file of a folder, for whoever has the seat.
    pub(super) fn open(folder: &Path, seat: Seat, kinds: Arc<Kinds>) -> Result<Self, OpenError> {
        let path = folder.join(FILE);
        // Settings and secrets are in there: nobody else may read it.
        papers::touch(&path).map_err(|why| OpenError::Folder { folder: folder.to_owned(), why })?;
        let database = Database::create(&path).map_err(|error| match error {
            DatabaseError::DatabaseAlreadyOpen => {
                OpenError::AlreadyOpen { folder: folder.to_owned() }
            }
            other => OpenError::Store { path: path.clone(), why: other.to_string() },
        })?;
        Ok(Self { path, database: Some(database), kinds, _seat: seat })
    }

    /// Reads everything. Objects of kinds that this plane does not know stay in the file, unread.
    pub(super) fn load(&self) -> Result<Index, OpenError> {
        self.read().map_err(|why| OpenError::Store { path: self.path.clone(), why })
    }

    fn read(&self) -> Result<Index, String> {
        let mut index = Index::default();
        let Some(database) = &self.database else { return Ok(index) };
        let said = |error: redb::Error| error.to_string();
        let transaction = database.begin_read().map_err(|error| said(error.into()))?;
        match transaction.open_table(FACTS) {
            Ok(facts) => {
                let version = facts.get(VERSION).map_err(|error| said(error.into()))?;
                index.version = version.map_or(0, |version| version.value());
                let since = facts.get(HEADS).map_err(|error| said(error.into()))?;
                // Without it nobody knows: whoever watches starts over.
                let since = since.map_or(index.version, |since| since.value());
                for kind in self.kinds.ids() {
                    let head = head(&self.kinds, kind);
                    let head = facts.get(head.as_str()).map_err(|error| said(error.into()))?;
                    index.note(kind, head.map_or(since, |head| head.value()));
                }
            }
            Err(redb::TableError::TableDoesNotExist(_)) => return Ok(index),
            Err(error) => return Err(said(error.into())),
        }
        let objects = transaction.open_table(OBJECTS).map_err(|error| said(error.into()))?;
        for row in objects.iter().map_err(|error| said(error.into()))? {
            let (place, text) = row.map_err(|error| said(error.into()))?;
            let Some(key) = self.key(place.value()) else { continue };
            let stored = read_object(text.value())
                .map_err(|why| format!("`{}` cannot be read: {why}", place.value()))?;
            index.put(key, Arc::new(stored));
        }
        Ok(index)
    }

    /// Makes the first changes durable, before anybody reads.
    pub(super) fn begin(
        &mut self,
        changes: &[Change],
        version: u64,
        index: &Index,
    ) -> Result<(), OpenError> {
        let path = self.path.clone();
        self.try_commit(changes, version, index)
            .map_err(|error| OpenError::Store { path, why: error.to_string() })
    }

    /// Makes changes durable, all or none. `index` is the state before them.
    pub(super) fn commit(
        &mut self,
        changes: &[Change],
        version: u64,
        index: &Index,
    ) -> Result<(), String> {
        let outcome = self.try_commit(changes, version, index);
        if outcome.is_err() {
            self.database = None;
        }
        outcome.map_err(|error| format!("`{}`: {error}", self.path.display()))
    }

    fn try_commit(
        &mut self,
        changes: &[Change],
        version: u64,
        index: &Index,
    ) -> Result<(), redb::Error> {
        let anew = self.database.is_none();
        let database = match self.database.take() {
            Some(database) => database,
            None => Database::create(&self.path)?,
        };
        let database = self.database.insert(database);
        let transaction = database.begin_write()?;
        {
            let mut objects = transaction.open_table(OBJECTS)?;
            if anew {
                let kinds = &self.kinds;
                objects.retain(|place, _| key(kinds, place).is_none())?;
                for (key, stored) in index.iter() {
                    objects.insert(place(kinds, key).as_str(), &stored.text[..])?;
                }
            }
            for change in changes {
                let place = place(&self.kinds, &change.key);
                if change.removed {
                    objects.remove(place.as_str())?;
                } else {
                    objects.insert(place.as_str(), &change.after.text[..])?;
                }
            }
            let mut facts = transaction.open_table(FACTS)?;
            facts.insert(VERSION, version)?;
            if facts.get(HEADS)?.is_none() {
                facts.insert(HEADS, version)?;
            }
            // In their order, so that the last change of a kind stays.
            for change in changes {
                facts.insert(head(&self.kinds, change.key.kind).as_str(), change.version)?;
            }
        }
        transaction.commit()?;
        Ok(())
    }

    fn key(&self, place: &str) -> Option<Key> {
        key(&self.kinds, place)
    }
}

fn read_object(text: &[u8]) -> Result<Stored, String> {
    let value: serde_json::Value = serde_json::from_slice(text).map_err(|e| e.to_string())?;
    let version = object::meta_text(&value, "resourceVersion")
        .parse()
        .map_err(|_| "its resourceVersion is not a number".to_owned())?;
    Ok(Stored { version, labels: object::labels(&value), text: Bytes::copy_from_slice(text) })
}

fn place(kinds: &Kinds, key: &Key) -> String {
    let Key { kind, namespace, name } = key;
    format!("{}/{namespace}/{name}", kinds.get(*kind).full_plural())
}

fn head(kinds: &Kinds, kind: KindId) -> String {
    format!("{HEAD}{}", kinds.get(kind).full_plural())
}

fn key(kinds: &Kinds, place: &str) -> Option<Key> {
    let mut parts = place.splitn(3, '/');
    let kind = kinds.by_full_plural(parts.next()?)?;
    let (namespace, name) = (parts.next()?.to_owned(), parts.next()?.to_owned());
    Some(Key { kind, namespace, name })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::local::draft::Draft;
    use serde_json::json;

    fn put(index: &Index, name: &str) -> (u64, Vec<Change>) {
        let mut draft = Draft::new(index);
        let key = Key { kind: 5, namespace: "n".into(), name: name.into() };
        draft.put(&key, json!({ "metadata": { "name": name } }));
        (draft.version, draft.changes)
    }

    fn names(disk: &Disk) -> Vec<String> {
        disk.load().unwrap().iter().map(|(key, _)| key.name.clone()).collect()
    }

    #[test]
    fn the_last_change_of_each_kind_is_known_after_a_restart_removals_too() {
        let folder = tempfile::tempdir().unwrap();
        let kinds = Arc::new(Kinds::new(&[]).unwrap());
        let seat = Seat::take(folder.path()).unwrap().unwrap();
        let mut disk = Disk::open(folder.path(), seat, kinds).unwrap();
        let mut index = Index::default();
        for (kind, removes) in [(5, false), (2, false), (5, true)] {
            let mut draft = Draft::new(&index);
            let key = Key { kind, namespace: "n".into(), name: "x".into() };
            let value = json!({ "metadata": { "name": "x" } });
            if removes {
                draft.remove(&key, value);
            } else {
                draft.put(&key, value);
            }
            let (version, changes) = (draft.version, draft.changes);
            disk.commit(&changes, version, &index).unwrap();
            index = disk.load().unwrap();
        }
        assert_eq!([5, 2, 1].map(|kind| index.head(kind)), [3, 2, 1]);
        assert_eq!(index.version, 3);
    }

    #[test]
    fn after_a_failed_commit_the_file_is_what_was_promised() {
        let folder = tempfile::tempdir().unwrap();
        let kinds = Arc::new(Kinds::new(&[]).unwrap());
        let seat = Seat::take(folder.path()).unwrap().unwrap();
        let mut disk = Disk::open(folder.path(), seat, Arc::clone(&kinds)).unwrap();
        let mut index = Index::default();
        let (version, changes) = put(&index, "kept");
        disk.commit(&changes, version, &index).unwrap();
        index.put(changes[0].key.clone(), Arc::clone(&changes[0].after));
        // A commit whose answer was an error, although it reached the file.
        let (version, doubtful) = put(&index, "doubtful");
        disk.commit(&doubtful, version, &index).unwrap();
        disk.database = None;
        let (version, changes) = put(&index, "later");
        disk.commit(&changes, version, &index).unwrap();
        assert_eq!(names(&disk), ["kept", "later"]);
        assert_eq!(disk.load().unwrap().version, version);
    }
}
