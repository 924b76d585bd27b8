//! What leads around in circles, in the order in which it can be told.

/// The circles of a graph, in which `leads` tells where each number leads: each before those to which it leads. A number that is in no
/// circle is one by itself. (Tarjan's algorithm, without recursion.)
pub(super) fn in_order(leads: &[Vec<usize>]) -> Vec<Vec<usize>> {
    const UNSEEN: usize = usize::MAX;
    let count = leads.len();
    let (mut order, mut low, mut open) = (vec![UNSEEN; count], vec![0; count], vec![false; count]);
    let (mut stack, mut circles, mut next) = (Vec::new(), Vec::new(), 0);
    for start in 0..count {
        if order[start] != UNSEEN {
            continue;
        }
        // Each with the number of its leads that were followed.
        let mut way = vec![(start, 0)];
        while let Some((at, followed)) = way.pop() {
            if followed == 0 {
                (order[at], low[at], open[at]) = (next, next, true);
                next += 1;
                stack.push(at);
            }
            if let Some(&to) = leads[at].get(followed) {
                way.push((at, followed + 1));
                if order[to] == UNSEEN {
                    way.push((to, 0));
                } else if open[to] {
                    low[at] = low[at].min(order[to]);
                }
                continue;
            }
            if let Some((before, _)) = way.last() {
                low[*before] = low[*before].min(low[at]);
            }
            if low[at] == order[at] {
                let from = stack.iter().rposition(|it| *it == at).unwrap_or(0);
                let circle = stack.split_off(from);
                circle.iter().for_each(|it| open[*it] = false);
                circles.push(circle);
            }
        }
    }
    circles.reverse();
    circles
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_comes_before_what_it_leads_to() {
        let mut found = in_order(&[vec![1], vec![2], vec![1, 3], vec![], vec![4]]);
        found.iter_mut().for_each(|circle| circle.sort_unstable());
        let place = |it: &[usize]| found.iter().position(|circle| circle == it).unwrap();
        assert_eq!(found.len(), 4, "{found:?}");
        assert!(place(&[0]) < place(&[1, 2]) && place(&[1, 2]) < place(&[3]), "{found:?}");
        place(&[4]);
    }

    #[test]
    fn a_long_way_is_no_deep_one() {
        let leads: Vec<Vec<usize>> = (0..100_000).map(|at| vec![(at + 1) % 100_000]).collect();
        assert_eq!(in_order(&leads).len(), 1);
    }
}
