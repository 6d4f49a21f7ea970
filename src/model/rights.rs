//! Who may send and who may receive for a service: the register that the service's owner keeps.
//!
//! The rules are those of the old platform: sending needs write, receiving needs read. Who writes under the condition
//! `recipient` may only send to parties that read under the condition `sender`. A right holds through its last day.

use std::collections::HashMap;
use std::fmt;

use jiff::civil::Date;

use super::Service;

/// One right of one party.
#[derive(Clone, PartialEq, Eq)]
pub struct Right {
    /// Service code.
    pub code: String,
    /// Service edition; `None` for all.
    pub edition: Option<String>,
    /// Organisasjonsnummer or fødselsnummer.
    pub party: String,
    /// What the party may do.
    pub access: Access,
    /// The last day it holds; `None` for ever.
    pub valid_to: Option<Date>,
}

/// What a right lets a party do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Send to whoever may receive.
    Write,
    /// Send to parties whose right to read is [`Access::ReadFromSender`].
    WriteToRecipient,
    /// Receive.
    Read,
    /// Receive, also from senders whose right is [`Access::WriteToRecipient`].
    ReadFromSender,
}

/// Why somebody may not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Denied {
    /// The sender has no right to write.
    Sender,
    /// The recipient has no right to read.
    Recipient,
    /// Both have rights, but their conditions keep them apart.
    Condition,
}

/// The register. Without an entry for a service nobody may use it.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Rights {
    /// By service code and party.
    rights: HashMap<(String, String), Vec<Granted>>,
}

#[derive(Clone, PartialEq, Eq)]
struct Granted {
    edition: Option<String>,
    access: Access,
    valid_to: Option<Date>,
}

impl Rights {
    /// Builds the register.
    pub fn new(rights: impl IntoIterator<Item = Right>) -> Self {
        let mut register = Self::default();
        for Right { code, edition, party, access, valid_to } in rights {
            register.rights.entry((code, party)).or_default().push(Granted { edition, access, valid_to });
        }
        register
    }

    /// Tells whether it has no entry at all.
    pub fn is_empty(&self) -> bool {
        self.rights.is_empty()
    }

    /// What a sender may do for a service on a day.
    pub fn sender(&self, service: &Service, sender: &str, today: Date) -> Result<Sending<'_>, Denied> {
        let mut conditional = None;
        for access in self.held(service, sender, today) {
            match access {
                Access::Write => return Ok(Sending { register: self, conditional: false }),
                Access::WriteToRecipient => conditional = Some(Sending { register: self, conditional: true }),
                Access::Read | Access::ReadFromSender => {}
            }
        }
        conditional.ok_or(Denied::Sender)
    }

    /// Tells whether one party may send to another for a service on a day.
    pub fn allows(&self, service: &Service, sender: &str, recipient: &str, today: Date) -> Result<(), Denied> {
        self.sender(service, sender, today)?.to(service, recipient, today)
    }

    fn held<'a>(&'a self, service: &'a Service, party: &str, today: Date) -> impl Iterator<Item = Access> + 'a {
        let granted = self.rights.get(&(service.code.clone(), party.to_owned()));
        granted
            .into_iter()
            .flatten()
            .filter(|right| right.edition.as_deref().is_none_or(|edition| edition == service.edition))
            .filter(move |right| right.valid_to.is_none_or(|last| today <= last))
            .map(|right| right.access)
    }
}

/// Counts only: the parties may be persons.
impl fmt::Debug for Rights {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Rights({})", self.rights.len())
    }
}

/// The service only: the party may be a person.
impl fmt::Debug for Right {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Right({}, {:?})", self.code, self.access)
    }
}

/// A sender that may send.
#[derive(Debug, Clone, Copy)]
pub struct Sending<'a> {
    register: &'a Rights,
    conditional: bool,
}

