//! Frames and requests: the outside bytes of a channel made into requests, never trusting a length.

use bytes::{Buf, Bytes, BytesMut};
use russh_sftp::protocol::Packet;

use super::spelling::respelled;

/// The longest packet taken, as OpenSSH's server has it.
pub(super) const MAX_PACKET_BYTES: u32 = 256 * 1024;

/// The stream of packets is broken; nothing after it can be understood, so the channel must end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(in crate::adapters) enum Broken {
    /// A length above the limit, or none.
    #[error("a packet of {0} bytes was announced; 1 to {MAX_PACKET_BYTES} are taken")]
    Length(u32),
    /// Too short to say which request it is.
    #[error("a packet is too short to be a request")]
    NoId,
    /// INIT is missing, or comes twice.
    #[error("a session begins with one INIT and has no other")]
    Greeting,
    /// Work on our side was lost, and replies with it.
    #[error("work for this session was lost")]
    Lost,
}

/// Bytes received and not yet understood.
#[derive(Debug, Default)]
pub(in crate::adapters) struct Frames {
    buffer: BytesMut,
    /// Bytes that came and were not asked for yet.
    uncounted_bytes: usize,
}

impl Frames {
    /// Adds bytes as they came.
    pub(in crate::adapters) fn push(&mut self, bytes: &[u8]) {
        self.buffer.extend_from_slice(bytes);
        self.uncounted_bytes += bytes.len();
    }

    /// How many bytes have come since this was last asked.
    pub(super) fn came(&mut self) -> usize {
        std::mem::take(&mut self.uncounted_bytes)
    }

    /// Gives back the memory of a backlog that was worked off.
    pub(super) fn renew(&mut self) {
        self.buffer = BytesMut::from(&*self.buffer);
    }

    /// How many bytes wait.
    pub(super) fn len(&self) -> usize {
        self.buffer.len()
    }

    /// How many bytes of memory it takes.
    pub(super) fn room(&self) -> usize {
        self.buffer.capacity()
    }

    /// The next complete packet without its length; `None` when more bytes must come first.
    pub(in crate::adapters) fn next(&mut self) -> Result<Option<Bytes>, Broken> {
        let Some(length) = self.buffer.first_chunk::<4>().map(|first| u32::from_be_bytes(*first)) else {
            return Ok(None);
        };
        // Judged before the bytes come: nothing is allocated or awaited on the word of a length.
        if !(1..=MAX_PACKET_BYTES).contains(&length) {
            return Err(Broken::Length(length));
        }
        let length = length as usize;
        if self.buffer.len() - 4 < length {
            return Ok(None);
        }
        self.buffer.advance(4);
        Ok(Some(self.buffer.split_to(length).freeze()))
    }
}

/// One request. Reads and writes are decoded here without copying; all else is russh-sftp's.
#[derive(Debug)]
pub(super) enum Request {
    /// Bytes to write.
    Write(Write),
    /// Bytes to read.
    Read(Read),
    /// Anything else of the protocol.
    Other(Box<Packet>),
    /// A request we have no name for.
    Unknown {
        /// Its id.
        id: u32,
    },
    /// A request whose fields cannot be read.
    Malformed {
        /// Its id.
        id: u32,
    },
}

/// SSH_FXP_WRITE.
#[derive(Debug)]
pub(super) struct Write {
    /// Request id.
    pub(super) id: u32,
    /// Where the handle was opened.
    pub(super) handle: Bytes,
    /// Where the bytes go.
    pub(super) offset: u64,
    /// The bytes, a view of what was received.
    pub(super) data: Bytes,
}

/// SSH_FXP_READ.
#[derive(Debug)]
pub(super) struct Read {
    /// Request id.
    pub(super) id: u32,
    /// Where the handle was opened.
    pub(super) handle: Bytes,
    /// Where the bytes are.
    pub(super) offset: u64,
    /// How many are wanted.
    pub(super) length: u32,
}

/// Makes a packet a request.
pub(super) fn decode(packet: Bytes) -> Result<Request, Broken> {
    let mut rest = packet.clone();
    let kind = rest.try_get_u8().map_err(|_short| Broken::NoId)?;
    // INIT has a version where the others have their id.
    let id = rest.try_get_u32().map_err(|_short| Broken::NoId)?;
    let request = match kind {
        READ => decode_read(id, rest),
        WRITE => decode_write(id, rest),
        INIT | OPEN | CLOSE | LSTAT..=SYMLINK | EXTENDED => {
            Packet::try_from(&mut respelled(packet)).ok().map(|packet| Request::Other(Box::new(packet)))
        }
        _ => return Ok(Request::Unknown { id }),
    };
    Ok(request.unwrap_or(Request::Malformed { id }))
}

fn decode_read(id: u32, mut rest: Bytes) -> Option<Request> {
    let handle = string(&mut rest)?;
    let offset = rest.try_get_u64().ok()?;
    let length = rest.try_get_u32().ok()?;
    Some(Request::Read(Read { id, handle, offset, length }))
}

