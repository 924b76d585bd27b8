//! The seat of the host: of all processes that share a folder's plane, the one that has it opens the file and serves.
//!
//! It is a lock of the operating system, so it is free as soon as its holder has ended, however that came about.

use std::fs::{File, TryLockError};
use std::io::{self, Write};
use std::path::Path;

use super::papers::{self, PaperError};

const FILE: &str = "lock";

/// The seat, for as long as this lives.
#[derive(Debug)]
pub(super) struct Seat {
    _file: File,
}

impl Seat {
    /// Takes the seat of a folder, which must be there; `None` while another process has it.
    pub(super) fn take(folder: &Path) -> Result<Option<Self>, PaperError> {
        let path = folder.join(FILE);
        let taken = papers::touch(&path).and_then(|()| {
            let mut file = File::options().read(true).write(true).open(&path)?;
            match file.try_lock() {
                Ok(()) => {}
                Err(TryLockError::WouldBlock) => return Ok(None),
                Err(TryLockError::Error(error)) => return Err(error),
            }
            sign(&mut file)?;
            Ok(Some(Self { _file: file }))
        });
        taken.map_err(|source| PaperError::at(path, source))
    }
}

/// Leaves the number of this process, for whoever asks who has the seat.
fn sign(file: &mut File) -> io::Result<()> {
    file.set_len(0)?;
    file.write_all(std::process::id().to_string().as_bytes())
}

/// The number of the process that has the seat, or had it last.
pub(super) fn holder(folder: &Path) -> Option<u32> {
    papers::read(folder, FILE).ok()??.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_has_the_seat_until_it_lets_go() {
        let folder = tempfile::tempdir().unwrap();
        let seat = Seat::take(folder.path()).unwrap();
        assert!(seat.is_some());
        assert_eq!(holder(folder.path()), Some(std::process::id()));
        assert!(Seat::take(folder.path()).unwrap().is_none());
        drop(seat);
        assert!(Seat::take(folder.path()).unwrap().is_some());
    }
}
