//! Flows of files, looked at as a whole: with the nodes of the plane around them, and what is known of their modules.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow};
use kube::api::ListParams;
use kube::{Api, Client, ResourceExt};
use serde_json::{Value, json};
use tiny_crds::{ModuleComponent, TinyModule, TinyNode, TinySignal, TinySignalSpec, names};

use super::documents::Document;
use super::unread::unread;
use crate::control::{self, declare};
use crate::engine::{self, Face, Peer, Proofs};
use crate::mapping::Proof;
use crate::registry::Registry;
use crate::words;

/// What other modules tell of their components.
#[derive(Default)]
pub(super) struct Told {
    modules: Vec<(String, Vec<ModuleComponent>)>,
    /// Components of a module that was not named: they stand for those of any module that is not known.
    nameless: Vec<ModuleComponent>,
}

/// What the plane has.
#[derive(Default)]
pub(super) struct Stored {
    pub(super) nodes: Vec<TinyNode>,
    pub(super) modules: Vec<TinyModule>,
}

impl Stored {
    /// All nodes and modules of a namespace.
    pub(super) async fn of(client: &Client, namespace: &str) -> Result<Self> {
        let nodes: Api<TinyNode> = Api::namespaced(client.clone(), namespace);
        let nodes = nodes.list(&ListParams::default()).await;
        let nodes = nodes.context("cannot list the nodes of the plane")?.items;
        let modules: Api<TinyModule> = Api::namespaced(client.clone(), namespace);
        let modules = modules.list(&ListParams::default()).await;
        let modules = modules.context("cannot list the modules of the plane")?.items;
        Ok(Self { nodes, modules })
    }
}

impl Told {
    /// What modules have written into their status.
    pub(super) fn by(modules: &[TinyModule]) -> Self {
        let told = |module: &TinyModule| {
            let components = module.status.as_ref().map(|status| status.components.clone());
            (module.name_any(), components.unwrap_or_default())
        };
        Self { modules: modules.iter().map(told).collect(), nameless: Vec::new() }
    }

    /// What `components -o json` has written into files, each as `FILE` or `MODULE=FILE`.
    pub(super) fn in_files(files: &[String]) -> Result<Self> {
        let mut told = Self::default();
        for file in files {
            let (module, path) = match file.split_once('=') {
                Some((module, path)) => (Some(module), PathBuf::from(path)),
                None => (None, PathBuf::from(file)),
            };
            let components = read(&path)?;
            match module {
                Some(module) => told.modules.push((module.to_owned(), components)),
                None => told.nameless.extend(components),
            }
        }
        Ok(told)
    }

    fn face(&self, node: &TinyNode) -> Face {
        let module = self.modules.iter().find(|(name, _)| node.belongs_to(name));
        let components = module.map_or(&self.nameless, |(_, components)| components);
        named(components, &node.spec.component).map_or(Face::Unknown, control::told)
    }
}

/// The component that nodes call `name`, which may be an older name of it.
pub(super) fn named<'a>(
    components: &'a [ModuleComponent],
    name: &str,
) -> Option<&'a ModuleComponent> {
    components.iter().find(|it| it.name == *name || it.aliases.iter().any(|alias| alias == name))
}

/// What the plane tells of the ports that only this node has, if it has the same one.
fn own(stored: &[TinyNode], node: &TinyNode) -> Face {
    let is_it = |other: &&TinyNode| {
        other.metadata.name == node.metadata.name
            && other.spec.component == node.spec.component
            && other.belongs_to(&node.spec.module)
    };
    let status = stored.iter().find(is_it).and_then(|node| node.status.as_ref());
    control::told_of_node(status.map(|status| &*status.ports).unwrap_or_default())
}

fn read(path: &Path) -> Result<Vec<ModuleComponent>> {
    let shown = path.display();
    let text = std::fs::read_to_string(path).with_context(|| format!("cannot read `{shown}`"))?;
    serde_json::from_str(&text)
        .map_err(|e| anyhow!("`{shown}` is not what `components -o json` prints: {e}"))
}

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Grade {
    /// Nothing can run that way.
    Fault,
    /// A mapping cannot be right.
    Refuted,
    /// It is allowed, and rarely meant.
    Warning,
    /// Nobody can know before it runs.
    Unknown,
}

/// One finding.
pub(super) struct Found {
    pub(super) grade: Grade,
    /// The document.
    pub(super) place: String,
    /// One sentence.
    pub(super) text: String,
}

/// Edges that were looked at.
#[derive(Default)]
pub(super) struct Count {
    pub(super) proved: usize,
    pub(super) refuted: usize,
    pub(super) unknown: usize,
    /// Those that lead nowhere, or whose mapping cannot be read.
    pub(super) unchecked: usize,
}

