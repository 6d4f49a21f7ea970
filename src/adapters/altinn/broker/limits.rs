//! What one Maskinporten client may ask of Broker in a minute, as Altinn has published it for each kind of call.

use crate::rate::Rate;

/// The calls of one client, from all receivers that are that client.
#[derive(Debug, Default)]
pub struct BrokerLimits {
    pub(super) begin: Limit,
    pub(super) upload: Limit,
    pub(super) overview: Limit,
    pub(super) details: Limit,
    pub(super) search: Limit,
}

impl BrokerLimits {
    /// So many calls of each kind in any minute, and so many of those that are costly; `None` for any number.
    pub fn per_minute(calls: Option<usize>, costly: Option<usize>) -> Self {
        Self {
            begin: Limit::of(calls),
            upload: Limit::of(calls),
            overview: Limit::of(calls),
            details: Limit::of(costly),
            search: Limit::of(costly),
        }
    }
}

/// One kind of call.
#[derive(Debug, Default)]
pub(super) struct Limit(Option<Rate>);

impl Limit {
    fn of(most: Option<usize>) -> Self {
        Self(most.map(Rate::per_minute))
    }

    /// Waits until one more may be made.
    pub(super) async fn turn(&self) {
        if let Some(rate) = &self.0 {
            rate.turn().await;
        }
    }
}
