//! Puts values into a form and moves its elements to the places a new model has for them.
//!
//! The form is held whole, as a tree of its elements; whatever is not touched goes out byte for byte as it came in. Elements
//! are found by their local names. One that is made has the prefix of the element it stands in, and stands last there.

use crate::model::{FormPath, Move};
use crate::xml::{Limits, Locator, Scope, Sink, Tag, Tokenizer};

/// A value and the element it goes into.
#[derive(Clone, PartialEq, Eq)]
pub struct Placed {
    /// Where.
    pub path: FormPath,
    /// Which of several.
    pub index: u32,
    /// What.
    pub value: String,
}

/// A form that is no XML document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the form is no XML document")]
pub struct NoDocument;

/// The form, in UTF-8, with its elements moved, then the values that are for a form with its root put into it.
pub fn fill(form: &[u8], moves: &[Move], values: &[Placed]) -> Result<Vec<u8>, NoDocument> {
    let mut document = Document::read(form)?;
    for one in moves {
        document.relocate(&one.from, one.to.as_ref());
    }
    for placed in values {
        document.place(placed);
    }
    Ok(document.write())
}

/// A form of the values alone; `None` where there are none. The first names the root.
pub fn form_of(values: &[Placed]) -> Option<Vec<u8>> {
    let root = values.first()?.path.steps().first()?.clone();
    let mut document = Document { before: Vec::new(), root: Element::new(root), after: Vec::new() };
    values.iter().for_each(|placed| document.place(placed));
    Some(document.write())
}

struct Document {
    before: Vec<u8>,
    root: Element,
    after: Vec<u8>,
}

/// An element; what stands in it is as it was written.
#[derive(Default)]
struct Element {
    /// With its prefix.
    name: String,
    /// What stands in the start tag behind the name.
    attributes: Vec<u8>,
    content: Vec<Node>,
}

enum Node {
    /// Text, comments, instructions.
    Raw(Vec<u8>),
    Element(Element),
}

impl Document {
    fn read(form: &[u8]) -> Result<Self, NoDocument> {
        let mut builder = Builder { form, ..Builder::default() };
        let mut tokenizer = Tokenizer::new(Limits::default(), &[""; 0]);
        tokenizer.feed(form, &mut builder).map_err(|_| NoDocument)?;
        tokenizer.finish(&mut builder).map_err(|_| NoDocument)?;
        let root = builder.root.ok_or(NoDocument)?;
        let after = form.get(builder.at..).unwrap_or_default().to_vec();
        Ok(Self { before: builder.before, root, after })
    }

    fn write(&self) -> Vec<u8> {
        let mut out = self.before.clone();
        self.root.write(&mut out);
        out.extend_from_slice(&self.after);
        out
    }

    fn is_below(&self, path: &FormPath) -> bool {
        path.steps().first().is_some_and(|root| root == self.root.local())
    }

    fn place(&mut self, placed: &Placed) {
        if self.is_below(&placed.path) {
            let element = self.root.reach(&placed.path, placed.index, 1);
            element.content = vec![Node::Raw(escaped(&placed.value))];
        }
    }

    /// Takes the elements of a path out and puts them, in their order, where they go.
    fn relocate(&mut self, from: &FormPath, to: Option<&FormPath>) {
        if !self.is_below(from) {
            return;
        }
        let mut taken = Vec::new();
        self.root.take(from.steps().get(1..).unwrap_or_default(), &mut taken);
        let Some(to) = to else { return };
        if let (Some(root), false) = (to.steps().first(), taken.is_empty()) {
            self.root.rename(root);
        }
        for (index, element) in (0_u32..).zip(taken) {
            let place = self.root.reach(to, index, 1);
            (place.attributes, place.content) = (element.attributes, element.content);
        }
    }
}

impl Element {
    fn new(name: String) -> Self {
        Self { name, ..Self::default() }
    }

    fn local(&self) -> &str {
        self.name.split_once(':').map_or(&self.name, |(_, local)| local)
    }

    fn prefix(&self) -> &str {
        self.name.split_once(':').map_or("", |(prefix, _)| prefix)
    }

    fn rename(&mut self, local: &str) {
        let prefix = self.prefix();
        self.name = if prefix.is_empty() { local.to_owned() } else { format!("{prefix}:{local}") };
    }

    /// The element of the path from a step on, made where it is missing.
    fn reach(&mut self, path: &FormPath, index: u32, step: usize) -> &mut Self {
        let Some(name) = path.steps().get(step) else { return self };
        let wanted = path.position(step, index).min(MOST_REPEATS);
        let mut have = self.children(name).count();
        while have <= wanted {
            let mut made = Self::new(self.name.clone());
            made.rename(name);
            self.content.push(Node::Element(made));
            have += 1;
        }
        let found =
            self.content.iter_mut().filter_map(Node::element_mut).filter(|child| child.local() == name).nth(wanted);
        found.expect("it was there or has been made").reach(path, index, step + 1)
    }

