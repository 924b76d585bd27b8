//! Who shares a folder's plane: each process has a file in `members/` that it keeps locked while it lives.
//!
//! The lock ends with the process, the file does not: one that nobody locks tells of a process that was killed.

use std::fs::{File, TryLockError};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::time::{sleep, timeout};
use uuid::Uuid;

use super::Plane;
use super::papers::{self, PaperError};
use super::prepare::free_leases;

const FOLDER: &str = "members";
/// How long a process that was killed may keep its file locked after its connections have ended: the system closes one after the other.
const CLOSING: Duration = Duration::from_millis(50);
/// From one look of the host for those who were killed to the next, whether or not a connection has ended.
const LOOK: Duration = Duration::from_secs(1);

/// A process that shares the plane.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Member {
    /// Its number.
    pub(crate) process: u32,
    /// Its name in leases.
    pub(crate) identity: String,
    /// The module that it runs, if it runs one.
    pub(crate) module: Option<String>,
}

impl Member {
    /// This process.
    pub(crate) fn this(identity: &str, module: Option<&str>) -> Self {
        Self {
            process: std::process::id(),
            identity: identity.to_owned(),
            module: module.map(str::to_owned),
        }
    }

    /// Enters the list of a folder, which must be there.
    pub(super) fn enter(&self, folder: &Path) -> Result<Entry, PaperError> {
        let folder = folder.join(FOLDER);
        let name = Uuid::new_v4().simple().to_string();
        let (draft, path) = (folder.join(format!(".{name}")), folder.join(name));
        let entered = papers::folder(&folder).and_then(|()| {
            let mut file = papers::owned().open(&draft)?;
            // Locked before it has its name: nobody may take it for one that is left over.
            file.lock()?;
            file.write_all(&serde_json::to_vec(self)?)?;
            std::fs::rename(&draft, &path)?;
            Ok(file)
        });
        match entered {
            Ok(file) => Ok(Entry { path, _file: file }),
            Err(source) => Err(PaperError::at(path, source)),
        }
    }
}

/// This process's line in the list, for as long as this lives.
#[derive(Debug)]
pub(super) struct Entry {
    path: PathBuf,
    _file: File,
}

impl Drop for Entry {
    fn drop(&mut self) {
        // What is left is taken for a process that was killed, and removed by the host.
        drop(std::fs::remove_file(&self.path));
    }
}

/// The list as it is at one moment.
#[derive(Debug, Default)]
pub(super) struct Roll {
    pub(super) living: Vec<Member>,
    /// Those that were killed, each with its file.
    pub(super) dead: Vec<(PathBuf, Option<Member>)>,
}

impl Roll {
    /// Reads the list of a folder. What cannot be read is left out.
    pub(super) fn of(folder: &Path) -> Self {
        let mut roll = Self::default();
        let Ok(files) = std::fs::read_dir(folder.join(FOLDER)) else { return roll };
        for file in files.flatten() {
            if file.file_name().to_string_lossy().starts_with('.') {
                continue;
            }
            match look(&file.path()) {
                Ok((true, Some(member))) => roll.living.push(member),
                Ok((false, member)) => roll.dead.push((file.path(), member)),
                // It has just ended in order, or is not one of ours.
                Ok((true, None)) | Err(_) => {}
            }
        }
        roll
    }

    /// Whether a process of this name in leases lives.
    pub(super) fn has(&self, identity: &str) -> bool {
        self.living.iter().any(|member| member.identity == identity)
    }

    /// Removes what the dead have left.
    pub(super) fn bury(self) {
        for (path, _) in self.dead {
            // It is gone already, or the next look finds it again.
            drop(std::fs::remove_file(path));
        }
    }
}

/// Frees what those held who were killed, until the plane closes.
pub(super) async fn tidy(plane: Arc<Plane>) {
    let Some(folder) = plane.folder.clone() else { return };
    let wait = || async {
        // Late or not, it is time to look.
        drop(timeout(LOOK, plane.parted.notified()).await);
        sleep(CLOSING).await;
    };
    while plane.closing.run_until_cancelled(wait()).await.is_some() {
        let roll = Roll::of(&folder);
        if roll.dead.is_empty() {
            continue;
        }
        let members = roll.dead.iter().filter_map(|(_, member)| member.as_ref());
        let gone: Vec<String> = members.map(|member| member.identity.clone()).collect();
        let is_gone = move |holder: &str| gone.iter().any(|name| name == holder);
        let freed = plane.store.write(move |draft| {
            free_leases(draft, is_gone);
            Ok(())
        });
        match freed.await {
            Ok(()) => roll.bury(),
            Err(failure) => {
                let why = failure.message;
                tracing::warn!(
                    "cannot free the leases of a process that was killed, trying again: {why}"
                );
            }
        }
    }
}

/// Whether the process of this file lives, and who it is.
fn look(path: &Path) -> io::Result<(bool, Option<Member>)> {
    let mut file = File::open(path)?;
    // Shared: two who look at once must not take each other for the process.
    let lives = match file.try_lock_shared() {
        Ok(()) => false,
        Err(TryLockError::WouldBlock) => true,
        Err(TryLockError::Error(error)) => return Err(error),
    };
    let mut text = Vec::new();
    file.read_to_end(&mut text)?;
    Ok((lives, serde_json::from_slice(&text).ok()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_member_is_listed_while_it_lives() {
        let folder = tempfile::tempdir().unwrap();
        let member = Member::this("me", Some("a"));
        let entry = member.enter(folder.path()).unwrap();
        let roll = Roll::of(folder.path());
        assert_eq!(roll.living, [member]);
        assert!(roll.has("me") && !roll.has("you") && roll.dead.is_empty());
        drop(entry);
        let roll = Roll::of(folder.path());
        assert!(roll.living.is_empty() && roll.dead.is_empty());
    }

    #[test]
    fn what_a_killed_one_has_left_is_found_and_removed() {
        let folder = tempfile::tempdir().unwrap();
        let member = Member::this("killed", None);
        let entry = member.enter(folder.path()).unwrap();
        let text = std::fs::read(&entry.path).unwrap();
        let path = entry.path.clone();
        drop(entry);
        std::fs::write(&path, text).unwrap();
        let roll = Roll::of(folder.path());
        assert_eq!(roll.dead, [(path.clone(), Some(member))]);
        roll.bury();
        assert!(!path.exists());
    }
}
