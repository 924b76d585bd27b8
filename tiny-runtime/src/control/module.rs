//! The module controller: the TinyModule that says which components this binary offers.
//!
//! It makes the object where there is none when the process starts. Who deletes it later uninstalls the module, and nobody makes it anew
//! before the next start.

use std::sync::Arc;

use futures::StreamExt;
use jiff::Timestamp;
use kube::api::PostParams;
use kube::runtime::WatchStreamExt;
use kube::runtime::watcher;
use kube::{Api, ResourceExt};
use tiny_crds::condition::{self, EDGES_VALID, READY, Truth};
use tiny_crds::{TinyModule, TinyModuleSpec, TinyModuleStatus, names};
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;

use super::Summary;
use super::catalogue::{Catalogue, LIMIT};
use super::herald::Herald;
use super::lease::Leadership;
use super::pause::{broke, pauses};
use super::status::{self, Written};
use super::{ModuleId, backoff};

/// Condition: the status holds the schemas of the ports.
const SCHEMAS_PUBLISHED: &str = "SchemasPublished";

/// Keeps the module's own object: creates it, and writes what the module offers.
pub(crate) struct Module {
    id: ModuleId,
    /// Where other modules reach it.
    address: Option<String>,
    api: Api<TinyModule>,
    leadership: Leadership,
    catalogue: Arc<Catalogue>,
    summary: watch::Receiver<Summary>,
    /// True once the object has been there.
    has_been: bool,
}

impl Module {
    pub(crate) fn new(
        id: ModuleId,
        address: Option<String>,
        catalogue: Arc<Catalogue>,
        api: Api<TinyModule>,
        leadership: Leadership,
        summary: watch::Receiver<Summary>,
    ) -> Self {
        Self { id, address, api, leadership, catalogue, summary, has_been: false }
    }

    /// Follows the object until `shutdown`.
    pub(crate) async fn run(mut self, shutdown: CancellationToken) {
        let name = names::sanitise(&self.id.name);
        let objects = watcher::watch_object(self.api.clone(), &name).backoff(pauses());
        let mut objects = std::pin::pin!(objects);
        let mut herald = Herald::new(self.api.clone().into_client(), self.leadership.identity());
        let mut seen: Option<Option<TinyModule>> = None;
        let mut failures = 0;
        let mut pause: Option<Instant> = None;
        // What it says of itself it says of the edges too, from the first word on.
        let listed = self.summary.wait_for(|summary| summary.listed);
        if shutdown.run_until_cancelled(listed).await.is_none() {
            return;
        }
        loop {
            tokio::select! {
                () = shutdown.cancelled() => return,
                object = objects.next() => match object {
                    Some(Ok(object)) => {
                        self.has_been |= object.is_some();
                        seen = Some(object);
                    }
                    Some(Err(e)) => broke(&format!("the module `{name}`"), &e),
                    None => return,
                },
                _ = self.leadership.changed() => {}
                Ok(()) = self.summary.changed() => {}
                () = sleep_until(pause.unwrap_or_else(Instant::now)), if pause.is_some() => {}
            }
            let Some(object) = &seen else { continue };
            let reconciled = shutdown.run_until_cancelled(self.reconcile(&name, object.as_ref()));
            let Some(reconciled) = reconciled.await else { return };
            if let Some(object) = object {
                let told = herald.leads(&self.leadership, object);
                if shutdown.run_until_cancelled(told).await.is_none() {
                    return;
                }
            }
            pause = match reconciled {
                Ok(()) => {
                    failures = 0;
                    None
                }
                Err(e) => {
                    failures += 1;
                    tracing::warn!("cannot write the module `{name}`, trying again: {e}");
                    Some(Instant::now() + backoff(failures))
                }
            };
        }
    }

    async fn reconcile(&self, name: &str, object: Option<&TinyModule>) -> kube::Result<()> {
        if self.leadership.term().is_none() {
            return Ok(());
        }
        let Some(object) = object else {
            return if self.has_been { Ok(()) } else { self.create(name).await };
        };
        let desired = self.desired(object, Timestamp::now());
        if object.status.as_ref() == Some(&desired) {
            return Ok(());
        }
        let (version, before) = (object.resource_version(), object.status.as_ref());
        let version = version.as_deref();
        let written =
            status::write(&self.api, &self.leadership, name, version, before, &desired).await?;
        // Whatever it was: the watch tells of the object as it is now, and this runs again.
        match written {
            Written::Stored(_) | Written::Stale | Written::NotLeading => Ok(()),
        }
    }

    async fn create(&self, name: &str) -> kube::Result<()> {
        let said = std::env::var("TINY_IMAGE").ok().filter(|image| !image.is_empty());
        let image = said.or_else(|| Some(format!("{}:{}", self.id.name, self.id.version)));
        let module = TinyModule::new(name, TinyModuleSpec { image });
        match self.api.create(&PostParams::default(), &module).await {
            Err(kube::Error::Api(status)) if status.is_already_exists() => Ok(()),
            created => created.map(drop),
        }
    }

    /// The status that the object should have.
    fn desired(&self, object: &TinyModule, now: Timestamp) -> TinyModuleStatus {
        let generation = object.metadata.generation;
        let mut status = object.status.clone().unwrap_or_default();
        status.name = self.id.name.clone();
        status.version = self.id.version.clone();
        status.addr = self.address.clone().unwrap_or_default();
        status.observed_generation = generation;
        status.components.clone_from(&self.catalogue.components);
        let all = &mut status.conditions;
        condition::set(
            all,
            condition::new(READY, Truth::True, "Running", "the module runs", generation, now),
        );
        let refuted = &self.summary.borrow().refuted;
        let (truth, reason, why) = match refuted.as_slice() {
            [] => (Truth::True, "Valid", "every edge of its nodes fits their ports".to_owned()),
            refuted => (
                Truth::False,
                "MappingRefuted",
                status::sentences(refuted.iter().map(String::as_str)),
            ),
        };
        condition::set(all, condition::new(EDGES_VALID, truth, reason, why, generation, now));
        if self.catalogue.has_schemas {
            condition::clear(all, SCHEMAS_PUBLISHED);
            return status;
        }
        let why = format!(
            "the port tables with their schemas take more than {} KiB, so each node has the schemas of its ports; \
             `components -o json` of the binary prints all",
            LIMIT / 1024
        );
        let too_large =
            condition::new(SCHEMAS_PUBLISHED, Truth::False, "TooLarge", why, generation, now);
        condition::set(all, too_large);
        status
    }
}