    fn children(&self, name: &str) -> impl Iterator<Item = &Self> {
        self.content.iter().filter_map(Node::element).filter(move |child| child.local() == name)
    }

    /// Takes out all elements of a path below, and those around them that are left with nothing in them.
    fn take(&mut self, steps: &[String], taken: &mut Vec<Self>) {
        let Some((name, rest)) = steps.split_first() else { return };
        let mut kept = Vec::with_capacity(self.content.len());
        for mut node in std::mem::take(&mut self.content) {
            let found = node.element_mut().filter(|child| child.local() == name);
            let Some(child) = found else {
                kept.push(node);
                continue;
            };
            let before = taken.len();
            if rest.is_empty() {
                taken.push(std::mem::take(child));
                continue;
            }
            child.take(rest, taken);
            if taken.len() == before || !child.is_blank() {
                kept.push(node);
            }
        }
        self.content = kept;
    }

    fn is_blank(&self) -> bool {
        self.content.iter().all(|node| matches!(node, Node::Raw(raw) if raw.trim_ascii().is_empty()))
    }

    fn write(&self, out: &mut Vec<u8>) {
        out.push(b'<');
        out.extend_from_slice(self.name.as_bytes());
        out.extend_from_slice(&self.attributes);
        if self.content.is_empty() {
            return out.extend_from_slice(b"/>");
        }
        out.push(b'>');
        for node in &self.content {
            match node {
                Node::Raw(raw) => out.extend_from_slice(raw),
                Node::Element(element) => element.write(out),
            }
        }
        out.extend_from_slice(b"</");
        out.extend_from_slice(self.name.as_bytes());
        out.push(b'>');
    }
}

impl Node {
    fn element(&self) -> Option<&Element> {
        if let Self::Element(element) = self { Some(element) } else { None }
    }

    fn element_mut(&mut self) -> Option<&mut Element> {
        if let Self::Element(element) = self { Some(element) } else { None }
    }
}

/// Builds the tree while the form is read.
#[derive(Default)]
struct Builder<'a> {
    form: &'a [u8],
    /// Past the last tag.
    at: usize,
    before: Vec<u8>,
    open: Vec<Element>,
    root: Option<Element>,
}

impl Builder<'_> {
    /// What stands between the last tag and the next.
    fn between(&mut self, from: u64) -> Vec<u8> {
        let from = usize::try_from(from).unwrap_or(usize::MAX);
        self.form.get(self.at..from).unwrap_or_default().to_vec()
    }

    fn add_text(&mut self, from: u64) {
        let raw = self.between(from);
        match self.open.last_mut() {
            Some(element) if !raw.is_empty() => element.content.push(Node::Raw(raw)),
            Some(_) => {}
            None => self.before = raw,
        }
    }
}

