//! One attempt at one item, or at one batch of items: look up what is unknown, intent, effect, outcome.

use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::Timestamp;

use super::consign::{Wanted, not_consigned};
use super::deliver::Forwarding;
use super::patience::{after, wait_after};
use crate::codes::{self, Effect};
use crate::formats::MOST_PARTS;
use crate::measures;
use crate::model::{Batch, Code, Item, ItemState, Note, Outcome};
use crate::ports::{
    Activation, BatchConsignment, Consignment, Delivered, DeliveryError, Follow, Held, Intent, LedgerError, Next, Told,
};
use crate::split::{Chosen, is_valid};

/// What goes to the receiver in one request.
#[derive(Clone, Copy)]
pub(super) enum Load<'a> {
    /// The item.
    Item,
    /// The batch that begins with the item.
    Batch(Batch),
    /// An instance of an item that was kept.
    Kept(&'a dyn Held, &'a Activation),
}

/// One attempt.
pub(super) struct Attempt<'a> {
    /// With what, and by which rules.
    pub(super) forwarding: &'a Forwarding,
    /// At what.
    pub(super) load: Load<'a>,
    /// The item, or the first of the batch: the others are as it is.
    pub(super) item: &'a Item,
}

/// An attempt under way. Where the ledger does not take its outcome, or it is dropped, nobody knows when it ended.
struct UnderWay<'a> {
    forwarding: &'a Forwarding,
    is_recorded: bool,
}

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        if !self.is_recorded {
            self.forwarding.patience.cut_off(self.forwarding.clock.now());
        }
    }
}

