//! A start tag with its attributes.

use super::entities;

/// A start tag.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Tag {
    /// Its name in lower case, without a prefix.
    pub(super) name: String,
    /// Names in lower case, values with their references undone.
    pub(super) attributes: Vec<(String, String)>,
    /// It ends with a slash.
    pub(super) is_empty: bool,
}

impl Tag {
    /// Reads what stands between `<` and `>`.
    pub(super) fn read(raw: &str) -> Self {
        let open = raw.trim_end_matches('/');
        // After a value without quotes it is the end of an address.
        let is_empty = open != raw && (!open.contains('=') || open.ends_with(ends_value));
        let raw = if is_empty { open } else { raw };
        let end = raw.find(|c: char| c.is_whitespace() || c == '/').unwrap_or(raw.len());
        let (name, mut rest) = raw.split_at_checked(end).unwrap_or_default();
        let mut tag = Self { name: local(name), attributes: Vec::new(), is_empty };
        while let Some((attribute, after)) = attribute(rest) {
            tag.attributes.push(attribute);
            rest = after;
        }
        tag
    }

    /// The value of an attribute.
    pub(super) fn value(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// Tells whether it says how something looks.
    pub(super) fn has_style(&self) -> bool {
        const STYLE: [&str; 8] = ["style", "class", "align", "valign", "color", "bgcolor", "face", "background"];
        self.attributes.iter().any(|(name, value)| STYLE.contains(&name.as_str()) && !value.is_empty())
    }
}

fn ends_value(c: char) -> bool {
    c.is_whitespace() || matches!(c, '"' | '\'')
}

/// The name in an end tag, of which the slash has been taken.
pub(super) fn end_name(raw: &str) -> String {
    local(raw.trim().split(|c: char| c.is_whitespace() || c == '/').next().unwrap_or_default())
}

/// Tells whether an element may be called that.
pub(super) fn is_name(name: &str) -> bool {
    let is_in_name = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'_' | b'-');
    name.starts_with(|c: char| c.is_ascii_lowercase()) && name.bytes().all(is_in_name)
}

/// A name in lower case, without a prefix.
pub(super) fn local(name: &str) -> String {
    name.rsplit(':').next().unwrap_or_default().to_ascii_lowercase()
}

/// Tells whether HTML has, or had, an element of the name.
pub(super) fn is_element(name: &str) -> bool {
    ELEMENTS.split_ascii_whitespace().any(|known| known == name)
}

const ELEMENTS: &str = "a abbr acronym address applet area article aside audio b base basefont bdi bdo big blink blockquote \
    body br button canvas caption center cite code col colgroup data datalist dd del details dfn dialog dir div dl dt em \
    embed fieldset figcaption figure font footer form frame frameset h1 h2 h3 h4 h5 h6 head header hgroup hr html i iframe \
    img input ins isindex kbd label legend li link main map mark marquee math menu meta meter nav nobr noframes noscript \
    object ol optgroup option output p param picture pre progress q rp rt ruby s samp script search section select slot \
    small source span strike strong style sub summary sup svg table tbody td template textarea tfoot th thead time title \
    tr track tt u ul var video wbr xmp";

/// The first attribute and what follows it.
fn attribute(text: &str) -> Option<((String, String), &str)> {
    let text = text.trim_start_matches(|c: char| c.is_whitespace() || c == '/');
    let end = text.find(|c: char| c.is_whitespace() || c == '=' || c == '/').unwrap_or(text.len());
    let (name, after) = text.split_at_checked(end.max(text.chars().next()?.len_utf8()))?;
    let Some(value) = after.trim_start().strip_prefix('=') else {
        return Some(((local(name), String::new()), after));
    };
    let value = value.trim_start();
    let (value, rest) = match value.chars().next() {
        Some(quote @ ('"' | '\'')) => {
            let inner = value.strip_prefix(quote).unwrap_or_default();
            // A tag that was cut short has no closing quote.
            inner.split_once(quote).unwrap_or((inner, ""))
        }
        _ => value.split_at_checked(value.find(char::is_whitespace).unwrap_or(value.len()))?,
    };
    Some(((local(name), entities::undo(value)), rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attributes_are_read_however_they_are_written() {
        let tag = Tag::read("x:A\n HREF = 'a?b&amp;c'  class=red checked data-x=\"1 > 0\"/");
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let expected = [pair("href", "a?b&c"), pair("class", "red"), pair("checked", ""), pair("data-x", "1 > 0")];
        assert_eq!((tag.name.as_str(), tag.is_empty), ("a", true));
        assert_eq!(tag.attributes, expected);
        assert!(tag.has_style() && !Tag::read("p").has_style());
        assert_eq!(Tag::read("a href='cut").value("href"), Some("cut"));
        assert_eq!(Tag::read("a ==").attributes.len(), 1);
        assert_eq!(Tag::read("a href=https://a.example/").value("href"), Some("https://a.example/"));
        for (raw, is_empty) in [("br/", true), ("br /", true), ("a x=y /", true), ("a x='y'/", true), ("a x=y/", false)]
        {
            assert_eq!(Tag::read(raw).is_empty, is_empty, "{raw}");
        }
    }
}
