//! Where everything stands in a drawing: nodes in columns, each behind those that send to it.

use crate::component::Position;

/// The width of a letter of the names of ports, and of those of nodes.
const LETTER: (i32, i32) = (7, 8);
/// The height of what stands above the ports of a node, and of a port.
pub(super) const HEAD: i32 = 46;
pub(super) const ROW: i32 = 22;
/// The least width of a node.
const NARROW: i32 = 120;
/// Between columns, between nodes of one, and around all.
const GAPS: (i32, i32, i32) = (90, 34, 24);
/// What ports at the top or bottom take beside each other.
const BESIDE: i32 = 24;
/// Between edges that lead back.
const LANE: i32 = 14;

/// A port on a side of its node.
#[derive(Clone, Debug)]
pub(super) struct Port {
    pub(super) name: String,
    pub(super) side: Position,
    pub(super) is_error: bool,
    /// From the corner of its node.
    pub(super) at: (i32, i32),
}

impl Port {
    pub(super) fn new(name: &str, side: Position, is_error: bool) -> Self {
        Self { name: name.to_owned(), side, is_error, at: (0, 0) }
    }

    fn width(&self) -> i32 {
        letters(&self.name) * LETTER.0
    }
}

/// A node.
#[derive(Clone, Debug)]
pub(super) struct Box {
    pub(super) name: String,
    /// Its component.
    pub(super) below: String,
    /// The files do not have it: an edge leads there.
    pub(super) is_elsewhere: bool,
    pub(super) ports: Vec<Port>,
    pub(super) corner: (i32, i32),
    pub(super) size: (i32, i32),
}

impl Box {
    pub(super) fn new(name: &str, below: &str, ports: Vec<Port>) -> Self {
        let (name, below) = (name.to_owned(), below.to_owned());
        Self { name, below, is_elsewhere: false, ports, corner: (0, 0), size: (0, 0) }
    }

    pub(super) fn elsewhere(name: &str) -> Self {
        Self { is_elsewhere: true, ..Self::new(name, "elsewhere", Vec::new()) }
    }

    /// The place of a port, which is added where it is new.
    pub(super) fn port(&mut self, port: Port) -> usize {
        let known = self.ports.iter().position(|it| it.name == port.name);
        known.unwrap_or_else(|| {
            self.ports.push(port);
            self.ports.len() - 1
        })
    }

    /// Gives it a size, and its ports their places.
    fn measure(&mut self) {
        let on = |side| self.ports.iter().filter(move |port| port.side == side);
        let widest = |side| on(side).map(Port::width).max().unwrap_or(0);
        let beside = |side| on(side).map(|port| port.width() + BESIDE).sum::<i32>();
        let title = letters(&self.name).max(letters(&self.below)) * LETTER.1 + BESIDE;
        let rows = widest(Position::Left) + widest(Position::Right) + 2 * BESIDE;
        let across = beside(Position::Top).max(beside(Position::Bottom)) + BESIDE;
        let width = title.max(rows).max(across).max(NARROW);
        let count = |side| i32::try_from(on(side).count()).unwrap_or(i32::MAX);
        let tall = count(Position::Left).max(count(Position::Right));
        let below = if count(Position::Bottom) > 0 { ROW } else { 6 };
        self.size = (width, HEAD + tall * ROW + below);
        let (width, height) = self.size;
        let (mut left, mut right, mut top, mut bottom) = (0, 0, BESIDE, BESIDE);
        for port in &mut self.ports {
            let half = port.width() / 2;
            port.at = match port.side {
                Position::Left => {
                    left += 1;
                    (0, HEAD + left * ROW - ROW / 2)
                }
                Position::Right => {
                    right += 1;
                    (width, HEAD + right * ROW - ROW / 2)
                }
                Position::Top => {
                    top += 2 * half + BESIDE;
                    (top - half - BESIDE, 0)
                }
                Position::Bottom => {
                    bottom += 2 * half + BESIDE;
                    (bottom - half - BESIDE, height)
                }
            };
        }
    }

    /// Where the port at this place is in the drawing.
    pub(super) fn end(&self, port: usize) -> (i32, i32) {
        let (x, y) = self.ports[port].at;
        (self.corner.0 + x, self.corner.1 + y)
    }
}

/// An edge, from a port of a node to one of another: the places of both.
#[derive(Clone, Debug)]
pub(super) struct Edge {
    pub(super) id: String,
    pub(super) from: (usize, usize),
    pub(super) to: (usize, usize),
    /// Where it passes columns in between, from left to right.
    pub(super) bends: Vec<(i32, i32)>,
    /// Of one that leads back: how many do above it, and how far down it passes below all nodes.
    pub(super) lane: Option<(i32, i32)>,
}

