//! Patterns made at random of all that the XSD dialect has, some of them damaged, against texts that are near them.

use super::chance::Chance;
use super::known::{Case, Peer, Said};
use super::ours::Ours;
use super::tally::Tally;
use super::{rounds, seed};
use crate::peers::{Opinion, Xerces};

/// Patterns in a bounded run.
const PATTERNS: usize = 1_500;
/// Texts for each.
const TEXTS: usize = 12;

#[test]
fn patterns_are_read_by_us_as_by_others() {
    let Some(mut xerces) = Xerces::start() else { return };
    let mut tally = Tally::default();
    let mut chance = Chance::new(seed());
    for _ in 0..rounds(PATTERNS) {
        let regex = Regex::make(&mut chance, 3);
        let mut pattern = regex.written();
        if chance.once_in(5) {
            damage(&mut pattern, &mut chance);
        }
        let schema = schema(&pattern);
        let ours = Ours::schema(schema.as_bytes());
        let theirs = xerces.schema(schema.as_bytes());
        let said = [(Peer::Xerces, Said { accepts: theirs.accepts(), message: theirs.message() })];
        let message = ours.as_ref().err().cloned().unwrap_or_default();
        let ours_accepts = ours.is_ok();
        tally.take(&Case { about: &pattern, input: "the pattern", ours_accepts, ours: &message, peers: &said });
        if let Ok(ours) = ours
            && theirs.accepts()
        {
            of_texts(&pattern, &regex, &ours, &mut xerces, (&mut chance, &mut tally));
        }
    }
    tally.close("patterns");
}

fn of_texts(
    pattern: &str,
    regex: &Regex,
    ours: &Ours,
    xerces: &mut Xerces,
    (chance, tally): (&mut Chance, &mut Tally),
) {
    let mut texts = Vec::new();
    for _ in 0..TEXTS {
        let mut text = String::new();
        regex.sample(chance, &mut text);
        if chance.once_in(2) {
            damage(&mut text, chance);
        }
        texts.push(text);
    }
    let lines: String = texts.iter().map(|text| format!("<v>{}</v>\n", escaped(text))).collect();
    let document = format!("<r>\n{lines}</r>");
    let (by_us, theirs) = (ours.document(document.as_bytes(), &[]), xerces.document(document.as_bytes()));
    for (number, text) in (2..).zip(&texts) {
        let accepts = |opinion: &Opinion| opinion.lines().is_some_and(|lines| !lines.contains(&number));
        let peers = [(Peer::Xerces, Said { accepts: accepts(&theirs), message: theirs.message() })];
        let about = format!("pattern {pattern}");
        tally.take(&Case {
            about: &about,
            input: text,
            ours_accepts: accepts(&by_us),
            ours: by_us.message(),
            peers: &peers,
        });
    }
}

fn schema(pattern: &str) -> String {
    format!(
        "<xs:schema xmlns:xs='http://www.w3.org/2001/XMLSchema'><xs:element name='r'><xs:complexType><xs:sequence>\
         <xs:element name='v' maxOccurs='unbounded'><xs:simpleType><xs:restriction base='xs:string'>\
         <xs:pattern value=\"{}\"/></xs:restriction></xs:simpleType></xs:element></xs:sequence></xs:complexType>\
         </xs:element></xs:schema>",
        escaped(pattern)
    )
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('"', "&quot;")
}

/// Puts, takes or replaces a character.
fn damage(text: &mut String, chance: &mut Chance) {
    let chars: Vec<char> = text.chars().collect();
    let at = chance.below(chars.len() + 1);
    let taken = chance.below(2).min(chars.len() - at);
    let put = chance.pick(&[
        "", "", "a", "9", "-", "[", "]", "(", ")", "{", "}", "\\", "^", "$", "*", "+", "?", ".", "|", "-[a]", "\\p",
        "{2}", " ", "é",
    ]);
    let head = chars[..at].iter();
    *text = head.copied().chain(put.chars()).chain(chars[at + taken..].iter().copied()).collect();
}

