//! The modules of a crate, read as the compiler reads them: by `mod` lines from its root, without what only a build
//! of the unit tests has.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use proc_macro2::{TokenStream, TokenTree};
use syn::spanned::Spanned;
use syn::visit::{self, Visit};
use syn::{Attribute, Item, Meta, UseTree};

/// One module, of a file of its own or inside another one.
pub struct Module {
    /// Relative to `src`.
    pub file: String,
    pub parent: Option<usize>,
    pub children: BTreeMap<String, usize>,
    /// Names of all items.
    pub items: BTreeSet<String>,
    /// Names of structs, enums, unions, traits and type aliases.
    pub types: Vec<String>,
    /// What `use` brings in: the name and the path.
    pub imports: Vec<(String, Vec<String>)>,
    /// Paths before a `*`.
    pub globs: Vec<Vec<String>>,
    /// Every path in the module: in `use`, in code, in attributes and inside invocations of macros.
    pub paths: Vec<Vec<String>>,
}

#[derive(Default)]
pub struct Tree {
    /// The first one is the root.
    pub modules: Vec<Module>,
    /// The code of each file: neither comments nor unit tests.
    pub code: BTreeMap<String, Vec<String>>,
    /// Files that only unit tests have.
    pub tests: BTreeSet<String>,
}

impl Tree {
    /// Reads the crate whose root is the file `top` in the folder `source`.
    pub fn read(source: &Path, top: &str) -> Self {
        let mut tree = Self::default();
        tree.read_file(source, top, None, source);
        tree
    }

    /// `folder` is where the files of child modules are.
    fn read_file(
        &mut self,
        source: &Path,
        file: &str,
        parent: Option<usize>,
        folder: &Path,
    ) -> usize {
        let text = fs::read_to_string(source.join(file)).expect("a source file");
        let parsed = syn::parse_file(&text).unwrap_or_else(|e| panic!("{file}: {e}"));
        let index = self.add(file, parent);
        let mut reader = Reader {
            tree: self,
            source,
            folder: folder.to_owned(),
            module: index,
            of_tests: Vec::new(),
        };
        reader.read_items(&parsed.items);
        let of_tests = reader.of_tests;
        let code = (1..).zip(text.lines()).filter(|(number, line)| {
            let is_test = of_tests.iter().any(|lines| lines.contains(number));
            !is_test && !line.trim().is_empty() && !line.trim_start().starts_with("//")
        });
        let code = code.map(|(_, line)| line.to_owned()).collect();
        self.code.insert(file.to_owned(), code);
        index
    }

    fn add(&mut self, file: &str, parent: Option<usize>) -> usize {
        self.modules.push(Module {
            file: file.to_owned(),
            parent,
            children: BTreeMap::new(),
            items: BTreeSet::new(),
            types: Vec::new(),
            imports: Vec::new(),
            globs: Vec::new(),
            paths: Vec::new(),
        });
        self.modules.len() - 1
    }
}

struct Reader<'a> {
    tree: &'a mut Tree,
    source: &'a Path,
    folder: PathBuf,
    module: usize,
    /// Lines of items that only unit tests have.
    of_tests: Vec<std::ops::RangeInclusive<usize>>,
}

