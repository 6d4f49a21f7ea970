//! Makes an item ready for a receiver.

use std::sync::Arc;

use jiff::Timestamp;

use super::content::{archived, decode_now, decoded, pieced};
use crate::blocking::Blocking;
use crate::formats::{self, Details, ReadItemError, broker};
use crate::model::{ArchiveContents, ByteRange, Envelope, GenericFormat, Item, ShipmentId};
use crate::ports::{Blob, Consignment, Content, ContentPart, DeliveryError};
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
    /// The description of its format, where it has one.
    pub described: Option<Arc<GenericFormat>>,
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
        if let Some(contents) = &self.envelope.archive {
            return self.consign_archive(item, contents, first_intent);
        }
        let encoding = formats::preamble(self.blob.as_ref())?.encoding;
        let described = self.described.as_deref();
        let mut details = formats::details(self.blob.as_ref(), &item.found, &attachments, described)?;
        let mut parts = Vec::with_capacity(details.parts.len());
        let mut room = HELD_BYTES;
        for span in std::mem::take(&mut details.parts) {
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
        let batch = pieced(&self.blob, encoding, single, &self.disk);
        Ok(self.consignment(item, details, (parts, batch), first_intent))
    }

    /// A recipient gets the archive without the list that names the others.
    fn consign_archive(
        &self,
        item: &Item,
        contents: &ArchiveContents,
        first_intent: Timestamp,
    ) -> Result<Consignment, ReadItemError> {
        let party = broker::party(self.blob.as_ref(), &contents.recipients, item.found.range)?;
        let details = Details { reportee: Some(party), ..Details::default() };
        let batch = archived(&self.blob, *contents, first_intent, &self.disk);
        Ok(self.consignment(item, details, (Vec::new(), batch), first_intent))
    }

    fn consignment(
        &self,
        item: &Item,
        details: Details,
        (parts, batch): (Vec<ContentPart>, Content),
        first_intent: Timestamp,
    ) -> Consignment {
        let part = self.envelope.parts.get(item.found.part as usize);
        Consignment {
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
            batch,
            first_intent,
        }
    }
}

/// Bytes of an item's contents, in all, that are read with its details; the rest is streamed.
const HELD_BYTES: u64 = 32 * 1024;
