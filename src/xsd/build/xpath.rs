//! The paths of identity constraints (section 3.11.6): a small part of XPath.

use crate::xml::{is_name, is_name_char};
use crate::xsd::components::{NameTest, Path, QName};

/// What a path leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ends {
    Element,
    ElementOrAttribute,
}

/// The namespace of a prefix.
type Prefixes<'a> = dyn Fn(&str) -> Option<&'a str> + 'a;

/// Reads the alternatives of an expression; what is wrong with it otherwise.
pub(super) fn read<'a>(text: &str, ends: Ends, prefixes: &Prefixes<'a>) -> Result<Vec<Path>, String> {
    let tokens = tokens(text)?;
    tokens.split(|token| *token == Token::Or).map(|tokens| path(tokens, ends, prefixes)).collect()
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Token<'a> {
    Or,
    Slash,
    Descend,
    Here,
    At,
    Axis(&'a str),
    Star,
    /// `name`, `prefix:name` or `prefix:*`.
    Name(&'a str),
}

fn tokens(text: &str) -> Result<Vec<Token<'_>>, String> {
    let mut tokens = Vec::new();
    let mut rest = text.trim_start_matches(is_blank);
    while let Some(first) = rest.chars().next() {
        let (token, length) = match first {
            '|' => (Token::Or, 1),
            '/' if rest.starts_with("//") => (Token::Descend, 2),
            '/' => (Token::Slash, 1),
            '.' => (Token::Here, 1),
            '@' => (Token::At, 1),
            '*' => (Token::Star, 1),
            _ => name(rest)?,
        };
        tokens.push(token);
        rest = rest.get(length..).unwrap_or_default();
        if let Token::Axis(_) = token {
            rest = rest.trim_start_matches(is_blank).strip_prefix("::").unwrap_or_default();
        }
        rest = rest.trim_start_matches(is_blank);
    }
    Ok(tokens)
}

/// The name or axis at the beginning, and its length.
fn name(text: &str) -> Result<(Token<'_>, usize), String> {
    let until = |text: &str| text.find(|c| !is_name_char(c) || c == ':').unwrap_or(text.len());
    let end = until(text);
    let (first, rest) = text.split_at_checked(end).unwrap_or_default();
    if !is_name(first, false) {
        return Err("the path has a character that begins no step".into());
    }
    if rest.trim_start_matches(is_blank).starts_with("::") {
        return Ok((Token::Axis(first), end));
    }
    let Some(local) = rest.strip_prefix(':') else { return Ok((Token::Name(first), end)) };
    let length = if local.starts_with('*') { 1 } else { until(local) };
    let is_local = local.get(..length).is_some_and(|local| local == "*" || is_name(local, false));
    match text.get(..end + 1 + length).filter(|_| is_local) {
        Some(name) => Ok((Token::Name(name), name.len())),
        None => Err("the path has a prefix without a name".into()),
    }
}

fn is_blank(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\n' | '\r')
}

fn path<'a>(tokens: &[Token<'_>], ends: Ends, prefixes: &Prefixes<'a>) -> Result<Path, String> {
    let (anywhere, tokens) = match tokens {
        [Token::Here, Token::Descend, rest @ ..] => (true, rest),
        _ => (false, tokens),
    };
    let mut path = Path { anywhere, steps: Vec::new(), attribute: None };
    let mut steps = tokens.split(|token| *token == Token::Slash).peekable();
    while let Some(step) = steps.next() {
        match step {
            [Token::Here] => {}
            [test] | [Token::Axis("child"), test] => path.steps.push(name_test(*test, prefixes)?),
            [Token::At | Token::Axis("attribute"), test] if ends == Ends::ElementOrAttribute => {
                path.attribute = Some(name_test(*test, prefixes)?);
                if steps.peek().is_some() {
                    return Err("an attribute is not the last step of the path".into());
                }
            }
            _ => return Err("the path has a step that is neither `.` nor a name".into()),
        }
    }
    Ok(path)
}

/// Names without a prefix are of no namespace, whatever the default one is.
fn name_test<'a>(token: Token<'_>, prefixes: &Prefixes<'a>) -> Result<NameTest, String> {
    let name = match token {
        Token::Star => return Ok(NameTest::Any),
        Token::Name(name) => name,
        Token::Or | Token::Slash | Token::Descend | Token::Here | Token::At | Token::Axis(_) => {
            return Err("the path has a step without a name".into());
        }
    };
    let Some((prefix, local)) = name.split_once(':') else { return Ok(NameTest::Name(QName::new("", name))) };
    let namespace = prefixes(prefix).ok_or_else(|| format!("the prefix {prefix} is not declared"))?;
    Ok(match local {
        "*" => NameTest::InNamespace(namespace.into()),
        _ => NameTest::Name(QName::new(namespace, local)),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read_here(text: &str, ends: Ends) -> Result<Vec<Path>, String> {
        read(text, ends, &|prefix| (prefix == "p").then_some("urn:p"))
    }

    #[test]
    fn paths_of_the_subset_are_read() {
        let paths = read_here(" .//p:a / child::b | . |*/p:*", Ends::Element).unwrap();
        let test = |namespace: &str, local: &str| NameTest::Name(QName::new(namespace, local));
        assert_eq!(paths.len(), 3);
        assert_eq!(paths[0], Path { anywhere: true, steps: vec![test("urn:p", "a"), test("", "b")], attribute: None });
        assert_eq!(paths[1], Path { anywhere: false, steps: Vec::new(), attribute: None });
        assert_eq!(paths[2].steps, [NameTest::Any, NameTest::InNamespace("urn:p".into())]);
        let fields = read_here("a/@b|attribute::*|.//c", Ends::ElementOrAttribute).unwrap();
        assert_eq!(fields[0].attribute, Some(test("", "b")));
        assert_eq!((&fields[1].attribute, fields[2].anywhere), (&Some(NameTest::Any), true));
    }

    #[test]
    fn what_is_not_of_the_subset_is_refused() {
        let never =
            ["", "/a", "a/", "a//b", "//a", "..", "a[1]", "q:a", "a|", "p:", "parent::a", "@a/b", "a b", "p: a", ".//"];
        for text in never {
            assert!(read_here(text, Ends::ElementOrAttribute).is_err(), "{text}");
        }
        assert!(read_here("@a", Ends::Element).is_err());
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in "[a-cp:*/@.| \u{e5}-]{0,12}") {
            let _ = read_here(&text, Ends::ElementOrAttribute);
        }
    }
}
