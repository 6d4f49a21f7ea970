//! Content models as expressions over letters, compared as the languages they are.
//!
//! An expression is told by its number, and equal ones have one number, so most equal models are known at sight. The rest
//! are read letter by letter (Brzozowski's derivatives) until one of them may end and the other may not. Counters stay
//! counters: `a{1,5000}` is one expression, and only its reading has as many steps.

use std::collections::{BTreeSet, HashMap, VecDeque};

/// A letter: one of the names that two models do not tell apart.
pub(super) type Letter = u32;
/// An expression of a [`Language`].
pub(super) type Expression = u32;

/// No text at all is of this one.
pub(super) const NOTHING: Expression = 0;
/// The empty text only.
pub(super) const EMPTY: Expression = 1;

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Node {
    Nothing,
    Empty,
    Any(BTreeSet<Letter>),
    Sequence(Vec<Expression>),
    Choice(BTreeSet<Expression>),
    Repeat(Expression, u32, Option<u32>),
    /// Each once, in any order.
    All(Vec<Expression>),
}

/// Expressions, each kept once.
pub(super) struct Language {
    nodes: Vec<Node>,
    /// Whether each has the empty text.
    empties: Vec<bool>,
    numbers: HashMap<Node, Expression>,
    derived: HashMap<(Expression, Letter), Expression>,
}

/// How two expressions compare.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Comparison {
    Same,
    /// The shortest text that only one of them has.
    Differ {
        text: Vec<Letter>,
        first_has_it: bool,
    },
    /// It would take more steps than allowed.
    TooLarge,
}

impl Language {
    pub(super) fn new() -> Self {
        let mut language =
            Self { nodes: Vec::new(), empties: Vec::new(), numbers: HashMap::new(), derived: HashMap::new() };
        assert_eq!(language.keep(Node::Nothing), NOTHING);
        assert_eq!(language.keep(Node::Empty), EMPTY);
        language
    }

    /// One of some letters.
    pub(super) fn any(&mut self, letters: BTreeSet<Letter>) -> Expression {
        if letters.is_empty() { NOTHING } else { self.keep(Node::Any(letters)) }
    }

    /// One after the other.
    pub(super) fn sequence(&mut self, parts: impl IntoIterator<Item = Expression>) -> Expression {
        let mut flat = Vec::new();
        for part in parts {
            match self.node(part) {
                Node::Nothing => return NOTHING,
                Node::Empty => {}
                Node::Sequence(inner) => flat.extend_from_slice(inner),
                Node::Any(_) | Node::Choice(_) | Node::Repeat(..) | Node::All(_) => flat.push(part),
            }
        }
        match flat.as_slice() {
            [] => EMPTY,
            [one] => *one,
            _ => self.keep(Node::Sequence(flat)),
        }
    }

    /// One of them.
    pub(super) fn choice(&mut self, parts: impl IntoIterator<Item = Expression>) -> Expression {
        let mut flat = BTreeSet::new();
        for part in parts {
            match self.node(part) {
                Node::Nothing => {}
                Node::Choice(inner) => flat.extend(inner),
                Node::Empty | Node::Any(_) | Node::Sequence(_) | Node::Repeat(..) | Node::All(_) => {
                    flat.insert(part);
                }
            }
        }
        // Beside something that may be empty the empty text says nothing.
        if flat.contains(&EMPTY) && flat.iter().any(|part| *part != EMPTY && self.has_empty(*part)) {
            flat.remove(&EMPTY);
        }
        match (flat.len(), flat.first()) {
            (0, _) | (_, None) => NOTHING,
            (1, Some(one)) => *one,
            _ => self.keep(Node::Choice(flat)),
        }
    }

    /// So many times.
    pub(super) fn repeat(&mut self, part: Expression, min: u32, max: Option<u32>) -> Expression {
        let min = if self.has_empty(part) { 0 } else { min };
        match (part, min, max) {
            (_, _, Some(0)) | (EMPTY, ..) | (NOTHING, 0, _) => EMPTY,
            (NOTHING, ..) => NOTHING,
            (part, 1, Some(1)) => part,
            (part, 0, Some(1)) if self.has_empty(part) => part,
            (part, min, max) => self.keep(Node::Repeat(part, min, max)),
        }
    }

