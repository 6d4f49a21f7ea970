//! Path patterns, as shells know them.

use std::str::FromStr;

use regex::{Regex, RegexBuilder};

/// A pattern: `*`, `?`, `[a-z]`, `[!a-z]`, `{one,other}`, and `**` for any directories. One without a slash is for the
/// file's name alone.
#[derive(Debug, Clone)]
pub struct Pattern {
    text: String,
    regex: Regex,
}

/// A text that is no pattern.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a pattern such as \"*.xml\" or \"out/**/*.zip\"")]
pub struct BadPattern(String);

impl PartialEq for Pattern {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl FromStr for Pattern {
    type Err = BadPattern;

    fn from_str(text: &str) -> Result<Self, BadPattern> {
        let bad = || BadPattern(text.to_owned());
        if text.is_empty() || text.starts_with('/') {
            return Err(bad());
        }
        let mut regex = String::from("^");
        if !text.contains('/') {
            regex.push_str("(?:.*/)?");
        }
        translate(text, &mut regex).ok_or_else(bad)?;
        regex.push('$');
        // A name may hold any character, line ends too.
        let built = RegexBuilder::new(&regex).dot_matches_new_line(true).size_limit(MOST_BYTES).build();
        Ok(Self { text: text.to_owned(), regex: built.map_err(|_| bad())? })
    }
}

impl Pattern {
    /// Tells whether a path fits.
    pub fn fits(&self, path: &str) -> bool {
        self.regex.is_match(path)
    }
}

impl Pattern {
    /// Names that fit, such as a check can be made with: some, not all.
    pub fn samples(&self) -> Vec<String> {
        let mut samples = expanded(&self.text, MOST_SAMPLES);
        samples.retain(|sample| self.fits(sample));
        samples
    }
}

/// A pattern with a character in place of whatever stands for others, once for each of its alternatives.
fn expanded(text: &str, most: usize) -> Vec<String> {
    let Some((before, rest)) = text.split_once('{') else { return vec![plain(text)] };
    let Some((inner, behind)) = rest.split_once('}') else { return Vec::new() };
    let each = inner.split(',').flat_map(|one| expanded(&format!("{before}{one}{behind}"), most));
    each.take(most).collect()
}

fn plain(text: &str) -> String {
    let (mut sample, mut in_class) = (String::new(), false);
    for c in text.replace("**/", "").replace("**", "*").chars() {
        match c {
            ']' if in_class => in_class = false,
            '[' if !in_class => {
                in_class = true;
                sample.push('x');
            }
            _ if in_class => {
                // The first of them, unless it says that others are meant.
                if sample.ends_with('x') && !matches!(c, '!' | '^') {
                    sample.pop();
                    sample.push(c);
                }
            }
            '*' | '?' => sample.push('x'),
            '\\' => {}
            plain => sample.push(plain),
        }
    }
    sample
}

fn translate(text: &str, regex: &mut String) -> Option<()> {
    let (mut rest, mut braces) = (text, 0_u32);
    while let Some(c) = rest.chars().next() {
        rest = rest.get(c.len_utf8()..)?;
        match c {
            '*' if rest.starts_with("*/") => {
                regex.push_str("(?:.*/)?");
                rest = rest.get(2..)?;
            }
            '*' if rest.starts_with('*') => {
                regex.push_str(".*");
                rest = rest.get(1..)?;
            }
            '*' => regex.push_str("[^/]*"),
            '?' => regex.push_str("[^/]"),
            '[' => rest = class(rest, regex)?,
            '{' => {
                braces += 1;
                regex.push_str("(?:");
            }
            ',' if braces > 0 => regex.push('|'),
            '}' => {
                braces = braces.checked_sub(1)?;
                regex.push(')');
            }
            '\\' => {
                let escaped = rest.chars().next()?;
                regex.push_str(&regex::escape(escaped.encode_utf8(&mut [0; 4])));
                rest = rest.get(escaped.len_utf8()..)?;
            }
            plain => regex.push_str(&regex::escape(plain.encode_utf8(&mut [0; 4]))),
        }
    }
    (braces == 0).then_some(())
}

/// A choice of characters; what follows it.
fn class<'t>(rest: &'t str, regex: &mut String) -> Option<&'t str> {
    let (is_other, rest) = match rest.strip_prefix(['!', '^']) {
        Some(rest) => (true, rest),
        None => (false, rest),
    };
    // A bracket that comes first is one of the characters.
    let first = rest.chars().next()?.len_utf8();
    let end = first + rest.get(first..)?.find(']')?;
    let inner = rest.get(..end)?;
    if inner.contains('/') {
        return None;
    }
    regex.push_str(if is_other { "[^/" } else { "[" });
    let mut escaped = String::new();
    for c in inner.chars() {
        if c == '-' { escaped.push('-') } else { escaped.push_str(&regex::escape(c.encode_utf8(&mut [0; 4]))) }
    }
    // At the ends a hyphen is one of the characters.
    if let Some(middle) = escaped.strip_prefix('-') {
        escaped = format!("\\-{middle}");
    }
    if escaped.ends_with('-') && !escaped.ends_with("\\-") {
        escaped.truncate(escaped.len() - 1);
        escaped.push_str("\\-");
    }
    regex.push_str(&escaped);
    regex.push(']');
    rest.get(end + 1..)
}

