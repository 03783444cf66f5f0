//! Tarjan's algorithm: the strongly connected parts of a graph.

use std::collections::{BTreeMap, BTreeSet};

pub type Graph = BTreeMap<String, BTreeSet<String>>;

/// Groups of nodes each of which leads to all others of its group; single nodes are none.
pub fn circles(graph: &Graph) -> Vec<Vec<String>> {
    let mut search = Search {
        graph,
        numbers: BTreeMap::new(),
        lowest: BTreeMap::new(),
        stack: Vec::new(),
        found: Vec::new(),
    };
    for node in graph.keys() {
        if !search.numbers.contains_key(node.as_str()) {
            search.visit(node);
        }
    }
    search.found
}

struct Search<'a> {
    graph: &'a Graph,
    numbers: BTreeMap<&'a str, usize>,
    lowest: BTreeMap<&'a str, usize>,
    stack: Vec<&'a str>,
    found: Vec<Vec<String>>,
}

impl<'a> Search<'a> {
    fn visit(&mut self, node: &'a str) {
        let number = self.numbers.len();
        self.numbers.insert(node, number);
        self.lowest.insert(node, number);
        self.stack.push(node);
        for next in self.graph.get(node).into_iter().flatten() {
            let low = if !self.numbers.contains_key(next.as_str()) {
                self.visit(next);
                self.lowest[next.as_str()]
            } else if self.stack.contains(&next.as_str()) {
                self.numbers[next.as_str()]
            } else {
                continue;
            };
            let lowest = self.lowest.get_mut(node).expect("a node that is visited");
            *lowest = low.min(*lowest);
        }
        if self.lowest[node] == number {
            let from = self.stack.iter().position(|other| *other == node);
            let group = self.stack.split_off(from.expect("on the stack"));
            if group.len() > 1 {
                self.found
                    .push(group.into_iter().map(str::to_owned).collect());
            }
        }
    }
}
