//! Nodes that end for good, and what their components still have to do then.

use std::sync::{Arc, PoisonError};

use super::{Nodes, Scheduler};
use crate::component::{Error, Result, panic};
use crate::engine::graph::{self, NodeDecl, Peer, Standing};
use crate::engine::runner::Runner;
use crate::engine::store::Stored;

/// A node that was removed for good: no message reaches it, and its component may have to delete what it made outside. A clone is
/// another handle to the same node.
#[derive(Clone)]
pub(crate) struct Doomed(Arc<Runner>);

impl Doomed {
    /// Waits until everything in the node has ended, then calls the component's hook, if it has one. May be called again when that
    /// failed.
    pub(crate) async fn destroy(&self) -> Result<()> {
        self.0.destroy().await
    }

    /// Takes in what somebody else stored of the node's state.
    pub(crate) fn seen(&self, stored: Stored) {
        self.0.seen(stored);
    }
}

impl Scheduler {
    /// Ends a node for good: removes it as [`Scheduler::remove`] does, at once, and when everything in it has ended has its component
    /// delete what it made outside. Nothing is called where there is no such node or no such hook, or where the settings were never
    /// in force.
    ///
    /// # Errors
    /// What the hook failed with, after its retries.
    pub fn destroy(&self, name: &str) -> impl Future<Output = Result<()>> + Send + use<> {
        let gone = self.take(name);
        async move {
            match gone {
                Some(runner) => runner.destroy().await,
                None => Ok(()),
            }
        }
    }

    /// Waits until a node takes messages, or has had its time for that.
    pub(crate) async fn started(&self, name: &str) {
        if let Some(runner) = self.0.get(name) {
            runner.life.started(self.0.waits.admission).await;
        }
    }

    /// Removes a node for good; `None` where it does not run here, or never had its settings.
    pub(crate) fn doom(&self, name: &str) -> Option<Doomed> {
        self.take(name).filter(|runner| runner.is_settled()).map(Doomed)
    }

    /// The same of a node that does not run here, or no more: made of its declaration for nothing but its end, so that no message
    /// meets it. `None` when this module has no such component, or one without the hook.
    ///
    /// # Errors
    /// Why it cannot be made; [retryable](Error::is_retryable) where its settings may be taken later.
    pub(crate) async fn revive(
        &self,
        decl: NodeDecl,
        stored: Stored,
        peer: impl Fn(&str) -> Peer,
    ) -> Result<Option<Doomed>> {
        let made = panic::caught(|| self.0.made(decl, stored, peer));
        let made = made.unwrap_or_else(|text| Err(format!("its component panicked: {text}")));
        let Some(runner) = made.map_err(Error::permanent)? else { return Ok(None) };
        let revived = Revived(Arc::new(runner));
        revived.0.settle_at_last().await?;
        Ok(Some(Doomed(revived.0.clone())))
    }

    fn take(&self, name: &str) -> Option<Arc<Runner>> {
        let _change = self.0.change.lock().unwrap_or_else(PoisonError::into_inner);
        let runner = self.0.get(name)?;
        self.0.remove(name);
        Some(runner)
    }
}

impl Nodes {
    /// A node of this declaration that nobody knows of.
    fn made(
        &self,
        decl: NodeDecl,
        stored: Stored,
        peer: impl Fn(&str) -> Peer,
    ) -> Result<Option<Runner>, String> {
        let judged = graph::judge(&decl, &self.registry, peer, |_| Standing::default());
        let Some(component) = judged.component.filter(|component| component.has.destroy) else {
            return Ok(None);
        };
        if judged.configured.has_faulty_settings {
            return Err("its settings do not fit".to_owned());
        }
        let fit = judged.configured.fit;
        let runner = Runner::new(decl.info, component, stored, self.surroundings())?;
        runner.apply_settings(fit.get("_settings"))?;
        runner.refresh_ports();
        runner.keep_configurations(fit);
        runner.connect(judged.edges);
        Ok(Some(runner))
    }
}

/// Removes a node when this is dropped, whatever dropped it: its settings hook may have begun something in the background.
struct Revived(Arc<Runner>);

impl Drop for Revived {
    fn drop(&mut self) {
        self.0.remove();
    }
}
