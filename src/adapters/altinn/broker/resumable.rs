//! Uploads in several pieces that go on where the platform has got to (TUS 1.0.0).

use std::io;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures::StreamExt as _;
use futures::stream::{BoxStream, unfold};
use reqwest::header::{CONTENT_LENGTH, CONTENT_TYPE, HeaderName};
use reqwest::{Method, RequestBuilder, Url};
use tokio::sync::Mutex;

use super::answers::failed;
use super::limits::Limit;
use crate::adapters::altinn::client::{Client, without_effect};
use crate::adapters::http::{Answer, Outgoing};
use crate::codes;
use crate::kill_point::kill_point;
use crate::ports::{Content, DeliveryError};

/// One upload.
pub(super) struct Resumable<'a> {
    pub(super) client: &'a Client,
    /// How often it may be asked for anything.
    pub(super) limit: &'a Limit,
    pub(super) url: Url,
    pub(super) content: &'a Content,
    pub(super) size_bytes: u64,
    /// Bytes of one request at most.
    pub(super) part_bytes: u64,
}

/// What became of asking for a new upload.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Created {
    /// It can begin.
    Yes,
    /// The transfer takes no upload any more.
    No,
}

impl Resumable<'_> {
    /// How far the platform has got; `None` when it knows of no upload.
    pub(super) async fn offset(&self) -> Result<Option<u64>, DeliveryError> {
        let mut answer = self.head().await?;
        if answer.status() == 401 {
            answer = self.head().await?;
        }
        match (answer.status(), offset_in(&answer)) {
            (200 | 204, Some(offset)) if offset <= self.size_bytes => Ok(Some(offset)),
            (404 | 410, _) => Ok(None),
            (0..300, _) => Err(DeliveryError::Later { code: codes::RECEIVER_FAULT, after: None }),
            _ => Err(without_effect(failed(&answer))),
        }
    }

    async fn head(&self) -> Result<Answer, DeliveryError> {
        self.limit.turn().await;
        let sent = self.client.effect(self.request(Method::HEAD), Outgoing::empty()).await;
        sent.map_err(without_effect)
    }

    /// Asks for an upload to begin.
    pub(super) async fn create(&self) -> Result<Created, DeliveryError> {
        let mut answer = self.post().await?;
        if answer.status() == 401 {
            answer = self.post().await?;
        }
        match answer.status() {
            200 | 201 | 204 => Ok(Created::Yes),
            404 | 409 | 410 => Ok(Created::No),
            _ => Err(without_effect(failed(&answer))),
        }
    }

    async fn post(&self) -> Result<Answer, DeliveryError> {
        let request = self.request(Method::POST).header(LENGTH, self.size_bytes).header(CONTENT_LENGTH, 0);
        self.limit.turn().await;
        self.client.effect(request, Outgoing::empty()).await.map_err(without_effect)
    }

    /// Sends what is missing. After a break it goes on at once from where the platform has got to, as long as that helps.
    pub(super) async fn send(&self, from: u64) -> Result<(), DeliveryError> {
        let (mut offset, mut breaks) = (from, 0);
        let mut reader = self.open(offset).await?;
        while offset < self.size_bytes {
            let length = self.part_bytes.min(self.size_bytes - offset);
            let error = match self.patch(&reader, offset, length).await {
                Ok(()) => {
                    kill_point("altinn.transfer.part");
                    (offset, breaks) = (offset + length, 0);
                    continue;
                }
                Err(error) => error,
            };
            breaks += 1;
            if breaks > MOST_BREAKS || !may_pass(&error) {
                return Err(self.given_up(error, offset + length));
            }
            tokio::time::sleep(FIRST_PAUSE * (1 << breaks)).await;
            let at = match self.offset().await {
                Ok(Some(at)) => at,
                Ok(None) => return Err(DeliveryError::Unknown { code: codes::OUTCOME_UNKNOWN }),
                Err(_) => return Err(self.given_up(error, offset + length)),
            };
            if at > offset {
                breaks = 0;
            }
            offset = at;
            reader = self.open(offset).await?;
        }
        Ok(())
    }

    /// Of the last piece nobody knows whether it arrived; without it there is no effect.
    fn given_up(&self, error: DeliveryError, end: u64) -> DeliveryError {
        if end < self.size_bytes { without_effect(error) } else { error }
    }

    async fn open(&self, offset: u64) -> Result<Arc<Mutex<Reader>>, DeliveryError> {
        Ok(Arc::new(Mutex::new(Reader::at(self.content, offset).await?)))
    }

    async fn patch(&self, reader: &Arc<Mutex<Reader>>, offset: u64, length: u64) -> Result<(), DeliveryError> {
        let request = self
            .request(Method::PATCH)
            .header(OFFSET, offset)
            .header(CONTENT_TYPE, "application/offset+octet-stream")
            .header(CONTENT_LENGTH, length);
        let body = Outgoing::gather(part(Arc::clone(reader), length)).await?;
        self.limit.turn().await;
        let answer = self.client.effect(request, body).await?;
        let is_there = offset_in(&answer).is_none_or(|at| at == offset + length);
        match answer.status() {
            200 | 204 if is_there => Ok(()),
            // It has got elsewhere, which is asked for.
            200 | 204 | 409 => Err(DeliveryError::Unknown { code: codes::OUTCOME_UNKNOWN }),
            // The token was dropped, and the next request has another.
            401 => Err(DeliveryError::Later { code: codes::CREDENTIALS_REFUSED, after: None }),
            404 | 410 => Err(DeliveryError::Unknown { code: codes::OUTCOME_UNKNOWN }),
            _ => Err(failed(&answer)),
        }
    }

    fn request(&self, method: Method) -> RequestBuilder {
        self.client.http.request(method, self.url.clone()).header("Tus-Resumable", "1.0.0")
    }
}

