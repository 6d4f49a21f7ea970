//! Particles, model groups and groups by name (sections 3.7.2, 3.8.2, 3.9.2).

use super::{At, Builder, Done, Symbol};
use crate::xsd::components::{Compositor, GroupDefinition, ModelGroup, Particle, QName, Term};
use crate::xsd::document::count;

/// A particle with what it costs to know of it later.
#[derive(Debug, Clone)]
pub(super) struct Model {
    pub(super) particle: Particle,
    /// Groups within each other.
    pub(super) depth: usize,
    /// It may be left out wholly.
    pub(super) is_emptiable: bool,
}

impl Builder<'_> {
    /// The particle a node stands for; `None` where it may not occur at all.
    ///
    /// It goes as deep as the elements of a document nest, which is limited; groups by name are built before.
    pub(super) fn particle(&self, definition: At, at: At) -> Done<Option<Model>> {
        let node = self.node(at);
        let occurs = |name: &str| node.attribute(name).and_then(count).unwrap_or(1);
        let min = occurs("minOccurs");
        let max = if node.attribute("maxOccurs") == Some("unbounded") { None } else { Some(occurs("maxOccurs")) };
        if max.is_some_and(|max| max < min) {
            return self.broken(at, "p-props-correct.2.1", "minOccurs is greater than maxOccurs");
        }
        let (term, depth, is_emptiable) = match node.name.as_str() {
            "element" => (Term::Element(self.element_meant(at)?), 0, false),
            "any" => (Term::Any(self.wildcard(at)), 0, false),
            "group" => {
                let group = self.group_meant(definition, at)?;
                let model = self.groups.get(&group).expect("groups are built before what refers to them");
                (model.particle.term.clone(), model.depth, model.is_emptiable)
            }
            _ => self.model_group(definition, at)?,
        };
        let model = Model { particle: Particle { min, max, term, at: self.place(at) }, depth, is_emptiable };
        let model = Model { is_emptiable: model.is_emptiable || min == 0, ..model };
        self.limit_depth(at, model.depth)?;
        Ok((max != Some(0)).then_some(model))
    }

    fn model_group(&self, definition: At, at: At) -> Done<(Term, usize, bool)> {
        let compositor = match self.node(at).name.as_str() {
            "all" => Compositor::All,
            "choice" => Compositor::Choice,
            _ => Compositor::Sequence,
        };
        let models = self.children(at).map(|child| self.particle(definition, child));
        let models: Vec<Model> = models.filter_map(Result::transpose).collect::<Done<_>>()?;
        let depth = models.iter().map(|model| model.depth).max().unwrap_or(0) + 1;
        let is_emptiable = match compositor {
            // The effective total range of a choice among nothing begins at 0.
            Compositor::Choice => models.is_empty() || models.iter().any(|model| model.is_emptiable),
            Compositor::Sequence | Compositor::All => models.iter().all(|model| model.is_emptiable),
        };
        let particles = models.into_iter().map(|model| model.particle).collect();
        Ok((Term::Group(ModelGroup { compositor, particles }), depth, is_emptiable))
    }

    pub(super) fn limit_depth(&self, at: At, depth: usize) -> Done {
        match depth > self.limits.nesting {
            true => self.too_large(at, "groups nest too deep, those of base types and groups by name counted"),
            false => Ok(()),
        }
    }

    /// Builds a group by name.
    pub(super) fn make_group(&mut self, at: At) -> Done {
        self.count_own_references(at, "src-redefine.6.1")?;
        let model = self.child(at, &["all", "choice", "sequence"]).expect("the grammar asks for one");
        let model = self.particle(at, model)?.expect("the model of a group occurs once");
        self.groups.insert(at, model);
        Ok(())
    }

    pub(super) fn name_group(&mut self, at: At, name: QName) {
        let Some(group) = self.group(at) else { return };
        self.components.global_groups.insert(name, self.components.groups.len() as u32);
        self.components.groups.push(GroupDefinition { at: self.place(at), group });
    }

    /// The model of a group by name; `None` for anything else.
    pub(super) fn group(&self, at: At) -> Option<ModelGroup> {
        match &self.groups.get(&at)?.particle.term {
            Term::Group(group) => Some(group.clone()),
            Term::Element(_) | Term::Any(_) => None,
        }
    }

    /// The element a particle is about.
    fn element_meant(&self, at: At) -> Done<u32> {
        self.check_element(at)?;
        let declared = match self.node(at).attribute("ref") {
            Some(name) => self.resolve(at, Symbol::Element, name)?,
            None => at,
        };
        Ok(self.element_ids.get(&declared).copied().expect("all elements are numbered"))
    }
}
