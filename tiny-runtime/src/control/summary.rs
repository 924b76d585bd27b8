//! How the nodes of a module are, in few words.

use std::collections::BTreeMap;

/// How the nodes of this module are, in few words.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// True once all nodes of the namespace have been seen.
    pub listed: bool,
    /// Nodes of this module.
    pub own: usize,
    /// Those that take messages and have no fault.
    pub ready: usize,
    /// One sentence for each fault.
    pub faults: Vec<String>,
    /// Other modules that nodes of the namespace ask for, each with the number of its nodes.
    pub others: BTreeMap<String, usize>,
    /// One sentence for each edge from or to a node of this module whose mapping cannot be right.
    pub refuted: Vec<String>,
}
