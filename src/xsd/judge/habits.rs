//! What the lane has learned of the document at hand: how it writes prefixes and children, and how it is indented.

use crate::xml::{Gap, Limits, Namespace, Scope, Span, Tag, skip_space};
use crate::xsd::rails::{LONGEST, Rails, Step};
use crate::xsd::tables::StateId;

/// A longer value is left to the usual way, to which it costs next to nothing more.
pub(super) const MOST_VALUE: usize = 4 << 10;

/// What the lane has learned of the document at hand.
#[derive(Debug)]
pub(super) struct Lane {
    /// How it writes the namespaces of the schema, by their number.
    prefixes: Vec<Prefix>,
    /// The declarations that is true for.
    generation: u64,
    /// The white space before start tags, by depth.
    gaps: [Gap; GAPS],
    habits: Vec<Habit>,
    /// The habit of the child that came last in each state.
    last: Vec<HabitId>,
    /// The habit of each step.
    of_step: Vec<HabitId>,
    limits: Limits,
}

/// How the document writes a child.
#[derive(Debug)]
pub(super) struct Habit {
    /// White space, the `<`, the name and the byte behind it.
    lead: Span<WORDS>,
    /// The end tag.
    tail: Span<WORDS>,
    /// The step that leads to the child.
    pub(super) step: u32,
    /// Where the start tag begins in the lead, and where the name ends.
    pub(super) tag: u32,
    pub(super) name_end: u32,
}

pub(super) type HabitId = u16;
pub(super) const NO_HABIT: HabitId = HabitId::MAX;
/// More children than this are looked at each time.
const MOST_HABITS: usize = 512;
/// Of a lead and of a tail.
const WORDS: usize = 6;

/// How many depths are indented in a way that is remembered; deeper ones share them.
const GAPS: usize = 16;

/// A prefix with its colon in a word; one that is not known is like no word at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Prefix {
    pub(super) word: u64,
    pub(super) mask: u64,
    pub(super) len: u32,
}

impl Lane {
    pub(super) fn new(rails: &Rails, limits: &Limits) -> Self {
        let mut prefixes = vec![Prefix::UNKNOWN; rails.namespaces];
        if let Some(xml) = Namespace::XML.index().and_then(|number| prefixes.get_mut(number)) {
            *xml = Prefix::of(b"xml:");
        }
        let (states, steps) = rails.sizes();
        Self {
            prefixes,
            generation: u64::MAX,
            gaps: [Gap::NONE; GAPS],
            habits: Vec::new(),
            last: vec![NO_HABIT; states],
            of_step: vec![NO_HABIT; steps],
            limits: limits.clone(),
        }
    }

    /// Tells whether names may be as long as those on the rails.
    #[inline]
    pub(super) fn is_open(&self) -> bool {
        self.limits.name_bytes >= Prefix::LONGEST + LONGEST
    }

    /// Tells whether the limits allow so many attributes, one with so many bytes, and a tag of so many.
    #[inline]
    pub(super) fn admits(&self, attributes: usize, value_bytes: usize, tag_bytes: usize) -> bool {
        attributes <= self.limits.attributes
            && value_bytes <= self.limits.attribute_bytes.min(MOST_VALUE)
            && tag_bytes + LONGEST + 2 * Prefix::LONGEST <= self.limits.tag_bytes
    }

    /// The prefix of attributes of a namespace, which the default one is not.
    #[inline(always)]
    pub(super) fn of_attribute(&self, namespace: u32) -> Prefix {
        let prefix = self.of(namespace);
        if prefix.len == 0 { Prefix::UNKNOWN } else { prefix }
    }

    /// Learns from a tag how the namespace of its name is written here.
    #[inline]
    pub(super) fn learn(&mut self, tag: &Tag<'_>) {
        let Some(known) = tag.namespace.index().and_then(|number| self.prefixes.get_mut(number)) else { return };
        let raw = tag.name.get(..tag.name.len() - tag.local.len()).unwrap_or_default();
        let prefix = Prefix::of(raw);
        if prefix != *known {
            *known = prefix;
            self.habits.clear();
        }
    }

    /// Forgets what the declarations in force no longer bear out.
    #[inline]
    pub(super) fn refresh(&mut self, scope: &Scope) {
        if self.generation == scope.generation() {
            return;
        }
        self.generation = scope.generation();
        for (number, prefix) in self.prefixes.iter_mut().enumerate() {
            if prefix.word != u64::MAX && !prefix.resolves(scope, number) {
                *prefix = Prefix::UNKNOWN;
                self.habits.clear();
            }
        }
    }

    #[inline(always)]
    pub(super) fn of(&self, namespace: u32) -> Prefix {
        self.prefixes.get(namespace as usize).copied().unwrap_or(Prefix::UNKNOWN)
    }

