//! `sluse subscription`: when subscriptions come round next, without whom they are for.

use std::process::ExitCode;

use anyhow::Context as _;
use clap::Subcommand;
use serde::Serialize;

use super::table::{json_lines, table};
use super::{ConfigArgs, block_on, overrides, print, usable};
use crate::adapters::ledger::{ListedSubscription, Record};
use crate::config::Config;
use crate::model::{ItemState, PartnerId};

/// What to do with subscriptions.
#[derive(Debug, Subcommand)]
pub enum SubscriptionCommand {
    /// List subscriptions with their next dates, the next to come round first
    List(ListArgs),
}

/// Which subscriptions.
#[derive(Debug, clap::Args)]
pub struct ListArgs {
    #[command(flatten)]
    config: ConfigArgs,
    /// One JSON object per subscription
    #[arg(long)]
    pub json: bool,
    /// Of one partner only
    #[arg(long)]
    pub partner: Option<PartnerId>,
    /// Also those that are replaced or over
    #[arg(long)]
    pub all: bool,
    /// At most so many
    #[arg(long, value_name = "COUNT", default_value_t = 50)]
    pub limit: u32,
    /// How many dates of each
    #[arg(long, value_name = "COUNT", default_value_t = 3)]
    pub dates: u32,
}

/// One of them; `docs/subscriptions.md` promises its shape.
#[derive(Serialize)]
struct Line {
    shipment: String,
    item: u64,
    partner: String,
    route: Option<String>,
    service: String,
    edition: String,
    period: &'static str,
    stand: &'static str,
    next: Vec<String>,
    due: Option<String>,
    ends: Option<String>,
    /// A form set is kept for it.
    form_set: bool,
    last: Option<String>,
    last_outcome: Option<&'static str>,
    last_code: Option<&'static str>,
}

impl Line {
    fn new(of: &ListedSubscription, dates: u32) -> Self {
        let first = of.next.map_or(0, |turn| turn.number);
        let turns = (first..first.saturating_add(dates)).map_while(|number| of.next.and(of.rounds.turn(number)));
        let due = of.next.and_then(|turn| of.rounds.occasion(turn.number).due);
        Self {
            shipment: of.shipment.to_string(),
            item: of.item,
            partner: of.partner.clone(),
            route: of.route.clone(),
            service: of.service.code.clone(),
            edition: of.service.edition.clone(),
            period: of.rounds.period.as_str(),
            stand: of.stand,
            next: turns.map(|turn| turn.day.to_string()).collect(),
            due: due.map(|day| day.to_string()),
            ends: of.rounds.ends.map(|day| day.to_string()),
            form_set: of.has_set,
            last: of.last.map(|(day, ..)| day.to_string()),
            last_outcome: of.last.map(|(_, state, _)| outcome(state)),
            last_code: of.last.and_then(|(_, _, code)| code).map(|code| code.0),
        }
    }

    fn row(&self) -> [String; 9] {
        let last = [self.last.as_deref(), self.last_outcome, self.last_code].into_iter().flatten();
        [
            self.partner.clone(),
            format!("{} {}", self.service, self.edition).trim_end().to_owned(),
            self.period.to_owned(),
            self.stand.to_owned(),
            self.next.join(" "),
            self.due.clone().unwrap_or_default(),
            if self.form_set { "yes" } else { "no" }.to_owned(),
            last.collect::<Vec<_>>().join(" "),
            format!("{} {}", self.shipment, self.item),
        ]
    }
}

fn outcome(state: ItemState) -> &'static str {
    match state {
        ItemState::Ready | ItemState::Sending => "under way",
        ItemState::Delivered => "done",
        ItemState::Refused | ItemState::Ignored | ItemState::Failed => "failed",
    }
}

/// Does it.
pub(super) fn run(command: &SubscriptionCommand) -> anyhow::Result<ExitCode> {
    let SubscriptionCommand::List(args) = command;
    usable(block_on(list(args)))
}

async fn list(args: &ListArgs) -> anyhow::Result<ExitCode> {
    let path = Config::load(&args.config.config, overrides())?.ledger_file();
    let mut record = Record::open(&path).await.with_context(|| path.display().to_string())?;
    let listed = record.subscriptions(args.partner.as_ref(), args.all, args.limit).await?;
    record.close().await?;
    let lines: Vec<_> = listed.iter().map(|subscription| Line::new(subscription, args.dates)).collect();
    if args.json {
        return print(&json_lines(&lines)?);
    }
    let head = ["PARTNER", "SERVICE", "PERIOD", "STAND", "NEXT", "DUE", "SET", "LAST", "SHIPMENT AND ITEM"];
    print(&table(head, lines.iter().map(Line::row)))
}
