//! The characters of a pattern, as few symbols as tell its sets apart.
//!
//! A set such as `\w` has hundreds of ranges, and the engine would have states for the bytes of each, as often as it is
//! counted. With one symbol for all characters that the same sets hold, a set is a range or two.

use std::collections::HashMap;

use super::classes::Set;

/// What each character of a text is to the engine.
#[derive(Debug, Clone)]
pub(super) struct Alphabet {
    /// The symbol of each range of characters, by where it begins.
    ranges: Vec<(char, char)>,
    /// Those of the first 128 characters.
    ascii: Vec<char>,
    /// How many symbols there are.
    symbols: usize,
}

/// The symbols of one set.
pub(super) type Symbols = Vec<char>;

/// Neither sets times ranges may be more, nor are there more symbols.
const MOST_WORK: usize = 20_000_000;
const MOST_SYMBOLS: usize = 50_000;

impl Alphabet {
    /// The alphabet of some sets, with the symbols of each set; `None` if there are too many to tell apart.
    pub(super) fn new(sets: &[Set]) -> Option<(Self, Vec<Symbols>)> {
        let starts = starts(sets);
        if starts.len().checked_mul(sets.len())? > MOST_WORK {
            return None;
        }
        // Which sets hold the characters from one start to the next.
        let mut holders: Vec<Vec<u32>> = vec![Vec::new(); starts.len()];
        for (at, set) in (0..).zip(sets) {
            for range in set.ranges() {
                let from = starts.partition_point(|start| *start < range.start());
                let to = starts.partition_point(|start| *start <= range.end());
                holders.get_mut(from..to)?.iter_mut().for_each(|holders| holders.push(at));
            }
        }
        let mut symbols = vec![Symbols::new(); sets.len()];
        let mut known: HashMap<Vec<u32>, char> = HashMap::new();
        let mut ranges = Vec::with_capacity(starts.len());
        for (start, holders) in starts.into_iter().zip(holders) {
            let symbol = match known.get(&holders) {
                Some(symbol) => *symbol,
                None => {
                    let symbol =
                        char::from_u32(u32::try_from(known.len()).ok().filter(|_| known.len() < MOST_SYMBOLS)?)?;
                    for at in &holders {
                        symbols.get_mut(*at as usize)?.push(symbol);
                    }
                    known.insert(holders, symbol);
                    symbol
                }
            };
            ranges.push((start, symbol));
        }
        let mut alphabet = Self { ranges, ascii: Vec::new(), symbols: known.len() };
        alphabet.ascii = ('\0'..'\u{80}').map(|c| alphabet.search(c)).collect();
        Some((alphabet, symbols))
    }

    /// How many symbols there are, numbered from 0.
    pub(super) fn len(&self) -> usize {
        self.symbols
    }

    /// The symbol of a character.
    pub(super) fn symbol(&self, c: char) -> char {
        self.ascii.get(c as usize).copied().unwrap_or_else(|| self.search(c))
    }

    fn search(&self, c: char) -> char {
        let past = self.ranges.partition_point(|(start, _)| *start <= c);
        past.checked_sub(1).and_then(|at| self.ranges.get(at)).map_or('\0', |(_, symbol)| *symbol)
    }
}

/// Where the sets that hold a character change.
fn starts(sets: &[Set]) -> Vec<char> {
    let mut starts = vec!['\0'];
    for range in sets.iter().flat_map(|set| set.ranges()) {
        starts.push(range.start());
        starts.extend((range.end()..=char::MAX).nth(1));
    }
    starts.sort_unstable();
    starts.dedup();
    starts
}
