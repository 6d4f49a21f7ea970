//! SCP, the protocol from before SFTP, for uploads: `scp -t PATH` run as a command, which is never handed to a shell.
//!
//! The client sends a line for each file, its bytes and a zero; we answer each with a zero or a text. What is uploaded goes
//! the same way as over SFTP: a file that came whole is sealed and claimed before the zero that says so.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use futures::FutureExt as _;
use jiff::Timestamp;
use russh::server::Msg;
use russh::{Channel, ChannelMsg, ChannelReadHalf, ChannelWriteHalf};
use russh_sftp::protocol::OpenFlags;
use tokio::sync::Semaphore;

use super::bandwidth::Bandwidth;
use super::failure::Failure;
use super::line::Ends;
use super::opening;
use super::packets::Write;
use super::premises::Premises;
use super::spelling;
use super::tree::{Target, Tree};
use super::upload::Upload;

/// What an upload by SCP works with.
pub(super) struct Scp {
    pub(super) premises: Arc<Premises>,
    pub(super) tree: Arc<Tree>,
    /// What all channels of the partner may have open.
    pub(super) handles: Arc<Semaphore>,
    /// Where the files go.
    pub(super) target: String,
    pub(super) bandwidth: Option<Arc<Bandwidth>>,
    pub(super) ends: Ends,
}

/// The path of an upload's command; `None` when it is any other command.
pub(super) fn target(command: &[u8]) -> Option<String> {
    let mut words = words(&spelling::text(command))?.into_iter();
    if words.next()? != "scp" {
        return None;
    }
    let (mut is_sink, mut target) = (false, None);
    for word in words {
        match word.strip_prefix('-') {
            Some("-") => {}
            Some(letters) if target.is_none() => {
                is_sink |= letters.contains('t');
                if !letters.chars().all(|letter| "tprdvq".contains(letter)) {
                    return None;
                }
            }
            Some(_) | None => target = Some(word),
        }
    }
    target.filter(|_| is_sink)
}

/// Serves one channel until its client has no more files.
pub(super) async fn serve((channel, first): (Channel<Msg>, Option<ChannelMsg>), scp: Scp) {
    let (reader, writer) = channel.split();
    let mut wire = Wire {
        reader,
        writer,
        buffer: BytesMut::new(),
        ended: false,
        bandwidth: scp.bandwidth.clone(),
        ends: scp.ends.clone(),
    };
    if let Some(first) = first {
        wire.take(Some(first));
    }
    let all_came = scp.receive(&mut wire).await.unwrap_or_else(|error| {
        tracing::debug!(%error, "SCP ended early");
        false
    });
    // The client may be gone, which is as good.
    let _ = wire.writer.exit_status(u32::from(!all_came)).await;
    let _ = wire.writer.eof().await;
    let _ = wire.writer.close().await;
}

impl Scp {
    async fn receive(&self, wire: &mut Wire) -> io::Result<bool> {
        wire.answer(&Ok(())).await?;
        let (mut all_came, mut modified) = (true, None);
        while let Some(line) = wire.line().await? {
            let outcome = match header(&line) {
                Some(Header::Times(time)) => {
                    modified = time;
                    Ok(())
                }
                Some(Header::File { size_bytes, name }) => self.file(wire, size_bytes, &name, modified.take()).await?,
                Some(Header::End) => Ok(()),
                Some(Header::Directory) => Err(Failure::Denied("directories are agreed and not made")),
                Some(Header::Trouble) => {
                    all_came = false;
                    continue;
                }
                None => return Err(io::ErrorKind::InvalidData.into()),
            };
            all_came &= outcome.is_ok();
            wire.answer(&outcome).await?;
        }
        Ok(all_came)
    }

    /// Takes one file; the inner result is for the client.
    async fn file(
        &self,
        wire: &mut Wire,
        size_bytes: u64,
        name: &str,
        modified: Option<Timestamp>,
    ) -> io::Result<Result<(), Failure>> {
        // A client that hears of a fault before the bytes does not send them.
        let Ok(_room) = Arc::clone(&self.handles).try_acquire_owned() else {
            return Ok(Err(Failure::Refused("your connections have too many files open together".to_owned())));
        };
        let mut upload = match self.open(name).await {
            Ok(upload) => upload,
            Err(failure) => return Ok(Err(failure)),
        };
        upload.modified = modified;
        match wire.file_into(&mut upload, size_bytes).await {
            Ok(true) => Ok(upload.close().await.map(drop)),
            // The client could not read its file to the end.
            Ok(false) => {
                upload.pause().await;
                Ok(Err(Failure::Refused("the file did not come whole and is kept as a partial".to_owned())))
            }
            Err(error) => {
                upload.pause().await;
                Err(error)
            }
        }
    }

