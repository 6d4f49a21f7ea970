//! Where a file's bytes come from: the disk, standard input, a member of a zip archive; unpacked when they are packed.

use std::fs::File;
use std::io::{self, BufReader, Cursor, Read};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, anyhow, bail};
use flate2::bufread::MultiGzDecoder;

use super::member::Member;
use super::progress::{Counted, Progress};
use super::unpacking::{UnpackLimits, Unpacking};
use crate::ports::Blob;
use crate::xsd::ReadAt as _;

/// An opened file.
pub(super) struct Source<'p> {
    place: Place<'p>,
    limits: UnpackLimits,
    progress: &'p Progress,
}

enum Place<'p> {
    File(File),
    Stream(Box<dyn Read>),
    /// A member of an archive.
    Member(Box<Member<'p>>),
}

impl<'p> Source<'p> {
    pub(super) fn open(path: &Path, limits: UnpackLimits, progress: &'p Progress) -> anyhow::Result<Self> {
        let name = path.display().to_string();
        if path == Path::new("-") {
            progress.begin(&name, None);
            return Ok(Self { place: Place::Stream(Box::new(io::stdin())), limits, progress });
        }
        let place = match member_of(path) {
            Some((archive, member)) => member_place(&archive, &member, progress)?,
            None => {
                let file = File::open(path)?;
                progress.begin(&name, Some(file.metadata()?.len()));
                Place::File(file)
            }
        };
        Ok(Self { place, limits, progress })
    }

    /// The file itself, when it can be read from anywhere and is not packed.
    pub(super) fn plain_file(&self) -> anyhow::Result<Option<Counted<'p, File>>> {
        let Place::File(file) = &self.place else { return Ok(None) };
        let mut first = [0; ZIP.len()];
        if !file.metadata()?.is_file() || file.read_at(&mut first, 0)? < first.len() {
            return Ok(None);
        }
        let packed = first.starts_with(GZIP) || first == *ZIP;
        Ok(if packed { None } else { Some(Counted::new(file.try_clone()?, self.progress)) })
    }

    /// Tells whether the file is a zip archive, of which no member was asked for.
    pub(super) fn is_archive(&self) -> bool {
        let Place::File(file) = &self.place else { return false };
        let mut first = [0; ZIP.len()];
        let is_file = file.metadata().is_ok_and(|metadata| metadata.is_file());
        is_file && file.read_at(&mut first, 0).is_ok_and(|read| read == first.len() && first == *ZIP)
    }

    /// The file as it is, to be judged as an archive.
    pub(super) fn archive(&self) -> anyhow::Result<Archive> {
        match &self.place {
            Place::File(file) if file.metadata()?.is_file() => {
                Ok(Archive { size_bytes: file.metadata()?.len(), file: file.try_clone()? })
            }
            Place::File(_) | Place::Stream(_) | Place::Member(_) => {
                bail!("an archive cannot be judged from a stream or inside of another: give it as a file")
            }
        }
    }

    /// Its bytes, unpacked.
    pub(super) fn bytes(&mut self) -> anyhow::Result<Box<dyn Read + '_>> {
        let (limits, progress) = (self.limits, self.progress);
        match &mut self.place {
            Place::File(bytes) => unpacked(Counted::new(bytes, progress), limits, progress),
            Place::Stream(bytes) => unpacked(Counted::new(bytes, progress), limits, progress),
            Place::Member(member) => {
                // The directory has been read by now, which is no part of the member.
                progress.begin(member.name(), Some(member.packed_bytes()));
                unpacked(Unpacking::new(member.bytes()?, limits, progress), limits, progress)
            }
        }
    }
}

/// A file as an archive.
pub(super) struct Archive {
    file: File,
    size_bytes: u64,
}

impl Blob for Archive {
    fn size_bytes(&self) -> u64 {
        self.size_bytes
    }

    fn read_at(&self, offset: u64, into: &mut [u8]) -> io::Result<usize> {
        self.file.read_at(into, offset)
    }
}

/// The archive and the name in it, where a path names a member; a file of that very name comes first.
fn member_of(path: &Path) -> Option<(PathBuf, String)> {
    let text = path.to_str().filter(|_| !path.exists())?;
    let splits = text.match_indices('!').filter_map(|(at, _)| Some((text.get(..at)?, text.get(at + 1..)?)));
    splits
        .into_iter()
        .find(|(archive, _)| Path::new(archive).is_file())
        .map(|(archive, member)| (PathBuf::from(archive), member.to_owned()))
}

fn member_place<'p>(archive: &Path, member: &str, progress: &'p Progress) -> anyhow::Result<Place<'p>> {
    let file = File::open(archive)?;
    let size_bytes = file.metadata()?.len();
    let file = Counted::new(file, progress);
    let found = Member::find(file, size_bytes, member);
    let found = found.with_context(|| format!("{} is no readable zip archive", archive.display()))?;
    let member = found.ok_or_else(|| anyhow!("the archive has no such member"))?;
    Ok(Place::Member(Box::new(member)))
}

/// Looks at the first bytes, and unpacks what is gzip.
fn unpacked<'a>(
    mut bytes: impl Read + 'a,
    limits: UnpackLimits,
    progress: &'a Progress,
) -> anyhow::Result<Box<dyn Read + 'a>> {
    let mut first = Vec::new();
    bytes.by_ref().take(ZIP.len() as u64).read_to_end(&mut first)?;
    if first == ZIP {
        bail!("is a zip archive: name a member of it as archive.zip!batch.xml, or judge it with --format broker");
    }
    let is_gzip = first.starts_with(GZIP);
    let whole = Cursor::new(first).chain(bytes);
    if !is_gzip {
        return Ok(Box::new(whole));
    }
    let decoder = MultiGzDecoder::new(BufReader::with_capacity(READ_BYTES, whole));
    Ok(Box::new(Unpacking::new(decoder, limits, progress)))
}

/// How gzip begins: two bytes of magic, and deflate.
const GZIP: &[u8] = b"\x1f\x8b\x08";
/// How a zip archive begins.
const ZIP: &[u8] = b"PK\x03\x04";
const READ_BYTES: usize = 64 << 10;
