//! `sluse shipment show`.

use std::fmt::Write as _;
use std::process::ExitCode;

use clap::ValueEnum;
use serde::Serialize;

use super::{one, record, stage};
use crate::adapters::ledger::Record;
use crate::cli::{ConfigArgs, print};
use crate::codes;
use crate::model::{Code, Item, ItemState, Shipment, ShipmentId};

/// Which shipment, and how much of it.
#[derive(Debug, clap::Args)]
pub struct ShowArgs {
    /// Its id, or the end of it as receipts' names have it
    #[arg(value_name = "SHIPMENT")]
    pub shipment: String,
    #[command(flatten)]
    config: ConfigArgs,
    /// One JSON object
    #[arg(long)]
    pub json: bool,
    /// Also list the items in this state; may be given more than once
    #[arg(long, value_name = "STATE")]
    pub items: Vec<StateArg>,
    /// At most so many items
    #[arg(long, value_name = "COUNT", default_value_t = 100)]
    pub limit: u32,
}

/// A state of items to ask for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum StateArg {
    /// Without a final outcome
    Open,
    /// The receiver has them
    Delivered,
    /// Wrong in the batch
    Refused,
    /// Left out on purpose
    Ignored,
    /// Could not be delivered
    Failed,
}

impl StateArg {
    fn states(self) -> &'static [ItemState] {
        match self {
            Self::Open => &[ItemState::Ready, ItemState::Sending],
            Self::Delivered => &[ItemState::Delivered],
            Self::Refused => &[ItemState::Refused],
            Self::Ignored => &[ItemState::Ignored],
            Self::Failed => &[ItemState::Failed],
        }
    }
}

/// All that is told; `docs/operating.md` promises its shape.
#[derive(Serialize)]
struct View {
    shipment: String,
    partner: String,
    file: String,
    size_bytes: u64,
    received: String,
    rehearsal: bool,
    stage: &'static str,
    /// When it will be through, going on as it does; nothing where nobody can tell.
    expected_end: Option<String>,
    route: Option<String>,
    code: Option<&'static str>,
    findings: u64,
    sha256: Option<String>,
    /// What the items came to; with several receivers, at the first of them.
    outcomes: Vec<OutcomeLine>,
    /// The same at each, where there are several.
    receivers: Vec<ReceiverLine>,
    receipts: Vec<ReceiptLine>,
    history: Vec<EventLine>,
    items: Vec<ItemLine>,
}

#[derive(Serialize)]
struct ReceiverLine {
    receiver: String,
    outcomes: Vec<OutcomeLine>,
}

#[derive(Serialize)]
struct OutcomeLine {
    state: &'static str,
    code: Option<&'static str>,
    items: u64,
}

#[derive(Serialize)]
struct ReceiptLine {
    placed: String,
    kind: &'static str,
    name: String,
}

#[derive(Serialize)]
struct EventLine {
    at: String,
    what: String,
    detail: String,
}

#[derive(Serialize)]
struct ItemLine {
    number: u64,
    /// At which receiver, where there are several.
    receiver: Option<String>,
    line: u64,
    column: u64,
    state: &'static str,
    code: Option<&'static str>,
    attempts: u32,
    reference: String,
    receivers_reference: String,
}

/// Tells it on standard output.
pub(super) async fn run(args: &ShowArgs) -> anyhow::Result<ExitCode> {
    let mut record = record(&args.config).await?;
    let shipment = one(&mut record, &args.shipment).await?;
    let view = view(&mut record, &shipment, args).await?;
    record.close().await?;
    if args.json {
        return print(&(serde_json::to_string(&view)? + "\n"));
    }
    print(&told(&view))
}

async fn view(record: &mut Record, shipment: &Shipment, args: &ShowArgs) -> anyhow::Result<View> {
    let (id, verdict) = (shipment.id, shipment.verdict.as_ref());
    let at = receivers(record, shipment).await?;
    let outcomes = outcomes(record, id).await?;
    let receivers = if shipment.receiver.is_some() { by_receiver(record, &at).await? } else { Vec::new() };
    Ok(View {
        shipment: id.to_string(),
        partner: shipment.partner.to_string(),
        file: shipment.path.to_string(),
        size_bytes: shipment.size_bytes,
        received: format!("{:.3}", shipment.claimed_at),
        rehearsal: shipment.preflight,
        stage: stage(shipment),
        expected_end: record.expected_end(id).await?.map(|end| format!("{end:.0}")),
        route: verdict.and_then(|verdict| verdict.route.as_ref()).map(ToString::to_string),
        code: verdict.and_then(|verdict| verdict.code).map(|code| code.0),
        findings: verdict.map_or(0, |verdict| verdict.findings_total),
        sha256: verdict.and_then(|verdict| verdict.sha256).map(hex),
        outcomes,
        receivers,
        receipts: receipts(record, shipment).await?,
        history: history(record, shipment).await?,
        items: items(record, &at, args).await?,
    })
}

/// What the items are filed under, with the receiver's name where there are several.
async fn receivers(record: &mut Record, shipment: &Shipment) -> anyhow::Result<Vec<(ShipmentId, Option<String>)>> {
    let mut all = vec![(shipment.id, shipment.receiver.clone())];
    if shipment.receiver.is_some() {
        let shares = record.shares(shipment.id).await?;
        all.extend(shares.into_iter().map(|share| (share.id, Some(share.receiver))));
    }
    Ok(all)
}