/// Tells whether going on at once may help: not when the platform asks for patience, and not when it refuses.
fn may_pass(error: &DeliveryError) -> bool {
    match error {
        DeliveryError::Unknown { .. } | DeliveryError::Later { after: None, .. } => true,
        DeliveryError::Later { after: Some(_), .. }
        | DeliveryError::Refused { .. }
        | DeliveryError::RefusedFor { .. }
        | DeliveryError::Credentials { .. }
        | DeliveryError::Unclear
        | DeliveryError::Unreadable(_) => false,
    }
}

fn offset_in(answer: &Answer) -> Option<u64> {
    answer.header(&OFFSET)?.trim().parse().ok()
}

/// A content that is read piece by piece.
struct Reader {
    stream: BoxStream<'static, io::Result<Bytes>>,
    /// What was read and not taken yet.
    ahead: Bytes,
}

impl Reader {
    /// Opens a content at an offset: what lies before is read and let go.
    async fn at(content: &Content, offset: u64) -> io::Result<Self> {
        let mut reader = Self { stream: content.stream(), ahead: Bytes::new() };
        let mut left = offset;
        while left > 0 {
            let skipped = reader.next(left).await?;
            left -= skipped.len() as u64;
        }
        Ok(reader)
    }

    /// The next bytes, so many at most; that the content ends is an error.
    async fn next(&mut self, most: u64) -> io::Result<Bytes> {
        while self.ahead.is_empty() {
            self.ahead = self.stream.next().await.unwrap_or(Err(io::ErrorKind::UnexpectedEof.into()))?;
        }
        let length = usize::try_from(most).unwrap_or(usize::MAX).min(self.ahead.len());
        Ok(self.ahead.split_to(length))
    }
}

/// So many bytes of what a reader reads.
fn part(reader: Arc<Mutex<Reader>>, length: u64) -> BoxStream<'static, io::Result<Bytes>> {
    unfold((reader, length), |(reader, left)| async move {
        if left == 0 {
            return None;
        }
        let next = reader.lock().await.next(left).await;
        let left = next.as_ref().map_or(0, |chunk| left - chunk.len() as u64);
        Some((next, (reader, left)))
    })
    .boxed()
}

const OFFSET: HeaderName = HeaderName::from_static("upload-offset");
const LENGTH: HeaderName = HeaderName::from_static("upload-length");
/// Breaks in a row that brought the upload no further.
const MOST_BREAKS: u32 = 4;
const FIRST_PAUSE: Duration = Duration::from_millis(50);

#[cfg(test)]
mod tests {
    use futures::{TryStreamExt as _, stream};

    use super::*;

    fn content() -> Content {
        Content::new(|| {
            stream::iter([&b"abc"[..], b"", b"defg", b"h"].map(|chunk| Ok(Bytes::from_static(chunk)))).boxed()
        })
    }

    async fn read(reader: &Arc<Mutex<Reader>>, length: u64) -> io::Result<String> {
        let chunks: Vec<Bytes> = part(Arc::clone(reader), length).try_collect().await?;
        Ok(String::from_utf8(chunks.concat()).unwrap())
    }

    #[tokio::test]
    async fn parts_follow_on_each_other_from_any_offset() {
        for offset in 0..=8 {
            let reader = Arc::new(Mutex::new(Reader::at(&content(), offset).await.unwrap()));
            let mut whole = String::new();
            while whole.len() + 2 <= 8 - usize::try_from(offset).unwrap() {
                whole.push_str(&read(&reader, 2).await.unwrap());
            }
            let expected: String = "abcdefgh".chars().skip(usize::try_from(offset).unwrap()).collect();
            assert!(expected.starts_with(&whole), "{offset}: {whole}");
        }
    }

    #[tokio::test]
    async fn a_content_that_is_shorter_than_it_was_is_damaged() {
        let reader = Arc::new(Mutex::new(Reader::at(&content(), 6).await.unwrap()));
        assert_eq!(read(&reader, 3).await.unwrap_err().kind(), io::ErrorKind::UnexpectedEof);
        assert_eq!(Reader::at(&content(), 9).await.err().unwrap().kind(), io::ErrorKind::UnexpectedEof);
    }
}
