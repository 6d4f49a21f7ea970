//! How a route weighs what breaks the rules of a format beyond its schema.

/// How much a broken rule weighs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Strictness {
    /// The item, or what concerns no item the shipment, is refused.
    #[default]
    Refuse,
    /// It is told on the receipt and changes nothing.
    Warn,
    /// It is not looked at.
    Off,
}

impl Strictness {
    /// Every degree, with its word in the configuration.
    pub const ALL: [(&'static str, Self); 3] = [("refuse", Self::Refuse), ("warn", Self::Warn), ("off", Self::Off)];
}

/// The rules of a format as one route wants them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FormatRules {
    /// Control counts in headers agree with what was counted.
    pub counts: Strictness,
    /// Check digits of reportees are right.
    pub check_digits: Strictness,
    /// ValidTo does not lie before ValidFrom.
    pub validity: Strictness,
    /// Attachments behind all items belong to one of them.
    pub attachments: Strictness,
    /// ParentReference names a form of the same item.
    pub parents: Strictness,
    /// Form data is XML, and valid by its schema where the route names one.
    pub form_data: Strictness,
    /// How batches are numbered.
    pub sequence: SequenceRules,
    /// A shipment reference may be used again after so many days; `None` for never.
    pub reference_days: Option<u32>,
}

impl Default for FormatRules {
    /// Everything is refused that can be told without looking into form data.
    fn default() -> Self {
        Self {
            counts: Strictness::Refuse,
            check_digits: Strictness::Refuse,
            validity: Strictness::Refuse,
            attachments: Strictness::Refuse,
            parents: Strictness::Refuse,
            form_data: Strictness::Off,
            sequence: SequenceRules::default(),
            reference_days: None,
        }
    }
}

/// What becomes of a batch whose number is not the next.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum SequencePolicy {
    /// It is refused.
    #[default]
    Refuse,
    /// It waits until the missing one has come.
    Hold,
    /// It goes on, and the receipt says so.
    Accept,
}

impl SequencePolicy {
    /// Every policy, with its word in the configuration.
    pub const ALL: [(&'static str, Self); 3] =
        [("refuse", Self::Refuse), ("hold", Self::Hold), ("accept", Self::Accept)];
}

/// Among which batches numbers go up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum SequenceScope {
    /// Those with the same name in their header (ServiceOwnerName, SystemUserCode, receiverReference).
    #[default]
    Sender,
    /// All of the partner's of one format.
    Partner,
    /// All of the route's.
    Route,
}

impl SequenceScope {
    /// Every scope, with its word in the configuration.
    pub const ALL: [(&'static str, Self); 3] =
        [("sender", Self::Sender), ("partner", Self::Partner), ("route", Self::Route)];
}

/// How batches are numbered. The first number that is seen is right whatever it is; batches without one are not asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct SequenceRules {
    /// Whether numbers are looked at.
    pub is_off: bool,
    /// Among which batches.
    pub scope: SequenceScope,
    /// When a lower number is still missing.
    pub gap: SequencePolicy,
    /// When the number was there before.
    pub repeat: Strictness,
    /// When a number that was passed over comes after all.
    pub late: Strictness,
    /// How long a batch is held for one that is missing, in milliseconds.
    pub hold_ms: u64,
}
