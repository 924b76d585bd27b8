//! A test of a file, played on a simulation.

use std::collections::BTreeMap;
use std::future::ready;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde_json::Value;
use tiny_crds::{TinyNode, duration};

use super::difference::{Measure, difference};
use super::file::{Case, File, Step, Verb};
use super::{Options, Told};
use crate::cli::documents::{self, Document};
use crate::component::{Body, ComponentType, Info, Json, Ops, Reply, Table, panic, secret};
use crate::control::declare;
use crate::engine::{NodeDecl, Peer, check};
use crate::registry::Registry;
use crate::testing::{Fate, Sim, no_node, refuted};
use crate::words;

/// The component that stands for nodes of other modules.
const ELSEWHERE: &str = "_elsewhere";
/// Characters of a message in a sentence.
const SHOWN: usize = 400;

impl File {
    /// Plays the tests. Nodes of `module` are those of `registry`; without its name, those whose component is there.
    ///
    /// # Errors
    /// When the flow cannot be read, or cannot run.
    pub(crate) fn play(
        &self,
        module: Option<&str>,
        registry: &Registry,
        options: &Options,
    ) -> Result<Vec<Told>, String> {
        let cast = Cast::read(self.flow(), module, registry)?;
        let chosen = |case: &&Case| {
            options.only.as_ref().is_none_or(|part| case.name.contains(part.as_str()))
        };
        Ok(self.tests.iter().filter(chosen).map(|case| cast.told(case, options)).collect())
    }
}

/// The nodes of a flow, and the components that they are made of.
pub(crate) struct Cast {
    registry: Registry,
    nodes: BTreeMap<String, NodeDecl>,
}

impl Cast {
    /// The flow of these files. Nodes of `module` are those of `registry`; without its name, those whose component is there.
    ///
    /// # Errors
    /// When it cannot be read, or cannot run.
    pub(crate) fn read(
        paths: &[PathBuf],
        module: Option<&str>,
        registry: &Registry,
    ) -> Result<Self, String> {
        let documents = documents::read(paths).map_err(|e| format!("{e:#}"))?;
        let nodes: Vec<TinyNode> = documents.iter().filter_map(Document::node).collect();
        if nodes.is_empty() {
            return Err("the flow has no node".into());
        }
        let cast = Self::of(&nodes, module, registry);
        match cast.fault() {
            Some(fault) => Err(fault),
            None => Ok(cast),
        }
    }

    /// The flow of these files, with all components of this crate.
    ///
    /// # Errors
    /// When it cannot be read, or cannot run.
    pub(crate) fn of_files(paths: &[impl AsRef<Path>]) -> Result<Self, String> {
        let registry = Registry::collect().map_err(|e| e.to_string())?;
        let paths: Vec<_> = paths.iter().map(|path| path.as_ref().to_owned()).collect();
        Self::read(&paths, None, &registry)
    }

    pub(crate) fn sim(&self, seed: u64) -> Sim {
        Sim::new(&self.registry, self.nodes.clone(), seed)
    }

    fn of(nodes: &[TinyNode], module: Option<&str>, registry: &Registry) -> Self {
        let is_ours = |node: &TinyNode| match module {
            Some(module) => node.belongs_to(module),
            None => registry.get(&node.spec.component).is_some(),
        };
        let mut declared = BTreeMap::new();
        let mut elsewhere = Vec::new();
        for node in nodes {
            let mut decl = declare(node);
            if !is_ours(node) {
                // It runs in another process: here it takes what it gets, and a fault may answer for it.
                elsewhere.push(decl.info.name.clone());
                decl.component = ELSEWHERE.into();
                (decl.configurations, decl.edges) = Default::default();
            }
            declared.insert(decl.info.name.clone(), decl);
        }
        let edges = declared.values().flat_map(|decl| &decl.edges);
        let mut ports: Vec<String> = edges
            .filter(|edge| elsewhere.iter().any(|name| *name == *edge.to.node))
            .map(|edge| edge.to.port.to_string())
            .collect();
        ports.sort();
        ports.dedup();
        let mut all = Registry::default();
        registry.iter().for_each(|component| all.share(component.clone()));
        if !elsewhere.is_empty() {
            all.insert(stand_in(ports));
        }
        Self { registry: all, nodes: declared }
    }