fn decode_write(id: u32, mut rest: Bytes) -> Option<Request> {
    let handle = string(&mut rest)?;
    let offset = rest.try_get_u64().ok()?;
    let data = string(&mut rest)?;
    Some(Request::Write(Write { id, handle, offset, data }))
}

/// Takes a length and so many bytes.
pub(in crate::adapters) fn string(rest: &mut Bytes) -> Option<Bytes> {
    let length = rest.try_get_u32().ok()? as usize;
    (length <= rest.len()).then(|| rest.split_to(length))
}

/// How many names stand right behind the id of a request.
pub(super) fn names_in(kind: u8) -> usize {
    match kind {
        OPEN | LSTAT | SETSTAT | OPENDIR | REMOVE..=STAT | READLINK => 1,
        RENAME | SYMLINK => 2,
        _ => 0,
    }
}

const INIT: u8 = 1;
const OPEN: u8 = 3;
const CLOSE: u8 = 4;
const READ: u8 = 5;
const WRITE: u8 = 6;
const LSTAT: u8 = 7;
const SETSTAT: u8 = 9;
const OPENDIR: u8 = 11;
const REMOVE: u8 = 13;
const STAT: u8 = 17;
const RENAME: u8 = 18;
const READLINK: u8 = 19;
const SYMLINK: u8 = 20;
const EXTENDED: u8 = 200;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use russh_sftp::protocol;

    use super::*;

    fn frames(bytes: &[u8], cut: usize) -> Result<Vec<Bytes>, Broken> {
        let (mut frames, mut found) = (Frames::default(), Vec::new());
        for chunk in bytes.chunks(cut.max(1)) {
            frames.push(chunk);
            while let Some(packet) = frames.next()? {
                found.push(packet);
            }
        }
        Ok(found)
    }

    #[test]
    fn a_length_above_the_limit_breaks_at_once() {
        assert_eq!(frames(&(MAX_PACKET_BYTES + 1).to_be_bytes(), 1), Err(Broken::Length(MAX_PACKET_BYTES + 1)));
        assert_eq!(frames(&u32::MAX.to_be_bytes(), 4), Err(Broken::Length(u32::MAX)));
        assert_eq!(frames(&[0; 4], 4), Err(Broken::Length(0)));
        assert_eq!(frames(&MAX_PACKET_BYTES.to_be_bytes(), 4), Ok(vec![]));
    }

    #[test]
    fn a_write_is_a_view_of_its_packet() {
        let write = protocol::Write { id: 7, handle: "3".to_owned(), offset: 9, data: b"abc".to_vec() };
        let framed = Bytes::try_from(Packet::from(write)).unwrap();
        let Request::Write(write) = decode(framed.slice(4..)).unwrap() else { panic!("a write") };
        assert_eq!((write.id, &write.handle[..], write.offset, &write.data[..]), (7, &b"3"[..], 9, &b"abc"[..]));
    }

    #[test]
    fn a_request_with_a_lying_length_is_malformed_and_keeps_its_id() {
        let mut bytes = vec![WRITE];
        bytes.extend(7_u32.to_be_bytes());
        bytes.extend(u32::MAX.to_be_bytes());
        assert!(matches!(decode(Bytes::from(bytes)), Ok(Request::Malformed { id: 7 })));
        assert!(matches!(decode(Bytes::from_static(&[99, 0, 0, 0, 5])), Ok(Request::Unknown { id: 5 })));
        assert!(matches!(decode(Bytes::from_static(&[WRITE, 0])), Err(Broken::NoId)));
    }

    #[test]
    fn a_byte_counts_when_it_comes_and_not_again_while_it_waits() {
        let mut frames = Frames::default();
        frames.push(&[0, 0, 0, 9, 1]);
        assert_eq!((frames.came(), frames.next()), (5, Ok(None)));
        frames.push(&[2; 8]);
        assert_eq!((frames.came(), frames.next().unwrap().unwrap().len()), (8, 9));
        assert_eq!(frames.came(), 0);
    }

    proptest! {
        #[test]
        fn any_bytes_are_decoded_without_panic_and_any_cut_gives_the_same(
            bytes in proptest::collection::vec(any::<u8>(), 0..600), cut in 1_usize..40,
        ) {
            prop_assert_eq!(frames(&bytes, cut), frames(&bytes, bytes.len()));
            let _ = decode(Bytes::from(bytes));
        }

        #[test]
        fn any_fields_after_a_known_kind_are_decoded_without_panic(
            kind in prop_oneof![Just(200_u8), 1_u8..21], bytes in proptest::collection::vec(any::<u8>(), 4..300),
        ) {
            let mut packet = vec![kind];
            packet.extend(bytes);
            prop_assert!(decode(Bytes::from(packet)).is_ok());
        }

        #[test]
        fn whole_packets_come_back_whatever_the_cut(
            packets in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 1..200), 0..8), cut in 1_usize..300,
        ) {
            let mut bytes = Vec::new();
            for packet in &packets {
                bytes.extend((packet.len() as u32).to_be_bytes());
                bytes.extend(packet);
            }
            prop_assert_eq!(frames(&bytes, cut).unwrap(), packets);
        }
    }
}
