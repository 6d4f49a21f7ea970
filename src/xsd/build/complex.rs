//! Complex types (section 3.4.2).

use std::collections::HashSet;

use super::attributes::Attributes;
use super::content::Content;
use super::flags::Among;
use super::{At, Builder, Done};
use crate::xsd::components::{
    ANY_TYPE, AttributeUse, ComplexDefinition, ContentType, Derivation, QName, TypeDefinition, TypeId, Wildcard,
};

/// How a complex type is derived.
#[derive(Debug, Clone, Copy)]
pub(super) struct Deriving {
    /// The type.
    pub(super) definition: At,
    /// The node whose children say what it has: the type itself, or the derivation in it.
    pub(super) at: At,
    pub(super) base: TypeId,
    pub(super) how: Derivation,
    pub(super) mixed: bool,
}

/// Attributes with where their uses stand.
type Uses = Vec<(At, AttributeUse)>;

impl Builder<'_> {
    /// Builds a complex type that a document defines.
    pub(super) fn make_complex(&mut self, at: At) -> Done {
        let (deriving, content) = self.derived(at)?;
        let id = self.number_of(at);
        self.count_steps(id, deriving)?;
        let own = self.attributes_of(at, deriving.at)?;
        let (uses, any_attribute) = self.inherited(deriving, own)?;
        self.use_places.insert(id, uses.iter().map(|(at, _)| *at).collect());
        let definition = ComplexDefinition {
            name: self.type_name(at),
            at: Some(self.place(at)),
            base: deriving.base,
            derivation: deriving.how,
            is_abstract: self.flag(at, "abstract"),
            finals: self.derivations(at, "final", Among::Complex),
            blocked: self.derivations(at, "block", Among::Complex),
            attributes: uses.into_iter().map(|(_, one)| one).collect(),
            any_attribute,
            content: self.content_type(id, content),
        };
        self.put_type(id, TypeDefinition::Complex(definition));
        Ok(())
    }

    /// How a type is derived, and its content.
    fn derived(&mut self, at: At) -> Done<(Deriving, Content)> {
        match self.child(at, &["simpleContent", "complexContent"]) {
            Some(inner) if self.node(inner).name == "simpleContent" => self.simple_content(at, inner),
            Some(inner) => self.complex_content(at, inner),
            None if self.originals.contains_key(&at) => {
                self.broken(at, "src-redefine.5", "the redefinition of a type derives from it")
            }
            None => {
                let (base, how, mixed) = (ANY_TYPE, Derivation::Restriction, self.flag(at, "mixed"));
                let deriving = Deriving { definition: at, at, base, how, mixed };
                Ok((deriving, self.element_content(deriving)?))
            }
        }
    }

    fn count_steps(&mut self, id: TypeId, deriving: Deriving) -> Done {
        let steps = self.steps.get(&deriving.base).copied().unwrap_or(0) + 1;
        if steps > self.limits.nesting {
            return self.too_large(deriving.at, "too many types are derived from each other");
        }
        self.steps.insert(id, steps);
        Ok(())
    }

    /// The content of a type, which is kept for those derived from it.
    fn content_type(&mut self, id: TypeId, content: Content) -> ContentType {
        match content {
            Content::Empty => ContentType::Empty,
            Content::Simple(simple) => ContentType::Simple(simple),
            Content::Elements(model, mixed) => {
                let particle = model.particle.clone();
                self.contents.insert(id, model);
                ContentType::Elements { particle, mixed }
            }
        }
    }

    fn complex_content(&self, at: At, inner: At) -> Done<(Deriving, Content)> {
        let mixed = match self.node(inner).attribute("mixed") {
            Some(_) => self.flag(inner, "mixed"),
            None => self.flag(at, "mixed"),
        };
        let deriving = self.deriving(at, inner, mixed)?;
        if matches!(self.built(deriving.base), TypeDefinition::Simple(_)) {
            return self.broken(deriving.at, "src-ct.1", "the base of complex content is a complex type");
        }
        Ok((deriving, self.element_content(deriving)?))
    }

    /// The derivation in a simple or complex content.
    pub(super) fn deriving(&self, definition: At, inner: At, mixed: bool) -> Done<Deriving> {
        let at = self.child(inner, &["restriction", "extension"]).expect("the grammar asks for one");
        let base = self.node(at).attribute("base").unwrap_or_default();
        let named = self.base_meant(definition, at, base)?;
        let how = match self.node(at).name.as_str() {
            "extension" => Derivation::Extension,
            _ => Derivation::Restriction,
        };
        Ok(Deriving { definition, at, base: self.type_id(named), how, mixed })
    }

    /// The attributes with those of the base, and the wildcard.
    fn inherited(&mut self, deriving: Deriving, own: Attributes) -> Done<(Uses, Option<Wildcard>)> {
        let Deriving { at, base: base_id, how, .. } = deriving;
        let TypeDefinition::Complex(base) = self.built(base_id) else { return Ok((own.uses, own.any)) };
        let places = self.use_places.get(&base_id).map_or(&[][..], Vec::as_slice);
        let theirs = places.iter().copied().zip(&base.attributes);
        let (kept, any): (Uses, _) = match how {
            // What comes from one group by both ways is one.
            Derivation::Extension => {
                let ours: HashSet<At> = own.uses.iter().map(|(at, _)| *at).collect();
                let kept = theirs.filter(|(at, _)| !ours.contains(at));
                let any = self.united_wildcard(at, own.any, base.any_attribute.clone())?;
                (kept.map(|(at, one)| (at, one.clone())).collect(), any)
            }
            Derivation::Restriction => {
                let names = own.uses.iter().map(|(_, one)| self.name_of_attribute(one));
                let replaced: HashSet<&QName> = names.chain(&own.prohibited).collect();
                let kept = theirs.filter(|(_, one)| !replaced.contains(self.name_of_attribute(one)));
                (kept.map(|(at, one)| (at, one.clone())).collect(), own.any)
            }
        };
        self.take_attributes(at, kept.len())?;
        Ok((own.uses.into_iter().chain(kept).collect(), any))
    }

    fn united_wildcard(&self, at: At, own: Option<Wildcard>, base: Option<Wildcard>) -> Done<Option<Wildcard>> {
        let (Some(ours), Some(theirs)) = (&own, &base) else { return Ok(own.or(base)) };
        match ours.union(theirs) {
            Some(both) => Ok(Some(both)),
            None => self.broken(
                at,
                "src-ct.5",
                "the attribute wildcards of the type and its base cannot be expressed as one",
            ),
        }
    }
}
