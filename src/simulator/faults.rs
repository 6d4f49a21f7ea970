//! Faults: what goes wrong, in which call, how often. The same seed and the same calls give the same faults.

use serde::{Deserialize, Serialize};

/// What goes wrong.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct FaultPlan {
    /// Start of the random numbers.
    pub seed: u64,
    /// Rules in order; the first that strikes decides, delays add up.
    pub rules: Vec<Rule>,
}

/// One fault and when it strikes: always, unless `every` or `probability` says otherwise.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// What goes wrong.
    pub fault: Fault,
    /// In which call.
    #[serde(default)]
    pub call: Call,
    /// At every n-th call.
    #[serde(default)]
    pub every: Option<u64>,
    /// With this probability, from 0 to 1.
    #[serde(default)]
    pub probability: Option<f64>,
    /// At most so many times.
    #[serde(default)]
    pub most: Option<u64>,
}

/// A call that can go wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Call {
    /// What Maskinporten says about itself.
    Metadata,
    /// Maskinporten's token endpoint.
    Grant,
    /// The token exchange.
    Exchange,
    /// Making an instance.
    #[default]
    Instantiate,
    /// What an app says about itself.
    AppMetadata,
    /// Listing instances.
    List,
    /// Looking at an instance.
    Instance,
    /// Validating it.
    Validate,
    /// Sending a message.
    Message,
    /// Finding a message.
    FindMessage,
    /// What has become of a message.
    MessageOverview,
    /// The same with all that has become of it before.
    MessageDetails,
    /// Announcing an attachment.
    Announce,
    /// Uploading it.
    Upload,
    /// What has become of it.
    AttachmentOverview,
    /// Ordering a notification by itself.
    Notification,
    /// Beginning a transfer.
    Transfer,
    /// Listing transfers.
    FindTransfer,
    /// What has become of a transfer.
    TransferOverview,
    /// The same with all that has become of it before.
    TransferDetails,
    /// Confirming that a file was fetched.
    TransferConfirm,
    /// Uploading to it in one piece, or beginning to do so in several.
    TransferUpload,
    /// How far an upload in several pieces has come.
    TransferOffset,
    /// One of those pieces.
    TransferPart,
    /// Ending such an upload.
    TransferTerminate,
    /// Adding data to an instance.
    Data,
    /// Putting data in place of others in an instance, or dropping them.
    ChangeData,
    /// Deleting an instance.
    Delete,
    /// Driving an instance's process on.
    Next,
    /// Listing events.
    Events,
    /// Sending a batch over SOAP.
    Batch,
    /// Asking whether a batch is there.
    BatchStatus,
}

/// A fault. What comes "after" comes after the instance was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Fault {
    /// The call takes longer, by milliseconds.
    Latency(u64),
    /// 400.
    BadRequest,
    /// An error of the message or the broker API: status and code.
    Problem(u16, u32),
    /// 400 with `invalid_grant`, as for a grant used before.
    InvalidGrant,
    /// 401.
    Unauthorized,
    /// 403 from the platform.
    Forbidden,
    /// 403 from the app's own rules.
    NotInstantiable,
    /// 403 from the app, as to a party of a kind that it does not take.
    WrongParty,
    /// 404: no such party.
    UnknownParty,
    /// 409.
    Conflict,
    /// 413.
    TooLarge,
    /// 429 with Retry-After in seconds.
    Throttled(u64),
    /// 503 with Retry-After in seconds.
    Unavailable(u64),
    /// 500 and no effect.
    ErrorBefore,
    /// 500 after the effect.
    ErrorAfter,
    /// A reset connection and no effect.
    ResetBefore,
    /// A reset connection after the effect.
    ResetAfter,
    /// The answer of an instantiation without its body: where the instance is stands in a header.
    NoBody,
    /// A reset connection after so many bytes of an upload to a transfer.
    CutOff(u64),
    /// A SOAP fault, which says that the receiver is down, and no effect.
    Down,
    /// A SOAP fault after the effect.
    DownAfter,
    /// The receipt FAILED of a SOAP receiver, and no effect.
    Failed,
    /// The receipt FAILED_DO_NOT_RETRY of a SOAP receiver, and no effect.
    FailedForGood,
}

