//! Complex types (section 3.4.2).

use std::collections::HashSet;

use super::attributes::Attributes;
use super::content::Content;
use super::flags::Among;
use super::names::Named;
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

impl Builder<'_> {
    /// Builds a complex type that a document defines.
    pub(super) fn make_complex(&mut self, at: At) -> Done {
        let (deriving, content) = match self.child(at, &["simpleContent", "complexContent"]) {
            Some(inner) if self.node(inner).name == "simpleContent" => self.simple_content(at, inner)?,
            Some(inner) => self.complex_content(at, inner)?,
            None if self.originals.contains_key(&at) => {
                return self.broken(at, "src-redefine.5", "the redefinition of a type derives from it");
            }
            None => {
                let (base, how, mixed) = (ANY_TYPE, Derivation::Restriction, self.flag(at, "mixed"));
                let deriving = Deriving { definition: at, at, base, how, mixed };
                (deriving, self.element_content(deriving)?)
            }
        };
        let id = self.number_of(at);
        let steps = self.steps.get(&deriving.base).copied().unwrap_or(0) + 1;
        if steps > self.limits.nesting {
            return self.too_large(at, "too many types are derived from each other");
        }
        self.steps.insert(id, steps);
        let content = match content {
            Content::Empty => ContentType::Empty,
            Content::Simple(simple) => ContentType::Simple(simple),
            Content::Elements(model, mixed) => {
                let particle = model.particle.clone();
                self.contents.insert(id, model);
                ContentType::Elements { particle, mixed }
            }
        };
        let own = self.attributes_of(at, deriving.at)?;
        let prohibited = own.prohibited.clone();
        let (attributes, any_attribute) = self.inherited(deriving, own)?;
        let definition = ComplexDefinition {
            name: self.type_name(at),
            at: Some(self.place(at)),
            base: deriving.base,
            derivation: deriving.how,
            is_abstract: self.flag(at, "abstract"),
            finals: self.derivations(at, "final", Among::Complex),
            blocked: self.derivations(at, "block", Among::Complex),
            attributes,
            prohibited,
            any_attribute,
            content,
        };
        self.put_type(id, TypeDefinition::Complex(definition));
        Ok(())
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
        if let Named::Defined(base) = named
            && base == definition
        {
            return self.broken(at, "ct-props-correct.3", "the type is derived from itself");
        }
        Ok(Deriving { definition, at, base: self.type_id(named), how, mixed })
    }

    /// The attributes with those of the base, and the wildcard.
    fn inherited(&mut self, deriving: Deriving, own: Attributes) -> Done<(Vec<AttributeUse>, Option<Wildcard>)> {
        let Deriving { at, base, how, .. } = deriving;
        let uses: Vec<AttributeUse> = own.uses.into_iter().map(|(_, one)| one).collect();
        let TypeDefinition::Complex(base) = self.built(base) else { return Ok((uses, own.any)) };
        let replaced: HashSet<&QName> = match how {
            Derivation::Extension => HashSet::new(),
            Derivation::Restriction => {
                uses.iter().map(|one| self.name_of_attribute(one)).chain(&own.prohibited).collect()
            }
        };
        let kept = base.attributes.iter().filter(|one| !replaced.contains(self.name_of_attribute(one)));
        let kept: Vec<AttributeUse> = kept.cloned().collect();
        let any = match how {
            Derivation::Restriction => own.any,
            Derivation::Extension => self.united_wildcard(at, own.any, base.any_attribute.clone())?,
        };
        self.take_attributes(at, kept.len())?;
        Ok((uses.into_iter().chain(kept).collect(), any))
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
