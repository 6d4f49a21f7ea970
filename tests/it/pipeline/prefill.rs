//! What is kept until it is wanted: first days, subscriptions, replacement, last days; and what is put into forms.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use futures::TryStreamExt as _;
use jiff::{SignedDuration, Timestamp};
use sluse::adapters::ledger::{Record, Replayed};
use sluse::codes;
use sluse::forward::{Filler, Keeper, Server};
use sluse::model::{
    Alarm, AppTarget, Code, DataTypeRow, Deadlines, FieldRow, FinishRules, LaterSets, Move, PrefillMode, PrefillRules,
    ReporteeKind, RetryPolicy, Route, ServiceRow, ServiceTable, ShipmentId,
};
use sluse::pipeline::{Destination, Prefilling, Wakened};
use sluse::ports::{
    Changed, Claimed, Clock as _, Concern, Consignment, Delivered, DeliveryError, Held, HeldForms as _, NotServed,
    PartMeta, Receiver, SetPlace,
};
use tokio_util::sync::CancellationToken;

use super::{Rig, route};
use crate::support::receipts::{assert_valid, item_codes};

/// An app that keeps what it is given; by key, so that what comes twice is seen.
#[derive(Default)]
struct App {
    made: Mutex<Vec<Made>>,
    refuses: Mutex<bool>,
    touched: Mutex<bool>,
    /// Takes some of what is put and no more, for that reason.
    halfway: Mutex<Option<Option<Code>>>,
    /// What the next calls to put something meet.
    put_meets: Mutex<VecDeque<DeliveryError>>,
    removed: Mutex<Vec<String>>,
}

/// An instance.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Made {
    key: String,
    reference: String,
    deadlines: Option<Deadlines>,
    forms: Vec<String>,
}

#[async_trait]
impl Receiver for App {
    async fn deliver(&self, item: &Consignment) -> Result<Delivered, DeliveryError> {
        assert_eq!(item.reportee.as_ref().unwrap().kind(), ReporteeKind::Organisation);
        if *self.refuses.lock().unwrap() {
            return Err(DeliveryError::Refused { code: codes::RECEIVER_REFUSED });
        }
        let mut forms = Vec::new();
        for part in &item.parts {
            if matches!(part.meta, PartMeta::Form { .. }) {
                let chunks: Vec<_> = part.content.stream().try_collect().await.unwrap();
                forms.push(String::from_utf8(chunks.concat()).unwrap());
            }
        }
        let key = item.key.to_string();
        let (reference, deadlines) = (item.senders_reference.clone(), item.prefilled.occasion);
        let mut made = self.made.lock().unwrap();
        assert!(made.iter().all(|made| made.key != key), "{reference} was made twice");
        made.push(Made { key: key.clone(), reference, deadlines, forms });
        Ok(Delivered::of(key))
    }

    async fn look_up(&self, item: &Consignment) -> Result<Option<Delivered>, DeliveryError> {
        let key = item.key.to_string();
        let known = self.made.lock().unwrap().iter().any(|made| made.key == key);
        Ok(known.then(|| Delivered::of(key)))
    }

    async fn put(&self, item: &Consignment, instance: &str) -> Result<Changed, DeliveryError> {
        if let Some(error) = self.put_meets.lock().unwrap().pop_front() {
            return Err(error);
        }
        if let Some(halfway) = *self.halfway.lock().unwrap() {
            return Ok(Changed::Partly(halfway));
        }
        if *self.touched.lock().unwrap() {
            return Ok(Changed::Touched);
        }
        let mut made = self.made.lock().unwrap();
        let there = made.iter_mut().find(|made| made.key == instance).unwrap();
        there.reference.clone_from(&item.senders_reference);
        Ok(Changed::Done(Vec::new()))
    }

    async fn remove(&self, _: &Consignment, instance: &str) -> Result<Changed, DeliveryError> {
        if *self.refuses.lock().unwrap() {
            return Err(DeliveryError::Refused { code: codes::RECEIVER_REFUSED });
        }
        if *self.touched.lock().unwrap() {
            return Ok(Changed::Touched);
        }
        self.removed.lock().unwrap().push(instance.to_owned());
        Ok(Changed::Done(Vec::new()))
    }

    async fn is_removed(&self, _: &Consignment, instance: &str) -> Result<bool, DeliveryError> {
        Ok(self.removed.lock().unwrap().iter().any(|removed| removed == instance))
    }

    async fn concerns(&self, now: Timestamp) -> Vec<Concern> {
        let alarm = Alarm { level: "off".to_owned(), due: now, text: "its clock".to_owned() };
        vec![Concern { about: "clock", alarm }]
    }
}

/// The rig with an app behind a keeper.
struct Kept {
    rig: Rig,
    app: Arc<App>,
    prefilling: Prefilling,
    filler: Filler,
}

impl Kept {
    async fn new(rules: PrefillRules) -> Self {
        Self::with(rules, Vec::new()).await
    }

