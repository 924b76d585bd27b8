//! The proofs of all edges of a namespace, kept up to date: what changes is proved again, with what that can affect, and nothing else.
//!
//! A component that passes on what it takes in (a field that is `configurable` in its target and `shared`, without a type of its own, in
//! its source) sends what its edges bring. What that is depends on other edges, and these perhaps on it: so it is told for all such
//! fields at once, circle by circle, from nothing up to where it changes no more.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use serde_json::Value;

use super::site::{Face, Link, Port, Site};
use super::{Address, circles};
use crate::mapping::{Document, Proof, Row, Shape, Verdict, Way, identity, together};
use crate::schema::{self, Flag, Text};

/// The port of a node's settings.
const SETTINGS: &str = "_settings";
/// How often it may before its numbers have no bounds any more.
const STEADY: usize = 4;
/// How often a field may become another one in its circle until it is any JSON: it grows.
const CHANGES: usize = 48;

/// A field that a node passes on: the node, and the definition in its source.
type Passed = (Arc<str>, Arc<str>);

/// An edge by its id, and what is known of it.
pub type Proved = (Arc<str>, Arc<Proof>);

/// Nodes with what was known of them before.
type Replaced = BTreeMap<Arc<str>, Option<Site>>;

/// What is proved of the edges of a namespace.
#[derive(Debug, Default)]
pub struct Proofs {
    sites: BTreeMap<Arc<str>, Site>,
    /// Of each node the edges that lead to it: where they start, and which of the edges there they are.
    feeds: HashMap<Arc<str>, BTreeSet<(Arc<str>, usize)>>,
    passed: BTreeMap<Passed, Shape>,
    /// Those that are told together, because they are made of each other.
    circles: BTreeMap<Passed, Vec<Passed>>,
    proofs: BTreeMap<Arc<str>, Vec<Proved>>,
    /// Nodes of which something is new, with what was known of them when all was settled last.
    replaced: Replaced,
}

impl Proofs {
    /// Notes what is known of a node; `None` when it is gone.
    pub fn put(&mut self, name: &str, site: Option<Site>) {
        if self.sites.get(name) == site.as_ref() {
            return;
        }
        let name: Arc<str> = name.into();
        let before = self.sites.remove(&name);
        for (at, link) in before.iter().flat_map(|site| &site.links).enumerate() {
            if let Some(feeds) = self.feeds.get_mut(&link.to.node) {
                feeds.remove(&(name.clone(), at));
            }
        }
        self.replaced.entry(name.clone()).or_insert(before);
        if let Some(site) = site {
            for (at, link) in site.links.iter().enumerate() {
                self.feeds.entry(link.to.node.clone()).or_default().insert((name.clone(), at));
            }
            self.sites.insert(name, site);
        }
    }

    /// Proves again what is no longer sure. Returns the nodes for whose edges something else holds now.
    pub fn settle(&mut self) -> BTreeSet<String> {
        let replaced = std::mem::take(&mut self.replaced);
        if replaced.is_empty() {
            return BTreeSet::new();
        }
        together(|| self.settled(&replaced))
    }

    fn settled(&mut self, replaced: &Replaced) -> BTreeSet<String> {
        let look = Look::default();
        let mut stale: BTreeMap<Arc<str>, BTreeSet<usize>> = BTreeMap::new();
        for (name, before) in replaced {
            let now = self.sites.get(name);
            let of_node = stale.entry(name.clone()).or_default();
            let same_face =
                before.as_ref().zip(now).is_some_and(|(one, other)| one.face == other.face);
            for (at, link) in now.iter().flat_map(|site| &site.links).enumerate() {
                if !same_face || !before.iter().any(|before| before.links.contains(link)) {
                    of_node.insert(at);
                }
            }
            if !same_face {
                for (source, at) in self.feeds.get(name).into_iter().flatten() {
                    stale.entry(source.clone()).or_default().insert(*at);
                }
            }
        }
        for node in self.pass(&look, replaced) {
            let links = self.sites.get(&node).map_or(0, |site| site.links.len());
            stale.entry(node).or_default().extend(0..links);
        }
        let mut changed = BTreeSet::new();
        for (node, stale) in stale {
            let Some(site) = self.sites.get(&node) else {
                changed.extend(self.proofs.remove(&node).map(|_| node.to_string()));
                continue;
            };
            let before = self.proofs.get(&node);
            let known = |link: &Link| {
                let (_, proof) = before?.iter().find(|(id, _)| *id == link.id)?;
                Some(proof.clone())
            };
            let mut after = Vec::new();
            for (at, link) in site.links.iter().enumerate() {
                let proof = match known(link).filter(|_| !stale.contains(&at)) {
                    Some(proof) => Some(proof),
                    None => self.prove(&look, &node, site, link).map(Arc::new),
                };
                after.extend(proof.map(|proof| (link.id.clone(), proof)));
            }
            if before != Some(&after) {
                changed.insert(node.to_string());
                self.proofs.insert(node, after);
            }
        }
        changed
    }

