//! What happens at its time, and who is told of what did not.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;

use crate::adapters::alarm::{EmailChannel, EmailSettings, MailTls, WebhookChannel, WebhookSettings};
use crate::adapters::receiver::Waits;
use crate::config::{self, AlarmConfig, Config, EmailConfig, JobConfig, WebhookConfig};
use crate::pipeline::{Expected, House, Prefilling, Report, Retention, Schedule, Timekeeper};
use crate::ports::{Channel, Job, Receiver, Timetable};

use super::receivers::credential;

/// Who keeps the timetable, and how.
pub(crate) fn timekeeper(
    config: &Config,
    prefilling: &Prefilling,
    ledger: Arc<dyn Timetable>,
) -> anyhow::Result<Timekeeper> {
    let house = &prefilling.house;
    let mut channels = HashMap::new();
    for (name, alarm) in &config.alarms {
        channels.insert(name.clone(), channel(alarm).with_context(|| format!("alarm {name}"))?);
    }
    let schedule = |schedule: &config::ScheduleConfig| Schedule {
        name: schedule.name.clone(),
        times: schedule.times.clone(),
        misfire: schedule.misfire,
        job: job(schedule.job, prefilling),
        longest: Duration::from_millis(schedule.timeout_ms),
        channels: schedule.channels.clone(),
    };
    let expected = |expected: &config::ExpectedConfig| Expected {
        expectation: expected.expectation.clone(),
        partner: expected.partner.clone(),
        route: expected.route.clone(),
        channels: expected.channels.clone(),
    };
    Ok(Timekeeper {
        ledger,
        clock: Arc::clone(&house.clock),
        look: house.pace.look,
        schedules: config.schedules.iter().map(schedule).collect(),
        expected: config.expected.iter().map(expected).collect(),
        receivers: receivers(config, house),
        channels,
        others: others(config),
    })
}

/// What is watched elsewhere, as alarms name it.
fn others(config: &Config) -> HashSet<String> {
    let with_deadline = config.routes.iter().filter(|route| route.deadline.is_some());
    let deadlines = with_deadline.map(|route| format!("deadline/{}", route.route.name));
    let sources = config.sources.iter().map(|source| format!("source/{}", source.name));
    let rests = sources.clone().map(|source| format!("{source}/rest"));
    deadlines.chain(sources).chain(rests).collect()
}

/// Receivers by name; a partner with a client of its own has one of its own.
fn receivers(config: &Config, house: &House) -> Vec<(String, Arc<dyn Receiver>)> {
    let mut receivers = BTreeMap::new();
    for route in &config.routes {
        let Some(destination) = house.receivers.get(&route.route.name) else { continue };
        for ((name, receiver, _), destination) in route.leads().zip(destination.all()) {
            let own = receiver.client_of(&route.route.partner).is_some();
            let name = if own { format!("{name}/{}", route.route.partner) } else { name.clone() };
            receivers.entry(name).or_insert_with(|| Arc::clone(destination.receiver()));
        }
    }
    receivers.into_iter().collect()
}

fn job(job: JobConfig, prefilling: &Prefilling) -> Arc<dyn Job> {
    match job {
        JobConfig::Retention => Arc::new(Retention(prefilling.house.clone())),
        JobConfig::Report => Arc::new(Report(prefilling.house.clone())),
        JobConfig::Prefill => Arc::new(prefilling.clone()),
    }
}

fn channel(alarm: &AlarmConfig) -> anyhow::Result<Arc<dyn Channel>> {
    Ok(match alarm {
        AlarmConfig::Email(config) => Arc::new(EmailChannel::new(email(config))?),
        AlarmConfig::Webhook(config) => Arc::new(WebhookChannel::new(webhook(config))?),
    })
}

fn webhook(config: &WebhookConfig) -> WebhookSettings {
    WebhookSettings {
        url: config.url.clone(),
        credential: config.credential.clone().map(credential),
        waits: Waits { connect_ms: config.connect_ms, answer_ms: config.timeout_ms },
    }
}

fn email(config: &EmailConfig) -> EmailSettings {
    EmailSettings {
        server: config.server.clone(),
        port: config.port,
        tls: match config.tls {
            config::MailTls::StartTls => MailTls::StartTls,
            config::MailTls::Wrapped => MailTls::Wrapped,
            config::MailTls::None => MailTls::None,
        },
        login: config.login.clone(),
        from: config.from.clone(),
        to: config.to.clone(),
    }
}
