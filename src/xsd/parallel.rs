//! One file on several cores: cut at item ends, each part judged from a guess of what comes before it, the guess checked.
//!
//! After a first segment the judge that goes through the file in order (the *leader*) names a [`Seam`]: the state in
//! which it stands between two items, and the end tag behind which it does. Later segments begin behind such a tag and
//! are judged, by whoever is free, as if the document stood at the seam. The answer counts only if the leader arrives at
//! that very byte in that very state, the segment ends in it too, and nothing was found; otherwise the leader goes
//! through the segment itself. So the findings are those of one judge, whatever the file holds. When the seam is not met
//! any more, since other items have come, the leader names another.

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
    /// Bytes judged in one go by one of them; where items are large, more.
    pub segment_bytes: u64,
}

impl Default for Sharing {
    /// A thread for each core, segments of 1 MiB: the first and the last are judged by one thread.
    fn default() -> Self {
        Self { threads: thread::available_parallelism().map_or(1, usize::from), segment_bytes: 1 << 20 }
    }
}

/// Judges a file; the observer hears what it would hear from one [`Validator`].
///
/// With watches in the plan, with identity constraints in the schema or ids in the document, it is judged by one thread: what is
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
    let mut next = Some(0);
    let mut stretch = sharing.segment_bytes / FIRST_STRETCH;
    while let Some(at) = next {
        let seam = leader.seam().filter(|_| sharing.threads > 1);
        next = match seam {
            Some(seam) => share(&mut leader, &Shared::new(source, seam, sharing), at, &mut buffer, observer)?,
            // Until it is seen which elements repeat.
            None => {
                stretch = stretch.saturating_mul(2).clamp(1, sharing.segment_bytes.max(1));
                feed(&mut leader, source, at..at.saturating_add(stretch), &mut buffer, observer)?
            }
        };
    }
    leader.stopped |= observer.has_enough();
    Ok(leader.finish(observer))
}

/// Judges from a place on by several threads as long as the seam is met; where to go on, unless that is all.
fn share<'p, O: Observer>(
    leader: &mut Validator<'p>,
    shared: &Shared<'_, 'p, impl ReadAt + ?Sized>,
    at: u64,
    buffer: &mut [u8],
    observer: &mut O,
) -> io::Result<Option<u64>> {
    let (end, repeats) = match shared.end_behind(at) {
        Ok(end) => (end, true),
        Err(looked) => (looked, false),
    };
    let fed = feed(leader, shared.source, at..end, buffer, observer)?;
    if fed.is_none() || !repeats {
        return Ok(fed);
    }
    shared.board().end = end;
    thread::scope(|scope| {
        let ended = Ended(shared);
        // A machine without another thread to give is one where the leader goes alone.
        let helper = |_| thread::Builder::new().name("judge".to_owned()).spawn_scoped(scope, || shared.help()).ok();
        let helpers: Vec<_> = (1..shared.threads).filter_map(helper).collect();
        let led = shared.lead(leader, buffer, observer);
        drop(ended);
        for helper in helpers {
            // What one did not live to judge the leader has gone through.
            _ = helper.join();
        }
        led
    })
}

/// Judges a range of the source; where it ends, unless there is no point in more.
fn feed<O: Observer>(
    validator: &mut Validator<'_>,
    source: &(impl ReadAt + ?Sized),
    range: Range<u64>,
    buffer: &mut [u8],
    observer: &mut O,
) -> io::Result<Option<u64>> {
    let mut at = range.start;
    while at < range.end {
        let piece = read(source, at, range.end, buffer)?;
        at += piece.len() as u64;
        if piece.is_empty() || validator.feed(piece, observer) == Progress::Stopped || observer.has_enough() {
            return Ok(None);
        }
    }
    Ok(Some(at))
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
    threads: usize,
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
    /// How far the end of an item was looked for there.
    strayed: u64,
    /// How far the end of one more was looked for, once there are no more.
    looked: Option<u64>,
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
    /// Go through this alone: there are no more segments.
    Alone(Range<u64>),
}

impl<'s, 'p, S: ReadAt + ?Sized> Shared<'s, 'p, S> {
    fn new(source: &'s S, seam: Seam<'p>, sharing: &Sharing) -> Self {
        let board = Board { segments: VecDeque::new(), passed: 0, end: 0, strayed: 0, looked: None, ended: false };
        let Sharing { threads, segment_bytes } = *sharing;
        Self { source, seam, segment_bytes, threads, board: Mutex::new(board), news: Condvar::new() }
    }