/// Alternatives of alternatives are many.
const MOST_SAMPLES: usize = 64;

/// A pattern is no program.
const MOST_BYTES: usize = 1 << 20;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_pattern_has_samples() {
        for (text, samples) in [
            ("*.xml", vec!["x.xml"]),
            ("out/**/[a-f]?.{xml,zip}", vec!["out/ax.xml", "out/ax.zip"]),
            ("{a,b}{1,2}", vec!["a1", "a2", "b1", "b2"]),
        ] {
            assert_eq!(text.parse::<Pattern>().unwrap().samples(), samples, "{text}");
        }
    }

    #[test]
    fn patterns_fit_as_in_a_shell() {
        let cases = [
            ("*.xml", "a.xml", true),
            ("*.xml", "deep/er/a.xml", true),
            ("*.xml", "a.xml.tmp", false),
            ("*.xml", "a\n.xml", true),
            ("in/*.xml", "in/a.xml", true),
            ("in/*.xml", "in/b/a.xml", false),
            ("in/**/*.xml", "in/a.xml", true),
            ("in/**/*.xml", "in/b/c/a.xml", true),
            ("in/**", "in/b/c", true),
            ("?.xml", "å.xml", true),
            ("?.xml", "ab.xml", false),
            ("[a-c]*.{xml,zip}", "b1.zip", true),
            ("[!a-c]*", "b", false),
            ("[!a-c]*", "d", true),
            ("[]]", "]", true),
            ("[-a]", "-", true),
            ("[a-]", "-", true),
            ("a+b(1).xml", "a+b(1).xml", true),
            ("\\*", "*", true),
            ("\\*", "a", false),
        ];
        for (pattern, path, fits) in cases {
            assert_eq!(pattern.parse::<Pattern>().unwrap().fits(path), fits, "{pattern} {path}");
        }
        for bad in ["", "/a", "[a", "{a", "a}", "a\\", "[a/b]", "[z-a]"] {
            assert!(bad.parse::<Pattern>().is_err(), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_a_pattern_or_none(text in ".{0,40}", path in ".{0,40}") {
            if let Ok(pattern) = text.parse::<Pattern>() {
                pattern.fits(&path);
            }
        }

        #[test]
        fn a_name_that_is_escaped_fits_itself_alone(name in "[^/]{1,20}", other in "[^/]{1,20}") {
            let escaped: String = name.chars().flat_map(|c| ['\\', c]).collect();
            let pattern: Pattern = escaped.parse().unwrap();
            prop_assert!(pattern.fits(&name));
            prop_assert_eq!(pattern.fits(&other), name == other);
        }
    }
}
