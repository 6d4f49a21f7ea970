//! Content models as trees of particles.

use super::{At, Compiler, Done, Symbol};
use crate::xsd::tables::{ElementId, NameId};

/// Any number of times.
pub(super) const UNBOUNDED: u32 = u32::MAX;

/// A part of a content model, with how often it may come.
#[derive(Debug, Clone)]
pub(super) struct Particle {
    pub(super) min: u32,
    pub(super) max: u32,
    pub(super) term: Term,
    /// Where the schema has it.
    pub(super) at: At,
}

/// What may come.
#[derive(Debug, Clone)]
pub(super) enum Term {
    Element { name: NameId, element: ElementId },
    Sequence(Vec<Particle>),
    Choice(Vec<Particle>),
}

impl<'a> Compiler<'a> {
    /// The particle of a `sequence`, `choice` or `group` node.
    pub(super) fn model(&mut self, at: At) -> Done<Particle> {
        self.nested(at, |compiler| compiler.model_inside(at))
    }

    fn model_inside(&mut self, at: At) -> Done<Particle> {
        self.take_part(at)?;
        let (min, max) = self.occurs(at)?;
        let node = self.node(at);
        match node.name.as_str() {
            "sequence" | "choice" => {
                self.allow(at, &["minOccurs", "maxOccurs"])?;
                let parts = self.children(at).map(|child| self.particle(child)).collect::<Done<Vec<_>>>()?;
                let term = if node.name == "choice" { Term::Choice(parts) } else { Term::Sequence(parts) };
                Ok(Particle { min, max, term, at })
            }
            "group" => {
                self.allow(at, &["ref", "minOccurs", "maxOccurs"])?;
                let name = self.qname(at, self.need(at, "ref")?)?;
                let group = self.global(at, Symbol::Group, name)?;
                Ok(Particle { min, max, term: Term::Sequence(vec![self.group_model(group)?]), at })
            }
            _ => Err(self.unsupported(at)),
        }
    }

    /// The model a global `group` names.
    pub(super) fn group_model(&mut self, at: At) -> Done<Particle> {
        self.allow(at, &["name"])?;
        let model = self.children(at).next().ok_or_else(|| self.invalid(at, "a group without a model"))?;
        self.model(model)
    }

    fn particle(&mut self, at: At) -> Done<Particle> {
        if self.node(at).name != "element" {
            return self.model(at);
        }
        let (min, max) = self.occurs(at)?;
        let (name, element) = match self.node(at).attribute("ref") {
            Some(reference) => {
                self.allow(at, &["ref", "minOccurs", "maxOccurs"])?;
                let (uri, local) = self.qname(at, reference)?;
                let declared = self.global(at, Symbol::Element, (uri, local))?;
                let name = self.name(uri, local);
                (name, self.nested(at, |compiler| compiler.element(declared))?)
            }
            None => {
                let uri = self.form(at, "elementFormDefault")?;
                let name = self.name(uri, self.need(at, "name")?);
                (name, self.nested(at, |compiler| compiler.element(at))?)
            }
        };
        Ok(Particle { min, max, term: Term::Element { name, element }, at })
    }

    fn occurs(&self, at: At) -> Done<(u32, u32)> {
        let number = |name: &str| match self.node(at).attribute(name) {
            None => Ok(1),
            Some("unbounded") if name == "maxOccurs" => Ok(UNBOUNDED),
            Some(text) => {
                let number = text.parse().ok().filter(|number| *number < UNBOUNDED);
                number.ok_or_else(|| self.invalid(at, &format!("{name} is no number we can hold")))
            }
        };
        let (min, max) = (number("minOccurs")?, number("maxOccurs")?);
        if min > max {
            return Err(self.invalid(at, "minOccurs is more than maxOccurs"));
        }
        Ok((min, max))
    }
}
