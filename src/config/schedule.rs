//! Schedules, files that are expected, and who is told of alarms.

use std::time::Duration;

use secrecy::SecretString;

use super::Partner;
use super::files;
use super::http::{HttpCredential, credential, is_private, is_url, waits};
use super::reader::Section;
use super::route::{LONGEST_MS, RouteConfig};
use super::rules::word;
use super::times::{Calendars, deadlines, recurrence};
use crate::model::{PartnerId, RouteName};
use crate::schedule::{Expectation, Least, Misfire, Recurrence};

/// A schedule and what it runs.
#[derive(Debug, Clone)]
pub struct ScheduleConfig {
    /// Its name.
    pub name: String,
    /// When.
    pub times: Recurrence,
    /// How the file says when, for people.
    pub rule: String,
    /// What becomes of runs that are missed.
    pub misfire: Misfire,
    /// What it runs.
    pub job: JobConfig,
    /// A run that takes longer is broken off.
    pub timeout_ms: u64,
    /// Who is told when it fails.
    pub channels: Vec<String>,
}

/// What a schedule may run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JobConfig {
    /// Removes the bytes of shipments that were kept for long enough.
    Retention,
    /// Tells how many shipments there are.
    Report,
    /// Wakes what was kept: form sets on their first day, subscriptions that come round.
    Prefill,
}

/// A file that is expected.
#[derive(Debug, Clone)]
pub struct ExpectedConfig {
    /// When, and what it should hold.
    pub expectation: Expectation,
    /// From whom.
    pub partner: PartnerId,
    /// By which route, with its inbox; `None` for any.
    pub route: Option<(RouteName, String)>,
    /// Who is told when it does not come.
    pub channels: Vec<String>,
}

/// A way to tell people.
#[derive(Debug, Clone)]
pub enum AlarmConfig {
    /// By e-mail.
    Email(EmailConfig),
    /// By HTTP.
    Webhook(WebhookConfig),
}

/// A service that is POSTed every notice.
#[derive(Debug, Clone)]
pub struct WebhookConfig {
    /// Where.
    pub url: String,
    /// What it knows us by.
    pub credential: Option<HttpCredential>,
    /// Longest wait for a connection.
    pub connect_ms: u64,
    /// Longest wait for an answer.
    pub timeout_ms: u64,
}

/// A mail server, and who is written to.
#[derive(Debug, Clone)]
pub struct EmailConfig {
    /// Its name or address.
    pub server: String,
    /// Its port.
    pub port: u16,
    /// How the connection is kept private.
    pub tls: MailTls,
    /// Whom we log in as.
    pub login: Option<(String, SecretString)>,
    /// Who writes.
    pub from: String,
    /// Who is written to.
    pub to: Vec<String>,
}

/// How a connection to a mail server is kept private.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum MailTls {
    /// It begins in the clear and must become private.
    #[default]
    StartTls,
    /// It is private from the beginning.
    Wrapped,
    /// It stays in the clear.
    None,
}

/// Ways to tell people by name; one with faults is there by name only.
pub(super) type Alarms = [(String, Option<AlarmConfig>)];

/// Reads `[schedule.<name>]`.
pub(super) fn schedules(
    root: &Section<'_>,
    calendars: &Calendars,
    alarms: &[(String, Option<AlarmConfig>)],
) -> Vec<ScheduleConfig> {
    let all = root.named("schedule");
    all.iter().filter_map(|(name, section)| schedule(name, section, calendars, alarms)).collect()
}

fn schedule(
    name: &str,
    section: &Section<'_>,
    calendars: &Calendars,
    alarms: &[(String, Option<AlarmConfig>)],
) -> Option<ScheduleConfig> {
    let times = recurrence(name, section, calendars, None);
    let job = section.required("job").and_then(|word| {
        let found = JobConfig::ALL.iter().find(|(known, _)| *known == word).map(|(_, job)| *job);
        if found.is_none() {
            let known: Vec<_> = JobConfig::ALL.iter().map(|(known, _)| format!("{known:?}")).collect();
            section.fault("job", format!("must be one of {}", known.join(", ")));
        }
        found
    });
    let misfire = word(section, "misfire", Misfire::ALL);
    let timeout_ms = section.number("timeout_ms", 3_600_000, 1_000..=LONGEST_MS);
    let channels = channels(section, alarms);
    let rule = section.text("cron").unwrap_or_else(|| {
        section.optional_number("every_ms", 0..=u64::MAX).map(|ms| format!("every {ms} ms")).unwrap_or_default()
    });
    let is_name = is_name(section, name);
    is_name.then_some(ScheduleConfig {
        name: name.to_owned(),
        times: times?,
        rule,
        misfire,
        job: job?,
        timeout_ms,
        channels,
    })
}

impl JobConfig {
    /// Every job, with its word in the configuration.
    pub const ALL: [(&'static str, Self); 3] =
        [("retention", Self::Retention), ("report", Self::Report), ("prefill", Self::Prefill)];

    /// Its word in the configuration.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Retention => "retention",
            Self::Prefill => "prefill",
            Self::Report => "report",
        }
    }
}