    fn board(&self) -> MutexGuard<'_, Board<'p>> {
        self.board.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Goes through the file in order; where to go on, unless that is all.
    fn lead<O: Observer>(
        &self,
        leader: &mut Validator<'p>,
        buffer: &mut [u8],
        observer: &mut O,
    ) -> io::Result<Option<u64>> {
        let mut missed = 0;
        while missed < MISSES {
            match self.turn() {
                Turn::Pass(range, answer) => {
                    let stands = leader.stands_at(&self.seam);
                    missed = if stands { 0 } else { missed + 1 };
                    if let (Answer::Sound(over), true) = (answer, stands) {
                        leader.pass(&self.seam, &over);
                    } else if feed(leader, self.source, range, buffer, observer)?.is_none() {
                        return Ok(None);
                    }
                }
                Turn::Help(number, range) => self.answer(number, range, buffer),
                Turn::Alone(range) => return feed(leader, self.source, range, buffer, observer),
            }
        }
        // Other items have come: they have another seam.
        Ok(Some(self.board().passed_to()))
    }

    fn turn(&self) -> Turn<'p> {
        let mut board = self.board();
        loop {
            let awaited = board.segments.front().map(|segment| matches!(segment.answer, Answer::Awaited));
            match (awaited, board.looked) {
                (Some(false), _) => {
                    board.passed += 1;
                    self.news.notify_all();
                    let segment = board.segments.pop_front().expect("it was looked at just now");
                    return Turn::Pass(segment.range, segment.answer);
                }
                (Some(true), _) if board.has_room() => {
                    if let Some((number, range)) = self.cut(&mut board) {
                        return Turn::Help(number, range);
                    }
                }
                (Some(true), _) => board = self.news.wait(board).unwrap_or_else(PoisonError::into_inner),
                (None, Some(looked)) => return Turn::Alone(board.end..looked),
                (None, None) => {
                    if let Some((_, range)) = self.cut(&mut board) {
                        board.segments.clear();
                        board.passed += 1;
                        return Turn::Pass(range, Answer::None);
                    }
                }
            }
        }
    }

    /// Judges segments until there are no more.
    fn help(&self) {
        let mut buffer = vec![0; READ_BYTES];
        let mut board = self.board();
        while !board.ended && board.looked.is_none() {
            if !board.has_room() {
                board = self.news.wait(board).unwrap_or_else(PoisonError::into_inner);
                continue;
            }
            let Some((number, range)) = self.cut(&mut board) else { return };
            drop(board);
            self.answer(number, range, &mut buffer);
            board = self.board();
        }
    }

    /// Adds a segment behind the others: up to the first end of an item past its size.
    fn cut(&self, board: &mut Board<'p>) -> Option<(u64, Range<u64>)> {
        let start = board.end;
        // What is looked through for the end of a large item is read once more.
        let most = self.segment_bytes.saturating_mul(LARGEST);
        let least = start.saturating_add(self.segment_bytes.max(most.min(board.strayed.saturating_mul(LARGEST))));
        match self.end_behind(least) {
            Ok(end) => (board.end, board.strayed) = (end, end - least),
            Err(looked) => {
                board.looked = Some(looked);
                return None;
            }
        }
        let range = start..board.end;
        let number = board.passed + board.segments.len() as u64;
        board.segments.push_back(Segment { range: range.clone(), answer: Answer::Awaited });
        Some((number, range))
    }

    /// Behind the first end of an item from a place on; or, past that place, how far none was found.
    fn end_behind(&self, from: u64) -> Result<u64, u64> {
        let tag = Finder::new(&self.seam.end_tag);
        let mut buffer = vec![0; SEARCH_BYTES + self.seam.end_tag.len()];
        let most = from.saturating_add(self.segment_bytes.saturating_mul(LONGEST).max(SEARCH_BYTES as u64));
        let mut at = from;
        while at < most {
            // What cannot be read the leader will find too, in its turn, and tell.
            let piece = read(self.source, at, u64::MAX, &mut buffer).unwrap_or_default();
            match tag.find(piece) {
                Some(found) => return Ok(at + (found + self.seam.end_tag.len()) as u64),
                None if piece.is_empty() => return Err(at.saturating_add(1)),
                // The tag may lie across the end of the piece.
                None => at += piece.len().saturating_sub(self.seam.end_tag.len() - 1).max(1) as u64,
            }
        }
        Err(at)
    }

    /// Judges a segment and says what came of it.
    fn answer(&self, number: u64, range: Range<u64>, buffer: &mut [u8]) {
        let mut answering = Answering { shared: self, number, answer: Answer::None };
        if let Some(validator) = self.judged(range, buffer) {
            answering.answer = Answer::Sound(Box::new(validator));
        }
    }

    /// Judges a segment from the seam on, as long as nothing is found.
    fn judged(&self, range: Range<u64>, buffer: &mut [u8]) -> Option<Validator<'p>> {
        let mut validator = self.seam.validator(range.start)?;
        let mut at = range.start;
        while at < range.end && validator.is_self_contained() {
            let end = range.end.min(at + READ_BYTES as u64);
            at = feed(&mut validator, self.source, at..end, buffer, &mut Silence).ok()??;
        }
        (validator.is_self_contained() && validator.stands_at(&self.seam)).then_some(validator)
    }
}

impl Board<'_> {
    /// Tells whether one more may be judged ahead of the leader.
    fn has_room(&self) -> bool {
        self.segments.len() < AHEAD && self.looked.is_none()
    }

    /// Where the leader stands between two segments.
    fn passed_to(&self) -> u64 {
        self.segments.front().map_or(self.end, |segment| segment.range.start)
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
    fn finding(&mut self, _: Finding) {}
}

const READ_BYTES: usize = 256 << 10;
/// How much is looked through at once for the end of an item.
const SEARCH_BYTES: usize = 16 << 10;
/// Segments before the leader: what others are at, and what waits for it.
const AHEAD: usize = 6;
/// Segments, one after the other, before which the leader did not stand at the seam: it will not soon again.
const MISSES: usize = 3;
/// How much larger a segment may be, and how much larger it is than what was looked through to find where the last one
/// ends.
const LARGEST: u64 = 8;
/// How far the end of an item is looked for, in segments.
const LONGEST: u64 = 64;
/// What part of a segment is gone through before the first seam is looked for; then twice as much each time.
const FIRST_STRETCH: u64 = 16;

#[cfg(test)]
mod tests;
