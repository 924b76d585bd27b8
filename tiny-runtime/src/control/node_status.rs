//! What the status of a node says: computed from what the engine found, written by whoever leads.

use jiff::Timestamp;
use tiny_crds::condition::{self, EDGES_VALID, READY, RECONCILING, SETTINGS_VALID, STALLED, Truth};
use tiny_crds::{
    EdgeStatus, NodeComponent, NodeModule, Payload, PortStatus, Time, TinyNode, TinyNodeStatus,
};

use super::{ModuleId, catalogue, status};
use crate::component::{ComponentType, OfferedPort};
use crate::engine::{Cause, Finding};

/// Bytes of all mappings of a node that its status keeps.
const EDGES: usize = 256 * 1024;
/// Bytes of what a port shows: what is larger is left out, a status is no place for it.
const CONFIGURATION: usize = 32 * 1024;

/// The status that `node` should have. Equal to the one it has when nothing changed.
pub(crate) fn desired(
    node: &TinyNode,
    module: &ModuleId,
    component: Option<&ComponentType>,
    ports: Vec<PortStatus>,
    good: &[EdgeStatus],
    findings: &[Finding],
    now: Timestamp,
) -> TinyNodeStatus {
    let before = node.status.clone().unwrap_or_default();
    let mut status = before.clone();
    status.module = Some(NodeModule { name: module.name.clone(), version: module.version.clone() });
    status.component = component.map(|component| NodeComponent {
        description: component.info.description.to_owned(),
        info: component.info.info.to_owned(),
        tags: component.info.tags.iter().map(|&tag| tag.to_owned()).collect(),
    });
    status.ports = ports;
    status.edges = kept(good);
    let refused = findings.iter().find(|finding| finding.cause.refuses());
    status.error = refused.is_some();
    status.status = match findings {
        [] => "OK".to_owned(),
        _ => status::sentences(findings.iter().map(|finding| &*finding.message)),
    };
    status.observed_generation = node.metadata.generation;
    let judge = Judge { generation: node.metadata.generation, now };
    judge.conditions(&mut status, findings, refused.is_some());
    if status != before {
        status.last_update_time = Some(Time(now));
    }
    status
}

/// The edges that were found good, unless they are too large for a status.
fn kept(good: &[EdgeStatus]) -> Vec<EdgeStatus> {
    let size = |edge: &EdgeStatus| edge.configuration.as_ref().map_or(0, |it| it.to_string().len());
    if good.iter().map(size).sum::<usize>() > EDGES { Vec::new() } else { good.to_vec() }
}

/// A port as a node's status shows it: schemas and configurations stand once, in the status of the module, and here only where
/// they differ from those. Where the module `has_schemas` in its status no more, they are here.
pub(super) fn shown(
    component: &ComponentType,
    offered: &OfferedPort,
    has_schemas: bool,
) -> PortStatus {
    let known = component.at_first().iter().find(|known| known.port.name == offered.port.name);
    let Some(known) = known.filter(|_| has_schemas) else {
        return catalogue::whole(component, offered);
    };
    let info = &component.ports()[offered.port.row];
    let view = offered.view.clone().filter(|_| offered.view != known.view);
    // The module tells of none that is shaped: that depends on the node.
    let shaped = offered.shaped.as_ref().filter(|shaped| **shaped != (info.schema)());
    PortStatus {
        name: offered.port.name.to_string(),
        label: offered.port.label.to_string(),
        position: info.meta.position.index(),
        source: info.is_source(),
        schema: shaped.map_or(Payload::ABSENT, |text| Payload::of_object(text.shared())),
        configuration: view.filter(|view| view.to_string().len() <= CONFIGURATION).into(),
        ..PortStatus::default()
    }
}

struct Judge {
    generation: Option<i64>,
    now: Timestamp,
}

impl Judge {
    fn conditions(&self, status: &mut TinyNodeStatus, findings: &[Finding], refused: bool) {
        let all = &mut status.conditions;
        let about = |wanted: fn(&Finding) -> bool| {
            findings.iter().filter(|finding| wanted(finding)).collect::<Vec<_>>()
        };
        self.set(all, READY, "Running", "the node takes messages", &about(|_| true));
        let settings = about(|finding| finding.cause.is_of_settings());
        self.set(all, SETTINGS_VALID, "Valid", "every configuration fits its port", &settings);
        let edges = about(|finding| finding.edge.is_some());
        self.set(
            all,
            EDGES_VALID,
            "Valid",
            "every edge leads to a port, and its mapping fits",
            &edges,
        );
        // As kstatus has it: these two are there only while they hold.
        let stalled = refused.then(|| about(|finding| finding.cause.refuses()));
        self.only_true(all, STALLED, stalled);
        let waiting = !refused && !findings.is_empty();
        self.only_true(all, RECONCILING, waiting.then(|| about(|_| true)));
    }

