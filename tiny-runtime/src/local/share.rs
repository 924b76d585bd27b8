//! A process's share in the plane of a folder: it hosts the plane, or is ready to when the one that does has ended.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, timeout};
use tokio_util::sync::CancellationToken;

use super::members::{Entry, Member, Roll};
use super::papers::{self, PaperError};
use super::seat::{self, Seat};
use super::{EnsureError, LocalPlane, OpenError, ServeError};

/// From one look at what others have to let go of to the next.
const LOOK: Duration = Duration::from_millis(50);
/// How long to wait after the plane could not be opened.
const REST: Duration = Duration::from_secs(1);
/// How long the file may be open after the seat is free: the system closes them one after the other.
const CLOSING: Duration = Duration::from_secs(1);
/// How long to wait until the host has freed what an earlier process of the same module held.
const TIDYING: Duration = Duration::from_secs(2);

/// Which plane to share, and as whom.
#[derive(Clone, Debug)]
pub(crate) struct Wish {
    /// Its folder, which is made when it is not there.
    pub(crate) folder: PathBuf,
    /// The kinds that it serves.
    pub(crate) crds: Vec<CustomResourceDefinition>,
    /// The namespace that kubectl finds it with.
    pub(crate) namespace: String,
    /// The port to host it on, if a certain one.
    pub(crate) port: Option<u16>,
    /// Who shares it.
    pub(crate) member: Member,
}

/// Why a plane cannot be shared.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ShareError {
    /// It cannot be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// A file beside it cannot be used.
    #[error(transparent)]
    Paper(#[from] PaperError),
    /// It cannot have the namespace.
    #[error(transparent)]
    Ensure(#[from] EnsureError),
    /// It cannot be served.
    #[error(transparent)]
    Serve(#[from] ServeError),
    /// Others look for it elsewhere.
    #[error(
        "processes that share the local plane in {} look for it on port {known}; leave out --port {asked}",
        folder.display()
    )]
    OtherPort {
        /// Its folder.
        folder: PathBuf,
        /// The port that they know.
        known: u16,
        /// The port that was asked for.
        asked: u16,
    },
}

/// The share of this process, until it leaves.
#[derive(Debug)]
pub(crate) struct Share {
    folder: PathBuf,
    member: Member,
    /// Dropped last: whoever finds it unlocked takes this process for one that was killed.
    entry: Entry,
    leaving: CancellationToken,
    part: Part,
}

#[derive(Debug)]
enum Part {
    Host(LocalPlane, SocketAddr),
    Heir(JoinHandle<Option<LocalPlane>>),
}

impl Share {
    /// Hosts the plane if nobody does, and else waits for that in the background.
    pub(crate) async fn take(wish: Wish) -> Result<Self, ShareError> {
        let folder = wish.folder.clone();
        papers::folder(&folder).map_err(|why| OpenError::Folder { folder: folder.clone(), why })?;
        let (entry, member) = (wish.member.enter(&folder)?, wish.member.clone());
        let leaving = CancellationToken::new();
        let part = match open(&wish).await? {
            Some(plane) => match serve(&plane, &wish).await {
                Ok(address) => Part::Host(plane, address),
                Err(error) => {
                    plane.shutdown().await;
                    return Err(error);
                }
            },
            None => {
                let heir = tokio::spawn(inherit(wish, leaving.clone()));
                // Late or not: the module then waits for its lease.
                drop(timeout(TIDYING, tidied(&folder, &member)).await);
                Part::Heir(heir)
            }
        };
        Ok(Self { folder, member, entry, leaving, part })
    }

    /// The plane and its address, if this process has hosted it from the start.
    pub(crate) fn hosted(&self) -> Option<(&LocalPlane, SocketAddr)> {
        match &self.part {
            Part::Host(plane, address) => Some((plane, *address)),
            Part::Heir(_) => None,
        }
    }

    /// The number of the process that hosts the plane.
    pub(crate) fn host(&self) -> Option<u32> {
        seat::holder(&self.folder)
    }

    /// The numbers of other processes that run the same module.
    pub(crate) fn companions(&self) -> Vec<u32> {
        let others = Roll::of(&self.folder).living.into_iter().filter(|other| {
            other.identity != self.member.identity && other.module == self.member.module
        });
        others.map(|other| other.process).collect()
    }

    /// Hands the plane over if this process hosts it: answers what was asked, and frees the seat.
    pub(crate) async fn leave(self) {
        self.leaving.cancel();
        let plane = match self.part {
            Part::Host(plane, _) => Some(plane),
            Part::Heir(heir) => heir.await.ok().flatten(),
        };
        if let Some(plane) = plane {
            plane.shutdown().await;
        }
        drop(self.entry);
    }
}

/// Processes that share the plane of a folder now.
pub(crate) fn living(folder: &Path) -> Vec<Member> {
    Roll::of(folder).living
}

/// Opens the plane if its seat is free.
async fn open(wish: &Wish) -> Result<Option<LocalPlane>, OpenError> {
    let since = Instant::now();
    loop {
        let Some(seat) = Seat::take(&wish.folder)? else { return Ok(None) };
        match opened(seat, wish).await {
            Err(OpenError::AlreadyOpen { .. }) if since.elapsed() < CLOSING => sleep(LOOK).await,
            opened => return opened.map(Some),
        }
    }
}

