//! What a bench stands on: a store of state that can fail, and a leadership that the test decides.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::watch;

use crate::component::{BoxFuture, Error, Instruments, Result};
use crate::engine::{Backing, Memory, StateStore, Stored, Unwritten};

/// Stands for the plane in a test.
pub(super) struct Plane {
    pub(super) store: Arc<Store>,
    pub(super) leads: watch::Sender<bool>,
}

impl Plane {
    pub(super) fn new() -> Arc<Self> {
        Arc::new(Self { store: Arc::default(), leads: watch::Sender::new(true) })
    }

    pub(super) fn backing(&self, instruments: &Arc<Instruments>) -> Backing {
        let (store, leads) = (self.store.clone(), self.leads.subscribe());
        Backing {
            store,
            leads,
            instruments: instruments.clone(),
            observer: None,
            ..Backing::default()
        }
    }
}

/// Memory whose next writes may fail.
#[derive(Default)]
pub(super) struct Store {
    pub(super) memory: Memory,
    faults: Mutex<VecDeque<Error>>,
}

impl Store {
    /// Lets the next write that has no fault yet fail.
    pub(super) fn fail(&self, error: Error) {
        self.faults.lock().unwrap_or_else(PoisonError::into_inner).push_back(error);
    }
}

impl StateStore for Store {
    fn read<'a>(&'a self, node: &'a str) -> BoxFuture<'a, Result<Stored>> {
        self.memory.read(node)
    }

    fn write<'a>(
        &'a self,
        node: &'a str,
        version: Option<&'a str>,
        changes: &'a BTreeMap<String, String>,
    ) -> BoxFuture<'a, Result<Stored, Unwritten>> {
        let fault = self.faults.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
        match fault {
            Some(error) => Box::pin(std::future::ready(Err(Unwritten::Failed(error)))),
            None => self.memory.write(node, version, changes),
        }
    }
}
