//! Makes an item ready for a receiver.

use std::sync::Arc;

use jiff::Timestamp;

use super::content::{decode_now, decoded, pieced};
use crate::blocking::Blocking;
use crate::formats::{self, ReadItemError};
use crate::model::{ByteRange, Envelope, Item, ShipmentId};
use crate::ports::{Blob, Consignment, ContentPart, DeliveryError};
use crate::split;

/// Where a shipment's items are read from.
#[derive(Clone)]
pub struct Source {
    /// Which shipment.
    pub shipment: ShipmentId,
    /// Its bytes.
    pub blob: Arc<dyn Blob>,
    /// Where its headers lie.
    pub envelope: Arc<Envelope>,
    /// The door to disk reads.
    pub disk: Blocking,
}

/// What an item that was judged good and cannot be read again means: trouble of the disk may pass and meets every item,
/// damaged bytes are this item's and do not mend.
pub(super) fn not_consigned(error: ReadItemError) -> DeliveryError {
    match error {
        ReadItemError::Unreadable(error) => DeliveryError::Unreadable(error),
        ReadItemError::Changed(_) | ReadItemError::TooMuch(_) => DeliveryError::Refused { code: error.code() },
    }
}

impl Source {
    /// Reads an item's details; large contents stay on disk until they are streamed. Blocks.
    pub(super) fn consign(
        &self,
        item: &Item,
        attachments: Vec<ByteRange>,
        first_intent: Timestamp,
    ) -> Result<Consignment, ReadItemError> {
        let encoding = formats::preamble(self.blob.as_ref())?.encoding;
        let details = formats::details(self.blob.as_ref(), &item.found, &attachments)?;
        let part = self.envelope.parts.get(item.found.part as usize);
        let mut parts = Vec::with_capacity(details.parts.len());
        let mut room = HELD_BYTES;
        for span in details.parts {
            let content = if span.content.len() <= room {
                room -= span.content.len();
                decode_now(&self.blob, encoding, &span)?
            } else {
                decoded(&self.blob, encoding, &span, &self.disk)
            };
            parts.push(ContentPart { meta: span.meta, content });
        }
        let (source, found) = (self.clone(), item.found.clone());
        let single = move || split::single(source.blob.as_ref(), &source.envelope, &found, &attachments);
        Ok(Consignment {
            shipment: self.shipment,
            number: item.found.number,
            key: item.found.key,
            kind: item.found.kind,
            reportee: details.reportee,
            service: item.found.service.clone(),
            shipment_reference: part.map(|part| part.reference.clone()).unwrap_or_default(),
            senders_reference: item.found.senders_reference.clone(),
            receivers_reference: details.receivers_reference,
            valid_from: details.valid_from,
            identifying_fields: details.identifying_fields,
            parts,
            batch: pieced(&self.blob, encoding, single, &self.disk),
            first_intent,
        })
    }
}

/// Bytes of an item's contents, in all, that are read with its details; the rest is streamed.
const HELD_BYTES: u64 = 32 * 1024;
