//! Patterns as tables: one look-up for a character, which is all that most of them need.

use super::alphabet::{Alphabet, Symbols};
use super::expression::Node;

/// A deterministic automaton over the symbols of an alphabet.
#[derive(Debug)]
pub(super) struct Machine {
    alphabet: Alphabet,
    /// The symbols of the characters that have one byte or two.
    columns: Box<[u8; SHORT]>,
    /// Where each state goes with each symbol.
    next: Vec<[u8; COLUMNS]>,
    accepting: Vec<bool>,
}

/// How an expression goes on at one of its places.
#[derive(Debug)]
enum Place {
    End,
    /// A character of a set leads to another place.
    Set(usize, usize),
    /// Any of these, without a character.
    Either(Vec<usize>),
}

/// The places of an expression.
struct Places {
    all: Vec<Place>,
    /// How many more parts may be looked at: what counts far is left to the engine.
    left: usize,
}

const COLUMNS: usize = 64;
/// So many characters have one byte or two.
const SHORT: usize = 0x800;
/// The state in which nothing more can help.
const DEAD: u8 = 0;
const START: u8 = 1;
/// As many as the bits of a word.
const MOST_PLACES: usize = 128;
const MOST_PARTS: usize = 1_000;

impl Machine {
    /// The machine of an expression, if it is a small one.
    pub(super) fn new(root: &Node, alphabet: &Alphabet, sets: &[Symbols]) -> Option<Self> {
        let mut places = Places { all: vec![Place::End], left: MOST_PARTS };
        let start = places.before(root, 0)?;
        let sets: Vec<u64> = sets.iter().map(bits).collect::<Option<_>>()?;
        let width = Some(alphabet.len()).filter(|width| *width <= COLUMNS)?;
        let mut states = vec![0, places.closure(vec![start])];
        let mut next = vec![[DEAD; COLUMNS]];
        let mut at = usize::from(START);
        while let Some(state) = states.get(at).copied() {
            let mut row = [DEAD; COLUMNS];
            for (column, next) in row.iter_mut().enumerate().take(width) {
                let to = places.after(state, column, &sets);
                let known = states.iter().position(|state| *state == to);
                *next = u8::try_from(known.unwrap_or(states.len())).ok()?;
                if known.is_none() {
                    states.push(to);
                }
            }
            next.push(row);
            at += 1;
        }
        let mut columns = Box::new([0; SHORT]);
        for (column, c) in columns.iter_mut().zip('\0'..) {
            *column = alphabet.symbol(c) as u8;
        }
        let accepting = states.iter().map(|state| state & 1 != 0).collect();
        Some(Self { alphabet: alphabet.clone(), columns, next, accepting })
    }

    /// Tells whether a whole text fits.
    pub(super) fn fits(&self, raw: &[u8]) -> bool {
        let (mut state, mut rest) = (START, raw);
        loop {
            let (c, after) = match rest {
                [] => return self.accepts(state),
                [byte @ ..0x80, after @ ..] => (usize::from(*byte), after),
                [begin @ 0xC2..0xE0, end @ 0x80..0xC0, after @ ..] => {
                    (usize::from(begin & 0x1F) << 6 | usize::from(end & 0x3F), after)
                }
                _ => return self.goes_on(state, rest),
            };
            state = self.step(state, self.columns.get(c).copied().unwrap_or_default());
            rest = after;
        }
    }

    /// The same for the rest of a text, whatever its characters.
    fn goes_on(&self, from: u8, rest: &[u8]) -> bool {
        let Ok(rest) = std::str::from_utf8(rest) else { return false };
        self.accepts(rest.chars().fold(from, |state, c| self.step(state, self.alphabet.symbol(c) as u8)))
    }

    #[inline(always)]
    fn step(&self, state: u8, column: u8) -> u8 {
        let row = self.next.get(usize::from(state));
        row.and_then(|row| row.get(usize::from(column))).copied().unwrap_or(DEAD)
    }

    fn accepts(&self, state: u8) -> bool {
        self.accepting.get(usize::from(state)).is_some_and(|accepting| *accepting)
    }
}

/// A set of few symbols.
fn bits(symbols: &Symbols) -> Option<u64> {
    let mut bits = symbols.iter().map(|symbol| 1_u64.checked_shl(*symbol as u32));
    bits.try_fold(0, |all, bit| Some(all | bit?))
}

impl Places {
    /// The place where a part begins after which comes another. Its recursion is bounded by the parser.
    fn before(&mut self, node: &Node, next: usize) -> Option<usize> {
        self.left = self.left.checked_sub(1)?;
        match node {
            Node::Set(set) => self.add(Place::Set(*set, next)),
            Node::Sequence(nodes) => nodes.iter().rev().try_fold(next, |next, node| self.before(node, next)),
            Node::Choice(nodes) => {
                let each = nodes.iter().map(|node| self.before(node, next)).collect::<Option<_>>()?;
                self.add(Place::Either(each))
            }
            Node::Repeat(inside, least, most) => {
                let mut first = next;
                if let Some(most) = most {
                    for _ in *least..*most {
                        let inside = self.before(inside, first)?;
                        first = self.add(Place::Either(vec![inside, next]))?;
                    }
                } else {
                    first = self.add(Place::Either(vec![next]))?;
                    let inside = self.before(inside, first)?;
                    if let Some(Place::Either(each)) = self.all.get_mut(first) {
                        each.push(inside);
                    }
                }
                (0..*least).try_fold(first, |next, _| self.before(inside, next))
            }
        }
    }

    fn add(&mut self, place: Place) -> Option<usize> {
        self.all.push(place);
        (self.all.len() <= MOST_PLACES).then(|| self.all.len() - 1)
    }

    /// All places that some are, as bits.
    fn closure(&self, mut open: Vec<usize>) -> u128 {
        let mut closed = 0;
        while let Some(at) = open.pop() {
            if closed & (1 << at) != 0 {
                continue;
            }
            closed |= 1 << at;
            if let Some(Place::Either(each)) = self.all.get(at) {
                open.extend(each);
            }
        }
        closed
    }

    /// The places after some, by a symbol.
    fn after(&self, places: u128, symbol: usize, sets: &[u64]) -> u128 {
        let holds = |set: usize| sets.get(set).is_some_and(|bits| bits & (1 << symbol) != 0);
        let after = self.all.iter().enumerate().filter_map(|(at, place)| match place {
            Place::Set(set, next) if places & (1 << at) != 0 && holds(*set) => Some(*next),
            Place::Set(..) | Place::End | Place::Either(_) => None,
        });
        self.closure(after.collect())
    }
}
