//! Changes the lists of some owners through one connection, and tells the oracle.

use super::oracle::Oracle;
use super::worker::Connection;

/// Most pairs that one call changes.
const BATCH: usize = 3;
/// One call in so many adds a peer that stays.
const RARELY: usize = 4;

/// No two changers share an owner.
pub struct Changer<'a> {
    pub connection: Connection,
    pub oracle: &'a Oracle,
    pub owners: &'a [String],
    /// Peers that are added once.
    pub kept: &'a [String],
    /// Peers that are added and deleted, again and again.
    pub toggled: &'a [String],
}

impl Changer<'_> {
    /// Makes so many calls; each changes something, so that the service tells of it.
    pub fn run(mut self, calls: u64) -> Connection {
        let mut kept = vec![0; self.owners.len()];
        let mut toggled = vec![vec![false; self.toggled.len()]; self.owners.len()];
        for _ in 0..calls {
            let at = fastrand::usize(..self.owners.len());
            if kept[at] < self.kept.len() && fastrand::usize(..RARELY) == 0 {
                let peer = self.kept[kept[at]].as_str();
                kept[at] += 1;
                self.change(true, at, &[peer]);
            } else {
                let is_listed = &mut toggled[at];
                let first = fastrand::usize(..is_listed.len());
                let is_add = !is_listed[first];
                let alike = (first..is_listed.len()).filter(|peer| is_listed[*peer] != is_add);
                let chosen: Vec<_> = alike.take(fastrand::usize(1..=BATCH)).collect();
                let peers: Vec<_> = chosen
                    .iter()
                    .map(|peer| self.toggled[*peer].as_str())
                    .collect();
                for peer in &chosen {
                    is_listed[*peer] = is_add;
                }
                self.change(is_add, at, &peers);
            }
        }
        self.connection
    }

    fn change(&mut self, is_add: bool, owner: usize, peers: &[&str]) {
        let owner = self.owners[owner].as_str();
        self.oracle.begin(is_add, owner, peers);
        self.connection.change(is_add, owner, peers);
        self.oracle.end(is_add, owner, peers);
    }
}
