//! Replies of one wake-up, gathered so that they leave in as few SSH packets as possible.

use std::collections::HashMap;
use std::io;

use bytes::{BufMut as _, Bytes, BytesMut};
use russh_sftp::protocol::{
    Attrs, ExtendedReply, File, FileAttributes, Handle, Name, Packet, Status, StatusCode, Version,
};

use super::failure::Failure;

/// Encoded replies, in order of their requests.
#[derive(Debug, Default)]
pub(super) struct Replies {
    buffer: BytesMut,
}

impl Replies {
    /// Bytes gathered so far.
    pub(super) fn len(&self) -> usize {
        self.buffer.len()
    }

    /// Takes what has been gathered.
    pub(super) fn take(&mut self) -> Bytes {
        self.buffer.split().freeze()
    }

    /// The server's version and extensions.
    pub(super) fn version(&mut self, extensions: &[(&str, &str)]) {
        let extensions: HashMap<_, _> = extensions.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        self.packet(Version { version: 3, extensions }.into());
    }

    /// Done.
    pub(super) fn ok(&mut self, id: u32) {
        self.status(id, StatusCode::Ok, "OK");
    }

    /// Nothing more to read or list.
    pub(super) fn end_of_file(&mut self, id: u32) {
        self.status(id, StatusCode::Eof, "end of file");
    }

    /// Not done, and why.
    pub(super) fn failure(&mut self, id: u32, failure: &Failure) {
        self.status(id, failure.status(), &failure.to_string());
    }

    /// Done or not done.
    pub(super) fn outcome(&mut self, id: u32, outcome: &Result<(), Failure>) {
        match outcome {
            Ok(()) => self.ok(id),
            Err(failure) => self.failure(id, failure),
        }
    }

    /// A handle, opened.
    pub(super) fn handle(&mut self, id: u32, handle: String) {
        self.packet(Handle { id, handle }.into());
    }

    /// Attributes of a file or directory.
    pub(super) fn attributes(&mut self, id: u32, attrs: FileAttributes) {
        self.packet(Attrs { id, attrs }.into());
    }

    /// Names, of a listing or of a resolved path.
    pub(super) fn names(&mut self, id: u32, files: Vec<File>) {
        self.packet(Name { id, files }.into());
    }

    /// An answer to an extended request.
    pub(super) fn extended(&mut self, id: u32, data: Vec<u8>) {
        self.packet(ExtendedReply { id, data }.into());
    }

    /// Bytes of a file, read straight into the reply by `read`, which is asked until it gives 0 or `length` is there.
    pub(super) fn data(
        &mut self,
        id: u32,
        length: usize,
        mut read: impl FnMut(u64, &mut [u8]) -> io::Result<usize>,
    ) -> io::Result<usize> {
        let start = self.buffer.len();
        self.buffer.put_bytes(0, DATA_HEAD + length);
        let mut packet = self.buffer.split_off(start);
        let mut filled = 0;
        while let Some(space) = packet.get_mut(DATA_HEAD + filled..).filter(|space| !space.is_empty()) {
            match read(filled as u64, space) {
                Ok(0) => break,
                Ok(count) => filled += count,
                Err(error) => return Err(error),
            }
        }
        if filled > 0 {
            packet.truncate(DATA_HEAD + filled);
            let mut head: &mut [u8] = &mut packet;
            head.put_u32((DATA_HEAD - 4 + filled) as u32);
            head.put_u8(DATA);
            head.put_u32(id);
            head.put_u32(filled as u32);
            self.buffer.unsplit(packet);
        }
        Ok(filled)
    }

    fn status(&mut self, id: u32, status_code: StatusCode, text: &str) {
        let language_tag = "en".to_owned();
        self.packet(Status { id, status_code, error_message: text.to_owned(), language_tag }.into());
    }

    fn packet(&mut self, packet: Packet) {
        match Bytes::try_from(packet) {
            Ok(bytes) => self.buffer.extend_from_slice(&bytes),
            // Only a packet of 4 GiB cannot be encoded, and replies are bounded far below that.
            Err(error) => tracing::error!(%error, "a reply could not be encoded"),
        }
    }
}

/// Length, kind, id, length of the data.
const DATA_HEAD: usize = 13;
/// SSH_FXP_DATA.
const DATA: u8 = 103;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn data_is_read_until_the_end_and_nothing_is_left_of_an_empty_read() {
        let mut replies = Replies::default();
        replies.ok(1);
        let before = replies.len();
        assert_eq!(replies.data(2, 10, |_, _| Ok(0)).unwrap(), 0);
        assert!(replies.data(2, 10, |_, _| Err(io::ErrorKind::Other.into())).is_err());
        assert_eq!(replies.len(), before);
        let source = b"hello";
        let mut read = |at: u64, into: &mut [u8]| {
            let left = &source[at as usize..];
            let count = left.len().min(2).min(into.len());
            into[..count].copy_from_slice(&left[..count]);
            Ok(count)
        };
        assert_eq!(replies.data(3, 100, &mut read).unwrap(), 5);
        let sent = replies.take();
        let Ok(Packet::Data(data)) = Packet::try_from(&mut sent.slice(before + 4..)) else { panic!("data") };
        assert_eq!((data.id, data.data.as_slice()), (3, &source[..]));
        assert_eq!(sent[before..before + 4], 14_u32.to_be_bytes());
    }
}
