//! The content of complex types, with that of their base (section 3.4.2).

use super::complex::Deriving;
use super::names::Named;
use super::particles::Model;
use super::{At, Builder, Done};
use crate::xsd::components::{Compositor, ContentType, Derivation, ModelGroup, Particle, Term, TypeDefinition, TypeId};

/// The content of a type under construction.
pub(super) enum Content {
    Empty,
    Simple(TypeId),
    /// `true` for text between the elements.
    Elements(Model, bool),
}

impl Builder<'_> {
    /// A type with simple content (src-ct.2).
    pub(super) fn simple_content(&mut self, definition: At, inner: At) -> Done<(Deriving, Content)> {
        let deriving = self.deriving(definition, inner, false)?;
        let Deriving { at, base, how, .. } = deriving;
        let inline = self.child(at, &["simpleType"]).map(|inline| self.number_of(inline));
        let (content, is_mixed_emptiable) = match self.built(base) {
            TypeDefinition::Simple(_) if how == Derivation::Extension => {
                let content = self.type_of_values(at, Named::Builtin(base))?;
                return Ok((deriving, Content::Simple(content)));
            }
            TypeDefinition::Simple(_) => {
                return self.broken(
                    at,
                    "src-ct.2.1",
                    "simple content restricts that of a complex type, not a simple type",
                );
            }
            TypeDefinition::Complex(base_type) => match &base_type.content {
                ContentType::Simple(content) => (Some(*content), false),
                ContentType::Elements { mixed, .. } => {
                    let model = self.contents.get(&base);
                    (None, *mixed && model.is_some_and(|model| model.is_emptiable))
                }
                ContentType::Empty => (None, false),
            },
        };
        let restricted = match (how, content, inline) {
            (Derivation::Extension, Some(content), _) => return Ok((deriving, Content::Simple(content))),
            (Derivation::Extension, None, _) => {
                return self.broken(at, "src-ct.2.1", "the content of the base type is not simple");
            }
            (Derivation::Restriction, Some(content), inline) => inline.unwrap_or(content),
            (Derivation::Restriction, None, Some(inline)) if is_mixed_emptiable => inline,
            (Derivation::Restriction, None, None) if is_mixed_emptiable => {
                return self.broken(at, "src-ct.2.2", "to make mixed content simple, a simpleType is needed in it");
            }
            (Derivation::Restriction, None, _) => {
                let problem = "the content of the base type is neither simple nor mixed with nothing required";
                return self.broken(at, "src-ct.2.1", problem);
            }
        };
        let content = self.restricted_content(restricted, at)?;
        Ok((deriving, Content::Simple(content)))
    }

    /// A content of elements, of a type of its own or derived.
    pub(super) fn element_content(&self, deriving: Deriving) -> Done<Content> {
        let Deriving { definition, at, base, how, mixed } = deriving;
        let own = match self.child(at, &["group", "all", "choice", "sequence"]) {
            Some(model) => self.particle(definition, model)?.filter(|model| !self.says_nothing(at, model)),
            None => None,
        };
        let own = own.or_else(|| mixed.then(|| self.nothing(at)));
        let Some(own) = own else {
            return Ok(match how {
                Derivation::Restriction => Content::Empty,
                Derivation::Extension => self.content_of(base),
            });
        };
        if how == Derivation::Restriction {
            return Ok(Content::Elements(own, mixed));
        }
        match self.content_of(base) {
            Content::Empty => Ok(Content::Elements(own, mixed)),
            Content::Simple(_) => self.broken(at, "cos-ct-extends.1.4", "elements cannot be added to simple content"),
            Content::Elements(before, _) => Ok(Content::Elements(self.after(at, before, own)?, mixed)),
        }
    }

    /// Tells whether the written content is empty: a group with nothing in it, or a choice of nothing that need not be.
    fn says_nothing(&self, at: At, model: &Model) -> bool {
        let is_reference = self.child(at, &["group"]).is_some();
        match &model.particle.term {
            Term::Group(group) if !is_reference && group.particles.is_empty() => {
                let written = self.child(at, &["all", "choice", "sequence"]);
                let has_children = written.is_some_and(|written| self.children(written).next().is_some());
                !has_children && (group.compositor != Compositor::Choice || model.particle.min == 0)
            }
            Term::Group(_) | Term::Element(_) | Term::Any(_) => false,
        }
    }

    /// What a mixed type without elements has.
    fn nothing(&self, at: At) -> Model {
        let term = Term::Group(ModelGroup { compositor: Compositor::Sequence, particles: [].into() });
        let particle = Particle { min: 1, max: Some(1), term, at: self.place(at) };
        Model { particle, depth: 1, is_emptiable: true }
    }

    fn content_of(&self, id: TypeId) -> Content {
        let TypeDefinition::Complex(complex) = self.built(id) else { return Content::Simple(id) };
        match (&complex.content, self.contents.get(&id)) {
            (ContentType::Simple(simple), _) => Content::Simple(*simple),
            (ContentType::Elements { mixed, .. }, Some(model)) => Content::Elements(model.clone(), *mixed),
            _ => Content::Empty,
        }
    }

    /// One content after the other.
    fn after(&self, at: At, first: Model, second: Model) -> Done<Model> {
        let depth = first.depth.max(second.depth) + 1;
        self.limit_depth(at, depth)?;
        let is_emptiable = first.is_emptiable && second.is_emptiable;
        let particles = [first.particle, second.particle].into();
        let term = Term::Group(ModelGroup { compositor: Compositor::Sequence, particles });
        let particle = Particle { min: 1, max: Some(1), term, at: self.place(at) };
        Ok(Model { particle, depth, is_emptiable })
    }
}
