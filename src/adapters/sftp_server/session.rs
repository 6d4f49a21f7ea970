//! One SFTP session: requests in the order they came, replies gathered.
//!
//! Runs of writes to one handle, and runs of reads from one, cross to the disk together.

use std::sync::Arc;

use russh_sftp::protocol::{File, FileAttributes, Open as OpenRequest, OpenFlags, Packet};
use tokio::sync::Semaphore;

use super::attributes;
use super::disk::on_disk;
use super::extended::{self, MAX_DATA_BYTES};
use super::failure::Failure;
use super::handles::{Handles, Open, Reading, Source};
use super::listing::Listing;
use super::names;
use super::opening;
use super::packets::{Broken, Frames, Read, Request, Write, decode};
use super::premises::Premises;
use super::recent::Recent;
use super::replies::Replies;
use super::tree::{Target, Tree, normalise};
use super::upload::Upload;

mod extensions;
mod run;

use self::run::Run;

/// One SFTP session.
pub(super) struct Session {
    premises: Arc<Premises>,
    tree: Arc<Tree>,
    handles: Handles,
    max_handles: usize,
    recent: Recent,
    greeted: bool,
    /// What ended a run: the next request, or the break of the stream.
    next: Option<Result<Request, Broken>>,
}

impl Session {
    /// Begins a session of the tree's partner.
    pub(super) fn new(
        premises: Arc<Premises>,
        tree: Arc<Tree>,
        max_handles: usize,
        handle_budget: Arc<Semaphore>,
    ) -> Self {
        let handles = Handles::new(max_handles, handle_budget);
        Self { premises, tree, handles, max_handles, recent: Recent::default(), greeted: false, next: None }
    }

    /// Answers the complete packets there are, until the replies are many; `true` when there may be more.
    pub(super) async fn answer(&mut self, frames: &mut Frames, replies: &mut Replies) -> Result<bool, Broken> {
        while replies.len() < REPLIES_BYTES {
            let Some(request) = self.next(frames)? else { return Ok(false) };
            match request {
                Request::Write(write) => self.write(write, frames, replies).await,
                Request::Read(read) => self.read(read, frames, replies).await?,
                Request::Other(packet) => Box::pin(self.other(*packet, replies)).await,
                Request::Unknown { id } => replies.failure(id, &Failure::Unsupported("this request")),
                Request::Malformed { id } => replies.failure(id, &Failure::BadMessage("its fields are not whole")),
            }
        }
        Ok(true)
    }

    /// Ends the session: what was not closed stays a partial.
    pub(super) async fn leave(&mut self) {
        let open: Vec<_> = self.handles.take_all().collect();
        for open in open {
            match open {
                Open::Upload(mut upload) => upload.pause().await,
                Open::Reading(reading) => self.fetched(&reading).await,
                Open::Listing(_) => {}
            }
        }
    }

    fn next(&mut self, frames: &mut Frames) -> Result<Option<Request>, Broken> {
        if let Some(next) = self.next.take() {
            return next.map(Some);
        }
        let Some(packet) = frames.next()? else { return Ok(None) };
        let request = decode(packet)?;
        let greeting = matches!(&request, Request::Other(packet) if matches!(**packet, Packet::Init(_)));
        if greeting == self.greeted {
            return Err(Broken::Greeting);
        }
        self.greeted = true;
        Ok(Some(request))
    }

    async fn write(&mut self, first: Write, frames: &mut Frames, replies: &mut Replies) {
        let handle = first.handle.clone();
        let bytes = first.data.len();
        let mut run = Run::of(first, bytes);
        while run.has_room(RUN_BYTES) {
            match self.next(frames).transpose() {
                Some(Ok(Request::Write(write))) if write.handle == handle => {
                    let bytes = write.data.len();
                    run.push(write, bytes);
                }
                other => {
                    self.next = other;
                    break;
                }
            }
        }
        let run = run.into_requests();
        match self.upload(&handle) {
            Ok(upload) => upload.write(run).await.iter().for_each(|(id, outcome)| replies.outcome(*id, outcome)),
            Err(failure) => run.iter().for_each(|write| replies.failure(write.id, &failure)),
        }
    }

