//! Rows as values of the model, and back. The numbers of states are for ever: they are in files.

use jiff::Timestamp;
use sqlx::sqlite::SqliteRow;
use sqlx::{Row, Type};
use uuid::Uuid;

use crate::codes;
use crate::model::{
    AreaPath, Batch, BlobId, ByteRange, Code, Fetch, Finding, FindingGroup, HeldUp, Item, ItemKey, ItemKind, ItemState,
    LateEvent, NewAttachment, NewItem, News, Node, NodeState, OutcomeCount, PartKind, Period, Place, ReceiptForm,
    ReceiptKind, ScratchId, Service, Shipment, ShipmentId, Spot, Stage, Standing, Verdict, VerdictKind, Wait,
};
use crate::ports::{Event, KnownReceipt, LedgerError};

pub(super) fn shipment(row: &SqliteRow) -> Result<Shipment, LedgerError> {
    Ok(Shipment {
        id: ShipmentId(to_uuid(cell(row, "id")?)?),
        partner: cell::<String>(row, "partner")?.parse().map_err(|_| corrupt("a partner's name"))?,
        path: path(row)?,
        blob: BlobId(to_uuid(cell(row, "blob")?)?),
        size_bytes: count(row, "size_bytes")?,
        preflight: cell::<i64>(row, "preflight")? != 0,
        claimed_at: time(row, "claimed_at")?,
        stage: to_stage(cell(row, "stage")?)?,
        verdict: verdict(row)?,
        receiver: cell(row, "receiver")?,
        share_of: cell::<Option<Vec<u8>>>(row, "share_of")?.map(to_uuid).transpose()?.map(ShipmentId),
    })
}

fn verdict(row: &SqliteRow) -> Result<Option<Verdict>, LedgerError> {
    let Some(kind) = cell::<Option<i64>>(row, "verdict")? else { return Ok(None) };
    let route = cell::<Option<String>>(row, "route")?.map(|name| name.parse()).transpose();
    let envelope = cell::<Option<String>>(row, "envelope")?.map(|text| serde_json::from_str(&text)).transpose();
    let sha256 = cell::<Option<Vec<u8>>>(row, "sha256")?.map(<[u8; 32]>::try_from).transpose();
    Ok(Some(Verdict {
        kind: to_verdict_kind(kind)?,
        code: code(row)?,
        route: route.map_err(|_| corrupt("a route's name"))?,
        sha256: sha256.map_err(|_| corrupt("a hash"))?,
        envelope: envelope.map_err(|_| corrupt("an envelope"))?,
        findings_total: count(row, "findings_total")?,
    }))
}

pub(super) fn item(row: &SqliteRow) -> Result<Item, LedgerError> {
    let state = to_state(cell(row, "state")?)?;
    let code = code(row)?;
    let service = cell::<Option<String>>(row, "service_code")?;
    let edition = cell::<Option<String>>(row, "service_edition")?;
    let found = NewItem {
        number: count(row, "number")?,
        part: small(row, "part")?,
        kind: to_item_kind(cell(row, "kind")?)?,
        key: ItemKey(to_uuid(cell(row, "key")?)?),
        range: ByteRange { start: count(row, "range_start")?, end: count(row, "range_end")? },
        group: ByteRange { start: count(row, "group_start")?, end: count(row, "group_end")? },
        line: count(row, "line")?,
        column: count(row, "col")?,
        senders_reference: cell(row, "senders_reference")?,
        service: service.map(|code| Service { code, edition: edition.unwrap_or_default() }),
        forms: small(row, "forms")?,
        refused: code.filter(|_| matches!(state, ItemState::Refused | ItemState::Ignored)),
    };
    Ok(Item {
        found,
        state,
        code,
        receivers_reference: cell(row, "receivers_reference")?,
        attempts: small(row, "attempts")?,
        first_intent: cell::<Option<i64>>(row, "first_intent")?.map(to_time).transpose()?,
        last_intent: cell::<Option<i64>>(row, "last_intent")?.map(to_time).transpose()?,
        is_doubtful: cell::<i64>(row, "doubtful")? != 0,
        batch: cell::<Option<i64>>(row, "batch")?.map(to_count).transpose()?,
        fates: Vec::new(),
    })
}

