//! Makes a form set ready for an app's model: its elements moved to their new places, the reportee's fields put in.

use std::sync::Arc;

use bytes::Bytes;
use futures::TryStreamExt as _;
use jiff::civil::Date;

use crate::blocking::Blocking;
use crate::codes;
use crate::formats::{self, Placed};
use crate::model::{AppTarget, Field, HeldKey, Move, PartnerId, Reportee};
use crate::ports::{
    Blobs, Consignment, Content, ContentPart, DeliveryError, Held, HeldItem, LedgerError, PartMeta, Sort,
};

use super::consign::not_consigned;

/// What forms are filled with, and from where.
#[derive(Clone)]
pub struct Filler {
    /// Where fields are known.
    pub held: Arc<dyn Held>,
    /// Where they lie.
    pub blobs: Arc<dyn Blobs>,
    /// The door to disk reads.
    pub disk: Blocking,
    /// Whose routes.
    pub partner: PartnerId,
}

impl Filler {
    /// The item as its app wants it on the day; `None` where it is so already.
    pub async fn filled(
        &self,
        item: &Consignment,
        app: &AppTarget,
        today: Date,
    ) -> Result<Option<Consignment>, DeliveryError> {
        let values = match &item.reportee {
            Some(reportee) => self.values(reportee, app, today).await?,
            None => Vec::new(),
        };
        if values.is_empty() && app.data_types.iter().all(|row| row.moves.is_empty()) {
            return Ok(None);
        }
        let mut filled = item.clone();
        for part in &mut filled.parts {
            fill_part(part, app, &values).await?;
        }
        if !item.parts.iter().any(|part| matches!(part.meta, PartMeta::Form { .. })) {
            filled.parts.splice(0..0, form_of(app, &values));
        }
        Ok(Some(filled))
    }

    /// A form of the reportee's fields alone; `None` where there are none, or the app takes no such form.
    pub(super) async fn form_of_fields(
        &self,
        reportee: &Reportee,
        app: &AppTarget,
        today: Date,
    ) -> Result<Option<ContentPart>, DeliveryError> {
        Ok(form_of(app, &self.values(reportee, app, today).await?))
    }

    /// The reportee's fields that the app has places for, the earliest first, so that the last of two counts.
    async fn values(&self, reportee: &Reportee, app: &AppTarget, today: Date) -> Result<Vec<Placed>, DeliveryError> {
        if app.prefill.fields.is_empty() {
            return Ok(Vec::new());
        }
        let whose = HeldKey::of_fields(&self.partner, reportee);
        let held = self.held.held(whose, Sort::Field, today, MOST_FIELDS).await.map_err(not_now)?;
        let mut values = Vec::new();
        for item in held {
            let field = self.field(item).await?;
            let places = app.prefill.fields.iter().filter(|row| row.id == field.id);
            values.extend(places.map(|row| Placed {
                path: row.path.clone(),
                index: field.index,
                value: field.value.clone(),
            }));
        }
        Ok(values)
    }

    async fn field(&self, held: HeldItem) -> Result<Field, DeliveryError> {
        let blob = self.blobs.open(held.blob).await?;
        let read = self.disk.run(move || formats::details(blob.as_ref(), &held.item, &[], None)).await;
        let details = read.map_err(std::io::Error::other)?.map_err(not_consigned)?;
        Ok(details.prefilled.field)
    }
}

fn form_of(app: &AppTarget, values: &[Placed]) -> Option<ContentPart> {
    let (row, form) = app.field_form().zip(formats::form_of(values))?;
    let version = row.format_version.clone().unwrap_or_default();
    let meta = PartMeta::Form { format_id: row.format_id.clone(), format_version: version };
    let most_bytes = form.len() as u64;
    Some(ContentPart { meta, content: Content::from_bytes(form), most_bytes })
}

/// The ledger's trouble passes, and nothing has happened.
pub(super) fn not_now(error: LedgerError) -> DeliveryError {
    DeliveryError::Unreadable(std::io::Error::other(error))
}

async fn fill_part(part: &mut ContentPart, app: &AppTarget, values: &[Placed]) -> Result<(), DeliveryError> {
    let PartMeta::Form { format_id, format_version } = &part.meta else { return Ok(()) };
    let moves: &[Move] = app.form_row(format_id, format_version).map_or(&[], |row| &row.moves);
    if moves.is_empty() && values.is_empty() {
        return Ok(());
    }
    let form = gathered(&part.content).await?;
    let filled = formats::fill(&form, moves, values);
    let filled = filled.map_err(|_| DeliveryError::Refused { code: codes::FORM_NOT_FILLED })?;
    part.most_bytes = filled.len() as u64;
    part.content = Content::from_bytes(filled);
    Ok(())
}

/// A form, whole.
pub(super) async fn gathered(content: &Content) -> Result<Vec<u8>, DeliveryError> {
    let mut form = Vec::new();
    let mut stream = content.stream();
    while let Some(chunk) = stream.try_next().await? {
        let chunk: Bytes = chunk;
        if form.len() + chunk.len() > MOST_FORM_BYTES {
            return Err(DeliveryError::Refused { code: codes::ITEM_TOO_LARGE });
        }
        form.extend_from_slice(&chunk);
    }
    Ok(form)
}

/// Fields of one reportee that go into a form.
const MOST_FIELDS: u32 = 10_000;
/// A form to be changed is held whole, and its tree besides.
const MOST_FORM_BYTES: usize = 8 << 20;
