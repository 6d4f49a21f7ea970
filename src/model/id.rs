//! Identities: newtypes, so that no id can be passed where another is meant.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use uuid::{Builder, Uuid};

/// A partner's or a route's short name that does not fit `[a-z0-9][a-z0-9_-]{0,31}`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a name: use 1 to 32 of a-z, 0-9, '-' and '_', starting with a letter or digit")]
pub struct BadId(pub String);

/// Tells whether a text can be the user name of a login: 1 to 64 bytes, no blanks, no control characters.
pub fn is_user_name(text: &str) -> bool {
    (1..=64).contains(&text.len()) && !text.chars().any(|c| c.is_control() || c.is_whitespace())
}

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
        KeyStem::new(fields).key_of(&[])
    }

    /// The key of the same item at a further receiver of its shipment: what one has says nothing of the others.
    pub fn at(&self, receiver: &str) -> Self {
        KeyStem::new(&["share", receiver]).key([self.0.hyphenated().encode_lower(&mut Uuid::encode_buffer()) as &str])
    }

    /// The key of the same item in one shipment alone, for a shipment whose reference was another's long ago: what became of
    /// that one's items says nothing of these.
    pub fn in_shipment(&self, shipment: ShipmentId) -> Self {
        let mut buffers = (Uuid::encode_buffer(), Uuid::encode_buffer());
        let shipment: &str = shipment.0.hyphenated().encode_lower(&mut buffers.0);
        let own: &str = self.0.hyphenated().encode_lower(&mut buffers.1);
        KeyStem::new(&["use", shipment]).key([own])
    }

    /// The key of an item that has none yet.
    pub const NONE: Self = Self(Uuid::nil());
}

/// The fields that tell items apart, written as they are hashed. Without `Debug`: they may hold a reportee's id.
#[derive(Default)]
pub struct KeyFields {
    bytes: Vec<u8>,
}

impl KeyFields {
    /// With room for so many bytes.
    pub fn with_capacity(bytes: usize) -> Self {
        Self { bytes: Vec::with_capacity(bytes) }
    }

    /// Adds a field; its length goes before it, so that no two lists run together.
    #[inline]
    pub fn add(&mut self, field: &str) {
        self.bytes.extend_from_slice(&(field.len() as u64).to_be_bytes());
        self.bytes.extend_from_slice(field.as_bytes());
    }

    /// Adds all of another's fields.
    #[inline]
    pub fn append(&mut self, other: &Self) {
        self.bytes.extend_from_slice(&other.bytes);
    }

    /// Forgets the fields and keeps the memory.
    pub fn clear(&mut self) {
        self.bytes.clear();
    }

    /// What was written.
    #[inline]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }
}

/// What the keys of many items have in common, hashed once.
// Not the crate's own hasher: an item's few short fields, each a call to it, took longer than hashing them does.
#[derive(Clone)]
pub struct KeyStem {
    /// After all but what waits.
    state: [u32; 5],
    waiting: [u8; WAITING_BYTES],
    waiting_bytes: usize,
    total_bytes: u64,
}

impl KeyStem {
    /// Begins with the first fields.
    pub fn new(fields: &[&str]) -> Self {
        let mut stem = Self { state: SHA1_START, waiting: [0; WAITING_BYTES], waiting_bytes: 0, total_bytes: 0 };
        stem.write(ITEM_NAMESPACE.as_bytes());
        fields.iter().for_each(|field| stem.add(field));
        stem.compress();
        stem
    }