/// Flows, looked at.
pub(super) struct Survey<'a> {
    module: &'a str,
    registry: &'a Registry,
    /// All nodes, those of files in the place of stored ones of the same name.
    nodes: BTreeMap<String, TinyNode>,
    /// Where the nodes of files stand.
    places: BTreeMap<String, String>,
    /// The signals of files, each with its place.
    signals: Vec<(String, TinySignal)>,
    proofs: Proofs,
}

impl<'a> Survey<'a> {
    pub(super) fn of(
        documents: &[Document],
        stored: &[TinyNode],
        told: &Told,
        module: &'a str,
        registry: &'a Registry,
    ) -> Result<Self> {
        let mut nodes: BTreeMap<String, TinyNode> =
            stored.iter().map(|node| (node.name_any(), node.clone())).collect();
        let (mut places, mut signals) = (BTreeMap::new(), Vec::new());
        for document in documents {
            signals.extend(document.signal().map(|signal| (document.place.clone(), signal)));
            // What is no node the plane refuses in its own words.
            let Some(node) = document.node() else { continue };
            node.spec
                .check_name(&document.name)
                .map_err(|e| anyhow!("{} ({}): {e}", document.place, document.title()))?;
            places.insert(document.name.clone(), document.place.clone());
            nodes.insert(document.name.clone(), node);
        }
        let face = |node: &TinyNode| {
            if node.belongs_to(module) {
                registry.get(&node.spec.component).cloned().map_or(Face::Unknown, Face::Ours)
            } else {
                told.face(node).with(own(stored, node))
            }
        };
        let proofs = control::proofs(nodes.values(), face);
        Ok(Self { module, registry, nodes, places, signals, proofs })
    }

    /// All that is to say of the nodes of files, and of edges that lead to them.
    pub(super) fn findings(&self) -> Vec<Found> {
        let mut found = Vec::new();
        for (name, place) in &self.places {
            let node = &self.nodes[name];
            if node.belongs_to(self.module) {
                let peer =
                    |name: &str| self.nodes.get(name).map_or(Peer::Absent, |node| self.peer(node));
                for finding in engine::check(&declare(node), self.registry, peer) {
                    let grade = if finding.cause.refuses() { Grade::Fault } else { Grade::Warning };
                    found.push(Found { grade, place: place.clone(), text: finding.message });
                }
                for why in self.unread_settings(node) {
                    let text = format!("node `{name}`, its settings: {why}");
                    found.push(Found { grade: Grade::Warning, place: place.clone(), text });
                }
            }
            for (edge, proof) in self.proofs.of(name) {
                found.extend(told(name, edge, place, proof));
            }
        }
        found.extend(self.signals.iter().flat_map(|(place, signal)| self.of_signal(place, signal)));
        // Edges of stored nodes that what is in the files breaks.
        let stored = self.nodes.keys().filter(|name| !self.places.contains_key(*name));
        for name in stored {
            for (edge, proof) in self.proofs.of(name) {
                let leads =
                    self.proofs.target(name, edge).and_then(|to| self.places.get(&*to.node));
                let told = leads.into_iter().flat_map(|place| told(name, edge, place, proof));
                found.extend(told.filter(|found| found.grade == Grade::Refuted));
            }
        }
        found
    }

    /// What nobody reads of a node's settings.
    fn unread_settings(&self, node: &TinyNode) -> Vec<String> {
        let component = self.registry.get(&node.spec.component);
        let port = component.and_then(|component| component.port("_settings"));
        let settings = node.spec.ports.iter().find(|port| port.port == "_settings");
        let settings = settings.and_then(|port| port.configuration.value().ok()?);
        match (port, settings) {
            (Some((_, info)), Some(settings)) => unread(&settings, &(info.schema)().value()),
            _ => Vec::new(),
        }
    }

    /// What is wrong with a signal: that it leads nowhere, or that its message does not fit or is not read.
    fn of_signal(&self, place: &str, signal: &TinySignal) -> Vec<Found> {
        let TinySignalSpec { node: to, port, data, .. } = &signal.spec;
        let say = |grade, why: String| {
            let text = format!("signal `{}`: {why}", signal.name_any());
            Found { grade, place: place.to_owned(), text }
        };
        let Some(node) = self.nodes.get(to) else {
            let near = words::did_you_mean(to, self.nodes.keys().map(String::as_str));
            return vec![say(Grade::Warning, format!("there is no node `{to}`{near}"))];
        };
        let component = self.registry.get(&node.spec.component);
        let Some(component) = component.filter(|_| node.belongs_to(self.module)) else {
            return Vec::new();
        };
        let Some((_, info)) = component.port(port).filter(|(_, info)| info.is_target()) else {
            let targets = component.ports().iter().filter(|info| info.is_target());
            let targets: Vec<&str> = targets.map(|info| info.meta.name).collect();
            let why = format!(
                "node `{to}` has no target `{port}`{}; it has {}",
                words::did_you_mean(port, targets.iter().copied()),
                words::list(targets.iter().copied())
            );
            return vec![say(Grade::Fault, why)];
        };
        let Ok(Some(message)) = data.value() else { return Vec::new() };
        if let Err(error) = (info.fits)(&message) {
            return vec![say(
                Grade::Fault,
                format!("its message does not fit `{to}:{port}`: {error}"),
            )];
        }
        let unread = unread(&message, &(info.schema)().value());
        unread.into_iter().map(|why| say(Grade::Warning, why)).collect()
    }

