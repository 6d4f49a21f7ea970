//! Namespace declarations in force, as a stack.

use std::collections::HashMap;

use super::{FaultKind, Mistake};

/// The namespace every document has under the prefix `xml`.
pub const XML_NAMESPACE: &str = "http://www.w3.org/XML/1998/namespace";
const XMLNS_NAMESPACE: &str = "http://www.w3.org/2000/xmlns/";

/// A namespace by number: none, one of those named to the tokenizer, or some other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Namespace(u32);

impl Namespace {
    /// No namespace.
    pub const NONE: Self = Self(0);
    /// The namespace of `xml:lang` and its like.
    pub const XML: Self = Self(1);
    /// One that was not named beforehand.
    pub const OTHER: Self = Self(u32::MAX);

    /// The namespace named at `index` of the list the tokenizer was given.
    pub const fn known(index: u32) -> Self {
        Self(index + 2)
    }

    /// Its place among those that have a number: none, that of `xml`, then the list the tokenizer was given.
    #[inline]
    pub fn index(self) -> Option<usize> {
        (self != Self::OTHER).then_some(self.0 as usize)
    }
}

/// The namespaces in force at a tag.
#[derive(Debug, Clone)]
pub struct Scope {
    known: Vec<Box<[u8]>>,
    bindings: Vec<Binding>,
    // Prefixes and names of the bindings, one after the other.
    text: Vec<u8>,
    default: Namespace,
    most: usize,
    /// Changes whenever the declarations do.
    generation: u64,
    /// The binding of each prefix; empty as long as there are few, which are sooner looked through.
    index: HashMap<Box<[u8]>, u32>,
}

#[derive(Debug, Clone, Copy)]
struct Binding {
    start: u32,
    prefix_end: u32,
    end: u32,
    namespace: Namespace,
    /// The one of the same prefix that it hides, where there is an index.
    hides: Option<u32>,
}

/// How far the stack was filled, to go back to.
#[derive(Debug, Clone, Copy)]
pub(super) struct Mark {
    bindings: u32,
    text: u32,
    default: Namespace,
}

impl Scope {
    pub(super) fn new<K: AsRef<str>>(known: &[K], most: usize) -> Self {
        let known = known.iter().map(|uri| uri.as_ref().as_bytes().into()).collect();
        Self {
            known,
            bindings: Vec::new(),
            text: Vec::new(),
            default: Namespace::NONE,
            most,
            generation: 0,
            index: HashMap::new(),
        }
    }

    /// The namespace of names without a prefix.
    #[inline]
    pub fn default_namespace(&self) -> Namespace {
        self.default
    }

    /// A number that changes whenever declarations come into force or end.
    #[inline]
    pub fn generation(&self) -> u64 {
        self.generation
    }

    /// The namespace of a prefix with its name; the empty prefix stands for the default.
    pub fn lookup(&self, prefix: &[u8]) -> Option<(Namespace, &[u8])> {
        if prefix == b"xml" {
            return Some((Namespace::XML, XML_NAMESPACE.as_bytes()));
        }
        let found = match self.bindings.len() {
            ..=FEW => self.bindings.iter().rev().find(|binding| self.prefix(binding) == prefix),
            _ => self.index.get(prefix).and_then(|index| self.bindings.get(*index as usize)),
        };
        match found {
            Some(binding) => Some((binding.namespace, self.uri(binding))),
            None if prefix.is_empty() => Some((Namespace::NONE, b"")),
            None => None,
        }
    }

    /// The declarations in force, outermost first: prefix and name.
    pub fn declarations(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        self.bindings.iter().map(|binding| (self.prefix(binding), self.uri(binding)))
    }

    #[inline]
    pub(super) fn mark(&self) -> Mark {
        Mark { bindings: self.bindings.len() as u32, text: self.text.len() as u32, default: self.default }
    }

    #[inline]
    pub(super) fn restore(&mut self, mark: Mark) {
        if self.bindings.len() == mark.bindings as usize {
            return;
        }
        self.generation += 1;
        if self.bindings.len() > FEW {
            self.forget(mark.bindings as usize);
        }
        self.bindings.truncate(mark.bindings as usize);
        self.text.truncate(mark.text as usize);
        self.default = mark.default;
    }

    /// Puts a declaration in force; `at` is where it stands in its tag.
    pub(super) fn declare(&mut self, prefix: &[u8], uri: &[u8], at: usize) -> Result<(), Mistake> {
        let is_xml = uri == XML_NAMESPACE.as_bytes();
        if prefix == b"xml" && is_xml {
            return Ok(());
        }
        if prefix == b"xml" || prefix == b"xmlns" || is_xml || uri == XMLNS_NAMESPACE.as_bytes() {
            return Err(Mistake::malformed(at, "a reserved namespace or prefix is declared anew"));
        }
        if !prefix.is_empty() && uri.is_empty() {
            return Err(Mistake::malformed(at, "a prefix is declared to be no namespace"));
        }
        if self.bindings.len() >= self.most {
            return Err(Mistake::new(FaultKind::TooManyNamespaces, at, "too many namespace declarations"));
        }
        self.generation += 1;
        let start = self.text.len() as u32;
        self.text.extend_from_slice(prefix);
        let prefix_end = self.text.len() as u32;
        self.text.extend_from_slice(uri);
        let namespace = self.number(uri);
        if prefix.is_empty() {
            self.default = namespace;
        }
        let end = self.text.len() as u32;
        self.bindings.push(Binding { start, prefix_end, end, namespace, hides: None });
        match self.bindings.len() {
            ..=FEW => {}
            MANY => (0..MANY).for_each(|at| self.note(at)),
            len => self.note(len - 1),
        }
        Ok(())
    }

