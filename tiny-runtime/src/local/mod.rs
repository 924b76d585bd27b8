//! The local plane: the Kubernetes API for our kinds, inside the process.
//!
//! A [`LocalPlane`] keeps objects in a folder (or in memory) and serves them to a
//! [`kube::Client`] in the same process, and to `kubectl` on a loopback port. Controllers cannot
//! tell it from a cluster. Several processes may share a folder: one hosts the plane, the others
//! come in by that port, and the next of them hosts it when the one that did has ended.

mod admit;
mod client;
mod core_columns;
mod core_kinds;
mod discovery;
mod disk;
mod draft;
mod failure;
mod form;
mod history;
mod index;
mod jsonpath;
mod kinds;
mod members;
mod metadata;
mod namespace;
mod object;
mod openapi;
mod papers;
mod patch;
mod patience;
mod prepare;
mod request;
mod schema;
mod seat;
mod selector;
mod server;
mod share;
mod store;
mod table;
mod tls;
mod verbs;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use self::client::Door;
use self::disk::Disk;
use self::index::Index;
use self::kinds::{Kind, Kinds, NAMESPACE};
use self::members::Roll;
use self::seat::Seat;
use self::store::Store;

pub(crate) use self::members::Member;
pub use self::papers::PaperError;
pub(crate) use self::patience::patient;
pub use self::server::ServeError;
pub(crate) use self::share::{Share, Wish, living};
pub use self::tls::TlsError;

/// Why a local plane cannot open.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// The folder cannot be made.
    #[error("cannot make the folder `{}` of the local plane: {why}", folder.display())]
    Folder {
        /// The folder.
        folder: PathBuf,
        /// Why.
        why: std::io::Error,
    },
    /// Another process has this folder open.
    #[error(
        "the local plane in `{}` is already open in another process; stop it, or choose another folder",
        folder.display()
    )]
    AlreadyOpen {
        /// The folder.
        folder: PathBuf,
    },
    /// The file cannot be read or written.
    #[error("the local plane cannot use its file `{}`: {why}", path.display())]
    Store {
        /// The file.
        path: PathBuf,
        /// Why.
        why: String,
    },
    /// A definition cannot be served.
    #[error("the definition of `{kind}` cannot be served: {why}")]
    Definition {
        /// The kind.
        kind: String,
        /// Why.
        why: String,
    },
    /// A small file beside it cannot be written.
    #[error(transparent)]
    Paper(#[from] PaperError),
    /// The writer cannot start.
    #[error("the local plane cannot start its writer: {0}")]
    Writer(std::io::Error),
}

/// The Kubernetes API inside this process. Cheap to clone; all clones are the same plane.
#[derive(Clone)]
pub struct LocalPlane {
    plane: Arc<Plane>,
}

/// What all clones share.
struct Plane {
    kinds: Arc<Kinds>,
    store: Store,
    /// Cancelled when the plane shuts down: ends watches and connections.
    closing: CancellationToken,
    /// Connections that are open.
    talks: TaskTracker,
    /// Told when a connection has ended.
    parted: Notify,
    folder: Option<PathBuf>,
    /// Where kubectl finds it, once it is served.
    serving: tokio::sync::Mutex<Option<SocketAddr>>,
}

impl LocalPlane {
    /// Opens the plane of a folder, which is made when it is not there. Serves the kinds that
    /// `crds` define, and has the namespace `default`.
    ///
    /// Leases whose holders do not share the folder any more are free: a module that was killed
    /// leads again at once.
    ///
    /// # Errors
    ///
    /// [`OpenError::AlreadyOpen`] when another process has the folder open; others when the file
    /// cannot be used or a definition cannot be served.
    pub fn open(folder: &Path, crds: Vec<CustomResourceDefinition>) -> Result<Self, OpenError> {
        papers::folder(folder)
            .map_err(|why| OpenError::Folder { folder: folder.to_owned(), why })?;
        match Seat::take(folder)? {
            Some(seat) => Self::hosted(seat, folder, crds),
            None => Err(OpenError::AlreadyOpen { folder: folder.to_owned() }),
        }
    }