    async fn open(&self, name: &str) -> Result<Upload, Failure> {
        let inside = format!("{}/{name}", self.target);
        let path = match self.tree.resolve(&self.target)? {
            Target::File(..) => &self.target,
            Target::Directory(_) => &inside,
            Target::Root => return Err(Failure::Denied("files are taken in the inbox and test directories only")),
        };
        let Target::File(directory, path) = self.tree.resolve(path)? else { return Err(Failure::NoSuchFile) };
        let flags = OpenFlags::WRITE | OpenFlags::CREATE | OpenFlags::TRUNCATE;
        opening::write(&self.premises, &self.tree, directory.purpose, path, flags).await
    }
}

/// The channel as a stream of lines and bytes.
struct Wire {
    reader: ChannelReadHalf,
    writer: ChannelWriteHalf<Msg>,
    buffer: BytesMut,
    ended: bool,
    bandwidth: Option<Arc<Bandwidth>>,
    ends: Ends,
}

impl Wire {
    /// Says that what came last is well, or what is wrong with it.
    async fn answer(&mut self, outcome: &Result<(), Failure>) -> io::Result<()> {
        let answer = match outcome {
            Ok(()) => Bytes::from_static(&[0]),
            Err(failure) => Bytes::from(format!("\u{1}scp: {failure}\n")),
        };
        // Bytes are taken in meanwhile: the window the answer waits for may come behind them.
        let Self { reader, writer, buffer, ended, ends, .. } = self;
        let sending = writer.data_bytes(answer);
        tokio::pin!(sending);
        loop {
            let has_room = !*ended && buffer.len() < RUN_BYTES;
            tokio::select! {
                biased;
                () = ends.stop.cancelled() => return Err(io::ErrorKind::ConnectionAborted.into()),
                sent = &mut sending => return sent.map_err(|_gone| io::ErrorKind::BrokenPipe.into()),
                () = ends.cut.cancelled() => return Err(io::ErrorKind::BrokenPipe.into()),
                message = reader.wait(), if has_room => *ended |= !taken(buffer, message),
                () = tokio::time::sleep(STALL), if !has_room => return Err(io::ErrorKind::TimedOut.into()),
            }
        }
    }

    /// The next line without its end; `None` when there is no more.
    async fn line(&mut self) -> io::Result<Option<Vec<u8>>> {
        loop {
            if let Some(end) = self.buffer.iter().position(|byte| *byte == b'\n') {
                let line = self.buffer.split_to(end);
                drop(self.buffer.split_to(1));
                return Ok(Some(line.to_vec()));
            }
            if self.buffer.len() > MAX_LINE_BYTES {
                return Err(io::ErrorKind::InvalidData.into());
            }
            if !self.more().await? {
                return if self.buffer.is_empty() { Ok(None) } else { Err(io::ErrorKind::UnexpectedEof.into()) };
            }
        }
    }

