//! Altinn tokens: fetched once for all who wait, kept, and renewed before they expire.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue};
use reqwest::{RequestBuilder, Url};
use serde::Deserialize;
use tokio::sync::Mutex;

use super::grant::Signer;
use super::issuer::{Issuer, Place};
use crate::adapters::certificate;
use crate::adapters::http::{Answer, Http, Outgoing, SendError};
use crate::codes;
use crate::model::Code;
use crate::ports::{Clock, Concern, DeliveryError};

/// Gives tokens for one Maskinporten client.
pub(super) struct Tokens {
    http: Arc<Http>,
    signer: Signer,
    issuer: Issuer,
    exchange_url: Url,
    clock: Arc<dyn Clock>,
    current: RwLock<Option<Arc<Token>>>,
    flight: Mutex<Option<Landed>>,
    flights: AtomicU64,
}

/// A token as the platform and the apps take it.
pub(super) struct Token {
    bearer: HeaderValue,
    renew_at: Timestamp,
    expires_at: Timestamp,
}

/// A fetch that failed: those who were waiting for it share its failure instead of asking again, each in turn.
struct Landed {
    flight: u64,
    error: TokenError,
}

/// Why there is no token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TokenError {
    /// Refused: a matter of configuration.
    Refused,
    /// Our clock is wrong: nothing was asked for.
    ClockOff,
    /// Not now.
    Later(Code, Option<Duration>),
}

impl From<TokenError> for DeliveryError {
    fn from(error: TokenError) -> Self {
        match error {
            TokenError::Refused => Self::Credentials { code: codes::TOKEN_REFUSED },
            TokenError::ClockOff => Self::Credentials { code: codes::CLOCK_OFF },
            TokenError::Later(code, after) => Self::Later { code, after },
        }
    }
}

impl Token {
    /// Puts the token on a request.
    pub(super) fn sign(&self, request: RequestBuilder) -> RequestBuilder {
        request.header(AUTHORIZATION, self.bearer.clone())
    }
}

impl Tokens {
    /// Fetches nothing yet.
    pub(super) fn new(
        http: Arc<Http>,
        signer: Signer,
        issuer: Issuer,
        exchange_url: Url,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self {
            http,
            signer,
            issuer,
            exchange_url,
            clock,
            current: RwLock::default(),
            flight: Mutex::default(),
            flights: AtomicU64::new(0),
        }
    }

    /// A token that is good for now. Whoever finds none waits for one; while a good one is being renewed it is used.
    pub(super) async fn token(&self) -> Result<Arc<Token>, TokenError> {
        if let Some(token) = self.fresh() {
            return Ok(token);
        }
        let waiting_for = self.flights.load(Ordering::Acquire);
        let mut landed = match (self.flight.try_lock(), self.good()) {
            (Ok(landed), _) => landed,
            (Err(_), Some(token)) => return Ok(token),
            (Err(_), None) => self.flight.lock().await,
        };
        if let Some(token) = self.fresh() {
            return Ok(token);
        }
        if let Some(failed) = landed.as_ref().filter(|failed| failed.flight > waiting_for) {
            return Err(failed.error);
        }
        let fetched = self.fetch().await;
        let flight = self.flights.fetch_add(1, Ordering::AcqRel) + 1;
        match fetched.or_else(|error| self.postponed().ok_or(error)) {
            Ok(token) => {
                *landed = None;
                let token = Arc::new(token);
                *self.current.write().unwrap_or_else(PoisonError::into_inner) = Some(token.clone());
                Ok(token)
            }
            Err(error) => {
                *landed = Some(Landed { flight, error });
                Err(error)
            }
        }
    }

    /// Forgets a token that was not accepted, unless another has taken its place already.
    pub(super) fn drop_token(&self, refused: &Token) {
        let mut current = self.current.write().unwrap_or_else(PoisonError::into_inner);
        if current.as_ref().is_some_and(|token| token.bearer == refused.bearer) {
            *current = None;
        }
    }

    /// The token we have, to be renewed a little later: renewal failed, and each request would wait for it anew.
    fn postponed(&self) -> Option<Token> {
        let token = self.good()?;
        let renew_at = self.clock.now().checked_add(RENEWED_AGAIN).ok()?;
        Some(Token { bearer: token.bearer.clone(), renew_at, expires_at: token.expires_at })
    }

    fn good(&self) -> Option<Arc<Token>> {
        self.current().filter(|token| self.clock.now() < token.expires_at)
    }

