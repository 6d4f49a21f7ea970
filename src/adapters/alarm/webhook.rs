//! Notices by HTTP: each is POSTed as JSON, with an `Idempotency-Key` that stays the same when it is sent again.

use std::time::Duration;

use async_trait::async_trait;
use reqwest::Url;
use reqwest::header::{CONTENT_TYPE, HeaderName, HeaderValue};
use serde_json::json;

use super::id;
use crate::adapters::http::{Http, Outgoing, address};
use crate::adapters::receiver::{Credential, HttpSetupError, Waits, credential};
use crate::ports::{Channel, ChannelError, Notice};

/// Where notices go.
#[derive(Debug, Clone)]
pub struct WebhookSettings {
    /// Where they are POSTed.
    pub url: String,
    /// A secret for the service.
    pub credential: Option<Credential>,
    /// How long to wait.
    pub waits: Waits,
}

/// POSTs each notice.
pub struct WebhookChannel {
    http: Http,
    url: Url,
    credential: Option<(HeaderName, HeaderValue)>,
    longest: Duration,
}

impl WebhookChannel {
    /// Checks the settings; nothing is sent yet.
    pub fn new(settings: WebhookSettings) -> Result<Self, HttpSetupError> {
        let url = address(&settings.url, settings.credential.is_some())?;
        let credential = settings.credential.map(credential).transpose()?;
        let http = Http::new(settings.waits, &[&url]).map_err(HttpSetupError::Tls)?;
        let longest = Duration::from_millis(settings.waits.connect_ms.saturating_add(settings.waits.answer_ms));
        Ok(Self { http, url, credential, longest })
    }
}

#[async_trait]
impl Channel for WebhookChannel {
    async fn send(&self, notice: &Notice) -> Result<(), ChannelError> {
        let body = json!({
            "id": id(notice),
            "subject": notice.subject,
            "state": if notice.is_over { "over" } else { "raised" },
            "level": notice.alarm.level,
            "due": notice.alarm.due.to_string(),
            "at": notice.at.to_string(),
            "text": notice.alarm.text,
        });
        let mut request = self.http.post(self.url.clone()).header(CONTENT_TYPE, "application/json");
        request = request.header("Idempotency-Key", id(notice));
        if let Some((name, value)) = &self.credential {
            request = request.header(name, value.clone());
        }
        let sent = self.http.send(request, Outgoing::whole(body.to_string()), ANSWER_BYTES).await;
        match sent.map_err(|error| ChannelError(error.to_string()))?.status() {
            200..=299 => Ok(()),
            status => Err(ChannelError(format!("the webhook answered {status}"))),
        }
    }

    fn longest(&self) -> Duration {
        // The waits themselves say first what took too long.
        self.longest + Duration::from_secs(1)
    }
}

/// Answers are not kept; this is what is read to free the connection.
const ANSWER_BYTES: usize = 64 * 1024;