    async fn with(prefill: PrefillRules, moves: Vec<Move>) -> Self {
        let data_type = DataTypeRow { format_id: "5".into(), format_version: None, data_type: "model".into(), moves };
        let target = AppTarget {
            org: "ttd".into(),
            app: "skjema".into(),
            data_types: vec![data_type],
            attachment_type: None,
            prefill,
            finish: FinishRules::default(),
        };
        let row = ServiceRow {
            code: "PSA".into(),
            edition: None,
            app: Some(target),
            message: None,
            transfer: None,
            schemas: Vec::new(),
        };
        let services = ServiceTable { rows: vec![row], ..ServiceTable::default() };
        let retry = RetryPolicy { settle_ms: 1, ..route().retry };
        let route = Route { services: services.clone(), retry, ..route() };
        let mut rig = Rig::with(route.clone()).await;
        rig.clock.set("2027-01-10T08:00:00Z");
        let (app, held) = (Arc::new(App::default()), Arc::new(rig.ledger.clone()) as Arc<dyn Held>);
        let filler = Filler {
            held: Arc::clone(&held),
            blobs: Arc::clone(&rig.house.blobs),
            disk: rig.house.disk.clone(),
            partner: route.partner.clone(),
        };
        let inner = Arc::clone(&app) as Arc<dyn Receiver>;
        let keeper = Keeper::new(inner, services, filler.clone(), Arc::clone(&rig.house.clock));
        rig.house.receivers =
            Arc::new([(route.name.clone(), Destination::new(Arc::new(keeper), Arc::default()))].into());
        rig.house.started = rig.clock.now();
        let after_midnight = SignedDuration::from_hours(6);
        let prefilling =
            Prefilling { house: rig.house.clone(), held, after_midnight, by_schedule: false, setbacks: Arc::default() };
        Self { rig, app, prefilling, filler }
    }

    fn batch(name: &str, subscriptions: &str, prefill: &str) -> String {
        let part = |kind: &str, content: &str| match content {
            "" => String::new(),
            _ => format!(
                "<{kind}><ExternalShipmentReference>{name}-{kind}</ExternalShipmentReference><Reportee>\
                 <Id>910000004</Id>{content}</Reportee></{kind}>"
            ),
        };
        format!(
            "<ServiceOwner xmlns='http://schemas.altinn.no/services/intermediary/serviceinitiation/2009/10'>\
             <ServiceOwnerName>TTD</ServiceOwnerName>{}{}</ServiceOwner>",
            part("Subscription", subscriptions),
            part("Prefill", prefill)
        )
    }

    /// Drops a batch and waits for its final receipt, whose codes are returned.
    async fn takes(&self, name: &str, subscriptions: &str, prefill: &str) -> (ShipmentId, Vec<(String, u64)>) {
        let batch = Self::batch(name, subscriptions, prefill);
        let running = self.rig.run();
        let id = self.rig.drop_file(&format!("/inbox/{name}.xml"), batch.as_bytes()).await;
        self.rig.final_receipt(id).await;
        running.stop().await;
        let receipt = self.rig.receipt(&format!("{}.final.xml", id.short())).await;
        assert_valid(&receipt);
        // The code of each item, and the codes of what is noted of them.
        let mut codes = item_codes(&receipt);
        for (_, rest) in receipt.match_indices("<Finding code=\"").map(|(at, found)| receipt.split_at(at + found.len()))
        {
            *codes.entry(rest.split_once('"').unwrap().0).or_default() += 1;
        }
        (id, codes.into_iter().map(|(code, items)| (code.to_owned(), items)).collect())
    }

