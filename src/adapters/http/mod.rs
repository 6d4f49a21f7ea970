//! The client side of HTTP that the receivers share: sending, waiting, and telling what a failure means.
//!
//! A request either certainly had no effect, or nobody knows; [`SendError`] says which. Bodies of answers may carry
//! personal data: they are read up to a limit, never logged.

mod answer;
mod body;
mod multipart;

use std::error::Error;
use std::io;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use reqwest::{Certificate, Client, Identity, Method, RequestBuilder, Url};
use secrecy::{ExposeSecret as _, SecretString};

use crate::codes;
use crate::ports::DeliveryError;

pub(super) use answer::Answer;
pub(super) use body::Outgoing;
pub(super) use multipart::{FormPart, form};

/// A client with its own connections and its own waits.
pub(super) struct Http {
    client: Client,
    answer_wait: Duration,
    // Told when it begins and when it ends, not for each of a million items in between.
    trouble: AtomicBool,
}

/// Certificates beside the machine's.
#[derive(Debug, Clone, Default)]
pub struct Trust {
    /// Our own certificate, the chain behind it and its private key, PEM.
    pub identity: Option<SecretString>,
    /// Authorities that the server's certificate must come from, PEM, in place of the machine's.
    pub authorities: Option<String>,
}

/// How long to wait for what.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Waits {
    /// For a connection to open.
    pub connect_ms: u64,
    /// For an answer, and for each step of a long body.
    pub answer_ms: u64,
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub(super) enum SendError {
    /// No connection: nothing was sent.
    #[error("no connection")]
    NotSent,
    /// The request may have arrived; the answer did not.
    #[error("no answer")]
    NoAnswer,
    /// Our own content failed while it was being sent; the request was broken off.
    #[error("the staged file cannot be read")]
    Unreadable(#[source] io::Error),
}

impl SendError {
    /// What it means for an effect that was asked for.
    pub(super) fn of_effect(self) -> DeliveryError {
        match self {
            Self::NotSent => DeliveryError::Later { code: codes::UNREACHABLE, after: None },
            Self::NoAnswer => DeliveryError::Unknown { code: codes::OUTCOME_UNKNOWN },
            Self::Unreadable(error) => DeliveryError::Unreadable(error),
        }
    }

    /// What it means for a look at an earlier effect: that is as unknown as before.
    pub(super) fn of_look_up(self) -> DeliveryError {
        match self {
            Self::NotSent => DeliveryError::Unknown { code: codes::UNREACHABLE },
            Self::NoAnswer | Self::Unreadable(_) => DeliveryError::Unknown { code: codes::OUTCOME_UNKNOWN },
        }
    }
}

/// An address that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// Not a URL with a host.
    #[error("`{0}` is not an http or https address")]
    NotAnAddress(String),
    /// Secrets would travel in the clear.
    #[error("`{0}` must be https: only loopback addresses may do without")]
    NotSecure(String),
}

impl Http {
    /// Makes a client for the given addresses; certificates are only needed when one of them is https.
    pub(super) fn new(waits: Waits, addresses: &[&Url]) -> Result<Self, reqwest::Error> {
        Self::trusting(waits, addresses, &Trust::default())
    }

    /// The same with certificates of its own.
    pub(super) fn trusting(waits: Waits, addresses: &[&Url], trust: &Trust) -> Result<Self, reqwest::Error> {
        let mut builder = Client::builder()
            .connect_timeout(Duration::from_millis(waits.connect_ms))
            .redirect(reqwest::redirect::Policy::none())
            .pool_idle_timeout(IDLE_CONNECTION)
            .tcp_nodelay(true)
            .user_agent(concat!("sluse/", env!("CARGO_PKG_VERSION")));
        // A machine without any CA certificates can still run against the simulator.
        if addresses.iter().all(|url| url.scheme() == "http") {
            builder = builder.tls_certs_only([]);
        }
        // A proxy from the environment would carry loopback requests out of the machine.
        if addresses.iter().all(|url| is_loopback(url)) {
            builder = builder.no_proxy();
        }
        if let Some(identity) = &trust.identity {
            builder = builder.identity(Identity::from_pem(identity.expose_secret().as_bytes())?);
        }
        if let Some(authorities) = &trust.authorities {
            builder = builder.tls_certs_only(Certificate::from_pem_bundle(authorities.as_bytes())?);
        }
        let answer_wait = Duration::from_millis(waits.answer_ms);
        Ok(Self { client: builder.build()?, answer_wait, trouble: AtomicBool::new(false) })
    }