    async fn read(&mut self, first: Read, frames: &mut Frames, replies: &mut Replies) -> Result<(), Broken> {
        let handle = first.handle.clone();
        let bytes = capped(first.length);
        let mut run = Run::of(first, bytes);
        while run.has_room(REPLIES_BYTES.saturating_sub(replies.len())) {
            match self.next(frames).transpose() {
                Some(Ok(Request::Read(read))) if read.handle == handle => {
                    let bytes = capped(read.length);
                    run.push(read, bytes);
                }
                other => {
                    self.next = other;
                    break;
                }
            }
        }
        let run = run.into_requests();
        let source = match self.source(&handle) {
            Ok(source) => source,
            Err(failure) => {
                run.iter().for_each(|read| replies.failure(read.id, &failure));
                return Ok(());
            }
        };
        let mut filling = std::mem::take(replies);
        let filled = on_disk(move || {
            let counts: Vec<_> = run.iter().map(|read| (read.offset, fill(&source, read, &mut filling))).collect();
            Ok((filling, counts))
        });
        // The replies went with the work: without it the client would wait for them for ever.
        let (filled, counts) = filled.await.map_err(|_panicked| Broken::Lost)?;
        *replies = filled;
        if let Ok(Open::Reading(reading)) = self.handles.find(&handle) {
            counts.into_iter().for_each(|(offset, bytes)| reading.count(offset, bytes));
        }
        Ok(())
    }

    #[expect(clippy::wildcard_enum_match_arm, reason = "what is answered by done or not done follows in `change`")]
    async fn other(&mut self, packet: Packet, replies: &mut Replies) {
        let id = packet.get_request_id();
        let outcome = match packet {
            Packet::Init(_) => {
                replies.version(&extended::ANNOUNCED);
                Ok(())
            }
            Packet::Open(open) => self.open(open).await.map(|handle| replies.handle(id, handle)),
            Packet::OpenDir(dir) => self.open_directory(&dir.path).map(|handle| replies.handle(id, handle)),
            Packet::ReadDir(read) => self.page(&read.handle).await.map(|files| match files.is_empty() {
                true => replies.end_of_file(id),
                false => replies.names(id, files),
            }),
            Packet::RealPath(path) => {
                replies.names(id, vec![File::dummy(normalise(&path.path))]);
                Ok(())
            }
            Packet::Stat(stat) => self.stat(&stat.path).await.map(|attrs| replies.attributes(id, attrs)),
            Packet::Lstat(stat) => self.stat(&stat.path).await.map(|attrs| replies.attributes(id, attrs)),
            Packet::Fstat(stat) => self.stat_handle(&stat.handle).map(|attrs| replies.attributes(id, attrs)),
            Packet::Extended(request) => self.extended(request, replies).await,
            change => self.change(change).await.map(|()| replies.ok(id)),
        };
        if let Err(failure) = outcome {
            replies.failure(id, &failure);
        }
    }

    /// Requests that are answered by done or not done.
    #[expect(clippy::wildcard_enum_match_arm, reason = "replies, which only a server sends, are no requests")]
    async fn change(&mut self, packet: Packet) -> Result<(), Failure> {
        let (premises, tree, recent) = (&*self.premises, &*self.tree, &mut self.recent);
        match packet {
            Packet::Close(close) => self.close(close.handle.as_bytes()).await,
            Packet::SetStat(set) => names::set_attributes(premises, tree, recent, &set.path, &set.attrs).await,
            Packet::FSetStat(set) => self.set_handle(&set.handle, &set.attrs).await,
            Packet::Remove(remove) => names::remove(premises, tree, recent, &remove.filename).await,
            Packet::Rename(rename) => {
                names::rename(premises, tree, recent, (&rename.oldpath, &rename.newpath), false).await
            }
            Packet::MkDir(make) => names::make_directory(tree, &make.path),
            Packet::RmDir(remove) => names::remove_directory(tree, &remove.path),
            Packet::ReadLink(_) | Packet::Symlink(_) => Err(Failure::Unsupported("a link")),
            _ => Err(Failure::Unsupported("this request")),
        }
    }

    async fn open(&mut self, open: OpenRequest) -> Result<String, Failure> {
        let room = self.handles.room()?;
        let (directory, path) = match self.tree.resolve(&open.filename)? {
            Target::File(directory, path) => (directory, path),
            Target::Root | Target::Directory(_) => return Err(Failure::Refused("this is a directory".to_owned())),
        };
        if !open.pflags.intersects(OpenFlags::WRITE | OpenFlags::APPEND | OpenFlags::TRUNCATE) {
            let reading = opening::read(&self.premises, &self.tree, directory, path).await?;
            tracing::info!(partner = %self.tree.partner, path = %reading.path.logged(), "download begins");
            return Ok(self.handles.add(Open::Reading(reading), room));
        }
        self.recent.forget(&path);
        let upload = opening::write(&self.premises, &self.tree, directory.purpose, path, open.pflags).await?;
        Ok(self.handles.add(Open::Upload(Box::new(upload)), room))
    }

