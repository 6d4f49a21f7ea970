//! `sluse schedule`: when schedules run next, and running one by hand.

use std::fmt::Write as _;
use std::process::ExitCode;

use anyhow::{Context as _, bail};
use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::{ConfigArgs, EXIT_CONFIG, block_on, check_config, ledger_beside, print, wait_for};
use crate::adapters::ledger::Bystander;
use crate::app;
use crate::config::{Config, ScheduleConfig};
use crate::ports::{Clock as _, Run, RunEnd, SystemClock};

/// What to do with schedules.
#[derive(Debug, clap::Subcommand)]
pub enum ScheduleCommand {
    /// Show the next runs of each schedule, when files are expected, how the last runs ended, and what did not come
    List(ListArgs),
    /// Run a schedule now: by the gateway if one is running, else in this process; exit 0 when it ends well, 1 when not
    Run(RunArgs),
}

/// What to show.
#[derive(Debug, clap::Args)]
pub struct ListArgs {
    /// The configuration
    #[command(flatten)]
    pub config: ConfigArgs,
    /// How many runs of each
    #[arg(long, default_value_t = 10, value_name = "NUMBER")]
    pub count: usize,
    /// From this time on, such as 2026-03-29T00:00Z, instead of now
    #[arg(long, value_name = "TIME")]
    pub from: Option<Timestamp>,
}

/// What to run.
#[derive(Debug, clap::Args)]
pub struct RunArgs {
    /// The configuration
    #[command(flatten)]
    pub config: ConfigArgs,
    /// Which schedule
    #[arg(value_name = "NAME")]
    pub name: String,
    /// How many seconds to wait for a running gateway to do it
    #[arg(long, default_value_t = 3_600, value_name = "SECONDS")]
    pub wait: u64,
}

/// Does it.
pub(super) fn run(command: &ScheduleCommand) -> anyhow::Result<ExitCode> {
    let args = match command {
        ScheduleCommand::List(args) => &args.config,
        ScheduleCommand::Run(args) => &args.config,
    };
    let Some(config) = check_config::load(args) else { return Ok(ExitCode::from(EXIT_CONFIG)) };
    match command {
        ScheduleCommand::List(args) => block_on(list(&config, args)),
        ScheduleCommand::Run(args) => block_on(run_now(&config, args)),
    }
}

async fn list(config: &Config, args: &ListArgs) -> anyhow::Result<ExitCode> {
    let from = args.from.unwrap_or_else(|| SystemClock.now());
    // Without a ledger, or with one of before schedules, there is nothing that ran.
    let mut ledger = ledger_beside(config).await?;
    let mut text = String::new();
    for schedule in &config.schedules {
        let last = match &mut ledger {
            Some(ledger) => ledger.runs(&schedule.name, 1).await.unwrap_or_default().into_iter().next(),
            None => None,
        };
        show(&mut text, schedule, last, from, args.count)?;
    }
    for expected in &config.expected {
        let wrong = match &mut ledger {
            Some(ledger) => ledger.alarm(&format!("expected/{}", expected.expectation.name)).await.unwrap_or_default(),
            None => None,
        };
        let (expectation, zone) = (&expected.expectation, &expected.expectation.times.zone);
        writeln!(text, "expected {} ({}): by", expectation.name, expectation.of)?;
        if let Some(alarm) = wrong {
            writeln!(text, "  {}: {}", alarm.level, alarm.text)?;
        }
        for at in expectation.times.upcoming(from).take(args.count) {
            writeln!(text, "  {}", shown(at, zone))?;
        }
    }
    if text.is_empty() {
        text.push_str("there is no [schedule.<name>] and no [expected.<name>]\n");
    }
    print(&text)
}

fn show(
    text: &mut String,
    schedule: &ScheduleConfig,
    last: Option<Run>,
    from: Timestamp,
    count: usize,
) -> std::fmt::Result {
    let zone = &schedule.times.zone;
    let zone_name = zone.iana_name().unwrap_or("UTC");
    writeln!(text, "{}: {} {} ({zone_name})", schedule.name, schedule.job.as_str(), schedule.rule)?;
    if let Some(run) = last {
        let end = match run.ended {
            None => "is running, or was cut off",
            Some((RunEnd::Done, _)) => "ended well",
            Some((RunEnd::Failed, _)) => "failed",
            Some((RunEnd::CutOff, _)) => "was cut off",
        };
        let colon = if run.note.is_empty() { "" } else { ": " };
        writeln!(text, "  last run {} {end}{colon}{}", shown(run.began_at, zone), run.note)?;
    }
    for at in schedule.times.upcoming(from).take(count) {
        writeln!(text, "  {}", shown(at, zone))?;
    }
    Ok(())
}

fn shown(at: Timestamp, zone: &TimeZone) -> String {
    at.to_zoned(zone.clone()).strftime("%a %Y-%m-%d %H:%M:%S %:z").to_string()
}

async fn run_now(config: &Config, args: &RunArgs) -> anyhow::Result<ExitCode> {
    if !config.schedules.iter().any(|schedule| schedule.name == args.name) {
        bail!("there is no [schedule.{}]", args.name);
    }
    let by = format!("user {}", rustix::process::getuid().as_raw());
    let run = match app::run_schedule(config, &args.name, &by).await? {
        Some(run) => run,
        None => through_the_gateway(config, args, &by).await?,
    };
    let is_done = matches!(run.ended, Some((RunEnd::Done, _)));
    print(&format!("{} {}: {}\n", run.schedule, if is_done { "ended well" } else { "failed" }, run.note))?;
    Ok(if is_done { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Leaves word in the ledger of a running gateway, and waits for what becomes of it.
async fn through_the_gateway(config: &Config, args: &RunArgs, by: &str) -> anyhow::Result<Run> {
    let path = config.ledger_file();
    let mut ledger = Bystander::open(&path).await.with_context(|| path.display().to_string())?;
    let asked = ledger.ask(&args.name, by, SystemClock.now()).await?;
    let answer = async || Ok(ledger.run_asked(asked).await?.filter(|run| run.ended.is_some()));
    let run = wait_for(args.wait, answer).await?;
    ledger.close().await?;
    let late = || format!("the gateway has not done it within {} s; it does it all the same when it can", args.wait);
    run.with_context(late)
}