    /// The key of an item that has these fields behind the common ones.
    pub fn key<'a>(&self, fields: impl IntoIterator<Item = &'a str>) -> ItemKey {
        let mut written = KeyFields::default();
        fields.into_iter().for_each(|field| written.add(field));
        self.key_of(&written.bytes)
    }

    /// The key of an item whose fields behind the common ones [`KeyFields`] wrote.
    pub fn key_of(&self, written: &[u8]) -> ItemKey {
        let mut whole = self.clone();
        whole.write(written);
        // RFC 9562 section 5.5: the first sixteen of SHA-1's twenty bytes.
        let [a, b, c, d, _] = whole.finish();
        let half = |high: u32, low: u32| u64::from(high) << 32 | u64::from(low);
        let bytes = (u128::from(half(a, b)) << 64 | u128::from(half(c, d))).to_be_bytes();
        ItemKey(Builder::from_sha1_bytes(bytes).into_uuid())
    }

    fn add(&mut self, field: &str) {
        self.write(&(field.len() as u64).to_be_bytes());
        self.write(field.as_bytes());
    }

    fn write(&mut self, bytes: &[u8]) {
        self.total_bytes += bytes.len() as u64;
        let mut rest = bytes;
        loop {
            let (now, later) = rest.split_at(rest.len().min(WAITING_BYTES - self.waiting_bytes));
            let until = self.waiting_bytes + now.len();
            if let Some(place) = self.waiting.get_mut(self.waiting_bytes..until) {
                place.copy_from_slice(now);
            }
            (self.waiting_bytes, rest) = (until, later);
            if rest.is_empty() {
                return;
            }
            self.compress();
        }
    }

    /// Takes the whole blocks that wait into the state.
    fn compress(&mut self) {
        let (blocks, rest) = self.waiting.get(..self.waiting_bytes).unwrap_or_default().as_chunks();
        sha1::block_api::compress(&mut self.state, blocks);
        let rest_bytes = rest.len();
        self.waiting.copy_within(self.waiting_bytes - rest_bytes..self.waiting_bytes, 0);
        self.waiting_bytes = rest_bytes;
    }

    /// Pads by the rule of FIPS 180-4 section 5.1.1.
    fn finish(mut self) -> [u32; 5] {
        const BLOCK: usize = 64;
        const LENGTH: usize = size_of::<u64>();
        let bits = self.total_bytes.wrapping_mul(8);
        self.write(&[0x80]);
        let zeros = (2 * BLOCK - LENGTH - self.waiting_bytes % BLOCK) % BLOCK;
        self.write([0; BLOCK].get(..zeros).unwrap_or_default());
        self.write(&bits.to_be_bytes());
        self.compress();
        self.state
    }
}

impl fmt::Debug for KeyStem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("KeyStem")
    }
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

/// What SHA-1 begins with (FIPS 180-4 section 5.3.1).
const SHA1_START: [u32; 5] = [0x6745_2301, 0xefcd_ab89, 0x98ba_dcfe, 0x1032_5476, 0xc3d2_e1f0];
/// Whole blocks; the fields of most items fit in.
const WAITING_BYTES: usize = 256;

#[cfg(test)]
mod tests {
    use super::*;
    use sha1::{Digest as _, Sha1};

    #[test]
    fn a_key_is_the_hash_of_its_fields_whatever_their_lengths() {
        let text = "a field of some length ".repeat(60);
        for (stem, more) in (0..300).flat_map(|stem| [(stem, 0), (stem, 1), (stem, 257 - stem % 70), (stem, 1_200)]) {
            let (stem, more) = (text.get(..stem).unwrap(), text.get(..more).unwrap());
            let mut hash = Sha1::new();
            hash.update(ITEM_NAMESPACE.as_bytes());
            for field in [stem, more, "x"] {
                hash.update((field.len() as u64).to_be_bytes());
                hash.update(field);
            }
            let uuid = Builder::from_sha1_bytes(hash.finalize()[..16].try_into().unwrap()).into_uuid();
            assert_eq!(KeyStem::new(&[stem]).key([more, "x"]), ItemKey(uuid), "{} {}", stem.len(), more.len());
        }
    }

    #[test]
    fn a_key_depends_on_every_field_and_on_where_fields_end() {
        let key = ItemKey::derive(&["etat", "ab", "c"]);
        assert_eq!(key, ItemKey::derive(&["etat", "ab", "c"]));
        assert_ne!(key, ItemKey::derive(&["etat", "a", "bc"]));
        assert_ne!(key, ItemKey::derive(&["etat", "ab", "c", ""]));
    }

    #[test]
    fn an_item_has_another_key_at_every_receiver() {
        let key = ItemKey::derive(&["etat", "1"]);
        assert_eq!(key.at("archive"), key.at("archive"));
        assert_eq!(key.at("archive"), ItemKey::derive(&["share", "archive", &key.to_string()]));
        let keys = [key, key.at("archive"), key.at("copy"), ItemKey::derive(&["etat", "2"]).at("archive")];
        assert_eq!(keys.iter().collect::<std::collections::HashSet<_>>().len(), 4);
    }

    #[test]
    fn names_are_short_lower_case_words() {
        assert!("skatt-prefill_2".parse::<RouteName>().is_ok());
        for bad in ["", "-a", "Etat", "a b", "../x", &"a".repeat(33)] {
            assert!(bad.parse::<PartnerId>().is_err(), "{bad}");
        }
    }
}