pub(super) fn attachment(row: &SqliteRow) -> Result<(u64, NewAttachment), LedgerError> {
    let attachment = NewAttachment {
        reference: cell(row, "reference")?,
        range: ByteRange { start: count(row, "range_start")?, end: count(row, "range_end")? },
        line: count(row, "line")?,
        column: count(row, "col")?,
    };
    Ok((count(row, "number")?, attachment))
}

/// A batch, from a row in which its number and its key have these names.
pub(super) fn batch(row: &SqliteRow, number: &str, key: &str) -> Result<Batch, LedgerError> {
    Ok(Batch {
        number: count(row, number)?,
        key: ItemKey(to_uuid(cell(row, key)?)?),
        first: count(row, "first_item")?,
        last: count(row, "last_item")?,
        items: count(row, "size")?,
    })
}

/// A batch that goes before all others of its receiver.
pub(super) fn held_up(row: &SqliteRow) -> Result<HeldUp, LedgerError> {
    Ok(HeldUp {
        shipment: ShipmentId(to_uuid(cell(row, "id")?)?),
        route: cell::<String>(row, "route")?.parse().map_err(|_| corrupt("a route's name"))?,
        receiver: cell(row, "receiver")?,
        number: count(row, "number")?,
        due_at: time(row, "due_at")?,
    })
}

pub(super) fn finding(row: &SqliteRow) -> Result<Finding, LedgerError> {
    let place = match cell::<Option<i64>>(row, "line")? {
        None => None,
        Some(line) => Some(Place {
            line: to_count(line)?,
            column: count(row, "col")?,
            offset: count(row, "at_byte")?,
            path: cell(row, "path")?,
        }),
    };
    Ok(Finding {
        code: code(row)?.ok_or_else(|| corrupt("a finding's code"))?,
        place,
        item: cell::<Option<i64>>(row, "item")?.map(to_count).transpose()?,
        rule: cell(row, "rule")?,
        text: cell(row, "text")?,
    })
}

pub(super) fn group(row: &SqliteRow) -> Result<FindingGroup, LedgerError> {
    let places: Vec<(u64, u64, u64, Option<u64>)> =
        serde_json::from_str(&cell::<String>(row, "places")?).map_err(|_| corrupt("a list of places"))?;
    let spot = |(line, column, offset, item)| Spot { line, column, offset, item };
    Ok(FindingGroup {
        code: code(row)?.ok_or_else(|| corrupt("a finding's code"))?,
        rule: cell(row, "rule")?,
        text: cell(row, "text")?,
        path: cell(row, "path")?,
        count: count(row, "count")?,
        places: places.into_iter().map(spot).collect(),
    })
}

/// A group's places as the database holds them.
pub(super) fn places(places: &[Spot]) -> String {
    let place = |spot: &Spot| serde_json::json!([spot.line, spot.column, spot.offset, spot.item]);
    serde_json::Value::from_iter(places.iter().map(place)).to_string()
}

pub(super) fn outcome(row: &SqliteRow) -> Result<OutcomeCount, LedgerError> {
    Ok(OutcomeCount {
        part: small(row, "part")?,
        state: to_state(cell(row, "state")?)?,
        code: code(row)?,
        items: count(row, "n")?,
        with_findings: count(row, "with_findings")?,
    })
}

pub(super) fn known_receipt(row: &SqliteRow) -> Result<KnownReceipt, LedgerError> {
    Ok(KnownReceipt {
        shipment: ShipmentId(to_uuid(cell(row, "id")?)?),
        kind: to_receipt_kind(cell(row, "kind")?, small(row, "number")?)?,
        form: to_receipt_form(cell(row, "form")?)?,
        name: cell(row, "name")?,
        placed_at: time(row, "placed_at")?,
    })
}

pub(super) fn told(row: &SqliteRow) -> Result<News, LedgerError> {
    Ok(News { item: count(row, "item")?, event: to_late_event(cell(row, "event")?)?, at: time(row, "at")? })
}

/// A kind's number; which of several of its kind is told apart.
pub(super) fn receipt_number(kind: ReceiptKind) -> i64 {
    match kind {
        ReceiptKind::Accepted => 0,
        ReceiptKind::Final => 1,
        ReceiptKind::Rest => 2,
        ReceiptKind::Supplement(_) => 3,
    }
}

