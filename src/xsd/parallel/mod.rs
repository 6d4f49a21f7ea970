//! One document judged by many: it is cut where items seem to end, and each part is judged as if it began between two.
//!
//! A guess is taken only when the part before it really ends there, between two items; then what was found is told in the
//! order of the document, its lines and its counts moved to where they belong. Where a guess was wrong, that part is judged
//! again from where the document really stands; so what is heard is always what one validator alone would have told.
//! Keys, IDs and whatever else reaches beyond one item are left to one validator. Each part is as short as to keep memory
//! small whatever the document's size.

use std::io;
use std::ops::Range;
use std::sync::mpsc::{Receiver, sync_channel};
use std::thread;

use memchr::memmem::Finder;

use super::finding::Finding;
use super::plan::Plan;
use super::validator::{End, Limits, Observer, Progress, Validator};
use crate::xml::Position;

/// Bytes that can be read from anywhere, by many at once.
pub trait Source: Sync {
    /// Reads some bytes at an offset; none at the end.
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize>;
}

#[cfg(unix)]
impl Source for std::fs::File {
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        std::os::unix::fs::FileExt::read_at(self, buffer, offset)
    }
}

impl Source for Vec<u8> {
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        let rest = usize::try_from(offset).ok().and_then(|from| self.get(from..)).unwrap_or_default();
        let len = rest.len().min(buffer.len());
        let (to, from) = (buffer.get_mut(..len).unwrap_or_default(), rest.get(..len).unwrap_or_default());
        to.copy_from_slice(from);
        Ok(len)
    }
}

/// Judges a document on some threads beside the one that asks, and tells its observer what one validator would.
pub fn validate_with<S: Source, O: Observer>(
    threads: usize,
    plan: &Plan,
    limits: &Limits,
    source: &S,
    observer: &mut O,
) -> io::Result<End> {
    validate_in_parts(threads, PART_BYTES, plan, limits, source, observer)
}

/// What one thread judges at a time, or up to the end of the item there.
const PART_BYTES: u64 = 1 << 20;
/// What is read at a time.
const PIECE_BYTES: usize = 256 << 10;
/// So many wrong guesses in a row, and no more are made.
const MOST_MISSES: u32 = 4;

fn validate_in_parts<S: Source, O: Observer>(
    threads: usize,
    part_bytes: u64,
    plan: &Plan,
    limits: &Limits,
    source: &S,
    observer: &mut O,
) -> io::Result<End> {
    let buffer = vec![0; PIECE_BYTES];
    let mut first = Front { validator: Validator::new(plan, limits.clone()), at: 0, source, buffer };
    first.go(Some(part_bytes), observer)?;
    if threads > 1
        && let Some(cuts) = first.first_cut(observer)?
    {
        let start = first.at;
        if let Some(template) = branch(&first.validator, plan, limits, start) {
            let job = &Job { plan, limits, source, template: &template, cuts: &cuts, start, part_bytes };
            thread::scope(|scope| {
                let parts = (0..threads).map(|offset| {
                    let (sender, receiver) = sync_channel(1);
                    // An answer that nobody wants any more ends the thread.
                    scope.spawn(move || {
                        let mut buffer = vec![0; PIECE_BYTES];
                        (offset..).step_by(threads).all(|index| sender.send(job.part(index, &mut buffer)).is_ok())
                    });
                    receiver
                });
                first.take_parts(&parts.collect::<Vec<_>>(), &template, observer)
            })?;
        }
    }
    first.go(None, observer)?;
    Ok(first.validator.finish(observer))
}

/// A validator that stands at an offset as another one does.
fn branch<'p>(validator: &Validator<'p>, plan: &'p Plan, limits: &Limits, offset: u64) -> Option<Validator<'p>> {
    let tokenizer = validator.tokenizer.branch(offset)?;
    Some(Validator { tokenizer, judge: validator.judge.branch(plan, limits)?, stopped: false })
}

fn is_like(one: &Validator<'_>, other: &Validator<'_>) -> bool {
    !one.stopped && !other.stopped && one.tokenizer.is_like(&other.tokenizer) && one.judge.is_like(&other.judge)
}

/// The validator that really goes through the document, and how far it came.
struct Front<'p, 's, S> {
    validator: Validator<'p>,
    at: u64,
    source: &'s S,
    buffer: Vec<u8>,
}

