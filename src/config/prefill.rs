//! `[prefill]`: what is kept until it is wanted.

use std::net::SocketAddr;

use secrecy::{ExposeSecret as _, SecretString};

use super::files;
use super::reader::Section;

/// When what is kept is woken, and where apps ask for it.
#[derive(Debug, Clone, Default)]
pub struct PrefillConfig {
    /// Minutes after midnight in Norway: a day is taken to have come then.
    pub at_minute: u16,
    /// Where apps ask; `None` for nowhere.
    pub service: Option<PrefillService>,
}

/// Where apps ask for what is kept for them.
#[derive(Debug, Clone)]
pub struct PrefillService {
    /// The address.
    pub listen: SocketAddr,
    /// What they must show.
    pub token: SecretString,
}

/// Reads `[prefill]`.
pub(super) fn read(section: &Section<'_>, serves: bool) -> PrefillConfig {
    let at_minute = match section.text("at") {
        None => DEFAULT_MINUTE,
        Some(text) => minute(&text).unwrap_or_else(|| {
            section.fault("at", "must be a time of day such as \"06:00\"");
            DEFAULT_MINUTE
        }),
    };
    PrefillConfig { at_minute, service: service(section, serves) }
}

/// It gives forms away: what is not loopback is pointed out, and a token is a must.
fn service(section: &Section<'_>, serves: bool) -> Option<PrefillService> {
    let listen: Option<SocketAddr> = section.parsed("listen");
    let token = files::secret(section, "token_file");
    if listen.is_none() {
        if serves && !section.has("listen") {
            section.fault("listen", "is missing: a service has mode = \"serve\", and its app could not ask");
        }
        return None;
    }
    let listen = listen?;
    if !section.has("token_file") {
        section.fault("token_file", "is missing: forms are given to who shows the token only");
    }
    let token = token?;
    let text = token.expose_secret();
    if text.len() < SHORTEST_TOKEN || !text.bytes().all(|byte| byte.is_ascii_graphic()) {
        section.fault("token_file", "must hold one line of at least 32 visible characters without blanks");
        return None;
    }
    if !listen.ip().is_loopback() {
        let place = section.place("listen");
        section.source().warn(format!("{place}: forms travel unencrypted to who asks; put a TLS proxy before it"));
    }
    Some(PrefillService { listen, token })
}

fn minute(text: &str) -> Option<u16> {
    let (hour, minute) = text.split_once(':').filter(|(hour, minute)| hour.len() == 2 && minute.len() == 2)?;
    let (hour, minute): (u16, u16) = (hour.parse().ok()?, minute.parse().ok()?);
    (hour < 24 && minute < 60).then_some(hour * 60 + minute)
}

/// Six in the morning: notifications that apps send wake nobody.
const DEFAULT_MINUTE: u16 = 6 * 60;
/// Too long to be guessed.
const SHORTEST_TOKEN: usize = 32;
