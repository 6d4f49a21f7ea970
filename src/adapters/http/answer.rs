//! Answers: what is kept of a response.

use std::time::Duration;

use bytes::Bytes;
use jiff::Timestamp;
use jiff::fmt::rfc2822::DateTimeParser;
use reqwest::header::{DATE, HeaderMap, HeaderName, RETRY_AFTER};
use reqwest::{Response, StatusCode};

/// An answer whose connection is free again.
pub(in crate::adapters) struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    body: Option<Bytes>,
}

impl Answer {
    /// Reads the body up to `limit` bytes; a longer or broken one is left out.
    pub(super) async fn read(mut response: Response, limit: usize, wait: Duration) -> Self {
        let (status, headers) = (response.status(), std::mem::take(response.headers_mut()));
        let body = read_body(&mut response, limit, wait).await;
        Self { status, headers, body }
    }

    /// The status as a number, for tables.
    pub(in crate::adapters) fn status(&self) -> u16 {
        self.status.as_u16()
    }

    /// One header, if it is text.
    pub(in crate::adapters) fn header(&self, name: &HeaderName) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// The body; `None` when it broke off or was too long.
    pub(in crate::adapters) fn body(&self) -> Option<&Bytes> {
        self.body.as_ref()
    }

    /// The body as JSON; `None` when it is not what was asked for.
    pub(in crate::adapters) fn json<T: serde::de::DeserializeOwned>(&self) -> Option<T> {
        serde_json::from_slice(self.body()?).ok()
    }

    /// The server's clock.
    pub(in crate::adapters) fn date(&self) -> Option<Timestamp> {
        http_date(self.header(&DATE)?)
    }

    /// How long the server asks us to wait; seconds, or a date by its own clock.
    pub(in crate::adapters) fn retry_after(&self) -> Option<Duration> {
        let text = self.header(&RETRY_AFTER)?.trim();
        let wait = match text.parse::<u64>() {
            Ok(seconds) => Duration::from_secs(seconds),
            Err(_) => {
                let wait = http_date(text)?.duration_since(self.date()?);
                Duration::try_from(wait).unwrap_or_default()
            }
        };
        Some(wait.min(LONGEST_WAIT))
    }
}

async fn read_body(response: &mut Response, limit: usize, wait: Duration) -> Option<Bytes> {
    let mut body = Vec::new();
    loop {
        match tokio::time::timeout(wait, response.chunk()).await {
            Ok(Ok(Some(chunk))) if body.len() + chunk.len() <= limit => body.extend_from_slice(&chunk),
            Ok(Ok(None)) => return Some(body.into()),
            Ok(Ok(Some(_)) | Err(_)) | Err(_) => return None,
        }
    }
}

fn http_date(text: &str) -> Option<Timestamp> {
    DateTimeParser::new().parse_timestamp(text).ok()
}

/// A wish longer than this is a mistake.
const LONGEST_WAIT: Duration = Duration::from_secs(24 * 3600);

#[cfg(test)]
mod tests {
    use reqwest::header::HeaderValue;

    use super::*;

    fn waits(retry_after: &'static str) -> Option<Duration> {
        let mut headers = HeaderMap::new();
        headers.insert(DATE, HeaderValue::from_static("Sat, 21 Nov 2026 05:00:00 GMT"));
        headers.insert(RETRY_AFTER, HeaderValue::from_static(retry_after));
        Answer { status: StatusCode::TOO_MANY_REQUESTS, headers, body: None }.retry_after()
    }

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        assert_eq!(waits("7"), Some(Duration::from_secs(7)));
        assert_eq!(waits("Sat, 21 Nov 2026 05:00:30 GMT"), Some(Duration::from_secs(30)));
        assert_eq!(waits("Sat, 21 Nov 2026 04:00:00 GMT"), Some(Duration::ZERO));
        assert_eq!(waits("9999999999"), Some(LONGEST_WAIT));
        assert_eq!(waits("soon"), None);
    }
}
