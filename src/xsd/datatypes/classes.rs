//! Sets of characters that patterns name (XSD 1.0 part 2, appendix F.1.1).

use regex_syntax::hir::{Class, ClassUnicode, ClassUnicodeRange, HirKind};

use super::blocks::block;

/// A set of characters.
pub(super) type Set = ClassUnicode;

/// The set of ranges, ends included.
pub(super) fn set(ranges: &[(char, char)]) -> Set {
    Set::new(ranges.iter().map(|(first, last)| ClassUnicodeRange::new(*first, *last)))
}

/// The characters not in a set.
pub(super) fn complement(mut set: Set) -> Set {
    set.negate();
    set
}

/// What `.` stands for.
pub(super) fn any_but_line_ends() -> Set {
    complement(set(&[('\n', '\n'), ('\r', '\r')]))
}

/// The character that a backslash before another stands for.
pub(super) fn escaped_char(c: char) -> Option<char> {
    Some(match c {
        'n' => '\n',
        'r' => '\r',
        't' => '\t',
        '\\' | '|' | '.' | '?' | '*' | '+' | '(' | ')' | '{' | '}' | '-' | '[' | ']' | '^' => c,
        _ => return None,
    })
}

/// The set that a backslash before a letter stands for, `\p` and `\P` apart.
pub(super) fn escaped_set(c: char) -> Option<Set> {
    let positive = match c.to_ascii_lowercase() {
        's' => set(&[(' ', ' '), ('\t', '\t'), ('\n', '\n'), ('\r', '\r')]),
        'i' => name_start(),
        'c' => name_char(),
        'd' => category("Nd")?,
        'w' => {
            let mut other = category("P")?;
            other.union(&category("Z")?);
            other.union(&category("C")?);
            complement(other)
        }
        _ => return None,
    };
    Some(if c.is_ascii_uppercase() { complement(positive) } else { positive })
}

/// The set that stands in the braces of `\p{…}`.
pub(super) fn property(name: &str) -> Option<Set> {
    match name.strip_prefix("Is") {
        Some(name) => block(name).map(|ranges| set(&ranges)),
        None => category(name),
    }
}

fn category(name: &str) -> Option<Set> {
    const NAMES: &str =
        " L Lu Ll Lt Lm Lo M Mn Mc Me N Nd Nl No P Pc Pd Ps Pe Pi Pf Po Z Zs Zl Zp S Sm Sc Sk So C Cc Cf Co Cn ";
    if name.is_empty() || name.contains(' ') || !NAMES.contains(&format!(" {name} ")) {
        return None;
    }
    let kind = regex_syntax::parse(&format!(r"\p{{{name}}}")).ok()?.into_kind();
    if let HirKind::Literal(literal) = &kind {
        // A category of one character.
        let c = std::str::from_utf8(&literal.0).ok()?.chars().next()?;
        return Some(set(&[(c, c)]));
    }
    if let HirKind::Class(Class::Unicode(set)) = kind { Some(set) } else { None }
}

/// Characters that a name can begin with.
fn name_start() -> Set {
    set(&[
        (':', ':'),
        ('A', 'Z'),
        ('_', '_'),
        ('a', 'z'),
        ('\u{C0}', '\u{D6}'),
        ('\u{D8}', '\u{F6}'),
        ('\u{F8}', '\u{2FF}'),
        ('\u{370}', '\u{37D}'),
        ('\u{37F}', '\u{1FFF}'),
        ('\u{200C}', '\u{200D}'),
        ('\u{2070}', '\u{218F}'),
        ('\u{2C00}', '\u{2FEF}'),
        ('\u{3001}', '\u{D7FF}'),
        ('\u{F900}', '\u{FDCF}'),
        ('\u{FDF0}', '\u{FFFD}'),
        ('\u{10000}', '\u{EFFFF}'),
    ])
}

/// Characters that can stand in a name.
fn name_char() -> Set {
    let mut chars = name_start();
    let more = [('-', '.'), ('0', '9'), ('\u{B7}', '\u{B7}'), ('\u{300}', '\u{36F}'), ('\u{203F}', '\u{2040}')];
    chars.union(&set(&more));
    chars
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::xml::{is_name_char, is_name_start};

    #[test]
    fn name_characters_are_those_of_xml() {
        for (set, is_one) in [(name_start(), is_name_start as fn(char) -> bool), (name_char(), is_name_char)] {
            let chars = ('\0'..=char::MAX).filter(|c| is_one(*c) || *c == ':');
            assert_eq!(set, Set::new(chars.map(|c| ClassUnicodeRange::new(c, c))));
        }
    }

    #[test]
    fn every_category_and_block_has_its_characters() {
        for name in [
            "L",
            "Lu",
            "Nd",
            "Cn",
            "Co",
            "Zl",
            "Zp",
            "Pf",
            "IsLowSurrogates",
            "IsBasicLatin",
            "IsGreekandCoptic",
            "IsSpecials",
            "IsTags",
        ] {
            assert!(property(name).is_some(), "{name}");
        }
        for name in ["", "Is", "l", "Cs", "Letter", "L Lu", "Isgreek", "IsBasic Latin", "Latin", "^L"] {
            assert!(property(name).is_none(), "{name}");
        }
        assert_eq!(property("IsPrivateUse").unwrap().ranges().len(), 3);
    }
}
