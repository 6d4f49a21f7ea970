//! `sluse check`: the rehearsal of a test directory on the command line, by the same engine, beside no gateway.
//!
//! The file becomes a shipment in a ledger of its own that lies in a temporary folder and is thrown away. What needs the
//! gateway's memory, a shipment reference that was used before, is therefore not found here.

mod borrowed;

use std::collections::HashMap;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;
use std::{env, fs};

use anyhow::{Context as _, anyhow, bail};

use super::{ConfigArgs, overrides, print};
use crate::adapters::blobs::LocalBlobs;
use crate::adapters::ledger::{Record, SqliteLedger};
use crate::app::partners::{self, Standing};
use crate::blocking::Blocking;
use crate::config::Config;
use crate::intake::Routes;
use crate::model::{
    Amendments, AreaPath, BlobId, Node, PartnerId, ReceiptKind, Route, ShipmentId, VerdictKind, WorkerId,
};
use crate::pipeline::{Ahead, House, Pace, Signers, rehearse};
use crate::ports::{Area, Clock as _, Close, Ledger as _, NewUpload, Quota, SystemClock};
use crate::validate::ArchiveRules;
use borrowed::Borrowed;

/// What to rehearse.
#[derive(Debug, clap::Args)]
pub struct CheckArgs {
    /// The file
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// Whose file it is
    #[arg(long)]
    pub partner: PartnerId,
    #[command(flatten)]
    config: ConfigArgs,
    /// The directory it would be dropped in; need not be said when the partner has one inbox
    #[arg(long, conflicts_with = "route")]
    pub dir: Option<String>,
    /// The route that would take it
    #[arg(long)]
    pub route: Option<String>,
    /// Write the receipt, and what the route asks for beside it, to this folder instead of standard output
    #[arg(long, value_name = "FOLDER")]
    pub out: Option<PathBuf>,
}

