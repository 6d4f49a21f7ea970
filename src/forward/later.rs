//! A later form set that is the same as one which has become an instance: it is put there while nobody has touched it; and an
//! instance's end.
//!
//! The instance is reserved before anything is sent, and putting the same there again is no second effect. What may have been
//! sent to one that somebody has touched since is never sent elsewhere.

use jiff::civil::Date;

use super::fill::not_now;
use super::keep::{Keeper, same};
use crate::codes;
use crate::kill_point::kill_point;
use crate::model::{AppTarget, Code, HeldKey, ItemKind, LaterSets, Note, PrefillMode};
use crate::ports::{Changed, Claimed, Consignment, Delivered, DeliveryError, LedgerError, SetPlace};

impl Keeper {
    /// Makes an instance of a set, or puts it where an earlier one is.
    pub(super) async fn make(&self, item: &Consignment, app: &AppTarget) -> Result<Delivered, DeliveryError> {
        let Some(set) = self.place(item, app) else { return self.inner.deliver(item).await };
        if app.prefill.later != LaterSets::New {
            let claimed = self.filler.held.claim_instance(set).await.map_err(not_now)?;
            if let Some(delivered) = self.put(item, app, (set, claimed)).await? {
                return Ok(delivered);
            }
        }
        let made = self.inner.deliver(item).await?;
        self.note(set, made).await
    }

    /// Looks whether that was done; what may have been put somewhere is put there again. What its reportee has touched since
    /// may hold it, or not. To look for one that was made, its form need not be filled.
    pub(super) async fn look_up_made(
        &self,
        item: &Consignment,
        app: &AppTarget,
    ) -> Result<Option<Delivered>, DeliveryError> {
        let Some(set) = self.place(item, app) else { return self.inner.look_up(item).await };
        match self.filler.held.claimed_instance(set.key).await.map_err(unknown)? {
            Claimed::There(reference) => return Ok(Some(Delivered::of(reference))),
            Claimed::Again(reference) | Claimed::New(reference) => {
                return match self.put_filled(item, app, &reference).await {
                    Ok(Changed::Done(notes)) => self.fulfil(set, (reference, notes)).await.map(Some),
                    // The attempt that follows meets the same, and says what is wrong.
                    Ok(Changed::Touched | Changed::Partly(_))
                    | Err(DeliveryError::Refused { .. } | DeliveryError::RefusedFor { .. }) => {
                        Err(DeliveryError::Unclear)
                    }
                    Err(error) => Err(error),
                };
            }
            Claimed::Nothing | Claimed::Busy | Claimed::Outdated(_) => {}
        }
        match self.inner.look_up(item).await? {
            Some(made) => self.note(set, made).await.map(Some),
            None => Ok(None),
        }
    }

    async fn put_filled(&self, item: &Consignment, app: &AppTarget, reference: &str) -> Result<Changed, DeliveryError> {
        let filled = self.filler.filled(item, app, self.today()).await?;
        self.inner.put(filled.as_ref().unwrap_or(item), reference).await
    }

    /// Puts a set into the instance that is reserved for it; `None` where it is to become one of its own.
    async fn put(
        &self,
        item: &Consignment,
        app: &AppTarget,
        (set, claimed): (SetPlace, Claimed),
    ) -> Result<Option<Delivered>, DeliveryError> {
        let (reference, is_new) = match claimed {
            Claimed::Nothing => return Ok(None),
            Claimed::There(reference) => return Ok(Some(Delivered::of(reference))),
            Claimed::Outdated(reference) => return Ok(Some(noted(reference, codes::OUTDATED, Vec::new()))),
            Claimed::Busy => return Err(DeliveryError::Later { code: codes::THROTTLED, after: None }),
            Claimed::New(reference) => (reference, true),
            Claimed::Again(reference) => (reference, false),
        };
        kill_point("later.claimed");
        match self.inner.put(item, &reference).await {
            Ok(Changed::Done(notes)) => self.fulfil(set, (reference, notes)).await.map(Some),
            Ok(Changed::Touched) if is_new => {
                self.filler.held.give_up_claim(set.key, true).await.map_err(unknown)?;
                if app.prefill.later == LaterSets::Update {
                    return Ok(None);
                }
                Err(DeliveryError::Refused { code: codes::INSTANCE_IN_USE })
            }
            // What an earlier attempt may have put there its reportee may have seen.
            Ok(Changed::Touched) => self.stop_halfway(set, None).await,
            Ok(Changed::Partly(refusal)) => self.stop_halfway(set, refusal).await,
            Err(DeliveryError::Refused { code } | DeliveryError::RefusedFor { code, .. }) if !is_new => {
                self.stop_halfway(set, Some(code)).await
            }
            Err(error) => {
                let is_unknown = matches!(error, DeliveryError::Unknown { .. });
                let is_refused = matches!(error, DeliveryError::Refused { .. } | DeliveryError::RefusedFor { .. });
                // Nothing of it is there.
                if is_refused || (is_new && !is_unknown) {
                    self.filler.held.give_up_claim(set.key, false).await.map_err(unknown)?;
                }
                Err(error)
            }
        }
    }

