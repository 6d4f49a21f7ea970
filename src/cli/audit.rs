//! `sluse audit`: what operators did to partners and their files.

use std::process::ExitCode;

use anyhow::Context as _;
use serde::Serialize;

use super::table::{json_lines, table};
use super::{ConfigArgs, overrides, print};
use crate::adapters::ledger::Record;
use crate::config::Config;
use crate::model::{AuditRow, PartnerId};

/// What to list.
#[derive(Debug, clap::Args)]
pub struct AuditArgs {
    #[command(flatten)]
    config: ConfigArgs,
    /// Of one partner only
    #[arg(long)]
    pub partner: Option<PartnerId>,
    /// At most so many
    #[arg(long, value_name = "COUNT", default_value_t = 50)]
    pub limit: u32,
    /// One JSON object per line
    #[arg(long)]
    pub json: bool,
}

/// One deed; `docs/operating.md` promises its shape.
#[derive(Serialize)]
struct Line {
    at: String,
    who: String,
    partner: String,
    what: String,
    detail: String,
    reason: String,
}

impl From<AuditRow> for Line {
    fn from(row: AuditRow) -> Self {
        let AuditRow { at, who, what, partner, detail, reason } = row;
        Self { at: format!("{at:.0}"), who, partner, what, detail, reason }
    }
}

/// Lists it on standard output.
pub(super) async fn run(args: &AuditArgs) -> anyhow::Result<ExitCode> {
    let path = Config::load(&args.config.config, overrides())?.ledger_file();
    let mut record = Record::open(&path).await.with_context(|| path.display().to_string())?;
    let lines = record.audited(args.partner.as_ref(), args.limit).await?;
    record.close().await?;
    let lines = lines.into_iter().map(Line::from);
    if args.json {
        return print(&json_lines(lines)?);
    }
    let row = |line: Line| [line.at, line.who, line.partner, line.what, line.detail, line.reason];
    print(&table(["AT", "WHO", "PARTNER", "WHAT", "DETAIL", "REASON"], lines.map(row)))
}