impl Edge {
    pub(super) fn new(id: &str, from: (usize, usize), to: (usize, usize)) -> Self {
        Self { id: id.to_owned(), from, to, bends: Vec::new(), lane: None }
    }
}

/// What stands in a column: a node, or an edge that passes.
#[derive(Clone, Copy, PartialEq)]
enum Place {
    Node(usize),
    Bend(usize),
}

/// A drawing.
#[derive(Clone, Debug)]
pub(super) struct Plan {
    pub(super) boxes: Vec<Box>,
    pub(super) edges: Vec<Edge>,
    pub(super) size: (i32, i32),
}

impl Plan {
    /// Finds a place for each.
    pub(super) fn of(mut boxes: Vec<Box>, mut edges: Vec<Edge>) -> Self {
        boxes.iter_mut().for_each(Box::measure);
        let column = columns(boxes.len(), &edges);
        let columns = ordered(&column, &edges);
        let (across, down, around) = GAPS;
        let size = |boxes: &[Box], place: &Place| match place {
            Place::Node(at) => boxes[*at].size,
            Place::Bend(_) => (0, 0),
        };
        let tall = |column: &Vec<Place>| {
            column.iter().map(|place| size(&boxes, place).1 + down).sum::<i32>() - down
        };
        let height = columns.iter().map(tall).max().unwrap_or(0);
        let tops: Vec<i32> =
            columns.iter().map(|column| around + (height - tall(column)) / 2).collect();
        let mut x = around;
        for (column, top) in columns.iter().zip(tops) {
            let mut y = top;
            let widest = column.iter().map(|place| size(&boxes, place).0).max().unwrap_or(0);
            for place in column {
                match place {
                    Place::Node(at) => boxes[*at].corner = (x, y),
                    Place::Bend(edge) => edges[*edge].bends.extend([(x, y), (x + widest, y)]),
                }
                y += size(&boxes, place).1 + down;
            }
            x += widest + across;
        }
        let mut bottom = height + around + BESIDE / 3;
        // One from a node to itself is short, and seen as it is.
        let leads_back =
            |edge: &&mut Edge| edge.from.0 != edge.to.0 && column[edge.to.0] <= column[edge.from.0];
        for (at, edge) in (0..).zip(edges.iter_mut().filter(leads_back)) {
            bottom += LANE;
            edge.lane = Some((at, bottom));
        }
        // They turn to the right of the last column.
        let right = if edges.iter().any(|edge| edge.lane.is_some()) { across / 2 } else { 0 };
        Self { boxes, edges, size: (x - across + around + right, bottom + around) }
    }
}

/// The column of each node: behind all that send to it, but for edges that close a circle.
fn columns(nodes: usize, edges: &[Edge]) -> Vec<usize> {
    let mut next = vec![Vec::new(); nodes];
    let mut is_first = vec![true; nodes];
    for edge in edges.iter().filter(|edge| edge.from.0 != edge.to.0) {
        next[edge.from.0].push(edge.to.0);
        is_first[edge.to.0] = false;
    }
    // Depth first, from those that nobody sends to: a node is done after all behind it.
    let mut done: Vec<usize> = Vec::new();
    let mut state = vec![0_u8; nodes];
    let mut forward = vec![Vec::new(); nodes];
    let starts = (0..nodes).filter(|at| is_first[*at]).chain(0..nodes);
    for start in starts {
        if state[start] != 0 {
            continue;
        }
        state[start] = 1;
        let mut open = vec![(start, 0)];
        while let Some((at, child)) = open.pop() {
            let Some(to) = next[at].get(child).copied() else {
                state[at] = 2;
                done.push(at);
                continue;
            };
            open.push((at, child + 1));
            // One that is open stands before this: the edge closes a circle.
            if state[to] != 1 {
                forward[at].push(to);
            }
            if state[to] == 0 {
                state[to] = 1;
                open.push((to, 0));
            }
        }
    }
    let mut column = vec![0; nodes];
    for at in done.iter().rev() {
        for to in &forward[*at] {
            column[*to] = column[*to].max(column[*at] + 1);
        }
    }
    column
}