    /// What is proved of the edges of `node`, by their ids.
    pub fn of(&self, node: &str) -> &[Proved] {
        self.proofs.get(node).map(Vec::as_slice).unwrap_or_default()
    }

    /// The edges that lead to `node`: where each starts, and its id.
    pub fn feeding(&self, node: &str) -> impl Iterator<Item = (&Arc<str>, &Arc<str>)> {
        let feeds = self.feeds.get(node).into_iter().flatten();
        feeds.filter_map(|(source, at)| Some((source, &self.sites.get(source)?.links.get(*at)?.id)))
    }

    /// Where an edge leads.
    pub fn target(&self, node: &str, edge: &str) -> Option<&Address> {
        self.link(node, edge).map(|link| &link.to)
    }

    fn link(&self, node: &str, edge: &str) -> Option<&Link> {
        self.sites.get(node)?.links.iter().find(|link| *link.id == *edge)
    }

    /// Whether the mapping of an edge can be read.
    pub fn compiles(&self, node: &str, edge: &str) -> bool {
        self.link(node, edge).is_none_or(|link| link.mapping.is_some())
    }

    /// Whether an edge may go on with a mapping that it had before, when it led from `port` to `to`.
    pub fn may_go_on(
        &self,
        node: &str,
        edge: &str,
        (port, to): (&str, &str),
        mapping: Option<&Value>,
    ) -> bool {
        let Some((node, site)) = self.sites.get_key_value(node) else { return false };
        let leads = |link: &&Link| *link.port == *port && link.to.to_string() == to;
        let Some(now) = self.link(node, edge).filter(leads) else { return false };
        let before = Link::new(now.id.clone(), now.port.clone(), now.to.clone(), mapping.cloned());
        let proof = self.prove(&Look::default(), node, site, &before);
        before.mapping.is_some() && proof.is_none_or(|proof| proof.refuted().next().is_none())
    }

    /// What is known of an edge; nothing where it is wrong in a way that is no concern of types.
    fn prove(&self, look: &Look, node: &Arc<str>, site: &Site, link: &Link) -> Option<Proof> {
        let mapping = link.mapping.as_ref()?;
        let to = self.sites.get(&link.to.node)?;
        if let Face::Unknown = to.face {
            return Some(unknown(&format!(
                "nothing is known of the ports of node `{}`: no module has told of its component",
                link.to.node
            )));
        }
        let target = to.face.port(&link.to.port).filter(|port| !port.is_source)?;
        let source = match site.face.port(&link.port) {
            Some(port) if port.is_source => Some(port),
            Some(_) => return None,
            None if matches!(site.face, Face::Unknown) => None,
            None => return None,
        };
        let given = source.as_ref().map_or_else(Shape::any, |port| self.sent(look, node, port));
        let wanted = look.taken(&target.schema);
        let mut proof = match mapping {
            Some(mapping) => mapping.proof(&given, &wanted),
            None => identity(&given, &wanted),
        };
        let reply = source.and_then(|port| port.response).zip(target.response);
        if let Some((wanted, given)) = reply {
            proof.rows.extend(answered(look, &given, &wanted, &link.to));
        }
        Some(proof)
    }

