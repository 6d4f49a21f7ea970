//! `sluse shipment hold`, `release` and `cancel`: orders that the gateway follows at the shipment's next turn.

use std::process::ExitCode;

use anyhow::{Context as _, bail};

use super::{ledger_file, one};
use crate::adapters::ledger::{Order, Ordered, Record, order};
use crate::cli::said::SaidArgs;
use crate::cli::{ConfigArgs, print};
use crate::model::{Shipment, Standing};

/// Which shipment, who says so, and why.
#[derive(Debug, clap::Args)]
pub struct OrderArgs {
    /// Its id, or the end of it as receipts' names have it
    #[arg(value_name = "SHIPMENT")]
    pub shipment: String,
    #[command(flatten)]
    pub(super) said: SaidArgs,
    #[command(flatten)]
    pub(super) config: ConfigArgs,
}

/// Gives the order and tells what it came to.
pub(super) async fn run(args: &OrderArgs, standing: Standing) -> anyhow::Result<ExitCode> {
    let path = ledger_file(&args.config)?;
    let shipment = shipment(args).await?;
    let given = Order { shipment: shipment.id, standing, said: args.said.said()? };
    let ordered = order(&path, &given).await.with_context(|| path.display().to_string())?;
    let id = shipment.id;
    let told = match (ordered, standing) {
        (Ordered::Done, Standing::Held) => format!("{id} is held; what is under way ends within seconds\n"),
        (Ordered::Done, Standing::Free) => format!("{id} goes on\n"),
        (Ordered::Done, Standing::Cancelled) => format!("{id} is cancelled; its final receipt follows\n"),
        (Ordered::Already, Standing::Held) => format!("{id} is held already\n"),
        (Ordered::Already, Standing::Free) => format!("{id} is not held\n"),
        (Ordered::Already, Standing::Cancelled) => format!("{id} is cancelled already\n"),
        (Ordered::Cancelled, _) => bail!("{id} is cancelled, which cannot be taken back"),
        (Ordered::Receipted, _) => bail!("{id} has its final receipt: nothing is left to send"),
    };
    print(&told)
}

pub(super) async fn shipment(args: &OrderArgs) -> anyhow::Result<Shipment> {
    let mut record: Record = super::record(&args.config).await?;
    let shipment = one(&mut record, &args.shipment).await?;
    record.close().await?;
    Ok(shipment)
}
