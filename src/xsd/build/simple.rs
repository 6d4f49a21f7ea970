//! Simple types (section 3.14.2).

use std::borrow::Cow;
use std::sync::Arc;

use super::flags::Among;
use super::names::Named;
use super::{At, Builder, Done, Symbol};
use crate::xsd::components::{ANY_SIMPLE_TYPE, Derivations, QName, SimpleDefinition, TypeDefinition, TypeId};
use crate::xsd::datatypes::{FacetError, FacetKind, FacetSource, Prefixes, SimpleType};
use crate::xsd::document::words;

/// Where a simple type comes from: what it is derived from and how.
struct Derived {
    base: TypeId,
    parts: Vec<TypeId>,
    simple: SimpleType,
}

impl Builder<'_> {
    /// Builds a simple type that a document defines.
    pub(super) fn make_simple(&mut self, at: At) -> Done {
        let derivation = self.child(at, &["restriction", "list", "union"]).expect("the grammar asks for one");
        let name = self.type_name(at);
        let label = name.as_ref().map(|name| name.local.to_string());
        if self.originals.contains_key(&at) && self.node(derivation).name != "restriction" {
            return self.broken(derivation, "src-redefine.5", "the redefinition of a type derives from it");
        }
        let derived = match self.node(derivation).name.as_str() {
            "restriction" => self.restricted(at, derivation, label.as_deref())?,
            "list" => self.listed(derivation, label.as_deref())?,
            _ => self.united(derivation, label.as_deref())?,
        };
        let finals = self.derivations(at, "final", Among::Simple);
        let Derived { base, parts, simple } = derived;
        let (place, simple) = (Some(self.place(at)), Arc::new(simple));
        let definition = SimpleDefinition { name, at: place, base, parts, finals, simple };
        self.put_type(self.number_of(at), TypeDefinition::Simple(definition));
        Ok(())
    }

    /// The name of a type that a document defines; one that is redefined loses it.
    pub(super) fn type_name(&self, at: At) -> Option<QName> {
        self.node(at).attribute("name")?;
        let name = self.own_name(at);
        let is_named = self.globals.get(&(Symbol::Type, name.clone())) == Some(&at);
        is_named.then_some(name)
    }

    pub(super) fn put_type(&mut self, id: TypeId, definition: TypeDefinition) {
        if let Some(place) = self.types.get_mut(id as usize) {
            *place = Some(definition);
        }
    }

    fn restricted(&self, definition: At, at: At, label: Option<&str>) -> Done<Derived> {
        let base = match (self.node(at).attribute("base"), self.child(at, &["simpleType"])) {
            (Some(base), None) => {
                let named = self.base_meant(definition, at, base)?;
                if !self.is_simple(named) {
                    return self.broken(at, "st-props-correct.1", format!("{base} is no simple type"));
                }
                named
            }
            (None, Some(inline)) if !self.originals.contains_key(&definition) => Named::Defined(inline),
            (None, Some(_)) => return self.broken(at, "src-redefine.5", "the redefinition of a type derives from it"),
            _ => return self.broken(at, "src-simple-type.2", "a restriction has either base or a simpleType in it"),
        };
        let base = self.type_id(base);
        let simple = self.with_facets(base, at, label)?;
        Ok(Derived { base, parts: self.parts(base), simple })
    }

    /// The type with the facets among the children of a restriction.
    fn with_facets(&self, base: TypeId, at: At, label: Option<&str>) -> Done<SimpleType> {
        let base = self.simple(base).expect("bases of simple types are simple");
        let facets: Vec<(At, FacetSource<'_>)> =
            self.children(at).filter_map(|child| Some((child, self.facet(child)?))).collect();
        let sources: Vec<FacetSource<'_>> = facets.iter().map(|(_, facet)| *facet).collect();
        let label = label.unwrap_or(base.label());
        let here = |(at, _): &(At, FacetSource<'_>)| Here { builder: self, at: *at, facets: Vec::new() };
        let prefixes = Here { builder: self, at, facets: facets.iter().map(here).collect() };
        let restricted = SimpleType::restrict(&base, label, &sources, &prefixes);
        restricted.map_err(|fault| {
            let facet = fault.index.and_then(|index| facets.get(index)).map_or(at, |(facet, _)| *facet);
            self.facet_fault(facet, fault)
        })
    }

    fn facet(&self, at: At) -> Option<FacetSource<'_>> {
        let node = self.node(at);
        let kind = FacetKind::by_name(&node.name)?;
        Some(FacetSource { kind, value: node.written("value").unwrap_or_default(), fixed: self.flag(at, "fixed") })
    }

    fn facet_fault(&self, at: At, fault: FacetError) -> crate::xsd::SchemaError {
        crate::xsd::SchemaError::invalid(self.place(at), fault.rule, fault.text)
    }

    fn listed(&self, at: At, label: Option<&str>) -> Done<Derived> {
        let item = match (self.node(at).attribute("itemType"), self.child(at, &["simpleType"])) {
            (Some(item), None) => self.simple_named(at, item)?,
            (None, Some(inline)) => Named::Defined(inline),
            _ => {
                let rule = "src-list-itemType-or-simpleType";
                return self.broken(at, rule, "a list has either itemType or a simpleType in it");
            }
        };
        let item = self.type_id(item);
        let simple = self.simple(item).expect("items of lists are simple");
        let list = SimpleType::list(&simple, label.unwrap_or("list")).map_err(|fault| self.facet_fault(at, fault))?;
        Ok(Derived { base: ANY_SIMPLE_TYPE, parts: vec![item], simple: list })
    }

    fn united(&self, at: At, label: Option<&str>) -> Done<Derived> {
        let named = words(self.node(at).attribute("memberTypes").unwrap_or_default());
        let mut members = named.map(|member| self.simple_named(at, member)).collect::<Done<Vec<_>>>()?;
        members.extend(self.children(at).map(Named::Defined));
        if members.is_empty() {
            let rule = "src-union-memberTypes-or-simpleTypes";
            return self.broken(at, rule, "a union has memberTypes or a simpleType in it");
        }
        let parts: Vec<TypeId> = members.into_iter().map(|member| self.type_id(member)).collect();
        let simples = parts.iter().map(|part| self.simple(*part).expect("members of unions are simple")).collect();
        let simple = SimpleType::union(simples, label.unwrap_or("union"));
        Ok(Derived { base: ANY_SIMPLE_TYPE, parts, simple })
    }

    /// The simple type of a number that is built.
    pub(super) fn simple(&self, id: TypeId) -> Option<Arc<SimpleType>> {
        match self.built(id) {
            TypeDefinition::Simple(definition) => Some(Arc::clone(&definition.simple)),
            TypeDefinition::Complex(_) => None,
        }
    }

    fn parts(&self, id: TypeId) -> Vec<TypeId> {
        match self.built(id) {
            TypeDefinition::Simple(definition) => definition.parts.clone(),
            TypeDefinition::Complex(_) => Vec::new(),
        }
    }

    /// A nameless type that restricts another by the facets in a restriction of simple content; the other one where
    /// there are none.
    pub(super) fn restricted_content(&mut self, base: TypeId, at: At) -> Done<TypeId> {
        if self.children(at).all(|child| self.facet(child).is_none()) {
            return Ok(base);
        }
        let simple = Arc::new(self.with_facets(base, at, None)?);
        let (place, parts, finals) = (Some(self.place(at)), self.parts(base), Derivations::default());
        let definition = SimpleDefinition { name: None, at: place, base, parts, finals, simple };
        let id = self.new_type();
        self.put_type(id, TypeDefinition::Simple(definition));
        Ok(id)
    }
}

/// The prefixes and notations at a node.
struct Here<'a> {
    builder: &'a Builder<'a>,
    at: At,
    /// At a restriction: its facets, which may declare prefixes of their own.
    facets: Vec<Self>,
}

impl Prefixes for Here<'_> {
    fn namespace(&self, prefix: &str) -> Option<Cow<'_, str>> {
        self.builder.node(self.at).namespace(prefix).map(Cow::Borrowed)
    }

    fn is_notation(&self, namespace: &str, local: &str) -> bool {
        self.builder.globals.contains_key(&(Symbol::Notation, QName::new(namespace, local)))
    }

    fn at_facet(&self, index: usize) -> Option<&dyn Prefixes> {
        self.facets.get(index).map(|facet| facet as &dyn Prefixes)
    }
}
