//! Makes an item ready for a receiver.

use std::collections::HashSet;
use std::sync::Arc;
use std::{io, iter};

use jiff::Timestamp;

use super::content::{Cuts, Reading, addressed, archived, decode_now, decoded, pieced, reading, unpacked};
use crate::blocking::Blocking;
use crate::formats::{self, Coding, Details, Encoding, ReadItemError, Span, broker};
use crate::model::{ArchiveContents, Batch, ByteRange, Envelope, GenericFormat, Item, ItemKind, Reportee, ShipmentId};
use crate::ports::{
    BatchConsignment, Blob, Consignment, Content, ContentPart, DeliveryError, Message, NamedContent, Parcel, PartMeta,
    Payload,
};
use crate::split::{self, Chosen};

/// Where a shipment's items are read from.
#[derive(Clone)]
pub struct Source {
    /// Which shipment, or which share of one: what its items are filed under.
    pub shipment: ShipmentId,
    /// The shipment as its sender knows it, and receivers do.
    pub whole: ShipmentId,
    /// What its file was called.
    pub file_name: Arc<str>,
    /// Its bytes.
    pub blob: Arc<dyn Blob>,
    /// Where its headers lie.
    pub envelope: Arc<Envelope>,
    /// The description of its format, where it has one.
    pub described: Option<Arc<GenericFormat>>,
    /// The door to disk reads.
    pub disk: Blocking,
}

/// What a receiver wants of an item beside the item.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wanted {
    /// The messages it carries, read.
    pub(super) messages: bool,
    /// What its archive says and holds.
    pub(super) parcels: bool,
}

/// What an item that was judged good and cannot be read again means: trouble of the disk may pass and meets every item,
/// damaged bytes are this item's and do not mend.
pub(super) fn not_consigned(error: ReadItemError) -> DeliveryError {
    match error {
        ReadItemError::Unreadable(error) => DeliveryError::Unreadable(error),
        ReadItemError::Changed(_) | ReadItemError::TooMuch(_) | ReadItemError::NoTime => {
            DeliveryError::Refused { code: error.code() }
        }
    }
}