    fn open_directory(&mut self, path: &str) -> Result<String, Failure> {
        let room = self.handles.room()?;
        let listing = Listing::open(&self.tree.resolve(path)?)?;
        Ok(self.handles.add(Open::Listing(listing), room))
    }

    async fn page(&mut self, handle: &str) -> Result<Vec<File>, Failure> {
        match self.handles.find(handle.as_bytes())? {
            Open::Listing(listing) => listing.page(&self.premises, &self.tree).await,
            Open::Upload(_) | Open::Reading(_) => Err(NO_DIRECTORY),
        }
    }

    async fn close(&mut self, handle: &[u8]) -> Result<(), Failure> {
        match self.handles.take(handle)? {
            Open::Upload(upload) => {
                if let Some(handed) = upload.close().await? {
                    self.recent.remember(handed);
                }
                Ok(())
            }
            Open::Reading(reading) => {
                self.fetched(&reading).await;
                Ok(())
            }
            Open::Listing(_) => Ok(()),
        }
    }

    /// Records that a file of ours was fetched whole. A fetch is good whatever becomes of its record.
    async fn fetched(&self, reading: &Reading) {
        if !reading.fetched() {
            return;
        }
        let (partner, path, user) = (&self.tree.partner, &reading.path, &self.tree.user);
        match self.premises.area.fetched(partner, path, user, self.premises.now()).await {
            Ok(()) => tracing::info!(%partner, path = %path.logged(), user, "fetched"),
            Err(error) => tracing::error!(%partner, path = %path.logged(), %error, "a fetch could not be recorded"),
        }
    }

    async fn stat(&mut self, path: &str) -> Result<FileAttributes, Failure> {
        names::stat(&self.premises, &self.tree, &mut self.recent, path).await
    }

    fn stat_handle(&mut self, handle: &str) -> Result<FileAttributes, Failure> {
        Ok(match self.handles.find(handle.as_bytes())? {
            Open::Upload(upload) => {
                attributes::file(upload.size_bytes, upload.modified.unwrap_or_else(|| self.premises.now()))
            }
            Open::Reading(reading) => attributes::file(reading.blob.size_bytes(), reading.modified),
            Open::Listing(_) => attributes::directory(false),
        })
    }

    /// Permissions are agreed to and mean nothing, as on paths.
    async fn set_handle(&mut self, handle: &str, attrs: &FileAttributes) -> Result<(), Failure> {
        match self.handles.find(handle.as_bytes())? {
            Open::Upload(upload) => {
                upload.modified = attributes::modified(attrs).or(upload.modified);
                match attrs.size {
                    Some(size) => upload.resize(size).await,
                    None => Ok(()),
                }
            }
            Open::Reading(_) | Open::Listing(_) => Ok(()),
        }
    }

    fn upload(&mut self, handle: &[u8]) -> Result<&mut Upload, Failure> {
        match self.handles.find(handle)? {
            Open::Upload(upload) => Ok(upload),
            Open::Reading(_) | Open::Listing(_) => Err(Failure::Denied("this handle was not opened for writing")),
        }
    }

    fn source(&mut self, handle: &[u8]) -> Result<Source, Failure> {
        match self.handles.find(handle)? {
            Open::Reading(reading) => Ok(Source::Blob(Arc::clone(&reading.blob))),
            Open::Upload(upload) => Ok(Source::Scratch(Arc::clone(&upload.scratch))),
            Open::Listing(_) => Err(Failure::Denied("this handle was not opened for reading")),
        }
    }
}

/// Answers a read; how many bytes it gave.
fn fill(source: &Source, read: &Read, replies: &mut Replies) -> u64 {
    let at = |filled: u64, into: &mut [u8]| source.read_at(read.offset.saturating_add(filled), into);
    match replies.data(read.id, capped(read.length), at) {
        Ok(0) => {
            replies.end_of_file(read.id);
            0
        }
        Ok(count) => count as u64,
        Err(error) => {
            replies.failure(read.id, &error.into());
            0
        }
    }
}

fn capped(length: u32) -> usize {
    length.min(MAX_DATA_BYTES) as usize
}

const NO_DIRECTORY: Failure = Failure::BadMessage("this handle is no directory");
/// Writes of one handle that cross to the disk together.
const RUN_BYTES: usize = 512 * 1024;
/// Replies gathered before they must leave.
const REPLIES_BYTES: usize = 256 * 1024;