impl Reader<'_> {
    fn here(&mut self) -> &mut Module {
        &mut self.tree.modules[self.module]
    }

    fn read_items(&mut self, items: &[Item]) {
        for item in items {
            if !self.is_for_tests(attributes(item), item) {
                let (name, is_type) = name(item);
                self.here().types.extend(name.clone().filter(|_| is_type));
                self.here().items.extend(name);
            }
            self.visit_item(item);
        }
    }

    /// Whether only unit tests have it. Remembers its lines.
    fn is_for_tests(&mut self, attributes: &[Attribute], item: &impl Spanned) -> bool {
        let is_for_tests = attributes.iter().any(|attribute| {
            attribute.path().is_ident("cfg")
                && attribute
                    .parse_args::<Meta>()
                    .is_ok_and(|condition| !can_be(&condition, true))
        });
        if is_for_tests {
            let span = item.span();
            self.of_tests.push(span.start().line..=span.end().line);
        }
        is_for_tests
    }

    fn read_module(&mut self, item: &syn::ItemMod) {
        let name = item.ident.to_string();
        let child = if let Some((_, items)) = &item.content {
            let file = self.here().file.clone();
            let child = self.tree.add(&file, Some(self.module));
            let (module, folder) = (self.module, self.folder.clone());
            (self.module, self.folder) = (child, folder.join(&name));
            self.read_items(items);
            (self.module, self.folder) = (module, folder);
            child
        } else {
            let file = self.file_of(&name);
            let folder = self.folder.join(&name);
            self.tree
                .read_file(self.source, &file, Some(self.module), &folder)
        };
        self.here().children.insert(name, child);
    }

    fn file_of(&self, module: &str) -> String {
        let flat = self.folder.join(format!("{module}.rs"));
        let file = if flat.exists() {
            flat
        } else {
            self.folder.join(module).join("mod.rs")
        };
        let file = file.strip_prefix(self.source).expect("below src");
        file.display().to_string()
    }

    fn read_use(&mut self, tree: &UseTree, before: &[String]) {
        let with = |ident: &syn::Ident| [before, &[ident.to_string()]].concat();
        match tree {
            UseTree::Path(path) => self.read_use(&path.tree, &with(&path.ident)),
            UseTree::Group(group) => {
                for tree in &group.items {
                    self.read_use(tree, before);
                }
            }
            UseTree::Glob(_) => {
                self.here().paths.push(before.to_vec());
                self.here().globs.push(before.to_vec());
            }
            UseTree::Name(name) if name.ident == "self" => {
                self.import(before.last().cloned().unwrap_or_default(), before.to_vec());
            }
            UseTree::Name(name) => self.import(name.ident.to_string(), with(&name.ident)),
            UseTree::Rename(name) => self.import(name.rename.to_string(), with(&name.ident)),
        }
    }

    fn import(&mut self, name: String, path: Vec<String>) {
        self.here().paths.push(path.clone());
        self.here().imports.push((name, path));
    }

    /// Paths in code that the compiler has not parsed yet: `a::b`, `a::{b, c}`, `$crate::a`.
    fn read_tokens(&mut self, tokens: TokenStream, before: &[String]) {
        let mut path = before.to_vec();
        let mut colons = 0;
        let mut is_open = true;
        for token in tokens {
            match token {
                TokenTree::Ident(ident) => {
                    if colons != 2 && !is_open {
                        self.end_path(&mut path);
                    }
                    path.push(ident.to_string());
                    is_open = false;
                    colons = 0;
                }
                TokenTree::Punct(punct) if punct.as_char() == ':' => colons += 1,
                TokenTree::Group(group) => {
                    let prefix = if colons == 2 {
                        path.clone()
                    } else {
                        Vec::new()
                    };
                    self.end_path(&mut path);
                    self.read_tokens(group.stream(), &prefix);
                    (is_open, colons) = (false, 0);
                }
                TokenTree::Punct(punct) => {
                    self.end_path(&mut path);
                    colons = 0;
                    is_open = punct.as_char() == ',' && !before.is_empty();
                    if is_open {
                        path = before.to_vec();
                    }
                }
                TokenTree::Literal(literal) => {
                    self.end_path(&mut path);
                    colons = 0;
                    // `#[serde(with = "crate::a")]`
                    let text = literal.to_string();
                    if let Ok(inner) = syn::parse_str::<syn::Path>(text.trim_matches('"')) {
                        self.visit_path(&inner);
                    }
                }
            }
        }
        self.end_path(&mut path);
    }

    fn end_path(&mut self, path: &mut Vec<String>) {
        if !path.is_empty() {
            self.here().paths.push(std::mem::take(path));
        }
    }
}

