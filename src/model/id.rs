//! Identities: newtypes, so that no id can be passed where another is meant.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use sha1::{Digest as _, Sha1};
use uuid::{Builder, Uuid};

/// A partner's or a route's short name that does not fit `[a-z0-9][a-z0-9_-]{0,31}`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a name: use 1 to 32 of a-z, 0-9, '-' and '_', starting with a letter or digit")]
pub struct BadId(pub String);

macro_rules! name_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// The name as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = BadId;
            fn from_str(text: &str) -> Result<Self, BadId> {
                if is_name(text) { Ok(Self(text.to_owned())) } else { Err(BadId(text.to_owned())) }
            }
        }

        impl TryFrom<String> for $name {
            type Error = BadId;
            fn try_from(text: String) -> Result<Self, BadId> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(name: $name) -> String {
                name.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

macro_rules! uuid_id {
    ($(#[$doc:meta])* $name:ident, $new:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        pub struct $name(pub Uuid);

        impl $name {
            /// A fresh id.
            #[expect(clippy::new_without_default, reason = "two calls differ; `Default` would promise otherwise")]
            pub fn new() -> Self {
                Self(Uuid::$new())
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

name_id!(
    /// A partner (etat, tjenesteeier): owner of an area, keys and routes.
    PartnerId
);
name_id!(
    /// A route's name in the configuration.
    RouteName
);
uuid_id!(
    /// One received file as one unit; version 7, so ids sort by time of claim.
    ShipmentId, now_v7
);
uuid_id!(
    /// Bytes that no longer change.
    BlobId, new_v4
);
uuid_id!(
    /// An upload or a rendering in progress on local disk.
    ScratchId, new_v4
);
uuid_id!(
    /// One running process, as the holder of leases.
    WorkerId, new_v4
);

impl ShipmentId {
    /// The last twelve hex digits: short enough for a file name, random enough to be unique beside the sender's own name.
    pub fn short(&self) -> String {
        format!("{:012x}", self.0.as_u128() & 0xffff_ffff_ffff)
    }
}

/// The deterministic identity of an item (UUID version 5): equal for the same item of the same shipment, for ever.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ItemKey(pub Uuid);

impl ItemKey {
    /// Derives the key from what identifies the item; the fields are separated so that no two lists run together.
    pub fn derive(fields: &[&str]) -> Self {
        KeyStem::new(&[]).key(fields.iter().copied())
    }
}

/// What the keys of many items have in common, hashed once.
#[derive(Clone)]
pub struct KeyStem(Sha1);

impl KeyStem {
    /// Begins with the first fields.
    pub fn new(fields: &[&str]) -> Self {
        let mut stem = Sha1::new_with_prefix(ITEM_NAMESPACE.as_bytes());
        fields.iter().for_each(|field| add(&mut stem, field));
        Self(stem)
    }

    /// The key of an item that has these fields behind the common ones.
    pub fn key<'a>(&self, fields: impl IntoIterator<Item = &'a str>) -> ItemKey {
        let mut whole = self.0.clone();
        fields.into_iter().for_each(|field| add(&mut whole, field));
        // RFC 9562 section 5.5: the first sixteen of SHA-1's twenty bytes.
        let hash: [u8; 20] = whole.finalize().into();
        let bytes = hash.first_chunk().copied().unwrap_or_default();
        ItemKey(Builder::from_sha1_bytes(bytes).into_uuid())
    }
}

impl fmt::Debug for KeyStem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("KeyStem")
    }
}

fn add(hash: &mut Sha1, field: &str) {
    hash.update((field.len() as u64).to_be_bytes());
    hash.update(field.as_bytes());
}

impl fmt::Display for ItemKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

fn is_name(text: &str) -> bool {
    let starts = text.bytes().next().is_some_and(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
    let rest = text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-' || b == b'_');
    starts && rest && text.len() <= 32
}

/// Namespace of item keys. Changing it would make every receiver see old items as new ones.
const ITEM_NAMESPACE: Uuid = Uuid::from_u128(0x6d1f_1c5e_7b0a_5c41_9d1e_5f0c_8a27_31b4);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_depends_on_every_field_and_on_where_fields_end() {
        let key = ItemKey::derive(&["etat", "ab", "c"]);
        assert_eq!(key, ItemKey::derive(&["etat", "ab", "c"]));
        assert_ne!(key, ItemKey::derive(&["etat", "a", "bc"]));
        assert_ne!(key, ItemKey::derive(&["etat", "ab", "c", ""]));
    }

    #[test]
    fn names_are_short_lower_case_words() {
        assert!("skatt-prefill_2".parse::<RouteName>().is_ok());
        for bad in ["", "-a", "Etat", "a b", "../x", &"a".repeat(33)] {
            assert!(bad.parse::<PartnerId>().is_err(), "{bad}");
        }
    }
}
