//! The proofs of all edges of a namespace, kept up to date: what changes is proved again, with what that can affect, and nothing else.
//!
//! A component that passes on what it takes in (a field that is `configurable` in its target and `shared`, without a type of its own, in
//! its source) sends what its edges bring. What that is depends on other edges, and these perhaps on it: so it is told for all such
//! fields at once, circle by circle, from nothing up to where it changes no more.

mod look;
mod passing;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use serde_json::Value;

use self::look::Look;
use super::Address;
use super::site::{Face, Link, Site};
use crate::mapping::{Mapping, Proof, Row, Shape, Verdict, identity, together};
use crate::schema::Text;

/// A field that a node passes on: the node, and the definition in its source.
type Passed = (Arc<str>, Arc<str>);

/// An edge by its id, and what is known of it.
pub type Proved = (Arc<str>, Arc<Proof>);

/// Nodes with what was known of them before.
type Replaced = BTreeMap<Arc<str>, Option<Site>>;

/// What is proved of the edges of a namespace.
///
/// ```
/// use serde_json::json;
/// use tiny_runtime::engine::{Address, EdgeDecl, Face, NodeDecl, Port, Proofs, RetryBounds, Site};
/// use tiny_runtime::schema::Text;
///
/// let face = |name: &str, is_source, field: &str| {
///     let schema = json!({"type": "object", "properties": {field: {"type": "string"}}, "required": [field]});
///     let schema = Text::from(&schema);
///     Face::Told([Port { name: name.into(), is_source, schema, response: None, default: None }].into())
/// };
/// let edge = EdgeDecl {
///     id: "e".into(),
///     port: "out".into(),
///     to: Address::new("b", "in"),
///     mapping: Some(json!({"word": "{{ $.text }}"})),
///     bounds: RetryBounds::default(),
///     fault: None,
/// };
/// let (a, b) = (NodeDecl { edges: vec![edge], ..NodeDecl::default() }, NodeDecl::default());
/// let mut proofs = Proofs::default();
/// proofs.put("a", Some(Site::new(&a, face("out", true, "text"), Vec::new())));
/// proofs.put("b", Some(Site::new(&b, face("in", false, "word"), Vec::new())));
/// assert_eq!(proofs.settle().into_iter().collect::<Vec<_>>(), ["a"]);
/// let (edge, proof) = &proofs.of("a")[0];
/// assert!(**edge == *"e" && proof.is_proved());
/// ```
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
                before.as_ref().zip(now).is_some_and(|(one, other)| one.receives_like(other));
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
            if before.map_or(&[][..], Vec::as_slice) != after {
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

    /// What an edge of `node` makes of a message, by its own mapping or by one that the receiver has for it; none inside is the identity.
    /// Nothing where it does not compile.
    pub(super) fn mapping(&self, node: &str, link: &Link) -> Option<Option<Arc<Mapping>>> {
        let inward = || self.sites.get(&link.to.node)?.inward(node, &link.port, &link.to.port);
        match &link.mapping {
            Some(None) => match inward() {
                Some(mapping) => Some(Some(mapping.clone()?)),
                None => Some(None),
            },
            own => own.clone(),
        }
    }

    /// What is known of an edge; nothing where it is wrong in a way that is no concern of types.
    fn prove(&self, look: &Look, node: &Arc<str>, site: &Site, link: &Link) -> Option<Proof> {
        let to = self.sites.get(&link.to.node)?;
        let mapping = self.mapping(node, link)?;
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
        let mut proof = match &mapping {
            Some(mapping) => mapping.proof(&given, &wanted),
            None => identity(&given, &wanted),
        };
        if link.written.is_some() && to.inward(node, &link.port, &link.to.port).is_some() {
            proof.warnings.push(format!(
                "MappingShadowed: `ports[].from` of node `{}` has a mapping for this edge too; the one of the edge is used, so delete the other",
                link.to.node
            ));
        }
        let reply = source.and_then(|port| port.response).zip(target.response);
        if let Some((wanted, given)) = reply {
            proof.rows.extend(answered(look, &given, &wanted, &link.to));
        }
        Some(proof)
    }
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
