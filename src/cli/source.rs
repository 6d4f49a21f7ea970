//! `sluse source`: how sources stand, what waits there and why, and a look now.

use std::fmt::Write as _;
use std::process::ExitCode;

use anyhow::{Context as _, bail};
use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::{ConfigArgs, EXIT_CONFIG, block_on, check_config, ledger_beside, print, wait_for};
use crate::adapters::ledger::Bystander;
use crate::config::{Config, SourceConfig};
use crate::model::Wait;
use crate::ports::SourceStand;

/// What to do with sources.
#[derive(Debug, clap::Subcommand)]
pub enum SourceCommand {
    /// Show each source: its last look and its next, how many files wait for what, and the first of them
    List(ListArgs),
    /// Have a running gateway look at a source now; exit 0 when the look ends well, 1 when not
    Look(LookArgs),
}

/// What to show.
#[derive(Debug, clap::Args)]
pub struct ListArgs {
    /// The configuration
    #[command(flatten)]
    pub config: ConfigArgs,
    /// How many names of each kind
    #[arg(long, default_value_t = 10, value_name = "NUMBER")]
    pub names: u32,
}

/// Where to look.
#[derive(Debug, clap::Args)]
pub struct LookArgs {
    /// The configuration
    #[command(flatten)]
    pub config: ConfigArgs,
    /// Which source
    #[arg(value_name = "NAME")]
    pub name: String,
    /// How many seconds to wait for it
    #[arg(long, default_value_t = 600, value_name = "SECONDS")]
    pub wait: u64,
}

/// Does it.
pub(super) fn run(command: &SourceCommand) -> anyhow::Result<ExitCode> {
    let args = match command {
        SourceCommand::List(args) => &args.config,
        SourceCommand::Look(args) => &args.config,
    };
    let Some(config) = check_config::load(args) else { return Ok(ExitCode::from(EXIT_CONFIG)) };
    match command {
        SourceCommand::List(args) => block_on(list(&config, args.names)),
        SourceCommand::Look(args) => block_on(look(&config, args)),
    }
}

async fn list(config: &Config, names: u32) -> anyhow::Result<ExitCode> {
    // Without a ledger, or with one of before sources, nothing was looked at.
    let mut ledger = ledger_beside(config).await?;
    let mut text = String::new();
    for source in &config.sources {
        let (mut stand, mut waiting) = (SourceStand::default(), Vec::new());
        if let Some(ledger) = &mut ledger {
            stand = ledger.source(&source.name).await.unwrap_or_default();
            waiting = ledger.waiting(&source.name, names).await.unwrap_or_default();
        }
        show(&mut text, source, &stand, &waiting)?;
    }
    if text.is_empty() {
        text.push_str("there is no [source.<name>]\n");
    }
    print(&text)
}

fn show(
    text: &mut String,
    source: &SourceConfig,
    stand: &SourceStand,
    waiting: &[(Wait, u64, Vec<String>)],
) -> std::fmt::Result {
    let zone = &source.times.zone;
    let SourceConfig { name, partner, dir, rule, .. } = source;
    writeln!(text, "{name}: {} ({rule}) to /{dir} of {partner}", source.place.told())?;
    match stand.looked_at {
        None => writeln!(text, "  not looked at yet")?,
        Some(at) if stand.failures > 0 => {
            writeln!(
                text,
                "  last look {} failed, as did {} before: {}",
                shown(at, zone),
                stand.failures - 1,
                stand.note
            )?;
        }
        Some(at) => writeln!(text, "  last look {}: {}", shown(at, zone), stand.note)?,
    }
    if let Some(next) = stand.next_at {
        writeln!(text, "  next look {}", shown(next, zone))?;
    }
    for (wait, count, paths) in waiting.iter().filter(|(wait, ..)| *wait != Wait::Beside) {
        writeln!(text, "  {count} {}{}", wait.why(), if paths.is_empty() { "" } else { ":" })?;
        for path in paths {
            // A name may hold anything, and a terminal obeys it.
            writeln!(text, "    {}", path.escape_debug())?;
        }
        let more = count.saturating_sub(paths.len() as u64);
        if !paths.is_empty() && more > 0 {
            writeln!(text, "    and {more} more")?;
        }
    }
    Ok(())
}

fn shown(at: Timestamp, zone: &TimeZone) -> String {
    at.to_zoned(zone.clone()).strftime("%a %Y-%m-%d %H:%M:%S %:z").to_string()
}

/// Leaves word in the ledger of a running gateway, and waits for what becomes of it.
async fn look(config: &Config, args: &LookArgs) -> anyhow::Result<ExitCode> {
    if !config.sources.iter().any(|source| source.name == args.name) {
        bail!("there is no [source.{}]", args.name);
    }
    let path = config.ledger_file();
    let mut ledger = Bystander::open(&path).await.with_context(|| path.display().to_string())?;
    let asked = ledger.ask_look(&args.name).await?;
    let answer = async || Ok(Some(ledger.source(&args.name).await?).filter(|stand| stand.answered >= asked));
    let stand = wait_for(args.wait, answer).await?;
    ledger.close().await?;
    let late =
        || format!("no gateway has looked within {} s; one that runs does it all the same when it can", args.wait);
    let stand = stand.with_context(late)?;
    let is_well = stand.failures == 0;
    print(&format!("{}: {}{}\n", args.name, if is_well { "" } else { "failed: " }, stand.note))?;
    Ok(if is_well { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
