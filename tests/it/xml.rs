//! XML 1.0 (fifth edition) with Namespaces in XML 1.0: documents of our own, and a second opinion.

mod documents;
mod limits;
mod productions;
mod second_opinion;

use sluse::xml::{Fault, FaultKind, Limits, Locator, Scope, Sink, Tag, Tokenizer};

/// Hears nothing.
struct Deaf;

impl Sink for Deaf {
    fn start(&mut self, _: &Tag<'_>, _: &mut Locator<'_>) {}
    fn end(&mut self, _: u64, _: u64, _: &Scope, _: &mut Locator<'_>) {}
    fn text(&mut self, _: &[u8], _: u64, _: &mut Locator<'_>) {}
    fn character(&mut self, _: char, _: u64, _: &mut Locator<'_>) {}
}

/// What is wrong with a document that comes in pieces, if something is.
fn fault<'a>(limits: &Limits, pieces: impl IntoIterator<Item = &'a [u8]>) -> Option<Fault> {
    let mut tokenizer = Tokenizer::new(limits.clone(), &[""; 0]);
    let fed = pieces.into_iter().try_for_each(|piece| tokenizer.feed(piece, &mut Deaf));
    fed.and_then(|()| tokenizer.finish(&mut Deaf)).err().map(|fault| *fault)
}

/// The same, for a document whole and cut at every byte, which is one.
fn judged(document: &[u8]) -> Option<Fault> {
    let limits = Limits::default();
    let whole = fault(&limits, [document]);
    assert_eq!(whole, fault(&limits, document.chunks(1)), "{}", String::from_utf8_lossy(document));
    for cut in 1..document.len().min(200) {
        let (begin, rest) = document.split_at(cut);
        assert_eq!(whole, fault(&limits, [begin, rest]), "{} at {cut}", String::from_utf8_lossy(document));
    }
    whole
}

/// Documents that are to be well-formed.
fn sound(documents: &[&str]) {
    for document in documents {
        assert_eq!(judged(document.as_bytes()), None, "{document}");
    }
}

/// Documents that are not, for this reason, at the place marked with `¦`.
fn faulty(kind: FaultKind, documents: &[&str]) {
    for marked in documents {
        let place = marked.find('¦').unwrap_or_else(|| panic!("no place in {marked}"));
        let document = marked.replace('¦', "");
        let fault = judged(document.as_bytes()).unwrap_or_else(|| panic!("{marked} is taken"));
        assert_eq!((fault.kind, fault.at.offset), (kind, place as u64), "{marked}: {fault}");
        let before = &document[..place];
        assert_eq!(fault.at.line, before.matches('\n').count() as u64 + 1, "{marked}");
        let line = before.rsplit('\n').next().unwrap_or_default().trim_start_matches('\u{feff}');
        assert_eq!(fault.at.column, line.chars().count() as u64 + 1, "{marked}");
    }
}
