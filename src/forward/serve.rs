//! Gives apps the form sets that are kept for them, filled as an instance's would be.

use std::io;
use std::sync::Arc;

use async_trait::async_trait;
use jiff::civil::Date;

use super::consign::{Source, Wanted, not_consigned};
use super::fill::{Filler, gathered, not_now};
use crate::formats;
use crate::model::{AppTarget, HeldKey, Item, ItemState, Reportee, day_in_norway};
use crate::ports::{
    Clock, Consignment, DeliveryError, HeldForms, HeldItem, Ledger, NotServed, PartMeta, ServedForm, ServedSet, Sort,
};

/// Gives apps what is kept for them.
pub struct Server {
    /// Where shipments are known.
    pub ledger: Arc<dyn Ledger>,
    /// The apps that ask, each with what its forms are filled with; a partner's several routes may have one app.
    pub apps: Vec<(Filler, AppTarget)>,
    /// The time.
    pub clock: Arc<dyn Clock>,
}

#[async_trait]
impl HeldForms for Server {
    async fn held_forms(&self, app: &str, reportee: &str) -> Result<Vec<ServedSet>, NotServed> {
        let asked: Vec<_> = self.apps.iter().filter(|(_, target)| target.id() == app).collect();
        if asked.is_empty() {
            return Err(NotServed::UnknownApp);
        }
        let reportee = formats::number(reportee).map_err(|_| NotServed::BadReportee)?;
        let today = day_in_norway(self.clock.now());
        let mut sets = Vec::new();
        for (filler, target) in asked {
            sets.extend(self.of_partner(filler, target, &reportee, today).await?);
        }
        Ok(sets)
    }
}

impl Server {
    async fn of_partner(
        &self,
        filler: &Filler,
        app: &AppTarget,
        reportee: &Reportee,
        today: Date,
    ) -> Result<Vec<ServedSet>, DeliveryError> {
        let whose = HeldKey::of_form(&filler.partner, reportee, &app.id());
        let held = filler.held.held(whose, Sort::Served, today, MOST_SETS).await.map_err(not_now)?;
        let places = held.iter().map(|set| (set.shipment, set.item.number)).collect();
        let mut sets = Vec::new();
        for set in held {
            let dates = (Some(set.valid_from), Some(set.valid_to));
            let item = self.consigned(filler, set).await?;
            let filled = filler.filled(&item, app, today).await?;
            sets.push(served(filled.unwrap_or(item), app, dates).await?);
        }
        if sets.is_empty()
            && let Some(form) = filler.form_of_fields(reportee, app, today).await?
        {
            let part = served_form(&form.meta, app, gathered(&form.content).await?)?;
            sets.push(ServedSet {
                senders_reference: String::new(),
                valid_from: None,
                valid_to: None,
                identifying_fields: Vec::new(),
                forms: vec![part],
            });
        }
        filler.held.served(places).await.map_err(not_now)?;
        Ok(sets)
    }

    /// The item, read again as a delivery reads it.
    async fn consigned(&self, filler: &Filler, set: HeldItem) -> Result<Consignment, DeliveryError> {
        let shipment = self.ledger.shipment(set.shipment).await.map_err(not_now)?;
        let envelope = shipment.and_then(|shipment| shipment.verdict).and_then(|verdict| verdict.envelope);
        let source = Source {
            shipment: set.shipment,
            whole: set.shipment,
            blob: filler.blobs.open(set.blob).await?,
            envelope: Arc::new(envelope.unwrap_or_default()),
            described: None,
            file_name: "".into(),
            disk: filler.disk.clone(),
        };
        let item = Item {
            found: set.item,
            state: ItemState::Delivered,
            code: None,
            receivers_reference: String::new(),
            attempts: 0,
            first_intent: None,
            last_intent: None,
            is_doubtful: false,
            batch: None,
            fates: Vec::new(),
        };
        let (now, wanted) = (self.clock.now(), Wanted { messages: false, parcels: false });
        let read = filler.disk.run(move || source.consign(&item, Vec::new(), (now, wanted))).await;
        read.map_err(io::Error::other)?.map_err(not_consigned)
    }
}

async fn served(
    item: Consignment,
    app: &AppTarget,
    (valid_from, valid_to): (Option<Date>, Option<Date>),
) -> Result<ServedSet, DeliveryError> {
    let mut forms = Vec::new();
    for part in &item.parts {
        if matches!(part.meta, PartMeta::Form { .. }) {
            forms.push(served_form(&part.meta, app, gathered(&part.content).await?)?);
        }
    }
    let Consignment { senders_reference, identifying_fields, .. } = item;
    Ok(ServedSet { senders_reference, valid_from, valid_to, identifying_fields, forms })
}

fn served_form(meta: &PartMeta, app: &AppTarget, xml: Vec<u8>) -> Result<ServedForm, DeliveryError> {
    let (format_id, format_version) = match meta {
        PartMeta::Form { format_id, format_version } => (format_id.clone(), format_version.clone()),
        PartMeta::Attachment { .. } => (String::new(), String::new()),
    };
    Ok(ServedForm {
        data_type: app.data_type(&format_id, &format_version).unwrap_or_default().to_owned(),
        format_id,
        format_version,
        xml: String::from_utf8(xml).map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))?,
    })
}

/// Form sets that one answer holds.
const MOST_SETS: u32 = 20;
