//! `sluse simulate-altinn`: the stand-in for Altinn 3 by itself, for dry runs.

use std::fs;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context as _;
use tokio::signal::unix::{SignalKind, signal};

use super::print;
use crate::simulator::{FaultPlan, LimitPlan, PARTY_TYPES, SimulatedApp, Simulator, SimulatorOptions};

/// How the stand-in behaves.
#[derive(Debug, clap::Args)]
pub struct SimulateArgs {
    /// Where it listens
    #[arg(long, default_value = "127.0.0.1:5101", value_name = "ADDRESS")]
    pub listen: SocketAddr,
    /// An app there is, with its data types and whom it takes (person, organisation, subUnit, bankruptcyEstate); every app is
    /// there when none is named
    #[arg(long = "app", value_name = "ORG/APP[:TYPE,TYPE][=KIND,KIND]", value_parser = app)]
    pub apps: Vec<SimulatedApp>,
    /// What goes wrong, as TOML: `[[rules]]` with `call = "message"` and `fault = "error-after"` or `{ throttled = 5 }`;
    /// docs/simulator.md lists them
    #[arg(long, value_name = "FILE")]
    pub faults: Option<PathBuf>,
    /// How much a client may ask: `published` for what Altinn has published, or a file with TOML: `window_ms = 60_000` and
    /// `[[rules]]` with `call = "message"`, `most = 100`; without it nothing is limited
    #[arg(long, value_name = "published|FILE")]
    pub limits: Option<PathBuf>,
    /// Answer FAILED_DO_NOT_RETRY to a batch that came over SOAP before, and not OK
    #[arg(long)]
    pub refuse_known_batches: bool,
    /// The key that grants must be signed with, PEM; any signature is taken without it
    #[arg(long, value_name = "FILE")]
    pub public_key: Option<PathBuf>,
    /// Keep what was made in this file, and read it back at the next start
    #[arg(long, value_name = "FILE")]
    pub journal: Option<PathBuf>,
}

/// Runs until a signal ends it, then tells what took effect.
pub(super) async fn run(args: SimulateArgs) -> anyhow::Result<ExitCode> {
    // Before the address is told: whoever reads it may send a signal at once.
    let (mut stop, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    let simulator = Simulator::start(args.listen, options(&args)?).await?;
    print(&settings(simulator.base_url()))?;
    tokio::select! {
        _ = stop.recv() => {}
        _ = interrupt.recv() => {}
    }
    let counts = counts(&simulator);
    simulator.stop().await;
    print(&counts)
}

/// What took effect, and how much of it was different; of what did nothing is said but of instances.
fn counts(simulator: &Simulator) -> String {
    let (effects, messages) = (simulator.effects(), simulator.message_counts());
    let (transfers, batches) = (simulator.transfer_counts(), simulator.batch_counts());
    let others = [
        ("messages", messages.total, messages.distinct),
        ("files", transfers.uploaded, transfers.uploaded_items),
        ("items of batches", batches.items, batches.distinct),
    ];
    let mut lines = format!("instances: {}, of different keys: {}\n", effects.total, effects.distinct);
    for (what, total, distinct) in others.into_iter().filter(|(_, total, _)| *total > 0) {
        lines.push_str(&format!("{what}: {total}, different ones: {distinct}\n"));
    }
    lines
}

fn options(args: &SimulateArgs) -> anyhow::Result<SimulatorOptions> {
    let read = |path: &PathBuf| fs::read_to_string(path).with_context(|| path.display().to_string());
    let faults = match &args.faults {
        Some(path) => toml::from_str(&read(path)?).with_context(|| path.display().to_string())?,
        None => FaultPlan::default(),
    };
    let limits = match &args.limits {
        Some(path) if path.as_os_str() == "published" => LimitPlan::published(),
        Some(path) => toml::from_str(&read(path)?).with_context(|| path.display().to_string())?,
        None => LimitPlan::default(),
    };
    let refuse_known_batches = args.refuse_known_batches;
    let public_key = args.public_key.as_ref().map(read).transpose()?;
    let (apps, journal) = (args.apps.clone(), args.journal.clone());
    let options =
        SimulatorOptions { public_key, apps, faults, limits, refuse_known_batches, ..SimulatorOptions::default() };
    Ok(SimulatorOptions { journal, ..options })
}

/// The settings of a receiver that leads here.
fn settings(base: &str) -> String {
    format!(
        "# Altinn 3 is simulated at {base}; settings of a receiver that leads here:\n\
         platform_url = \"{base}\"\nissuer = \"{base}/\"\ntoken_url = \"{base}/token\"\n\
         # and of kind \"altinn-app\" alone:\napps_url = \"{base}\"\n\
         # and of one that takes batches over SOAP:\nurl = \"{base}/soap\"\nstatus_url = \"{base}/soap/{{key}}\"\n"
    )
}

fn app(text: &str) -> Result<SimulatedApp, String> {
    let (text, party_types) = text.split_once('=').unwrap_or((text, ""));
    let (name, types) = text.split_once(':').unwrap_or((text, ""));
    let listed = |list: &str| list.split(',').filter(|name| !name.is_empty()).map(ToOwned::to_owned).collect();
    let party_types: Vec<String> = listed(party_types);
    if !party_types.iter().all(|name| PARTY_TYPES.contains(&name.as_str())) {
        return Err(format!("whom an app takes is of {}", PARTY_TYPES.join(", ")));
    }
    match name.split_once('/') {
        Some((org, app)) if !org.is_empty() && !app.is_empty() => {
            Ok(SimulatedApp { org: org.to_owned(), app: app.to_owned(), data_types: listed(types), party_types })
        }
        _ => Err("an app is its owner and its name, such as ttd/my-app".to_owned()),
    }
}
