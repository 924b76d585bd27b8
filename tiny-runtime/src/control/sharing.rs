//! Which definitions the nodes of the namespace share: what is known of each node's ports, and what comes of it for one of them.
//!
//! A definition is taken from where it was said, never from where it was received: so nodes in a circle cannot keep alive among
//! themselves what nobody says any more, and the answer depends on nothing but the flow.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::rc::Rc;
use std::sync::Arc;

use serde_json::Value;
use tiny_crds::{PortStatus, TinyNode};

use super::declare;
use crate::engine::{Address, EdgeDecl};
use crate::schema::{self, Flag, Schema, Shared, Text};

/// The port on which a node receives its settings.
const SETTINGS: &str = "_settings";

/// A port's schema, before anybody shares anything with it.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct PortSchema {
    pub(super) name: Arc<str>,
    pub(super) is_source: bool,
    pub(super) text: Text,
}

impl PortSchema {
    /// The port as a status lists it, where that has a schema.
    pub(super) fn of(port: &PortStatus) -> Option<Self> {
        let value = port.schema.value().ok().flatten()?;
        Some(Self {
            name: port.name.as_str().into(),
            is_source: port.source,
            text: Text::from(&value),
        })
    }

    /// Whether anything of it may travel.
    fn takes_part(&self) -> bool {
        [r#""shared":true"#, r#""configurable":true"#].iter().any(|flag| self.text.contains(flag))
    }
}

/// A node, as far as sharing is concerned.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Member {
    /// Its ports with definitions that may travel.
    ports: Vec<PortSchema>,
    /// Schemas that somebody wrote for ports of this node.
    written: Vec<Text>,
    edges: Vec<Edge>,
}

/// An edge, seen from the node where it starts.
#[derive(Clone, Debug, PartialEq)]
struct Edge {
    id: Arc<str>,
    to: Address,
}

impl Member {
    /// What is known of `node`, whose ports are `ports`.
    pub(super) fn new(node: &TinyNode, edges: &[EdgeDecl], ports: Vec<PortSchema>) -> Self {
        let own = node.spec.ports.iter().filter(|port| port.from.is_empty());
        let written = own.filter_map(|port| port.schema.value().ok().flatten());
        let edge = |edge: &EdgeDecl| Edge { id: edge.id.clone(), to: edge.to.clone() };
        Self {
            ports: ports.into_iter().filter(PortSchema::takes_part).collect(),
            written: written.map(|value| Text::from(&value)).collect(),
            edges: edges.iter().filter(|edge| edge.fault.is_none()).map(edge).collect(),
        }
    }

    /// The same of a node of another module.
    pub(super) fn foreign(node: &TinyNode, ports: Vec<PortSchema>) -> Self {
        Self::new(node, &declare(node).edges, ports)
    }
}

/// An edge, seen from its target.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Feed {
    id: Arc<str>,
    source: Arc<str>,
    port: Arc<str>,
}

/// All nodes of the namespace.
#[derive(Debug, Default)]
pub(super) struct Sharing {
    members: BTreeMap<String, Member>,
    /// Of each node the edges that lead to it, in the order of their ids.
    feeds: BTreeMap<Arc<str>, BTreeSet<Feed>>,
    /// Nodes of which something is new, and those that their edges led to.
    stirred: BTreeSet<String>,
}

impl Sharing {
    /// Notes what is known of a node; `None` when it is gone.
    pub(super) fn put(&mut self, name: &str, member: Option<Member>) {
        if self.members.get(name) == member.as_ref() {
            return;
        }
        self.stirred.insert(name.to_owned());
        let source: Arc<str> = name.into();
        let feed = |Edge { id, to }: Edge| {
            (to.node.clone(), Feed { id, source: source.clone(), port: to.port })
        };
        for (to, feed) in self.members.remove(name).into_iter().flat_map(|it| it.edges).map(feed) {
            let left = self.feeds.get_mut(&to).is_some_and(|feeds| {
                feeds.remove(&feed);
                !feeds.is_empty()
            });
            if !left {
                self.feeds.remove(&to);
            }
            self.stirred.insert(to.to_string());
        }
        if let Some(member) = member {
            for (to, feed) in member.edges.iter().cloned().map(feed) {
                self.feeds.entry(to).or_default().insert(feed);
            }
            self.members.insert(name.to_owned(), member);
        }
    }

