//! Who gives tokens: where it is, as its metadata tells (RFC 8414), and what its clock says.
//!
//! The metadata is asked for before every grant, and now and then in between. While it cannot be had, what was set or told
//! last holds. An answer's Date shows how far our clock is off: nothing is signed by one that is wrong.

use std::sync::{Arc, Mutex, PoisonError};

use jiff::{SignedDuration, Timestamp};
use reqwest::Url;
use serde::Deserialize;

use super::SetupError;
use crate::adapters::http::{Answer, Http, Outgoing, address};
use crate::model::Alarm;
use crate::ports::{Clock, Concern};

/// The issuer of one client's tokens.
pub(super) struct Issuer {
    http: Arc<Http>,
    well_known: Option<Url>,
    clock: Arc<dyn Clock>,
    known: Mutex<Known>,
}

/// What is known of it.
struct Known {
    place: Place,
    /// How far our clock is before the issuer's.
    ahead: Option<SignedDuration>,
}

/// Where grants go.
#[derive(Debug, Clone)]
pub(super) struct Place {
    pub(super) token_url: Url,
    pub(super) audience: String,
}

/// Of the metadata what is needed.
#[derive(Deserialize)]
struct Metadata {
    issuer: String,
    token_endpoint: String,
}

impl Issuer {
    /// Asks for nothing yet.
    pub(super) fn new(http: Arc<Http>, well_known: Option<Url>, place: Place, clock: Arc<dyn Clock>) -> Self {
        Self { http, well_known, clock, known: Mutex::new(Known { place, ahead: None }) }
    }

    /// Asks where it is, and what its clock says.
    pub(super) async fn look(&self) -> Place {
        let place = self.known().place.clone();
        let url = self.well_known.clone().unwrap_or_else(|| place.token_url.clone());
        let asked_at = self.clock.now();
        let Ok(answer) = self.http.send(self.http.get(url), Outgoing::empty(), METADATA_BYTES).await else {
            return place;
        };
        self.compare_clocks(asked_at, &answer);
        let Some(well_known) = &self.well_known else { return place };
        match told(&answer, well_known) {
            Some(place) => {
                self.known().place = place.clone();
                place
            }
            None => {
                tracing::warn!(
                    status = answer.status(),
                    "the issuer does not tell its addresses; those that were set hold"
                );
                place
            }
        }
    }

    /// Notes how far our clock is off, where the answer to what was asked then tells.
    pub(super) fn compare_clocks(&self, asked_at: Timestamp, answer: &Answer) {
        if let Some(date) = answer.date() {
            self.known().ahead = Some(ahead_of(date, (asked_at, self.clock.now())));
        }
    }

    /// Tells whether our clock is right, as far as anybody knows.
    pub(super) fn clock_is_right(&self) -> bool {
        self.ahead().is_none()
    }

    /// What there is to say of the clock.
    pub(super) fn concern(&self) -> Option<Concern> {
        let ahead = self.ahead()?;
        let (seconds, way) = (ahead.abs().as_secs(), if ahead.is_negative() { "behind" } else { "ahead of" });
        let text =
            format!("our clock is {seconds} seconds {way} the token service's: nothing is signed until it is right");
        let alarm = Alarm { level: "off".to_owned(), due: Timestamp::UNIX_EPOCH, text };
        Some(Concern { about: "clock", alarm })
    }

    /// How far our clock is ahead, where that is too far.
    fn ahead(&self) -> Option<SignedDuration> {
        self.known().ahead.filter(|ahead| ahead.abs() > LARGEST_SKEW)
    }

    fn known(&self) -> std::sync::MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How far our clock is ahead of who dated an answer between its question and its arrival, at the least: however long it was
/// on its way, or we slept.
fn ahead_of(date: Timestamp, (asked_at, arrived_at): (Timestamp, Timestamp)) -> SignedDuration {
    let (ahead, behind) = (asked_at.duration_since(date), arrived_at.duration_since(date));
    if ahead.is_positive() { ahead } else { behind.min(SignedDuration::ZERO) }
}

/// What the metadata tell: only of the host that was asked, so that nobody else is ever signed for.
fn told(answer: &Answer, well_known: &Url) -> Option<Place> {
    let metadata: Metadata = answer.json().filter(|_| answer.status() == 200)?;
    let own = |text: &str| -> Option<Url> {
        let url = address(text, true).ok()?;
        (url.origin() == well_known.origin()).then_some(url)
    };
    own(&metadata.issuer)?;
    Some(Place { token_url: own(&metadata.token_endpoint)?, audience: metadata.issuer })
}

/// The URL of the metadata; plain http is for this machine only.
pub(super) fn well_known(text: Option<&String>) -> Result<Option<Url>, SetupError> {
    Ok(text.map(|text| address(text, true)).transpose()?)
}

/// What the issuer takes; a Date has no fractions and came some time ago.
const LARGEST_SKEW: SignedDuration = SignedDuration::from_secs(10);
const METADATA_BYTES: usize = 64 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_that_was_long_on_its_way_says_nothing_against_our_clock() {
        let second = |second| Timestamp::from_second(second).unwrap();
        for (date, ahead) in [(70, 30), (90, 10), (100, 0), (130, 0), (160, 0), (190, -30)] {
            let found = ahead_of(second(date), (second(100), second(160)));
            assert_eq!(found, SignedDuration::from_secs(ahead), "{date}");
        }
    }
}
