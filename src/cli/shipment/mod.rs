//! `sluse shipment`: what the ledger says of shipments. It is read beside a running gateway, and nothing is written.

mod list;
mod show;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context as _;
use clap::Subcommand;

use super::{EXIT_UNUSABLE, overrides};
use crate::adapters::ledger::Record;
use crate::config::Config;
use crate::model::{Shipment, Stage, VerdictKind};

/// What to do with shipments.
#[derive(Debug, Subcommand)]
pub enum ShipmentCommand {
    /// List the latest shipments, one per line, the latest first
    List(list::ListArgs),
    /// Tell all that is known of one shipment: exit 0, or 2 when there is none
    Show(show::ShowArgs),
}

/// Whose ledger.
#[derive(Debug, clap::Args)]
pub(super) struct LedgerArgs {
    /// The configuration of the gateway
    #[arg(long, env = "SLUSE_CONFIG", value_name = "FILE", default_value = "/etc/sluse/sluse.toml")]
    pub config: PathBuf,
    /// One JSON object per shipment
    #[arg(long)]
    pub json: bool,
}

/// Does it.
pub(super) fn run(command: &ShipmentCommand) -> anyhow::Result<ExitCode> {
    let told = super::block_on(async {
        match command {
            ShipmentCommand::List(args) => list::run(args).await,
            ShipmentCommand::Show(args) => show::run(args).await,
        }
    });
    told.or_else(|error| {
        eprintln!("{error:#}");
        Ok(ExitCode::from(EXIT_UNUSABLE))
    })
}

async fn record(args: &LedgerArgs) -> anyhow::Result<Record> {
    let config = Config::load(&args.config, overrides())?;
    let path = config.data_dir.join("ledger.sqlite");
    Record::open(&path).await.with_context(|| path.display().to_string())
}

/// How far a shipment has come, in one word.
fn stage(shipment: &Shipment) -> &'static str {
    let is_refused = shipment.verdict.as_ref().is_some_and(|verdict| verdict.kind == VerdictKind::Refuse);
    match shipment.stage {
        Stage::Claimed => "claimed",
        Stage::Judged if is_refused => "refusing",
        Stage::Judged => "forwarding",
        Stage::Receipted if is_refused => "refused",
        Stage::Receipted => "receipted",
    }
}
