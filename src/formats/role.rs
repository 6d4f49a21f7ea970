//! What an element of a format is to us.

use crate::model::{Counted, ItemKey, ItemKind, KeyStem, PartKind};
use crate::xsd::{Watch, WatchKind};

/// An element that is watched while a batch is judged.
#[derive(Debug)]
pub struct Mark {
    /// Which element, and what of it.
    pub watch: Watch,
    /// What it is to us.
    pub role: Role,
}

impl Mark {
    /// An element whose beginning and end matter.
    pub(crate) const fn element(path: &'static str, role: Role) -> Self {
        Self { watch: Watch { path, kind: WatchKind::Element }, role }
    }

    /// An element whose text matters.
    pub(crate) const fn value(path: &'static str, role: Role) -> Self {
        Self { watch: Watch { path, kind: WatchKind::Value }, role }
    }

    /// An item.
    pub(crate) const fn item(path: &'static str, kind: ItemKind) -> Self {
        Self { watch: Watch { path, kind: WatchKind::Element }, role: Role::Item(kind) }
    }
}

/// What an element is to us.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// The document's root.
    Root,
    /// The sender's name, or that of the receiving system where the old platform was the sender.
    SenderName,
    /// A part with a header of its own.
    Part(PartKind),
    /// The part's sequence number.
    SequenceNo,
    /// The sequence number of the batch before.
    PreviousNo,
    /// A control count.
    Count(Counted),
    /// The part's reference.
    ShipmentReference,
    /// Items that share a head.
    Group,
    /// The id of the reportee whom a group's items concern.
    Reportee,
    /// The id of the reportee whom the item concerns.
    ItemReportee,
    /// An item.
    Item(ItemKind),
    /// The item's service, as `code_edition`.
    ServiceName,
    /// First half of the item's service.
    ServiceCode,
    /// Second half of the item's service.
    ServiceEdition,
    /// First day of the item's validity.
    ValidFrom,
    /// Last day of the item's validity.
    ValidTo,
    /// The sender's own reference to the item.
    SendersReference,
    /// A reference of the sender's that tells the item from the rest only together with other fields, and may be absent.
    ItemReference,
    /// A form's own reference.
    FormReference,
    /// The reference of the form that a form belongs to.
    ParentReference,
    /// The receiver's reference, as far as the sender knows one.
    ReceiversReference,
    /// A required text that, together with others, tells the item from the rest.
    Identity,
    /// A number that tells items of one identity apart.
    Index,
    /// A free text that, together with others, tells the item from the rest.
    IdentifyingField,
    /// One of the item's attachments.
    Attachment,
    /// One of the item's forms, in formats that count them.
    Form,
    /// What holds attachments, behind all items.
    Tail,
    /// An attachment that stands behind all items.
    TailAttachment,
    /// The reference of the item that such an attachment belongs to.
    TailReference,
    /// First half of a form's data format.
    DataFormatId,
    /// Second half of a form's data format.
    DataFormatVersion,
    /// Another text that forwarding reads into memory.
    Text,
}

/// Where an item key holds.
#[derive(Debug, Clone, Copy)]
pub struct Scope<'a> {
    /// Whose batch.
    pub partner: &'a str,
    /// The format's name.
    pub format: &'a str,
    /// Which part of the batch.
    pub part: PartKind,
    /// The sender's name in the header.
    pub sender_name: &'a str,
    /// The part's reference.
    pub reference: &'a str,
}

/// What identifies an item within its part. Without `Debug`, since it may hold a reportee's id.
#[derive(Clone, Copy)]
pub enum Identity<'a> {
    /// The sender's own reference, unique by agreement.
    Reference(&'a str),
    /// Nothing does: an item that is refused for it, told apart by its number.
    Number(u64),
}

/// The deterministic keys of the items of one kind in one scope: equal whenever the same item is judged.
#[derive(Debug)]
pub struct ItemKeys {
    stem: KeyStem,
}

impl ItemKeys {
    /// Hashes once what all of them have in common.
    pub fn new(scope: &Scope<'_>, kind: ItemKind) -> Self {
        let Scope { partner, format, part, sender_name, reference } = scope;
        Self { stem: KeyStem::new(&[partner, format, part.as_str(), sender_name, reference, kind.as_str()]) }
    }

    /// The key of one item.
    pub fn key(&self, identity: Identity<'_>) -> ItemKey {
        match identity {
            Identity::Reference(reference) => self.stem.key(["reference", reference]),
            Identity::Number(value) => self.stem.key(["number", &value.to_string()]),
        }
    }

    /// The key of an item whose fields together are unique by agreement.
    pub fn of_fields<'a>(&self, fields: impl IntoIterator<Item = &'a str>) -> ItemKey {
        self.stem.key(["fields"].into_iter().chain(fields))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SCOPE: Scope<'static> =
        Scope { partner: "ttd", format: "prefill", part: PartKind::Prefill, sender_name: "TTD", reference: "S-1" };

    #[test]
    fn keys_never_change() {
        let key = ItemKeys::new(&SCOPE, ItemKind::FormTask).key(Identity::Reference("S-1-001"));
        assert_eq!(key.to_string(), "a2df71ba-a65c-5474-8973-f4694ee13d9d");
    }

    #[test]
    fn a_key_depends_on_scope_kind_and_identity() {
        let key = |scope: &Scope<'_>, kind, fields: &[&'static str]| {
            ItemKeys::new(scope, kind).of_fields(fields.iter().copied())
        };
        let first = key(&SCOPE, ItemKind::Field, &["a", "1"]);
        let of_fields = ItemKeys::new(&SCOPE, ItemKind::Field);
        let others = [
            key(&Scope { partner: "nav", ..SCOPE }, ItemKind::Field, &["a", "1"]),
            key(&Scope { part: PartKind::Subscription, ..SCOPE }, ItemKind::Field, &["a", "1"]),
            key(&Scope { sender_name: "NAV", ..SCOPE }, ItemKind::Field, &["a", "1"]),
            key(&Scope { reference: "S-2", ..SCOPE }, ItemKind::Field, &["a", "1"]),
            key(&SCOPE, ItemKind::FormTask, &["a", "1"]),
            key(&SCOPE, ItemKind::Field, &["a1"]),
            of_fields.key(Identity::Reference("a")),
            of_fields.key(Identity::Number(1)),
        ];
        assert!(others.iter().all(|other| *other != first));
    }
}
