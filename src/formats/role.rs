//! What an element of a format is to us.

use crate::model::{Counted, ItemKey, ItemKind, KeyFields, KeyStem, PartKind};
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

    /// An element whose text matters however long it is.
    pub(crate) const fn text(path: &'static str, role: Role) -> Self {
        Self { watch: Watch { path, kind: WatchKind::Text }, role }
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
    /// The part's reference, where its type leaves no room for a suffix.
    FixedReference,
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
    /// A time that goes into a message of Altinn's.
    Moment,
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
    /// A form's data. Marks of it stand behind all others of a format, and those that only go with it behind them.
    FormData,
    /// The key of form data that is encrypted.
    FormDataKey,
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
pub enum Identity<'a> {
    /// The sender's own reference, unique by agreement.
    Reference(&'a str),
    /// Fields that together are unique by agreement: those of the group and of the service, then the item's own.
    Fields(&'a [&'a str], &'a KeyFields),
    /// Nothing does: an item that is refused for it, told apart by its number.
    Number(u64),
}

impl Identity<'_> {
    /// Writes down of what the item's key is made.
    pub fn write(self, to: &mut KeyFields) {
        match self {
            Self::Reference(reference) => {
                to.add("reference");
                to.add(reference);
            }
            Self::Fields(first, own) => {
                to.add("fields");
                first.iter().for_each(|field| to.add(field));
                to.append(own);
            }
            Self::Number(value) => {
                to.add("number");
                to.add(&value.to_string());
            }
        }
    }
}

/// The deterministic keys of the items of one kind in one scope: equal whenever the same item is judged.
#[derive(Debug)]
pub struct ItemKeys {
    stem: KeyStem,
    scope: ItemKey,
}

impl ItemKeys {
    /// Hashes once what all of them have in common.
    pub fn new(scope: &Scope<'_>, kind: ItemKind) -> Self {
        let Scope { partner, format, part, sender_name, reference } = scope;
        let stem = KeyStem::new(&[partner, format, part.as_str(), sender_name, reference, kind.as_str()]);
        Self { scope: stem.key([]), stem }
    }

    /// What stands for the scope and the kind, and for no others.
    pub fn scope(&self) -> ItemKey {
        self.scope
    }

    /// The key of the item whose identity was written down as these bytes.
    pub fn key(&self, identity: &[u8]) -> ItemKey {
        self.stem.key_of(identity)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SCOPE: Scope<'static> =
        Scope { partner: "ttd", format: "prefill", part: PartKind::Prefill, sender_name: "TTD", reference: "S-1" };

    fn key(scope: &Scope<'_>, kind: ItemKind, identity: Identity<'_>) -> ItemKey {
        let mut fields = KeyFields::default();
        identity.write(&mut fields);
        ItemKeys::new(scope, kind).key(fields.bytes())
    }

    #[test]
    fn keys_never_change() {
        let key = key(&SCOPE, ItemKind::FormTask, Identity::Reference("S-1-001"));
        assert_eq!(key.to_string(), "a2df71ba-a65c-5474-8973-f4694ee13d9d");
    }

    #[test]
    fn a_key_depends_on_scope_kind_and_identity() {
        let of = |scope: &Scope<'_>, kind, fields: &[&str]| {
            let mut own = KeyFields::default();
            fields.iter().for_each(|field| own.add(field));
            key(scope, kind, Identity::Fields(&[], &own))
        };
        let first = of(&SCOPE, ItemKind::Field, &["a", "1"]);
        let others = [
            of(&Scope { partner: "nav", ..SCOPE }, ItemKind::Field, &["a", "1"]),
            of(&Scope { part: PartKind::Subscription, ..SCOPE }, ItemKind::Field, &["a", "1"]),
            of(&Scope { sender_name: "NAV", ..SCOPE }, ItemKind::Field, &["a", "1"]),
            of(&Scope { reference: "S-2", ..SCOPE }, ItemKind::Field, &["a", "1"]),
            of(&SCOPE, ItemKind::FormTask, &["a", "1"]),
            of(&SCOPE, ItemKind::Field, &["a1"]),
            key(&SCOPE, ItemKind::Field, Identity::Reference("a")),
            key(&SCOPE, ItemKind::Field, Identity::Number(1)),
        ];
        assert!(others.iter().all(|other| *other != first));
    }
}
