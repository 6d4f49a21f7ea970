//! The grammar of regular expressions (XSD 1.0 part 2, appendix F).

use super::classes::{Set, any_but_line_ends, complement, escaped_char, escaped_set, property, set};

/// A regular expression; sets are given by their place in [`Expression::sets`].
#[derive(Debug)]
pub(super) struct Expression {
    pub(super) root: Node,
    pub(super) sets: Vec<Set>,
}

/// A part of an expression.
#[derive(Debug, PartialEq)]
pub(super) enum Node {
    Set(usize),
    Sequence(Vec<Node>),
    Choice(Vec<Node>),
    /// At least and at most; `None` is without end.
    Repeat(Box<Node>, u32, Option<u32>),
}

/// Parentheses and brackets may not be nested more deeply: we and the engine recurse into them.
const MOST_NESTED: usize = 100;

impl Expression {
    /// Reads an expression, or tells what is wrong with it.
    pub(super) fn parse(source: &str) -> Result<Self, String> {
        let mut parser = Parser { rest: source.chars(), sets: Vec::new(), nested: 0 };
        let root = parser.choice()?;
        match parser.rest.next() {
            None => Ok(Self { root, sets: parser.sets }),
            Some(c) => Err(format!("{c:?} stands where it may not")),
        }
    }
}

struct Parser<'a> {
    rest: std::str::Chars<'a>,
    sets: Vec<Set>,
    nested: usize,
}

type Done<T> = Result<T, String>;