impl Attempt<'_> {
    /// Makes it.
    pub(super) async fn run(&self) -> Result<(), LedgerError> {
        let mut under_way = UnderWay { forwarding: self.forwarding, is_recorded: false };
        let done = self.make().await;
        under_way.is_recorded = done.is_ok();
        done
    }

    async fn make(&self) -> Result<(), LedgerError> {
        if let Some(at) = self.settles_at() {
            return self.conclude(Outcome::Unknown { code: codes::OUTCOME_UNKNOWN, at }).await;
        }
        let is_doubtful = if self.item.state == ItemState::Sending {
            let Some(is_doubtful) = self.look_first().await? else { return Ok(()) };
            is_doubtful
        } else {
            self.item.is_doubtful
        };
        let intended_at = self.intend(is_doubtful).await?;
        match self.deliver(intended_at).await {
            Ok(delivered) => self.delivered(delivered).await,
            Err(error) => self.failed(error, is_doubtful).await,
        }
    }

    /// Looks what became of the attempt before. `None` when nothing is to be sent; else whether it may have had its effect.
    async fn look_first(&self) -> Result<Option<bool>, LedgerError> {
        let is_there = match self.look_up().await {
            Ok(Some(found)) => return self.delivered(found).await.map(|()| None),
            Ok(None) => false,
            Err(DeliveryError::Unclear) => true,
            Err(error) => return self.still_unknown(&error).await.map(|()| None),
        };
        let (looks_only, code) = (self.forwarding.looks_only, self.item.code.unwrap_or(codes::OUTCOME_UNKNOWN));
        if !looks_only && self.gives_up_at() > self.now() {
            return Ok(Some(is_there));
        }
        let outcome = match (is_there, looks_only) {
            (true, _) => Outcome::Doubtful(in_doubt(code)),
            (false, true) => Outcome::NotThere(codes::CANCELLED),
            (false, false) => Outcome::NotThere(code),
        };
        self.conclude(outcome).await.map(|()| None)
    }

    async fn look_up(&self) -> Result<Option<Delivered>, DeliveryError> {
        let receiver = &self.forwarding.receiver;
        match self.load {
            Load::Item | Load::Kept(..) => receiver.look_up(&self.consign(self.now()).await?).await,
            Load::Batch(batch) => receiver.look_up_batch(&self.consign_batch(batch, false).await?).await,
        }
    }

    async fn deliver(&self, intended_at: Timestamp) -> Result<Delivered, DeliveryError> {
        let receiver = &self.forwarding.receiver;
        match self.load {
            Load::Item | Load::Kept(..) => {
                let item = self.consign(intended_at).await?;
                self.timed(receiver.deliver(&item)).await
            }
            Load::Batch(batch) => {
                let batch = self.consign_batch(batch, true).await?;
                self.timed(receiver.deliver_batch(&batch)).await
            }
        }
    }

    async fn timed<T>(&self, receiving: impl Future<Output = T>) -> T {
        let begun = Instant::now();
        let answer = receiving.await;
        measures::delivering(&self.forwarding.route.name, begun.elapsed());
        self.forwarding.patience.answered(begun.elapsed());
        answer
    }

    /// When the receiver has had time to finish an attempt whose outcome is unknown; `None` when it has.
    fn settles_at(&self) -> Option<Timestamp> {
        let intent = (self.item.state == ItemState::Sending).then_some(self.item.last_intent).flatten()?;
        // A long body may have been cut off long after its intent: by the end of the process before this one, or by an error
        // of ours. What is from the future is of a clock that was set back.
        let cut_off = self.forwarding.patience.cut_off_at();
        let ended = [intent, cut_off].into_iter().filter(|ended| *ended <= self.now()).max();
        let ended = ended.unwrap_or_default().max(self.forwarding.started);
        let at = after(ended, Duration::from_millis(self.forwarding.route.retry.settle_ms));
        (at > self.now()).then_some(at)
    }

    /// The item as of its first intent, which may be this one: what is made of it is the same at every attempt.
    async fn consign(&self, intended_at: Timestamp) -> Result<Consignment, DeliveryError> {
        let first_intent = self.item.first_intent.unwrap_or(intended_at);
        let attachments = self.forwarding.attachments_of(&self.item.found).await?;
        let (source, item) = (self.forwarding.source.clone(), self.item.clone());
        let receiver = &self.forwarding.receiver;
        let wanted = Wanted { messages: receiver.takes_messages(), parcels: receiver.takes_parcels() };
        let consign = move || source.consign(&item, attachments, (first_intent, wanted));
        let read = self.forwarding.source.disk.run(consign).await;
        let read = read.map_err(io::Error::other)?.map_err(|error| {
            let (shipment, item) = (self.forwarding.source.shipment, self.item.found.number);
            if error.is_ours() {
                tracing::error!(%shipment, item, %error, "a staged item cannot be read again");
            }
            not_consigned(error)
        })?;
        Ok(match self.load {
            Load::Item | Load::Batch(_) => read,
            Load::Kept(_, activation) => {
                let mut item = read.on(activation.occasion);
                item.prefilled.removes.clone_from(&activation.removes);
                item
            }
        })
    }

    /// Makes the batch ready; one to be sent is judged first.
    async fn consign_batch(&self, batch: Batch, sent: bool) -> Result<BatchConsignment, DeliveryError> {
        let mut chosen = self.chosen(batch).await?;
        let source = self.forwarding.source.clone();
        let mut attachments = Vec::new();
        if self.forwarding.receiver.takes_attachments_apart() && !chosen.attachments.is_empty() {
            let source = source.clone();
            let taken = self.forwarding.cores.run(move || source.take_apart(chosen)).await;
            (chosen, attachments) = taken.map_err(io::Error::other)?.map_err(not_consigned)?;
        }
        let read = self.forwarding.source.disk.run(move || source.consign_batch(&batch, chosen)).await;
        let (consignment, mut reader) = read.map_err(io::Error::other)??;
        let is_repeat = self.item.is_doubtful || self.item.state == ItemState::Sending;
        let consignment = BatchConsignment { attachments, is_repeat, ..consignment };
        if sent {
            let (route, items) = (Arc::clone(&self.forwarding.route), batch.items);
            let judging = move || is_valid(&mut reader, &route, route.partner.as_str(), items);
            let judged = self.forwarding.cores.run(judging).await;
            if !judged.map_err(io::Error::other)?? {
                let (shipment, batch) = (self.forwarding.source.shipment, batch.number);
                tracing::error!(%shipment, batch, "a batch would not be valid and is not sent");
                return Err(DeliveryError::Refused { code: codes::BATCH_NOT_VALID });
            }
        }
        Ok(consignment)
    }

    /// The places of the batch's items and of their attachments.
    async fn chosen(&self, batch: Batch) -> Result<Chosen, DeliveryError> {
        let (mut chosen, mut attachments, mut last) = (Chosen::default(), Vec::new(), batch.first.saturating_sub(1));
        while last < batch.last {
            let (ledger, id) = (&self.forwarding.ledger, self.forwarding.source.shipment);
            let page = ledger.items(id, &[ItemState::Ready, ItemState::Sending], last, PAGE_ITEMS).await;
            let page = page.map_err(|error| DeliveryError::Unreadable(io::Error::other(error)))?;
            let Some(end) = page.last().map(|item| item.found.number) else { break };
            for item in page.iter().filter(|item| item.batch == Some(batch.number)) {
                chosen.add(&item.found);
                attachments.extend(self.forwarding.attachments_of(&item.found).await?);
            }
            last = end;
        }
        if attachments.len() as u64 > MOST_PARTS {
            return Err(DeliveryError::Refused { code: codes::ITEM_TOO_LARGE });
        }
        chosen.attachments = attachments;
        Ok(chosen)
    }

    /// Records that it is about to happen; returns when that was.
    async fn intend(&self, is_doubtful: bool) -> Result<Timestamp, LedgerError> {
        let (shipment, ledger, now) = (self.forwarding.source.shipment, &self.forwarding.ledger, self.now());
        let intent = Intent { shipment, number: self.number(), now, is_doubtful };
        match self.load {
            Load::Item => ledger.intend(intent).await?,
            Load::Kept(held, activation) => held.intend_activation(activation.id, intent.now).await?,
            Load::Batch(_) => ledger.intend_batch(intent).await?,
        }
        Ok(now)
    }

    /// The item's number, or the batch's.
    fn number(&self) -> u64 {
        match self.load {
            Load::Item | Load::Kept(..) => self.item.found.number,
            Load::Batch(batch) => batch.number,
        }
    }

    async fn delivered(&self, delivered: Delivered) -> Result<(), LedgerError> {
        self.forwarding.patience.well();
        let follow = delivered.news_for.map(|time| Follow {
            due_at: after(self.now(), self.forwarding.receiver.wait_for_news(0)),
            ends_at: after(self.now(), time),
        });
        let told = Told { notes: delivered.notes, follow };
        self.conclude_with(Outcome::Delivered(delivered.receivers_reference), told).await
    }

    async fn failed(&self, error: DeliveryError, is_doubtful: bool) -> Result<(), LedgerError> {
        let (code, next) = error.outcome();
        let put_off = |again: fn(Code, Timestamp) -> Outcome, wish| {
            let given_up = if is_doubtful { in_doubt(code) } else { code };
            self.again_or_give_up(given_up, |at| again(code, at), wish)
        };
        let mut refused = None;
        let outcome = match next {
            Next::GiveUp => {
                self.forwarding.patience.well();
                // What refuses a repeat may be what has it. Who takes batches tells so itself.
                let is_repeat = is_doubtful && matches!(self.load, Load::Item);
                refused = Some(code).filter(|code| is_repeat && codes::effect(*code) == Effect::Nothing);
                Outcome::Failed(refused.map_or(code, |_reason| codes::REPEAT_REFUSED))
            }
            Next::Retry(wish) => {
                self.trouble(&error, wish, false);
                put_off(|code, at| Outcome::Retry { code, at }, wish)
            }
            Next::HoldUp => {
                self.trouble(&error, None, false);
                if let Some(queue) = &self.forwarding.queue {
                    queue.went_down();
                }
                put_off(|code, at| Outcome::Down { code, at }, None)
            }
            Next::LookUp => {
                self.trouble(&error, None, false);
                // Never given up unseen: the look-up comes first, also when the time limit has passed.
                let settle = Duration::from_millis(self.forwarding.route.retry.settle_ms);
                Outcome::Unknown { code, at: after(self.now(), self.wait(None).max(settle)) }
            }
            Next::AskOperator => {
                self.trouble(&error, None, true);
                put_off(|code, at| Outcome::Retry { code, at }, None)
            }
        };
        let reason = refused.map(|code| Note::new(code, ""));
        let notes: Vec<Note> = reason.into_iter().chain(error.into_notes()).collect();
        self.conclude_with(outcome, Told { notes, follow: None }).await
    }

    /// What is unknown stays unknown: a look-up that failed says nothing about the effect.
    async fn still_unknown(&self, error: &DeliveryError) -> Result<(), LedgerError> {
        let (wish, all) = match error.outcome().1 {
            Next::Retry(wish) => (wish, false),
            Next::AskOperator => (None, true),
            Next::GiveUp | Next::HoldUp | Next::LookUp => (None, false),
        };
        self.trouble(error, wish, all);
        let code = codes::OUTCOME_UNKNOWN;
        self.conclude(self.again_or_give_up(code, |at| Outcome::Unknown { code, at }, wish)).await
    }

    fn again_or_give_up(&self, code: Code, again: impl Fn(Timestamp) -> Outcome, wish: Option<Duration>) -> Outcome {
        let at = after(self.now(), self.wait(wish));
        if at > self.gives_up_at() { Outcome::Failed(code) } else { again(at) }
    }

    fn wait(&self, wish: Option<Duration>) -> Duration {
        wait_after(&self.forwarding.route.retry, self.item.attempts.saturating_add(1), wish)
    }

    fn gives_up_at(&self) -> Timestamp {
        let first = self.item.first_intent.unwrap_or_else(|| self.now());
        after(first.max(self.forwarding.begun_at), Duration::from_millis(self.forwarding.route.retry.give_up_after_ms))
    }

    fn trouble(&self, error: &DeliveryError, wish: Option<Duration>, all: bool) {
        let (shipment, item) = (self.forwarding.source.shipment, self.item.found.number);
        if all {
            let (route, receiver) = (&self.forwarding.route, &self.forwarding.receiver_name);
            tracing::error!(
                %shipment, item, receiver, route = %route.name, partner = %route.partner, %error,
                "delivery needs the operator"
            );
        } else {
            tracing::debug!(%shipment, item, %error, "delivery put off");
        }
        self.forwarding.patience.trouble(&self.forwarding.route.retry, self.now(), wish, all);
    }

    async fn conclude(&self, outcome: Outcome) -> Result<(), LedgerError> {
        self.conclude_with(outcome, Told::default()).await
    }

    async fn conclude_with(&self, outcome: Outcome, told: Told) -> Result<(), LedgerError> {
        let (shipment, ledger) = (self.forwarding.source.shipment, &self.forwarding.ledger);
        let (word, code) = word(&outcome);
        measures::attempted(&self.forwarding.route.name, word, code);
        match self.load {
            Load::Item => ledger.conclude_with(shipment, self.number(), outcome, told, self.now()).await,
            Load::Kept(held, activation) => held.conclude_activation(activation.id, outcome, self.now()).await,
            Load::Batch(_) => ledger.conclude_batch(shipment, self.number(), outcome, self.now()).await,
        }
    }

    fn now(&self) -> Timestamp {
        self.forwarding.clock.now()
    }
}

/// An outcome in one word, and its code.
fn word(outcome: &Outcome) -> (&'static str, Option<Code>) {
    match outcome {
        Outcome::Delivered(_) => ("delivered", None),
        Outcome::Retry { code, .. } | Outcome::Down { code, .. } => ("retry", Some(*code)),
        Outcome::Unknown { code, .. } => ("unknown", Some(*code)),
        Outcome::Failed(code) | Outcome::NotThere(code) | Outcome::Doubtful(code) => ("failed", Some(*code)),
    }
}

/// The code of what may have had its effect: never one that says it had none.
fn in_doubt(code: Code) -> Code {
    if codes::effect(code) == Effect::Nothing { codes::OUTCOME_UNKNOWN } else { code }
}

/// Items of a batch read from the ledger at once.
const PAGE_ITEMS: u32 = 512;
