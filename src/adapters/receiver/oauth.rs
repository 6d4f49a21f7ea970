//! Tokens of a receiver's own authorization server: client credentials (RFC 6749, section 4.4).

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use jiff::{SignedDuration, Timestamp};
use reqwest::Url;
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue};
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use tokio::sync::Mutex;

use crate::adapters::http::{Answer, Http, Outgoing, SendError};
use crate::codes;
use crate::model::Code;
use crate::ports::{Clock, DeliveryError};

/// A client of an authorization server.
#[derive(Debug, Clone)]
pub struct OauthSettings {
    /// Where tokens are asked for.
    pub token_url: String,
    /// The client's id.
    pub client_id: String,
    /// Its secret.
    pub client_secret: SecretString,
    /// Scopes, with blanks between; `None` asks for none.
    pub scope: Option<String>,
}

/// Fetches tokens and keeps the last one as long as it is good.
pub(super) struct Tokens {
    settings: OauthSettings,
    token_url: Url,
    clock: Arc<dyn Clock>,
    /// Held while a token is fetched: who finds none waits for it.
    last: Mutex<Last>,
    /// The receiver has not accepted the token before the last one.
    refused: AtomicBool,
}

#[derive(Default)]
enum Last {
    #[default]
    None,
    Token {
        bearer: HeaderValue,
        renew_at: Timestamp,
    },
    /// For a moment those who waited share the failure.
    Failed {
        error: TokenError,
        again_at: Timestamp,
    },
}

#[derive(Debug, Clone, Copy)]
enum TokenError {
    Refused,
    Later(Code, Option<Duration>),
}

impl From<TokenError> for DeliveryError {
    fn from(error: TokenError) -> Self {
        match error {
            TokenError::Refused => Self::Credentials { code: codes::TOKEN_REFUSED },
            TokenError::Later(code, after) => Self::Later { code, after },
        }
    }
}

#[derive(Deserialize)]
struct Granted {
    access_token: String,
    expires_in: Option<i64>,
}

impl Tokens {
    pub(super) fn new(settings: OauthSettings, token_url: Url, clock: Arc<dyn Clock>) -> Self {
        Self { settings, token_url, clock, last: Mutex::default(), refused: AtomicBool::new(false) }
    }

    /// A token that is good for now, as the value of `Authorization`.
    pub(super) async fn bearer(&self, http: &Http) -> Result<HeaderValue, DeliveryError> {
        let mut last = self.last.lock().await;
        let now = self.clock.now();
        match &*last {
            Last::Token { bearer, renew_at } if now < *renew_at => return Ok(bearer.clone()),
            Last::Failed { error, again_at } if now < *again_at => return Err((*error).into()),
            Last::None | Last::Token { .. } | Last::Failed { .. } => {}
        }
        match self.fetch(http, now).await {
            Ok((bearer, renew_at)) => {
                *last = Last::Token { bearer: bearer.clone(), renew_at };
                Ok(bearer)
            }
            Err(error) => {
                *last = Last::Failed { error, again_at: now + SHARED_FAILURE };
                Err(error.into())
            }
        }
    }

    /// Takes note of whether a token was accepted, and forgets one that was not, unless another has taken its place
    /// already. It may have been revoked, and the next one is new; a second one refused is a matter of rights.
    pub(super) async fn heard(&self, token: &HeaderValue, is_accepted: bool) -> Result<(), DeliveryError> {
        if is_accepted {
            self.refused.store(false, Ordering::Relaxed);
            return Ok(());
        }
        let mut last = self.last.lock().await;
        let is_last = matches!(&*last, Last::Token { bearer, .. } if bearer == token);
        if is_last {
            *last = Last::None;
            if self.refused.swap(true, Ordering::Relaxed) {
                return Err(DeliveryError::Credentials { code: codes::CREDENTIALS_REFUSED });
            }
        }
        Err(DeliveryError::Later { code: codes::TOKEN_REFUSED, after: None })
    }

    async fn fetch(&self, http: &Http, now: Timestamp) -> Result<(HeaderValue, Timestamp), TokenError> {
        let answer = self.ask(http).await?;
        match answer.status() {
            200 => read_token(&answer, now).ok_or(TokenError::Later(codes::RECEIVER_FAULT, None)),
            429 => Err(TokenError::Later(codes::THROTTLED, answer.retry_after())),
            408 | 500.. => Err(TokenError::Later(codes::UNREACHABLE, answer.retry_after())),
            status => {
                tracing::warn!(status, "the receiver's authorization server refuses us a token");
                Err(TokenError::Refused)
            }
        }
    }

    async fn ask(&self, http: &Http) -> Result<Answer, TokenError> {
        let OauthSettings { client_id, client_secret, scope, .. } = &self.settings;
        let scope = scope.as_ref().map(|scope| format!("&scope={}", encoded(scope))).unwrap_or_default();
        // Both are form-encoded before they are joined: RFC 6749, section 2.3.1.
        let login = format!("{}:{}", encoded(client_id), encoded(client_secret.expose_secret()));
        let mut basic = HeaderValue::try_from(format!("Basic {}", BASE64_STANDARD.encode(login)))
            .map_err(|_| TokenError::Refused)?;
        basic.set_sensitive(true);
        let request = http.post(self.token_url.clone()).header(AUTHORIZATION, basic);
        let request = request.header(CONTENT_TYPE, "application/x-www-form-urlencoded");
        let form = format!("grant_type=client_credentials{scope}");
        let sent = http.send(request, Outgoing::whole(form), TOKEN_BYTES).await;
        sent.map_err(|error| match error {
            // A token nobody uses is no effect that matters.
            SendError::NotSent | SendError::NoAnswer | SendError::Unreadable(_) => {
                TokenError::Later(codes::UNREACHABLE, None)
            }
        })
    }
}

fn read_token(answer: &Answer, now: Timestamp) -> Option<(HeaderValue, Timestamp)> {
    let granted: Granted = answer.json()?;
    let mut bearer = HeaderValue::try_from(format!("Bearer {}", granted.access_token)).ok()?;
    bearer.set_sensitive(true);
    // One that does not say how long it lives is asked for again soon.
    let life =
        SignedDuration::from_secs(granted.expires_in.unwrap_or(SHORT_LIFE_SECONDS).clamp(0, LONGEST_LIFE_SECONDS));
    // A token that lives for two minutes or less could not be renewed a minute early: half of its life then.
    Some((bearer, now + (life - (life / 2).min(RENEWED_EARLY))))
}

/// Text as a form carries it.
fn encoded(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => out.push(char::from(byte)),
            _ => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}

/// Tokens are a few kilobytes.
const TOKEN_BYTES: usize = 64 * 1024;
const RENEWED_EARLY: SignedDuration = SignedDuration::from_secs(60);
const SHARED_FAILURE: SignedDuration = SignedDuration::from_secs(1);
const SHORT_LIFE_SECONDS: i64 = 120;
const LONGEST_LIFE_SECONDS: i64 = 24 * 3600;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_encoded_as_forms_are() {
        assert_eq!(encoded("a b:æ/~"), "a%20b%3A%C3%A6%2F~");
    }
}