    /// What a source sends.
    fn sent(&self, look: &Look, node: &Arc<str>, port: &Port) -> Shape {
        let document = look.document(&port.schema);
        let mut filled = BTreeMap::new();
        for (name, _) in look.open(&port.schema) {
            let passed = self.passed.get(&(node.clone(), name.clone())).cloned();
            filled.insert(name.to_string(), passed.unwrap_or_else(Shape::any));
        }
        document.filled(filled).shape()
    }

    /// What reaches a field that a node passes on: over its edges, and by its own configuration.
    fn taken(&self, look: &Look, node: &Arc<str>, site: &Site, name: &str, field: &str) -> Shape {
        let mut all: Option<Shape> = None;
        let mut take =
            |shape: Shape| all = Some(all.take().unwrap_or_default().or(&shape.passed()));
        for (source, at) in self.feeds.get(node).into_iter().flatten() {
            let Some(from) = self.sites.get(source) else { continue };
            let Some(link) = from.links.get(*at) else { continue };
            let Some(target) = site.face.port(&link.to.port) else { continue };
            let Some(input) = look.input(&target, name, field) else { continue };
            let brought = || self.carried(look, source, from, link, &input.way);
            take(input.declared.clone().unwrap_or_else(brought));
        }
        let configured = site.configured.keys().map(String::as_str);
        let ports: BTreeSet<&str> = configured.chain([SETTINGS]).collect();
        for port in ports.into_iter().filter_map(|port| site.face.port(port)) {
            let Some(input) = look.input(&port, name, field) else { continue };
            let Some(configured) = site.configuration(&port) else { continue };
            take(input.declared.unwrap_or_else(|| Shape::value(&configured).at(&input.way)));
        }
        let all = all.unwrap_or_else(Shape::any);
        // What somebody has written is believed where nobody knows better.
        if all.is_typed() { all } else { self.written(look, site, name, field).unwrap_or(all) }
    }

    /// What somebody has written of a field.
    fn written(&self, look: &Look, site: &Site, name: &str, field: &str) -> Option<Shape> {
        site.written.iter().find_map(|text| {
            let document = look.document(text);
            let written = document.schema().meant(name, field, Flag::Configurable);
            let (name, _) = written.filter(|(_, it)| !schema::is_bare(it))?;
            Some(document.definition(name))
        })
    }

    /// What an edge brings to some place of its target's message.
    fn carried(&self, look: &Look, node: &Arc<str>, site: &Site, link: &Link, way: &Way) -> Shape {
        let given = match site.face.port(&link.port) {
            Some(port) if port.is_source => self.sent(look, node, &port),
            _ => Shape::any(),
        };
        match &link.mapping {
            Some(Some(mapping)) => mapping.result_at(&given, way),
            Some(None) => given.at(way),
            // Nothing passes.
            None => Shape::none(),
        }
    }