    /// The first reason why the flow cannot run, as `check` would say it.
    fn fault(&self) -> Option<String> {
        let peer = |name: &str| match self.nodes.get(name) {
            Some(node) => Peer::Ours { component: node.component.clone() },
            None => Peer::Absent,
        };
        let all = self.nodes.values().flat_map(|decl| check(decl, &self.registry, peer));
        let mut faults = all.filter(|finding| finding.cause.refuses());
        let fault = faults.next().map(|finding| finding.message);
        fault.or_else(|| refuted(&self.registry, &self.nodes))
    }

    fn told(&self, case: &Case, options: &Options) -> Told {
        let began = Instant::now();
        let seed = options.seed.or(case.seed).unwrap_or(1);
        let mut flow_time = Duration::ZERO;
        let played = panic::caught(|| self.play(case, seed, &mut flow_time));
        let failure = played.unwrap_or_else(Err).err();
        Told { name: case.name.clone(), seed, failure, flow_time, took: began.elapsed() }
    }

    fn play(&self, case: &Case, seed: u64, flow_time: &mut Duration) -> Result<(), String> {
        let mut nodes = self.nodes.clone();
        for (name, settings) in &case.settings {
            put(&mut nodes, &self.registry, name, settings)
                .map_err(|why| format!("settings: {why}"))?;
        }
        let mut sim = Sim::new(&self.registry, nodes, seed);
        for (at, planned) in case.faults.iter().enumerate() {
            sim.find(&planned.at, true).map_err(|why| format!("faults[{at}]: {why}"))?;
            sim.fault(&planned.at, planned.fault()?);
        }
        let mut taken = BTreeMap::new();
        for (at, step) in case.steps.iter().enumerate() {
            let done = self.step(step, &mut sim, &mut taken);
            *flow_time = sim.now();
            done.map_err(|why| format!("steps[{at}]: {why}"))?;
        }
        Ok(())
    }

    fn step(
        &self,
        step: &Step,
        sim: &mut Sim,
        taken: &mut BTreeMap<String, usize>,
    ) -> Result<(), String> {
        match step.verb()? {
            Verb::Send => sent(step, sim),
            Verb::Expect => expected(step, sim, taken),
            Verb::Silent => {
                let at = step.silent.as_deref().unwrap_or_default();
                sim.find(at, false)?;
                let (seen, before) = (sim.bodies(at), taken.get(at).copied().unwrap_or_default());
                match seen.get(before) {
                    None => Ok(()),
                    Some(body) => {
                        Err(format!("`{at}` should be silent, and there was {}", shown(body, "")))
                    }
                }
            }
            Verb::Pass => {
                sim.pass(step.pass.unwrap_or_default());
                Ok(())
            }
            Verb::Crash => {
                sim.crash();
                Ok(())
            }
            Verb::Settings => {
                let name = step.settings.as_deref().unwrap_or_default();
                let settings = step.with.as_ref().unwrap_or(&Value::Null);
                let mut nodes = self.nodes.clone();
                put(&mut nodes, &self.registry, name, settings)?;
                sim.settings(name, settings.clone());
                Ok(())
            }
        }
    }
}

/// Gives a node other settings, when they fit.
fn put(
    nodes: &mut BTreeMap<String, NodeDecl>,
    registry: &Registry,
    name: &str,
    settings: &Value,
) -> Result<(), String> {
    let Some(decl) = nodes.get_mut(name) else {
        return Err(no_node(name, nodes));
    };
    decl.configurations.insert("_settings".into(), settings.clone());
    let decl = decl.clone();
    let peer = |name: &str| match nodes.get(name) {
        Some(node) => Peer::Ours { component: node.component.clone() },
        None => Peer::Absent,
    };
    let findings = check(&decl, registry, peer);
    match findings.iter().find(|finding| finding.cause.is_of_settings()) {
        Some(finding) => Err(finding.message.clone()),
        None => Ok(()),
    }
}

