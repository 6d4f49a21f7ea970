//! The demo: a gateway with the simulator in Altinn's place, one drop over a real SFTP connection, and its receipts.

mod keys;
mod report;
mod stage;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use tokio::io::AsyncWriteExt as _;

use crate::adapters::sftp_client::SftpClient;
use crate::generate::{self, Options, Profile, Summary};
use crate::model::ReceiptKind;
use report::Report;
use stage::Stage;

/// What the demo takes.
#[derive(Debug, Clone, clap::Args)]
pub struct DemoArgs {
    /// The folder for everything the demo makes
    #[arg(long, value_name = "FOLDER", default_value = "sluse-demo")]
    data_dir: PathBuf,
    /// Where the gateway listens
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:2222")]
    listen: std::net::SocketAddr,
    /// Items in the batch
    #[arg(long, default_value_t = 1_000, value_parser = clap::value_parser!(u64).range(1..))]
    items: u64,
    /// Stay up afterwards, until Ctrl-C
    #[arg(long)]
    keep: bool,
}

/// Plays it from drop to receipts.
pub(super) async fn run(args: DemoArgs) -> anyhow::Result<ExitCode> {
    let stage = Stage::build(&args).await?;
    let report = Report;
    report.started(&stage);
    let (name, summary) = write_batch(&args, &stage)?;
    report.wrote(&stage, &name, &summary);
    let client = SftpClient::connect(&stage.peer()).await.context("the gateway does not let us in")?;
    let dropped = Instant::now();
    let mut batch = tokio::fs::File::open(stage.path(&name)).await?;
    client.put(&format!("/inbox/{name}"), &mut batch).await.context("the drop failed")?;
    report.dropped(&name, dropped.elapsed());
    let receipts = wait_for_final(&client, &name, &stage, &report).await?;
    let saved = save(&client, &receipts, stage.path("receipts")).await?;
    report.settled(&stage, &saved, dropped.elapsed())?;
    client.disconnect();
    report.how_to_look_further(&stage, args.keep);
    if args.keep {
        crate::app::interrupted().await?;
    }
    stage.strike().await;
    Ok(ExitCode::SUCCESS)
}

/// Writes the batch to the folder, some items wrong in different ways, under a reference of its own.
fn write_batch(args: &DemoArgs, stage: &Stage) -> anyhow::Result<(String, Summary)> {
    let reference = format!("DEMO-{}", jiff::Timestamp::now().strftime("%Y%m%d-%H%M%S%.3f"));
    let name = format!("{}.xml", reference.to_lowercase());
    let options = Options {
        errors: SHARE_OF_ERRORS.parse()?,
        reference: Some(reference),
        ..Options::new(args.items, Profile::Small, SEED)
    };
    let mut out = std::io::BufWriter::new(fs::File::create(stage.path(&name))?);
    let summary = generate::write(&options, &mut out)?;
    std::io::Write::flush(&mut out)?;
    Ok((name, summary))
}

/// Looks into `/receipts`, as a cron job would, until the final receipt is there; returns the names of all of them.
async fn wait_for_final(
    client: &SftpClient,
    name: &str,
    stage: &Stage,
    report: &Report,
) -> anyhow::Result<Vec<String>> {
    let begun = Instant::now();
    let last = format!(".{}.xml", ReceiptKind::Final.as_str());
    loop {
        let entries = client.list("/receipts").await?;
        let ours: Vec<String> =
            entries.into_iter().map(|entry| entry.name).filter(|receipt| receipt.starts_with(name)).collect();
        report.progress(stage.simulator_effects(), begun.elapsed());
        if ours.iter().any(|receipt| receipt.ends_with(&last)) {
            report.progress_ends();
            return Ok(ours);
        }
        if begun.elapsed() > PATIENCE {
            bail!("no final receipt after {} s; the log above tells why", PATIENCE.as_secs());
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// Fetches the receipts into the folder.
async fn save(client: &SftpClient, receipts: &[String], folder: PathBuf) -> anyhow::Result<Vec<PathBuf>> {
    fs::create_dir_all(&folder)?;
    let mut saved = Vec::new();
    for receipt in receipts {
        let path = folder.join(receipt);
        let mut file = tokio::fs::File::create(&path).await?;
        client.get(&format!("/receipts/{receipt}"), &mut file).await?;
        file.flush().await?;
        saved.push(path);
    }
    Ok(saved)
}

/// Makes a folder only its owner may enter.
fn private_folder(path: &Path) -> anyhow::Result<()> {
    use std::os::unix::fs::DirBuilderExt as _;
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(path)
        .with_context(|| format!("cannot make the folder {}", path.display()))
}

/// Share of wrong items.
const SHARE_OF_ERRORS: &str = "0.8%";

/// Where the generator's chance begins: the demo drops the same items every time.
const SEED: u64 = 2026;

/// How long the demo waits for the final receipt.
const PATIENCE: Duration = Duration::from_secs(600);