/// Reads `[expected.<name>]`.
pub(super) fn expected(
    root: &Section<'_>,
    partners: &[Partner],
    routes: &[RouteConfig],
    calendars: &Calendars,
    alarms: &[(String, Option<AlarmConfig>)],
) -> Vec<ExpectedConfig> {
    let mut all = Vec::new();
    for (name, section) in root.named("expected") {
        let from = whose(&section, partners, routes);
        let times = deadlines(&section, calendars);
        let warn_ms = section.number("warn_ms", 3_600_000, 0..=LONGEST_MS);
        let late = Duration::from_millis(section.number("late_ms", 21_600_000, 0..=LONGEST_MS));
        let least = Least {
            size_bytes: section.number("min_bytes", 0, 0..=u64::MAX >> 1),
            items: section.number("min_items", 0, 0..=u64::MAX >> 1),
            percent_of_usual: section.per_cent("min_percent_of_usual"),
        };
        let channels = channels(&section, alarms);
        let (true, Some((partner, route)), Some(times)) = (is_name(&section, &name), from, times) else { continue };
        let of = match &route {
            Some((route, _)) => format!("partner {partner}, route {route}"),
            None => format!("partner {partner}"),
        };
        let warn = (warn_ms > 0).then(|| Duration::from_millis(warn_ms));
        all.push(ExpectedConfig {
            expectation: Expectation { name, of, times, warn, late, least },
            partner,
            route,
            channels,
        });
    }
    all
}

/// The partner and, where one is named, the route with its inbox.
pub(super) type From = (PartnerId, Option<(RouteName, String)>);

pub(super) fn whose(section: &Section<'_>, partners: &[Partner], routes: &[RouteConfig]) -> Option<From> {
    let partner: Option<PartnerId> = section.required_parsed("partner");
    let route: Option<RouteName> = section.parsed("route");
    let partner = partner?;
    if !partners.iter().any(|known| known.id == partner) {
        section.fault("partner", format!("there is no [partner.{partner}]"));
        return None;
    }
    let Some(route) = route else { return Some((partner, None)) };
    let known = routes.iter().map(|route| &route.route).find(|known| known.name == route && known.partner == partner);
    if known.is_none() {
        section.fault("route", format!("partner {partner} has no [route.{route}]"));
    }
    let inbox = known?.inbox.clone();
    Some((partner, Some((route, inbox))))
}

/// Who is told: everybody, unless some are named.
pub(super) fn channels(section: &Section<'_>, alarms: &[(String, Option<AlarmConfig>)]) -> Vec<String> {
    if !section.has("alarm") {
        return alarms.iter().map(|(name, _)| name.clone()).collect();
    }
    let named = section.texts("alarm");
    for name in named.iter().filter(|name| !alarms.iter().any(|(known, _)| known == *name)) {
        section.fault("alarm", format!("there is no [alarm.{name}]"));
    }
    named
}

pub(super) fn is_name(section: &Section<'_>, name: &str) -> bool {
    match name.parse::<RouteName>() {
        Ok(_) => true,
        Err(error) => {
            section.fault_here(error.to_string());
            false
        }
    }
}

/// Reads `[alarm.<name>]`; one with faults is there by name only.
pub(super) fn alarms(root: &Section<'_>) -> Vec<(String, Option<AlarmConfig>)> {
    let all = root.named("alarm").into_iter();
    all.map(|(name, section)| {
        let alarm = is_name(&section, &name).then(|| alarm(&section)).flatten();
        (name, alarm)
    })
    .collect()
}

fn alarm(section: &Section<'_>) -> Option<AlarmConfig> {
    match section.required("kind")?.as_str() {
        "email" => email(section).map(AlarmConfig::Email),
        "webhook" => webhook(section).map(AlarmConfig::Webhook),
        _ => {
            section.fault("kind", "must be \"email\" or \"webhook\"");
            section.leave();
            None
        }
    }
}

fn email(section: &Section<'_>) -> Option<EmailConfig> {
    let server = section.required("server");
    let tls =
        word(section, "tls", [("starttls", MailTls::StartTls), ("wrapped", MailTls::Wrapped), ("none", MailTls::None)]);
    let port = match tls {
        MailTls::StartTls => 587,
        MailTls::Wrapped => 465,
        MailTls::None => 25,
    };
    let port = u16::try_from(section.number("port", port, 1..=65_535)).ok();
    let (user, password) = (section.text("user"), files::secret(section, "password_file"));
    if user.is_some() != section.text("password_file").is_some() {
        section.fault("user", "user and password_file go together");
    }
    if tls == MailTls::None && user.is_some() && !server.as_deref().is_some_and(is_local) {
        section.fault("tls", "a password is not sent in the clear to another machine");
    }
    let from = section.required("from").and_then(|from| address(section, "from", from));
    let to: Vec<_> = section.texts("to").into_iter().filter_map(|to| address(section, "to", to)).collect();
    if !section.has("to") {
        section.fault("to", "is missing: nobody would be written to");
    } else if section.texts("to").is_empty() {
        section.fault("to", "is empty: nobody would be written to");
    }
    Some(EmailConfig { server: server?, port: port?, tls, login: user.zip(password), from: from?, to })
}

fn is_local(server: &str) -> bool {
    ["localhost", "127.0.0.1", "::1"].contains(&server)
}

fn address(section: &Section<'_>, key: &'static str, text: String) -> Option<String> {
    let is_one = text.parse::<lettre::message::Mailbox>().is_ok();
    if !is_one {
        section.fault(key, format!("{text:?} is not an e-mail address"));
    }
    is_one.then_some(text)
}

fn webhook(section: &Section<'_>) -> Option<WebhookConfig> {
    let url = section.required("url");
    let credential = credential(section);
    let (connect_ms, timeout_ms) = waits(section);
    let url = url?;
    if !is_url(&url) || !is_private(&url) {
        section.fault("url", "must be an address that begins with https://; plain http is to this machine only");
        return None;
    }
    Some(WebhookConfig { url, credential, connect_ms, timeout_ms })
}
