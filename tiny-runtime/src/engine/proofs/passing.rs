//! What nodes pass on, told from what their edges bring.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use serde_json::Value;

use super::look::Look;
use super::{Passed, Proofs, Replaced};
use crate::engine::circles;
use crate::engine::site::{Face, Link, Port, Site};
use crate::mapping::{Shape, Way};
use crate::schema::{self, Flag};

/// The port of a node's settings.
const SETTINGS: &str = "_settings";
/// How often a field may become another one in its circle until it is any JSON: it grows.
const CHANGES: usize = 48;
/// How often it may before its numbers have no bounds any more.
const STEADY: usize = 4;

/// A field that a node passes on.
#[derive(Clone, Debug)]
struct Field {
    node: Arc<str>,
    /// Of its definition.
    name: Arc<str>,
    /// Its own name.
    path: Arc<str>,
}

impl Proofs {
    /// What a source sends.
    pub(super) fn sent(&self, look: &Look, node: &Arc<str>, port: &Port) -> Shape {
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
        match &self.mapping(node, link) {
            Some(Some(mapping)) => mapping.result_at(&given, way),
            Some(None) => given.at(way),
            // Nothing passes.
            None => Shape::none(),
        }
    }

    /// Tells anew what the nodes pass on that may have changed, and all that depends on it. Returns the nodes that pass on something else.
    pub(super) fn pass(&mut self, look: &Look, replaced: &Replaced) -> BTreeSet<Arc<str>> {
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
            let same = before.as_ref().zip(now).is_some_and(|(one, other)| one.takes_like(other));
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