    /// Moves a file's bytes into the upload; whether the client says that they are all right.
    async fn file_into(&mut self, upload: &mut Upload, size_bytes: u64) -> io::Result<bool> {
        self.answer(&Ok(())).await?;
        let mut offset = 0;
        while offset < size_bytes {
            if self.buffer.is_empty() && !self.more().await? {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            let here = usize::try_from(size_bytes - offset).unwrap_or(usize::MAX).min(self.buffer.len());
            let data = self.buffer.split_to(here).freeze();
            if let Some(bandwidth) = &self.bandwidth {
                bandwidth.spend(here).await;
            }
            // What a write could not do, CLOSE tells; the client sends the rest in any case.
            upload.write(vec![Write { id: 0, handle: Bytes::new(), offset, data }]).await;
            offset += here as u64;
        }
        while self.buffer.is_empty() {
            if !self.more().await? {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
        if self.buffer.split_to(1).first() == Some(&0) {
            return Ok(true);
        }
        self.line().await?;
        Ok(false)
    }

    /// Takes a message in; `false` when it was the last.
    fn take(&mut self, message: Option<ChannelMsg>) -> bool {
        self.ended |= !taken(&mut self.buffer, message);
        !self.ended
    }

    /// Waits for bytes and takes those that are there; `false` at the end.
    async fn more(&mut self) -> io::Result<bool> {
        if self.ended {
            return Ok(false);
        }
        let first = tokio::select! {
            () = self.ends.stop.cancelled() => return Err(io::ErrorKind::ConnectionAborted.into()),
            message = self.reader.wait() => message,
        };
        let mut next = Some(first);
        while let Some(message) = next {
            if !self.take(message) {
                return Ok(!self.buffer.is_empty());
            }
            next = if self.buffer.len() < RUN_BYTES { self.reader.wait().now_or_never() } else { None };
        }
        Ok(true)
    }
}

/// Takes a message in; `false` when it was the last.
fn taken(buffer: &mut BytesMut, message: Option<ChannelMsg>) -> bool {
    match message {
        Some(ChannelMsg::Data { data }) => {
            buffer.extend_from_slice(&data);
            true
        }
        Some(ChannelMsg::Eof | ChannelMsg::Close) | None => false,
        Some(_) => true,
    }
}

/// What a line of the client says.
#[derive(Debug, PartialEq, Eq)]
enum Header {
    Times(Option<Timestamp>),
    File { size_bytes: u64, name: String },
    Directory,
    End,
    Trouble,
}

fn header(line: &[u8]) -> Option<Header> {
    let (kind, rest) = line.split_first()?;
    let text = spelling::text(rest);
    Some(match kind {
        b'T' => {
            let seconds = text.split(' ').next()?.parse().ok()?;
            Header::Times(Timestamp::from_second(seconds).ok())
        }
        b'C' => {
            let (_mode, rest) = text.split_once(' ')?;
            let (size, name) = rest.split_once(' ')?;
            Header::File { size_bytes: size.parse().ok()?, name: name.to_owned() }
        }
        b'D' => Header::Directory,
        b'E' => Header::End,
        1 | 2 => Header::Trouble,
        _ => return None,
    })
}

/// Takes a command line apart as a shell would that knows quotes and nothing else; `None` when a quote stays open.
fn words(command: &str) -> Option<Vec<String>> {
    let (mut words, mut word, mut quote) = (Vec::new(), None::<String>, None);
    let mut letters = command.chars();
    while let Some(letter) = letters.next() {
        match (letter, quote) {
            (end, Some(open)) if end == open => quote = None,
            ('\\', None | Some('"')) => word.get_or_insert_default().push(letters.next()?),
            ('\'' | '"', None) => {
                quote = Some(letter);
                word.get_or_insert_default();
            }
            (' ', None) => words.extend(word.take()),
            (letter, _) => word.get_or_insert_default().push(letter),
        }
    }
    words.extend(word);
    quote.is_none().then_some(words)
}

const MAX_LINE_BYTES: usize = 2048;
const RUN_BYTES: usize = 512 * 1024;
/// How long a client that sends may leave an answer unread.
const STALL: Duration = Duration::from_secs(30);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_upload_has_a_target() {
        for (command, path) in [
            ("scp -t /inbox/a.xml", "/inbox/a.xml"),
            ("scp -p -d -t '/inbox/with blank'", "/inbox/with blank"),
            ("scp -v -t \"/inbox\"", "/inbox"),
            ("scp -t -- /inbox/a\\ b", "/inbox/a b"),
        ] {
            assert_eq!(target(command.as_bytes()).as_deref(), Some(path), "{command}");
        }
        for other in ["scp -f /inbox/a.xml", "scp", "scp -t", "sh -c 'scp -t /inbox'", "scp -t 'open", "scp -S x -t /a"]
        {
            assert_eq!(target(other.as_bytes()), None, "{other}");
        }
    }

    #[test]
    fn lines_are_understood_or_not() {
        let file = Header::File { size_bytes: 12, name: "a b.xml".to_owned() };
        assert_eq!(header(b"C0644 12 a b.xml"), Some(file));
        assert_eq!(
            header(b"T1600000000 0 1600000000 0"),
            Some(Header::Times(Timestamp::from_second(1_600_000_000).ok()))
        );
        for odd in [&b""[..], b"C0644 x a", b"C0644 12", b"Tx", b"Q"] {
            assert_eq!(header(odd), None, "{odd:?}");
        }
    }
}
