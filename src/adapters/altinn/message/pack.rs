//! A ZIP archive of one file, written as it is read: sizes and checksum stand behind the content.

use std::io::{self, Write as _};

use bytes::Bytes;
use flate2::write::DeflateEncoder;
use flate2::{Compression, Crc};
use futures::StreamExt as _;
use futures::stream::{self, BoxStream};

use crate::ports::Content;

/// The archive of a content under a name; the same bytes every time.
pub(super) fn packed(name: String, content: Content) -> Content {
    Content::new(move || {
        let packing = Packing {
            name: name.clone(),
            content: content.stream(),
            encoder: DeflateEncoder::new(Vec::new(), Compression::fast()),
            crc: Crc::new(),
            packed_bytes: 0,
        };
        let head = Bytes::from(packing.local_header());
        let body = stream::try_unfold(Some(packing), |packing| async {
            let Some(packing) = packing else { return Ok(None) };
            packing.step().await.map(Some)
        });
        stream::iter([Ok(head)]).chain(body).boxed()
    })
}

struct Packing {
    name: String,
    content: BoxStream<'static, io::Result<Bytes>>,
    encoder: DeflateEncoder<Vec<u8>>,
    crc: Crc,
    packed_bytes: u64,
}

impl Packing {
    /// The next piece of the archive; the last one comes without what goes on.
    async fn step(mut self) -> io::Result<(Bytes, Option<Self>)> {
        match self.content.next().await {
            Some(chunk) => {
                let chunk = chunk?;
                self.crc.update(&chunk);
                self.encoder.write_all(&chunk)?;
                let out = std::mem::take(self.encoder.get_mut());
                self.packed_bytes += out.len() as u64;
                Ok((out.into(), Some(self)))
            }
            None => {
                self.encoder.try_finish()?;
                let mut out = std::mem::take(self.encoder.get_mut());
                self.packed_bytes += out.len() as u64;
                out.extend(self.end()?);
                Ok((out.into(), None))
            }
        }
    }

    fn local_header(&self) -> Vec<u8> {
        let mut header = b"PK\x03\x04".to_vec();
        header.extend(self.common(0, 0, 0));
        header.extend_from_slice(&0_u16.to_le_bytes());
        header.extend_from_slice(self.name.as_bytes());
        header
    }

    /// The content's own end, the directory, and the archive's end.
    fn end(&self) -> io::Result<Vec<u8>> {
        let (crc, size) = (self.crc.sum(), short(self.encoder.total_in())?);
        let packed = short(self.packed_bytes)?;
        let mut out = b"PK\x07\x08".to_vec();
        [crc, packed, size].iter().for_each(|field| out.extend_from_slice(&field.to_le_bytes()));
        let content_bytes = self.local_header().len() as u64 + self.packed_bytes + out.len() as u64;
        let mut directory = b"PK\x01\x02\x14\x00".to_vec();
        directory.extend(self.common(crc, packed, size));
        // No extra fields, no comment, first disk, no attributes, at the beginning.
        directory.extend_from_slice(&[0; 16]);
        directory.extend_from_slice(self.name.as_bytes());
        let (directory_bytes, at) = (short(directory.len() as u64)?, short(content_bytes)?);
        out.extend(directory);
        out.extend_from_slice(b"PK\x05\x06\x00\x00\x00\x00\x01\x00\x01\x00");
        [directory_bytes, at].iter().for_each(|field| out.extend_from_slice(&field.to_le_bytes()));
        out.extend_from_slice(&[0; 2]);
        Ok(out)
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
    u32::try_from(bytes).map_err(|_| io::Error::new(io::ErrorKind::InvalidData, "too large for an archive"))
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
        let archive = packed("blåbær.tiff".into(), content);
        let bytes = archive.stream().try_collect::<Vec<_>>().await.unwrap().concat();
        assert!(bytes.len() < 20_000);
        let mut zip = zip::ZipArchive::new(Cursor::new(bytes.clone())).unwrap();
        assert_eq!(zip.len(), 1);
        let mut file = zip.by_index(0).unwrap();
        assert_eq!(file.name().unwrap(), "blåbær.tiff");
        let mut read = String::new();
        file.read_to_string(&mut read).unwrap();
        assert_eq!(read, text);
        assert_eq!(archive.stream().try_collect::<Vec<_>>().await.unwrap().concat(), bytes, "the same every time");
        let empty = packed("a".into(), Content::from_bytes("")).stream().try_collect::<Vec<_>>().await.unwrap();
        assert_eq!(zip::ZipArchive::new(Cursor::new(empty.concat())).unwrap().len(), 1);
    }
}