fn to_receipt_kind(kind: i64, number: u32) -> Result<ReceiptKind, LedgerError> {
    match kind {
        0 => Ok(ReceiptKind::Accepted),
        1 => Ok(ReceiptKind::Final),
        2 => Ok(ReceiptKind::Rest),
        3 => Ok(ReceiptKind::Supplement(number)),
        _ => Err(corrupt("a receipt's kind")),
    }
}

pub(super) fn node(row: &SqliteRow) -> Result<Node, LedgerError> {
    let blob = cell::<Option<Vec<u8>>>(row, "blob")?.map(to_uuid).transpose()?.map(BlobId);
    Ok(Node {
        path: path(row)?,
        size_bytes: if blob.is_some() { count(row, "size_bytes")? } else { count(row, "scratch_bytes")? },
        scratch_bytes: count(row, "scratch_bytes")?,
        modified: time(row, "modified")?,
        state: to_node_state(cell(row, "state")?)?,
        blob,
        scratch: cell::<Option<Vec<u8>>>(row, "scratch")?.map(to_uuid).transpose()?.map(ScratchId),
        shipment: cell::<Option<Vec<u8>>>(row, "shipment")?.map(to_uuid).transpose()?.map(ShipmentId),
        owner: cell(row, "owner")?,
    })
}

pub(super) fn fetch(row: &SqliteRow) -> Result<Fetch, LedgerError> {
    Ok(Fetch {
        user: cell(row, "user")?,
        first: time(row, "first_at")?,
        last: time(row, "last_at")?,
        times: count(row, "times")?,
    })
}

pub(super) fn event(row: &SqliteRow) -> Result<Event, LedgerError> {
    Ok(Event { at: time(row, "at")?, what: cell(row, "what")?, detail: cell(row, "detail")? })
}

/// A cell of the type the column has.
pub(super) fn cell<'r, T>(row: &'r SqliteRow, column: &str) -> Result<T, LedgerError>
where
    T: sqlx::Decode<'r, sqlx::Sqlite> + Type<sqlx::Sqlite>,
{
    Ok(row.try_get(column)?)
}

/// A number that is never negative.
pub(super) fn count(row: &SqliteRow, column: &str) -> Result<u64, LedgerError> {
    to_count(cell(row, column)?)
}