    /// Tells anew what the nodes pass on that may have changed, and all that depends on it. Returns the nodes that pass on something else.
    fn pass(&mut self, look: &Look, replaced: &Replaced) -> BTreeSet<Arc<str>> {
        for node in replaced.keys() {
            let now = self.fields(look, node);
            let from = (node.clone(), Arc::from(""));
            let known = self.passed.range(from..).take_while(|((other, _), _)| other == node);
            let known = known.map(|(key, _)| key.clone());
            let gone = known.filter(|(_, name)| !now.iter().any(|(own, _)| own == name));
            for key in gone.collect::<Vec<Passed>>() {
                self.passed.remove(&key);
                self.circles.remove(&key);
            }
        }
        // All that can be affected, as numbers, and what each of it leads to.
        let (mut fields, mut numbers) = (Vec::new(), HashMap::new());
        let mut number = |field: Field, fields: &mut Vec<Field>| {
            *numbers.entry((field.node.clone(), field.name.clone())).or_insert_with(|| {
                fields.push(field);
                fields.len() - 1
            })
        };
        for field in self.moved(look, replaced) {
            number(field, &mut fields);
        }
        let (seeds, mut leads) = (fields.len(), Vec::new());
        while leads.len() < fields.len() {
            let next = self.dependent(look, &fields[leads.len()]);
            leads
                .push(next.into_iter().map(|field| number(field, &mut fields)).collect::<Vec<_>>());
        }
        let mut stale: Vec<bool> = (0..fields.len()).map(|at| at < seeds).collect();
        let mut changed = BTreeSet::new();
        for circle in circles::in_order(&leads) {
            let keys: Vec<Passed> = circle
                .iter()
                .map(|at| (fields[*at].node.clone(), fields[*at].name.clone()))
                .collect();
            let turns = match *circle {
                [only] => leads[only].contains(&only),
                _ => true,
            };
            let mut together = if turns { keys.clone() } else { Vec::new() };
            together.sort();
            // Out of a circle, or in another one, nothing of what was told there counts.
            let same =
                |key: &Passed| self.circles.get(key).map_or(&[][..], Vec::as_slice) == together;
            if !circle.iter().any(|at| stale[*at]) && keys.iter().all(same) {
                continue;
            }
            for key in &keys {
                self.circles.insert(key.clone(), together.clone());
            }
            let before: Vec<Option<Shape>> =
                keys.iter().map(|key| self.passed.get(key).cloned()).collect();
            if turns {
                let places: HashMap<usize, usize> =
                    circle.iter().enumerate().map(|(place, at)| (*at, place)).collect();
                let round: Vec<Vec<usize>> = circle
                    .iter()
                    .map(|at| leads[*at].iter().filter_map(|to| places.get(to).copied()).collect())
                    .collect();
                let circle: Vec<&Field> = circle.iter().map(|at| &fields[*at]).collect();
                self.go_round(look, &circle, &round);
            } else {
                circle.iter().for_each(|at| self.tell(look, &fields[*at]));
            }
            for (at, (key, before)) in circle.iter().zip(keys.iter().zip(before)) {
                if self.passed.get(key) != before.as_ref() {
                    changed.insert(key.0.clone());
                    leads[*at].iter().for_each(|next| stale[*next] = true);
                }
            }
        }
        changed
    }

    /// The fields that are made of something else now.
    fn moved(&self, look: &Look, replaced: &Replaced) -> Vec<Field> {
        let mut moved = Vec::new();
        for (node, before) in replaced {
            let now = self.sites.get(node);
            let own =
                |site: &Site| (site.face.clone(), site.written.clone(), site.configured.clone());
            let same = before.as_ref().map(own) == now.map(own);
            let is_known =
                |name: &Arc<str>| self.passed.contains_key(&(node.clone(), name.clone()));
            for (name, path) in self.fields(look, node) {
                if !same || !is_known(&name) {
                    moved.push(Field { node: node.clone(), name, path });
                }
            }
            let links = before.iter().chain(now).flat_map(|site| &site.links);
            let targets: BTreeSet<&Arc<str>> = links.map(|link| &link.to.node).collect();
            for to in targets {
                for (name, path) in self.fields(look, to) {
                    let brought =
                        |site: Option<&Site>| self.brought(look, site, to, (&name, &path));
                    if brought(before.as_ref()) != brought(now) {
                        moved.push(Field { node: to.clone(), name, path });
                    }
                }
            }
        }
        moved
    }

    /// How a node makes a field of another one: from which ports, and by which part of a mapping.
    fn brought(
        &self,
        look: &Look,
        site: Option<&Site>,
        to: &Arc<str>,
        (name, path): (&str, &str),
    ) -> Vec<(Face, Arc<str>, Option<Value>)> {
        let face = |port: &str| self.sites.get(to)?.face.port(port);
        let links =
            site.into_iter().flat_map(|site| site.links.iter().map(move |link| (site, link)));
        let brought = links.filter(|(_, link)| link.to.node == *to).filter_map(|(site, link)| {
            let input = look.input(&face(&link.to.port)?, name, path)?;
            let part = link.written.as_ref().map(|written| input.way.part(written).clone());
            Some((site.face.clone(), link.port.clone(), part))
        });
        brought.collect()
    }

    /// Tells a field that is in no circle.
    fn tell(&mut self, look: &Look, field: &Field) {
        let Field { node, name, path } = field;
        let Some(site) = self.sites.get(node) else { return };
        let shape = self.taken(look, node, site, name, path);
        self.passed.insert(
            (node.clone(), name.clone()),
            if shape.is_none() { Shape::any() } else { shape },
        );
    }