    /// Each once, in any order.
    pub(super) fn all(&mut self, parts: impl IntoIterator<Item = Expression>) -> Expression {
        let mut parts: Vec<_> = parts.into_iter().filter(|part| *part != EMPTY).collect();
        parts.sort_unstable();
        match parts.as_slice() {
            _ if parts.contains(&NOTHING) => NOTHING,
            [] => EMPTY,
            [one] => *one,
            _ => self.keep(Node::All(parts)),
        }
    }

    /// Compares two expressions, with at most so many pairs of what is left of them.
    pub(super) fn compare(&mut self, one: Expression, other: Expression, letters: Letter, most: usize) -> Comparison {
        // Each pair with the pair and the letter it was reached from.
        let mut pairs: Vec<((Expression, Expression), usize, Letter)> = vec![((one, other), 0, 0)];
        let mut known = BTreeSet::from([(one, other)]);
        let mut open = VecDeque::from([0]);
        while let Some(at) = open.pop_front() {
            let Some(&((one, other), ..)) = pairs.get(at) else { break };
            if one == other {
                continue;
            }
            if self.has_empty(one) != self.has_empty(other) {
                return Comparison::Differ { text: spelt(&pairs, at), first_has_it: self.has_empty(one) };
            }
            for letter in 0..letters {
                let next = (self.after(one, letter), self.after(other, letter));
                if next != (NOTHING, NOTHING) && known.insert(next) {
                    open.push_back(pairs.len());
                    pairs.push((next, at, letter));
                }
            }
            if pairs.len() > most {
                return Comparison::TooLarge;
            }
        }
        Comparison::Same
    }

    /// What may follow a letter.
    fn after(&mut self, expression: Expression, letter: Letter) -> Expression {
        if let Some(known) = self.derived.get(&(expression, letter)) {
            return *known;
        }
        let after = match self.node(expression).clone() {
            Node::Nothing | Node::Empty => NOTHING,
            Node::Any(letters) if letters.contains(&letter) => EMPTY,
            Node::Any(_) => NOTHING,
            Node::Choice(parts) => {
                let parts: Vec<_> = parts.into_iter().map(|part| self.after(part, letter)).collect();
                self.choice(parts)
            }
            Node::Sequence(parts) => self.after_sequence(&parts, letter),
            Node::Repeat(part, min, max) => {
                let rest = self.repeat(part, min.saturating_sub(1), max.map(|max| max.saturating_sub(1)));
                let first = self.after(part, letter);
                self.sequence([first, rest])
            }
            Node::All(parts) => self.after_all(&parts, letter),
        };
        self.derived.insert((expression, letter), after);
        after
    }

    fn after_sequence(&mut self, parts: &[Expression], letter: Letter) -> Expression {
        let mut ways = Vec::new();
        for (at, part) in parts.iter().enumerate() {
            let first = self.after(*part, letter);
            let rest = parts.iter().skip(at + 1).copied();
            ways.push(self.sequence(std::iter::once(first).chain(rest)));
            if !self.has_empty(*part) {
                break;
            }
        }
        self.choice(ways)
    }

    fn after_all(&mut self, parts: &[Expression], letter: Letter) -> Expression {
        let mut ways = Vec::new();
        for (at, part) in parts.iter().enumerate() {
            let first = self.after(*part, letter);
            if first != NOTHING {
                let others = parts.iter().enumerate().filter(|(other, _)| *other != at).map(|(_, part)| *part);
                let rest = self.all(others);
                ways.push(self.sequence([first, rest]));
            }
        }
        self.choice(ways)
    }

    fn has_empty(&self, expression: Expression) -> bool {
        self.empties.get(expression as usize).copied().unwrap_or_default()
    }

    fn node(&self, expression: Expression) -> &Node {
        self.nodes.get(expression as usize).unwrap_or(&Node::Nothing)
    }

    fn keep(&mut self, node: Node) -> Expression {
        if let Some(known) = self.numbers.get(&node) {
            return *known;
        }
        let has_empty = match &node {
            Node::Nothing | Node::Any(_) => false,
            Node::Empty => true,
            Node::Sequence(parts) | Node::All(parts) => parts.iter().all(|part| self.has_empty(*part)),
            Node::Choice(parts) => parts.iter().any(|part| self.has_empty(*part)),
            Node::Repeat(part, min, _) => *min == 0 || self.has_empty(*part),
        };
        let number = Expression::try_from(self.nodes.len()).expect("pairs are limited, and expressions with them");
        self.nodes.push(node.clone());
        self.empties.push(has_empty);
        self.numbers.insert(node, number);
        number
    }
}

