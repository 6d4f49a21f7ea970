//! The subcommands.
//!
//! Answers go to standard output, everything else to standard error. Exit codes are part of the interface:
//! see [`Cli`]'s help.

mod area;
mod audit;
mod check;
mod check_config;
mod demo;
mod generate;
mod hash_password;
mod host_key;
pub mod logging;
mod metrics;
mod partner;
mod receipt;
mod receipt_codes;
mod said;
mod schedule;
mod schema;
mod serve;
mod shipment;
mod simulate_altinn;
mod source;
mod subscription;
mod table;
mod validate;

use std::ffi::OsString;
use std::io::{self, Write as _};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use clap::{Parser, Subcommand};

use crate::adapters::ledger::Bystander;
use crate::config::{Config, ConfigError};
use crate::ports::LedgerError;

/// The command line.
#[derive(Debug, Parser)]
#[command(name = "sluse", version, about, arg_required_else_help = true, after_help = EXIT_CODES)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What sluse can do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Judge files by a format or a schema, without a gateway: exit 0 when all are valid, 1 when one is not, 2 when one cannot be judged
    Validate(validate::ValidateArgs),
    /// Judge schemas themselves
    #[command(subcommand)]
    Schema(schema::SchemaCommand),
    /// Rehearse a file without a gateway, as if it was dropped in a test directory: exit 0 when every item passes, 1 when not, 2 when it cannot be judged
    Check(check::CheckArgs),
    /// Show and verify receipts
    #[command(subcommand)]
    Receipt(receipt::ReceiptCommand),
    /// Look at shipments in the ledger, also beside a running gateway
    #[command(subcommand)]
    Shipment(shipment::ShipmentCommand),
    /// Send failed items of a receipted shipment again, or place its final receipt again
    Replay(shipment::replay::ReplayArgs),
    /// Show partners and change who may log in, also beside a running gateway
    #[command(subcommand)]
    Partner(partner::PartnerCommand),
    /// Look at a partner's files, also beside a running gateway
    #[command(subcommand)]
    Area(area::AreaCommand),
    /// Show the SFTP server's keys, make the next one and retire the one before
    #[command(subcommand)]
    HostKey(host_key::HostKeyCommand),
    /// List what operators did, the latest first
    Audit(audit::AuditArgs),
    /// Show when schedules run, and run one by hand
    #[command(subcommand)]
    Schedule(schedule::ScheduleCommand),
    /// Show the sources that files are taken from, and look at one now
    #[command(subcommand)]
    Source(source::SourceCommand),
    /// Show when subscriptions come round
    #[command(subcommand)]
    Subscription(subscription::SubscriptionCommand),
    /// Run the gateway, until a signal ends it
    Serve(ConfigArgs),
    /// Show the gateway at work: drop a generated batch over SFTP, with a simulator in Altinn's place
    Demo(demo::DemoArgs),
    /// Check a configuration and report every fault in it: exit 0 when it is right, 78 when it is not
    CheckConfig(ConfigArgs),
    /// Write a batch of synthetic identities to standard output, the same bytes for the same options
    Generate(generate::GenerateArgs),
    /// Read a password from standard input and print the hash that the configuration takes
    HashPassword,
    /// Print the list of receipt codes as Markdown
    ReceiptCodes,
    /// Run the stand-in for Altinn 3 by itself, until a signal ends it
    SimulateAltinn(simulate_altinn::SimulateArgs),
}

/// Which configuration.
#[derive(Debug, clap::Args)]
pub struct ConfigArgs {
    /// The configuration file
    #[arg(long, env = "SLUSE_CONFIG", value_name = "FILE", default_value = "/etc/sluse/sluse.toml")]
    pub config: PathBuf,
}

/// What [`Cli`]'s help says of exit codes.
const EXIT_CODES: &str =
    "Exit code: 0 done, 1 the answer is no, 2 it cannot be told or done, 78 the configuration is faulty.";
/// Exit code for a faulty configuration: EX_CONFIG of sysexits.h.
const EXIT_CONFIG: u8 = 78;
/// Exit code when a file, a schema or a call cannot be used.
const EXIT_UNUSABLE: u8 = 2;

/// How often a running gateway is asked.
const ASKED_EVERY: Duration = Duration::from_millis(200);
/// How long threads may go on with what nobody waits for any more.
const LAST_WAIT: Duration = Duration::from_secs(2);

