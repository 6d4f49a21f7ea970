//! Patterns: regular expressions of the recommendation's dialect, put into that of the engine.

use std::fmt::Write;

use regex::{Regex, RegexBuilder};

use super::alphabet::{Alphabet, Symbols};
use super::expression::{Expression, Node};
use super::machine::Machine;

/// The patterns of one step of derivation; a text fits if it fits one of them.
#[derive(Debug)]
pub(in crate::xsd) struct Pattern {
    sources: Vec<String>,
    any: Vec<Matcher>,
}

#[derive(Debug)]
enum Matcher {
    /// A small one, which needs no engine.
    Table(Machine),
    /// So many characters of one set, which needs no engine.
    Counted { alphabet: Alphabet, inside: Symbols, least: usize, most: usize },
    /// All its sets are of ASCII: no other character can fit.
    Plain(Regex),
    Symbols {
        alphabet: Alphabet,
        symbols: Regex,
        /// The same for texts that are all ASCII, as most are.
        ascii: Regex,
    },
}

/// What one expression may take in memory; matching takes at most so many steps for each character.
const MOST_BYTES: usize = 4 << 20;

impl Pattern {
    /// Compiles the patterns of one step; an error says which of them is none.
    pub(super) fn new(sources: &[&str]) -> Result<Self, (usize, String)> {
        let each = sources.iter().enumerate();
        let any = each.map(|(at, source)| Matcher::new(source).map_err(|problem| (at, problem)));
        let sources = sources.iter().map(|source| (*source).to_owned()).collect();
        Ok(Self { any: any.collect::<Result<_, _>>()?, sources })
    }

    /// The patterns as written.
    pub(super) fn sources(&self) -> &[String] {
        &self.sources
    }

    /// Tells whether a whole text fits.
    pub(super) fn fits(&self, text: &str) -> bool {
        self.fits_raw(text.as_bytes())
    }

    /// The same for a text whose characters nobody has looked at: what is none does not fit.
    #[inline]
    pub(super) fn fits_raw(&self, raw: &[u8]) -> bool {
        self.any.iter().any(|matcher| match matcher {
            Matcher::Table(machine) => machine.fits(raw),
            engine @ (Matcher::Counted { .. } | Matcher::Plain(_) | Matcher::Symbols { .. }) => {
                std::str::from_utf8(raw).is_ok_and(|text| engine.fits(text))
            }
        })
    }
}

impl Matcher {
    fn new(source: &str) -> Result<Self, String> {
        let expression = Expression::parse(source)?;
        let alphabet = Alphabet::new(&expression.sets);
        let machine = alphabet.as_ref().and_then(|(alphabet, sets)| Machine::new(&expression.root, alphabet, sets));
        machine.map_or_else(|| Self::large(&expression, alphabet), |machine| Ok(Self::Table(machine)))
    }

    /// Without a table.
    fn large(expression: &Expression, alphabet: Option<(Alphabet, Vec<Symbols>)>) -> Result<Self, String> {
        let is_plain = expression.sets.iter().all(|set| set.ranges().iter().all(|range| range.end().is_ascii()));
        let complex = || "it has too many sets of characters".to_owned();
        let counted = counted(&expression.root);
        let ascii = |set: &super::classes::Set| {
            let ranges = set.ranges().iter().filter(|range| range.start().is_ascii());
            ranges.flat_map(|range| range.start()..=range.end().min('\u{7F}')).collect()
        };
        let ascii_sets: Vec<Symbols> = expression.sets.iter().map(ascii).collect();
        if is_plain && counted.is_none() {
            return Ok(Self::Plain(engine(&expression.root, &ascii_sets)?));
        }
        let (alphabet, mut sets) = alphabet.ok_or_else(complex)?;
        if let (Some((least, most)), Some(inside)) = (counted, sets.first_mut()) {
            return Ok(Self::Counted { alphabet, inside: std::mem::take(inside), least, most });
        }
        let [symbols, ascii] = [&sets, &ascii_sets].map(|sets| engine(&expression.root, sets));
        Ok(Self::Symbols { alphabet, symbols: symbols?, ascii: ascii? })
    }

    fn fits(&self, text: &str) -> bool {
        match self {
            Self::Table(machine) => machine.fits(text.as_bytes()),
            Self::Counted { alphabet, inside, least, most } => {
                let mut count = 0;
                let all = text.chars().all(|c| {
                    count += 1;
                    inside.contains(&alphabet.symbol(c))
                });
                all && (*least..=*most).contains(&count)
            }
            Self::Plain(regex) => regex.is_match(text),
            Self::Symbols { ascii, .. } if text.is_ascii() => ascii.is_match(text),
            Self::Symbols { alphabet, symbols, .. } => {
                let text: String = text.chars().map(|c| alphabet.symbol(c)).collect();
                symbols.is_match(&text)
            }
        }
    }
}

