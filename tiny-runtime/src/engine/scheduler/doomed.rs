//! Nodes that end for good, and what their components still have to do then.

use std::sync::{Arc, PoisonError};

use super::Scheduler;
use crate::component::Result;
use crate::engine::runner::Runner;

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

    fn take(&self, name: &str) -> Option<Arc<Runner>> {
        let _change = self.0.change.lock().unwrap_or_else(PoisonError::into_inner);
        let runner = self.0.get(name)?;
        self.0.remove(name);
        Some(runner)
    }
}