    /// The same while time passes, once what comes between has come.
    async fn takes_in_time(&self, name: &str, prefill: &str, between: impl Future<Output = ()>) -> Vec<(String, u64)> {
        let ticking = async {
            between.await;
            loop {
                let now = self.rig.clock.now() + SignedDuration::from_millis(10);
                self.rig.clock.set(&now.to_string());
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::select! {
            (_, codes) = self.takes(name, "", prefill) => codes,
            () = ticking => unreachable!("it goes on for ever"),
        }
    }

    /// It is this time, and everything that was kept is looked at.
    async fn at(&self, time: &str) {
        self.rig.clock.set(time);
        self.prefilling.look(&CancellationToken::new()).await.unwrap();
    }

    fn made(&self) -> Vec<String> {
        self.app.made.lock().unwrap().iter().map(|made| made.reference.clone()).collect()
    }

    async fn supplement(&self, id: ShipmentId, number: u32) -> String {
        let receipt = self.rig.receipt(&format!("{}.supplement-{number}.xml", id.short())).await;
        assert_valid(&receipt);
        receipt
    }
}

fn set(reference: &str, valid: (&str, &str), identifying: &str, form: &str) -> String {
    let (from, to) = valid;
    let identifying = match identifying {
        "" => String::new(),
        field => format!("<IdentifyingFields><IdentifyingField>{field}</IdentifyingField></IdentifyingFields>"),
    };
    format!(
        "<FormTask><ExternalServiceCode>PSA</ExternalServiceCode><ExternalServiceEditionCode>1</ExternalServiceEditionCode>\
         <ValidFrom>{from}</ValidFrom><ValidTo>{to}</ValidTo><SendersReference>{reference}</SendersReference>{identifying}\
         <Form><DataFormatId>5</DataFormatId><DataFormatVersion>1</DataFormatVersion>\
         <SendersReference>{reference}-F</SendersReference><FormData><![CDATA[{form}]]></FormData></Form></FormTask>"
    )
}

fn subscription(period: &str, scheduled: &str, ends: &str, identifying: &str) -> String {
    let ends = if ends.is_empty() { String::new() } else { format!("<ExpirationDate>{ends}</ExpirationDate>") };
    let identifying = match identifying {
        "" => String::new(),
        field => format!("<IdentifyingFields><IdentifyingField>{field}</IdentifyingField></IdentifyingFields>"),
    };
    format!(
        "<FormTask><ExternalServiceCode>PSA</ExternalServiceCode><ExternalServiceEditionCode>1</ExternalServiceEditionCode>\
         <StartDate>2026-01-01</StartDate>{ends}<NextScheduledDate>{scheduled}</NextScheduledDate>\
         <NextDueDate>2027-02-15</NextDueDate><PeriodType>{period}</PeriodType>{identifying}</FormTask>"
    )
}

fn field(id: &str, index: u32, valid: (&str, &str), value: &str) -> String {
    let (from, to) = valid;
    format!(
        "<Field><Id>{id}</Id><ValidFrom>{from}</ValidFrom><ValidTo>{to}</ValidTo><Index>{index}</Index>\
         <Value>{value}</Value></Field>"
    )
}

const YEAR: (&str, &str) = ("2027-01-01", "2027-12-31");
const HOLD: PrefillRules = PrefillRules {
    mode: PrefillMode::Hold,
    hides_early: false,
    due_by_valid_to: false,
    swapped_periods: false,
    fields: Vec::new(),
    field_data_type: None,
    later: LaterSets::New,
    deletes_unused: false,
};

fn codes_are(found: &[(String, u64)], expected: &[(&str, u64)]) {
    let found: Vec<_> = found.iter().map(|(code, items)| (code.as_str(), *items)).collect();
    assert_eq!(found, expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_app_has_to_say_is_heard_through_its_keeper() {
    let kept = Kept::new(PrefillRules::default()).await;
    let destination = kept.rig.house.receivers.values().next().unwrap();
    let now = kept.rig.clock.now();
    assert_eq!(destination.receiver().concerns(now).await, kept.app.concerns(now).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_form_set_waits_for_its_first_day_and_is_made_once() {
    let kept = Kept::new(PrefillRules::default()).await;
    let later = set("S-2", ("2027-02-01", "2027-02-28"), "", "<S/>");
    let both = format!("{}{later}", set("S-1", YEAR, "", "<S/>"));
    let (id, codes) = kept.takes("a", "", &both).await;
    codes_are(&codes, &[("FW-000", 2), ("FW-151", 1)]);
    assert_eq!(kept.made(), ["S-1"]);
    kept.at("2027-02-01T04:59:59Z").await;
    assert_eq!(kept.made(), ["S-1"], "it is not six in Norway yet");
    kept.at("2027-02-01T05:00:00Z").await;
    kept.at("2027-02-01T05:00:01Z").await;
    assert_eq!(kept.made(), ["S-1", "S-2"]);
    assert_eq!(item_codes(&kept.supplement(id, 1).await), [("LN-021", 1)].into());
    assert_eq!(kept.rig.house.ledger.last_supplement(id).await.unwrap(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_form_set_whose_last_day_is_past_is_refused_or_lapses() {
    let kept = Kept::new(PrefillRules::default()).await;
    let sets = format!(
        "{}{}",
        set("S-1", ("2026-01-01", "2027-01-09"), "", "<S/>"),
        set("S-2", ("2027-02-01", "2027-02-03"), "", "<S/>")
    );
    let (id, codes) = kept.takes("a", "", &sets).await;
    codes_are(&codes, &[("FW-000", 1), ("FW-151", 1), ("FW-251", 1)]);
    kept.at("2027-02-04T09:00:00Z").await;
    assert_eq!(kept.made(), [""; 0]);
    assert_eq!(item_codes(&kept.supplement(id, 1).await), [("LN-222", 1)].into());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_later_form_set_takes_the_place_of_the_one_that_waits() {
    let kept = Kept::new(PrefillRules::default()).await;
    let february = ("2027-02-01", "2027-02-28");
    let (first, _) = kept.takes("a", "", &set("S-1", february, "x", "<S/>")).await;
    let others =
        format!("{}{}", set("S-2", february, "y", "<S/>"), set("S-3", ("2027-03-01", "2027-03-31"), "x", "<S/>"));
    kept.takes("b", "", &others).await;
    let (last, _) = kept.takes("c", "", &set("S-4", ("2027-02-10", "2027-02-20"), "x", "<S/>")).await;
    kept.at("2027-03-01T09:00:00Z").await;
    assert_eq!(item_codes(&kept.supplement(first, 1).await), [("LN-022", 1)].into());
    assert_eq!(item_codes(&kept.supplement(last, 1).await), [("LN-222", 1)].into(), "nobody was there in its time");
    assert_eq!(kept.made(), ["S-3"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_subscription_makes_an_instance_of_the_set_with_its_fields_each_time() {
    let kept = Kept::new(HOLD).await;
    let sets = format!("{}{}", set("S-x", YEAR, "x", "<S>x</S>"), set("S-y", YEAR, "y", "<S>y</S>"));
    let (id, codes) = kept.takes("a", &subscription("Monthly", "2027-01-31", "2027-04-29", "x"), &sets).await;
    codes_are(&codes, &[("FW-000", 3), ("FW-152", 2), ("FW-156", 1)]);
    kept.at("2027-01-30T12:00:00Z").await;
    assert_eq!(kept.made(), [""; 0]);
    kept.at("2027-01-31T12:00:00Z").await;
    kept.at("2027-02-27T12:00:00Z").await;
    assert_eq!(kept.made(), ["S-x"]);
    let first = kept.app.made.lock().unwrap()[0].clone();
    let due = first.deadlines.unwrap().due.unwrap().to_string();
    assert_eq!((first.forms[0].as_str(), due.as_str()), ("<S>x</S>", "2027-02-15"));
    // Both turns were missed, and are taken one by one.
    kept.at("2027-03-31T12:00:00Z").await;
    assert_eq!(kept.made(), ["S-x", "S-x", "S-x"]);
    let due = kept.app.made.lock().unwrap()[2].deadlines.unwrap().due.unwrap().to_string();
    assert_eq!(due, "2027-04-15");
    kept.at("2027-05-31T12:00:00Z").await;
    assert_eq!(kept.made().len(), 3, "it has ended");
    for number in 1..=2 {
        let told = kept.supplement(id, number).await;
        // The set and the subscription, each time.
        let times = if number == 1 { 2 } else { 4 };
        assert_eq!(item_codes(&told), [("LN-021", times)].into(), "{number}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_subscription_without_a_set_makes_an_instance_all_the_same() {
    let kept = Kept::new(HOLD).await;
    kept.takes("a", &subscription("Once", "2026-12-01", "", ""), "").await;
    kept.at("2027-01-11T12:00:00Z").await;
    kept.at("2027-01-12T12:00:00Z").await;
    let made = kept.app.made.lock().unwrap().clone();
    assert_eq!(made.len(), 1, "once, and late rather than never");
    assert!(made[0].forms.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn terms_that_cannot_be_read_are_refused_and_what_is_over_is_told() {
    let kept = Kept::new(HOLD).await;
    let all = [
        subscription("Biweekly", "2027-01-31", "", "a"),
        subscription("Weekly", "2027-01-31", "2027-01-30", "b"),
        subscription("Weekly", "2027-01-31", "", "c"),
    ];
    let (_, codes) = kept.takes("a", &all.concat(), "").await;
    codes_are(&codes, &[("FW-000", 2), ("FW-156", 1), ("FW-157", 1), ("FW-252", 1)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_subscription_takes_the_place_of_one_for_the_same_and_is_listed_without_its_reportee() {
    let kept = Kept::new(PrefillRules { swapped_periods: true, ..HOLD }).await;
    let (first, _) = kept.takes("a", &subscription("Daily", "2027-01-11", "", "x"), "").await;
    kept.takes("b", &subscription("Quarterly", "2027-01-31", "", "x"), &set("S-1", YEAR, "x", "<S/>")).await;
    kept.at("2027-02-01T12:00:00Z").await;
    assert_eq!(kept.made(), ["S-1"]);
    assert_eq!(item_codes(&kept.supplement(first, 1).await), [("LN-022", 1)].into());
    let mut record = Record::open(&kept.rig.dir.path().join("ledger.sqlite")).await.unwrap();
    let listed = record.subscriptions(None, false, 9).await.unwrap();
    assert_eq!((listed.len(), record.subscriptions(None, true, 9).await.unwrap().len()), (1, 2));
    let next = listed[0].next.unwrap();
    assert_eq!(
        (next.number, next.day.to_string().as_str()),
        (1, "2027-05-31"),
        "every four months, as the switch says"
    );
    assert!(listed[0].has_set && listed[0].last.is_some());
    assert!(!format!("{listed:?}").contains("910000004"));
    record.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_made_is_told_and_the_next_time_comes_all_the_same() {
    let kept = Kept::new(HOLD).await;
    let (id, _) = kept.takes("a", &subscription("Daily", "2027-01-11", "2027-01-12", ""), "").await;
    *kept.app.refuses.lock().unwrap() = true;
    kept.at("2027-01-11T12:00:00Z").await;
    assert_eq!(item_codes(&kept.supplement(id, 1).await), [("LN-221", 1)].into());
    *kept.app.refuses.lock().unwrap() = false;
    kept.at("2027-01-12T12:00:00Z").await;
    assert_eq!(item_codes(&kept.supplement(id, 2).await), [("LN-021", 1)].into());
}

#[tokio::test(flavor = "multi_thread")]
async fn bytes_are_kept_as_long_as_something_in_them_is() {
    let kept = Kept::new(PrefillRules::default()).await;
    let (id, _) = kept.takes("a", "", &set("S-1", ("2027-03-01", "2027-03-31"), "", "<S/>")).await;
    let expired = async || {
        let now = kept.rig.clock.now();
        kept.rig.house.ledger.expire(now, now, 9).await.unwrap().len()
    };
    kept.rig.clock.set("2027-02-20T12:00:00Z");
    assert_eq!(expired().await, 0, "its day is still to come");
    kept.at("2027-03-01T12:00:00Z").await;
    assert_eq!(kept.made(), ["S-1"]);
    assert_eq!(expired().await, 1);
    assert!(!kept.filler.held.was_kept(id, 1).await.unwrap(), "no hash of whom it concerned is left");
}

#[tokio::test(flavor = "multi_thread")]
async fn activations_that_cannot_begin_end_when_nobody_helps() {
    for is_lost in [false, true] {
        let mut kept = Kept::new(PrefillRules::default()).await;
        let spring = ("2027-02-01", "2027-12-31");
        let (id, _) = kept.takes("a", "", &set("S-1", spring, "x", "<S/>")).await;
        let rig = &mut kept.rig;
        if is_lost {
            rig.house.blobs.remove(rig.house.ledger.shipment(id).await.unwrap().unwrap().blob).await.unwrap();
        } else {
            rig.house.routes = Arc::default();
        }
        kept.prefilling.house = rig.house.clone();
        let open = async || kept.filler.held.due_activations(id, Timestamp::MAX, 0, 9).await.unwrap().len();
        kept.at("2027-02-01T12:00:00Z").await;
        assert_eq!(open().await, 1);
        kept.at("2027-02-01T12:30:00Z").await;
        assert_eq!(open().await, 1, "the operator has an hour, or a day where the route is gone");
        kept.at("2027-02-02T12:00:01Z").await;
        assert_eq!(open().await, 0);
        assert_eq!(item_codes(&kept.supplement(id, 1).await), [("LN-221", 1)].into());
        assert!(kept.made().is_empty());
    }
}

/// A row that changes instances later.
fn changing(later: LaterSets) -> PrefillRules {
    PrefillRules { later, deletes_unused: true, ..PrefillRules::default() }
}

/// A set with the sender's own code for what identifies it.
fn coded(reference: &str, code: &str, identifying: &str) -> String {
    let set = set(reference, YEAR, identifying, "<S/>");
    let code = format!("</ValidTo><IdentityFieldHashCode>{code}</IdentityFieldHashCode>");
    set.replace("</ValidTo>", &code)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_later_set_is_put_into_the_instance_of_the_one_that_is_the_same() {
    let kept = Kept::new(changing(LaterSets::Update)).await;
    let (first, codes) = kept.takes("a", "", &set("S-1", YEAR, "x", "<S/>")).await;
    codes_are(&codes, &[("FW-000", 1)]);
    let others = format!("{}{}", set("S-2", YEAR, "x", "<S/>"), set("S-3", YEAR, "y", "<S/>"));
    let (_, codes) = kept.takes("b", "", &others).await;
    codes_are(&codes, &[("FW-000", 2), ("FW-160", 1)]);
    let mut made = kept.made();
    made.sort();
    assert_eq!(made, ["S-2", "S-3"]);
    // Another time of the year is another instance.
    let (_, codes) = kept.takes("c", "", &set("S-4", ("2026-01-01", "2027-01-10"), "z", "<S/>")).await;
    codes_are(&codes, &[("FW-000", 1)]);
    let (_, codes) = kept.takes("d", "", &set("S-5", ("2027-01-11", "2027-12-31"), "z", "<S/>")).await;
    codes_are(&codes, &[("FW-000", 1), ("FW-151", 1)]);
    kept.at("2027-01-10T12:00:00Z").await;
    assert_eq!(item_codes(&kept.supplement(first, 1).await), [("LN-023", 1)].into());
    assert_eq!(kept.rig.house.ledger.last_supplement(first).await.unwrap(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_instance_that_somebody_has_touched_stays_and_the_row_says_what_becomes_of_the_set() {
    for (later, expected, made) in
        [(LaterSets::Update, "FW-000", vec!["S-1", "S-2"]), (LaterSets::UpdateOrRefuse, "FW-254", vec!["S-1"])]
    {
        let kept = Kept::new(changing(later)).await;
        kept.takes("a", "", &set("S-1", YEAR, "x", "<S/>")).await;
        *kept.app.touched.lock().unwrap() = true;
        let (_, codes) = kept.takes("b", "", &set("S-2", YEAR, "x", "<S/>")).await;
        codes_are(&codes, &[(expected, 1)]);
        assert_eq!(kept.made(), made);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_set_that_is_in_an_instance_in_part_becomes_no_other() {
    // One that refused the rest takes what is mended; one that somebody has touched does not.
    for (halfway, then) in [(Some(codes::ATTACHMENT_REFUSED), vec!["S-3"]), (None, vec!["S-1", "S-3"])] {
        let kept = Kept::new(changing(LaterSets::Update)).await;
        kept.takes("a", "", &set("S-1", YEAR, "x", "<S/>")).await;
        *kept.app.halfway.lock().unwrap() = Some(halfway);
        let (_, told_codes) = kept.takes("b", "", &set("S-2", YEAR, "x", "<S/>")).await;
        let mut told: Vec<_> =
            std::iter::once(codes::INSTANCE_IN_DOUBT).chain(halfway).map(|code| (code.0, 1)).collect();
        told.sort_unstable();
        codes_are(&told_codes, &told);
        assert_eq!(kept.made(), ["S-1"]);
        *kept.app.halfway.lock().unwrap() = None;
        kept.takes("c", "", &set("S-3", YEAR, "x", "<S/>")).await;
        assert_eq!(kept.made(), then);
    }
}

/// Also when nothing is kept any more of the one that was there before.
#[tokio::test(flavor = "multi_thread")]
async fn a_set_that_may_be_in_a_touched_instance_goes_nowhere_else_when_it_is_sent_again() {
    for halfway in [None, Some(codes::ATTACHMENT_REFUSED)] {
        let kept = Kept::new(changing(LaterSets::Update)).await;
        kept.takes("a", "", &set("S-1", YEAR, "x", "<S/>")).await;
        kept.rig.clock.set("2027-01-12T08:00:00Z");
        *kept.app.halfway.lock().unwrap() = Some(halfway);
        let (id, _) = kept.takes("b", "", &set("S-2", YEAR, "x", "<S/>")).await;
        *kept.app.halfway.lock().unwrap() = None;
        *kept.app.touched.lock().unwrap() = true;
        for (day, expired) in [("2027-01-13", 0), ("2027-01-14", 1)] {
            if expired > 0 {
                let (before, now) = ("2027-01-11T00:00:00Z".parse().unwrap(), kept.rig.clock.now());
                assert_eq!(kept.rig.house.ledger.expire(before, now, 9).await.unwrap().len(), expired);
            }
            kept.rig.clock.set(&format!("{day}T08:00:00Z"));
            assert_eq!(kept.rig.replay(id, 1).await, Replayed::Items(1));
            kept.rig.clock.set(&format!("{day}T08:20:00Z"));
            let running = kept.rig.run();
            kept.rig.receipted(id).await;
            running.stop().await;
            assert_eq!(kept.rig.items(id).await[0].code, Some(codes::INSTANCE_IN_DOUBT));
            assert_eq!(kept.made(), ["S-1"]);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_set_that_is_refused_when_it_is_looked_for_does_not_wait_for_the_end_of_all_attempts() {
    let kept = Kept::new(changing(LaterSets::Update)).await;
    kept.takes("a", "", &set("S-1", YEAR, "x", "<S/>")).await;
    let refused = || DeliveryError::Refused { code: codes::RECEIVER_REFUSED };
    let lost = DeliveryError::Unknown { code: codes::RECEIVER_FAULT };
    kept.app.put_meets.lock().unwrap().extend([lost, refused(), refused()]);
    let told = kept.takes_in_time("b", &set("S-2", YEAR, "x", "<S/>"), async {}).await;
    codes_are(&told, &[("FW-201", 1), ("FW-255", 1)]);
    assert_eq!((kept.made(), kept.app.put_meets.lock().unwrap().len()), (vec!["S-1".to_owned()], 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_form_that_can_no_longer_be_filled_does_not_wait_either() {
    let kept = Kept::with(PrefillRules { later: LaterSets::Update, ..filling() }, Vec::new()).await;
    kept.takes("a", "", &set("S-1", YEAR, "x", "<S/>")).await;
    kept.app.put_meets.lock().unwrap().push_back(DeliveryError::Unknown { code: codes::RECEIVER_FAULT });
    let fields = async {
        while !kept.app.put_meets.lock().unwrap().is_empty() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        let batch = Kept::batch("fields", "", &field("navn", 0, YEAR, "Kari"));
        let id = kept.rig.drop_file("/inbox/fields.xml", batch.as_bytes()).await;
        kept.rig.final_receipt(id).await;
    };
    let told = kept.takes_in_time("b", &set("S-2", YEAR, "x", "kryptert"), fields).await;
    codes_are(&told, &[("FW-230", 1), ("FW-253", 1)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_set_of_which_nothing_was_sent_becomes_an_instance_of_its_own() {
    let kept = Kept::new(changing(LaterSets::Update)).await;
    kept.takes("a", "", &set("S-1", YEAR, "x", "<S/>")).await;
    let later = DeliveryError::Later { code: codes::RECEIVER_FAULT, after: None };
    kept.app.put_meets.lock().unwrap().push_back(later);
    *kept.app.touched.lock().unwrap() = true;
    let told = kept.takes_in_time("b", &set("S-2", YEAR, "x", "<S/>"), async {}).await;
    codes_are(&told, &[("FW-000", 1)]);
    assert_eq!(kept.made(), ["S-1", "S-2"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_instance_is_reserved_for_one_set_and_is_never_brought_back_to_an_earlier_one() {
    let kept = Kept::new(changing(LaterSets::Update)).await;
    let (first, _) = kept.takes("a", "", &set("S-1", YEAR, "x", "<S/>")).await;
    let (second, _) = kept.takes("b", &subscription("Daily", "2027-01-11", "", "q"), "").await;
    let held = &kept.filler.held;
    let reportee = sluse::model::Reportee::new(ReporteeKind::Organisation, "910000004".into());
    let place = |shipment: ShipmentId, name: &str| SetPlace {
        shipment,
        item: 1,
        key: sluse::model::ItemKey::derive(&[name]),
        whose: sluse::model::HeldKey::of_form(&kept.filler.partner, &reportee, "ttd/skjema"),
        same: sluse::model::Identity::of_set(&["x".to_owned()]),
        valid_from: "2027-01-01".parse().unwrap(),
        valid_to: "2027-12-31".parse().unwrap(),
        is_deleted: false,
    };
    let (earlier, later) = (place(first, "earlier"), place(second, "later"));
    let Claimed::New(reference) = held.claim_instance(later).await.unwrap() else { panic!("nothing to be put into") };
    assert_eq!(held.claim_instance(later).await.unwrap(), Claimed::Again(reference.clone()));
    assert_eq!(held.claim_instance(earlier).await.unwrap(), Claimed::Nothing, "its own shipment's is not replaced");
    held.give_up_claim(later.key, false).await.unwrap();
    assert_eq!(held.claim_instance(later).await.unwrap(), Claimed::New(reference.clone()), "it may be tried again");
    // Whose set is settled holds it no more.
    assert_eq!(held.claim_instance(place(second, "other")).await.unwrap(), Claimed::New(reference.clone()));
    held.fulfil_claim(place(second, "other"), kept.rig.clock.now()).await.unwrap();
    assert_eq!(held.claimed_instance(later.key).await.unwrap(), Claimed::Nothing);
    assert_eq!(held.claimed_instance(place(second, "other").key).await.unwrap(), Claimed::There(reference.clone()));
    assert_eq!(held.claim_instance(earlier).await.unwrap(), Claimed::Outdated(reference));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_instance_is_deleted_once_when_its_last_day_has_passed() {
    let kept = Kept::new(changing(LaterSets::New)).await;
    let january = ("2027-01-01", "2027-01-31");
    let (id, _) = kept.takes("a", "", &set("S-1", january, "x", "<S/>")).await;
    let removed = || kept.app.removed.lock().unwrap().len();
    let expired = async || {
        let now = kept.rig.clock.now();
        kept.rig.house.ledger.expire(now, now, 9).await.unwrap().len()
    };
    kept.at("2027-02-01T04:59:59Z").await;
    assert_eq!((removed(), expired().await), (0, 0), "it is not six in Norway yet");
    kept.rig.clock.set("2027-02-01T05:00:00Z");
    assert_eq!(kept.prefilling.wake().await.unwrap(), Wakened { ended: 1, ..Wakened::default() });
    assert_eq!(kept.prefilling.wake().await.unwrap(), Wakened::default());
    kept.at("2027-02-01T05:00:01Z").await;
    kept.at("2027-02-02T12:00:00Z").await;
    assert_eq!(removed(), 1);
    assert_eq!(item_codes(&kept.supplement(id, 1).await), [("LN-223", 1)].into());
    assert_eq!(kept.rig.house.ledger.last_supplement(id).await.unwrap(), 1);
    assert_eq!(expired().await, 1, "nothing of it is kept any more");
}

#[tokio::test(flavor = "multi_thread")]
async fn of_an_instance_in_use_nothing_is_told_and_of_one_that_cannot_be_deleted_it_is() {
    let january = ("2027-01-01", "2027-01-31");
    for (touched, supplements) in [(true, 0), (false, 1)] {
        let kept = Kept::new(changing(LaterSets::New)).await;
        let (id, _) = kept.takes("a", "", &set("S-1", january, "x", "<S/>")).await;
        *(if touched { &kept.app.touched } else { &kept.app.refuses }).lock().unwrap() = true;
        kept.at("2027-02-01T12:00:00Z").await;
        kept.at("2027-02-02T12:00:00Z").await;
        assert_eq!(kept.rig.house.ledger.last_supplement(id).await.unwrap(), supplements);
        if supplements > 0 {
            assert_eq!(item_codes(&kept.supplement(id, 1).await), [("LN-224", 1)].into());
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_senders_own_code_says_which_sets_are_the_same_and_fields_which_one_is_chosen() {
    let kept = Kept::new(HOLD).await;
    let (first, _) = kept.takes("a", "", &format!("{}{}", coded("S-1", "h1", "x"), coded("S-2", "h2", "x"))).await;
    kept.takes("b", "", &coded("S-3", "h1", "y")).await;
    kept.takes("c", &subscription("Once", "2027-01-11", "", "x"), &set("S-4", YEAR, "z", "<S/>")).await;
    kept.at("2027-01-11T12:00:00Z").await;
    // S-3 has taken the place of S-1 by its code, whatever its fields; S-2 is the one that is left with the fields.
    assert_eq!(kept.made(), ["S-2"]);
    assert_eq!(item_codes(&kept.supplement(first, 1).await), [("LN-021", 1), ("LN-022", 1)].into());
}

fn filling() -> PrefillRules {
    let row = |id: &str, path: &str| FieldRow { id: id.into(), path: path.parse().unwrap() };
    PrefillRules {
        fields: vec![row("navn", "/S/Navn"), row("sats", "/S/Linje[n]/Sats")],
        field_data_type: Some("model".into()),
        ..PrefillRules::default()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn fields_go_into_forms_and_win_over_what_stands_there() {
    let moves = vec![Move { from: "/Gml/N".parse().unwrap(), to: Some("/S/Navn".parse().unwrap()) }];
    let kept = Kept::with(filling(), moves).await;
    let fields = [
        field("navn", 0, YEAR, "Kari &amp; co"),
        field("sats", 1, YEAR, "7"),
        field("sats", 0, ("2027-02-01", "2027-02-28"), "5"),
        field("ukjent", 0, YEAR, "x"),
    ];
    let (_, codes) = kept.takes("fields", "", &fields.concat()).await;
    codes_are(&codes, &[("FW-000", 4), ("FW-154", 3), ("FW-155", 1)]);
    let sets = [set("S-1", YEAR, "", "<Gml a='1'><N>gammelt</N><B/></Gml>"), set("S-2", YEAR, "", "kryptert")];
    let (_, codes) = kept.takes("sets", "", &sets.concat()).await;
    codes_are(&codes, &[("FW-000", 1), ("FW-253", 1)]);
    let form = kept.app.made.lock().unwrap()[0].forms[0].clone();
    assert_eq!(form, "<S a='1'><B/><Navn>Kari &amp; co</Navn><Linje/><Linje><Sats>7</Sats></Linje></S>");
    // A later value takes the place of an earlier one.
    kept.takes("again", "", &field("navn", 0, YEAR, "Ola")).await;
    kept.rig.clock.set("2027-02-10T12:00:00Z");
    kept.takes("more", "", &set("S-3", YEAR, "", "<S/>")).await;
    let form = kept.app.made.lock().unwrap()[1].forms[0].clone();
    assert_eq!(form, "<S><Linje><Sats>5</Sats></Linje><Linje><Sats>7</Sats></Linje><Navn>Ola</Navn></S>");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_subscription_alone_makes_a_form_of_the_fields() {
    let kept = Kept::new(PrefillRules { mode: PrefillMode::Hold, ..filling() }).await;
    kept.takes("a", &subscription("Once", "2027-01-11", "", ""), &field("navn", 0, YEAR, "Kari")).await;
    kept.at("2027-01-11T12:00:00Z").await;
    assert_eq!(kept.app.made.lock().unwrap()[0].forms, ["<S><Navn>Kari</Navn></S>"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_app_is_given_what_is_kept_for_it() {
    let kept = Kept::new(PrefillRules { mode: PrefillMode::Serve, ..filling() }).await;
    let route = kept.rig.house.routes.named(&"ttd".parse().unwrap(), &"prefill".parse().unwrap()).unwrap();
    let app = route.services.rows[0].app.clone().unwrap();
    let server = Server {
        ledger: Arc::clone(&kept.rig.house.ledger),
        apps: vec![(kept.filler.clone(), app)],
        clock: Arc::clone(&kept.rig.house.clock),
    };
    kept.takes("fields", "", &field("navn", 0, YEAR, "Kari")).await;
    let alone = server.held_forms("ttd/skjema", "910000004").await.unwrap();
    assert_eq!((alone.len(), alone[0].forms[0].xml.as_str()), (1, "<S><Navn>Kari</Navn></S>"));
    let sets = [set("S-1", YEAR, "x", "<S/>"), set("S-2", ("2027-02-01", "2027-02-28"), "y", "<S/>")];
    let (id, codes) = kept.takes("sets", "", &sets.concat()).await;
    codes_are(&codes, &[("FW-000", 2), ("FW-153", 2)]);
    let found = server.held_forms("ttd/skjema", "910000004").await.unwrap();
    assert_eq!(found.len(), 1, "the other is not valid yet");
    assert_eq!(
        (found[0].senders_reference.as_str(), found[0].identifying_fields.as_slice()),
        ("S-1", &["x".to_owned()][..])
    );
    assert_eq!(
        (found[0].forms[0].data_type.as_str(), found[0].forms[0].xml.as_str()),
        ("model", "<S><Navn>Kari</Navn></S>")
    );
    assert!(server.held_forms("ttd/skjema", "910000012").await.unwrap_or_default().is_empty());
    assert!(matches!(server.held_forms("ttd/annen", "910000004").await, Err(NotServed::UnknownApp)));
    assert!(matches!(server.held_forms("ttd/skjema", "91").await, Err(NotServed::BadReportee)));
    kept.at("2028-01-01T12:00:00Z").await;
    assert_eq!(item_codes(&kept.supplement(id, 1).await), [("LN-222", 1)].into(), "the one that nobody asked for");
    assert_eq!(kept.made(), [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_day_brings_nothing_twice() {
    let kept = Kept::new(HOLD).await;
    kept.takes("a", &subscription("Weekly", "2027-01-10", "", ""), &set("S-1", YEAR, "", "<S/>")).await;
    kept.rig.clock.set("2027-01-10T12:00:00Z");
    assert_eq!(kept.prefilling.wake().await.unwrap(), Wakened { fired: 1, ..Wakened::default() });
    assert_eq!(kept.prefilling.wake().await.unwrap(), Wakened::default());
}
