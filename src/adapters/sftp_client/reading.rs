//! Reading a file: many requests under way, bytes in order, memory bounded by what is under way.

use std::collections::VecDeque;
use std::io;

use bytes::{BufMut as _, Bytes};
use futures::stream::{self, BoxStream, StreamExt as _};

use super::calls::{Open, unexpected};
use super::packets::{self, Reply};
use super::session::Lease;
use super::wire::Waiting;
use crate::ports::StoreError;

/// A file that is being read.
struct Reading {
    open: Open,
    size_bytes: u64,
    /// Where the next new request begins.
    next: u64,
    /// Whether the request beyond the end, which must bring nothing, is out.
    probed: bool,
    chunk: u64,
    under_way: VecDeque<(Place, Waiting)>,
}

/// What a request asked for.
#[derive(Clone, Copy)]
struct Place {
    offset: u64,
    length: u64,
}

/// Opens a file and gives its bytes from an offset.
pub(super) async fn read(
    session: Lease,
    path: &str,
    offset: u64,
) -> Result<BoxStream<'static, io::Result<Bytes>>, StoreError> {
    let chunk = session.chunk as u64;
    let open = Open::file(session, path, packets::FOR_READING).await?;
    let size_bytes = open.attributes().await?.size_bytes.ok_or(StoreError::Nonsense("a file without a size"))?;
    if size_bytes < offset {
        return Err(StoreError::Nonsense("a file shorter than what was read of it before"));
    }
    let reading = Reading { open, size_bytes, next: offset, probed: false, chunk, under_way: VecDeque::new() };
    let bytes = stream::unfold(Some(reading), |reading| async {
        let mut reading = reading?;
        match reading.step().await {
            Ok(Some(bytes)) => Some((Ok(bytes), Some(reading))),
            Ok(None) => None,
            Err(error) => Some((Err(broken(error)), None)),
        }
    });
    Ok(bytes.boxed())
}

impl Reading {
    /// The next bytes; `None` at the end.
    async fn step(&mut self) -> Result<Option<Bytes>, StoreError> {
        self.ask();
        let Some((place, waiting)) = self.under_way.pop_front() else { return Ok(None) };
        let reply = waiting.reply().await?;
        if let Reply::Data(bytes) = reply {
            return self.took(place, bytes).map(Some);
        }
        if place.offset >= self.size_bytes && matches!(reply, Reply::Status(_)) {
            return Ok(None);
        }
        if matches!(reply, Reply::Status(packets::END_OF_FILE)) {
            return Err(StoreError::Nonsense("a file shorter than its size"));
        }
        Err(unexpected(&reply))
    }

    /// Keeps requests under way.
    fn ask(&mut self) {
        while self.under_way.len() < UNDER_WAY && !self.probed {
            let length = self.chunk.min(self.size_bytes - self.next);
            let place = Place { offset: self.next, length: length.max(1) };
            self.probed = length == 0;
            self.next += length;
            let waiting = self.request(place);
            self.under_way.push_back((place, waiting));
        }
    }

    fn request(&self, place: Place) -> Waiting {
        self.open.session.send(packets::READ, 64, |packet| {
            packets::put_string(packet, &self.open.handle);
            packet.put_u64(place.offset);
            packet.put_u32(u32::try_from(place.length).unwrap_or(u32::MAX));
        })
    }

    /// Takes the bytes of a place, and asks for the rest of it where they are fewer.
    fn took(&mut self, place: Place, bytes: Bytes) -> Result<Bytes, StoreError> {
        let length = bytes.len() as u64;
        if place.offset >= self.size_bytes {
            return Err(StoreError::Nonsense("a file longer than its size"));
        }
        if length == 0 || length > place.length {
            return Err(StoreError::Nonsense("other bytes than were asked for"));
        }
        if length < place.length {
            let rest = Place { offset: place.offset + length, length: place.length - length };
            let waiting = self.request(rest);
            self.under_way.push_front((rest, waiting));
            // It gives no more at once: asking for more would mean going back for each.
            self.chunk = self.chunk.min(length.max(FEWEST_CHUNK_BYTES));
        }
        Ok(bytes)
    }
}

/// The error of a stream of bytes; what it was is inside.
fn broken(error: StoreError) -> io::Error {
    let kind = match &error {
        StoreError::NotFound => io::ErrorKind::NotFound,
        StoreError::Denied => io::ErrorKind::PermissionDenied,
        StoreError::Silent(_) => io::ErrorKind::TimedOut,
        StoreError::Nonsense(_) => io::ErrorKind::InvalidData,
        StoreError::Unreachable(_) => io::ErrorKind::ConnectionReset,
        StoreError::Exists
        | StoreError::Full
        | StoreError::HostKey { .. }
        | StoreError::Login
        | StoreError::Failed(_)
        | StoreError::Unreadable(_) => io::ErrorKind::Other,
    };
    io::Error::new(kind, error)
}

/// Requests under way at once.
pub(super) const UNDER_WAY: usize = 64;
/// Shorter answers than this change nothing for the others.
const FEWEST_CHUNK_BYTES: u64 = 4 * 1024;