/// The letters that lead to a pair.
fn spelt(pairs: &[((Expression, Expression), usize, Letter)], mut at: usize) -> Vec<Letter> {
    let mut text = Vec::new();
    while let Some((_, from, letter)) = pairs.get(at).filter(|_| at != 0) {
        text.push(*letter);
        at = *from;
    }
    text.reverse();
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Letters a to d; `?`, `*`, `+` and `{n}` as usual; `&` between the parts of an all group.
    fn read(language: &mut Language, text: &str) -> Expression {
        let mut chars = text.chars().filter(|c| *c != ' ').peekable();
        choice(language, &mut chars)
    }

    fn choice<I: Iterator<Item = char>>(language: &mut Language, chars: &mut std::iter::Peekable<I>) -> Expression {
        let (mut ways, mut all) = (Vec::new(), Vec::new());
        loop {
            let mut parts = Vec::new();
            while let Some(c) = chars.next_if(|c| !"|&)".contains(*c)) {
                let part = match c {
                    '(' => {
                        let inner = choice(language, chars);
                        chars.next();
                        inner
                    }
                    c => language.any(BTreeSet::from([u32::from(c) - u32::from('a')])),
                };
                let counts = match chars.next_if(|c| "?*+{".contains(*c)) {
                    Some('?') => (0, Some(1)),
                    Some('*') => (0, None),
                    Some('+') => (1, None),
                    Some(_) => {
                        let count: String = chars.by_ref().take_while(|c| *c != '}').collect();
                        (0, Some(count.parse().unwrap()))
                    }
                    None => (1, Some(1)),
                };
                parts.push(language.repeat(part, counts.0, counts.1));
            }
            let part = language.sequence(parts);
            match chars.next_if(|c| "|&".contains(*c)) {
                Some('&') => all.push(part),
                Some(_) => ways.push(part),
                None if !all.is_empty() => {
                    all.push(part);
                    return language.all(all);
                }
                None => {
                    ways.push(part);
                    return language.choice(ways);
                }
            }
        }
    }

    fn compared(one: &str, other: &str) -> String {
        let mut language = Language::new();
        let (one, other) = (read(&mut language, one), read(&mut language, other));
        match language.compare(one, other, 4, 10_000) {
            Comparison::Same => "=".to_owned(),
            Comparison::TooLarge => "?".to_owned(),
            Comparison::Differ { text, first_has_it } => {
                let word: String = text.iter().map(|letter| char::from_u32(letter + u32::from('a')).unwrap()).collect();
                format!("{}{word}", if first_has_it { '-' } else { '+' })
            }
        }
    }

    #[test]
    fn equal_languages_are_equal_however_they_are_written() {
        for (one, other) in [
            ("ab", "ab"),
            ("(a|b)*", "(b*a*)*"),
            ("a(b|c)", "ab|ac"),
            ("a+", "aa*"),
            ("a{3}", "(a(aa?)?)?"),
            ("(a*b)*a*", "(a|b)*"),
            ("a&b", "ab|ba"),
            ("a&b?&c", "c&a&b?"),
            ("(a?)+", "a*"),
            ("(a{2}){2}", "a{4}"),
        ] {
            assert_eq!(compared(one, other), "=", "{one} {other}");
        }
    }

    #[test]
    fn a_difference_is_the_shortest_text_of_one_only() {
        for (one, other, difference) in [
            ("ab", "ab?", "+a"),
            ("ab?", "a", "-ab"),
            ("a*", "a+", "-"),
            ("a{4}", "a*", "+aaaaa"),
            ("a&b&c", "a&b&c?", "+ab"),
            ("(ab)*c", "(ab)*d", "-c"),
            ("", "a", "-"),
        ] {
            assert_eq!(compared(one, other), difference, "{one} {other}");
        }
    }

    #[test]
    fn counters_are_read_and_too_many_steps_are_not() {
        assert_eq!(compared("a{5000}", "a*").len(), 5_002);
        assert_eq!(compared("(b{1000}a){1000}", "(b{1000}a){999}"), "?");
        assert_eq!(compared("(b{1000}a){1000}", "(b{1000}a){1000}"), "=");
    }
}
