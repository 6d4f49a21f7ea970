//! A ZIP archive, written as its files are read: sizes and checksums stand behind the contents.

use std::collections::VecDeque;
use std::io::{self, Write as _};

use bytes::Bytes;
use flate2::write::DeflateEncoder;
use flate2::{Compression, Crc};
use futures::StreamExt as _;
use futures::stream::{self, BoxStream};

use crate::ports::{Content, NamedContent};

/// The archive of some files; the same bytes every time.
pub(super) fn packed(files: Vec<NamedContent>) -> Content {
    Content::new(move || {
        let packing = Packing { waiting: files.clone().into(), open: None, at: 0, directory: Vec::new(), entries: 0 };
        let pieces = stream::try_unfold(Some(packing), |packing| async {
            let Some(packing) = packing else { return Ok(None) };
            packing.step().await.map(Some)
        });
        pieces.boxed()
    })
}

struct Packing {
    waiting: VecDeque<NamedContent>,
    /// The file that is being packed.
    open: Option<Packed>,
    /// How much of the archive is written.
    at: u64,
    directory: Vec<u8>,
    entries: u16,
}

struct Packed {
    name: String,
    /// Where its header lies.
    at: u64,
    content: BoxStream<'static, io::Result<Bytes>>,
    encoder: DeflateEncoder<Vec<u8>>,
    crc: Crc,
    packed_bytes: u64,
}

impl Packing {
    /// The next piece of the archive; the last one comes without what goes on.
    async fn step(mut self) -> io::Result<(Bytes, Option<Self>)> {
        let mut is_last = false;
        let piece = match self.open.take() {
            Some(mut file) => match file.content.next().await {
                Some(chunk) => {
                    let piece = file.pack(&chunk?)?;
                    self.open = Some(file);
                    piece
                }
                None => self.close(file)?,
            },
            None => match self.waiting.pop_front() {
                Some(next) => self.open.insert(Packed::begin(next, self.at)).local_header(),
                None => {
                    is_last = true;
                    self.end()?
                }
            },
        };
        self.at += piece.len() as u64;
        Ok((piece.into(), (!is_last).then_some(self)))
    }

    /// The end of a file, which gets its place in the directory.
    fn close(&mut self, mut file: Packed) -> io::Result<Vec<u8>> {
        file.encoder.try_finish()?;
        let mut out = file.take();
        let (crc, packed, size) = (file.crc.sum(), short(file.packed_bytes)?, short(file.encoder.total_in())?);
        out.extend_from_slice(b"PK\x07\x08");
        [crc, packed, size].iter().for_each(|field| out.extend_from_slice(&field.to_le_bytes()));
        self.directory.extend_from_slice(b"PK\x01\x02\x14\x00");
        self.directory.extend(file.common(crc, packed, size));
        // No extra fields, no comment, first disk, no attributes.
        self.directory.extend_from_slice(&[0; 12]);
        self.directory.extend_from_slice(&short(file.at)?.to_le_bytes());
        self.directory.extend_from_slice(file.name.as_bytes());
        self.entries = self.entries.checked_add(1).ok_or_else(too_large)?;
        Ok(out)
    }

    /// The directory, and the archive's end.
    fn end(&mut self) -> io::Result<Vec<u8>> {
        let (directory_bytes, at) = (short(self.directory.len() as u64)?, short(self.at)?);
        let mut out = std::mem::take(&mut self.directory);
        out.extend_from_slice(b"PK\x05\x06\x00\x00\x00\x00");
        [self.entries, self.entries].iter().for_each(|count| out.extend_from_slice(&count.to_le_bytes()));
        [directory_bytes, at].iter().for_each(|field| out.extend_from_slice(&field.to_le_bytes()));
        out.extend_from_slice(&[0; 2]);
        Ok(out)
    }
}

impl Packed {
    fn begin(file: NamedContent, at: u64) -> Self {
        let encoder = DeflateEncoder::new(Vec::new(), Compression::fast());
        Self { name: file.name, at, content: file.content.stream(), encoder, crc: Crc::new(), packed_bytes: 0 }
    }

    fn pack(&mut self, chunk: &[u8]) -> io::Result<Vec<u8>> {
        self.crc.update(chunk);
        self.encoder.write_all(chunk)?;
        Ok(self.take())
    }

    /// What the encoder has ready.
    fn take(&mut self) -> Vec<u8> {
        let out = std::mem::take(self.encoder.get_mut());
        self.packed_bytes += out.len() as u64;
        out
    }

    fn local_header(&self) -> Vec<u8> {
        let mut header = b"PK\x03\x04".to_vec();
        header.extend(self.common(0, 0, 0));
        header.extend_from_slice(&0_u16.to_le_bytes());
        header.extend_from_slice(self.name.as_bytes());
        header
    }

    /// What stands in both headers: version, flags, method, time, checksum, sizes, length of the name.
    fn common(&self, crc: u32, packed: u32, size: u32) -> Vec<u8> {
        let mut out = Vec::new();
        [VERSION, FLAGS, DEFLATE, 0, FIRST_DAY].iter().for_each(|field| out.extend_from_slice(&field.to_le_bytes()));
        [crc, packed, size].iter().for_each(|field| out.extend_from_slice(&field.to_le_bytes()));
        // Names have at most 255 characters.
        out.extend_from_slice(&u16::try_from(self.name.len()).unwrap_or_default().to_le_bytes());
        out
    }
}

fn short(bytes: u64) -> io::Result<u32> {
    u32::try_from(bytes).map_err(|_| too_large())
}

fn too_large() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "too large for an archive")
}

const VERSION: u16 = 20;
/// Sizes stand behind the content; the name is UTF-8.
const FLAGS: u16 = 1 << 3 | 1 << 11;
const DEFLATE: u16 = 8;
/// 1 January 1980, so that the same file gives the same archive.
const FIRST_DAY: u16 = 0x21;

#[cfg(test)]
mod tests {
    use std::io::{Cursor, Read as _};

    use futures::TryStreamExt as _;

    use super::*;

    #[tokio::test]
    async fn an_archive_is_read_by_others() {
        let text = "å".repeat(200_000);
        let chunks: Vec<Bytes> = text.as_bytes().chunks(10_000).map(Bytes::copy_from_slice).collect();
        let content = Content::new(move || stream::iter(chunks.clone().into_iter().map(Ok)).boxed());
        let named = |name: &str, content: Content| NamedContent { name: name.into(), content };
        let archive = packed(vec![named("blåbær.tiff", content), named("b", Content::from_bytes("more"))]);
        let bytes = archive.stream().try_collect::<Vec<_>>().await.unwrap().concat();
        assert!(bytes.len() < 20_000);
        let mut zip = zip::ZipArchive::new(Cursor::new(bytes.clone())).unwrap();
        assert_eq!(zip.len(), 2);
        let mut file = zip.by_index(0).unwrap();
        assert_eq!(file.name().unwrap(), "blåbær.tiff");
        let mut read = String::new();
        file.read_to_string(&mut read).unwrap();
        assert_eq!(read, text);
        drop(file);
        let mut second = String::new();
        zip.by_name("b").unwrap().read_to_string(&mut second).unwrap();
        assert_eq!(second, "more");
        assert_eq!(archive.stream().try_collect::<Vec<_>>().await.unwrap().concat(), bytes, "the same every time");
        let empty = packed(vec![named("a", Content::from_bytes(""))]).stream().try_collect::<Vec<_>>().await.unwrap();
        assert_eq!(zip::ZipArchive::new(Cursor::new(empty.concat())).unwrap().len(), 1);
    }
}
