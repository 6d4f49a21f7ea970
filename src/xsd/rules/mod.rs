//! The constraints on schema components (XSD 1.0 part 1, appendix C) that compare components with each other.
//!
//! What a document says wrongly is the affair of `build`, what a facet says wrongly that of the datatypes. Content
//! models are laid out flat once ([`Model`]), with a limit on their size and depth, so that no rule takes more than
//! polynomial time and no walk goes deeper than the stack.

mod ambiguity;
mod attributes;
mod consistency;
mod derivation;
mod elements;
mod groups;
mod leaves;
mod model;
mod next;
#[cfg(test)]
mod oracle;
mod particles;
mod parts;
#[cfg(test)]
mod sample;
mod substitution;
mod types;
mod values;
mod wildcards;

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, HashSet};

use super::components::{
    Components, IdentityConstraint, IdentityKind, ModelGroup, Particle, QName, Redefined, Term, TypeDefinition, TypeId,
};
use super::tables::XSD;
use super::{Place, SchemaError};
use attributes::Attributes;
use groups::Groups;
use model::Model;

pub(in crate::xsd) use substitution::Substitutions;

/// Judges a schema by every rule; the first that is broken is the answer.
///
/// That no type and no group leads back to itself is known from how they are built.
pub(in crate::xsd) fn check(components: &Components) -> Result<(), SchemaError> {
    elements::check_heads(components)?;
    let rules = Rules::of(components)?;
    for attribute in &components.attributes {
        attributes::check_declaration(&rules, attribute)?;
    }
    for definition in &components.types {
        match definition {
            TypeDefinition::Simple(simple) => types::check_simple(&rules, simple)?,
            TypeDefinition::Complex(complex) => types::check_complex(&rules, complex)?,
        }
    }
    for definition in &components.groups {
        // One that no content has may be ambiguous.
        let whole = whole(&definition.group, &definition.at);
        let model = rules.lay_out(&whole)?;
        consistency::check(&rules, &model)?;
    }
    let sorted: BTreeMap<_, _> = components.global_attribute_groups.iter().collect();
    sorted.into_values().try_for_each(|group| attributes::check_group(&rules, group))?;
    components.elements.iter().try_for_each(|element| elements::check(&rules, element))?;
    check_redefinitions(&rules)?;
    components.constraints.iter().try_for_each(|constraint| check_identity(components, constraint))
}

/// What redefines a group without naming it restricts it (src-redefine.6.2.2, src-redefine.7.2.2).
fn check_redefinitions(rules: &Rules<'_>) -> Done {
    for Redefined { at, new, old } in &rules.components.redefined_groups {
        let (new, old) = (whole(new, at), whole(old, at));
        rules.lay_out(&new)?;
        rules.lay_out(&old)?;
        particles::check(rules, &new, &old)?;
    }
    for Redefined { at, new, old } in &rules.components.redefined_attribute_groups {
        attributes::check_restriction(rules, Attributes::of_group(new), Attributes::of_group(old), at)?;
    }
    Ok(())
}

/// A group as the whole of a content.
fn whole(group: &ModelGroup, at: &Place) -> Particle {
    Particle { min: 1, max: Some(1), term: Term::Group(group.clone()), at: at.clone() }
}

/// A reference has as many fields as what it refers to (c-props-correct).
fn check_identity(components: &Components, constraint: &IdentityConstraint) -> Done {
    let IdentityKind::KeyRef(key) = constraint.kind else { return Ok(()) };
    if components.constraint(key).fields.len() == constraint.fields.len() {
        return Ok(());
    }
    let problem = format!("{} and the key it refers to have not the same number of fields", constraint.name);
    Err(broken(&constraint.at, "c-props-correct.2", problem))
}

/// What a rule comes to.
type Done<T = ()> = Result<T, SchemaError>;

/// A schema under judgement.
struct Rules<'a> {
    components: &'a Components,
    groups: Groups<'a>,
    /// The built-in type ID.
    id_type: Option<TypeId>,
    /// The contents that passed already, by where their groups are; extensions without an own content share them.
    passed: RefCell<HashSet<(*const Particle, u32, Option<u32>)>>,
    /// How many particles those had.
    particles: Cell<usize>,
}

/// How many particles its contents have, all together.
const MOST_PARTICLES: usize = 5_000_000;

impl<'a> Rules<'a> {
    fn of(components: &'a Components) -> Done<Self> {
        let groups = Groups::of(components)?;
        let id_type = components.global_types.get(&QName::new(XSD, "ID")).copied();
        Ok(Self { components, groups, id_type, passed: RefCell::default(), particles: Cell::default() })
    }

    /// Judges a content model by itself.
    fn check_content(&self, particle: &Particle) -> Done {
        if let Term::Group(group) = &particle.term
            && !self.passed.borrow_mut().insert((group.particles.as_ptr(), particle.min, particle.max))
        {
            return Ok(());
        }
        let model = self.lay_out(particle)?;
        consistency::check(self, &model)?;
        ambiguity::check(self, &model)
    }

    /// Lays out a content model, and sees that its `all` groups stand where they may.
    fn lay_out<'p>(&self, particle: &'p Particle) -> Done<Model<'p>> {
        let model = Model::of(particle)?;
        self.particles.set(self.particles.get() + model.nodes().count());
        if self.particles.get() > MOST_PARTICLES {
            return Err(too_large(&particle.at, "the contents of the schema have too many particles"));
        }
        model.check_all()?;
        Ok(model)
    }
}

fn broken(place: &Place, rule: &'static str, problem: impl Into<String>) -> SchemaError {
    SchemaError::invalid(place.clone(), rule, problem)
}

fn too_large(place: &Place, problem: &str) -> SchemaError {
    SchemaError::TooLarge { place: place.clone(), problem: problem.to_owned() }
}