    /// The nodes for which something may be new since this was asked last: those that are new, and all that their edges reach.
    pub(super) fn stirred(&mut self) -> BTreeSet<String> {
        let mut open: VecDeque<String> = std::mem::take(&mut self.stirred).into_iter().collect();
        let mut reached = BTreeSet::new();
        while let Some(name) = open.pop_front() {
            let edges = self.members.get(&name).into_iter().flat_map(|member| &member.edges);
            if reached.insert(name.clone()) {
                open.extend(edges.map(|edge| edge.to.node.to_string()));
            }
        }
        reached
    }

    /// The schemas of the ports of `node` that others, or whoever wrote the node, have made another than they were.
    pub(super) fn effective(&self, node: &str) -> BTreeMap<Arc<str>, Text> {
        let look = Look { sharing: self, parsed: RefCell::default() };
        let Some(member) = self.members.get(node) else { return BTreeMap::new() };
        let mut effective = BTreeMap::new();
        for port in &member.ports {
            let before = look.parsed(&port.text);
            let mut now = Schema::clone(&before);
            for (name, shared) in look.candidates(node, member, port, &before) {
                let own = before.definition(&name);
                if own.is_some_and(|own| schema::may_stand_for(shared.definition(), own)) {
                    now = now.take(&name, &shared);
                }
            }
            if now != *before {
                effective.insert(port.name.clone(), Text::from(&now.into()));
            }
        }
        effective
    }
}

/// One question, while which each schema is parsed once.
struct Look<'a> {
    sharing: &'a Sharing,
    parsed: RefCell<HashMap<*const u8, Rc<Schema>>>,
}

impl Look<'_> {
    fn parsed(&self, text: &Text) -> Rc<Schema> {
        let mut parsed = self.parsed.borrow_mut();
        let schema = || Rc::new(Schema::from(text.value()));
        parsed.entry(text.as_ptr()).or_insert_with(schema).clone()
    }

    /// What the definitions of `port` may be replaced by.
    fn candidates(
        &self,
        node: &str,
        member: &Member,
        port: &PortSchema,
        schema: &Schema,
    ) -> Vec<(String, Shared)> {
        let found = |(name, own): (&str, &Value)| {
            let wanted = Wanted { name, field: schema::field_of(own) };
            let written = || self.written(member, wanted);
            let mut seen = BTreeSet::from([node.to_owned()]);
            let received = match port.is_source {
                // What a source passes on is what the node's targets take.
                true if !schema::is_bare(own) => None,
                true => written().or_else(|| self.taken(node, member, None, wanted, &mut seen)),
                false => written()
                    .or_else(|| self.taken(node, member, Some(&port.name), wanted, &mut seen)),
            };
            Some((name.to_owned(), received?))
        };
        let flag = if port.is_source { Flag::Shared } else { Flag::Configurable };
        schema.definitions(flag).filter_map(found).collect()
    }

    /// The definition that somebody wrote for this node.
    fn written(&self, member: &Member, wanted: Wanted<'_>) -> Option<Shared> {
        member.written.iter().find_map(|text| {
            let schema = self.parsed(text);
            let (name, written) = wanted.of(&schema, Flag::Configurable)?;
            if schema::is_bare(written) { None } else { schema.share(name) }
        })
    }

    /// What reaches a definition of the targets of a node, or of one of them: from edges, from its type, from the node's own settings.
    fn taken(
        &self,
        node: &str,
        member: &Member,
        only: Option<&str>,
        wanted: Wanted<'_>,
        seen: &mut BTreeSet<String>,
    ) -> Option<Shared> {
        let is_target =
            |port: &&PortSchema| !port.is_source && only.is_none_or(|only| *port.name == *only);
        for target in member.ports.iter().filter(is_target) {
            let schema = self.parsed(&target.text);
            let Some((name, own)) = wanted.of(&schema, Flag::Configurable) else { continue };
            let feeds = self.sharing.feeds.get(node).into_iter().flatten();
            let mut feeds = feeds.filter(|feed| feed.port == target.name);
            if let Some(found) = feeds.find_map(|feed| self.offered(&feed.source, wanted, seen)) {
                return Some(found);
            }
            if only.is_none() && schema::is_said(own) {
                return schema.share(name);
            }
        }
        let is_settings = |port: &&PortSchema| *port.name == *SETTINGS && only != Some(SETTINGS);
        let settings = self.parsed(&member.ports.iter().find(is_settings)?.text);
        let (name, own) = wanted.of(&settings, Flag::Shared)?;
        let said = if schema::is_bare(own) { None } else { settings.share(name) };
        said.map(|shared| shared.said_at(format!("{node}:{SETTINGS}")))
    }

    /// The definition that `node` offers to those behind it.
    fn offered(
        &self,
        node: &str,
        wanted: Wanted<'_>,
        seen: &mut BTreeSet<String>,
    ) -> Option<Shared> {
        if !seen.insert(node.to_owned()) {
            return None;
        }
        let member = self.sharing.members.get(node)?;
        let sources = member.ports.iter().filter(|port| port.is_source);
        let others = member.ports.iter().filter(|port| !port.is_source);
        let mut passes = None;
        for port in sources.chain(others) {
            let schema = self.parsed(&port.text);
            let Some((name, own)) = wanted.of(&schema, Flag::Shared) else { continue };
            let place = format!("{node}:{}", port.name);
            if schema::is_said(own) {
                return schema.share(name).map(|shared| shared.said_at(place));
            }
            passes.get_or_insert(place);
        }
        let place = passes?;
        let written = self.written(member, wanted).map(|shared| shared.said_at(place));
        written.or_else(|| self.taken(node, member, None, wanted, seen))
    }
}

