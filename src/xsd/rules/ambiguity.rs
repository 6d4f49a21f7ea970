//! Which particle an element belongs to is clear from what came before it (cos-nonambig, unique particle attribution).
//!
//! The walk carries the particles that may come next. A group whose number of rounds is fixed is walked once with its own
//! beginning behind it and once with what follows it, since never both may come.

use std::collections::HashMap;

use super::model::NodeId;
use super::next::Next;
use super::{Done, Model, Rules, broken, too_large};
use crate::xsd::components::{Compositor, Particle, Term};

/// How many steps the walk of one content model may take.
const MOST_STEPS: u64 = 20_000_000;

/// Judges a content model.
pub(super) fn check(rules: &Rules<'_>, model: &Model<'_>) -> Done {
    let Some(root) = model.root() else { return Ok(()) };
    let mut walk = Walk { rules, model, countable: HashMap::new(), steps: 0 };
    walk.add_first(root, &mut Next::new(rules))?;
    walk.pass(root, &mut Next::new(rules))
}

struct Walk<'w> {
    rules: &'w Rules<'w>,
    model: &'w Model<'w>,
    /// The groups with a fixed number of rounds that were met, and whether the rounds can be counted.
    countable: HashMap<NodeId, bool>,
    steps: u64,
}

impl<'w> Walk<'w> {
    /// Judges what is in a node, `next` being what may follow it.
    fn pass(&mut self, id: NodeId, next: &mut Next<'w>) -> Done {
        let node = self.model.node(id);
        if !node.repeats() {
            return self.inside(id, next);
        }
        let mark = next.mark();
        if !node.is_counted() || !self.is_countable(id)? {
            self.add_first(id, next)?;
        }
        self.inside(id, next)?;
        next.undo(mark);
        Ok(())
    }

    /// Judges what is in a group with its own beginning behind it, and tells whether its rounds can be counted: not if
    /// a child may as well belong to the round that is open as begin another.
    fn is_countable(&mut self, id: NodeId) -> Done<bool> {
        if let Some(known) = self.countable.get(&id) {
            return Ok(*known);
        }
        let mut again = Next::new(self.rules);
        self.add_first(id, &mut again)?;
        again.begin_rounds();
        self.inside(id, &mut again)?;
        self.countable.insert(id, !again.is_met());
        Ok(!again.is_met())
    }

    fn inside(&mut self, id: NodeId, next: &mut Next<'w>) -> Done {
        let model = self.model;
        let node = model.node(id);
        let Term::Group(group) = &node.particle.term else { return Ok(()) };
        match group.compositor {
            Compositor::Choice => node.children.iter().try_for_each(|child| self.pass(*child, next)),
            // Any of its parts may follow any other; they are elements.
            Compositor::All => {
                let mark = next.mark();
                self.add_first(id, next)?;
                next.undo(mark);
                Ok(())
            }
            Compositor::Sequence => self.sequence(&node.children, next),
        }
    }

    /// From the last part to the first: behind each the beginnings of those that follow it, up to one that must come.
    fn sequence(&mut self, parts: &'w [NodeId], next: &mut Next<'w>) -> Done {
        let mark = next.mark();
        let mut own: Option<Next<'w>> = None;
        for (at, part) in parts.iter().enumerate().rev() {
            self.pass(*part, behind(&mut own, next))?;
            // What comes first is added where the whole sequence is.
            if at > 0 {
                if !self.model.node(*part).is_emptiable {
                    own = Some(Next::new(self.rules));
                }
                self.add_first(*part, behind(&mut own, next))?;
            }
        }
        next.undo(mark);
        Ok(())
    }

    /// Adds what a node may begin with.
    fn add_first(&mut self, id: NodeId, next: &mut Next<'w>) -> Done {
        self.steps += 1;
        let model = self.model;
        let node = model.node(id);
        if self.steps > MOST_STEPS {
            return Err(too_large(&node.particle.at, "the content model is too intricate"));
        }
        let Term::Group(group) = &node.particle.term else { return self.add(id, next) };
        for child in &node.children {
            self.add_first(*child, next)?;
            if group.compositor == Compositor::Sequence && !model.node(*child).is_emptiable {
                break;
            }
        }
        Ok(())
    }