/// A regular expression of the XSD dialect.
enum Regex {
    Literal(char),
    /// As it is written, with characters of it.
    Class(String, &'static str),
    Sequence(Vec<Regex>),
    Choice(Vec<Regex>),
    Repeat(Box<Regex>, &'static str, usize, usize),
}

const LITERALS: &[char] =
    &['a', 'b', 'c', 'Z', '0', '7', ' ', 'é', 'Ω', '-', '_', ':', '.', '$', '^', ',', '&', '😀', '/', '#'];
/// Classes and characters of theirs.
#[rustfmt::skip]
const CLASSES: &[(&str, &str)] = &[
    (".", "a 9é"), ("\\d", "059"), ("\\D", "a -"), ("\\w", "aZ9é$"), ("\\W", " .-!"), ("\\s", " "), ("\\S", "a9."),
    ("\\i", "a_:"), ("\\I", "9- "), ("\\c", "a9-."), ("\\C", " !/"), ("\\p{L}", "aZéΩ"), ("\\p{Lu}", "AZΩ"),
    ("\\p{Ll}", "azé"), ("\\P{Nd}", "a -"), ("\\p{N}", "09½"), ("\\p{P}", ".,-"), ("\\p{Sc}", "$€"),
    ("\\P{L}", "9 ."), ("\\p{Zs}", " \u{a0}"), ("\\p{IsBasicLatin}", "a9 ~"), ("\\p{IsLatin-1Supplement}", "éæ"),
    ("\\p{IsGreek}", "Ωα"), ("\\P{IsBasicLatin}", "éΩ"), ("\\p{IsCombiningDiacriticalMarks}", "\u{300}"),
    ("[abc]", "abc"), ("[a-c]", "abc"), ("[^a-c]", "dZ9 "), ("[a-cx-z0-9]", "ay5"), ("[\\d\\-]", "5-"),
    ("[-a]", "-a"), ("[a-]", "-a"), ("[^-a]", "b9"), ("[\\[\\]\\\\]", "[]\\"), ("[a-z-[aeiou]]", "bcd"),
    ("[a-z-[^aeiou]]", "aei"), ("[\\w-[\\d]]", "ab"), ("[^a-z-[A-Z]]", "9 "), ("[a-z-[b-y-[m]]]", "azm"),
    ("[\\i-[:]]", "a_"), ("[\\c-[.]]", "a-"), ("[\\s\\S]", "a 9"), ("[\\p{Lu}\\p{Nd}]", "A9"), ("[^\\p{Lu}]", "a9"),
    ("[.]", "."), ("[$^]", "$^"), ("[a^]", "a^"), ("[*+?(){}|]", "*+?(){}|"), ("[&]", "&"), ("[é-ø]", "éæø"),
    ("\\.", "."), ("\\-", "-"), ("\\^", "^"), ("\\|", "|"), ("\\\\", "\\"), ("\\{", "{"), ("\\(", "("),
    ("\\n", " "), ("\\t", " "),
];
const REPEATS: &[(&str, usize, usize)] = &[
    ("?", 0, 1),
    ("*", 0, 3),
    ("+", 1, 3),
    ("{2}", 2, 2),
    ("{0}", 0, 0),
    ("{1,3}", 1, 3),
    ("{0,2}", 0, 2),
    ("{2,}", 2, 4),
    ("{0,}", 0, 2),
    ("{0,0}", 0, 0),
    ("{03}", 3, 3),
];

impl Regex {
    fn make(chance: &mut Chance, depth: usize) -> Self {
        match chance.below(if depth == 0 { 5 } else { 10 }) {
            0 | 1 => Self::Literal(LITERALS[chance.below(LITERALS.len())]),
            2..=4 => {
                let (class, chars) = CLASSES[chance.below(CLASSES.len())];
                Self::Class(class.to_owned(), chars)
            }
            5 | 6 => Self::Sequence((0..chance.below(4)).map(|_| Self::make(chance, depth - 1)).collect()),
            7 => Self::Choice((0..1 + chance.below(3)).map(|_| Self::make(chance, depth - 1)).collect()),
            _ => {
                let (written, least, most) = REPEATS[chance.below(REPEATS.len())];
                Self::Repeat(Box::new(Self::make(chance, depth - 1)), written, least, most)
            }
        }
    }

    fn written(&self) -> String {
        match self {
            Self::Literal('.') => "\\.".to_owned(),
            Self::Literal('^') => "\\^".to_owned(),
            Self::Literal(literal) => literal.to_string(),
            Self::Class(class, _) => class.clone(),
            Self::Sequence(parts) => parts.iter().map(Self::written).collect(),
            Self::Choice(parts) => format!("({})", parts.iter().map(Self::written).collect::<Vec<_>>().join("|")),
            Self::Repeat(part, written, ..) => match &**part {
                Self::Literal(_) | Self::Class(..) | Self::Choice(_) => format!("{}{written}", part.written()),
                part @ (Self::Sequence(_) | Self::Repeat(..)) => format!("({}){written}", part.written()),
            },
        }
    }

    fn sample(&self, chance: &mut Chance, out: &mut String) {
        match self {
            Self::Literal(literal) => out.push(*literal),
            Self::Class(_, chars) => {
                let chars: Vec<char> = chars.chars().collect();
                out.push(chars[chance.below(chars.len())]);
            }
            Self::Sequence(parts) => parts.iter().for_each(|part| part.sample(chance, out)),
            Self::Choice(parts) => parts[chance.below(parts.len())].sample(chance, out),
            Self::Repeat(part, _, least, most) => {
                for _ in 0..least + chance.below(most - least + 1) {
                    part.sample(chance, out);
                }
            }
        }
    }
}
