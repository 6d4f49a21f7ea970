//! Complex types: attributes, content, derivation.

use super::automaton::Model;
use super::particles::{Particle, Term};
use super::{ANY_TYPE, At, Compiler, Done, Progress};
use crate::xsd::tables::{AttributeUse, Content, Type, TypeId};

/// What a complex type is made of, before its content model is compiled.
struct Parts {
    base: TypeId,
    attributes: Vec<AttributeUse>,
    content: Shape,
}

enum Shape {
    Ready(Content),
    Model { particle: Particle, mixed: bool },
}

impl<'a> Compiler<'a> {
    /// Gives a complex type its number; its definition follows, since it may contain itself.
    pub(super) fn meet_complex(&mut self, at: At) -> TypeId {
        let type_id = self.schema.types.len() as u32;
        self.schema.types.push(Type {
            base: Some(ANY_TYPE),
            attributes: Vec::new(),
            required: 0,
            any_attribute: false,
            is_simple: false,
            content: Content::Empty,
            children: Vec::new(),
            slots: 0,
        });
        self.pending.push((type_id, at));
        self.complex.insert(type_id, (at, Progress::Met));
        type_id
    }

    /// Defines a complex type met before.
    pub(super) fn define(&mut self, type_id: TypeId, at: At) -> Done {
        match self.complex.insert(type_id, (at, Progress::Begun)) {
            Some((_, Progress::Defined)) => {
                self.complex.insert(type_id, (at, Progress::Defined));
                return Ok(());
            }
            Some((_, Progress::Begun)) => return Err(self.invalid(at, "the type is derived from itself")),
            Some((_, Progress::Met)) | None => {}
        }
        let parts = self.nested(at, |compiler| compiler.parts(at))?;
        let attributes = self.distinct(at, parts.attributes)?;
        let model = match parts.content {
            Shape::Ready(content) => Model { content, children: Vec::new(), slots: 0 },
            Shape::Model { particle, mixed } => self.compile_model(&particle, mixed)?,
        };
        let required = attributes.iter().filter(|attribute| attribute.required).count() as u32;
        let defined = self.schema.types.get_mut(type_id as usize).expect("the type was met");
        *defined = Type {
            base: Some(parts.base),
            attributes,
            required,
            any_attribute: false,
            is_simple: false,
            content: model.content,
            children: model.children,
            slots: model.slots,
        };
        self.complex.insert(type_id, (at, Progress::Defined));
        Ok(())
    }

    fn distinct(&self, at: At, attributes: Vec<AttributeUse>) -> Done<Vec<AttributeUse>> {
        let mut names: Vec<_> = attributes.iter().map(|attribute| (attribute.namespace, &attribute.local)).collect();
        names.sort();
        let count = names.len();
        names.dedup();
        if names.len() < count {
            return Err(self.invalid(at, "the type has an attribute twice"));
        }
        Ok(attributes)
    }

    fn parts(&mut self, at: At) -> Done<Parts> {
        self.allow(at, &["name", "mixed", "abstract", "block", "final"])?;
        self.only_neutral(at, "abstract", "false")?;
        self.only_neutral(at, "block", "")?;
        self.only_neutral(at, "final", "")?;
        if let Some(simple) = self.child(at, "simpleContent") {
            return self.simple_content(simple);
        }
        if let Some(complex) = self.child(at, "complexContent") {
            return self.complex_content(at, complex);
        }
        let attributes = self.attribute_uses(at)?;
        let content = self.shape(at, None)?;
        Ok(Parts { base: ANY_TYPE, attributes, content })
    }

    fn simple_content(&mut self, at: At) -> Done<Parts> {
        let derivation = self.derivation(at)?;
        let (base, base_at) = self.base(derivation)?;
        let inherited = self.schema.type_of(base).map(|found| found.attributes.clone()).unwrap_or_default();
        let simple = self.simple_of(base);
        let simple = simple.ok_or_else(|| self.invalid(derivation, "the base type's content is not simple"))?;
        let own = self.attribute_uses(derivation)?;
        if self.node(derivation).name == "extension" {
            let attributes = inherited.into_iter().chain(own).collect();
            return Ok(Parts { base, attributes, content: Shape::Ready(Content::Simple(simple)) });
        }
        if base_at.is_none() {
            return Err(self.invalid(derivation, "simple content restricts a simple type"));
        }
        let simple = match self.child(derivation, "simpleType") {
            Some(own) => {
                let own = self.type_at(own)?;
                self.simple_of(own).expect("a simple type was asked for")
            }
            None => simple,
        };
        let simple = self.restricted(derivation, simple)?;
        let replaced =
            |one: &AttributeUse| own.iter().any(|other| (other.namespace, &other.local) == (one.namespace, &one.local));
        let kept: Vec<_> = inherited.into_iter().filter(|one| !replaced(one)).collect();
        // A prohibited attribute of the base would have to be taken away.
        if let Some(prohibited) = self.prohibited(derivation) {
            return Err(self.unsupported_construct(prohibited, "use=\"prohibited\" in a restriction"));
        }
        let attributes = kept.into_iter().chain(own).collect();
        Ok(Parts { base, attributes, content: Shape::Ready(Content::Simple(simple)) })
    }