    /// How many edges of the files are proved.
    pub(super) fn count(&self) -> Count {
        let mut count = Count::default();
        for name in self.places.keys() {
            let edges = self.nodes[name].spec.edges.len();
            count.unchecked += edges.saturating_sub(self.proofs.of(name).len());
        }
        for (_, proof) in self.places.keys().flat_map(|name| self.proofs.of(name)) {
            match () {
                () if proof.refuted().next().is_some() => count.refuted += 1,
                () if proof.is_proved() => count.proved += 1,
                () => count.unknown += 1,
            }
        }
        count
    }

    /// What is known of each edge of the files.
    pub(super) fn proofs(&self) -> Vec<Value> {
        let edges = self.places.iter().flat_map(|(node, place)| {
            self.proofs.of(node).iter().map(move |(edge, proof)| {
                json!({"document": place, "node": node, "edge": edge, "fields": proof.rows, "warnings": proof.warnings})
            })
        });
        edges.collect()
    }

    /// The edges called `name`, which may be `node/edge`: each with its node.
    pub(super) fn edges(&self, name: &str) -> Vec<(&str, tiny_crds::Edge, Option<&Proof>)> {
        let (node, edge) = match name.split_once('/') {
            Some((node, edge)) => (Some(node), edge),
            None => (None, name),
        };
        let nodes = self.nodes.iter().filter(|(name, _)| node.is_none_or(|node| *name == node));
        let edges = nodes.flat_map(|(node, it)| it.spec.edges.iter().map(move |edge| (node, edge)));
        let id = |edge: &tiny_crds::Edge| match &*edge.id {
            "" => names::edge_id(&edge.port, &edge.to),
            id => id.to_owned(),
        };
        let named =
            edges.map(|(node, it)| (node.as_str(), tiny_crds::Edge { id: id(it), ..it.clone() }));
        let named = named.filter(|(_, it)| it.id == edge);
        let proof = |node: &str, id: &str| {
            self.proofs.of(node).iter().find(|(own, _)| **own == *id).map(|(_, proof)| &**proof)
        };
        named
            .map(|(node, edge)| {
                let proof = proof(node, &edge.id);
                (node, edge, proof)
            })
            .collect()
    }

    /// The names of all edges, as `node/edge`.
    pub(super) fn names(&self) -> Vec<String> {
        let edges = self
            .nodes
            .keys()
            .flat_map(|node| self.proofs.of(node).iter().map(move |(edge, _)| (node, edge)));
        edges.map(|(node, edge)| format!("{node}/{edge}")).collect()
    }

    /// Modules that nodes of files ask for.
    pub(super) fn modules(&self) -> BTreeSet<&str> {
        self.places.keys().map(|name| self.nodes[name].spec.module.as_str()).collect()
    }

    fn peer(&self, node: &TinyNode) -> Peer {
        if node.belongs_to(self.module) {
            Peer::Ours { component: node.spec.component.clone() }
        } else {
            Peer::Foreign { module: node.spec.module.clone(), is_known: true }
        }
    }
}

/// One remark for each module that nodes ask for and nobody has ever run here.
pub(super) fn strangers(asked: &BTreeSet<&str>, known: &[String]) -> Vec<String> {
    let unknown =
        asked.iter().filter(|module| !known.iter().any(|other| names::same_module(other, module)));
    let remark = |module: &&str| {
        let near = words::did_you_mean(module, known.iter().map(String::as_str));
        format!("warning: no module `{module}` has run here yet{near}; its nodes wait for it")
    };
    unknown.map(remark).collect()
}

fn told(node: &str, edge: &str, place: &str, proof: &Proof) -> Vec<Found> {
    let found = |grade, text: &str| Found {
        grade,
        place: place.to_owned(),
        text: format!("node `{node}`, edge `{edge}`: {text}"),
    };
    let mut all: Vec<Found> = proof.refuted().map(|text| found(Grade::Refuted, text)).collect();
    all.extend(proof.warnings.iter().map(|text| found(Grade::Warning, text)));
    all.extend(proof.unknown().map(|text| found(Grade::Unknown, text)));
    all
}