impl<S: Source> Front<'_, '_, S> {
    /// Goes on up to an offset, or to the end.
    fn go<O: Observer>(&mut self, to: Option<u64>, observer: &mut O) -> io::Result<()> {
        self.at = feed(&mut self.validator, self.source, self.at, to, &mut self.buffer, observer)?;
        Ok(())
    }

    /// Goes on to the end of an item, and tells what ends such.
    fn first_cut<O: Observer>(&mut self, observer: &mut O) -> io::Result<Option<Finder<'static>>> {
        const TRIES: usize = 16;
        let Some(depth) = self.validator.judge.items_depth() else { return Ok(None) };
        let Some(name) = self.validator.tokenizer.nesting().name_at(depth) else { return Ok(None) };
        let cuts = Finder::new(&[b"</", name, b">"].concat()).into_owned();
        for _ in 0..TRIES {
            let Some(cut) = next_cut(self.source, &cuts, self.at, &mut self.buffer)? else { return Ok(None) };
            self.go(Some(cut), observer)?;
            if self.validator.judge.depth() == depth && !self.validator.stopped {
                return Ok(Some(cuts));
            }
        }
        Ok(None)
    }

    /// Takes the parts in their order, and goes through those itself that began with a wrong guess.
    fn take_parts<O: Observer>(
        &mut self,
        parts: &[Receiver<io::Result<Option<Part<'_>>>>],
        template: &Validator<'_>,
        observer: &mut O,
    ) -> io::Result<()> {
        let mut misses = 0;
        for receiver in parts.iter().cycle() {
            let Some(part) = receiver.recv().map_err(io::Error::other)?? else { return Ok(()) };
            match part.validator {
                Some(validator) if self.at == part.cut.start && is_like(&self.validator, template) => {
                    self.adopt(&validator, part.heard, observer);
                    self.at = part.cut.end;
                    misses = 0;
                }
                _ => {
                    self.go(Some(part.cut.end), observer)?;
                    misses += 1;
                }
            }
            if misses > MOST_MISSES || self.validator.stopped {
                return Ok(());
            }
        }
        Ok(())
    }

    /// Tells what was heard of a part, and stands where that part ends.
    fn adopt<O: Observer>(&mut self, branch: &Validator<'_>, heard: Vec<Event>, observer: &mut O) {
        let base = self.validator.tokenizer.position();
        let depth = self.validator.judge.depth();
        let judge = &mut self.validator.judge;
        for event in heard {
            match event {
                Event::Open(watch, at) => observer.open(watch, moved(at, base)),
                Event::Value(watch, value) => {
                    let at = moved(value.at, base);
                    observer.value(watch, &value.text, value.complete, value.content, at);
                }
                Event::Close(watch, end, sound) => observer.close(watch, end, sound),
                Event::Finding(mut finding) => {
                    finding.at = moved(finding.at, base);
                    finding.path = counted_on(&finding.path, depth, |name| judge.count_of(name));
                    judge.findings += 1;
                    if judge.findings <= judge.most_findings() {
                        observer.finding(finding);
                    }
                }
            }
        }
        judge.adopt(&branch.judge);
        self.validator.tokenizer.move_to(moved(branch.tokenizer.position(), base));
    }
}

/// The place of what was counted from a place as if it were the first.
fn moved(at: Position, base: Position) -> Position {
    let column = if at.line == 1 { base.column - 1 + at.column } else { at.column };
    Position { line: base.line - 1 + at.line, column, offset: at.offset }
}

/// A path whose step at a depth counts on from those that came before.
fn counted_on(path: &str, depth: usize, before: impl Fn(&str) -> u64) -> String {
    let counted = |step: &str| {
        let (name, count) = step.strip_suffix(']')?.split_once('[')?;
        Some(format!("{name}[{}]", count.parse::<u64>().ok()? + before(name)))
    };
    // Before the first slash there is nothing.
    let steps = path.split('/').enumerate().map(|(index, step)| match index == depth + 1 {
        true => counted(step).unwrap_or_else(|| step.to_owned()),
        false => step.to_owned(),
    });
    steps.collect::<Vec<_>>().join("/")
}