    /// Tells the fields of one circle; `leads` tells of each to which of them it leads.
    fn go_round(&mut self, look: &Look, circle: &[&Field], leads: &[Vec<usize>]) {
        let keys: Vec<Passed> =
            circle.iter().map(|field| (field.node.clone(), field.name.clone())).collect();
        // From nothing: what nobody says any more must not keep itself alive.
        keys.iter().for_each(|key| drop(self.passed.insert(key.clone(), Shape::none())));
        let mut due: BTreeSet<usize> = (0..circle.len()).collect();
        let mut changes = vec![0; circle.len()];
        loop {
            // All from what the last turn told, so that it does not matter where a circle begins.
            let told = due.iter().filter(|at| changes[**at] <= CHANGES).filter_map(|at| {
                let Field { node, name, path } = circle[*at];
                let site = self.sites.get(node)?;
                Some((*at, self.taken(look, node, site, name, path)))
            });
            let told: Vec<(usize, Shape)> = told.collect();
            let mut moved = Vec::new();
            for (at, mut shape) in told {
                if self.passed.get(&keys[at]) == Some(&shape) {
                    continue;
                }
                changes[at] += 1;
                if changes[at] > CHANGES {
                    shape = Shape::grown();
                } else if changes[at] > STEADY {
                    // What counts up at each turn would never come to an end.
                    let before = self.passed.get(&keys[at]).cloned().unwrap_or_default();
                    shape = shape.widened(&before);
                }
                self.passed.insert(keys[at].clone(), shape);
                moved.push(at);
            }
            if moved.is_empty() {
                // Where nothing leads in, anything may come: somebody may send into it.
                let none = (0..keys.len())
                    .filter(|at| self.passed.get(&keys[*at]).is_some_and(Shape::is_none));
                moved = none.collect();
                for at in &moved {
                    self.passed.insert(keys[*at].clone(), Shape::any());
                    changes[*at] = CHANGES + 1;
                }
            }
            if moved.is_empty() {
                return;
            }
            due = moved.iter().flat_map(|at| &leads[*at]).copied().collect();
        }
    }

    /// The fields that a node passes on over its edges, each with the name of its definition and its own.
    fn fields(&self, look: &Look, node: &Arc<str>) -> Vec<(Arc<str>, Arc<str>)> {
        let Some(site) = self.sites.get(node) else { return Vec::new() };
        let mut fields = Vec::new();
        for link in &site.links {
            for field in
                site.face.port(&link.port).into_iter().flat_map(|port| look.open(&port.schema))
            {
                if !fields.contains(&field) {
                    fields.push(field);
                }
            }
        }
        fields
    }

    /// The fields of other nodes that are made of this one.
    fn dependent(&self, look: &Look, field: &Field) -> Vec<Field> {
        let Some(site) = self.sites.get(&field.node) else { return Vec::new() };
        let sends = |link: &&Link| {
            let port = site.face.port(&link.port);
            port.is_some_and(|port| {
                look.open(&port.schema).iter().any(|(name, _)| *name == field.name)
            })
        };
        let mut dependent = Vec::new();
        for link in site.links.iter().filter(sends) {
            let Some(target) =
                self.sites.get(&link.to.node).and_then(|site| site.face.port(&link.to.port))
            else {
                continue;
            };
            for (name, path) in self.fields(look, &link.to.node) {
                if look.input(&target, &name, &path).is_some() {
                    dependent.push(Field { node: link.to.node.clone(), name, path });
                }
            }
        }
        dependent
    }
}

/// A field that a node passes on.
#[derive(Clone, Debug)]
struct Field {
    node: Arc<str>,
    /// Of its definition.
    name: Arc<str>,
    /// Its own name.
    path: Arc<str>,
}

/// The input that a field is taken from.
#[derive(Clone)]
struct Input {
    way: Way,
    /// What the input says of itself.
    declared: Option<Shape>,
}

/// One settling, while which each schema is parsed once.
#[derive(Default)]
struct Look {
    documents: RefCell<HashMap<*const u8, (Document, Open)>>,
    inputs: RefCell<HashMap<(*const u8, String), Option<Input>>>,
}

/// The definitions that a source passes on: their names, and those of their fields.
type Open = Arc<[(Arc<str>, Arc<str>)]>;

