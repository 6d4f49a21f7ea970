//! `sluse shipment list`.

use std::process::ExitCode;

use clap::ValueEnum;
use serde::Serialize;

use super::{record, stage};
use crate::adapters::ledger::Wanted;
use crate::cli::table::{json_lines, table};
use crate::cli::{ConfigArgs, print};
use crate::model::{PartnerId, Shipment, Stage};

/// Which shipments.
#[derive(Debug, clap::Args)]
pub struct ListArgs {
    #[command(flatten)]
    config: ConfigArgs,
    /// One JSON object per shipment
    #[arg(long)]
    pub json: bool,
    /// Of one partner only
    #[arg(long)]
    pub partner: Option<PartnerId>,
    /// At this stage only
    #[arg(long)]
    pub stage: Option<StageArg>,
    /// At most so many
    #[arg(long, value_name = "COUNT", default_value_t = 50)]
    pub limit: u32,
}

/// A stage to ask for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum StageArg {
    /// Received, not judged yet
    Claimed,
    /// Judged, not all settled yet: forwarding or refusing in the list
    Judged,
    /// With their final receipt: receipted or refused in the list
    Receipted,
    /// Without it
    Open,
}

impl StageArg {
    fn stages(self) -> Vec<Stage> {
        match self {
            Self::Claimed => vec![Stage::Claimed],
            Self::Judged => vec![Stage::Judged],
            Self::Receipted => vec![Stage::Receipted],
            Self::Open => vec![Stage::Claimed, Stage::Judged],
        }
    }
}

/// One of them; `docs/operating.md` promises its shape.
#[derive(Serialize)]
struct Line {
    shipment: String,
    received: String,
    partner: String,
    file: String,
    size_bytes: u64,
    stage: &'static str,
    code: Option<&'static str>,
    route: Option<String>,
    rehearsal: bool,
    /// Items without a final outcome.
    open: u64,
}

impl Line {
    fn new(shipment: &Shipment, open: u64) -> Self {
        let verdict = shipment.verdict.as_ref();
        Self {
            shipment: shipment.id.to_string(),
            received: format!("{:.0}", shipment.claimed_at),
            partner: shipment.partner.to_string(),
            file: shipment.path.to_string(),
            size_bytes: shipment.size_bytes,
            stage: stage(shipment),
            code: verdict.and_then(|verdict| verdict.code).map(|code| code.0),
            route: verdict.and_then(|verdict| verdict.route.as_ref()).map(ToString::to_string),
            rehearsal: shipment.preflight,
            open,
        }
    }

    fn row(&self) -> [String; 7] {
        let stage = format!("{}{}", self.stage, self.code.map(|code| format!(" {code}")).unwrap_or_default());
        [
            self.shipment.clone(),
            self.received.clone(),
            self.partner.clone(),
            stage,
            self.open.to_string(),
            self.size_bytes.to_string(),
            self.file.clone(),
        ]
    }
}

/// Lists them on standard output.
pub(super) async fn run(args: &ListArgs) -> anyhow::Result<ExitCode> {
    let mut record = record(&args.config).await?;
    let stages = args.stage.map(StageArg::stages).unwrap_or_default();
    let wanted = Wanted { partner: args.partner.clone(), stages, limit: args.limit };
    let mut lines = Vec::new();
    for shipment in record.latest(&wanted).await? {
        let open = record.open_items(shipment.id).await?;
        lines.push(Line::new(&shipment, open));
    }
    record.close().await?;
    if args.json {
        return print(&json_lines(&lines)?);
    }
    let head = ["SHIPMENT", "RECEIVED", "PARTNER", "STAGE", "OPEN", "BYTES", "FILE"];
    print(&table(head, lines.iter().map(Line::row)))
}
