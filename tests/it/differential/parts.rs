//! Where the parts of a document are.

use std::ops::Range;

/// The elements and attributes of a document, by their places.
#[derive(Default)]
pub(super) struct Parts {
    pub(super) elements: Vec<Element>,
    /// Whole, with the space before it, and the value.
    pub(super) attributes: Vec<(Range<usize>, Range<usize>)>,
}

#[derive(Clone)]
pub(super) struct Element {
    pub(super) depth: usize,
    pub(super) whole: Range<usize>,
    pub(super) name: Range<usize>,
    pub(super) content: Range<usize>,
}

impl Parts {
    /// Reads a document simply: what is odd is passed over.
    pub(super) fn of(text: &str) -> Self {
        let mut parts = Self::default();
        let mut open: Vec<usize> = Vec::new();
        let mut at = 0;
        while let Some(start) = text[at..].find('<').map(|step| at + step) {
            let rest = &text[start..];
            let until = |end: &str| rest.find(end).map_or(text.len(), |length| start + length + end.len());
            at = match rest {
                _ if rest.starts_with("<!--") => until("-->"),
                _ if rest.starts_with("<![CDATA[") => until("]]>"),
                _ if rest.starts_with("<?") => until("?>"),
                _ => until(">"),
            };
            if rest.starts_with("</") {
                if let Some(element) = open.pop() {
                    let element = &mut parts.elements[element];
                    element.content.end = start;
                    element.whole.end = at;
                }
            } else if !rest.starts_with("<!") && !rest.starts_with("<?") {
                parts.start_tag(text, start..at, open.len());
                if !text[start..at].ends_with("/>") {
                    open.push(parts.elements.len() - 1);
                }
            }
        }
        parts
    }

    fn start_tag(&mut self, text: &str, tag: Range<usize>, depth: usize) {
        let inside = text[tag.clone()].trim_end_matches(['>', '/']);
        let length = inside.find(|c: char| c.is_ascii_whitespace()).unwrap_or(inside.len());
        let name = tag.start + 1..(tag.start + length).max(tag.start + 1);
        // An empty-element tag has no content to change; a change there falls behind it.
        self.elements.push(Element { depth, whole: tag.clone(), name: name.clone(), content: tag.end..tag.end });
        let mut at = name.end;
        let stop = tag.start + inside.len();
        while let Some(equal) = text[at..stop].find('=') {
            let Some(quote) = text[at + equal + 1..stop].chars().next() else { return };
            let value = at + equal + 2;
            let Some(length) = text.get(value..stop).and_then(|rest| rest.find(quote)) else { return };
            let whole = at..value + length + 1;
            // Without its declarations a document says nothing any more.
            if !text[whole.clone()].contains("xmlns") {
                self.attributes.push((whole, value..value + length));
            }
            at = value + length + 1;
        }
    }
}
