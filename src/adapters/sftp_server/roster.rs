//! Who may log in just now, and what each partner has: replaced as a whole while connections go on.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use crate::model::{PartnerId, WeekHours};

use super::backlog::SHARED_BYTES;
use super::bandwidth::Bandwidth;
use super::login::Logins;
use super::login_key::read_line;
use super::offers::Age;
use super::settings::{Network, PartnerAccess, SetupError, SftpLimits};
use super::tree::Tree;

/// The partners and their logins.
pub(super) struct Roster {
    pub(super) logins: Logins,
    seats: HashMap<PartnerId, Arc<PartnerSeat>>,
}

/// A partner and what more it may have.
pub(super) struct PartnerSeat {
    pub(super) tree: Tree,
    /// Where its logins may come from; empty means anywhere.
    pub(super) addresses: Vec<Network>,
    pub(super) older_algorithms: bool,
    /// When its logins are taken; empty means always.
    pub(super) hours: Vec<WeekHours>,
    pub(super) time_zone: TimeZone,
    pub(super) shares: Shares,
}

/// What all connections of a partner share, also those that came before the roster was replaced.
#[derive(Clone)]
pub(super) struct Shares {
    /// Connections.
    pub(super) seats: Arc<Semaphore>,
    /// Channels and open handles of all its connections together: each takes memory or open files of ours.
    pub(super) channels: Arc<Semaphore>,
    pub(super) handles: Arc<Semaphore>,
    /// Bytes of requests that all its channels keep unanswered, beyond a little of each channel's own.
    pub(super) backlog: Arc<Semaphore>,
    pub(super) bandwidth: Option<Arc<Bandwidth>>,
    /// Cancelled when the partner may be here no longer.
    pub(super) shown_out: CancellationToken,
}

impl Roster {
    /// Checks the partners. Those of the roster before keep what their connections share.
    pub(super) fn new(
        partners: &[PartnerAccess],
        revoked: &str,
        limits: &SftpLimits,
        before: Option<&Self>,
    ) -> Result<Self, SetupError> {
        let logins = Logins::read(partners, revoked)?;
        let mut seats = HashMap::new();
        for access in partners {
            let known = before.and_then(|before| before.seats.get(&access.partner));
            let shares = known.map_or_else(|| Shares::new(access, limits), |known| known.shares.clone());
            seats.insert(access.partner.clone(), Arc::new(PartnerSeat::new(access, shares)?));
        }
        Ok(Self { logins, seats })
    }

    /// What a partner has; `None` when it is not, or no longer, on the roster.
    pub(super) fn seat(&self, partner: &PartnerId) -> Option<Arc<PartnerSeat>> {
        self.seats.get(partner).cloned()
    }

    /// Ends the connections of partners that are not on the next roster.
    pub(super) fn give_way_to(&self, next: &Self) {
        for (partner, seat) in &self.seats {
            if !next.seats.contains_key(partner) {
                tracing::info!(%partner, "the partner may no longer log in");
                seat.shares.shown_out.cancel();
            }
        }
    }
}

impl PartnerSeat {
    fn new(access: &PartnerAccess, shares: Shares) -> Result<Self, SetupError> {
        Ok(Self {
            tree: Tree::new(access)?,
            addresses: access.addresses.clone(),
            older_algorithms: access.older_algorithms,
            hours: access.hours.clone(),
            time_zone: access.time_zone.clone(),
            shares,
        })
    }

    /// Why a login that is right in itself is not taken on this connection.
    pub(super) fn barred(&self, from: IpAddr, age: Age, now: Timestamp) -> Option<&'static str> {
        let address = from.to_canonical();
        if !self.addresses.is_empty() && !self.addresses.iter().any(|network| network.contains(&address)) {
            return Some("the address is not one of the partner's");
        }
        if !self.hours.is_empty() && !self.hours.iter().any(|hours| hours.contain(now, &self.time_zone)) {
            return Some("it is outside the partner's hours");
        }
        // The address is one of another partner that asked for older algorithms.
        (age == Age::Older && !self.older_algorithms).then_some("the partner takes no older algorithms")
    }
}

/// A login as `sluse partner test` asks about it.
#[derive(Debug, Clone)]
pub struct Attempt<'a> {
    /// User name.
    pub user: &'a str,
    /// The public key it shows, as OpenSSH writes it; without one the password is taken to be right.
    pub key: Option<&'a str>,
    /// Where it comes from.
    pub from: Option<IpAddr>,
    /// When.
    pub now: Timestamp,
}

/// Why a login would be refused; `None` when it would be taken, all other connections aside.
pub fn refusal(partners: &[PartnerAccess], revoked: &str, attempt: &Attempt<'_>) -> Result<Option<String>, SetupError> {
    let roster = Roster::new(partners, revoked, &SftpLimits::default(), None)?;
    let has = |access: &&PartnerAccess| access.logins.iter().any(|login| login.user == attempt.user);
    let Some(access) = partners.iter().find(has) else { return Ok(Some("there is no such user".to_owned())) };
    if let Some(line) = attempt.key {
        let key = match read_line(line) {
            Ok(read) => read.key,
            Err(bad) => return Ok(Some(bad.to_string())),
        };
        if roster.logins.by_key(attempt.user, &key, attempt.now).is_none() {
            return Ok(Some("the key is not one of the user's, has ended or is revoked".to_owned()));
        }
    } else if access.logins.iter().any(|login| login.user == attempt.user && login.password_hash.is_none()) {
        return Ok(Some("the user has no password".to_owned()));
    }
    let Some(seat) = roster.seat(&access.partner) else { return Ok(None) };
    let from = attempt.from.or_else(|| seat.addresses.first().map(ipnet::IpNet::addr));
    let from = from.unwrap_or(IpAddr::V4(Ipv4Addr::LOCALHOST));
    Ok(seat.barred(from, Age::Modern, attempt.now).map(str::to_owned))
}

impl Shares {
    /// What a partner's connections begin with.
    pub(super) fn new(access: &PartnerAccess, limits: &SftpLimits) -> Self {
        let [seats, channels, handles] =
            [limits.max_connections_per_partner, limits.max_channels_per_partner, limits.max_handles_per_partner]
                .map(|most| Arc::new(Semaphore::new(most)));
        let bandwidth = access.bytes_per_second.map(Bandwidth::new).map(Arc::new);
        let backlog = Arc::new(Semaphore::new(SHARED_BYTES));
        Self { seats, channels, handles, backlog, bandwidth, shown_out: CancellationToken::new() }
    }
}