    /// The habit of the child that came last in a state, if it seems to come again.
    #[inline(always)]
    pub(super) fn usual(&self, state: StateId, bytes: &[u8]) -> Option<(HabitId, &Habit)> {
        let id = *self.last.get(state as usize)?;
        let habit = self.habits.get(usize::from(id))?;
        habit.lead.begins(bytes).then_some((id, habit))
    }

    /// Tells whether bytes begin with the end tag of a habit.
    #[inline(always)]
    pub(super) fn ends(&self, id: HabitId, bytes: &[u8]) -> bool {
        self.habits.get(usize::from(id)).is_some_and(|habit| habit.tail.begins(bytes))
    }

    /// Learns how a child is written: white space and start tag, of which the latter and what follows the name begin at
    /// places.
    pub(super) fn keep(&mut self, state: StateId, step: &Step, bytes: &[u8], tag: usize, name_end: usize) -> HabitId {
        let (Some(last), Some(of_step)) =
            (self.last.get_mut(state as usize), self.of_step.get_mut(step.number as usize))
        else {
            return NO_HABIT;
        };
        let before = std::mem::replace(last, *of_step);
        let count = self.habits.len();
        let known = self.habits.get_mut(usize::from(*of_step)).filter(|habit| habit.step == step.number);
        // Another child was expected.
        if known.is_some() && before != *of_step {
            return *of_step;
        }
        let Some(habit) = Habit::of(step, bytes, tag, name_end) else { return NO_HABIT };
        match known {
            Some(known) => *known = habit,
            None if count < MOST_HABITS => {
                *of_step = count as HabitId;
                *last = *of_step;
                self.habits.push(habit);
            }
            None => return NO_HABIT,
        }
        *of_step
    }

    /// Skips the white space before a child at a depth, or before the end of its parent.
    #[inline(always)]
    pub(super) fn skip_space<'b>(&mut self, bytes: &'b [u8], depth: usize) -> Option<&'b [u8]> {
        let [child, end] = [depth, depth + GAPS - 1].map(|depth| self.gaps.get(depth % GAPS));
        if let Some(rest) = child.and_then(|gap| gap.strip(bytes)).or_else(|| end?.strip(bytes)) {
            return Some(rest);
        }
        self.other_space(bytes, depth)
    }

    fn other_space<'b>(&mut self, bytes: &'b [u8], depth: usize) -> Option<&'b [u8]> {
        let rest = skip_space(bytes)?;
        if !rest.starts_with(b"</")
            && let Some(gap) = self.gaps.get_mut(depth % GAPS)
        {
            *gap = Gap::of(bytes.get(..bytes.len() - rest.len()).unwrap_or_default());
        }
        Some(rest)
    }
}

impl Habit {
    /// What is too long is no habit.
    fn of(step: &Step, bytes: &[u8], tag: usize, name_end: usize) -> Option<Self> {
        let lead = Span::of(bytes.get(..=name_end)?)?;
        let tail = Span::of(&[b"</", bytes.get(tag + 1..name_end)?, b">"].concat())?;
        Some(Self { lead, tail, step: step.number, tag: tag as u32, name_end: name_end as u32 })
    }
}

impl Prefix {
    const UNKNOWN: Self = Self { word: u64::MAX, mask: 0, len: 0 };
    const NONE: Self = Self { word: 0, mask: 0, len: 0 };
    const LONGEST: usize = 8;

    fn of(raw: &[u8]) -> Self {
        let mut bytes = [0; Self::LONGEST];
        if raw.is_empty() {
            return Self::NONE;
        }
        match bytes.get_mut(..raw.len()) {
            None => Self::UNKNOWN,
            Some(start) => {
                start.copy_from_slice(raw);
                let mask = u64::MAX >> (64 - 8 * raw.len());
                Self { word: u64::from_le_bytes(bytes), mask, len: raw.len() as u32 }
            }
        }
    }

    /// What follows the prefix, if the bytes begin with it.
    #[inline(always)]
    pub(super) fn strip<'b>(&self, bytes: &'b [u8]) -> Option<&'b [u8]> {
        let found = u64::from_le_bytes(*bytes.first_chunk()?);
        if found & self.mask == self.word { bytes.get(self.len as usize..) } else { None }
    }

    fn resolves(&self, scope: &Scope, number: usize) -> bool {
        let bytes = self.word.to_le_bytes();
        let prefix = bytes.get(..(self.len as usize).saturating_sub(1)).unwrap_or_default();
        let namespace = match self.len {
            0 => Some(scope.default_namespace()),
            _ => scope.lookup(prefix).map(|(namespace, _)| namespace),
        };
        namespace.and_then(Namespace::index) == Some(number)
    }
}