    /// Opens the plane of a folder for whoever has its seat.
    fn hosted(
        seat: Seat,
        folder: &Path,
        crds: Vec<CustomResourceDefinition>,
    ) -> Result<Self, OpenError> {
        let kinds = Arc::new(Kinds::new(&crds)?);
        let mut disk = Disk::open(folder, seat, Arc::clone(&kinds))?;
        papers::ignore(folder)?;
        let roll = Roll::of(folder);
        let lives = |holder: &str| roll.has(holder);
        let index = prepare::ready(disk.load()?, &kinds, &crds, Some(&mut disk), lives)?;
        roll.bury();
        Self::start(kinds, Some(disk), index, Some(folder.to_owned()))
    }

    /// A plane that forgets everything when its last clone is dropped.
    ///
    /// # Errors
    ///
    /// When a definition cannot be served.
    pub fn in_memory(crds: Vec<CustomResourceDefinition>) -> Result<Self, OpenError> {
        let kinds = Arc::new(Kinds::new(&crds)?);
        let index = prepare::ready(Index::default(), &kinds, &crds, None, |_| false)?;
        Self::start(kinds, None, index, None)
    }

    fn start(
        kinds: Arc<Kinds>,
        disk: Option<Disk>,
        index: Index,
        folder: Option<PathBuf>,
    ) -> Result<Self, OpenError> {
        let store = Store::start(disk, &kinds, index).map_err(OpenError::Writer)?;
        Ok(Self {
            plane: Arc::new(Plane {
                kinds,
                store,
                closing: CancellationToken::new(),
                talks: TaskTracker::new(),
                parted: Notify::new(),
                folder,
                serving: Default::default(),
            }),
        })
    }

    /// A client of this plane, whose default namespace is `namespace`. Call it inside a Tokio
    /// runtime.
    pub fn client(&self, namespace: &str) -> kube::Client {
        kube::Client::new(Door::new(Arc::clone(&self.plane)), namespace)
    }

    /// Makes a namespace unless it is there.
    ///
    /// # Errors
    ///
    /// A sentence when the name is none, or when the namespace cannot be stored.
    pub async fn ensure_namespace(&self, name: &str) -> Result<(), EnsureError> {
        let kind = Arc::clone(self.plane.kinds.get(NAMESPACE));
        let object = namespace::new(&kind, name);
        let key = namespace::key(name);
        let made = self.plane.store.write(move |draft| {
            admit::validate(&kind, &object, None)?;
            if draft.get(&key).is_none() {
                draft.put(&key, object);
            }
            Ok(())
        });
        made.await.map_err(|failure| EnsureError(failure.message))
    }

    /// Opens the plane to kubectl, on a loopback port that stays the same from one time to the next
    /// where it is free, and writes `kubeconfig` into the folder with `namespace` in it. A second
    /// call only writes that file. `port` asks for a certain one.
    ///
    /// # Errors
    ///
    /// [`ServeError::InMemory`] without a folder; others when a file or a port cannot be had.
    pub async fn serve(
        &self,
        namespace: &str,
        port: Option<u16>,
    ) -> Result<SocketAddr, ServeError> {
        server::open(&self.plane, namespace, port).await
    }

    /// Opens the plane's door where it was the last time, and waits until that port is free: those
    /// who share the plane know no other.
    async fn serve_again(&self) -> Result<SocketAddr, ServeError> {
        server::reopen(&self.plane).await
    }

    /// Ends all watches, answers what was asked, ends all connections, makes durable what was
    /// accepted, and closes the file. Later writes are refused.
    pub async fn shutdown(&self) {
        self.plane.closing.cancel();
        self.plane.talks.close();
        // A client that does not take its answer keeps nobody from the seat.
        drop(tokio::time::timeout(server::GOODBYE, self.plane.talks.wait()).await);
        self.plane.store.stop().await;
    }
}

/// Why a namespace cannot be made.
#[derive(Debug, thiserror::Error)]
#[error("cannot make the namespace: {0}")]
pub struct EnsureError(String);

impl std::fmt::Debug for LocalPlane {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LocalPlane").field("folder", &self.plane.folder).finish_non_exhaustive()
    }
}

impl Plane {
    /// The kind under which objects of this kind are kept.
    fn home_of(&self, kind: &Kind) -> &Arc<Kind> {
        self.kinds.get(kind.home)
    }
}
