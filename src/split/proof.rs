//! That what was cut out is a valid batch: it is judged before it leaves.

use std::io::{self, Read};

use crate::model::Route;
use crate::validate::{JudgeError, Judging, Limits, judge};

/// Tells whether a batch of so many items is one by the rules its items were judged by: the schema, the format's rules and
/// the route's. `size_bytes` is not known before it is written, and the limit for files is not one for batches.
pub fn is_valid(batch: &mut dyn Read, route: &Route, partner: &str, items: u64) -> io::Result<bool> {
    let routes = std::slice::from_ref(route);
    let judging = Judging { routes, partner, shipment: "", size_bytes: 0, limits: Limits::default() };
    let judgement = judge(batch, &judging, &mut |_| Ok(())).map_err(|error| match error {
        JudgeError::Unreadable(error) | JudgeError::NotKept(error) => error,
    })?;
    Ok(judgement.refusal.is_none() && judgement.items_total == items && judgement.items_refused == 0)
}