impl Parser<'_> {
    fn peek(&self) -> Option<char> {
        self.rest.clone().next()
    }

    fn skip(&mut self, c: char) -> bool {
        let found = self.peek() == Some(c);
        if found {
            self.rest.next();
        }
        found
    }

    fn nest(&mut self) -> Done<()> {
        self.nested += 1;
        if self.nested > MOST_NESTED { Err(format!("more than {MOST_NESTED} nested groups")) } else { Ok(()) }
    }

    /// Branches with `|` between them.
    fn choice(&mut self) -> Done<Node> {
        let mut branches = vec![self.branch()?];
        while self.skip('|') {
            branches.push(self.branch()?);
        }
        let only = branches.len() == 1;
        Ok(if only { branches.pop().unwrap_or(Node::Sequence(Vec::new())) } else { Node::Choice(branches) })
    }

    fn branch(&mut self) -> Done<Node> {
        let mut pieces = Vec::new();
        while let Some(c) = self.peek().filter(|c| !matches!(c, '|' | ')')) {
            self.rest.next();
            let atom = self.atom(c)?;
            pieces.push(self.quantified(atom)?);
        }
        let only = pieces.len() == 1;
        Ok(if only { pieces.pop().unwrap_or(Node::Sequence(Vec::new())) } else { Node::Sequence(pieces) })
    }

    fn atom(&mut self, first: char) -> Done<Node> {
        let set = match first {
            '(' => {
                self.nest()?;
                let inside = self.choice()?;
                self.nested -= 1;
                return if self.skip(')') { Ok(inside) } else { Err("a group is not closed".to_owned()) };
            }
            '[' => self.class()?,
            '\\' => self.escape()?,
            '.' => any_but_line_ends(),
            '?' | '*' | '+' | '{' | '}' | ']' => return Err(format!("{first:?} stands where it may not")),
            c => set(&[(c, c)]),
        };
        Ok(self.known(set))
    }

    fn known(&mut self, set: Set) -> Node {
        // The sets of long texts are many, but the one looked for mostly stands near the end.
        const NEAR: usize = 64;
        let near = self.sets.iter().enumerate().rev().take(NEAR).find(|(_, known)| **known == set);
        if let Some((at, _)) = near {
            return Node::Set(at);
        }
        self.sets.push(set);
        Node::Set(self.sets.len() - 1)
    }

    fn quantified(&mut self, atom: Node) -> Done<Node> {
        let (least, most) = match self.peek() {
            Some('?') => (0, Some(1)),
            Some('*') => (0, None),
            Some('+') => (1, None),
            Some('{') => {
                self.rest.next();
                let bounds = self.bounds()?;
                if self.peek() != Some('}') {
                    return Err("a quantity is not closed".to_owned());
                }
                bounds
            }
            _ => return Ok(atom),
        };
        self.rest.next();
        Ok(Node::Repeat(Box::new(atom), least, most))
    }

    fn bounds(&mut self) -> Done<(u32, Option<u32>)> {
        let least = self.number()?.ok_or("a quantity without a number")?;
        let most = if self.skip(',') { self.number()? } else { Some(least) };
        if most.is_some_and(|most| most < least) {
            return Err("a quantity that ends before it begins".to_owned());
        }
        Ok((least, most))
    }

    fn number(&mut self) -> Done<Option<u32>> {
        let mut number = None;
        while let Some(digit) = self.peek().filter(char::is_ascii_digit).and_then(|c| c.to_digit(10)) {
            self.rest.next();
            let more = number.unwrap_or(0_u32).checked_mul(10).and_then(|number| number.checked_add(digit));
            number = Some(more.ok_or("a quantity too large to count to")?);
        }
        Ok(number)
    }

    /// What follows a backslash, as a set.
    fn escape(&mut self) -> Done<Set> {
        let c = self.rest.next().ok_or("a backslash at the end")?;
        if let Some(c) = escaped_char(c) {
            return Ok(set(&[(c, c)]));
        }
        if !matches!(c, 'p' | 'P') {
            return escaped_set(c).ok_or_else(|| format!("no escape has the letter {c:?}"));
        }
        let name = self.rest.as_str().strip_prefix('{').and_then(|rest| rest.split_once('}'));
        let (name, rest) = name.ok_or("a category or block without braces")?;
        self.rest = rest.chars();
        let found = property(name).ok_or("no category or block has that name")?;
        Ok(if c == 'P' { complement(found) } else { found })
    }

    /// What follows `[`, up to its `]`.
    fn class(&mut self) -> Done<Set> {
        self.nest()?;
        let negative = self.skip('^');
        let mut ranges = Vec::new();
        let mut subtracted = None;
        let mut is_first = true;
        loop {
            match self.rest.next().ok_or("a class is not closed")? {
                ']' if is_first => return Err("a class without characters".to_owned()),
                ']' => break,
                '-' if !is_first && self.skip('[') => {
                    subtracted = Some(self.class()?);
                    if !self.skip(']') {
                        return Err("a class goes on behind what is subtracted".to_owned());
                    }
                    break;
                }
                c => ranges.extend_from_slice(self.member(c, is_first)?.ranges()),
            }
            is_first = false;
        }
        self.nested -= 1;
        let all = Set::new(ranges);
        let mut all = if negative { complement(all) } else { all };
        if let Some(subtracted) = subtracted {
            all.difference(&subtracted);
        }
        Ok(all)
    }

    /// One character, range or set in a class.
    fn member(&mut self, first: char, is_first: bool) -> Done<Set> {
        let first = match first {
            '[' => return Err("a bracket in a class".to_owned()),
            // A hyphen is itself at either end only.
            '-' if is_first || self.peek() == Some(']') => return Ok(set(&[('-', '-')])),
            '-' => return Err("a hyphen inside a class".to_owned()),
            '\\' => match self.peek().and_then(escaped_char) {
                Some(c) => {
                    self.rest.next();
                    c
                }
                None => return self.escape(),
            },
            c => c,
        };
        let mut ahead = self.rest.clone();
        let is_range = ahead.next() == Some('-') && !matches!(ahead.next(), Some(']' | '['));
        if !is_range {
            return Ok(set(&[(first, first)]));
        }
        self.rest.next();
        let last = match self.rest.next().ok_or("a class is not closed")? {
            '-' => return Err("a range that ends with a hyphen".to_owned()),
            '\\' => {
                let c = self.rest.next().and_then(escaped_char);
                c.ok_or("a range that ends with a set")?
            }
            c => c,
        };
        if last < first {
            return Err("a range that ends before it begins".to_owned());
        }
        Ok(set(&[(first, last)]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_in_the_dialect_is_refused() {
        for source in [
            "a**",
            "a+?",
            "a{2}{3}",
            "?",
            "*a",
            "{1}a",
            "a{,2}",
            "a{2,1}",
            "a{1",
            "a{x}",
            "a{99999999999}",
            "(a",
            "a)",
            "a]",
            "a}",
            "[]",
            "[^]",
            "[a",
            "[b-a]",
            "[a-c-e]",
            "[[a]",
            "[a[b]]",
            "[a-]b]",
            "[--a]",
            "[a--]",
            "[+--]",
            "[a-\\d]",
            "[\\d-a]",
            "[a-[b]c]",
            "[a-[b]",
            "[-[a]]x]",
            "\\",
            "\\b",
            "\\1",
            "\\x41",
            "\\u0041",
            "\\$",
            "\\A",
            "\\z",
            "\\p",
            "\\pL",
            "\\p{",
            "\\p{L",
            "\\p{Foo}",
            "\\p{IsFoo}",
            "\\p{^L}",
            "(?:a)",
            "(?i)a",
            "(?=a)",
        ] {
            let source = source.replace("\\\\", "\\");
            assert!(Expression::parse(&source).is_err(), "{source}");
        }
        let deep = "(".repeat(100_000) + &")".repeat(100_000);
        assert!(Expression::parse(&deep).is_err());
        assert!(Expression::parse(&"[a-".repeat(100_000)).is_err());
    }

    #[test]
    fn branches_may_be_empty() {
        for source in ["", "|", "a|", "()", "(|a)*", "^$", "a,b", "[$^]", "[-a]", "[a-]", "[^-a]", "[a-z-[aeiou]]"] {
            assert!(Expression::parse(source).is_ok(), "{source}");
        }
    }
}