impl Source {
    /// Reads an item's details, or its messages where the receiver wants those; large contents stay on disk until they are
    /// streamed. Blocks.
    pub(super) fn consign(
        &self,
        item: &Item,
        attachments: Vec<ByteRange>,
        (first_intent, wanted): (Timestamp, Wanted),
    ) -> Result<Consignment, ReadItemError> {
        if let Some(contents) = &self.envelope.archive {
            return self.consign_archive(item, contents, (first_intent, wanted.parcels));
        }
        let encoding = formats::preamble(self.blob.as_ref())?.encoding;
        if wanted.messages && matches!(item.found.kind, ItemKind::Correspondence | ItemKind::AltUtMessage) {
            return self.consign_messages(item, encoding, first_intent);
        }
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
            // What is written as text may take up to three bytes for each that was sent.
            let per_byte = if span.coding == Coding::Base64 { 1 } else { 3 };
            let most_bytes = span.content.len().saturating_mul(per_byte);
            parts.push(ContentPart { meta: span.meta, content, most_bytes });
        }
        let batch = self.single(item, attachments, encoding);
        Ok(self.consignment(item, details, (parts, batch), first_intent))
    }

    /// The item as a batch of its own.
    fn single(&self, item: &Item, attachments: Vec<ByteRange>, encoding: Encoding) -> Content {
        let (source, whole) = (self.clone(), Arc::new((item.found.clone(), attachments)));
        let cuts = move || -> Cuts {
            let (source, whole) = (source.clone(), Arc::clone(&whole));
            Box::new(iter::once_with(move || split::single(&source.blob, &source.envelope, &whole.0, &whole.1)))
        };
        pieced(&self.blob, encoding, cuts, &self.disk)
    }

    /// Every content of a message is streamed: which of them is needed is the receiver's choice.
    fn consign_messages(
        &self,
        item: &Item,
        encoding: Encoding,
        first_intent: Timestamp,
    ) -> Result<Consignment, ReadItemError> {
        let read = formats::messages(self.blob.as_ref(), &item.found)?;
        let content = |span: Span| decoded(&self.blob, encoding, &span, &self.disk);
        let messages: Vec<Message> = read.into_iter().map(|message| message.with_contents(content)).collect();
        let reportee = messages.first().and_then(|message| message.recipient.clone());
        let details = Details { reportee, ..Details::default() };
        let batch = self.single(item, Vec::new(), encoding);
        Ok(Consignment { messages, ..self.consignment(item, details, (Vec::new(), batch), first_intent) })
    }

    /// Makes a batch ready, beside a reader of it for its judge. Blocks.
    pub(super) fn consign_batch(&self, batch: &Batch, chosen: Chosen) -> io::Result<(BatchConsignment, Reading)> {
        if chosen.items() != batch.items {
            return Err(io::Error::other("the ledger has other items of the batch than when it was made"));
        }
        let encoding = formats::preamble(self.blob.as_ref())?.encoding;
        let part = chosen.first_part().and_then(|part| self.envelope.parts.get(part as usize));
        let sequence_number = part.and_then(|part| part.sequence_no.as_ref()?.trim().parse().ok());
        let reference = part.map(|part| Batch::reference(&part.reference, batch.number)).unwrap_or_default();
        let (source, chosen, suffix) = (self.clone(), Arc::new(chosen), Batch::suffix(batch.number));
        let cuts = move || -> Cuts { Box::new(chosen.cut(&source.blob, &source.envelope, &suffix)) };
        let reader = reading(&self.blob, encoding, cuts());
        let content = pieced(&self.blob, encoding, cuts, &self.disk);
        let (shipment, number, key, items) = (self.whole, batch.number, batch.key, batch.items);
        let consignment = BatchConsignment {
            shipment,
            number,
            key,
            items,
            reference,
            sequence_number,
            content,
            attachments: Vec::new(),
            is_repeat: false,
        };
        Ok((consignment, reader))
    }

    /// Takes the attachments behind all items out of a batch: their elements stay in it, empty. Left in it are all where
    /// one cannot be named in an archive, or where they are too much for one. Reads them once. Blocks.
    pub(super) fn take_apart(&self, mut chosen: Chosen) -> Result<(Chosen, Vec<NamedContent>), ReadItemError> {
        let encoding = formats::preamble(self.blob.as_ref())?.encoding;
        let (mut names, mut bytes, mut taken) = (HashSet::new(), 0, Vec::new());
        let mut contents = Vec::with_capacity(chosen.attachments.len());
        for range in &chosen.attachments {
            let place = formats::attachment_place(self.blob.as_ref(), *range)?;
            bytes += place.content.len();
            // Windows would unpack names that differ in case alone over each other.
            if !is_file_name(&place.internal_name) || !names.insert(place.internal_name.to_lowercase()) {
                return Ok((chosen, Vec::new()));
            }
            contents.push(place.content);
            let meta = PartMeta::Attachment { file_name: String::new(), attachment_type: String::new() };
            let span = Span { meta, content: place.content, coding: Coding::Base64 };
            let content = decoded(&self.blob, encoding, &span, &self.disk);
            taken.push(NamedContent { name: place.internal_name, content });
        }
        if bytes > MOST_APART_BYTES {
            return Ok((chosen, Vec::new()));
        }
        chosen.hollow = contents;
        Ok((chosen, taken))
    }

    /// A recipient gets the archive with a list that names him alone.
    fn consign_archive(
        &self,
        item: &Item,
        contents: &ArchiveContents,
        (first_intent, wants_parcel): (Timestamp, bool),
    ) -> Result<Consignment, ReadItemError> {
        let party = broker::party(self.blob.as_ref(), &contents.recipients, item.found.range)?;
        let parcel = if wants_parcel { Some(self.parcel(contents, (&party, first_intent))?) } else { None };
        let batch = archived(&self.blob, *contents, (party.clone(), first_intent), &self.disk);
        let details = Details { reportee: Some(party), ..Details::default() };
        Ok(Consignment { parcel, ..self.consignment(item, details, (Vec::new(), batch), first_intent) })
    }

    /// What an archive to a party says and holds.
    fn parcel(&self, contents: &ArchiveContents, (to, sent): (&Reportee, Timestamp)) -> Result<Parcel, ReadItemError> {
        let blob = self.blob.as_ref();
        let said = broker::parcel(blob, &contents.manifest)?;
        let payload = contents.payload.map(|member| -> Result<Payload, ReadItemError> {
            let file_name = broker::payload_name(blob, &member)?;
            Ok(Payload { file_name, size_bytes: member.size_bytes, content: unpacked(&self.blob, member, &self.disk) })
        });
        Ok(Parcel {
            sender: said.sender,
            file_name: self.file_name.to_string(),
            size_bytes: addressed(blob, contents, to, sent)?.size_bytes(),
            properties: said.properties.into_iter().map(|property| (property.key, property.value)).collect(),
            payload: payload.transpose()?,
        })
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
            shipment: self.whole,
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
            prefilled: details.prefilled,
            parts,
            messages: Vec::new(),
            parcel: None,
            batch,
            first_intent,
        }
    }
}

/// Tells whether a name stays in the folder that it is unpacked to.
fn is_file_name(name: &str) -> bool {
    let plain = |c: char| !c.is_control() && !matches!(c, '/' | '\\' | ':');
    (1..=255).contains(&name.len()) && !matches!(name, "." | "..") && name.chars().all(plain)
}

/// Most bytes of attachments, as base64, that go beside a batch: an archive of 32-bit sizes holds them.
const MOST_APART_BYTES: u64 = 4_000_000_000;
/// Bytes of an item's contents, in all, that are read with its details; the rest is streamed.
const HELD_BYTES: u64 = 32 * 1024;