impl Sink for Builder<'_> {
    fn start(&mut self, tag: &Tag<'_>, _: &mut Locator<'_>) {
        self.add_text(tag.offset);
        let name = String::from_utf8_lossy(tag.name).into_owned();
        let [start, end] = [tag.offset, tag.end].map(|offset| usize::try_from(offset).unwrap_or(usize::MAX));
        let behind = start.saturating_add(1 + tag.name.len())..end.saturating_sub(1 + usize::from(tag.empty));
        let attributes = self.form.get(behind).unwrap_or_default().trim_ascii_end().to_vec();
        self.open.push(Element { name, attributes, content: Vec::new() });
        self.at = end;
    }

    fn end(&mut self, from: u64, to: u64, _: &Scope, _: &mut Locator<'_>) {
        if from < to {
            self.add_text(from);
        }
        self.at = usize::try_from(to).unwrap_or(usize::MAX);
        if let Some(ended) = self.open.pop() {
            match self.open.last_mut() {
                Some(outer) => outer.content.push(Node::Element(ended)),
                None => self.root = Some(ended),
            }
        }
    }

    fn text(&mut self, _: &[u8], _: u64, _: &mut Locator<'_>) {}

    fn character(&mut self, _: char, _: u64, _: &mut Locator<'_>) {}
}

/// A value as text of an element. What XML has no place for is left out.
fn escaped(value: &str) -> Vec<u8> {
    let mut text = String::with_capacity(value.len());
    for c in value.chars() {
        match c {
            '<' => text.push_str("&lt;"),
            '>' => text.push_str("&gt;"),
            '&' => text.push_str("&amp;"),
            '\r' => text.push_str("&#13;"),
            '\n' | '\t' | ' '.. if !matches!(c, '\u{fffe}' | '\u{ffff}') => text.push(c),
            _ => {}
        }
    }
    text.into_bytes()
}

/// An index beyond this is no list of a form.
const MOST_REPEATS: usize = 9_999;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn placed(path: &str, index: u32, value: &str) -> Placed {
        Placed { path: path.parse().unwrap(), index, value: value.into() }
    }

    fn filled(form: &str, values: &[Placed]) -> String {
        String::from_utf8(fill(form.as_bytes(), &[], values).unwrap()).unwrap()
    }

    fn moved(form: &str, moves: &[(&str, &str)]) -> String {
        let moves: Vec<_> = moves
            .iter()
            .map(|(from, to)| Move { from: from.parse().unwrap(), to: (!to.is_empty()).then(|| to.parse().unwrap()) })
            .collect();
        String::from_utf8(fill(form.as_bytes(), &moves, &[]).unwrap()).unwrap()
    }

    #[test]
    fn what_is_not_touched_stays_as_it_was_written() {
        let form = "\u{feff}<?xml version='1.0'?>\n<!-- x --><p:S xmlns:p='urn:a' a = \"1\" ><p:A>&amp;<![CDATA[<]]></p:A ><B /><C></C>\n</p:S>\n<?y?>";
        let same = "\u{feff}<?xml version='1.0'?>\n<!-- x --><p:S xmlns:p='urn:a' a = \"1\"><p:A>&amp;<![CDATA[<]]></p:A><B/><C/>\n</p:S>\n<?y?>";
        assert_eq!(filled(form, &[]), same);
        assert_eq!(filled(same, &[]), same);
    }

    #[test]
    fn a_value_goes_into_its_element_or_makes_it() {
        let form = "<S><Navn orid='1'>gammelt</Navn></S>";
        assert_eq!(
            filled(form, &[placed("/S/Navn", 0, "nytt & <b>")]),
            "<S><Navn orid='1'>nytt &amp; &lt;b&gt;</Navn></S>"
        );
        assert_eq!(
            filled("<p:S xmlns:p='u'/>", &[placed("/S/A/B", 0, "x")]),
            "<p:S xmlns:p='u'><p:A><p:B>x</p:B></p:A></p:S>"
        );
        assert_eq!(filled("<S/>", &[placed("/Annet/A", 0, "x")]), "<S/>", "it is for another form");
    }

    #[test]
    fn an_index_counts_the_element_that_is_marked_or_the_last() {
        let form = "<S><L><B>1</B></L></S>";
        assert_eq!(
            filled(form, &[placed("/S/L[n]/B", 1, "2"), placed("/S/L[n]/B", 0, "0")]),
            "<S><L><B>0</B></L><L><B>2</B></L></S>"
        );
        assert_eq!(filled("<S/>", &[placed("/S/B", 1, "x")]), "<S><B/><B>x</B></S>");
    }

    #[test]
    fn elements_are_moved_renamed_and_left_out() {
        let form = "<Gml><A><x k='1'>1</x></A><A><x>2</x></A><B>b</B><C/></Gml>";
        assert_eq!(
            moved(form, &[("/Gml/A/x", "/Ny/Linje[n]/verdi"), ("/Ny/B", "/Ny/D"), ("/Ny/C", "")]),
            "<Ny><Linje><verdi k='1'>1</verdi></Linje><Linje><verdi>2</verdi></Linje><D>b</D></Ny>"
        );
        assert_eq!(moved("<Gml/>", &[("/Gml/A", "/Ny/A")]), "<Gml/>", "there is nothing to move");
    }

    #[test]
    fn a_form_can_be_of_values_alone() {
        assert_eq!(form_of(&[]), None);
        let form = form_of(&[placed("/S/A", 0, "1"), placed("/S/B/C", 0, "2"), placed("/T/A", 0, "3")]).unwrap();
        assert_eq!(String::from_utf8(form).unwrap(), "<S><A>1</A><B><C>2</C></B></S>");
    }

    #[test]
    fn what_is_no_document_is_told() {
        for form in ["", "x", "<S>", "<!DOCTYPE S><S/>", "<S></T>"] {
            assert_eq!(fill(form.as_bytes(), &[], &[]), Err(NoDocument), "{form}");
        }
    }

    proptest! {
        #[test]
        fn any_value_comes_back_as_it_went_in(value in "\\PC*", index in 0_u32..3) {
            let form = filled("<S><A/></S>", &[placed("/S/A", index, &value)]);
            let again = Document::read(form.as_bytes()).unwrap();
            let element = again.root.children("A").nth(index as usize).unwrap();
            let raw = element.content.iter().map(|node| match node {
                Node::Raw(raw) => String::from_utf8(raw.clone()).unwrap(),
                Node::Element(_) => unreachable!(),
            });
            let text = raw.collect::<String>().replace("&lt;", "<").replace("&gt;", ">").replace("&#13;", "\r").replace("&amp;", "&");
            prop_assert_eq!(text, value);
        }
    }
}