/// Does what the command line asks.
pub fn run(cli: Cli) -> anyhow::Result<ExitCode> {
    match cli.command {
        Command::Validate(args) => validate::run(&args),
        Command::Schema(command) => schema::run(&command),
        Command::Check(args) => usable(block_on(check::run(args))),
        Command::Receipt(command) => receipt::run(&command),
        Command::Shipment(command) => shipment::run(&command),
        Command::Replay(args) => shipment::replay::run(&args),
        Command::Partner(command) => usable(block_on(partner::run(&command))),
        Command::Area(command) => usable(block_on(area::run(&command))),
        Command::HostKey(command) => usable(host_key::run(&command)),
        Command::Audit(args) => usable(block_on(audit::run(&args))),
        Command::Schedule(command) => usable(schedule::run(&command)),
        Command::Source(command) => usable(source::run(&command)),
        Command::Subscription(command) => subscription::run(&command),
        Command::Serve(args) => serve::run(&args),
        Command::Demo(args) => block_on(demo::run(args)),
        Command::CheckConfig(args) => check_config::run(&args),
        Command::Generate(args) => generate::run(&args),
        Command::HashPassword => hash_password::run(),
        Command::ReceiptCodes => print(&receipt_codes::markdown()),
        Command::SimulateAltinn(args) => block_on(simulate_altinn::run(args)),
    }
}

/// Tells why a call cannot be followed.
fn usable(told: anyhow::Result<ExitCode>) -> anyhow::Result<ExitCode> {
    told.or_else(|error| {
        eprintln!("{error:#}");
        Ok(ExitCode::from(if error.is::<ConfigError>() { EXIT_CONFIG } else { EXIT_UNUSABLE }))
    })
}

/// Runs what needs the network.
fn block_on(job: impl Future<Output = anyhow::Result<ExitCode>>) -> anyhow::Result<ExitCode> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let done = runtime.block_on(job);
    // A thread that hangs on a dead mount would otherwise keep the process, which serves nothing, from being started anew.
    runtime.shutdown_timeout(LAST_WAIT);
    done
}

/// The ledger beside a gateway, which may run; `None` where there is none yet.
async fn ledger_beside(config: &Config) -> anyhow::Result<Option<Bystander>> {
    let path = config.ledger_file();
    // One that may not be read is not one that knows nothing.
    if !path.try_exists().with_context(|| path.display().to_string())? {
        return Ok(None);
    }
    Ok(Some(Bystander::open(&path).await.with_context(|| path.display().to_string())?))
}

/// Asks a running gateway by way of its ledger, now and again until there is an answer; for so many seconds at most.
async fn wait_for<T>(
    seconds: u64,
    mut ask: impl AsyncFnMut() -> Result<Option<T>, LedgerError>,
) -> anyhow::Result<Option<T>> {
    let begun = Instant::now();
    loop {
        let answer = ask().await?;
        if answer.is_some() || begun.elapsed() >= Duration::from_secs(seconds) {
            return Ok(answer);
        }
        tokio::time::sleep(ASKED_EVERY).await;
    }
}

/// The overrides of the environment.
fn overrides() -> Vec<(String, String)> {
    let text = |text: OsString| text.into_string().ok();
    std::env::vars_os()
        .filter_map(|(name, value)| Some((text(name)?, text(value)?)))
        .filter(|(name, _)| name.starts_with("SLUSE_"))
        .collect()
}

/// Prints an answer; a reader that has seen enough (`| head`) is no error.
fn print(text: &str) -> anyhow::Result<ExitCode> {
    pipe(io::stdout().write_all(text.as_bytes()))
}

fn pipe(written: io::Result<()>) -> anyhow::Result<ExitCode> {
    match written {
        Ok(()) => Ok(ExitCode::SUCCESS),
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(ExitCode::SUCCESS),
        Err(error) => Err(error.into()),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::{Sender, channel};
    use std::thread;

    use super::*;

    #[test]
    fn a_thread_that_hangs_keeps_no_command_from_ending() {
        let (end, hangs) = channel::<()>();
        let (done, ended) = channel();
        let (begun, begins): (Sender<()>, _) = channel();
        let command = thread::spawn(move || {
            let job = async move {
                tokio::task::spawn_blocking(move || {
                    let _ = begun.send(());
                    hangs.recv()
                });
                begins.recv()?;
                Ok(ExitCode::SUCCESS)
            };
            done.send(block_on(job).is_ok()).unwrap();
        });
        let is_well = ended.recv_timeout(Duration::from_secs(120));
        end.send(()).unwrap();
        assert_eq!(is_well, Ok(true), "its end waits for no thread");
        command.join().unwrap();
    }
}