/// The bounds of a count of one set, if that is all an expression has.
fn counted(root: &Node) -> Option<(usize, usize)> {
    match root {
        Node::Set(_) => Some((1, 1)),
        Node::Repeat(inside, least, most) if matches!(**inside, Node::Set(_)) => {
            Some((*least as usize, most.map_or(usize::MAX, |most| most as usize)))
        }
        Node::Repeat(..) | Node::Sequence(_) | Node::Choice(_) => None,
    }
}

fn engine(root: &Node, sets: &[Symbols]) -> Result<Regex, String> {
    let mut source = String::from(r"\A(?:");
    write(&mut source, root, sets);
    source.push_str(r")\z");
    // Whatever the engine has against it, we have written it ourselves: it can only be too large.
    let engine = RegexBuilder::new(&source).size_limit(MOST_BYTES).nest_limit(u32::MAX).build();
    engine.map_err(|_| "it counts too far to be held in memory".to_owned())
}

/// Writes a part as the engine reads it. Its recursion is bounded by the parser.
fn write(source: &mut String, node: &Node, sets: &[Symbols]) {
    let between = |source: &mut String, nodes: &[Node], separator: &str| {
        source.push_str("(?:");
        for (at, node) in nodes.iter().enumerate() {
            source.push_str(if at > 0 { separator } else { "" });
            write(source, node, sets);
        }
        source.push(')');
    };
    match node {
        Node::Set(at) => write_set(source, sets.get(*at).map_or(&[], Vec::as_slice)),
        Node::Sequence(nodes) => between(source, nodes, ""),
        Node::Choice(nodes) => between(source, nodes, "|"),
        Node::Repeat(inside, least, most) => {
            between(source, std::slice::from_ref(inside), "");
            let most = most.map(|most| most.to_string()).unwrap_or_default();
            // Writing to a string does not fail.
            let _ = write!(source, "{{{least},{most}}}");
        }
    }
}

