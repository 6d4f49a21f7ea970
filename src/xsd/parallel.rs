//! One file on several cores: cut at item ends, each part judged from a guess of what comes before it, the guess checked.
//!
//! After its first segment the judge that goes through the file in order (the *leader*) names a [`Seam`]: the state in
//! which it stands between two items, and the end tag behind which it does. Later segments begin behind such a tag and
//! are judged, by whoever is free, as if the document stood at the seam. The answer counts only if the leader arrives at
//! that very byte in that very state, the segment ends in it too, and nothing was found; otherwise the leader goes
//! through the segment itself. So the findings are those of one judge, whatever the file holds.

use std::collections::VecDeque;
use std::io;
use std::ops::Range;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;

use memchr::memmem::Finder;

use super::Finding;
use super::plan::Plan;
use super::seam::Seam;
use super::validator::{End, Limits, Observer, Progress, Validator};
use crate::xml::Position;

/// Bytes that can be read from anywhere, by several at once.
pub trait ReadAt: Sync {
    /// Reads into the buffer from an offset; 0 at the end.
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize>;
}

#[cfg(unix)]
impl ReadAt for std::fs::File {
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        std::os::unix::fs::FileExt::read_at(self, buffer, offset)
    }
}

impl ReadAt for [u8] {
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        let rest = usize::try_from(offset).ok().and_then(|from| self.get(from..)).unwrap_or_default();
        let len = rest.len().min(buffer.len());
        if let (Some(to), Some(from)) = (buffer.get_mut(..len), rest.get(..len)) {
            to.copy_from_slice(from);
        }
        Ok(len)
    }
}

/// How to share a file among threads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sharing {
    /// How many threads judge, the caller's among them.
    pub threads: usize,
    /// Bytes judged in one go by one of them.
    pub segment_bytes: u64,
}

impl Default for Sharing {
    /// A thread for each core, segments of 4 MiB.
    fn default() -> Self {
        Self { threads: thread::available_parallelism().map_or(1, usize::from), segment_bytes: 4 << 20 }
    }
}

/// Judges a file; the observer hears what it would hear from one [`Validator`].
///
/// With watches in the plan, or with identity constraints and ids in the schema, it is judged by one thread: what is
/// told of one part depends on the others.
pub fn validate<O: Observer>(
    plan: &Plan,
    limits: &Limits,
    source: &(impl ReadAt + ?Sized),
    sharing: &Sharing,
    observer: &mut O,
) -> io::Result<End> {
    let mut leader = Validator::new(plan, limits.clone());
    let mut buffer = vec![0; READ_BYTES];
    // Far enough to see which elements repeat.
    let first = 0..sharing.segment_bytes.max(1);
    let mut progress = feed(&mut leader, source, first.clone(), &mut buffer, observer)?;
    let seam = leader.seam().filter(|_| sharing.threads > 1 && progress == Progress::Continue);
    let mut at = first.end;
    if let Some(seam) = seam {
        let shared = Shared::new(source, seam, at, sharing.segment_bytes);
        (progress, at) = thread::scope(|scope| {
            let _ended = Ended(&shared);
            for _ in 1..sharing.threads {
                scope.spawn(|| shared.help());
            }
            shared.lead(&mut leader, &mut buffer, observer)
        })?;
    }
    if progress == Progress::Continue {
        feed(&mut leader, source, at..u64::MAX, &mut buffer, observer)?;
    }
    Ok(leader.finish(observer))
}

/// Judges a range of the source, or as much of it as there is.
fn feed<O: Observer>(
    validator: &mut Validator<'_>,
    source: &(impl ReadAt + ?Sized),
    range: Range<u64>,
    buffer: &mut [u8],
    observer: &mut O,
) -> io::Result<Progress> {
    let mut at = range.start;
    while at < range.end {
        let piece = read(source, at, range.end, buffer)?;
        if piece.is_empty() {
            break;
        }
        at += piece.len() as u64;
        if validator.feed(piece, observer) == Progress::Stopped {
            return Ok(Progress::Stopped);
        }
    }
    Ok(Progress::Continue)
}

