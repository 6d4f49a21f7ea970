//! `sluse area`: a partner's files, as the ledger has them.

use std::io::{self, Write as _};
use std::process::ExitCode;

use anyhow::{Context as _, bail};
use clap::Subcommand;

use super::said::SaidArgs;
use super::table::table;
use super::{ConfigArgs, overrides, pipe, print};
use crate::adapters::blobs::LocalBlobs;
use crate::adapters::ledger::{Record, read_file, remove_file};
use crate::app::partners::standing;
use crate::config::Config;
use crate::model::{AreaPath, Node, NodeState, PartnerId};
use crate::ports::Blobs as _;

/// What to do with a partner's files.
#[derive(Debug, Subcommand)]
pub enum AreaCommand {
    /// List a partner's directories, or the files of one
    Ls(ListArgs),
    /// Write a file to standard output; that it was read, by whom and why is kept in the ledger
    Cat(FileArgs),
    /// Remove a file that is not claimed: an upload that was never finished, a receipt, a file for the partner
    Rm(FileArgs),
}

/// Whose files.
#[derive(Debug, clap::Args)]
pub struct ListArgs {
    /// The partner
    #[arg(value_name = "PARTNER")]
    pub partner: PartnerId,
    /// The directory
    #[arg(value_name = "DIRECTORY")]
    pub directory: Option<String>,
    #[command(flatten)]
    config: ConfigArgs,
}

/// Which file.
#[derive(Debug, clap::Args)]
pub struct FileArgs {
    /// The partner
    #[arg(value_name = "PARTNER")]
    pub partner: PartnerId,
    /// The file, such as /receipts/prefill.xml.0f6c8d1a22b3.final.xml
    #[arg(value_name = "FILE")]
    pub file: AreaPath,
    #[command(flatten)]
    said: SaidArgs,
    #[command(flatten)]
    config: ConfigArgs,
}

/// Does it.
pub(super) async fn run(command: &AreaCommand) -> anyhow::Result<ExitCode> {
    match command {
        AreaCommand::Ls(args) => match &args.directory {
            Some(directory) => files(args, directory.trim_matches('/')).await,
            None => directories(args).await,
        },
        AreaCommand::Cat(args) => cat(args).await,
        AreaCommand::Rm(args) => rm(args).await,
    }
}

async fn open(args: &ConfigArgs) -> anyhow::Result<(Config, Record)> {
    let config = Config::load(&args.config, overrides())?;
    let path = config.ledger_file();
    let record = Record::open(&path).await.with_context(|| path.display().to_string())?;
    Ok((config, record))
}

async fn directories(args: &ListArgs) -> anyhow::Result<ExitCode> {
    let (config, mut record) = open(&args.config).await?;
    let partners = standing(&config, &record.amendments().await?);
    let partner = partners.iter().find(|partner| partner.access.partner == args.partner);
    let access = &partner.with_context(|| format!("there is no partner {}", args.partner))?.access;
    let groups = [
        ("inbox", &access.inboxes),
        ("test", &access.tests),
        ("receipts", &access.receipts),
        ("outbox", &access.outboxes),
    ];
    let mut rows = Vec::new();
    for (purpose, name) in groups.into_iter().flat_map(|(purpose, names)| names.iter().map(move |name| (purpose, name)))
    {
        let (mut count, mut bytes, mut after) = (0_u64, 0_u64, String::new());
        loop {
            let page = record.files(&args.partner, name, &after, PAGE).await?;
            let Some(last) = page.last() else { break };
            after = last.path.name.clone();
            count += page.len() as u64;
            bytes += page.iter().map(|node| node.size_bytes).sum::<u64>();
        }
        rows.push([purpose.to_owned(), count.to_string(), bytes.to_string(), format!("/{name}")]);
    }
    record.close().await?;
    print(&table(["PURPOSE", "FILES", "BYTES", "DIRECTORY"], rows))
}

/// Lists page by page: the widths fit what is usual, so that a large directory is never held.
async fn files(args: &ListArgs, directory: &str) -> anyhow::Result<ExitCode> {
    let (_config, mut record) = open(&args.config).await?;
    let mut out = io::BufWriter::new(io::stdout().lock());
    let mut after = String::new();
    let head = format!("{:<9}{:>14}  {:<22}{:<14}{:<38}NAME\n", "STATE", "BYTES", "CHANGED", "BY", "SHIPMENT");
    let mut written = out.write_all(head.as_bytes());
    loop {
        let page = record.files(&args.partner, directory, &after, PAGE).await?;
        let Some(last) = page.last() else { break };
        after = last.path.name.clone();
        written = written.and_then(|()| page.iter().try_for_each(|node| out.write_all(line(node).as_bytes())));
        if written.is_err() {
            break;
        }
    }
    record.close().await?;
    pipe(written.and_then(|()| out.flush()))
}

fn line(node: &Node) -> String {
    let state = match node.state {
        NodeState::Partial => "partial",
        NodeState::Whole => "whole",
        NodeState::Claimed => "claimed",
    };
    let (owner, shipment) = (node.owner.as_deref().unwrap_or("-"), node.shipment.map(|id| id.to_string()));
    let shipment = shipment.as_deref().unwrap_or("-");
    let changed = format!("{:.0}", node.modified);
    format!("{state:<9}{:>14}  {changed:<22}{owner:<14}{shipment:<38}{}\n", node.size_bytes, node.path.name)
}

async fn cat(args: &FileArgs) -> anyhow::Result<ExitCode> {
    let (config, mut record) = open(&args.config).await?;
    let node = record.file(&args.partner, &args.file).await?.context("there is no such file")?;
    let Some(blob) = node.blob else { bail!("the upload of the file is not finished") };
    let small = record.small_blob(blob).await?;
    record.close().await?;
    let (path, said) = (config.ledger_file(), args.said.said()?);
    let told = async || read_file(&path, &args.partner, &args.file, &said).await;
    if let Some(bytes) = small {
        told().await?;
        return pipe(io::stdout().write_all(&bytes));
    }
    let blobs = LocalBlobs::beside(&config.data_dir.join("blobs"));
    let blob = blobs.open(blob).await.context("the file's bytes are no longer kept")?;
    told().await?;
    let (mut out, mut chunk, mut at) = (io::stdout().lock(), vec![0; CHUNK_BYTES], 0_u64);
    loop {
        let count = blob.read_at(at, &mut chunk)?;
        let written = out.write_all(chunk.get(..count).unwrap_or_default());
        if count == 0 || written.is_err() {
            return pipe(written.and_then(|()| out.flush()));
        }
        at += count as u64;
    }
}

async fn rm(args: &FileArgs) -> anyhow::Result<ExitCode> {
    let config = Config::load(&args.config.config, overrides())?;
    let removed = remove_file(&config.ledger_file(), &args.partner, &args.file, &args.said.said()?).await?;
    // What cannot be removed now is cleared out at the gateway's next start: nothing refers to it any more.
    let blobs = LocalBlobs::beside(&config.data_dir.join("blobs"));
    if let Some(blob) = removed.blob {
        blobs.remove(blob).await.context("the file is gone, its bytes wait for the gateway's next start")?;
    }
    if let Some(scratch) = removed.scratch {
        blobs.discard(scratch).await.context("the file is gone, its bytes wait for the gateway's next start")?;
    }
    print(&format!("{} of {} is removed\n", args.file, args.partner))
}

const PAGE: u32 = 1_000;
const CHUNK_BYTES: usize = 256 * 1024;