impl Sending<'_> {
    /// Tells whether a recipient may receive it.
    pub fn to(&self, service: &Service, recipient: &str, today: Date) -> Result<(), Denied> {
        let mut denied = Denied::Recipient;
        for access in self.register.held(service, recipient, today) {
            match access {
                Access::ReadFromSender => return Ok(()),
                Access::Read if !self.conditional => return Ok(()),
                Access::Read => denied = Denied::Condition,
                Access::Write | Access::WriteToRecipient => {}
            }
        }
        Err(denied)
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;
    use proptest::prelude::*;

    use super::*;

    const TODAY: Date = date(2026, 11, 27);

    fn service(edition: &str) -> Service {
        Service { code: "4752".into(), edition: edition.into() }
    }

    fn right(party: &str, access: Access) -> Right {
        Right { code: "4752".into(), edition: None, party: party.into(), access, valid_to: None }
    }

    fn allows(rights: &[Right]) -> Result<(), Denied> {
        Rights::new(rights.iter().cloned()).allows(&service("1"), "s", "r", TODAY)
    }

    #[test]
    fn sending_needs_write_and_receiving_needs_read() {
        use Access::{Read, ReadFromSender, Write, WriteToRecipient};
        assert_eq!(allows(&[]), Err(Denied::Sender));
        assert_eq!(allows(&[right("s", Read), right("r", Read)]), Err(Denied::Sender));
        assert_eq!(allows(&[right("s", Write)]), Err(Denied::Recipient));
        assert_eq!(allows(&[right("s", Write), right("r", Write)]), Err(Denied::Recipient));
        assert_eq!(allows(&[right("s", Write), right("r", Read)]), Ok(()));
        assert_eq!(allows(&[right("s", Write), right("r", ReadFromSender)]), Ok(()));
        assert_eq!(allows(&[right("s", WriteToRecipient), right("r", Read)]), Err(Denied::Condition));
        assert_eq!(allows(&[right("s", WriteToRecipient), right("r", ReadFromSender)]), Ok(()));
        // The better of two rights counts.
        assert_eq!(allows(&[right("s", WriteToRecipient), right("s", Write), right("r", Read)]), Ok(()));
    }

    #[test]
    fn a_right_holds_for_its_edition_and_through_its_last_day() {
        let dated = |valid_to| Right { valid_to: Some(valid_to), ..right("r", Access::Read) };
        assert_eq!(allows(&[right("s", Access::Write), dated(TODAY)]), Ok(()));
        assert_eq!(allows(&[right("s", Access::Write), dated(date(2026, 11, 26))]), Err(Denied::Recipient));
        let other = Right { edition: Some("2".into()), ..right("s", Access::Write) };
        assert_eq!(allows(&[other.clone(), right("r", Access::Read)]), Err(Denied::Sender));
        let register = Rights::new([other, right("r", Access::Read)]);
        assert_eq!(register.allows(&service("2"), "s", "r", TODAY), Ok(()));
    }

    #[test]
    fn nothing_printed_names_a_party() {
        let register = Rights::new([right("910000004", Access::Write)]);
        let shown = format!("{register:?} {:?}", right("910000004", Access::Read));
        assert!(!shown.contains("910000004"), "{shown}");
    }

    fn any_right() -> impl Strategy<Value = Right> {
        let access =
            prop::sample::select(vec![Access::Write, Access::WriteToRecipient, Access::Read, Access::ReadFromSender]);
        let edition = prop::sample::select(vec![None, Some("1".to_owned()), Some("2".to_owned())]);
        let valid_to = prop::sample::select(vec![None, Some(TODAY), Some(date(2026, 11, 26))]);
        (prop::sample::select(vec!["s", "r", "x"]), access, edition, valid_to)
            .prop_map(|(party, access, edition, valid_to)| Right { edition, valid_to, ..right(party, access) })
    }

    proptest! {
        /// The rules as the facts say them, one sentence each.
        #[test]
        fn it_says_what_the_rules_say(rights in prop::collection::vec(any_right(), 0..8)) {
            let holds = |party: &str, access: Access| rights.iter().any(|right| {
                right.party == party
                    && right.access == access
                    && right.edition.as_deref().is_none_or(|edition| edition == "1")
                    && right.valid_to.is_none_or(|last| last >= TODAY)
            });
            let writes = holds("s", Access::Write);
            let writes_to_recipient = holds("s", Access::WriteToRecipient);
            let (reads, reads_from_sender) = (holds("r", Access::Read), holds("r", Access::ReadFromSender));
            let expected = (writes && (reads || reads_from_sender)) || (writes_to_recipient && reads_from_sender);
            prop_assert_eq!(allows(&rights).is_ok(), expected);
        }

        /// No right takes away what others gave.
        #[test]
        fn one_more_right_never_denies(rights in prop::collection::vec(any_right(), 0..8), more in any_right()) {
            let before = allows(&rights);
            let after = allows(&[rights, vec![more]].concat());
            prop_assert!(before.is_err() || after.is_ok());
        }
    }
}