/// Reads what fits the buffer, not past an end.
fn read<'b>(source: &(impl ReadAt + ?Sized), at: u64, end: u64, buffer: &'b mut [u8]) -> io::Result<&'b [u8]> {
    let room = usize::try_from(end.saturating_sub(at)).unwrap_or(usize::MAX).min(buffer.len());
    let (room, _) = buffer.split_at_mut(room);
    loop {
        match source.read_at(room, at) {
            Ok(count) => return Ok(room.get(..count).unwrap_or_default()),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

/// What all threads see.
struct Shared<'s, 'p, S: ?Sized> {
    source: &'s S,
    seam: Seam<'p>,
    segment_bytes: u64,
    board: Mutex<Board<'p>>,
    news: Condvar,
}

/// The segments before the leader, in order.
struct Board<'p> {
    segments: VecDeque<Segment<'p>>,
    /// How many the leader has left behind.
    passed: u64,
    /// Where the last of them ends.
    end: u64,
    /// The last of them ends where the file does.
    is_whole: bool,
    ended: bool,
}

struct Segment<'p> {
    range: Range<u64>,
    answer: Answer<'p>,
}

enum Answer<'p> {
    /// Somebody is at it.
    Awaited,
    /// From seam to seam, and nothing was found.
    Sound(Box<Validator<'p>>),
    /// Nothing that could be built on.
    None,
}

/// What the leader is to do next.
enum Turn<'p> {
    /// Build on an answer, or go through the segment where it does not fit.
    Pass(Range<u64>, Answer<'p>),
    /// Judge a later segment meanwhile.
    Help(u64, Range<u64>),
    /// Go on alone: behind here there are no more segments.
    Alone(u64),
}

impl<'s, 'p, S: ReadAt + ?Sized> Shared<'s, 'p, S> {
    fn new(source: &'s S, seam: Seam<'p>, at: u64, segment_bytes: u64) -> Self {
        let board = Board { segments: VecDeque::new(), passed: 0, end: at, is_whole: false, ended: false };
        Self { source, seam, segment_bytes, board: Mutex::new(board), news: Condvar::new() }
    }

    fn board(&self) -> MutexGuard<'_, Board<'p>> {
        self.board.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Goes through the file in order; how far it came, and whether there is a point in more.
    fn lead<O: Observer>(
        &self,
        leader: &mut Validator<'p>,
        buffer: &mut [u8],
        observer: &mut O,
    ) -> io::Result<(Progress, u64)> {
        loop {
            match self.turn()? {
                Turn::Pass(_, Answer::Sound(over)) if leader.stands_at(&self.seam) => {
                    leader.pass(&self.seam, &over);
                }
                Turn::Pass(range, _) => {
                    let end = range.end;
                    if feed(leader, self.source, range, buffer, observer)? == Progress::Stopped {
                        return Ok((Progress::Stopped, end));
                    }
                }
                Turn::Help(number, range) => self.answer(number, range, buffer),
                Turn::Alone(at) => return Ok((Progress::Continue, at)),
            }
        }
    }

    fn turn(&self) -> io::Result<Turn<'p>> {
        let mut board = self.board();
        loop {
            let awaited = board.segments.front().map(|segment| matches!(segment.answer, Answer::Awaited));
            match awaited {
                Some(false) => {
                    board.passed += 1;
                    self.news.notify_all();
                    let segment = board.segments.pop_front().expect("it was looked at just now");
                    return Ok(Turn::Pass(segment.range, segment.answer));
                }
                Some(true) if board.has_room() => {
                    let (number, range) = self.cut(&mut board)?;
                    return Ok(Turn::Help(number, range));
                }
                Some(true) => board = self.news.wait(board).unwrap_or_else(PoisonError::into_inner),
                None if board.is_whole => return Ok(Turn::Alone(board.end)),
                None => {
                    let (_, range) = self.cut(&mut board)?;
                    board.segments.clear();
                    board.passed += 1;
                    return Ok(Turn::Pass(range, Answer::None));
                }
            }
        }
    }

    /// Judges segments until there are no more.
    fn help(&self) {
        let mut buffer = vec![0; READ_BYTES];
        let mut board = self.board();
        while !board.ended && !board.is_whole {
            if !board.has_room() {
                board = self.news.wait(board).unwrap_or_else(PoisonError::into_inner);
                continue;
            }
            // What cannot be read the leader will find too, and tell.
            let Ok((number, range)) = self.cut(&mut board) else { return };
            drop(board);
            self.answer(number, range, &mut buffer);
            board = self.board();
        }
    }

