//! Requests as bytes, and replies from bytes that are not to be trusted.

use bytes::{Buf as _, BufMut as _, Bytes, BytesMut};
use jiff::Timestamp;

use crate::adapters::sftp_server::packets::string;

/// Begins a request; its length is set by [`sealed`].
pub(super) fn begun(kind: u8, id: u32, room: usize) -> BytesMut {
    let mut packet = BytesMut::with_capacity(room + 64);
    packet.put_u32(0);
    packet.put_u8(kind);
    packet.put_u32(id);
    packet
}

/// Adds a string.
pub(super) fn put_string(packet: &mut BytesMut, text: &[u8]) {
    put_number(packet, text.len());
    packet.put_slice(text);
}

/// Adds a length. Nothing we send comes near the limit.
pub(super) fn put_number(packet: &mut BytesMut, number: usize) {
    packet.put_u32(u32::try_from(number).unwrap_or(u32::MAX));
}

/// Sets the length of a whole request.
pub(super) fn sealed(mut packet: BytesMut) -> Bytes {
    let length = u32::try_from(packet.len().saturating_sub(4)).unwrap_or(u32::MAX);
    if let Some(head) = packet.first_chunk_mut::<4>() {
        *head = length.to_be_bytes();
    }
    packet.freeze()
}

/// A reply.
#[derive(Debug)]
pub(super) enum Reply {
    /// A status; 0 is success.
    Status(u32),
    /// An open file or directory.
    Handle(Bytes),
    /// Bytes of a file.
    Data(Bytes),
    /// Entries of a directory, to be taken one by one.
    Names(Names),
    /// What is known of a file.
    Attributes(Attributes),
    /// An extension's own.
    Extended(Bytes),
}

/// Takes a reply apart; `None` when it is none.
pub(super) fn decode(kind: u8, mut rest: Bytes) -> Option<Reply> {
    Some(match kind {
        STATUS => Reply::Status(rest.try_get_u32().ok()?),
        HANDLE => Reply::Handle(string(&mut rest).filter(|handle| handle.len() <= MOST_HANDLE_BYTES)?),
        DATA => Reply::Data(string(&mut rest)?),
        NAME => Reply::Names(Names { left: rest.try_get_u32().ok()?, rest }),
        ATTRS => Reply::Attributes(attributes(&mut rest)?),
        EXTENDED_REPLY => Reply::Extended(rest),
        _ => return None,
    })
}

/// Entries of a directory as they came.
#[derive(Debug)]
pub(super) struct Names {
    left: u32,
    rest: Bytes,
}

/// One entry.
#[derive(Debug)]
pub(super) struct Named {
    pub(super) name: Bytes,
    /// The line `ls -l` would print: where attributes do not tell what it is, its first letter may.
    pub(super) line: Bytes,
    pub(super) attributes: Attributes,
}

impl Names {
    /// How many were announced and not yet taken.
    pub(super) fn left(&self) -> u32 {
        self.left
    }

    /// The next one; `None` when it cannot be understood.
    pub(super) fn take(&mut self) -> Option<Named> {
        self.left = self.left.checked_sub(1)?;
        let name = string(&mut self.rest)?;
        let line = string(&mut self.rest)?;
        Some(Named { name, line, attributes: attributes(&mut self.rest)? })
    }
}

/// What a server says of a file. Nothing of it must be there.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Attributes {
    pub(super) size_bytes: Option<u64>,
    pub(super) permissions: Option<u32>,
    pub(super) modified: Option<u32>,
}

/// What something in a directory is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    File,
    Directory,
    /// A link, a device, a socket.
    Other,
}

impl Attributes {
    /// What it is, where the permissions tell.
    pub(super) fn kind(&self) -> Option<Kind> {
        match self.permissions? & 0o170_000 {
            0o100_000 => Some(Kind::File),
            0o040_000 => Some(Kind::Directory),
            0 => None,
            _ => Some(Kind::Other),
        }
    }

    /// When it was changed.
    pub(super) fn modified(&self) -> Option<Timestamp> {
        Timestamp::from_second(i64::from(self.modified?)).ok()
    }
}

fn attributes(rest: &mut Bytes) -> Option<Attributes> {
    let flags = rest.try_get_u32().ok()?;
    let mut found = Attributes::default();
    if flags & SIZE != 0 {
        found.size_bytes = Some(rest.try_get_u64().ok()?);
    }
    if flags & OWNER != 0 {
        rest.try_get_u64().ok()?;
    }
    if flags & PERMISSIONS != 0 {
        found.permissions = Some(rest.try_get_u32().ok()?);
    }
    if flags & TIMES != 0 {
        rest.try_get_u32().ok()?;
        found.modified = Some(rest.try_get_u32().ok()?);
    }
    if flags & MORE != 0 {
        // Each takes eight bytes at least, so a count that lies ends soon.
        for _ in 0..rest.try_get_u32().ok()? {
            string(rest)?;
            string(rest)?;
        }
    }
    Some(found)
}