    /// Ends a set that is in its instance in part, or may be, and goes nowhere else, whoever asks for it again: its reservation
    /// stands. An instance that refused the rest of it is there for what is mended; one that somebody has touched is left alone.
    async fn stop_halfway(&self, set: SetPlace, refusal: Option<Code>) -> Result<Option<Delivered>, DeliveryError> {
        if refusal.is_none() {
            self.filler.held.leave_claimed(set.key).await.map_err(unknown)?;
        }
        kill_point("later.halfway");
        let notes = refusal.map(|code| Note::new(code, "")).into_iter().collect();
        Err(DeliveryError::RefusedFor { code: codes::INSTANCE_IN_DOUBT, notes })
    }

    async fn fulfil(&self, set: SetPlace, (reference, notes): (String, Vec<Note>)) -> Result<Delivered, DeliveryError> {
        kill_point("later.put");
        self.filler.held.fulfil_claim(set, self.clock.now()).await.map_err(unknown)?;
        Ok(noted(reference, codes::PUT_INTO_INSTANCE, notes))
    }

    async fn note(&self, set: SetPlace, made: Delivered) -> Result<Delivered, DeliveryError> {
        kill_point("later.made");
        self.filler.held.note_instance(set, made.receivers_reference.clone()).await.map_err(unknown)?;
        Ok(made)
    }

    /// What is to be known of an instance of a set; `None` where its row wants nothing of it later.
    fn place(&self, item: &Consignment, app: &AppTarget) -> Option<SetPlace> {
        let rules = &app.prefill;
        let is_wanted = rules.later != LaterSets::New || rules.deletes_unused;
        if !is_wanted || rules.mode != PrefillMode::Instantiate || item.kind != ItemKind::FormTask {
            return None;
        }
        Some(SetPlace {
            shipment: item.shipment,
            item: item.number,
            key: item.key,
            whose: HeldKey::of_form(&self.filler.partner, item.reportee.as_ref()?, &app.id()),
            same: same(item),
            valid_from: item.valid_from.unwrap_or(Date::ZERO),
            valid_to: item.prefilled.valid_to.unwrap_or(Date::MAX),
            is_deleted: rules.deletes_unused,
        })
    }

    /// Deletes an instance that nobody has touched.
    pub(super) async fn remove(&self, item: &Consignment, reference: &str) -> Result<Delivered, DeliveryError> {
        match self.inner.remove(item, reference).await? {
            Changed::Done(_) => Ok(Delivered::of(reference)),
            Changed::Touched | Changed::Partly(_) => Err(DeliveryError::Refused { code: codes::INSTANCE_IN_USE }),
        }
    }
}

fn noted(reference: String, code: Code, more: Vec<Note>) -> Delivered {
    let notes = std::iter::once(Note::new(code, "")).chain(more).collect();
    Delivered { notes, ..Delivered::of(reference) }
}

/// The ledger's trouble, after something may have been done.
fn unknown(_: LedgerError) -> DeliveryError {
    DeliveryError::Unknown { code: codes::OUTCOME_UNKNOWN }
}