impl<'ast> Visit<'ast> for Reader<'_> {
    fn visit_item(&mut self, item: &'ast Item) {
        if self.is_for_tests(attributes(item), item) {
            if let Item::Mod(module) = item
                && module.content.is_none()
            {
                let file = self.file_of(&module.ident.to_string());
                self.tree.tests.insert(file);
            }
            return;
        }
        match item {
            Item::Mod(module) => self.read_module(module),
            Item::Use(used) => self.read_use(&used.tree, &[]),
            Item::Verbatim(tokens) => self.read_tokens(tokens.clone(), &[]),
            _ => visit::visit_item(self, item),
        }
    }

    fn visit_impl_item(&mut self, item: &'ast syn::ImplItem) {
        let attributes = match item {
            syn::ImplItem::Const(item) => &item.attrs,
            syn::ImplItem::Fn(item) => &item.attrs,
            syn::ImplItem::Type(item) => &item.attrs,
            _ => &Vec::new(),
        };
        if !self.is_for_tests(attributes, item) {
            visit::visit_impl_item(self, item);
        }
    }

    fn visit_field(&mut self, field: &'ast syn::Field) {
        if !self.is_for_tests(&field.attrs, field) {
            visit::visit_field(self, field);
        }
    }

    fn visit_field_value(&mut self, field: &'ast syn::FieldValue) {
        if !self.is_for_tests(&field.attrs, field) {
            visit::visit_field_value(self, field);
        }
    }

    fn visit_local(&mut self, local: &'ast syn::Local) {
        if !self.is_for_tests(&local.attrs, local) {
            visit::visit_local(self, local);
        }
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        let segments = path.segments.iter().map(|part| part.ident.to_string());
        let segments = segments.collect();
        self.here().paths.push(segments);
        visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, called: &'ast syn::Macro) {
        self.visit_path(&called.path);
        self.read_tokens(called.tokens.clone(), &[]);
    }

    fn visit_attribute(&mut self, attribute: &'ast Attribute) {
        if attribute.path().is_ident("doc") {
            return;
        }
        match &attribute.meta {
            Meta::List(list) => self.read_tokens(list.tokens.clone(), &[]),
            meta => visit::visit_meta(self, meta),
        }
    }

    /// `pub(in a::b)` uses nothing.
    fn visit_visibility(&mut self, _: &'ast syn::Visibility) {}
}

/// Whether a condition can have this value in a build without unit tests.
fn can_be(condition: &Meta, value: bool) -> bool {
    let Meta::List(list) = condition else {
        return !(value && condition.path().is_ident("test"));
    };
    let parts =
        list.parse_args_with(syn::punctuated::Punctuated::<Meta, syn::Token![,]>::parse_terminated);
    let Ok(parts) = parts else { return true };
    if list.path.is_ident("not") {
        parts.iter().all(|part| can_be(part, !value))
    } else if list.path.is_ident("all") == value {
        parts.iter().all(|part| can_be(part, value))
    } else {
        parts.iter().any(|part| can_be(part, value))
    }
}

fn attributes(item: &Item) -> &[Attribute] {
    match item {
        Item::Const(item) => &item.attrs,
        Item::Enum(item) => &item.attrs,
        Item::Fn(item) => &item.attrs,
        Item::Impl(item) => &item.attrs,
        Item::Macro(item) => &item.attrs,
        Item::Mod(item) => &item.attrs,
        Item::Static(item) => &item.attrs,
        Item::Struct(item) => &item.attrs,
        Item::Trait(item) => &item.attrs,
        Item::Type(item) => &item.attrs,
        Item::Union(item) => &item.attrs,
        Item::Use(item) => &item.attrs,
        _ => &[],
    }
}

/// The name of an item, and whether it is that of a type.
fn name(item: &Item) -> (Option<String>, bool) {
    match item {
        Item::Enum(item) => (Some(item.ident.to_string()), true),
        Item::Struct(item) => (Some(item.ident.to_string()), true),
        Item::Trait(item) => (Some(item.ident.to_string()), true),
        Item::Type(item) => (Some(item.ident.to_string()), true),
        Item::Union(item) => (Some(item.ident.to_string()), true),
        Item::Const(item) => (Some(item.ident.to_string()), false),
        Item::Fn(item) => (Some(item.sig.ident.to_string()), false),
        Item::Static(item) => (Some(item.ident.to_string()), false),
        Item::Macro(item) => (item.ident.as_ref().map(ToString::to_string), false),
        _ => (None, false),
    }
}
