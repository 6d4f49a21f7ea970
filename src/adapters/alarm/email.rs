//! Notices by e-mail, over SMTP; one that is sent again bears the same Message-ID.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use lettre::address::Envelope;
use lettre::message::header::ContentType;
use lettre::message::{Mailbox, Message};
use lettre::transport::smtp::authentication::Credentials;
use lettre::{AsyncSmtpTransport, AsyncTransport as _, Tokio1Executor};
use secrecy::{ExposeSecret as _, SecretString};
use tokio::time::Instant;

use super::id;
use crate::ports::{Channel, ChannelError, Notice};

/// A mail server, and who is written to.
#[derive(Debug, Clone)]
pub struct EmailSettings {
    /// Its name or address.
    pub server: String,
    /// Its port.
    pub port: u16,
    /// How the connection is kept private.
    pub tls: MailTls,
    /// Whom we log in as.
    pub login: Option<(String, SecretString)>,
    /// Who writes.
    pub from: String,
    /// Who is written to.
    pub to: Vec<String>,
}

/// How a connection to a mail server is kept private.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MailTls {
    /// It begins in the clear and must become private.
    StartTls,
    /// It is private from the beginning.
    Wrapped,
    /// It stays in the clear.
    None,
}

/// Settings that cannot work.
#[derive(Debug, thiserror::Error)]
pub enum EmailSetupError {
    /// An address.
    #[error("`{0}` is not an e-mail address")]
    BadAddress(String),
    /// The machine's TLS set-up.
    #[error("no TLS client can be made for the mail server: are the machine's CA certificates installed?")]
    Tls(#[source] lettre::transport::smtp::Error),
}

/// Writes a mail for each notice, and sends it to each recipient on its own.
pub struct EmailChannel {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    from: Mailbox,
    to: Vec<Mailbox>,
    /// Of notices that not everybody could be told of yet: who was, by their places.
    told: Mutex<HashMap<String, BTreeSet<usize>>>,
}

impl EmailChannel {
    /// Checks the settings; nothing is sent yet.
    pub fn new(settings: EmailSettings) -> Result<Self, EmailSetupError> {
        let mailbox = |text: &String| text.parse::<Mailbox>().map_err(|_| EmailSetupError::BadAddress(text.clone()));
        let (from, server) = (mailbox(&settings.from)?, settings.server.as_str());
        let to = settings.to.iter().map(mailbox).collect::<Result<_, _>>()?;
        let builder = match settings.tls {
            MailTls::StartTls => AsyncSmtpTransport::<Tokio1Executor>::starttls_relay(server),
            MailTls::Wrapped => AsyncSmtpTransport::<Tokio1Executor>::relay(server),
            MailTls::None => Ok(AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(server)),
        };
        let mut builder = builder.map_err(EmailSetupError::Tls)?.port(settings.port).timeout(Some(LONGEST_ANSWER));
        if let Some((user, password)) = settings.login {
            builder = builder.credentials(Credentials::new(user, password.expose_secret().to_owned()));
        }
        Ok(Self { transport: builder.build(), from, to, told: Mutex::default() })
    }

    /// Takes what is remembered of a notice.
    fn told(&self, id: &str) -> BTreeSet<usize> {
        self.told.lock().unwrap_or_else(PoisonError::into_inner).remove(id).unwrap_or_default()
    }

    /// Remembers who was told, until it is tried again. What is forgotten, as after a restart, comes once more with the
    /// same Message-ID.
    fn remember(&self, id: String, told: BTreeSet<usize>) {
        let mut all = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        if all.len() >= MOST_REMEMBERED {
            all.clear();
        }
        all.insert(id, told);
    }

    fn message(&self, notice: &Notice) -> Result<Message, lettre::error::Error> {
        let Notice { subject, alarm, is_over, at, .. } = notice;
        let title = if *is_over { format!("over: {subject}") } else { format!("{}: {subject}", alarm.level) };
        let body = match is_over {
            false => format!("{}.\n\nSince {at}. You are told once, and again when it is over.\n", alarm.text),
            true => format!("This is over since {at}:\n\n{}.\n", alarm.text),
        };
        let id = format!("<sluse-{}@{}>", id(notice), self.from.email.domain());
        let mut message = Message::builder().from(self.from.clone()).subject(format!("[sluse] {title}"));
        for to in &self.to {
            message = message.to(to.clone());
        }
        message.message_id(Some(id)).header(ContentType::TEXT_PLAIN).body(body)
    }
}

#[async_trait]
impl Channel for EmailChannel {
    async fn send(&self, notice: &Notice) -> Result<(), ChannelError> {
        let message = self.message(notice).map_err(|error| ChannelError(format!("no mail can be written: {error}")))?;
        let (text, deadline) = (message.formatted(), Instant::now() + LONGEST_SENDING);
        let (id, mut refused, mut later) = (id(notice), None, None);
        let mut told = self.told(&id);
        // Each on its own: a server that refuses one mailbox of several takes the mail for none of them.
        for (place, to) in (1_usize..).zip(&self.to) {
            if told.contains(&place) {
                continue;
            }
            let envelope = Envelope::new(Some(self.from.email.clone()), vec![to.email.clone()]);
            let envelope = envelope.map_err(|error| ChannelError(format!("no mail can be written: {error}")))?;
            let sent = tokio::time::timeout_at(deadline, self.transport.send_raw(&envelope, &text)).await;
            let (why, is_reached, is_final) = match sent {
                Ok(Ok(_)) => {
                    told.insert(place);
                    continue;
                }
                Ok(Err(error)) => said(&error),
                Err(_elapsed) => ("the mail server took too long".to_owned(), false, false),
            };
            tracing::warn!(channel = notice.channel, place, why, "a mail is not taken for one of its recipients");
            let trouble = if is_final { &mut refused } else { &mut later };
            *trouble = Some(why);
            // Whoever comes next would wait as long for nothing.
            if !is_reached {
                break;
            }
        }
        // A mailbox that is gone is no reason to try again, unless nobody was told.
        let trouble = later.or(refused.filter(|_| told.is_empty()));
        let Some(why) = trouble else { return Ok(()) };
        self.remember(id, told);
        Err(ChannelError(why))
    }
}

/// What the mail server answered, by its number alone since its words may name people; whether it answered at all, and
/// whether for good.
fn said(error: &lettre::transport::smtp::Error) -> (String, bool, bool) {
    match error.status() {
        Some(code) => (format!("the mail server answered {code}"), true, error.is_permanent()),
        None => ("the mail server cannot be reached".to_owned(), false, false),
    }
}

/// Notices whose recipients are remembered: a mail server that is slow to trust is tried again within minutes.
const MOST_REMEMBERED: usize = 256;

/// How long the mails of one notice may take; less than the channel is given, so that what was taken is known.
const LONGEST_SENDING: Duration = Duration::from_secs(55);

/// How long the server may take for an answer.
const LONGEST_ANSWER: Duration = Duration::from_secs(30);