    fn current(&self) -> Option<Arc<Token>> {
        self.current.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn fresh(&self) -> Option<Arc<Token>> {
        self.good().filter(|token| self.clock.now() < token.renew_at)
    }

    async fn fetch(&self) -> Result<Token, TokenError> {
        let grant = self.granted().await?;
        let answer = self.exchange(&grant).await?;
        // A token revoked in the meantime; the next one is new.
        let answer = if answer.status() == 401 { self.exchange(&self.granted().await?).await? } else { answer };
        match answer.status() {
            200 => self.read_token(&answer).ok_or(TokenError::Later(codes::RECEIVER_FAULT, None)),
            status => Err(refusal("the token exchange", status, &answer)),
        }
    }

    async fn exchange(&self, grant: &str) -> Result<Answer, TokenError> {
        let mut bearer = HeaderValue::try_from(format!("Bearer {grant}"))
            .map_err(|_| TokenError::Later(codes::RECEIVER_FAULT, None))?;
        bearer.set_sensitive(true);
        let request = self.http.get(self.exchange_url.clone()).header(AUTHORIZATION, bearer);
        self.http.send(request, Outgoing::empty(), TOKEN_BYTES).await.map_err(unreachable_service)
    }

    /// What our operator should know of.
    pub(super) async fn concerns(&self, now: Timestamp) -> Vec<Concern> {
        self.issuer.look().await;
        let what = "the key for Maskinporten, or its certificate,";
        let key = self.signer.ends_at().and_then(|ends_at| certificate::ending("key", what, ends_at, now));
        self.issuer.concern().into_iter().chain(key).collect()
    }

    /// A Maskinporten token. `invalid_grant` covers a grant already used and a clock that is a little off, which a new grant
    /// by the server's clock cures; anything else it covers is refused again.
    async fn granted(&self) -> Result<String, TokenError> {
        let place = self.issuer.look().await;
        let asked_at = self.clock.now();
        let answer = self.ask(&place, asked_at).await?;
        if !is_invalid_grant(&answer) {
            return read_grant(&answer);
        }
        self.issuer.compare_clocks(asked_at, &answer);
        read_grant(&self.ask(&place, answer.date().unwrap_or_else(|| self.clock.now())).await?)
    }

    async fn ask(&self, place: &Place, now: Timestamp) -> Result<Answer, TokenError> {
        if !self.issuer.clock_is_right() {
            return Err(TokenError::ClockOff);
        }
        let assertion = self.signer.sign(now, &place.audience).map_err(|_| TokenError::Refused)?;
        // A JWT is base64url and dots: nothing in it needs escaping.
        let form = format!("grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer&assertion={assertion}");
        let request = self.http.post(place.token_url.clone()).header(CONTENT_TYPE, "application/x-www-form-urlencoded");
        self.http.send(request, Outgoing::whole(form), TOKEN_BYTES).await.map_err(unreachable_service)
    }

    fn read_token(&self, answer: &Answer) -> Option<Token> {
        let text = std::str::from_utf8(answer.body()?).ok()?.trim().trim_matches('"');
        let now = self.clock.now();
        let expires_at = expiry(text)?;
        let life = expires_at.duration_since(now);
        // A token that lives for two minutes or less could not be renewed a minute early: half of its life then.
        let margin = (life / 2).clamp(SignedDuration::ZERO, RENEWED_EARLY);
        let mut bearer = HeaderValue::try_from(format!("Bearer {text}")).ok()?;
        bearer.set_sensitive(true);
        Some(Token { bearer, renew_at: expires_at.checked_sub(margin).ok()?, expires_at })
    }
}

#[derive(Deserialize)]
struct Granted {
    access_token: String,
}

#[derive(Deserialize)]
struct Refusal {
    error: String,
    #[serde(default)]
    error_description: String,
}

#[derive(Deserialize)]
struct Expiry {
    exp: i64,
}

fn read_grant(answer: &Answer) -> Result<String, TokenError> {
    match answer.status() {
        200 => answer
            .json::<Granted>()
            .map(|granted| granted.access_token)
            .ok_or(TokenError::Later(codes::RECEIVER_FAULT, None)),
        status => Err(refusal("Maskinporten", status, answer)),
    }
}

fn is_invalid_grant(answer: &Answer) -> bool {
    answer.status() == 400 && answer.json::<Refusal>().is_some_and(|refusal| refusal.error == "invalid_grant")
}

/// What a refused token means, and the one line the operator gets about it.
fn refusal(who: &'static str, status: u16, answer: &Answer) -> TokenError {
    let error = match status {
        429 => TokenError::Later(codes::THROTTLED, answer.retry_after()),
        408 | 500.. => TokenError::Later(codes::UNREACHABLE, answer.retry_after()),
        _ => TokenError::Refused,
    };
    if error == TokenError::Refused {
        let code = answer.json::<Refusal>().and_then(|refusal| maskinporten_code(&refusal.error_description));
        tracing::warn!(status, code = code.as_deref().unwrap_or("none"), "{who} refuses us a token");
    }
    error
}

/// The `MP-` number in an error's text, for the operator; nothing else of the text is shown or decides anything.
fn maskinporten_code(text: &str) -> Option<String> {
    let (_, rest) = text.split_once("MP-")?;
    let digits: String = rest.chars().take_while(char::is_ascii_digit).take(4).collect();
    (!digits.is_empty()).then(|| format!("MP-{digits}"))
}

fn expiry(jwt: &str) -> Option<Timestamp> {
    let claims = jsonwebtoken::dangerous::insecure_decode::<Expiry>(jwt).ok()?;
    Timestamp::from_second(claims.claims.exp).ok()
}

fn unreachable_service(error: SendError) -> TokenError {
    match error {
        // A grant or an exchange without an answer had no effect that matters: a token nobody uses.
        SendError::NotSent | SendError::NoAnswer | SendError::Unreadable(_) => {
            TokenError::Later(codes::UNREACHABLE, None)
        }
    }
}

/// Tokens and refusals are a few kilobytes.
const TOKEN_BYTES: usize = 64 * 1024;
/// So that none expires on its way.
const RENEWED_EARLY: SignedDuration = SignedDuration::from_secs(60);
/// Between attempts to renew a token that is still good.
const RENEWED_AGAIN: SignedDuration = SignedDuration::from_secs(10);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_number_of_a_refusal_is_kept() {
        assert_eq!(maskinporten_code("MP-012 Grant is used before by 01017012345").as_deref(), Some("MP-012"));
        assert_eq!(maskinporten_code("Invalid assertion"), None);
        assert_eq!(maskinporten_code("MP-x"), None);
    }
}