/// A number as the database holds it; what does not fit is larger than any file.
pub(super) fn int(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

pub(super) fn to_count(number: i64) -> Result<u64, LedgerError> {
    u64::try_from(number).map_err(|_| corrupt("a count"))
}

pub(super) fn to_time(milliseconds: i64) -> Result<Timestamp, LedgerError> {
    Timestamp::from_millisecond(milliseconds).map_err(|_| corrupt("a time"))
}

/// An id as the database holds it.
pub(super) fn uuid(id: &Uuid) -> Vec<u8> {
    id.as_bytes().to_vec()
}

pub(super) fn to_uuid(bytes: Vec<u8>) -> Result<Uuid, LedgerError> {
    Uuid::from_slice(&bytes).map_err(|_| corrupt("an id"))
}

pub(super) fn corrupt(what: &str) -> LedgerError {
    LedgerError::Corrupt(format!("{what} is not one"))
}

pub(super) fn path(row: &SqliteRow) -> Result<AreaPath, LedgerError> {
    let (dir, name): (String, String) = (cell(row, "dir")?, cell(row, "name")?);
    AreaPath::new(&dir, &name).map_err(|_| corrupt("a path"))
}

pub(super) fn time(row: &SqliteRow, column: &str) -> Result<Timestamp, LedgerError> {
    to_time(cell(row, column)?)
}

pub(super) fn small(row: &SqliteRow, column: &str) -> Result<u32, LedgerError> {
    u32::try_from(cell::<i64>(row, column)?).map_err(|_| corrupt("a small number"))
}

fn code(row: &SqliteRow) -> Result<Option<Code>, LedgerError> {
    let name = cell::<Option<String>>(row, "code")?;
    name.map(|name| codes::by_name(&name).ok_or_else(|| corrupt("a code"))).transpose()
}

/// A state's number, and (where it is read back) the state of a number.
macro_rules! numbered {
    ($type:ty, $to_number:ident, $($value:path = $number:literal),+) => {
        pub(super) fn $to_number(value: $type) -> i64 {
            match value { $($value => $number,)+ }
        }
    };
    ($type:ty, $to_number:ident, $from_number:ident, $what:literal, $($value:path = $number:literal),+) => {
        numbered!($type, $to_number, $($value = $number),+);

        pub(super) fn $from_number(number: i64) -> Result<$type, LedgerError> {
            match number { $($number => Ok($value),)+ _ => Err(corrupt($what)) }
        }
    };
}

// `sql.rs` and the migrations know these: open items are below 2, and so are unfinished shipments.
numbered!(
    ItemState,
    state_number,
    to_state,
    "an item's state",
    ItemState::Ready = 0,
    ItemState::Sending = 1,
    ItemState::Delivered = 2,
    ItemState::Refused = 3,
    ItemState::Ignored = 4,
    ItemState::Failed = 5
);
numbered!(
    Standing,
    standing_number,
    to_standing,
    "a standing",
    Standing::Free = 0,
    Standing::Held = 1,
    Standing::Cancelled = 2
);
numbered!(Stage, stage_number, to_stage, "a stage", Stage::Claimed = 0, Stage::Judged = 1, Stage::Receipted = 2);
numbered!(VerdictKind, verdict_number, to_verdict_kind, "a verdict", VerdictKind::Pass = 0, VerdictKind::Refuse = 1);
numbered!(
    ItemKind,
    item_kind_number,
    to_item_kind,
    "an item's kind",
    ItemKind::FormTask = 0,
    ItemKind::Field = 1,
    ItemKind::Subscription = 2,
    ItemKind::DataUnit = 3,
    ItemKind::Correspondence = 4,
    ItemKind::Confirmation = 5,
    ItemKind::Usage = 6,
    ItemKind::AltUtMessage = 7,
    ItemKind::AltUtConfirmation = 8,
    ItemKind::OnlineResult = 9,
    ItemKind::Recipient = 10,
    ItemKind::Item = 11
);
numbered!(
    NodeState,
    node_number,
    to_node_state,
    "a file's state",
    NodeState::Partial = 0,
    NodeState::Whole = 1,
    NodeState::Claimed = 2
);
numbered!(PartKind, part_number, PartKind::Prefill = 0, PartKind::Subscription = 1, PartKind::Batch = 2);
numbered!(
    ReceiptForm,
    form_number,
    to_receipt_form,
    "a receipt's form",
    ReceiptForm::Document = 0,
    ReceiptForm::Page = 1,
    ReceiptForm::List = 2,
    ReceiptForm::Signature = 3
);
numbered!(
    LateEvent,
    event_number,
    to_late_event,
    "an event",
    LateEvent::PublishFailed = 0,
    LateEvent::MalwareFound = 1,
    LateEvent::Read = 2,
    LateEvent::Confirmed = 3,
    LateEvent::Downloaded = 4,
    LateEvent::Delivered = 5,
    LateEvent::Published = 6,
    LateEvent::Reserved = 7,
    LateEvent::Instantiated = 8,
    LateEvent::NotInstantiated = 9,
    LateEvent::Replaced = 10,
    LateEvent::Lapsed = 11,
    LateEvent::Overwritten = 12,
    LateEvent::Deleted = 13,
    LateEvent::NotDeleted = 14,
    LateEvent::Expired = 20
);
numbered!(
    Period,
    period_number,
    to_period,
    "a period",
    Period::Annual = 0,
    Period::Semiannual = 1,
    Period::Tertiary = 2,
    Period::Quarterly = 3,
    Period::Bimonthly = 4,
    Period::Monthly = 5,
    Period::Fortnightly = 6,
    Period::Weekly = 7,
    Period::Daily = 8,
    Period::Once = 9
);
// `sql/sources.rs` knows these: what is above 2 is looked at again.
numbered!(
    Wait,
    wait_number,
    to_wait,
    "what a file waits for",
    Wait::Turn = 0,
    Wait::Taken = 1,
    Wait::Beside = 2,
    Wait::Change = 3,
    Wait::Age = 4,
    Wait::DoneFile = 5,
    Wait::Checksum = 6,
    Wait::End = 7,
    Wait::Match = 8
);
