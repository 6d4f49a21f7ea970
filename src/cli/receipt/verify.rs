//! `sluse receipt verify`: is this what we placed?

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, bail};
use aws_lc_rs::digest;

use crate::adapters::ledger::Record;
use crate::cli::{overrides, usable};
use crate::config::Config;
use crate::ports::{KnownReceipt, LedgerError};
use crate::receipt::{BadSignature, PublicKey, Signer};

/// What to verify.
#[derive(Debug, clap::Args)]
pub struct VerifyArgs {
    /// The receipt; any of its files for the ledger, its document for the signature
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// The configuration of the gateway that placed it: its ledger is asked, and its keys are tried
    #[arg(long, env = "SLUSE_CONFIG", value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// The public key that must have signed it
    #[arg(long, value_name = "PEM")]
    pub key: Option<PathBuf>,
    /// The signature file [default: the receipt's name and .sig]
    #[arg(long, value_name = "FILE")]
    pub signature: Option<PathBuf>,
}

/// Verifies; a line for each answer.
pub(super) async fn run(args: &VerifyArgs) -> anyhow::Result<ExitCode> {
    usable(verify(args).await.map(|holds| if holds { ExitCode::SUCCESS } else { ExitCode::FAILURE }))
}

async fn verify(args: &VerifyArgs) -> anyhow::Result<bool> {
    let sha256 = hash(&args.file).with_context(|| args.file.display().to_string())?;
    let config = args.config.as_ref().map(|path| Config::load(path, overrides())).transpose()?;
    if config.is_none() && args.key.is_none() {
        bail!("nothing to hold it against: give --config, --key or both");
    }
    let mut holds = true;
    if let Some(config) = &config {
        holds &= is_in_ledger(config, sha256).await?;
    }
    holds &= is_signed(args, config.as_ref(), &sha256)?;
    Ok(holds)
}

async fn is_in_ledger(config: &Config, sha256: [u8; 32]) -> anyhow::Result<bool> {
    let path = config.ledger_file();
    let known = known_receipts(&path, sha256).await.with_context(|| path.display().to_string())?;
    if known.is_empty() {
        say("the ledger: a file with these bytes was not placed")?;
    }
    for file in &known {
        let (kind, number) = (file.kind.as_str(), file.kind.number());
        let number = if number > 0 { format!(" {number}") } else { String::new() };
        let text = format!(
            "the ledger: placed as {kind}{number} of shipment {} at {:.3}, named {}",
            file.shipment, file.placed_at, file.name
        );
        say(&text)?;
    }
    Ok(!known.is_empty())
}

async fn known_receipts(path: &Path, sha256: [u8; 32]) -> Result<Vec<KnownReceipt>, LedgerError> {
    let mut record = Record::open(path).await?;
    let known = record.receipts_of(sha256).await;
    record.close().await?;
    known
}

fn is_signed(args: &VerifyArgs, config: Option<&Config>, sha256: &[u8; 32]) -> anyhow::Result<bool> {
    let keys = keys(args, config)?;
    let path = args.signature.clone().unwrap_or_else(|| beside(&args.file));
    let signature = match fs::read(&path) {
        Ok(signature) => signature,
        Err(error) if error.kind() == io::ErrorKind::NotFound && args.signature.is_none() => {
            say("the signature: there is none beside the file")?;
            // Who names a key expects a signature; a route of the configuration may well sign nothing.
            return Ok(args.key.is_none());
        }
        Err(error) => return Err(error).with_context(|| path.display().to_string()),
    };
    if keys.is_empty() {
        say("the signature: not checked, the configuration names no key")?;
        return Ok(true);
    }
    let answers: Vec<_> = keys.iter().map(|key| key.check(sha256, &signature)).collect();
    // Of several keys the one that made the signature has the say.
    let telling = answers.iter().find(|answer| **answer != Err(BadSignature::OtherKey)).or(answers.first());
    match telling {
        Some(Ok(())) => say("the signature: holds").map(|()| true),
        Some(Err(error)) => say(&format!("the signature: {error}")).map(|()| false),
        None => Ok(false),
    }
}

/// The keys that may have signed it.
fn keys(args: &VerifyArgs, config: Option<&Config>) -> anyhow::Result<Vec<PublicKey>> {
    if let Some(path) = &args.key {
        let pem = fs::read_to_string(path).with_context(|| path.display().to_string())?;
        return Ok(vec![PublicKey::from_pem(&pem).with_context(|| path.display().to_string())?]);
    }
    let own = config.into_iter().flat_map(|config| config.routes.iter().filter_map(|route| route.signer.as_deref()));
    let all = own.chain(config.and_then(|config| config.signer.as_deref()));
    Ok(all.map(Signer::public_key).collect::<Result<_, _>>()?)
}

fn beside(file: &Path) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(".sig");
    PathBuf::from(name)
}

fn hash(path: &Path) -> io::Result<[u8; 32]> {
    let (mut file, mut context) = (fs::File::open(path)?, digest::Context::new(&digest::SHA256));
    let mut buffer = vec![0; READ_BYTES];
    loop {
        match io::Read::read(&mut file, &mut buffer)? {
            0 => break,
            read => context.update(buffer.get(..read).unwrap_or_default()),
        }
    }
    context.finish().as_ref().try_into().map_err(io::Error::other)
}

fn say(line: &str) -> anyhow::Result<()> {
    super::super::print(&format!("{line}\n")).map(drop)
}

const READ_BYTES: usize = 64 << 10;