    /// Adds a segment behind the others: up to the first end of an item past its size.
    fn cut(&self, board: &mut Board<'p>) -> io::Result<(u64, Range<u64>)> {
        let start = board.end;
        let tag = Finder::new(&self.seam.end_tag);
        let mut buffer = vec![0; SEARCH_BYTES + self.seam.end_tag.len()];
        let mut at = start + self.segment_bytes;
        board.end = loop {
            let piece = read(self.source, at, u64::MAX, &mut buffer)?;
            match tag.find(piece) {
                Some(found) => break at + (found + self.seam.end_tag.len()) as u64,
                None if piece.is_empty() => {
                    board.is_whole = true;
                    break at;
                }
                // The tag may lie across the end of the piece.
                None => at += piece.len().saturating_sub(self.seam.end_tag.len() - 1).max(1) as u64,
            }
        };
        let range = start..board.end;
        let number = board.passed + board.segments.len() as u64;
        board.segments.push_back(Segment { range: range.clone(), answer: Answer::Awaited });
        Ok((number, range))
    }

    /// Judges a segment from the seam on and says what came of it.
    fn answer(&self, number: u64, range: Range<u64>, buffer: &mut [u8]) {
        let mut answering = Answering { shared: self, number, answer: Answer::None };
        let Some(mut validator) = self.seam.validator(range.start) else { return };
        let fed = feed(&mut validator, self.source, range, buffer, &mut Silence);
        let sound = matches!(fed, Ok(Progress::Continue)) && validator.is_self_contained();
        if sound && validator.stands_at(&self.seam) {
            answering.answer = Answer::Sound(Box::new(validator));
        }
    }
}

impl Board<'_> {
    /// Tells whether one more may be judged ahead of the leader.
    fn has_room(&self) -> bool {
        self.segments.len() < AHEAD && !self.is_whole
    }
}

/// Gives the answer when it goes, so that nobody waits for one who panicked.
struct Answering<'a, 's, 'p, S: ReadAt + ?Sized> {
    shared: &'a Shared<'s, 'p, S>,
    number: u64,
    answer: Answer<'p>,
}

impl<S: ReadAt + ?Sized> Drop for Answering<'_, '_, '_, S> {
    fn drop(&mut self) {
        let mut board = self.shared.board();
        let index = self.number.checked_sub(board.passed).and_then(|index| usize::try_from(index).ok());
        if let Some(segment) = index.and_then(|index| board.segments.get_mut(index)) {
            segment.answer = std::mem::replace(&mut self.answer, Answer::None);
        }
        self.shared.news.notify_all();
    }
}

/// Sends the others home when the leader is done.
struct Ended<'a, 's, 'p, S: ReadAt + ?Sized>(&'a Shared<'s, 'p, S>);

impl<S: ReadAt + ?Sized> Drop for Ended<'_, '_, '_, S> {
    fn drop(&mut self) {
        self.0.board().ended = true;
        self.0.news.notify_all();
    }
}

/// Hears of segments that count only if there is nothing to hear.
struct Silence;

impl Observer for Silence {
    fn open(&mut self, _: usize, _: Position) {}

    fn value(&mut self, _: usize, _: &str, _: bool, _: Range<u64>, _: Position) {}

    fn close(&mut self, _: usize, _: u64, _: bool) {}

    fn finding(&mut self, _: Finding) {}
}