/// What stands in each column, and in which order: that of those that send there.
fn ordered(column: &[usize], edges: &[Edge]) -> Vec<Vec<Place>> {
    let mut columns = vec![Vec::new(); column.iter().max().map_or(0, |last| last + 1)];
    for (at, column) in column.iter().enumerate() {
        columns[*column].push(Place::Node(at));
    }
    for (at, edge) in edges.iter().enumerate() {
        let (from, to) = (column[edge.from.0], column[edge.to.0]);
        for passed in columns.iter_mut().take(to).skip(from + 1) {
            passed.push(Place::Bend(at));
        }
    }
    let mut before: Vec<Place> = Vec::new();
    for column in &mut columns {
        // Ports lie in their order below each other, and so should what is behind them.
        let rank = |from: Place, port: usize| {
            before.iter().position(|place| *place == from).map(|rank| rank * 64 + port.min(63))
        };
        let of_edge = |at: usize| {
            let edge = &edges[at];
            rank(Place::Bend(at), 0).or_else(|| rank(Place::Node(edge.from.0), edge.from.1))
        };
        column.sort_by_key(|place| match place {
            Place::Bend(at) => of_edge(*at).unwrap_or(0),
            Place::Node(node) => {
                let into = (0..edges.len()).filter(|at| edges[*at].to.0 == *node);
                let ranks: Vec<usize> = into.filter_map(of_edge).collect();
                ranks.iter().sum::<usize>().checked_div(ranks.len()).unwrap_or(0)
            }
        });
        before.clone_from(column);
    }
    columns
}

fn letters(text: &str) -> i32 {
    i32::try_from(text.chars().count()).unwrap_or(i32::MAX / 16)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(nodes: usize, edges: &[(usize, usize)]) -> Plan {
        let port = |name, side| Port::new(name, side, false);
        let ports = || vec![port("in", Position::Left), port("out", Position::Right)];
        let boxes = (0..nodes).map(|at| Box::new(&format!("node-{at}"), "c", ports())).collect();
        let edge = |(from, to): &(usize, usize)| Edge::new("e", (*from, 1), (*to, 0));
        Plan::of(boxes, edges.iter().map(edge).collect())
    }

    #[test]
    fn a_node_stands_behind_all_that_send_to_it() {
        let plan = plan(4, &[(0, 1), (1, 3), (0, 2), (2, 1)]);
        let x = |at: usize| plan.boxes[at].corner.0;
        assert!(x(0) < x(2) && x(2) < x(1) && x(1) < x(3));
    }

    #[test]
    fn an_edge_passes_beside_the_nodes_between_its_ends() {
        let plan = plan(3, &[(0, 1), (1, 2), (0, 2)]);
        let (between, bends) = (&plan.boxes[1], &plan.edges[2].bends);
        assert_eq!(bends.len(), 2);
        let (top, bottom) = (between.corner.1, between.corner.1 + between.size.1);
        assert!(bends.iter().all(|(_, y)| *y < top || *y > bottom), "{bends:?} {between:?}");
    }

    #[test]
    fn edges_that_lead_back_pass_below_all_nodes_and_each_other() {
        let plan = plan(3, &[(0, 1), (1, 2), (2, 0), (1, 0), (1, 1)]);
        let lanes: Vec<i32> = plan.edges.iter().filter_map(|it| Some(it.lane?.1)).collect();
        let bottom = plan.boxes.iter().map(|it| it.corner.1 + it.size.1).max().unwrap_or(0);
        assert!(lanes.len() == 2 && lanes[0] > bottom && lanes[1] > lanes[0], "{lanes:?}");
        assert!(lanes[1] < plan.size.1);
    }

    #[test]
    fn a_circle_has_a_beginning() {
        let plan = plan(3, &[(0, 1), (1, 2), (2, 0), (1, 1)]);
        let x = |at: usize| plan.boxes[at].corner.0;
        assert!(x(0) < x(1) && x(1) < x(2));
    }

    #[test]
    fn no_two_overlap_and_all_is_inside() {
        let edges: Vec<(usize, usize)> = (1..12).map(|at| (at / 3, at)).chain([(11, 0)]).collect();
        let plan = plan(12, &edges);
        for (at, one) in plan.boxes.iter().enumerate() {
            let (right, bottom) = (one.corner.0 + one.size.0, one.corner.1 + one.size.1);
            assert!(
                one.corner.0 > 0 && one.corner.1 > 0 && right < plan.size.0 && bottom < plan.size.1
            );
            for other in &plan.boxes[at + 1..] {
                let beside =
                    right <= other.corner.0 || other.corner.0 + other.size.0 <= one.corner.0;
                let below =
                    bottom <= other.corner.1 || other.corner.1 + other.size.1 <= one.corner.1;
                assert!(beside || below, "{one:?} and {other:?}");
            }
        }
    }
}