impl Fault {
    /// Tells whether it comes after the effect.
    pub(super) fn is_after(self) -> bool {
        matches!(self, Self::ErrorAfter | Self::ResetAfter | Self::NoBody | Self::DownAfter)
    }
}

/// What a call meets.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Struck {
    pub(super) latency_ms: u64,
    pub(super) fault: Option<Fault>,
}

/// A plan at work.
pub(super) struct Faults {
    rng: fastrand::Rng,
    rules: Vec<Counted>,
}

struct Counted {
    rule: Rule,
    calls: u64,
    struck: u64,
}

impl Faults {
    pub(super) fn new(plan: FaultPlan) -> Self {
        let rules = plan.rules.into_iter().map(|rule| Counted { rule, calls: 0, struck: 0 }).collect();
        Self { rng: fastrand::Rng::with_seed(plan.seed), rules }
    }

    /// Asks every rule, so that each counts and draws the same whatever the others do.
    pub(super) fn strike(&mut self, call: Call) -> Struck {
        let mut struck = Struck::default();
        for counted in self.rules.iter_mut().filter(|counted| counted.rule.call == call) {
            if !counted.strikes(&mut self.rng) {
                continue;
            }
            if let Fault::Latency(ms) = counted.rule.fault {
                struck.latency_ms += ms;
            } else {
                struck.fault = struck.fault.or(Some(counted.rule.fault));
            }
        }
        struck
    }
}

impl Counted {
    fn strikes(&mut self, rng: &mut fastrand::Rng) -> bool {
        self.calls += 1;
        let drawn = self.rule.probability.is_none_or(|probability| rng.f64() < probability);
        let due = self.rule.every.is_none_or(|every| every > 0 && self.calls.is_multiple_of(every));
        let left = self.rule.most.is_none_or(|most| self.struck < most);
        let strikes = drawn && due && left;
        self.struck += u64::from(strikes);
        strikes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(fault: Fault) -> Rule {
        Rule { fault, call: Call::Instantiate, every: None, probability: None, most: None }
    }

    #[test]
    fn rules_strike_as_told() {
        let plan = FaultPlan {
            seed: 1,
            rules: vec![
                Rule { every: Some(3), ..rule(Fault::Conflict) },
                Rule { most: Some(1), ..rule(Fault::Latency(5)) },
                Rule { call: Call::List, ..rule(Fault::Unauthorized) },
            ],
        };
        let mut faults = Faults::new(plan);
        let struck: Vec<_> = (0..6).map(|_| faults.strike(Call::Instantiate)).collect();
        assert_eq!(struck[0], Struck { latency_ms: 5, fault: None });
        assert_eq!(struck[1], Struck::default());
        assert_eq!(struck[2].fault, Some(Fault::Conflict));
        assert_eq!(struck[5].fault, Some(Fault::Conflict));
        assert_eq!(faults.strike(Call::List).fault, Some(Fault::Unauthorized));
    }

    #[test]
    fn the_same_seed_gives_the_same_faults() {
        let plan = FaultPlan { seed: 7, rules: vec![Rule { probability: Some(0.3), ..rule(Fault::ResetAfter) }] };
        let draw = || {
            let mut faults = Faults::new(plan.clone());
            (0..1_000).map(|_| faults.strike(Call::Instantiate).fault.is_some()).collect::<Vec<_>>()
        };
        let drawn = draw();
        assert_eq!(drawn, draw());
        let count = drawn.iter().filter(|struck| **struck).count();
        assert!((200..400).contains(&count), "{count}");
    }

    #[test]
    fn a_plan_reads_from_json() {
        let json = r#"{"seed":7,"rules":[{"fault":"reset-after","every":3},{"fault":{"throttled":2},"call":"list","most":1}]}"#;
        let plan: FaultPlan = serde_json::from_str(json).unwrap();
        assert_eq!(plan.rules[0].fault, Fault::ResetAfter);
        assert_eq!((plan.rules[1].fault, plan.rules[1].call), (Fault::Throttled(2), Call::List));
        assert!(serde_json::from_str::<FaultPlan>(r#"{"rules":[{"fault":"conflict","evry":3}]}"#).is_err());
    }
}
