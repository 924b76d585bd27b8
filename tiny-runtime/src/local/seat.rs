//! The seat of the host: of all processes that share a folder's plane, the one that has it opens the file and serves.
//!
//! It is a lock of the operating system, so it is free as soon as its holder has ended, however that came about.

use std::fs::{File, TryLockError};
use std::io::{self, Write};
use std::path::Path;

use tokio::sync::oneshot;

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
        Self::with(folder, |file| match file.try_lock() {
            Ok(()) => Ok(true),
            Err(TryLockError::WouldBlock) => Ok(false),
            Err(TryLockError::Error(error)) => Err(error),
        })
    }

    /// Takes the seat of a folder as soon as it is free. The system wakes one of those who wait, so nobody has to look again and again;
    /// a thread waits that ends with the process, because nothing else can end its wait. Who drops the receiver does not get the seat.
    pub(super) fn wait(folder: &Path) -> io::Result<oneshot::Receiver<Result<Self, PaperError>>> {
        let (sender, receiver) = oneshot::channel();
        let folder = folder.to_owned();
        std::thread::Builder::new().name("tiny-seat".to_owned()).spawn(move || {
            let taken = loop {
                match Self::with(&folder, |file| file.lock().map(|()| true)) {
                    Ok(None) => {}
                    Ok(Some(seat)) => break Ok(seat),
                    Err(error) => break Err(error),
                }
            };
            // A seat that nobody takes is free again.
            drop(sender.send(taken));
        })?;
        Ok(receiver)
    }

    fn with(
        folder: &Path,
        lock: impl FnOnce(&File) -> io::Result<bool>,
    ) -> Result<Option<Self>, PaperError> {
        let path = folder.join(FILE);
        let taken = papers::touch(&path).and_then(|()| {
            let mut file = File::options().read(true).write(true).open(&path)?;
            if !lock(&file)? {
                return Ok(None);
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

    #[tokio::test]
    async fn who_waits_for_the_seat_gets_it_when_it_is_free_and_who_has_gone_does_not() {
        let folder = tempfile::tempdir().unwrap();
        let seat = Seat::take(folder.path()).unwrap();
        drop(Seat::wait(folder.path()).unwrap());
        let mut waiting = Seat::wait(folder.path()).unwrap();
        assert!(waiting.try_recv().is_err());
        drop(seat);
        let seat = waiting.await.unwrap().unwrap();
        assert!(Seat::take(folder.path()).unwrap().is_none());
        drop(seat);
    }
}
