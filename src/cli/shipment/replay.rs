//! `sluse replay`: failed items of a shipment are sent again, or its final receipt is placed again.

use std::process::ExitCode;

use anyhow::{Context as _, bail};

use super::ledger_file;
use super::order::{OrderArgs, shipment};
use crate::adapters::ledger::{Replay, Replayed, replay, reprint};
use crate::cli::{block_on, print, usable};
use crate::model::ShipmentId;

/// What to do again.
#[derive(Debug, clap::Args)]
#[command(group = clap::ArgGroup::new("what").required(true))]
pub struct ReplayArgs {
    #[command(flatten)]
    order: OrderArgs,
    /// Send every item again that has failed
    #[arg(long, group = "what")]
    pub failed: bool,
    /// Send the failed items again from this one on
    #[arg(long, group = "what", value_name = "NUMBER")]
    pub from_item: Option<u64>,
    /// Place the final receipt again, as the sender has lost it; nothing is sent
    #[arg(long, group = "what")]
    pub receipt_only: bool,
}

/// Gives the order and tells what it came to.
pub(in crate::cli) fn run(args: &ReplayArgs) -> anyhow::Result<ExitCode> {
    usable(block_on(give(args)))
}

async fn give(args: &ReplayArgs) -> anyhow::Result<ExitCode> {
    let path = ledger_file(&args.order.config)?;
    let id = shipment(&args.order).await?.id;
    let wish = Replay { shipment: id, from_item: args.from_item.unwrap_or(1), said: args.order.said.said()? };
    if args.receipt_only {
        return match reprint(&path, &wish).await.with_context(|| path.display().to_string())? {
            true => print(&format!("the final receipt of {id} is placed again\n")),
            false => bail!("{id} has no final receipt yet"),
        };
    }
    let replayed = replay(&path, &wish).await.with_context(|| path.display().to_string())?;
    print(&told(replayed, id)?)
}

fn told(replayed: Replayed, id: ShipmentId) -> anyhow::Result<String> {
    match replayed {
        Replayed::Items(1) => Ok(format!("1 item of {id} is sent again; a supplement tells whether it arrived\n")),
        Replayed::Items(items) => {
            Ok(format!("{items} items of {id} are sent again; a supplement tells which arrived\n"))
        }
        Replayed::Some { items, left } => Ok(format!(
            "{items} items of {id} are sent again; a supplement tells which arrived. {left} are not: they, or others in their \
             batches, are in the rest file, which was dropped or may have been\n"
        )),
        Replayed::NotReceipted => bail!("{id} has no final receipt yet: its items are still on their way"),
        Replayed::Expired => bail!("the bytes of {id} are no longer kept"),
        Replayed::NothingFailed => bail!("no item of {id} has failed there"),
        Replayed::RestDropped => {
            bail!("the rest file of {id} was dropped by its sender: its items would be sent twice")
        }
        Replayed::RestOffered => bail!(
            "a rest file of {id} was offered, and its format has no shipment reference to know it by: its items would be \
             sent twice if it was dropped, or is; have the sender drop it"
        ),
    }
}