fn write_set(source: &mut String, symbols: &[char]) {
    // Nothing lies outside all characters: no text fits an empty set.
    source.push_str(if symbols.is_empty() { r"[^\x{0}-\x{10FFFF}" } else { "[" });
    let mut rest = symbols.iter().copied().peekable();
    while let Some(first) = rest.next() {
        let mut last = first;
        while let Some(next) = rest.next_if(|next| *next as u32 == last as u32 + 1) {
            last = next;
        }
        // Writing to a string does not fail.
        let _ = write!(source, r"\x{{{:X}}}-\x{{{:X}}}", first as u32, last as u32);
    }
    source.push(']');
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;
    use crate::xsd::datatypes::classes::Set;

    #[test]
    fn whole_texts_fit() {
        for (source, good, bad) in [
            ("[0-9]{3}", &["123"][..], &["12", "1234", "12a", "1234\n", "١٢٣"][..]),
            ("a|bc*", &["a", "b", "bcc"], &["", "ab", "bca"]),
            ("", &[""], &["a"]),
            ("(a|)b?", &["", "a", "ab", "b"], &["ba"]),
            ("^a$", &["^a$"], &["a"]),
            (".", &["x", "å", "𐀀"], &["", "\n", "\r", "xx"]),
            (".*x", &["x", "åx"], &["\nx", "x\n"]),
            (r"\d\d", &["12", "١٢"], &["1", "1a"]),
            (r"[\d-[3-6]]+", &["12789"], &["3", "4"]),
            (r"[a-z-[aeiou-[e]]]+", &["bcde"], &["a", "i"]),
            (r"[^a-c-[x]]", &["d"], &["a", "x"]),
            (r"[^\d\s]", &["a"], &["1", " "]),
            (r"\w+", &["aå1"], &["a_b", "a-b", "a b", ""]),
            (r"[\w_]+", &["a_1"], &["-"]),
            (r"\W", &[" ", "-", "."], &["a", "1"]),
            (r"\i\c*", &["a-1", ":x", "_", "é·"], &["1a", "-", ""]),
            (r"\I\C", &["1 "], &["aa"]),
            (r"\p{Lu}\p{Ll}\P{L}", &["Åå1"], &["åå1", "Ååå"]),
            (r"\p{IsGreek}\P{IsGreek}", &["αa"], &["aα"]),
            (r"[\p{Nd}\-x]+", &["1-x٣"], &["a"]),
            (r"[+\-*/]", &["-", "+"], &[","]),
            (r"[a\-z]+", &["a-z"], &["b"]),
            (r"[-a]+[b-]", &["-a-", "ab"], &["a"]),
            (r"\n\r\t\\\|\.\?\*\+\(\)\{\}\-\[\]\^", &["\n\r\t\\|.?*+(){}-[]^"], &[""]),
            (r"[\n\^\]\\]+", &["\n^]\\"], &["n"]),
            ("a{0}b", &["b"], &["ab"]),
            ("a{2,}", &["aa", "aaaa"], &["a"]),
            ("(ab){1,2}c", &["abc", "ababc"], &["c", "abababc"]),
            ("[a-[a]]?", &[""], &["a"]),
            ("x[a-[a]]?", &["x"], &["xa"]),
            ("&<#", &["&<#"], &["&"]),
        ] {
            let pattern = Pattern::new(&[source]).unwrap();
            good.iter().for_each(|text| assert!(pattern.fits(text), "{source} {text}"));
            bad.iter().for_each(|text| assert!(!pattern.fits(text), "{source} {text}"));
        }
    }

    #[test]
    fn patterns_of_one_step_are_alternatives() {
        let pattern = Pattern::new(&["a+", "b+"]).unwrap();
        assert!(pattern.fits("aa") && pattern.fits("b") && !pattern.fits("ab"));
        assert_eq!(Pattern::new(&["a", "("]).unwrap_err().0, 1);
    }

    #[test]
    fn large_counts_are_held_or_refused() {
        let pattern = Pattern::new(&[r".{0,1000000}"]).unwrap();
        assert!(pattern.fits(&"å".repeat(1_000_000)) && !pattern.fits(&"å".repeat(1_000_001)));
        let pattern = Pattern::new(&[r"\w{1,300}\s?\p{L}{1,300}"]).unwrap();
        assert!(pattern.fits(&"ø".repeat(600)) && !pattern.fits(&"ø".repeat(601)));
        assert!(Pattern::new(&["(x{0,100000}y){0,100000}"]).is_err());
        assert!(Pattern::new(&[&"(a{1,50}".repeat(20)]).is_err());
    }

    /// The places in a text where a part can end that begins at one of some places: slow, and plainly right.
    fn ends(node: &Node, sets: &[Set], text: &[char], from: &BTreeSet<usize>) -> BTreeSet<usize> {
        let holds = |set: &Set, c: char| set.ranges().iter().any(|range| (range.start()..=range.end()).contains(&c));
        match node {
            Node::Set(at) => {
                let next = from.iter().filter(|at_char| text.get(**at_char).is_some_and(|c| holds(&sets[*at], *c)));
                next.map(|at| at + 1).collect()
            }
            Node::Sequence(nodes) => nodes.iter().fold(from.clone(), |from, node| ends(node, sets, text, &from)),
            Node::Choice(nodes) => nodes.iter().flat_map(|node| ends(node, sets, text, from)).collect(),
            Node::Repeat(inside, least, most) => {
                // Once more than there are characters adds nothing but empty rounds.
                let rounds = most.unwrap_or(u32::MAX).min(least.saturating_add(text.len() as u32 + 1));
                let mut now = from.clone();
                let mut all = if *least == 0 { from.clone() } else { BTreeSet::new() };
                for round in 1..=rounds {
                    now = ends(inside, sets, text, &now);
                    if round >= *least {
                        all.extend(&now);
                    }
                }
                all
            }
        }
    }

    proptest! {
        #[test]
        fn patterns_fit_what_they_should(
            source in r"((a|b|å|\.|-|[.]|\\[dwsicDWSIC]|\\p\{L[ul]?\}|\[\^?[ab-dåæ\-]{1,3}(-\[[a-c]\])?\]|[()|])([*+?]|\{[0-2](,[2-4]?)?\})?){0,6}",
            texts in prop::collection::vec("[ab-dåæ1 .-]{0,5}", 8),
        ) {
            if let Ok(expression) = Expression::parse(&source) {
                let pattern = Pattern::new(&[&source]).unwrap();
                let engine = Matcher::large(&expression, Alphabet::new(&expression.sets)).unwrap();
                for text in texts {
                    let chars: Vec<char> = text.chars().collect();
                    let found = ends(&expression.root, &expression.sets, &chars, &BTreeSet::from([0]));
                    let whole = found.contains(&chars.len());
                    prop_assert_eq!((pattern.fits(&text), engine.fits(&text)), (whole, whole), "{} {}", source, text);
                }
            }
        }

        #[test]
        fn any_text_is_a_pattern_or_none(source in "([\\\\\\[\\](){}|*+?^.,pPIs0-9a-]|\\PC){0,20}") {
            let _ = Pattern::new(&[&source]);
        }
    }
}