    /// Puts a binding into the index.
    fn note(&mut self, at: usize) {
        let Some(binding) = self.bindings.get(at) else { return };
        let hides = self.index.insert(self.prefix(binding).into(), at as u32);
        if let Some(binding) = self.bindings.get_mut(at) {
            binding.hides = hides;
        }
    }

    /// Takes the bindings from a place on out of the index.
    fn forget(&mut self, from: usize) {
        if from <= FEW {
            self.index.clear();
            return;
        }
        for binding in self.bindings.iter().skip(from).rev() {
            let prefix = self.text.get(binding.start as usize..binding.prefix_end as usize).unwrap_or_default();
            match (self.index.get_mut(prefix), binding.hides) {
                (Some(place), Some(hidden)) => *place = hidden,
                _ => drop(self.index.remove(prefix)),
            }
        }
    }

    fn number(&self, uri: &[u8]) -> Namespace {
        if uri.is_empty() {
            return Namespace::NONE;
        }
        let known = self.known.iter().position(|known| **known == *uri);
        known.map_or(Namespace::OTHER, |index| Namespace::known(index as u32))
    }

    fn prefix(&self, binding: &Binding) -> &[u8] {
        self.text.get(binding.start as usize..binding.prefix_end as usize).unwrap_or_default()
    }

    fn uri(&self, binding: &Binding) -> &[u8] {
        self.text.get(binding.prefix_end as usize..binding.end as usize).unwrap_or_default()
    }
}

/// Bindings that are looked through one by one.
const FEW: usize = 16;
/// Bindings from which on there is an index.
const MANY: usize = FEW + 1;

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn declarations_nest_and_end() {
        let mut scope = Scope::new(&["urn:a", "urn:b"], 8);
        scope.declare(b"", b"urn:a", 0).unwrap();
        let mark = scope.mark();
        scope.declare(b"p", b"urn:x", 0).unwrap();
        scope.declare(b"", b"", 0).unwrap();
        assert_eq!(scope.default_namespace(), Namespace::NONE);
        assert_eq!(scope.lookup(b"p"), Some((Namespace::OTHER, &b"urn:x"[..])));
        scope.restore(mark);
        assert_eq!(scope.lookup(b"p"), None);
        assert_eq!(scope.lookup(b"").unwrap().0, Namespace::known(0));
    }

    proptest! {
        /// Against the plainest way to look a prefix up.
        #[test]
        fn many_bindings_are_found_as_few_are(steps in prop::collection::vec((0_u8..40, 0_usize..30), 0..120)) {
            let mut scope = Scope::new(&["urn:0", "urn:1"], 1_000);
            let mut plain: Vec<(String, String)> = Vec::new();
            let mut marks = vec![(scope.mark(), 0)];
            for (number, (prefix, step)) in steps.into_iter().enumerate() {
                match step {
                    0..=19 => {
                        let (prefix, uri) = (format!("p{prefix}"), format!("urn:{number}"));
                        scope.declare(prefix.as_bytes(), uri.as_bytes(), 0).unwrap();
                        plain.push((prefix, uri));
                    }
                    20..=23 => marks.push((scope.mark(), plain.len())),
                    _ => {
                        let (mark, len) = marks.pop().unwrap_or((scope.mark(), plain.len()));
                        scope.restore(mark);
                        plain.truncate(len);
                    }
                }
                for prefix in 0..40 {
                    let prefix = format!("p{prefix}");
                    let expected = plain.iter().rev().find(|(known, _)| *known == prefix).map(|(_, uri)| uri.as_bytes());
                    prop_assert_eq!(scope.lookup(prefix.as_bytes()).map(|(_, uri)| uri), expected);
                }
            }
        }
    }

    #[test]
    fn reserved_names_stay_reserved() {
        let mut scope = Scope::new::<&str>(&[], 2);
        assert!(scope.declare(b"xml", XML_NAMESPACE.as_bytes(), 0).is_ok());
        for (prefix, uri) in
            [("xml", "urn:a"), ("xmlns", "urn:a"), ("p", XML_NAMESPACE), ("", XMLNS_NAMESPACE), ("p", "")]
        {
            assert!(scope.declare(prefix.as_bytes(), uri.as_bytes(), 0).is_err(), "{prefix}");
        }
        scope.declare(b"a", b"urn:a", 0).unwrap();
        scope.declare(b"b", b"urn:a", 0).unwrap();
        assert_eq!(scope.declare(b"c", b"urn:a", 0).unwrap_err().kind, FaultKind::TooManyNamespaces);
    }
}