    fn set(
        &self,
        all: &mut Vec<tiny_crds::Condition>,
        type_: &str,
        reason: &str,
        message: &str,
        against: &[&Finding],
    ) {
        let condition = match against.first() {
            None => condition::new(type_, Truth::True, reason, message, self.generation, self.now),
            Some(first) => condition::new(
                type_,
                Truth::False,
                &worst(against).unwrap_or(first.cause).to_string(),
                status::sentences(against.iter().map(|finding| &*finding.message)),
                self.generation,
                self.now,
            ),
        };
        condition::set(all, condition);
    }

    fn only_true(
        &self,
        all: &mut Vec<tiny_crds::Condition>,
        type_: &str,
        findings: Option<Vec<&Finding>>,
    ) {
        let Some(findings) = findings else {
            condition::clear(all, type_);
            return;
        };
        let reason = worst(&findings).unwrap_or(Cause::TargetMissing).to_string();
        let message = status::sentences(findings.iter().map(|finding| &*finding.message));
        let held = condition::new(type_, Truth::True, &reason, message, self.generation, self.now);
        condition::set(all, held);
    }
}

/// The first cause that puts something out of use, else the first at all.
fn worst(findings: &[&Finding]) -> Option<Cause> {
    let refusing = findings.iter().find(|finding| finding.cause.refuses());
    refusing.or(findings.first()).map(|finding| finding.cause)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn node() -> TinyNode {
        serde_json::from_value(json!({
            "metadata": {"name": "a", "generation": 3},
            "spec": {"module": "m", "component": "c"},
            "status": {"observedGeneration": -1, "metadata": {"kept": "1"}}
        }))
        .unwrap()
    }

    fn module() -> ModuleId {
        ModuleId { name: "m".into(), version: "1.0.0".into() }
    }

    fn finding(cause: Cause, edge: Option<&str>) -> Finding {
        Finding { cause, edge: edge.map(Into::into), message: format!("{cause} is the fault") }
    }

    fn truths(status: &TinyNodeStatus) -> Vec<(&str, &str, &str)> {
        let shown = |c: &'_ tiny_crds::Condition| {
            (
                c.type_.clone().leak() as &str,
                c.status.clone().leak() as &str,
                c.reason.clone().leak() as &str,
            )
        };
        status.conditions.iter().map(shown).collect()
    }

    #[test]
    fn a_second_look_at_the_same_changes_nothing() {
        let mut node = node();
        let first = desired(
            &node,
            &module(),
            None,
            Vec::new(),
            &[],
            &[],
            Timestamp::from_second(10).unwrap(),
        );
        assert_eq!(first.metadata["kept"], "1");
        assert_eq!(first.observed_generation, Some(3));
        node.status = Some(first.clone());
        let second = desired(
            &node,
            &module(),
            None,
            Vec::new(),
            &[],
            &[],
            Timestamp::from_second(99).unwrap(),
        );
        assert_eq!(first, second);
    }

    #[test]
    fn every_false_has_a_reason_and_what_stalls_is_said() {
        let now = Timestamp::from_second(10).unwrap();
        let findings =
            [finding(Cause::TargetMissing, Some("x")), finding(Cause::UnknownPort, Some("y"))];
        let status = desired(&node(), &module(), None, Vec::new(), &[], &findings, now);
        assert_eq!(
            truths(&status),
            [
                (READY, "False", "UnknownPort"),
                (SETTINGS_VALID, "True", "Valid"),
                (EDGES_VALID, "False", "UnknownPort"),
                (STALLED, "True", "UnknownPort"),
            ]
        );
        assert!(status.error);
        assert_eq!(status.status, "TargetMissing is the fault; UnknownPort is the fault");
    }

    #[test]
    fn a_target_that_may_still_come_is_reconciling() {
        let now = Timestamp::from_second(10).unwrap();
        let mut node = node();
        let status = desired(
            &node,
            &module(),
            None,
            Vec::new(),
            &[],
            &[finding(Cause::TargetMissing, Some("x"))],
            now,
        );
        assert_eq!(truths(&status)[3], (RECONCILING, "True", "TargetMissing"));
        assert!(!status.error);
        node.status = Some(status);
        let later = desired(&node, &module(), None, Vec::new(), &[], &[], now);
        assert_eq!(later.conditions.len(), 3, "Reconciling is gone: {:?}", later.conditions);
    }
}
