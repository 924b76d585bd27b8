//! A folder in the making.

use std::fs::{self, File};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};

use anyhow::{Error, Result, anyhow, bail};

/// A folder that is filled file by file. Unless it is kept, everything that was made goes again, and nothing else does.
pub(super) struct Draft {
    folder: PathBuf,
    made: Vec<PathBuf>,
}

impl Draft {
    /// Makes the folder, or takes one that is empty.
    pub(super) fn open(folder: &Path) -> Result<Self> {
        let shown = folder.display();
        let mut draft = Self { folder: folder.to_owned(), made: Vec::new() };
        match fs::read_dir(folder).map(|mut entries| entries.next().is_none()) {
            Ok(true) => {}
            Ok(false) => bail!(
                "folder `{shown}` is there already and not empty; choose another name, or move it away"
            ),
            Err(e) if e.kind() == ErrorKind::NotFound => draft.folder("")?,
            Err(e) if e.kind() == ErrorKind::NotADirectory => {
                bail!(
                    "`{shown}` is there already and no folder; choose another name, or move it away"
                )
            }
            Err(e) => return Err(cannot("read", folder, &e)),
        }
        Ok(draft)
    }

    /// Writes a file, in folders that are made when they are not there.
    pub(super) fn write(&mut self, file: &str, text: &str) -> Result<()> {
        let within = file.match_indices('/').map(|(at, _)| &file[..at]);
        for folder in within {
            if !self.folder.join(folder).is_dir() {
                self.folder(folder)?;
            }
        }
        let path = self.folder.join(file);
        let mut opened = File::create_new(&path).map_err(|e| cannot("write", &path, &e))?;
        self.made.push(path.clone());
        opened.write_all(text.as_bytes()).map_err(|e| cannot("write", &path, &e))
    }

    /// The folder stays.
    pub(super) fn keep(mut self) {
        self.made.clear();
    }

    fn folder(&mut self, folder: &str) -> Result<()> {
        let path = self.folder.join(folder);
        fs::create_dir(&path).map_err(|e| cannot("make", &path, &e))?;
        self.made.push(path);
        Ok(())
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        for path in self.made.drain(..).rev() {
            // What cannot be removed has become somebody else's.
            drop(fs::remove_file(&path).or_else(|_| fs::remove_dir(&path)));
        }
    }
}

fn cannot(what: &str, path: &Path, error: &io::Error) -> Error {
    let advice = match error.kind() {
        ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => {
            "; go to a folder that you may write to"
        }
        _ => "",
    };
    // `folder.join("")` ends with a slash.
    let shown = path.components().collect::<PathBuf>();
    anyhow!("cannot {what} `{}`: {error}{advice}", shown.display())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_stays() {
        let desk = tempfile::tempdir().unwrap();
        let folder = desk.path().join("demo");
        let mut draft = Draft::open(&folder).unwrap();
        draft.write("a/b/c.txt", "text").unwrap();
        draft.write("a/b/d.txt", "").unwrap();
        draft.keep();
        assert_eq!(fs::read_to_string(folder.join("a/b/c.txt")).unwrap(), "text");
        let said = Draft::open(&folder).err().unwrap().to_string();
        assert!(said.contains("/demo` is there already and not empty"), "{said}");
    }

    #[test]
    fn a_failure_removes_what_was_made() {
        let desk = tempfile::tempdir().unwrap();
        let folder = desk.path().join("demo");
        let mut draft = Draft::open(&folder).unwrap();
        draft.write("a/b.txt", "text").unwrap();
        let said = draft.write("a/b.txt/c.txt", "").unwrap_err().to_string();
        assert!(said.starts_with("cannot make `"), "{said}");
        drop(draft);
        assert!(!folder.exists());
    }

    #[test]
    fn what_was_there_or_came_from_others_stays() {
        let desk = tempfile::tempdir().unwrap();
        let mut draft = Draft::open(desk.path()).unwrap();
        draft.write("src/mine.txt", "").unwrap();
        fs::write(desk.path().join("src/theirs.txt"), "").unwrap();
        drop(draft);
        assert!(!desk.path().join("src/mine.txt").exists());
        assert!(desk.path().join("src/theirs.txt").exists());
    }

    #[test]
    fn no_folder_can_be_made_where_a_file_is() {
        let desk = tempfile::tempdir().unwrap();
        let file = desk.path().join("demo");
        fs::write(&file, "").unwrap();
        let said = Draft::open(&file).err().unwrap().to_string();
        assert!(said.contains("/demo` is there already and no folder"), "{said}");
    }

    #[test]
    fn without_permission_the_sentence_says_where_to_go() {
        let error = io::Error::from(ErrorKind::PermissionDenied);
        assert_eq!(
            cannot("make", &Path::new("demo").join(""), &error).to_string(),
            "cannot make `demo`: permission denied; go to a folder that you may write to"
        );
    }
}
