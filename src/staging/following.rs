//! A file read while it arrives: no further than what has come in order, and to its end once that is known.

use std::io::{self, Read};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::ports::Scratch;

/// How far an upload has come; told by who takes it in, waited for by who reads it.
#[derive(Debug, Default)]
pub struct Course {
    state: Mutex<State>,
    moved: Condvar,
}

#[derive(Debug, Default)]
struct State {
    reached_bytes: u64,
    end: End,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum End {
    #[default]
    Open,
    Whole(u64),
    Cut,
}

impl Course {
    /// Everything before this offset is there and stays as it is.
    pub fn reach(&self, bytes: u64) {
        self.locked().reached_bytes = bytes;
        self.moved.notify_all();
    }

    /// The file is whole and has this size.
    pub fn end(&self, size_bytes: u64) {
        let mut state = self.locked();
        if state.end == End::Open {
            state.end = End::Whole(size_bytes);
        }
        drop(state);
        self.moved.notify_all();
    }

    /// What was read of it no longer counts.
    pub fn cut(&self) {
        self.locked().end = End::Cut;
        self.moved.notify_all();
    }

    /// Tells whether it was cut.
    pub fn is_cut(&self) -> bool {
        self.locked().end == End::Cut
    }

    /// Its size, once it is whole.
    pub fn size_bytes(&self) -> Option<u64> {
        match self.locked().end {
            End::Whole(size_bytes) => Some(size_bytes),
            End::Open | End::Cut => None,
        }
    }

    /// Waits until so many bytes can be read at the offset, or all that will come; how many can.
    fn wait(&self, offset: u64, wanted: u64, patience: Duration) -> io::Result<u64> {
        let mut state = self.locked();
        loop {
            let reached = state.reached_bytes;
            match state.end {
                End::Cut => return Err(io::Error::other("the upload was cut off or written anew")),
                End::Whole(size_bytes) => return Ok(size_bytes.saturating_sub(offset).min(wanted)),
                End::Open if reached.saturating_sub(offset) >= wanted => return Ok(wanted),
                End::Open => {}
            }
            let waited = self.moved.wait_timeout(state, patience).unwrap_or_else(PoisonError::into_inner);
            state = waited.0;
            if waited.1.timed_out() && state.end == End::Open && state.reached_bytes == reached {
                // Whoever tells of the upload sees that nobody reads along any more.
                state.end = End::Cut;
            }
        }
    }

    fn locked(&self) -> MutexGuard<'_, State> {
        // Whole after every statement, so a panic elsewhere does not spoil it.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Reads a scratch file behind its upload. Blocks.
pub struct Follower {
    scratch: Arc<dyn Scratch>,
    course: Arc<Course>,
    offset: u64,
    /// How long it waits for an upload that stands still.
    patience: Duration,
}

impl Follower {
    /// A reader from the file's beginning.
    pub fn new(scratch: Arc<dyn Scratch>, course: Arc<Course>, patience: Duration) -> Self {
        Self { scratch, course, offset: 0, patience }
    }
}

impl Read for Follower {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let there = self.course.wait(self.offset, into.len() as u64, self.patience)?;
        let room = usize::try_from(there).ok().and_then(|there| into.get_mut(..there));
        let Some(room) = room.filter(|room| !room.is_empty()) else { return Ok(0) };
        let read = self.scratch.read_at(self.offset, room)?;
        if read == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.offset += read as u64;
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Zeros(u64);

    impl Scratch for Zeros {
        fn write_at(&self, _: u64, _: &[u8]) -> io::Result<()> {
            Ok(())
        }
        fn read_at(&self, offset: u64, into: &mut [u8]) -> io::Result<usize> {
            Ok(into.len().min(usize::try_from(self.0.saturating_sub(offset)).unwrap()))
        }
        fn set_len(&self, _: u64) -> io::Result<()> {
            Ok(())
        }
        fn size_bytes(&self) -> io::Result<u64> {
            Ok(self.0)
        }
        fn sync(&self) -> io::Result<()> {
            Ok(())
        }
    }

    fn follower(there: u64, patience: Duration) -> (Arc<Course>, Follower) {
        let course = Arc::new(Course::default());
        (Arc::clone(&course), Follower::new(Arc::new(Zeros(there)), course, patience))
    }

    #[test]
    fn it_reads_what_has_come_and_ends_where_the_file_does() {
        let (course, mut follower) = follower(25, Duration::from_secs(60));
        let reading = std::thread::spawn(move || {
            let mut counts = Vec::new();
            let mut room = [1; 10];
            loop {
                counts.push(follower.read(&mut room).unwrap());
                if counts.last() == Some(&0) {
                    return counts;
                }
            }
        });
        for reached in [3, 9, 10, 19] {
            course.reach(reached);
        }
        course.end(25);
        assert_eq!(reading.join().unwrap(), [10, 10, 5, 0]);
        assert_eq!(course.size_bytes(), Some(25));
    }

    #[test]
    fn one_that_is_cut_or_stands_still_is_read_no_further() {
        let (course, mut cut) = follower(100, Duration::from_secs(60));
        course.reach(100);
        course.cut();
        course.end(100);
        assert!(cut.read(&mut [0; 10]).is_err());
        let (course, mut still) = follower(100, Duration::from_millis(1));
        course.reach(5);
        assert!(still.read(&mut [0; 10]).is_err());
        assert!(course.is_cut());
        let (course, mut short) = follower(7, Duration::from_secs(60));
        course.end(9);
        assert_eq!(short.read(&mut [0; 7]).unwrap(), 7);
        assert_eq!(short.read(&mut [0; 7]).unwrap_err().kind(), io::ErrorKind::UnexpectedEof);
    }
}