/// The definition that is looked for: by its name or, where none is called so, by its field.
#[derive(Clone, Copy)]
struct Wanted<'a> {
    name: &'a str,
    field: &'a str,
}

impl Wanted<'_> {
    fn of<'a>(&self, schema: &'a Schema, flag: Flag) -> Option<(&'a str, &'a Value)> {
        schema.meant(self.name, self.field, flag)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn port(name: &str, is_source: bool, definition: &Value) -> PortSchema {
        let schema = json!({"$ref": "#/$defs/M", "$defs": {"M": {}, "Context": definition}});
        PortSchema { name: name.into(), is_source, text: Text::from(&schema) }
    }

    /// A node that passes `context` from `in` to `out`, with edges to the `in` of others.
    fn passing(to: &[&str]) -> Member {
        let open = json!({"configurable": true, "path": "$.context"});
        let out = json!({"shared": true, "path": "$.context"});
        member(vec![port("in", false, &open), port("out", true, &out)], to)
    }

    /// A node that says what its `context` is.
    fn saying(title: &str, to: &[&str]) -> Member {
        let said = json!({"type": "object", "title": title, "shared": true, "path": "$"});
        member(vec![port("out", true, &said)], to)
    }

    fn member(ports: Vec<PortSchema>, to: &[&str]) -> Member {
        let edge = |to: &&str| Edge { id: (*to).into(), to: Address::new(*to, "in") };
        Member { ports, written: Vec::new(), edges: to.iter().map(edge).collect() }
    }

    fn sharing(members: &[(&str, Member)]) -> Sharing {
        let mut sharing = Sharing::default();
        for (name, member) in members {
            sharing.put(name, Some(member.clone()));
        }
        sharing
    }

    /// The title and origin of the context at a port.
    fn context(sharing: &Sharing, node: &str, port: &str) -> Option<(String, String)> {
        let effective = sharing.effective(node);
        let context = effective.get(port)?.value()["$defs"]["Context"].clone();
        let word = |word: &str| context[word].as_str().unwrap_or_default().to_owned();
        Some((word("title"), word(schema::SHARED_FROM)))
    }

    fn said(title: &str, from: &str) -> Option<(String, String)> {
        Some((title.to_owned(), from.to_owned()))
    }

    #[test]
    fn what_one_node_says_reaches_all_behind_it() {
        let mut sharing = sharing(&[
            ("start", saying("Order", &["a"])),
            ("a", passing(&["b"])),
            ("b", passing(&["a"])),
        ]);
        for (node, port) in [("a", "in"), ("a", "out"), ("b", "in"), ("b", "out")] {
            assert_eq!(context(&sharing, node, port), said("Order", "start:out"), "{node}:{port}");
        }
        assert_eq!(sharing.effective("start"), BTreeMap::new());
        assert_eq!(sharing.stirred().len(), 3);
        assert!(sharing.stirred().is_empty());
        // Nobody says it any more: the circle does not keep it alive.
        sharing.put("start", None);
        assert_eq!(sharing.stirred().len(), 3, "and all are told");
        assert!(sharing.effective("a").is_empty() && sharing.effective("b").is_empty());
    }

    #[test]
    fn the_first_edge_that_says_something_wins() {
        let nodes = [("z", saying("Z", &["a"])), ("y", saying("Y", &["a"])), ("a", passing(&[]))];
        let mut both = sharing(&nodes);
        assert_eq!(context(&both, "a", "in"), said("Y", "y:out"));
        let mute = member(vec![port("out", true, &json!({"shared": true}))], &["a"]);
        both.put("y", Some(mute));
        assert_eq!(context(&both, "a", "in"), said("Z", "z:out"), "a bare one masks nothing");
    }

    #[test]
    fn what_somebody_wrote_for_the_node_wins() {
        let mut open = passing(&["b"]);
        let written = json!({"$defs": {"Context": {"type": "object", "title": "Mine", "configurable": true}}});
        open.written.push(Text::from(&written));
        let sharing =
            sharing(&[("start", saying("Order", &["a"])), ("a", open), ("b", passing(&[]))]);
        assert_eq!(context(&sharing, "a", "in"), said("Mine", ""));
        assert_eq!(context(&sharing, "a", "out"), said("Mine", ""));
        assert_eq!(context(&sharing, "b", "in"), said("Mine", "a:out"));
    }

    #[test]
    fn what_a_node_of_another_module_received_is_not_taken_for_what_it_says() {
        let received = |flag: &str| {
            port(
                flag,
                flag == "out",
                &json!({"type": "object", "title": "Old", "configurable": true,
                "shared": true, (schema::SHARED_FROM): "start:out"}),
            )
        };
        let foreign = member(vec![received("in"), received("out")], &["b"]);
        let mut sharing =
            sharing(&[("start", saying("New", &["a"])), ("a", foreign), ("b", passing(&[]))]);
        assert_eq!(context(&sharing, "b", "in"), said("New", "start:out"));
        sharing.put("start", None);
        assert_eq!(context(&sharing, "b", "in"), None);
    }

    #[test]
    fn the_settings_of_a_node_are_shared_with_its_own_ports() {
        let choice =
            json!({"type": "string", "enum": ["A", "B"], "shared": true, "path": "$.route"});
        let open = json!({"type": "string", "configurable": true, "path": "$.route"});
        let ports = vec![port("_settings", false, &choice), port("in", false, &open)];
        let sharing = sharing(&[("a", member(ports, &[]))]);
        let taken = sharing.effective("a")["in"].value()["$defs"]["Context"].clone();
        assert_eq!(taken["enum"], json!(["A", "B"]));
        assert_eq!((&taken["path"], &taken["configurable"]), (&json!("$.route"), &json!(true)));
    }

    #[test]
    fn a_type_of_rust_is_not_replaced_by_another_one() {
        let number = json!({"type": "integer", "shared": true});
        let text = json!({"type": "string", "configurable": true});
        let ports = vec![port("in", false, &text)];
        let nodes = [
            ("start", member(vec![port("out", true, &number)], &["a"])),
            ("a", member(ports, &[])),
        ];
        assert!(sharing(&nodes).effective("a").is_empty());
    }

    #[test]
    fn only_news_is_told() {
        let mut sharing = sharing(&[("a", passing(&["b", "c"]))]);
        assert_eq!(sharing.stirred().len(), 3);
        sharing.put("a", Some(passing(&["b", "c"])));
        assert!(sharing.stirred().is_empty());
        sharing.put("a", Some(passing(&["b"])));
        assert!(sharing.feeds.contains_key("b") && !sharing.feeds.contains_key("c"));
        assert!(sharing.stirred().contains("c"), "the one that was left is told");
        sharing.put("a", None);
        assert!(sharing.feeds.is_empty());
    }
}
