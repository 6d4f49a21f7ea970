//! Any bytes, cut in two anywhere, are heard alike, and never panic.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sluse::xml::{Limits, Locator, Scope, Sink, Tag, Tokenizer};

/// Counts what it hears.
#[derive(Default, PartialEq, Debug)]
struct Counter(u64, u64, u64);

impl Sink for Counter {
    fn start(&mut self, tag: &Tag<'_>, locator: &mut Locator<'_>) {
        self.0 += locator.position(tag.offset).column + tag.attributes().count() as u64;
    }

    fn end(&mut self, _: u64, to: u64, _: &Scope, _: &mut Locator<'_>) {
        self.1 += to;
    }

    fn text(&mut self, _: &[u8], _: u64, _: &mut Locator<'_>) {}

    fn character(&mut self, c: char, _: u64, _: &mut Locator<'_>) {
        self.2 += u64::from(c);
    }
}

fn hear(pieces: &[&[u8]]) -> (Option<sluse::xml::Fault>, Counter) {
    let mut tokenizer = Tokenizer::new(Limits::default(), &["urn:a"]);
    let mut counter = Counter::default();
    let fed = pieces.iter().try_for_each(|piece| tokenizer.feed(piece, &mut counter));
    let fault = fed.and_then(|()| tokenizer.finish(&mut counter)).err();
    (fault.map(|fault| *fault), counter)
}

fuzz_target!(|data: &[u8]| {
    let Some((cut, document)) = data.split_first() else { return };
    let (head, tail) = document.split_at(usize::from(*cut).min(document.len()));
    assert_eq!(hear(&[document]), hear(&[head, tail]));
});
