//! Limits on what a client may ask in a time, as an API gateway sets them: by client and call, over a sliding window.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use super::faults::Call;

/// How much each client may ask.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LimitPlan {
    /// The time over which calls are counted.
    pub window_ms: u64,
    /// A rule for each call that has a limit.
    pub rules: Vec<Limit>,
}

/// How often a client may make a call within the window.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Limit {
    /// The call.
    pub call: Call,
    /// How often.
    pub most: usize,
}

impl Default for LimitPlan {
    /// No limits.
    fn default() -> Self {
        Self { window_ms: 60_000, rules: Vec::new() }
    }
}

impl LimitPlan {
    /// The limits that are published, which are those of Broker.
    pub fn published() -> Self {
        let plain = [Call::Transfer, Call::TransferUpload, Call::TransferOverview, Call::TransferConfirm];
        let costly = [Call::TransferDetails, Call::FindTransfer];
        let rule = |most| move |call| Limit { call, most };
        Self { rules: plain.map(rule(120)).into_iter().chain(costly.map(rule(10))).collect(), ..Self::default() }
    }
}

/// How a call fared with its limit, all clients together.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LimitCounts {
    /// Calls that were let through.
    pub passed: u64,
    /// Calls that were answered with 429.
    pub refused: u64,
    /// Calls that came before the time that a 429 had told their client to wait; those under way when it was told are
    /// among them.
    pub early: u64,
    /// The most that one client made within the window.
    pub fullest: usize,
}

/// A plan at work.
pub(super) struct Limits {
    window: Duration,
    most: HashMap<Call, usize>,
    clients: HashMap<(String, Call), Client>,
    counts: BTreeMap<Call, LimitCounts>,
}

/// One client's calls of one kind.
#[derive(Default)]
struct Client {
    /// Those that were let through within the window, the earliest first.
    calls: VecDeque<Instant>,
    told: Option<Instant>,
}

impl Limits {
    pub(super) fn new(plan: &LimitPlan) -> Self {
        Self {
            window: Duration::from_millis(plan.window_ms),
            most: plan.rules.iter().map(|rule| (rule.call, rule.most)).collect(),
            clients: HashMap::new(),
            counts: BTreeMap::new(),
        }
    }

    /// Tells whether a call has a limit at all.
    pub(super) fn is_limited(&self, call: Call) -> bool {
        self.most.contains_key(&call)
    }

    /// Lets a call through, or tells how many seconds to wait.
    pub(super) fn turn(&mut self, call: Call, client: &str, now: Instant) -> Result<(), u64> {
        let Some(most) = self.most.get(&call).copied() else { return Ok(()) };
        let counts = self.counts.entry(call).or_default();
        let held = self.clients.entry((client.to_owned(), call)).or_default();
        counts.early += u64::from(held.told.is_some_and(|told| now < told));
        while held.calls.front().is_some_and(|first| *first + self.window <= now) {
            held.calls.pop_front();
        }
        if held.calls.len() < most {
            held.calls.push_back(now);
            counts.passed += 1;
            counts.fullest = counts.fullest.max(held.calls.len());
            return Ok(());
        }
        counts.refused += 1;
        let free = held.calls.front().map_or(now + self.window, |first| *first + self.window);
        // The header has whole seconds, and none is too few.
        let seconds = u64::try_from(free.duration_since(now).as_millis().div_ceil(1_000)).unwrap_or(u64::MAX).max(1);
        held.told = held.told.max(Some(now + Duration::from_secs(seconds)));
        Err(seconds)
    }

    pub(super) fn counts(&self) -> BTreeMap<Call, LimitCounts> {
        self.counts.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_client_has_a_window_of_its_own_for_each_call() {
        let rules = vec![Limit { call: Call::Transfer, most: 2 }, Limit { call: Call::FindTransfer, most: 1 }];
        let mut limits = Limits::new(&LimitPlan { window_ms: 60_000, rules });
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        assert_eq!(limits.turn(Call::Transfer, "a", at(0)), Ok(()));
        assert_eq!(limits.turn(Call::Transfer, "a", at(30)), Ok(()));
        assert_eq!(limits.turn(Call::Transfer, "a", at(40)), Err(20));
        assert_eq!(limits.turn(Call::Transfer, "b", at(40)), Ok(()));
        assert_eq!(limits.turn(Call::FindTransfer, "a", at(40)), Ok(()));
        assert_eq!(limits.turn(Call::Message, "a", at(40)), Ok(()), "it has no limit");
        // What was refused does not count; too early is too early all the same.
        assert_eq!(limits.turn(Call::Transfer, "a", at(59)), Err(1));
        assert_eq!(limits.turn(Call::Transfer, "a", at(60)), Ok(()));
        assert_eq!(limits.turn(Call::Transfer, "a", at(61)), Err(29));
        let counts = limits.counts();
        assert_eq!(counts[&Call::Transfer], LimitCounts { passed: 4, refused: 3, early: 1, fullest: 2 });
        assert!(!counts.contains_key(&Call::Message));
    }

    #[test]
    fn a_plan_reads_from_toml_and_the_published_one_is_of_broker() {
        let plan: LimitPlan = toml::from_str("window_ms = 1000\n[[rules]]\ncall = \"message\"\nmost = 5\n").unwrap();
        assert_eq!(plan, LimitPlan { window_ms: 1_000, rules: vec![Limit { call: Call::Message, most: 5 }] });
        let most = |call| LimitPlan::published().rules.iter().find(|rule| rule.call == call).map(|rule| rule.most);
        assert_eq!([Call::Transfer, Call::FindTransfer, Call::Message].map(most), [Some(120), Some(10), None]);
    }
}
