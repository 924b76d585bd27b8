//! How a message gets in: its port, and a permit.

use std::sync::Arc;

use tokio::sync::SemaphorePermit;
use tokio::time::timeout;

use super::runner::Runner;
use crate::component::{BoxFuture, Ctx, Error, Result, Role};
use crate::words;

/// A port that takes a message.
pub(super) struct Target {
    pub(super) row: usize,
    pub(super) role: Role,
    /// What `each` said; `None` without `each`.
    item: Option<Arc<str>>,
}

impl Target {
    pub(super) fn item(&self) -> &str {
        self.item.as_deref().unwrap_or_default()
    }
}

impl Runner {
    /// Target `port` of a node that takes messages already, where it is always there: the way of nearly every message.
    pub(super) fn target_now(&self, port: &str) -> Option<Target> {
        let (row, info) = self.component.port(port).filter(|(_, info)| info.is_target())?;
        let is_there = !info.is_dynamic && self.life.is_started();
        is_there.then_some(Target { row, role: info.role, item: None })
    }

    /// Target `port`, waited for: the node may be about to start, and a port that follows settings or state may be about to come.
    pub(super) fn target<'a>(&'a self, port: &'a str) -> BoxFuture<'a, Result<Target>> {
        Box::pin(self.target_soon(port))
    }

    async fn target_soon(&self, port: &str) -> Result<Target> {
        let limit = self.around.admission;
        if !self.life.started(limit).await {
            let why = self.life.finding(&self.info.name).map(|finding| finding.message);
            return Err(Error::exhausted(format!(
                "node `{}` did not start within {limit:?}: {}",
                self.info.name,
                why.unwrap_or_else(|| "its hooks did not end".into())
            )));
        }
        let Some((row, info)) = self.component.port(port).filter(|(_, info)| info.is_target())
        else {
            return Err(self.no_target(port));
        };
        if info.is_dynamic {
            let is_there =
                || self.ports().is_none_or(|ports| ports.get(port).is_some()).then_some(());
            if timeout(limit, self.port_changes.until(is_there)).await.is_err() {
                return Err(Error::exhausted(format!(
                    "node `{}` had no port `{port}` for {limit:?}; its ports follow settings and state, here they are {}",
                    self.info.name,
                    self.ports().unwrap_or_default()
                )));
            }
        }
        let item = info.item(port).filter(|item| !item.is_empty()).map(Into::into);
        Ok(Target { row, role: info.role, item })
    }

    fn no_target(&self, port: &str) -> Error {
        let live = self.ports();
        let rows = self.component.ports();
        let names: Vec<&str> = match &live {
            Some(live) => {
                let ports = live.iter().filter(|port| rows[port.row].is_target());
                ports.map(|port| &*port.name).collect()
            }
            None => {
                rows.iter().filter(|info| info.is_target()).map(|info| info.meta.name).collect()
            }
        };
        Error::permanent(format!(
            "node `{}` ({}) has no target `{port}`{}; it has {}",
            self.info.name,
            self.component.info.name,
            words::did_you_mean(port, names.iter().copied()),
            words::list(names.iter().copied()),
        ))
    }

    /// A permit of a busy node, waited for; or none for a run that passes this node already: it holds one on the way, and waiting
    /// for a second could wait for itself.
    pub(super) fn permit<'a>(
        &'a self,
        ctx: &'a Ctx,
    ) -> BoxFuture<'a, Result<Option<SemaphorePermit<'a>>>> {
        Box::pin(self.permit_soon(ctx))
    }

    async fn permit_soon(&self, ctx: &Ctx) -> Result<Option<SemaphorePermit<'_>>> {
        if self.reentered(ctx) {
            return Ok(None);
        }
        let _wait = self.tally.wait();
        match timeout(self.around.admission, self.permits.acquire()).await {
            Ok(Ok(permit)) => Ok(Some(permit)),
            Ok(Err(_)) => Err(self.gone()),
            Err(_) => Err(Error::exhausted(format!(
                "node `{}` stayed busy for {:?}: it takes {} runs at once",
                self.info.name, self.around.admission, self.component.info.concurrency
            ))),
        }
    }

    fn reentered(&self, ctx: &Ctx) -> bool {
        ctx.hop().passed().skip(1).any(|node| node == self.info.name)
    }
}