    fn complex_content(&mut self, at: At, complex: At) -> Done<Parts> {
        self.allow(complex, &["mixed"])?;
        let derivation = self.children(complex).next();
        let derivation = derivation.ok_or_else(|| self.invalid(complex, "complex content without a derivation"))?;
        let (base, base_at) = self.base(derivation)?;
        let own = self.attribute_uses(derivation)?;
        match (self.node(derivation).name.as_str(), base_at) {
            ("restriction", _) if base == ANY_TYPE => {
                let content = self.shape(derivation, Some((at, complex)))?;
                Ok(Parts { base, attributes: own, content })
            }
            ("extension", Some(base_at)) => {
                let inherited = self.schema.type_of(base).map(|found| found.attributes.clone()).unwrap_or_default();
                let attributes = inherited.into_iter().chain(own).collect();
                let content = match (self.content_of(base_at)?, self.shape(derivation, Some((at, complex)))?) {
                    (Shape::Ready(Content::Empty), more) => more,
                    (old, Shape::Ready(Content::Empty)) => old,
                    (Shape::Model { particle: old, mixed }, Shape::Model { particle: more, mixed: also }) => {
                        if mixed != also {
                            return Err(self.invalid(derivation, "an extension changes whether text is mixed in"));
                        }
                        let both = Term::Sequence(vec![old, more]);
                        Shape::Model { particle: Particle { min: 1, max: 1, term: both, at: derivation }, mixed }
                    }
                    _ => return Err(self.invalid(derivation, "the base type's content is not of elements")),
                };
                Ok(Parts { base, attributes, content })
            }
            ("restriction", _) => Err(self.unsupported_construct(derivation, "restriction of complex content")),
            ("extension", None) => Err(self.unsupported_construct(derivation, "extension of a built-in type")),
            _ => Err(self.unsupported(derivation)),
        }
    }

    /// The content of a type defined elsewhere, anew.
    fn content_of(&mut self, at: At) -> Done<Shape> {
        self.nested(at, |compiler| compiler.parts(at)).map(|parts| parts.content)
    }

    fn derivation(&self, at: At) -> Done<At> {
        let derivation = self.children(at).next().ok_or_else(|| self.invalid(at, "content without a derivation"))?;
        match self.node(derivation).name.as_str() {
            "extension" | "restriction" => Ok(derivation),
            _ => Err(self.unsupported(derivation)),
        }
    }

    /// The base type of a derivation, defined, and its node if it is a complex type of the schema.
    fn base(&mut self, at: At) -> Done<(TypeId, Option<At>)> {
        self.allow(at, &["base"])?;
        let name = self.qname(at, self.need(at, "base")?)?;
        let base = self.type_named(at, name)?;
        let Some((base_at, _)) = self.complex.get(&base).copied() else { return Ok((base, None)) };
        self.define(base, base_at)?;
        Ok((base, Some(base_at)))
    }

    fn prohibited(&self, at: At) -> Option<At> {
        self.children(at).find(|child| self.node(*child).attribute("use") == Some("prohibited"))
    }

    /// The content model among the children of a node.
    fn shape(&mut self, at: At, outer: Option<(At, At)>) -> Done<Shape> {
        let mut model = None;
        for child in self.children(at) {
            match self.node(child).name.as_str() {
                "sequence" | "choice" | "group" if model.is_none() => model = Some(self.model(child)?),
                "attribute" | "attributeGroup" | "anyAttribute" => {}
                _ => return Err(self.unsupported(child)),
            }
        }
        let mixed = match outer {
            None => self.flag(at, "mixed")?,
            Some((whole, complex)) if self.node(complex).attribute("mixed").is_none() => self.flag(whole, "mixed")?,
            Some((_, complex)) => self.flag(complex, "mixed")?,
        };
        Ok(match model {
            Some(particle) if mixed || !is_empty(&particle) => Shape::Model { particle, mixed },
            None if mixed => {
                let term = Term::Sequence(Vec::new());
                Shape::Model { particle: Particle { min: 1, max: 1, term, at }, mixed }
            }
            _ => Shape::Ready(Content::Empty),
        })
    }
}

/// Tells whether a model has room for nothing at all.
fn is_empty(particle: &Particle) -> bool {
    match &particle.term {
        _ if particle.max == 0 => true,
        Term::Element { .. } => false,
        Term::Sequence(parts) => parts.is_empty(),
        // A choice among nothing can never be made; it is not empty content.
        Term::Choice(parts) => parts.is_empty() && particle.min == 0,
    }
}
