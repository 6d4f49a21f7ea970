//! `sluse shipment`: what the ledger says of shipments, and what an operator says of them, beside a running gateway.

mod list;
mod order;
pub(super) mod replay;
mod show;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context as _, bail};
use clap::Subcommand;

use super::{ConfigArgs, block_on, overrides, usable};
use crate::adapters::ledger::Record;
use crate::config::Config;
use crate::model::{Shipment, Stage, Standing, VerdictKind};

/// What to do with shipments.
#[derive(Debug, Subcommand)]
pub enum ShipmentCommand {
    /// List the latest shipments, one per line, the latest first
    List(list::ListArgs),
    /// Tell all that is known of one shipment: exit 0, or 2 when there is none
    Show(show::ShowArgs),
    /// Send nothing more of a shipment until it is released; it is judged all the same
    Hold(order::OrderArgs),
    /// Let a held shipment go on
    Release(order::OrderArgs),
    /// Never send what is not sent yet, and end the shipment with its final receipt
    Cancel(order::OrderArgs),
}

/// Does it.
pub(super) fn run(command: &ShipmentCommand) -> anyhow::Result<ExitCode> {
    usable(block_on(async {
        match command {
            ShipmentCommand::List(args) => list::run(args).await,
            ShipmentCommand::Show(args) => show::run(args).await,
            ShipmentCommand::Hold(args) => order::run(args, Standing::Held).await,
            ShipmentCommand::Release(args) => order::run(args, Standing::Free).await,
            ShipmentCommand::Cancel(args) => order::run(args, Standing::Cancelled).await,
        }
    }))
}

fn ledger_file(args: &ConfigArgs) -> anyhow::Result<PathBuf> {
    Ok(Config::load(&args.config, overrides())?.ledger_file())
}

async fn record(args: &ConfigArgs) -> anyhow::Result<Record> {
    let path = ledger_file(args)?;
    Record::open(&path).await.with_context(|| path.display().to_string())
}

/// The shipment of an id or of the end of one.
async fn one(record: &mut Record, id: &str) -> anyhow::Result<Shipment> {
    let mut found = record.ending_with(id).await?;
    match (found.pop(), found.pop()) {
        (Some(shipment), None) => Ok(shipment),
        (None, _) => bail!("there is no shipment {id} in the ledger"),
        (Some(_), Some(_)) => bail!("several shipments end with {id}: give more of the id"),
    }
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
