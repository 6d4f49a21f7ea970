//! Which format a file is of, from its first bytes.

use std::borrow::Cow;

use super::{ALL, Format};
use crate::xml::{self, Preamble, Transcoder};

/// What the first bytes tell.
#[derive(Debug, Clone, Copy)]
pub enum Detection {
    /// The root element and its namespace are those of a format.
    Known(&'static Format),
    /// The root is another, or this is no XML.
    Unknown,
    /// The root's start tag is not complete yet.
    More,
}

/// Looks at the root element and its namespace; described formats come before the standard ones. It is lenient: what is
/// wrong before the root is for the judging to tell.
pub fn detect(head: &[u8], described: &[&'static Format]) -> Detection {
    let text = match xml::preamble(head) {
        Ok(None) => return Detection::More,
        Ok(Some(preamble)) if !preamble.encoding.is_utf8() => transcoded(head, preamble),
        Ok(Some(_)) | Err(_) => String::from_utf8_lossy(head),
    };
    let mut rest = text.as_ref();
    loop {
        rest = rest.trim_start_matches(['\u{feff}', ' ', '\t', '\r', '\n']);
        let after = match rest {
            _ if rest.starts_with("<?") => rest.split_once("?>"),
            _ if rest.starts_with("<!--") => rest.split_once("-->"),
            _ if "<!--".starts_with(rest) => None,
            _ => return root(rest, described),
        };
        match after {
            Some((_, after)) => rest = after,
            None => return Detection::More,
        }
    }
}

/// What stands behind the preamble, as far as it can be read.
fn transcoded(head: &[u8], preamble: Preamble) -> Cow<'_, str> {
    let mut transcoder = Transcoder::new(preamble.encoding);
    let mut raw = head.get(preamble.bytes as usize..).unwrap_or_default();
    let mut text = String::new();
    while !raw.is_empty() {
        let (more, ended) = transcoder.next(&mut raw);
        text.push_str(&String::from_utf8_lossy(more));
        if ended.is_err() {
            break;
        }
    }
    text.into()
}

fn root(text: &str, described: &[&'static Format]) -> Detection {
    let Some(tag) = text.strip_prefix('<') else { return Detection::Unknown };
    let Some(tag) = whole_tag(tag) else { return Detection::More };
    let name = tag.split([' ', '\t', '\r', '\n', '/']).next().unwrap_or_default();
    let (prefix, local) = name.split_once(':').unwrap_or(("", name));
    let namespace = namespace(tag, prefix).unwrap_or_default();
    let known =
        described.iter().copied().chain(ALL).find(|format| format.root == local && format.namespace == namespace);
    known.map_or(Detection::Unknown, Detection::Known)
}

/// The tag up to its `>`, minding that an attribute may hold one.
fn whole_tag(text: &str) -> Option<&str> {
    let mut quote = None;
    let end = text.char_indices().find(|(_, c)| {
        match (quote, c) {
            (None, '"' | '\'') => quote = Some(*c),
            (Some(open), c) if open == *c => quote = None,
            _ => {}
        }
        quote.is_none() && *c == '>'
    });
    end.and_then(|(at, _)| text.get(..at))
}

/// The value of the attribute that declares the prefix.
fn namespace<'a>(tag: &'a str, prefix: &str) -> Option<&'a str> {
    let declares = |name: &str| match name.strip_prefix("xmlns") {
        Some(rest) if prefix.is_empty() => rest.is_empty(),
        Some(rest) => rest.strip_prefix(':') == Some(prefix),
        None => false,
    };
    let mut rest = tag;
    while let Some((before, after)) = rest.split_once('=') {
        let name = before.trim_end().rsplit([' ', '\t', '\r', '\n']).next().unwrap_or_default();
        let value = after.trim_start();
        let quote = value.chars().next().filter(|quote| matches!(quote, '"' | '\''))?;
        let (value, after) = value.get(1..)?.split_once(quote)?;
        if declares(name) {
            return Some(value);
        }
        rest = after;
    }
    None
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const NS: &str = "http://schemas.altinn.no/services/intermediary/serviceinitiation/2009/10";

    fn known(head: &str) -> bool {
        matches!(detect(head.as_bytes(), &[]), Detection::Known(_))
    }

    #[test]
    fn a_batch_is_known_however_its_root_is_written() {
        for head in [
            format!("<ServiceOwner xmlns=\"{NS}\">"),
            format!("\u{feff}<?xml version='1.0'?>\r\n<!-- <a> -->\n<ServiceOwner xmlns='{NS}' a=\"b\"/>"),
            format!("<p:ServiceOwner a='>' xmlns:q='x' xmlns:p = '{NS}'\n>"),
            format!("<?a?><?b?><ServiceOwner\txmlns:xsi='x'\txmlns='{NS}'>"),
        ] {
            assert!(known(&head), "{head}");
        }
    }

    #[test]
    fn a_batch_is_known_in_other_encodings() {
        let text = |name: &str| format!("<?xml version='1.0' encoding='{name}'?><!-- ø --><ServiceOwner xmlns='{NS}'>");
        let wide: Vec<u8> = text("UTF-16").encode_utf16().flat_map(u16::to_le_bytes).collect();
        let latin: Vec<u8> = text("ISO-8859-1").chars().map(|c| c as u8).collect();
        for head in [wide, latin] {
            for length in 0..head.len() {
                assert!(matches!(detect(&head[..length], &[]), Detection::More), "{length}");
            }
            assert!(matches!(detect(&head, &[]), Detection::Known(_)));
        }
    }

    #[test]
    fn other_roots_are_not_known() {
        for head in [
            "<ServiceOwner>",
            "<ServiceOwner xmlns='urn:other'>",
            "<IdentifyingFields xmlns='http://schemas.altinn.no/services/intermediary/serviceinitiation/2009/10'>",
            "<p:ServiceOwner xmlns='http://schemas.altinn.no/services/intermediary/serviceinitiation/2009/10'>",
            "<!DOCTYPE a><a>",
            "PK\u{3}\u{4}",
        ] {
            assert!(matches!(detect(head.as_bytes(), &[]), Detection::Unknown), "{head}");
        }
    }

    #[test]
    fn an_incomplete_head_asks_for_more() {
        let head = format!("\u{feff}<?xml version='1.0'?><!-- a --><p:ServiceOwner b='>' xmlns:p='{NS}'>");
        for length in 0..head.len() {
            assert!(
                matches!(detect(&head.as_bytes()[..length], &[]), Detection::More | Detection::Unknown),
                "{length}"
            );
        }
        assert!(matches!(detect(b"", &[]), Detection::More));
        assert!(matches!(detect(b"<!-", &[]), Detection::More));
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(head: Vec<u8>, text: String) {
            let _ = detect(&head, &[]);
            let _ = detect(format!("<{text}>").as_bytes(), &[]);
        }
    }
}
