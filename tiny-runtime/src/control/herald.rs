//! Events of a module: what happened to it, for who describes its object.

use kube::runtime::events::{Event, EventType, Recorder, Reporter};
use kube::{Client, Resource};
use tiny_crds::TinyModule;

use super::leadership::{Leadership, Term};

/// Who reports, as events name it.
const REPORTER: &str = "tiny-module";

/// Tells of the terms that this process leads the module in, as the controllers of Kubernetes itself do.
pub(super) struct Herald {
    recorder: Recorder,
    identity: String,
    told: Option<Term>,
}

impl Herald {
    pub(super) fn new(client: Client, identity: &str) -> Self {
        let instance = Some(identity.to_owned());
        let reporter = Reporter { controller: REPORTER.into(), instance };
        let recorder = Recorder::new(client, reporter);
        Self { recorder, identity: identity.to_owned(), told: None }
    }

    /// Tells of a term once. An event that cannot be written is no reason to stop for.
    pub(super) async fn leads(&mut self, leadership: &Leadership, module: &TinyModule) {
        let Some(term) = leadership.term().filter(|term| self.told != Some(*term)) else { return };
        self.told = Some(term);
        let event = Event {
            type_: EventType::Normal,
            reason: "LeaderElection".into(),
            note: Some(format!("{} became leader", self.identity)),
            action: "Lead".into(),
            secondary: None,
        };
        if let Err(e) = self.recorder.publish(&event, &module.object_ref(&())).await {
            tracing::debug!("cannot write an event: {e}");
        }
    }
}