impl Look {
    fn known(&self, text: &Text) -> (Document, Open) {
        if let Some(known) = self.documents.borrow().get(&text.as_ptr()) {
            return known.clone();
        }
        let document = Document::parsed(text);
        // A failure has the message that failed as it came in.
        let flags = [Flag::Shared, Flag::Configurable];
        let shared = flags.into_iter().flat_map(|flag| document.schema().definitions(flag));
        let mut shared: Vec<(&str, &Value)> = shared.filter(|(_, it)| !is_said(it)).collect();
        shared.sort_by_key(|(name, _)| *name);
        shared.dedup_by_key(|(name, _)| *name);
        let open: Open = shared
            .into_iter()
            .map(|(name, it)| (name.into(), schema::field_of(it).into()))
            .collect();
        self.documents.borrow_mut().insert(text.as_ptr(), (document.clone(), open.clone()));
        (document, open)
    }

    fn document(&self, text: &Text) -> Document {
        self.known(text).0
    }

    fn open(&self, text: &Text) -> Vec<(Arc<str>, Arc<str>)> {
        if ![r#""shared":true"#, r#""configurable":true"#].iter().any(|flag| text.contains(flag)) {
            return Vec::new();
        }
        self.known(text).1.to_vec()
    }

    /// What a target takes: by its own words, and not by those that it got from others.
    fn taken(&self, text: &Text) -> Shape {
        let document = self.document(text);
        if !text.contains(schema::SHARED_FROM) {
            return document.shape();
        }
        let all = document.schema().value().get("$defs").and_then(Value::as_object);
        let received =
            all.into_iter().flatten().filter(|(_, it)| it.get(schema::SHARED_FROM).is_some());
        document.filled(received.map(|(name, _)| (name.clone(), Shape::any())).collect()).shape()
    }

    /// Where a target takes in what is passed on under this name.
    fn input(&self, port: &Port, name: &str, field: &str) -> Option<Input> {
        if port.is_source || !port.schema.contains(r#""configurable":true"#) {
            return None;
        }
        let key = (port.schema.as_ptr(), format!("{name} {field}"));
        if let Some(known) = self.inputs.borrow().get(&key) {
            return known.clone();
        }
        let input = self.read(port, name, field);
        self.inputs.borrow_mut().insert(key, input.clone());
        input
    }

    fn read(&self, port: &Port, name: &str, field: &str) -> Option<Input> {
        let document = self.document(&port.schema);
        let (name, definition) = document.schema().meant(name, field, Flag::Configurable)?;
        let way = Way::of(definition.get("path")?.as_str()?)?;
        let declared = is_said(definition).then(|| document.definition(name));
        Some(Input { way, declared })
    }
}

/// Whether a definition says something that its node did not get from others.
fn is_said(definition: &Value) -> bool {
    !schema::is_bare(definition) && definition.get(schema::SHARED_FROM).is_none()
}

/// A proof that says only why there is none.
fn unknown(why: &str) -> Proof {
    let row = Row {
        field: String::new(),
        expression: None,
        given: "any JSON".into(),
        wanted: "any JSON".into(),
        verdict: Verdict::Unknown { why: why.to_owned() },
    };
    Proof { rows: vec![row], warnings: Vec::new() }
}

/// What is known of a reply: what the target answers with, against what the source waits for.
fn answered(look: &Look, given: &Text, wanted: &Text, to: &Address) -> Vec<Row> {
    let given = look.document(given).shape();
    let wanted = look.document(wanted).shape();
    let told = |why: &str| match why.strip_prefix("the message ") {
        Some(why) => format!("the reply of `{to}` {why}"),
        None => format!("the reply of `{to}`: {why}"),
    };
    let rows = identity(&given, &wanted).rows.into_iter();
    rows.map(|row| {
        let verdict = match row.verdict {
            Verdict::Proved => Verdict::Proved,
            Verdict::Refuted { why, witness } => Verdict::Refuted { why: told(&why), witness },
            Verdict::Unknown { why } => Verdict::Unknown { why: told(&why) },
        };
        Row { field: "(reply)".into(), verdict, ..row }
    })
    .collect()
}

#[cfg(test)]
mod tests;