async fn by_receiver(record: &mut Record, at: &[(ShipmentId, Option<String>)]) -> anyhow::Result<Vec<ReceiverLine>> {
    let mut lines = Vec::with_capacity(at.len());
    for (id, receiver) in at {
        let receiver = receiver.clone().unwrap_or_default();
        lines.push(ReceiverLine { receiver, outcomes: outcomes(record, *id).await? });
    }
    Ok(lines)
}

/// The items that are asked for, receiver by receiver.
async fn items(
    record: &mut Record,
    at: &[(ShipmentId, Option<String>)],
    args: &ShowArgs,
) -> anyhow::Result<Vec<ItemLine>> {
    let states: Vec<_> = args.items.iter().flat_map(|state| state.states()).copied().collect();
    let mut lines = Vec::new();
    for (id, receiver) in at.iter().filter(|_| !states.is_empty()) {
        let limit = args.limit.saturating_sub(u32::try_from(lines.len()).unwrap_or(u32::MAX));
        let found = record.items(*id, &states, 0, limit).await?;
        lines.extend(found.into_iter().map(|found| item(found, receiver.as_ref())));
    }
    Ok(lines)
}

/// Items by state and code, whatever part of the batch they are of.
async fn outcomes(record: &mut Record, id: ShipmentId) -> anyhow::Result<Vec<OutcomeLine>> {
    let mut lines: Vec<OutcomeLine> = Vec::new();
    for count in record.outcomes(id).await? {
        let (state, code) = (count.state.as_str(), count.code.map(|code| code.0));
        match lines.iter_mut().find(|line| (line.state, line.code) == (state, code)) {
            Some(line) => line.items += count.items,
            None => lines.push(OutcomeLine { state, code, items: count.items }),
        }
    }
    Ok(lines)
}

async fn receipts(record: &mut Record, shipment: &Shipment) -> anyhow::Result<Vec<ReceiptLine>> {
    let known = record.receipts(shipment.id).await?.into_iter();
    Ok(known
        .map(|file| ReceiptLine { placed: format!("{:.3}", file.placed_at), kind: file.kind.as_str(), name: file.name })
        .collect())
}

async fn history(record: &mut Record, shipment: &Shipment) -> anyhow::Result<Vec<EventLine>> {
    let events = record.events(shipment.id).await?.into_iter();
    Ok(events
        .map(|event| EventLine { at: format!("{:.3}", event.at), what: event.what, detail: event.detail })
        .collect())
}

fn item(item: Item, receiver: Option<&String>) -> ItemLine {
    ItemLine {
        number: item.found.number,
        receiver: receiver.cloned(),
        line: item.found.line,
        column: item.found.column,
        state: item.state.as_str(),
        code: item.code.or(item.found.refused).map(|code| code.0),
        attempts: item.attempts,
        reference: item.found.senders_reference,
        receivers_reference: item.receivers_reference,
    }
}

fn told(view: &View) -> String {
    let mut out = String::new();
    let rehearsal = if view.rehearsal { ", a rehearsal" } else { "" };
    let verdict = view.code.map(|code| format!(", {}", titled(code))).unwrap_or_default();
    let ends_at = view.expected_end.as_ref().map(|end| ("ends at", end.clone()));
    for (name, value) in [
        ("shipment", view.shipment.clone()),
        ("partner", view.partner.clone()),
        ("file", format!("{} ({} bytes{rehearsal})", view.file, view.size_bytes)),
        ("received", view.received.clone()),
        ("stage", format!("{}{verdict}", view.stage)),
    ]
    .into_iter()
    .chain(ends_at)
    .chain([
        ("route", view.route.clone().unwrap_or_default()),
        ("SHA-256", view.sha256.clone().unwrap_or_default()),
        ("findings", view.findings.to_string()),
    ]) {
        line(&mut out, &format!("{name:<10}{value}"));
    }
    let outcome =
        |line: &OutcomeLine| format!("{:>10} {} {}", line.items, line.state, line.code.map(titled).unwrap_or_default());
    if view.receivers.is_empty() {
        section(&mut out, "items", &view.outcomes, outcome);
    }
    for at in &view.receivers {
        section(&mut out, &format!("items at {}", at.receiver), &at.outcomes, outcome);
    }
    section(&mut out, "receipts", &view.receipts, |line| format!("{} {} {}", line.placed, line.kind, line.name));
    section(&mut out, "history", &view.history, |line| format!("{} {} {}", line.at, line.what, line.detail));
    section(&mut out, "item line:column state code attempts reference receiver's", &view.items, |line| {
        let ItemLine { number, receiver, line, column, state, code, attempts, reference, receivers_reference } = line;
        let code = code.unwrap_or("-");
        let at = receiver.as_ref().map(|receiver| format!("{receiver} ")).unwrap_or_default();
        format!("{number} {at}{line}:{column} {state} {code} {attempts} {reference} {receivers_reference}")
    });
    out
}

fn section<T>(out: &mut String, name: &str, lines: &[T], told: impl Fn(&T) -> String) {
    if lines.is_empty() {
        return;
    }
    line(out, "");
    line(out, name);
    for one in lines {
        line(out, &format!("  {}", told(one)));
    }
}

/// A line; what came from a sender loses what would move the cursor.
fn line(out: &mut String, text: &str) {
    out.extend(text.trim_end().chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }));
    out.push('\n');
}

fn titled(code: &str) -> String {
    codes::row(codes::by_name(code).unwrap_or(Code("")))
        .map_or_else(|| code.to_owned(), |row| format!("{code} {}", row.title))
}

fn hex(bytes: [u8; 32]) -> String {
    bytes.iter().fold(String::with_capacity(64), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}
