//! Keeps what an app's items wait for: their first day, a subscription, the app's question. The rest goes through.
//!
//! Keeping is an effect like any other: it has the item's place as its key, may be repeated, and can be looked up.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use jiff::civil::Date;

use super::fill::{Filler, not_now};
use crate::codes;
use crate::model::{
    AppTarget, Code, HeldKey, Identity, ItemKind, Note, Period, PrefillMode, ServiceTable, Terms, day_in_norway,
};
use crate::ports::{
    BatchConsignment, Clock, Concern, Consignment, Delivered, DeliveryError, NewHeld, NewSubscription, Receiver,
    Rounds, Sort, Stand, Turn,
};

/// A receiver of apps that keeps what is not to go there yet.
pub struct Keeper {
    pub(super) inner: Arc<dyn Receiver>,
    services: ServiceTable,
    pub(super) filler: Filler,
    pub(super) clock: Arc<dyn Clock>,
}

/// What becomes of an item.
enum Plan<'a> {
    /// It goes to the app, as the app wants it.
    Now(&'a AppTarget),
    /// It goes as it is: the receiver knows what is wrong with it.
    Through,
    Keep(&'a AppTarget, Sort),
    KeepField,
    Subscribe(&'a AppTarget),
}

impl Keeper {
    /// Keeps in front of a receiver.
    pub fn new(inner: Arc<dyn Receiver>, services: ServiceTable, filler: Filler, clock: Arc<dyn Clock>) -> Self {
        Self { inner, services, filler, clock }
    }

    fn plan(&self, item: &Consignment) -> Plan<'_> {
        if item.kind == ItemKind::Field {
            return Plan::KeepField;
        }
        let row = item.service.as_ref().and_then(|service| self.services.row(service));
        let Some(app) = row.and_then(|row| row.app.as_ref()) else { return Plan::Through };
        match (item.kind, app.prefill.mode) {
            _ if item.prefilled.occasion.is_some() => Plan::Now(app),
            (ItemKind::Subscription, _) => Plan::Subscribe(app),
            (ItemKind::FormTask, PrefillMode::Hold) => Plan::Keep(app, Sort::Subscribed),
            (ItemKind::FormTask, PrefillMode::Serve) => Plan::Keep(app, Sort::Served),
            (ItemKind::FormTask, PrefillMode::Instantiate) if self.is_early(item) && !app.prefill.hides_early => {
                Plan::Keep(app, Sort::Day)
            }
            (ItemKind::FormTask, PrefillMode::Instantiate) => Plan::Now(app),
            (_, PrefillMode::Instantiate | PrefillMode::Hold | PrefillMode::Serve) => Plan::Through,
        }
    }

    /// Decided by the first attempt's time, not by the clock: a look-up must look where the attempt went.
    fn is_early(&self, item: &Consignment) -> bool {
        item.valid_from.is_some_and(|first| first > day_in_norway(item.first_intent))
    }

    pub(super) fn today(&self) -> Date {
        day_in_norway(self.clock.now())
    }

    async fn deliver_now(&self, item: &Consignment, app: &AppTarget) -> Result<Delivered, DeliveryError> {
        if item.prefilled.occasion.is_none() && item.prefilled.valid_to.is_some_and(|last| last < self.today()) {
            return Err(DeliveryError::Refused { code: codes::VALIDITY_OVER });
        }
        match self.filler.filled(item, app, self.today()).await? {
            Some(filled) => self.make(&filled, app).await,
            None => self.make(item, app).await,
        }
    }

    async fn keep(&self, item: &Consignment, app: &AppTarget, sort: Sort) -> Result<Delivered, DeliveryError> {
        let reportee = item.reportee.as_ref().ok_or(DeliveryError::Refused { code: codes::REPORTEE_UNKNOWN })?;
        let held = NewHeld {
            sort,
            whose: HeldKey::of_form(&self.filler.partner, reportee, &app.id()),
            identity: identity(item),
            same: same(item),
            ..self.held(item)?
        };
        self.filler.held.keep(held).await.map_err(not_now)?;
        Ok(kept(item, kept_code(sort)))
    }

    async fn keep_field(&self, item: &Consignment) -> Result<Delivered, DeliveryError> {
        let held = self.held(item)?;
        self.filler.held.keep(held).await.map_err(not_now)?;
        Ok(kept(item, self.field_code(item)))
    }

    fn field_code(&self, item: &Consignment) -> Code {
        let mut places =
            self.services.rows.iter().filter_map(|row| row.app.as_ref()).flat_map(|app| &app.prefill.fields);
        let has_place = places.any(|row| row.id == item.prefilled.field.id);
        if has_place { codes::FIELD_KEPT } else { codes::FIELD_UNUSED }
    }

    /// An item to be kept, as a field.
    fn held(&self, item: &Consignment) -> Result<NewHeld, DeliveryError> {
        let reportee = item.reportee.as_ref().ok_or(DeliveryError::Refused { code: codes::REPORTEE_UNKNOWN })?;
        let valid_to = item.prefilled.valid_to.unwrap_or(Date::MAX);
        if valid_to < self.today() {
            return Err(DeliveryError::Refused { code: codes::VALIDITY_OVER });
        }
        Ok(NewHeld {
            shipment: item.shipment,
            item: item.number,
            sort: Sort::Field,
            whose: HeldKey::of_fields(&self.filler.partner, reportee),
            identity: Identity::of_field(&item.prefilled.field),
            same: Identity::of_field(&item.prefilled.field),
            valid_from: item.valid_from.unwrap_or(Date::ZERO),
            valid_to,
            now: self.clock.now(),
        })
    }

    async fn subscribe(&self, item: &Consignment, app: &AppTarget) -> Result<Delivered, DeliveryError> {
        let refused = |code| DeliveryError::Refused { code };
        let reportee = item.reportee.as_ref().ok_or(refused(codes::REPORTEE_UNKNOWN))?;
        let terms = &item.prefilled.terms;
        let rounds = rounds(terms, app.prefill.swapped_periods).ok_or(refused(codes::SUBSCRIPTION_TERMS))?;
        let next = first_turn(&rounds, terms.starts.unwrap_or(rounds.scheduled), self.today());
        let subscription = NewSubscription {
            shipment: item.shipment,
            item: item.number,
            whose: HeldKey::of_form(&self.filler.partner, reportee, &app.id()),
            identity: identity(item),
            rounds,
            next,
            now: self.clock.now(),
        };
        self.filler.held.subscribe(subscription).await.map_err(not_now)?;
        Ok(kept(item, if next.is_some() { codes::SUBSCRIPTION_KEPT } else { codes::SUBSCRIPTION_OVER }))
    }
}

/// When a subscription comes round; `None` when its terms do not say.
fn rounds(terms: &Terms, swapped: bool) -> Option<Rounds> {
    let period = if swapped { terms.period?.swapped() } else { terms.period? };
    Some(Rounds { period, scheduled: terms.scheduled?, due: terms.due, visible: terms.visible, ends: terms.ends })
}

/// The first turn that is taken: days before the subscription came have been taken by the platform before. One that comes
/// round one time only has not come round there, or it would not have been sent.
fn first_turn(rounds: &Rounds, starts: Date, today: Date) -> Option<Turn> {
    if rounds.period == Period::Once { rounds.turn(0) } else { rounds.from(starts.max(today), 0) }
}

/// What makes a reportee's form sets for an app the same, so that a later one takes the place of an earlier one: the sender's
/// own code, where he gives one.
pub(super) fn same(item: &Consignment) -> Identity {
    match item.prefilled.identity_code.as_str() {
        "" => identity(item),
        code => Identity::of_code(code),
    }
}

/// What tells a reportee's form sets for an app apart.
fn identity(item: &Consignment) -> Identity {
    Identity::of_set(&item.identifying_fields)
}

fn kept_code(sort: Sort) -> Code {
    match sort {
        Sort::Day => codes::KEPT_FOR_DAY,
        Sort::Subscribed => codes::KEPT_FOR_SUBSCRIPTION,
        Sort::Served => codes::KEPT_FOR_APP,
        Sort::Field => codes::FIELD_KEPT,
    }
}

/// An item that is kept: its own key stands in for a receiver's reference.
fn kept(item: &Consignment, code: Code) -> Delivered {
    Delivered { notes: vec![Note::new(code, "")], ..Delivered::of(format!("{KEPT}{}", item.key)) }
}

#[async_trait]
impl Receiver for Keeper {
    async fn concerns(&self, now: Timestamp) -> Vec<Concern> {
        self.inner.concerns(now).await
    }

    async fn deliver(&self, item: &Consignment) -> Result<Delivered, DeliveryError> {
        if let Some(reference) = &item.prefilled.removes {
            return self.remove(item, reference).await;
        }
        match self.plan(item) {
            Plan::Now(app) => self.deliver_now(item, app).await,
            Plan::Through => self.inner.deliver(item).await,
            Plan::Keep(app, sort) => self.keep(item, app, sort).await,
            Plan::KeepField => self.keep_field(item).await,
            Plan::Subscribe(app) => self.subscribe(item, app).await,
        }
    }

    async fn look_up(&self, item: &Consignment) -> Result<Option<Delivered>, DeliveryError> {
        if let Some(reference) = &item.prefilled.removes {
            let is_removed = self.inner.is_removed(item, reference).await?;
            return Ok(is_removed.then(|| Delivered::of(reference.clone())));
        }
        let code = match self.plan(item) {
            Plan::Now(app) => return self.look_up_made(item, app).await,
            Plan::Through => return self.inner.look_up(item).await,
            Plan::Keep(_, sort) => kept_code(sort),
            Plan::KeepField => self.field_code(item),
            Plan::Subscribe(_) => codes::SUBSCRIPTION_KEPT,
        };
        let was_kept = self.filler.held.was_kept(item.shipment, item.number).await;
        let unknown = |_| DeliveryError::Unknown { code: codes::OUTCOME_UNKNOWN };
        Ok(was_kept.map_err(unknown)?.then(|| kept(item, code)))
    }

    fn takes_messages(&self) -> bool {
        self.inner.takes_messages()
    }

    fn takes_parcels(&self) -> bool {
        self.inner.takes_parcels()
    }

    async fn stand(&self, receivers_reference: &str, looks: u32) -> Result<Stand, DeliveryError> {
        self.inner.stand(receivers_reference, looks).await
    }

    fn wait_for_news(&self, looks: u32) -> Duration {
        self.inner.wait_for_news(looks)
    }

    async fn deliver_batch(&self, batch: &BatchConsignment) -> Result<Delivered, DeliveryError> {
        self.inner.deliver_batch(batch).await
    }

    async fn look_up_batch(&self, batch: &BatchConsignment) -> Result<Option<Delivered>, DeliveryError> {
        self.inner.look_up_batch(batch).await
    }
}

/// Before the key of an item that is kept.
const KEPT: &str = "kept/";

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    fn monthly(scheduled: Date, ends: Option<Date>) -> Rounds {
        Rounds { period: Period::Monthly, scheduled, due: None, visible: None, ends }
    }

    #[test]
    fn turns_from_before_it_came_are_passed_over_but_for_one_that_comes_once() {
        let (today, old) = (date(2027, 3, 10), date(2025, 1, 31));
        let first = |rounds: &Rounds, starts| first_turn(rounds, starts, today).map(|turn| turn.day);
        assert_eq!(first(&monthly(old, None), old), Some(date(2027, 3, 31)));
        assert_eq!(first(&monthly(old, None), date(2027, 5, 1)), Some(date(2027, 5, 31)), "not before its start");
        assert_eq!(first(&monthly(old, Some(date(2027, 3, 30))), old), None);
        assert_eq!(first(&monthly(today, None), old), Some(today));
        let once = Rounds { period: Period::Once, ..monthly(old, None) };
        assert_eq!(first(&once, old), Some(old));
        assert_eq!(first(&Rounds { ends: Some(date(2025, 1, 30)), ..once }, old), None);
    }

    #[test]
    fn terms_that_do_not_say_when_are_refused() {
        let terms = Terms { period: Some(Period::Quarterly), scheduled: Some(date(2027, 1, 1)), ..Terms::default() };
        assert_eq!(rounds(&terms, false).unwrap().period, Period::Quarterly);
        assert_eq!(rounds(&terms, true).unwrap().period, Period::Tertiary);
        assert_eq!(rounds(&Terms { period: None, ..terms }, false), None);
        assert_eq!(rounds(&Terms { scheduled: None, ..terms }, false), None);
    }
}