/// The pairs of name and content at the end of VERSION.
pub(super) fn extensions(mut rest: Bytes) -> Vec<(Bytes, Bytes)> {
    let mut pairs = Vec::new();
    while let Some(pair) = string(&mut rest).and_then(|name| Some((name, string(&mut rest)?))) {
        pairs.push(pair);
    }
    pairs
}

pub(super) const INIT: u8 = 1;
pub(super) const VERSION: u8 = 2;
pub(super) const OPEN: u8 = 3;
pub(super) const CLOSE: u8 = 4;
pub(super) const READ: u8 = 5;
pub(super) const WRITE: u8 = 6;
pub(super) const LSTAT: u8 = 7;
pub(super) const FSTAT: u8 = 8;
pub(super) const FSETSTAT: u8 = 10;
pub(super) const OPENDIR: u8 = 11;
pub(super) const READDIR: u8 = 12;
pub(super) const REMOVE: u8 = 13;
pub(super) const MKDIR: u8 = 14;
pub(super) const STAT: u8 = 17;
pub(super) const RENAME: u8 = 18;
pub(super) const EXTENDED: u8 = 200;
const STATUS: u8 = 101;
const HANDLE: u8 = 102;
const DATA: u8 = 103;
const NAME: u8 = 104;
const ATTRS: u8 = 105;
const EXTENDED_REPLY: u8 = 201;

/// Flags of attributes.
pub(super) const SIZE: u32 = 1;
const OWNER: u32 = 2;
const PERMISSIONS: u32 = 4;
const TIMES: u32 = 8;
const MORE: u32 = 0x8000_0000;

/// Flags of OPEN.
pub(super) const FOR_READING: u32 = 1;
pub(super) const FOR_WRITING: u32 = 2;
pub(super) const CREATE: u32 = 8;
pub(super) const TRUNCATE: u32 = 16;
pub(super) const EXCLUSIVELY: u32 = 32;

/// Statuses that are looked for.
pub(super) const OK: u32 = 0;
pub(super) const END_OF_FILE: u32 = 1;

/// The longest handle the protocol knows.
const MOST_HANDLE_BYTES: usize = 256;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_count_of_names_that_lies_ends_where_the_bytes_end() {
        let mut packet = BytesMut::new();
        packet.put_u32(u32::MAX);
        put_string(&mut packet, b"a");
        put_string(&mut packet, b"-rw-");
        packet.put_u32(SIZE);
        packet.put_u64(7);
        let Some(Reply::Names(mut names)) = decode(NAME, packet.freeze()) else { panic!("names") };
        assert_eq!(names.take().unwrap().attributes.size_bytes, Some(7));
        assert!(names.take().is_none());
    }

    #[test]
    fn attributes_tell_what_is_there_and_no_more() {
        let mut packet = BytesMut::new();
        packet.put_u32(SIZE | OWNER | PERMISSIONS | TIMES | MORE);
        packet.put_u64(5);
        packet.put_u64(0);
        packet.put_u32(0o100_644);
        packet.put_u32(1);
        packet.put_u32(1_700_000_000);
        packet.put_u32(1);
        put_string(&mut packet, b"acl");
        put_string(&mut packet, b"x");
        let found = attributes(&mut packet.clone().freeze()).unwrap();
        assert_eq!((found.size_bytes, found.kind()), (Some(5), Some(Kind::File)));
        assert_eq!(found.modified().unwrap().as_second(), 1_700_000_000);
        packet.truncate(packet.len() - 1);
        assert_eq!(attributes(&mut packet.freeze()), None);
    }

    proptest! {
        #[test]
        fn any_bytes_are_taken_apart_without_panic(
            kind in prop_oneof![101_u8..106, Just(201_u8)], bytes in proptest::collection::vec(any::<u8>(), 0..300),
        ) {
            if let Some(Reply::Names(mut names)) = decode(kind, Bytes::from(bytes.clone())) {
                let mut taken = 0;
                while names.take().is_some() {
                    taken += 1;
                }
                prop_assert!(taken <= bytes.len() / 12);
            }
            extensions(Bytes::from(bytes));
        }
    }
}
