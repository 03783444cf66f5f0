//! What a path means: the module in which the thing is defined, whatever re-exports it.

use std::collections::BTreeSet;

use super::tree::Tree;

pub enum Meaning {
    /// An item of this module.
    Item(usize),
    Module(usize),
    /// Something of another crate, by its full path.
    Elsewhere(Vec<String>),
}

pub struct Resolved {
    pub meaning: Meaning,
    /// Modules by which the path or a re-export goes there.
    pub by: BTreeSet<usize>,
}

/// `None`: the path begins in this crate and leads nowhere.
pub fn resolve(tree: &Tree, module: usize, path: &[String]) -> Option<Resolved> {
    let mut by = BTreeSet::new();
    let meaning = Resolver { tree, steps: 0 }.absolute(module, path, &mut by)?;
    Some(Resolved { meaning, by })
}

struct Resolver<'a> {
    tree: &'a Tree,
    /// Re-exports can lead in a circle.
    steps: u32,
}

impl Resolver<'_> {
    fn absolute(
        &mut self,
        module: usize,
        path: &[String],
        by: &mut BTreeSet<usize>,
    ) -> Option<Meaning> {
        let mut at = module;
        let mut rest = path;
        while let Some((first, after)) = rest.split_first() {
            at = match first.as_str() {
                "crate" => 0,
                "self" => at,
                "super" => self.tree.modules[at].parent?,
                _ => break,
            };
            rest = after;
        }
        if rest.is_empty() {
            return Some(Meaning::Module(at));
        }
        if let Some(meaning) = self.inside(at, rest, by) {
            return Some(meaning);
        }
        // A crate, the prelude, a type parameter or a local name.
        (rest.len() == path.len()).then(|| Meaning::Elsewhere(path.to_vec()))
    }

    fn inside(
        &mut self,
        module: usize,
        path: &[String],
        by: &mut BTreeSet<usize>,
    ) -> Option<Meaning> {
        self.steps += 1;
        if self.steps > 100 {
            return None;
        }
        let here = &self.tree.modules[module];
        let (name, after) = path.split_first()?;
        by.insert(module);
        if after.is_empty() && here.items.contains(name) {
            return Some(Meaning::Item(module));
        }
        if let Some(child) = here.children.get(name) {
            if after.is_empty() {
                return Some(Meaning::Module(*child));
            }
            if let Some(meaning) = self.inside(*child, after, by) {
                return Some(meaning);
            }
        }
        // A variant or an associated item is where its type is.
        if here.items.contains(name) {
            return Some(Meaning::Item(module));
        }
        for (imported, origin) in &here.imports {
            if imported == name && origin != path {
                let whole = [origin, after].concat();
                if let Some(meaning) = self.absolute(module, &whole, by) {
                    return Some(meaning);
                }
            }
        }
        for origin in &here.globs {
            let whole = [origin, path].concat();
            if let Some(meaning @ (Meaning::Item(_) | Meaning::Module(_))) =
                self.absolute(module, &whole, by)
            {
                return Some(meaning);
            }
        }
        None
    }
}