const READ_BYTES: usize = 256 << 10;
/// How much is looked through at once for the end of an item.
const SEARCH_BYTES: usize = 16 << 10;
/// Segments before the leader: what others are at, and what waits for it.
const AHEAD: usize = 6;

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use proptest::prelude::*;

    use super::*;
    use crate::xsd::{Schema, SchemaDocument};

    const SCHEMA: &str = r#"<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" targetNamespace="urn:t"
      elementFormDefault="qualified" xmlns="urn:t"><xs:element name="Batch"><xs:complexType><xs:sequence>
      <xs:element name="Name" type="xs:string"/><xs:element name="Part"><xs:complexType><xs:sequence>
      <xs:element name="Item" maxOccurs="unbounded"><xs:complexType><xs:sequence><xs:element name="Day" type="xs:date"/>
      <xs:element name="Text" type="xs:string" minOccurs="0" maxOccurs="unbounded"/></xs:sequence></xs:complexType>
      </xs:element></xs:sequence></xs:complexType></xs:element></xs:sequence></xs:complexType></xs:element></xs:schema>"#;

    /// Keeps what was found.
    #[derive(Default)]
    struct Found(Vec<Finding>);

    impl Observer for Found {
        fn open(&mut self, _: usize, _: Position) {}
        fn value(&mut self, _: usize, _: &str, _: bool, _: Range<u64>, _: Position) {}
        fn close(&mut self, _: usize, _: u64, _: bool) {}
        fn finding(&mut self, finding: Finding) {
            self.0.push(finding);
        }
    }

    fn plan() -> Plan {
        let schema = Schema::compile(&[SchemaDocument { name: "s.xsd", bytes: SCHEMA.as_bytes() }]).unwrap();
        Plan::new(Arc::new(schema), &[]).unwrap()
    }

    fn judged(document: &str, threads: usize, segment_bytes: u64) -> (End, Vec<Finding>) {
        let mut found = Found::default();
        let sharing = Sharing { threads, segment_bytes };
        let end = validate(&plan(), &Limits::default(), document.as_bytes(), &sharing, &mut found).unwrap();
        (end, found.0)
    }

    fn document(items: &[&str], prefix: &str) -> String {
        let items: String = items.concat();
        let colon = if prefix.is_empty() { "" } else { ":" };
        let text = format!(
            "<?xml version=\"1.0\"?>\n<Batch xmlns{colon}{prefix}=\"urn:t\">\n<Name>x</Name>\n<Part>{items}</Part>\n</Batch>\n"
        );
        if prefix.is_empty() {
            return text;
        }
        let named = ["Batch", "Name", "Part", "Item", "Day", "Text"];
        named.iter().fold(text, |text, name| {
            text.replace(&format!("</{name}>"), &format!("</{prefix}:{name}>"))
                .replace(&format!("<{name}"), &format!("<{prefix}:{name}"))
        })
    }

    const ITEM: &str = "\n<Item><Day>2026-11-21</Day><Text>en</Text></Item>";
    const OTHERS: [&str; 8] = [
        "<Item>\n<Day>2026-02-30</Day></Item>",
        "<Item><Day>2026-11-21</Day><Text><![CDATA[</Item><Item>]]></Text></Item>",
        "<Item><Day>2026-11-21</Day><!-- </Item> --></Item>",
        "<Item><Text>\u{e5}</Text></Item>",
        "<Item/>",
        "<Other><Item><Day>2026-11-21</Day></Item></Other>",
        "</Part><Part>",
        "<Item><Day>2026-11-21</Day><Text>&oslash;</Text></Item>",
    ];

    #[test]
    fn parts_are_judged_by_others_and_the_places_behind_them_are_right() {
        let mut items = vec![ITEM; 5_000];
        items.push(OTHERS[0]);
        for prefix in ["", "p"] {
            let document = document(&items, prefix);
            let (end, found) = judged(&document, 3, 512);
            assert_eq!((end, found.clone()), judged(&document, 1, 512));
            assert_eq!((found.len(), found[0].path.as_str()), (1, "/Batch/Part/Item[5001]/Day"));
            assert_eq!(
                (found[0].at.line, found[0].at.column),
                (5_005, 6 + prefix.len() as u64 + u64::from(!prefix.is_empty()))
            );
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn any_number_of_threads_finds_the_same(
            picks in prop::collection::vec(0_usize..60, 1..200),
            threads in 2_usize..4,
            segment_bytes in 1_u64..900,
            prefixed: bool,
        ) {
            let items: Vec<&str> = picks.iter().map(|pick| OTHERS.get(*pick).copied().unwrap_or(ITEM)).collect();
            let document = document(&items, if prefixed { "p" } else { "" });
            prop_assert_eq!(judged(&document, threads, segment_bytes), judged(&document, 1, segment_bytes));
        }
    }
}
