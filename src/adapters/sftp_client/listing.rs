//! Reading directories page by page: what is held is one page and the directories still to be read.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use futures::stream::{self, BoxStream, StreamExt as _};

use super::calls::{Open, page, seen};
use super::lane::Lane;
use super::packets::{Attributes, Kind, Named, Names};
use super::paths;
use crate::ports::{FileSeen, StoreError};

/// A look into a directory and those below it.
pub(super) struct Look {
    lane: Arc<Lane>,
    root: Arc<str>,
    /// Directories still to be read, and how deep one may go below each.
    dirs: Vec<(String, u32)>,
    current: Option<Current>,
    /// Bytes of the names of directories.
    held: usize,
    read: u64,
    empty: u32,
    skipped: u64,
    told: Arc<AtomicU64>,
}

/// A directory that is being read.
struct Current {
    open: Open,
    dir: String,
    depth: u32,
    page: Option<Names>,
}

/// What an entry comes to.
enum Found {
    File(FileSeen),
    Dir(String),
    Nothing,
    /// It cannot be used.
    Odd,
}

impl Look {
    /// A look that has not begun; what is skipped is added to `told`.
    pub(super) fn new(lane: Arc<Lane>, root: Arc<str>, dir: &str, depth: u32, told: Arc<AtomicU64>) -> Self {
        let dirs = vec![(dir.to_owned(), depth)];
        Self { lane, root, dirs, current: None, held: 0, read: 0, empty: 0, skipped: 0, told }
    }

    /// Opens the first directory, so that one which is not there is told at once.
    pub(super) async fn begin(mut self) -> Result<BoxStream<'static, Result<FileSeen, StoreError>>, StoreError> {
        self.open_next().await?;
        let files = stream::unfold(Some(self), |look| async {
            let mut look = look?;
            match look.next().await {
                Ok(Some(file)) => Some((Ok(file), Some(look))),
                Ok(None) => None,
                Err(error) => Some((Err(error), None)),
            }
        });
        Ok(files.boxed())
    }

    async fn open_next(&mut self) -> Result<bool, StoreError> {
        let Some((dir, depth)) = self.dirs.pop() else { return Ok(false) };
        let path = paths::below(&self.root, &dir)?;
        let open = Open::dir(self.lane.session().await?, &path).await?;
        self.current = Some(Current { open, dir, depth, page: None });
        Ok(true)
    }

    async fn next(&mut self) -> Result<Option<FileSeen>, StoreError> {
        loop {
            match self.entry().await? {
                Some(Found::File(file)) => return Ok(Some(file)),
                Some(Found::Dir(dir)) => {
                    let depth = self.current.as_ref().map_or(0, |current| current.depth);
                    if depth > 0 {
                        self.hold(dir, depth - 1)?;
                    }
                }
                Some(Found::Nothing) => {}
                Some(Found::Odd) => self.skipped += 1,
                None => {
                    if !self.next_dir().await? {
                        self.tell_skipped();
                        return Ok(None);
                    }
                }
            }
        }
    }

    /// Remembers a directory to be read later.
    fn hold(&mut self, dir: String, depth: u32) -> Result<(), StoreError> {
        self.held += dir.len();
        if self.held > MOST_HELD_BYTES {
            return Err(StoreError::Nonsense("directories without an end"));
        }
        self.dirs.push((dir, depth));
        Ok(())
    }

    /// Goes to the next directory that is still there and may be read.
    async fn next_dir(&mut self) -> Result<bool, StoreError> {
        self.current = None;
        loop {
            match self.open_next().await {
                // Gone meanwhile, or closed to us: the others are there all the same.
                Err(StoreError::NotFound | StoreError::Denied) => self.skipped += 1,
                result => return result,
            }
        }
    }

    /// The next entry of the current directory; `None` at its end.
    async fn entry(&mut self) -> Result<Option<Found>, StoreError> {
        let Some(current) = &mut self.current else { return Ok(None) };
        if current.page.as_ref().is_none_or(|page| page.left() == 0) {
            current.page = page(&current.open).await?;
        }
        let Some(page) = &mut current.page else { return Ok(None) };
        if page.left() == 0 {
            self.empty += 1;
            let endless = StoreError::Nonsense("a directory of empty pages");
            return if self.empty > MOST_EMPTY_PAGES { Err(endless) } else { Ok(Some(Found::Nothing)) };
        }
        self.read += 1;
        if self.read > MOST_ENTRIES {
            return Err(StoreError::Nonsense("a listing without an end"));
        }
        let named = page.take().ok_or(StoreError::Nonsense("a page of names that cannot be read"))?;
        if paths::is_itself_or_parent(&named.name) {
            return Ok(Some(Found::Nothing));
        }
        self.found(named).await.map(Some)
    }

    async fn found(&self, named: Named) -> Result<Found, StoreError> {
        let Some(current) = &self.current else { return Ok(Found::Nothing) };
        let Some(name) = paths::name(&named.name) else { return Ok(Found::Odd) };
        let path = paths::joined(&current.dir, &name);
        let mut found = named.attributes;
        let known = match kind(&named.line, found) {
            Some(Kind::File) => found.size_bytes.is_some() && found.modified.is_some(),
            Some(Kind::Directory | Kind::Other) => true,
            None => false,
        };
        if !known {
            match current.open.session.lstat(&paths::below(&self.root, &path)?).await {
                Ok(Some(more)) => found = more,
                Ok(None) => return Ok(Found::Nothing),
                // What cannot be told of one hides no other.
                Err(StoreError::Denied | StoreError::Failed(_)) => return Ok(Found::Odd),
                Err(error) => return Err(error),
            }
        }
        Ok(match kind(&named.line, found) {
            Some(Kind::File) => seen(&path, found).ok().flatten().map_or(Found::Odd, Found::File),
            Some(Kind::Directory) => Found::Dir(path),
            Some(Kind::Other) => Found::Nothing,
            None => Found::Odd,
        })
    }

    fn tell_skipped(&mut self) {
        if self.skipped > 0 {
            self.told.fetch_add(self.skipped, Ordering::Relaxed);
            tracing::warn!(
                skipped = self.skipped,
                "entries of a remote directory cannot be used: odd names, or nothing told of them"
            );
            self.skipped = 0;
        }
    }
}

impl Drop for Look {
    fn drop(&mut self) {
        self.tell_skipped();
    }
}

/// What an entry is: by its attributes, else by the first letter of its line.
fn kind(line: &[u8], found: Attributes) -> Option<Kind> {
    found.kind().or_else(|| match line.first()? {
        b'-' => Some(Kind::File),
        b'd' => Some(Kind::Directory),
        b'l' | b'b' | b'c' | b'p' | b's' => Some(Kind::Other),
        _ => None,
    })
}

/// More entries in one look are taken for a server that makes them up.
const MOST_ENTRIES: u64 = 2_000_000;
/// Bytes of the names of directories in one look.
const MOST_HELD_BYTES: usize = 32 << 20;
/// Pages without a name in one look.
const MOST_EMPTY_PAGES: u32 = 16;