/// What all threads know.
struct Job<'p, 'a, S> {
    plan: &'p Plan,
    limits: &'a Limits,
    source: &'a S,
    template: &'a Validator<'p>,
    cuts: &'a Finder<'static>,
    start: u64,
    part_bytes: u64,
}

/// A part of the document.
struct Part<'p> {
    cut: Range<u64>,
    /// As it stands at the end, if that is between two items again.
    validator: Option<Validator<'p>>,
    heard: Vec<Event>,
}

impl<'p, S: Source> Job<'p, '_, S> {
    /// Judges a part by its number; there is none behind the last cut.
    fn part(&self, index: usize, buffer: &mut [u8]) -> io::Result<Option<Part<'p>>> {
        let nominal = self.start + index as u64 * self.part_bytes;
        let start = if index == 0 { Some(self.start) } else { next_cut(self.source, self.cuts, nominal, buffer)? };
        let end = next_cut(self.source, self.cuts, nominal + self.part_bytes, buffer)?;
        let (Some(start), Some(end)) = (start, end) else { return Ok(None) };
        let mut recorder = Recorder::default();
        let Some(mut validator) = branch(self.template, self.plan, self.limits, start) else { return Ok(None) };
        feed(&mut validator, self.source, start, Some(end), buffer, &mut recorder)?;
        let fits = is_like(&validator, self.template) && validator.judge.findings <= self.limits.findings;
        Ok(Some(Part { cut: start..end, validator: fits.then_some(validator), heard: recorder.heard }))
    }
}

/// Gives a validator the bytes between two offsets, or to the end; how far it came.
fn feed<S: Source, O: Observer>(
    validator: &mut Validator<'_>,
    source: &S,
    from: u64,
    to: Option<u64>,
    buffer: &mut [u8],
    observer: &mut O,
) -> io::Result<u64> {
    let (mut at, most) = (from, buffer.len() as u64);
    loop {
        let room = to.map_or(most, |to| to.saturating_sub(at)).min(most);
        let len = source.read_at(buffer.get_mut(..room as usize).unwrap_or_default(), at)?;
        if len == 0 || validator.feed(buffer.get(..len).unwrap_or_default(), observer) == Progress::Stopped {
            return Ok(at);
        }
        at += len as u64;
    }
}

/// Where the first cut at or past an offset ends.
fn next_cut<S: Source>(source: &S, cuts: &Finder<'_>, from: u64, buffer: &mut [u8]) -> io::Result<Option<u64>> {
    // Items are mostly small, and what is read here is read again.
    const WINDOW: usize = 16 << 10;
    let size = cuts.needle().len();
    let window = buffer.get_mut(..WINDOW.max(2 * size)).unwrap_or_default();
    let (mut at, mut kept) = (from, 0);
    loop {
        let len = kept + source.read_at(window.get_mut(kept..).unwrap_or_default(), at + kept as u64)?;
        if len == kept {
            return Ok(None);
        }
        if let Some(found) = cuts.find(window.get(..len).unwrap_or_default()) {
            return Ok(Some(at + (found + size) as u64));
        }
        // What the window ends with may begin a cut.
        let next = len.saturating_sub(size - 1);
        window.copy_within(next..len, 0);
        (at, kept) = (at + next as u64, len - next);
    }
}

/// What an observer hears, to be told later.
enum Event {
    Open(usize, Position),
    Value(usize, Value),
    Close(usize, u64, bool),
    Finding(Finding),
}

struct Value {
    text: String,
    complete: bool,
    content: Range<u64>,
    at: Position,
}

/// Writes down what it hears.
#[derive(Default)]
struct Recorder {
    heard: Vec<Event>,
}

impl Observer for Recorder {
    fn open(&mut self, watch: usize, at: Position) {
        self.heard.push(Event::Open(watch, at));
    }

    fn value(&mut self, watch: usize, text: &str, complete: bool, content: Range<u64>, at: Position) {
        self.heard.push(Event::Value(watch, Value { text: text.to_owned(), complete, content, at }));
    }

    fn close(&mut self, watch: usize, end: u64, sound: bool) {
        self.heard.push(Event::Close(watch, end, sound));
    }

    fn finding(&mut self, finding: Finding) {
        self.heard.push(Event::Finding(finding));
    }
}

#[cfg(test)]
mod tests;