fn sent(step: &Step, sim: &mut Sim) -> Result<(), String> {
    let to = step.send.as_deref().unwrap_or_default();
    sim.find(to, true)?;
    let began = sim.now();
    let ticket = sim.send_within(to, step.data.clone(), step.timeout);
    if step.background {
        return Ok(());
    }
    sim.settle();
    let took = sim.now().saturating_sub(began);
    if let Some(within) = step.within
        && took > within
    {
        let (took, within) = (duration::format(took), duration::format(within));
        return Err(format!("what it caused ended after {took}, and the test allows {within}"));
    }
    match (sim.fate(ticket), &step.reply, &step.fails) {
        (Some(Fate::Replied(reply)), None, None) => {
            drop(reply);
            Ok(())
        }
        (Some(Fate::Replied(reply)), Some(wanted), _) => match (reply, wanted) {
            (None, Value::Null) => Ok(()),
            (None, wanted) => Err(format!("nothing was replied, and the test wants {wanted}")),
            (Some(reply), wanted) => {
                compared("the reply", &Body::json(reply), wanted, Measure::Whole)
            }
        },
        (Some(Fate::Replied(_)), None, Some(wanted)) => {
            Err(format!("it succeeded, and the test wants it to fail with `{wanted}`"))
        }
        (Some(Fate::Failed { error, .. }), _, Some(wanted)) if error.contains(wanted.as_str()) => {
            Ok(())
        }
        (Some(Fate::Failed { error, .. }), _, Some(wanted)) => {
            Err(format!("it failed with `{error}`, and the test wants `{wanted}`"))
        }
        (Some(Fate::Failed { error, .. } | Fate::Cancelled(error)), ..) => {
            Err(format!("it failed: {error}"))
        }
        (None, ..) => Err("it has not ended".into()),
    }
}

fn expected(step: &Step, sim: &mut Sim, taken: &mut BTreeMap<String, usize>) -> Result<(), String> {
    let at = step.expect.as_deref().unwrap_or_default();
    sim.find(at, false)?;
    let next = taken.entry(at.to_owned()).or_default();
    let mut seen = sim.bodies(at);
    if seen.len() <= *next {
        // It may still be on its way.
        sim.settle();
        seen = sim.bodies(at);
    }
    let Some(body) = seen.get(*next) else {
        return Err(match *next {
            0 => format!("there was no message at `{at}`"),
            count => format!("there was no message at `{at}` after the first {count}"),
        });
    };
    *next += 1;
    let what = format!("message {next} at `{at}`");
    match (&step.is, &step.has) {
        (Some(wanted), _) => compared(&what, body, wanted, Measure::Whole),
        (None, Some(wanted)) => compared(&what, body, wanted, Measure::Part),
        (None, None) => Ok(()),
    }
}

fn compared(what: &str, body: &Body, wanted: &Value, measure: Measure) -> Result<(), String> {
    let got = body.to_value().map_err(|e| format!("{what} is no JSON: {e}"))?;
    let Some(at) = difference(&got, wanted, measure) else { return Ok(()) };
    let wants = match wanted.pointer(&at) {
        Some(wanted) => format!("the test wants {}", cut(&wanted.to_string())),
        None => "the test wants nothing there".into(),
    };
    let place = if at.is_empty() { String::new() } else { format!(" at `{at}`") };
    let is = match got.pointer(&at) {
        Some(_) => format!("is {}", shown(body, &at)),
        None => "has nothing".into(),
    };
    Err(format!("{what} {is}{place}, and {wants}"))
}

/// A message, or what is in it, without its secrets.
fn shown(body: &Body, at: &str) -> String {
    let value = secret::masked(|| body.to_value());
    let value = value.ok().and_then(|value| value.pointer(at).cloned());
    cut(&value.map_or_else(|| "***".to_owned(), |value| value.to_string()))
}

fn cut(text: &str) -> String {
    words::shortened(text, SHOWN)
}

/// A component with these targets, which take anything and answer nothing.
fn stand_in(ports: Vec<String>) -> ComponentType {
    struct Elsewhere;
    let info = Info {
        name: ELSEWHERE,
        description: "Stands for the nodes of other modules.",
        info: "",
        tags: &[],
        aliases: &[],
        concurrency: Info::CONCURRENCY,
    };
    let mut table = Table::<Elsewhere>::new();
    for port in ports {
        // Names of ports are part of a program. A test makes few of them, and ends.
        table.target::<Json, Reply>(port.leak(), Ops::ALL, |_, _, _, _| {
            Box::pin(ready(Ok(Reply::none())))
        });
    }
    ComponentType::of_table(info, table, || Elsewhere)
}