async fn opened(seat: Seat, wish: &Wish) -> Result<LocalPlane, OpenError> {
    let (folder, crds) = (wish.folder.clone(), wish.crds.clone());
    let opened = tokio::task::spawn_blocking(move || LocalPlane::hosted(seat, &folder, crds));
    opened.await.unwrap_or_else(|e| Err(OpenError::Writer(e.into())))
}

/// Serves the plane where others look for it, or anew if there are none.
async fn serve(plane: &LocalPlane, wish: &Wish) -> Result<SocketAddr, ShareError> {
    plane.ensure_namespace(&wish.namespace).await?;
    let has_others = living(&wish.folder).iter().any(|other| *other != wish.member);
    if !has_others || !is_known(&wish.folder) {
        return Ok(plane.serve(&wish.namespace, wish.port).await?);
    }
    let known = papers::port(&wish.folder)?;
    match (wish.port, known) {
        (Some(asked), Some(known)) if asked != known => {
            Err(ShareError::OtherPort { folder: wish.folder.clone(), known, asked })
        }
        _ => Ok(plane.serve_again().await?),
    }
}

/// Whether the plane of a folder has been served before.
fn is_known(folder: &Path) -> bool {
    folder.join(papers::KUBECONFIG).exists()
}

/// Waits until the seat is free, takes it, and serves the plane where it was. `None` when this process leaves first.
async fn inherit(wish: Wish, leaving: CancellationToken) -> Option<LocalPlane> {
    loop {
        let plane = match leaving.run_until_cancelled(succeed(&wish)).await? {
            Ok(plane) => plane,
            Err(error) => {
                tracing::warn!("cannot take the local plane over, trying again: {error}");
                leaving.run_until_cancelled(sleep(REST)).await?;
                continue;
            }
        };
        let served = async {
            match is_known(&wish.folder) {
                true => plane.serve_again().await.map_err(ShareError::from),
                // Who had the seat ended before it served anything.
                false => serve(&plane, &wish).await,
            }
        };
        match leaving.run_until_cancelled(served).await {
            Some(Ok(address)) => {
                tracing::info!("hosts the local plane from now on, at https://{address}");
                return Some(plane);
            }
            Some(Err(error)) => {
                tracing::warn!("cannot serve the local plane, trying again: {error}");
                plane.shutdown().await;
                leaving.run_until_cancelled(sleep(REST)).await?;
            }
            None => {
                plane.shutdown().await;
                return None;
            }
        }
    }
}

/// Waits for the seat, and opens the plane.
async fn succeed(wish: &Wish) -> Result<LocalPlane, OpenError> {
    let mut since = None;
    loop {
        let seat = Seat::wait(&wish.folder).map_err(OpenError::Writer)?.await;
        let seat = seat.map_err(|e| OpenError::Writer(std::io::Error::other(e)))??;
        let since = *since.get_or_insert_with(Instant::now);
        match opened(seat, wish).await {
            Err(OpenError::AlreadyOpen { .. }) if since.elapsed() < CLOSING => sleep(LOOK).await,
            opened => return opened,
        }
    }
}

/// Waits until nothing is left of a process of this module that was killed.
async fn tidied(folder: &Path, member: &Member) {
    let is_left =
        |dead: &Option<Member>| dead.as_ref().is_some_and(|it| it.module == member.module);
    while Roll::of(folder).dead.iter().any(|(_, dead)| is_left(dead)) {
        sleep(LOOK).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wish(folder: &Path, identity: &str, port: Option<u16>) -> Wish {
        let member = Member::this(identity, None);
        let folder = folder.to_owned();
        Wish { folder, crds: Vec::new(), namespace: "default".into(), port, member }
    }

    #[tokio::test]
    async fn a_plane_that_others_look_for_is_served_where_they_do() {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path();
        let first = Share::take(wish(folder, "first", None)).await.unwrap();
        let known = first.hosted().unwrap().1;
        first.leave().await;
        let _other = Member::this("other", None).enter(folder).unwrap();
        let asked = if known.port() == 1 { 2 } else { 1 };
        let refused = Share::take(wish(folder, "second", Some(asked))).await.unwrap_err();
        assert!(matches!(refused, ShareError::OtherPort { .. }), "{refused}");
        let second = Share::take(wish(folder, "second", None)).await.unwrap();
        assert_eq!(second.hosted().unwrap().1, known);
        second.leave().await;
    }

    #[tokio::test]
    async fn who_comes_second_hosts_when_the_first_has_left() {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path();
        let first = Share::take(wish(folder, "first", None)).await.unwrap();
        let second = Share::take(wish(folder, "second", None)).await.unwrap();
        assert!(second.hosted().is_none());
        assert_eq!(second.companions().len(), 1);
        let address = first.hosted().unwrap().1;
        first.leave().await;
        let served = async {
            while tokio::net::TcpStream::connect(address).await.is_err() {
                sleep(LOOK).await;
            }
        };
        timeout(Duration::from_secs(30), served).await.expect("nobody hosts");
        assert_eq!(living(folder).len(), 1);
        second.leave().await;
        assert!(living(folder).is_empty());
    }
}