    fn add(&mut self, id: NodeId, next: &mut Next<'w>) -> Done {
        let model = self.model;
        let particle = model.node(id).particle;
        let other = match &particle.term {
            Term::Element(element) => next.add_element(*element, id),
            Term::Any(wildcard) => next.add_wildcard(&wildcard.namespaces, id),
            Term::Group(_) => None,
        };
        match other {
            None => Ok(()),
            Some(other) => Err(self.ambiguous(model.node(other).particle, particle)),
        }
    }

    fn ambiguous(&self, one: &Particle, two: &Particle) -> crate::xsd::SchemaError {
        let shown = |particle: &Particle| match &particle.term {
            Term::Element(id) => format!("the element {}", self.rules.components.element(*id).name),
            Term::Any(_) | Term::Group(_) => "a wildcard".to_owned(),
        };
        let problem = format!("the same child may be {} of line {} or {}", shown(one), one.at.at.line, shown(two));
        broken(&two.at, "cos-nonambig", problem)
    }
}

/// What follows a part of a sequence: parts that must come keep out what follows the sequence.
fn behind<'n, 'w>(own: &'n mut Option<Next<'w>>, outer: &'n mut Next<'w>) -> &'n mut Next<'w> {
    own.as_mut().unwrap_or(outer)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::xsd::components::ANY_TYPE;
    use crate::xsd::rules::sample::Sample;

    fn is_clear(sample: &mut Sample, content: &str) -> bool {
        let particle = sample.content(content);
        check(&Rules::of(&sample.components).unwrap(), &Model::of(&particle).unwrap()).is_ok()
    }

    #[test]
    fn the_next_particle_is_known_by_name() {
        for clear in [
            "a, b",
            "a?, b",
            "(a | b)*, c",
            "(a, b)*, c",
            "(a, b?)*, c",
            "a{0,5}, b",
            "(a?, b?)*",
            "a, a",
            "a & b? & c",
            "@x, @y",
            "(@x | @other)",
            "a*, @x",
            "(a | (b, a))",
            "",
            "(a, b?){0,0}, a",
        ] {
            assert!(is_clear(&mut Sample::default(), clear), "{clear}");
        }
        for ambiguous in [
            "a?, a",
            "a*, a",
            "(a | a)",
            "((a, b) | (a, c))",
            "(a, b?)*, b",
            "(a, a?)*",
            "a{1,2}, a",
            "(a?, b?)*, a",
            "@any*, a",
            "a?, @any",
            "@other, @x?, @any",
            "(@other | @y)",
            "a & b & a",
            "(a?, (b?, c?)*)*, b",
            "(a | (b?, a))",
        ] {
            assert!(!is_clear(&mut Sample::default(), ambiguous), "{ambiguous}");
        }
    }

    #[test]
    fn a_fixed_number_of_rounds_tells_again_from_on() {
        for clear in
            ["a{2,2}, a", "(a, b){3,3}, a", "(a{2,2}, b?){2,2}, a{2,2}", "(a, (b, c?){2,2}){2,2}, b", "a{2,900000}"]
        {
            assert!(is_clear(&mut Sample::default(), clear), "{clear}");
        }
        for ambiguous in ["(a?){2,2}, a", "a{2,3}, a", "(a, b?){2,2}, b", "((a, b?){2,2} | c){2,2}, b", "(a, a?){2,2}"]
        {
            assert!(!is_clear(&mut Sample::default(), ambiguous), "{ambiguous}");
        }
    }

    #[test]
    fn members_of_substitution_groups_count() {
        let mut sample = Sample::default();
        let head = sample.element("head", ANY_TYPE);
        sample.member("member", ANY_TYPE, head);
        assert!(!is_clear(&mut sample, "head?, member"));
        assert!(!is_clear(&mut sample, "(member | head)"));
        assert!(is_clear(&mut sample, "head, member"));
        sample.components.elements[head as usize].blocked.substitution = true;
        assert!(is_clear(&mut sample, "head?, member"));
    }

    #[test]
    fn large_models_take_no_long_time() {
        let names: Vec<String> = (0..3_000).map(|number| format!("a{number}")).collect();
        for (between, around) in [("|", "*"), ("?,", "*"), ("?,", "{5,5}"), ("{2,100000},", "{0,7}")] {
            let content = format!("({}){around}, end", names.join(between));
            assert!(is_clear(&mut Sample::default(), &content), "{between}");
        }
        let nested = format!("{}b{}", "(a, (".repeat(150), "){2,2}){3,3}".repeat(150));
        assert!(is_clear(&mut Sample::default(), &nested));
    }
}
