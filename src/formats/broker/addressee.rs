//! The list of recipients a delivery has: of its own recipient alone, stored.

use flate2::Crc;

use super::end::RECORD_BYTES;

/// The entry, as it lies in the archive, and its record in the directory.
#[derive(Clone)]
pub(super) struct Addressee {
    list: Vec<u8>,
    crc32: u32,
}

impl Addressee {
    /// Names one party: digits only, as the list was judged.
    pub(super) fn new(party: &str) -> Self {
        let list = format!(
            "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<BrokerServiceRecipientList xmlns=\"{NAMESPACE}\">\n  \
             <Recipient>\n    <PartyNumber>{party}</PartyNumber>\n  </Recipient>\n</BrokerServiceRecipientList>\n"
        );
        let mut crc = Crc::new();
        crc.update(list.as_bytes());
        Self { crc32: crc.sum(), list: list.into_bytes() }
    }

    /// Its header and its content.
    pub(super) fn entry(&self) -> Vec<u8> {
        let mut bytes = b"PK\x03\x04".to_vec();
        self.facts(&mut bytes);
        put_all(&mut bytes, &[NAME.len() as u16, 0]);
        bytes.extend_from_slice(NAME);
        bytes.extend_from_slice(&self.list);
        bytes
    }

    pub(super) fn entry_bytes(&self) -> u64 {
        (HEADER_BYTES + NAME.len() + self.list.len()) as u64
    }

    /// Its record, when it lies at the place.
    pub(super) fn record(&self, at: u64) -> Vec<u8> {
        let (narrow, wide) = match u32::try_from(at).ok().filter(|at| *at < u32::MAX) {
            Some(narrow) => (narrow, Vec::new()),
            None => (u32::MAX, [&[1, 0, 8, 0], at.to_le_bytes().as_slice()].concat()),
        };
        let mut bytes = b"PK\x01\x02".to_vec();
        put_all(&mut bytes, &[MADE_BY]);
        self.facts(&mut bytes);
        put_all(&mut bytes, &[NAME.len() as u16, wide.len() as u16, 0, 0, 0, 0, 0]);
        bytes.extend_from_slice(&narrow.to_le_bytes());
        bytes.extend_from_slice(NAME);
        bytes.extend_from_slice(&wide);
        bytes
    }

    pub(super) fn record_bytes(&self, at: u64) -> u64 {
        let wide = if at < u64::from(u32::MAX) { 0 } else { 12 };
        RECORD_BYTES + NAME.len() as u64 + wide
    }

    /// What header and record say alike: version, flags, method, time, CRC-32, both sizes.
    fn facts(&self, bytes: &mut Vec<u8>) {
        put_all(bytes, &[MADE_BY, 0, 0, 0, FIRST_DAY]);
        let size = self.list.len() as u32;
        for value in [self.crc32, size, size] {
            bytes.extend_from_slice(&value.to_le_bytes());
        }
    }
}

fn put_all(bytes: &mut Vec<u8>, values: &[u16]) {
    values.iter().for_each(|value| bytes.extend_from_slice(&value.to_le_bytes()));
}

const NAME: &[u8] = b"recipients.xml";
const NAMESPACE: &str = "http://schema.altinn.no/services/ServiceEngine/Broker/2015/06";
/// Version 4.5, which knows zip64.
const MADE_BY: u16 = 45;
/// The first of January 1980: the same bytes whenever it is sent.
const FIRST_DAY: u16 = 1 << 5 | 1;
const HEADER_BYTES: usize = 30;
