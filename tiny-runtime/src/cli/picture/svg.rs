//! A drawing as SVG: light or dark, as whoever looks has it.

use super::plan::{Box, Edge, HEAD, Plan};
use crate::component::Position;

const STYLE: &str = "\
text { font: 12px ui-monospace, SFMono-Regular, Menlo, monospace; fill: #24292f }
.name { font-weight: 600; font-size: 13px }
.below { fill: #656d76 }
.node { fill: #ffffff; stroke: #8c959f }
.elsewhere { stroke-dasharray: 5 4 }
.edge { fill: none; stroke: #57606a; stroke-width: 1.5 }
.port { fill: #0969da }
.failed { fill: #cf222e; stroke: #cf222e }
.edge.failed { fill: none }
@media (prefers-color-scheme: dark) {
text { fill: #e6edf3 }
.below { fill: #8d96a0 }
.node { fill: #161b22; stroke: #6e7681 }
.edge { stroke: #8d96a0 }
.port { fill: #4493f8 }
}
";

/// The text of the drawing.
pub(super) fn written(plan: &Plan) -> String {
    let (width, height) = plan.size;
    let mut text = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" viewBox=\"0 0 {width} {height}\" role=\"img\">\n\
         <style>\n{STYLE}</style>\n"
    );
    for edge in &plan.edges {
        text += &line(plan, edge);
    }
    for drawn in &plan.boxes {
        text += &node(drawn);
    }
    text + "</svg>\n"
}

fn line(plan: &Plan, edge: &Edge) -> String {
    let end = |(node, port): (usize, usize)| {
        let drawn = &plan.boxes[node];
        (drawn.end(port), &drawn.ports[port])
    };
    let ((from, source), (to, target)) = (end(edge.from), end(edge.to));
    let kind = if source.is_error { "edge failed" } else { "edge" };
    let mut path = format!("M{} {}", from.0, from.1);
    if let Some((at, lane)) = edge.lane {
        let turn = |node: usize, end: (i32, i32), side: Position| {
            let drawn = &plan.boxes[node];
            // Each beside the one before, in the gap between the columns.
            let beside = 14 + 5 * (at % 6);
            let (x, first) = match side {
                Position::Left => (drawn.corner.0 - beside, end),
                Position::Right => (end.0 + beside, end),
                Position::Top => (drawn.corner.0 + drawn.size.0 + beside, (end.0, end.1 - 12)),
                Position::Bottom => (drawn.corner.0 + drawn.size.0 + beside, (end.0, end.1 + 12)),
            };
            [first, (x, first.1), (x, lane)]
        };
        let one = turn(edge.from.0, from, source.side);
        let two = turn(edge.to.0, to, target.side);
        path += &rounded(from, one.into_iter().chain(two.into_iter().rev()), to);
        return stroke(kind, &path, edge);
    }
    // Through each bend from left to right, and at both ends as their sides are.
    let mut last = (from, source.side);
    let bends = edge.bends.iter().map(|bend| (*bend, Position::Left));
    for (at, side) in bends.chain([(to, target.side)]) {
        let apart = (at.0 - last.0.0).abs().max((at.1 - last.0.1).abs());
        // Further out the further apart, so that also one to the node itself is seen.
        let reach = match edge.bends.is_empty() {
            true => (apart / 2).clamp(40, 160),
            false => apart / 2,
        };
        let (one, two) = (out(last.0, last.1, reach), out(at, side, reach));
        path += &format!(" C{} {} {} {} {} {}", one.0, one.1, two.0, two.1, at.0, at.1);
        last = (at, Position::Right);
    }
    stroke(kind, &path, edge)
}

fn stroke(kind: &str, path: &str, edge: &Edge) -> String {
    format!("<path class=\"{kind}\" d=\"{path}\"><title>{}</title></path>\n", escaped(&edge.id))
}

/// Straight from one point to the next, with round corners.
fn rounded(from: (i32, i32), corners: impl Iterator<Item = (i32, i32)>, to: (i32, i32)) -> String {
    let mut points: Vec<(i32, i32)> = [from].into_iter().chain(corners).chain([to]).collect();
    points.dedup();
    let towards = |one: (i32, i32), other: (i32, i32)| {
        let step = |one: i32, other: i32| (other - one).clamp(-6, 6);
        (one.0 + step(one.0, other.0), one.1 + step(one.1, other.1))
    };
    let mut path = String::new();
    for three in points.windows(3) {
        let ((x, y), before, after) =
            (three[1], towards(three[1], three[0]), towards(three[1], three[2]));
        path += &format!(" L{} {} Q{x} {y} {} {}", before.0, before.1, after.0, after.1);
    }
    path + &format!(" L{} {}", to.0, to.1)
}

/// A point so far out of a port; above and below a node no further than to the next one.
fn out((x, y): (i32, i32), side: Position, reach: i32) -> (i32, i32) {
    let upright = reach.min(30);
    match side {
        Position::Left => (x - reach, y),
        Position::Right => (x + reach, y),
        Position::Top => (x, y - upright),
        Position::Bottom => (x, y + upright),
    }
}

fn node(drawn: &Box) -> String {
    let ((x, y), (width, height)) = (drawn.corner, drawn.size);
    let kind = if drawn.is_elsewhere { "node elsewhere" } else { "node" };
    let middle = x + width / 2;
    let mut text = format!(
        "<rect class=\"{kind}\" x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\" rx=\"6\"/>\n\
         <text class=\"name\" x=\"{middle}\" y=\"{}\" text-anchor=\"middle\">{}</text>\n\
         <text class=\"below\" x=\"{middle}\" y=\"{}\" text-anchor=\"middle\">{}</text>\n",
        y + 19,
        escaped(&drawn.name),
        y + HEAD - 10,
        escaped(&drawn.below)
    );
    for (at, port) in drawn.ports.iter().enumerate() {
        let (x, y) = drawn.end(at);
        let (label, anchor) = match port.side {
            Position::Left => ((x + 10, y + 4), "start"),
            Position::Right => ((x - 10, y + 4), "end"),
            Position::Top => ((x, y - 8), "middle"),
            Position::Bottom => ((x, y - 9), "middle"),
        };
        let kind = if port.is_error { "port failed" } else { "port" };
        text += &format!(
            "<circle class=\"{kind}\" cx=\"{x}\" cy=\"{y}\" r=\"4\"/>\
             <text x=\"{}\" y=\"{}\" text-anchor=\"{anchor}\">{}</text>\n",
            label.0,
            label.1,
            escaped(&port.name)
        );
    }
    text
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::super::plan::Port;
    use super::*;

    #[test]
    fn names_cannot_break_out() {
        let port = || vec![Port::new("a\"b", Position::Left, true)];
        let plan = Plan::of(vec![Box::new("<x>", "a & b", port())], Vec::new());
        let text = written(&plan);
        assert!(
            text.contains("&lt;x&gt;") && text.contains("a &amp; b") && text.contains("a&quot;b")
        );
        assert_eq!(text.matches("<svg").count(), 1);
        assert!(text.ends_with("</svg>\n"));
    }

    #[test]
    fn an_edge_begins_and_ends_at_its_ports() {
        let port = |side| vec![Port::new("p", side, false)];
        let boxes = vec![
            Box::new("a", "c", port(Position::Right)),
            Box::new("b", "c", port(Position::Left)),
        ];
        let edge = Edge::new("a-b", (0, 0), (1, 0));
        let plan = Plan::of(boxes, vec![edge]);
        let (from, to) = (plan.boxes[0].end(0), plan.boxes[1].end(0));
        let text = written(&plan);
        assert!(text.contains(&format!("d=\"M{} {} C", from.0, from.1)), "{text}");
        assert!(text.contains(&format!(" {} {}\"><title>a-b</title>", to.0, to.1)), "{text}");
    }
}