    /// Starts a GET.
    pub(super) fn get(&self, url: Url) -> RequestBuilder {
        self.client.get(url)
    }

    /// Starts a POST.
    pub(super) fn post(&self, url: Url) -> RequestBuilder {
        self.client.post(url)
    }

    /// Starts a request of another kind.
    pub(super) fn request(&self, method: Method, url: Url) -> RequestBuilder {
        self.client.request(method, url)
    }

    /// Sends a request and reads its answer, of which at most `limit` bytes are kept.
    pub(super) async fn send(
        &self,
        request: RequestBuilder,
        body: Outgoing,
        limit: usize,
    ) -> Result<Answer, SendError> {
        let (body, watch) = body.into_parts();
        let mut sending = pin!(request.body(body).send());
        let mut moved = watch.moved();
        let sent = loop {
            match tokio::time::timeout(self.answer_wait, &mut sending).await {
                Ok(sent) => break sent,
                // A long body is no reason to give up as long as it moves.
                Err(_) if watch.moved() != moved => moved = watch.moved(),
                Err(_) => return Err(watch.fault().map_or(SendError::NoAnswer, SendError::Unreadable)),
            }
        };
        if let Some(fault) = watch.fault() {
            return Err(SendError::Unreadable(fault));
        }
        match sent {
            Ok(response) => {
                self.well();
                Ok(Answer::read(response, limit, self.answer_wait).await)
            }
            Err(error) => {
                let not_sent = error.is_connect() || error.is_builder();
                self.troubled(error);
                Err(if not_sent { SendError::NotSent } else { SendError::NoAnswer })
            }
        }
    }

    fn well(&self) {
        if self.trouble.swap(false, Ordering::Relaxed) {
            tracing::info!("there are answers again");
        }
    }

    fn troubled(&self, error: reqwest::Error) {
        if !self.trouble.swap(true, Ordering::Relaxed) {
            tracing::warn!(cause = cause(error), "a request got no answer");
        }
    }
}

/// Reads an address; one that may carry secrets must be https unless it is loopback.
pub(super) fn address(text: &str, carries_secrets: bool) -> Result<Url, AddressError> {
    let url = Url::parse(text).map_err(|_| AddressError::NotAnAddress(text.to_owned()))?;
    let secure = url.scheme() == "https";
    if url.host_str().is_none() || !(secure || url.scheme() == "http") || url.cannot_be_a_base() {
        return Err(AddressError::NotAnAddress(text.to_owned()));
    }
    if carries_secrets && !secure && !is_loopback(&url) {
        return Err(AddressError::NotSecure(text.to_owned()));
    }
    Ok(url)
}

fn is_loopback(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default().trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

/// An error with what is behind it, without the address: a status address ends with an item's key.
fn cause(error: reqwest::Error) -> String {
    let error = error.without_url();
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(behind) = source {
        text.push_str(&format!(": {behind}"));
        source = behind.source();
    }
    text
}

/// Shorter than servers usually keep an idle connection, so that a request seldom meets one that is just closing.
const IDLE_CONNECTION: Duration = Duration::from_secs(20);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_travel_over_https_or_not_at_all() {
        assert!(address("https://platform.altinn.no", true).is_ok());
        for loopback in ["http://127.0.0.1:8080/", "http://localhost/x", "http://[::1]:1"] {
            assert!(address(loopback, true).is_ok(), "{loopback}");
        }
        assert!(matches!(address("http://agency.example/in", true), Err(AddressError::NotSecure(_))));
        assert!(address("http://agency.example/in", false).is_ok());
        for bad in ["", "agency.example", "mailto:a@b", "ftp://agency.example", "file:///etc"] {
            assert!(matches!(address(bad, false), Err(AddressError::NotAnAddress(_))), "{bad}");
        }
    }
}