/// Rehearses and tells.
pub(super) async fn run(args: CheckArgs) -> anyhow::Result<ExitCode> {
    Ok(if check(&args).await? { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

async fn check(args: &CheckArgs) -> anyhow::Result<bool> {
    let config = Config::load(&args.config.config, overrides())?;
    let routes = routes(args, &config).await?;
    let dir = directory(args, &routes)?;
    let size_bytes = fs::metadata(&args.file).with_context(|| args.file.display().to_string())?.len();
    let desk = Desk::set_up(&args.file, routes, config.broker).await?;
    let checked = desk.rehearse(args, &dir, size_bytes).await;
    desk.ledger.close().await;
    checked
}

/// The partner's routes, or the one named.
async fn routes(args: &CheckArgs, config: &Config) -> anyhow::Result<Vec<Route>> {
    let routes = partners::routes(config, &standing(config, &args.partner).await?);
    let routes = routes.into_iter().filter(|route| route.partner == args.partner);
    let named = |route: &Route| args.route.as_ref().is_none_or(|name| route.name.as_str() == name);
    let routes: Vec<Route> = routes.filter(named).collect();
    match &args.route {
        _ if !routes.is_empty() => Ok(routes),
        Some(name) => bail!("partner {} has no route {name}", args.partner),
        None => bail!("partner {} has no route", args.partner),
    }
}

/// The partners of the configuration, and those that were added beside it where a gateway has been at work. Of a partner
/// that the configuration has the ledger has nothing to say: whoever rehearses need not be able to read it.
async fn standing(config: &Config, partner: &PartnerId) -> anyhow::Result<Vec<Standing>> {
    let ledger = config.ledger_file();
    let is_configured = config.partners.iter().any(|configured| configured.id == *partner);
    if is_configured || !ledger.try_exists().with_context(|| ledger.display().to_string())? {
        return Ok(partners::standing(config, &Amendments::default()));
    }
    let mut record = Record::open(&ledger).await.with_context(|| ledger.display().to_string())?;
    let amendments = record.amendments().await.context("has a gateway of this version opened the ledger once?")?;
    record.close().await?;
    Ok(partners::standing(config, &amendments))
}

/// Where the file would be dropped.
fn directory(args: &CheckArgs, routes: &[Route]) -> anyhow::Result<String> {
    if let Some(dir) = &args.dir {
        return Ok(dir.trim_matches('/').to_owned());
    }
    let mut dirs: Vec<&str> = routes.iter().map(|route| route.test.as_str()).collect();
    dirs.sort_unstable();
    dirs.dedup();
    match dirs.as_slice() {
        [dir] => Ok((*dir).to_owned()),
        _ => bail!("the partner has several directories; give --dir or --route: {}", dirs.join(", ")),
    }
}

/// A gateway without doors, for one file.
struct Desk {
    house: House,
    ledger: SqliteLedger,
    blob: BlobId,
    _folder: Folder,
}

impl Desk {
    async fn set_up(file: &Path, routes: Vec<Route>, archives: ArchiveRules) -> anyhow::Result<Self> {
        let folder = Folder::make()?;
        let ledger = SqliteLedger::open(&folder.0.join("ledger.sqlite")).await?;
        let blob = BlobId::new();
        let blobs = Borrowed::new(LocalBlobs::open(&folder.0.join("blobs"))?, blob, file.to_owned());
        let clock = Arc::new(SystemClock);
        let house = House {
            ledger: Arc::new(ledger.clone()),
            sources: Arc::new(ledger.clone()),
            blobs: Arc::new(blobs),
            routes: Arc::new(Routes::new(routes)),
            receivers: Arc::new(HashMap::new()),
            windows: Arc::default(),
            archives: Arc::new(archives),
            // The file is there already.
            ahead: Ahead::none(),
            // Nobody placed it, so nobody vouches for it.
            signers: Arc::new(Signers::default()),
            cores: Blocking::per_core(),
            disk: Blocking::per_core(),
            started: clock.now(),
            clock,
            worker: WorkerId::new(),
            pace: PACE,
        };
        Ok(Self { house, ledger, blob, _folder: folder })
    }

    async fn rehearse(&self, args: &CheckArgs, dir: &str, size_bytes: u64) -> anyhow::Result<bool> {
        let id = self.claim(args, dir, size_bytes).await?;
        let shipment = rehearse(&self.house, id).await?;
        let refused = shipment.verdict.as_ref().is_none_or(|verdict| verdict.kind == VerdictKind::Refuse);
        let tally = self.ledger.tally(id).await?;
        self.hand_out(args, id, dir).await?;
        Ok(!refused && tally.refused + tally.failed + tally.open() == 0)
    }

    /// Makes the file a shipment, as the SFTP server would.
    async fn claim(&self, args: &CheckArgs, dir: &str, size_bytes: u64) -> anyhow::Result<ShipmentId> {
        let name = args.file.file_name().map(|name| name.to_string_lossy()).unwrap_or_default();
        let (id, path) = (ShipmentId::new(), AreaPath::new(dir, &name)?);
        let (scratch, now, partner) = (self.house.blobs.create().await?, self.house.clock.now(), &args.partner);
        let quota = Quota { bytes: u64::MAX, files: u64::MAX };
        let upload = NewUpload {
            partner: partner.clone(),
            path: path.clone(),
            owner: None,
            scratch,
            exclusive: false,
            quota,
            now,
        };
        self.ledger.begin(&upload).await?;
        let claim = Some((id, true));
        let close = Close { partner: partner.clone(), path, scratch, blob: self.blob, size_bytes, claim, now };
        Area::close(&self.ledger, &close).await?;
        Ok(id)
    }

    /// Writes the receipt's files, or prints its document.
    async fn hand_out(&self, args: &CheckArgs, id: ShipmentId, dir: &str) -> anyhow::Result<()> {
        let receipts = self.house.routes.receipts_dir(&args.partner, dir);
        let shipment = self.ledger.shipment(id).await?.ok_or_else(|| anyhow!("the rehearsal left no trace"))?;
        let rules = self.house.routes.answering(&shipment).map(|route| route.receipt_rules.clone()).unwrap_or_default();
        let accepted = rules.names.name(&shipment, ReceiptKind::Accepted, "xml");
        let document = rules.names.name(&shipment, ReceiptKind::Final, "xml");
        for node in self.ledger.list(&args.partner, &receipts, None, FILES).await? {
            if node.path.name == accepted {
                continue;
            }
            match &args.out {
                Some(out) => self.write(&node, out).await?,
                None if node.path.name == document => self.print(&node).await?,
                None => {}
            }
        }
        Ok(())
    }

    async fn write(&self, node: &Node, out: &Path) -> anyhow::Result<()> {
        fs::create_dir_all(out).with_context(|| out.display().to_string())?;
        let path = out.join(&node.path.name);
        let mut file = fs::File::create(&path).with_context(|| path.display().to_string())?;
        self.copy(node, &mut file).await?;
        print(&format!("{}\n", path.display())).map(drop)
    }

    /// Prints it; whoever stops reading has seen enough, and what was judged stands.
    async fn print(&self, node: &Node) -> anyhow::Result<()> {
        let printed = self.copy(node, &mut io::stdout()).await;
        let is_unread = |error: &anyhow::Error| {
            error.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
        };
        if printed.as_ref().err().is_some_and(is_unread) { Ok(()) } else { printed }
    }

    async fn copy(&self, node: &Node, to: &mut (dyn Write + Send)) -> anyhow::Result<()> {
        let blob = self.house.blobs.open(node.blob.ok_or_else(|| anyhow!("a receipt without bytes"))?).await?;
        let (mut buffer, mut offset) = (vec![0; COPY_BYTES], 0);
        loop {
            let read = blob.read_at(offset, &mut buffer)?;
            if read == 0 {
                return Ok(());
            }
            to.write_all(buffer.get(..read).unwrap_or_default())?;
            offset += read as u64;
        }
    }
}

/// A temporary folder, for its owner only; removed when dropped.
struct Folder(PathBuf);

impl Folder {
    fn make() -> anyhow::Result<Self> {
        use std::os::unix::fs::DirBuilderExt as _;
        let path = env::temp_dir().join(format!("sluse-check-{}", ShipmentId::new()));
        fs::DirBuilder::new().mode(0o700).create(&path).with_context(|| path.display().to_string())?;
        Ok(Self(path))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        if let Err(error) = fs::remove_dir_all(&self.0) {
            eprintln!("{} is left behind: {error}", self.0.display());
        }
    }
}

/// Nothing here waits for anything.
const PACE: Pace = Pace {
    shipments: 1,
    turn: Duration::from_secs(1),
    lease: Duration::from_secs(60),
    look: Duration::from_secs(1),
    overdue: Duration::from_secs(3_600),
    keep: Duration::from_secs(3_600),
};
/// More files than a receipt has.
const FILES: u32 = 20;
const COPY_BYTES: usize = 64 << 10;
