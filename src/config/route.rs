//! Routes: partner + format + service → receiver.

use std::sync::Arc;

use super::flow::FlowConfig;
use super::format::Described;
use super::lead::{Lead, Leads};
use super::partner::Partner;
use super::reader::Section;
use super::receipts;
use super::receiver::{Named, ReceiverConfig};
use super::schedule::{self, AlarmConfig};
use super::times::Calendars;
use crate::formats::{self, Format};
use crate::model::{
    FormSchemaRow, FormatName, GenericFormat, PartialAcceptance, PartnerId, RetryPolicy, Route, RouteName, ServiceRow,
    ServiceTable,
};
use crate::receipt::Signer;
use crate::schedule::{Deadline, Windows};

/// A route with the receiver it leads to.
#[derive(Debug, Clone)]
pub struct RouteConfig {
    /// The rules.
    pub route: Route,
    /// The receiver's name; routes of the same name share it.
    pub receiver_name: String,
    /// The receiver.
    pub receiver: ReceiverConfig,
    /// How fast it may be given items.
    pub flow: FlowConfig,
    /// Others that get every item, too.
    pub further: Vec<Lead>,
    /// Whether the partner may remove files from its receipts and outbox directories.
    pub may_remove: bool,
    /// The key that signs its receipts, where it has one of its own.
    pub signer: Option<Arc<Signer>>,
    /// When it may forward; `None` for always.
    pub windows: Option<Windows>,
    /// By when what came must be through, and who is told when it will not; `None` for no such time.
    pub deadline: Option<(Deadline, Vec<String>)>,
}

impl RouteConfig {
    /// All of its receivers: their names, what they are and how fast they may be given items.
    pub fn leads(&self) -> impl Iterator<Item = (&String, &ReceiverConfig, &FlowConfig)> {
        let further = self.further.iter().map(|lead| (&lead.name, &lead.receiver, &lead.flow));
        std::iter::once((&self.receiver_name, &self.receiver, &self.flow)).chain(further)
    }
}

/// Longest wait a setting may ask for: thirty days.
pub(super) const LONGEST_MS: u64 = 30 * 24 * 3_600_000;

/// Reads `[route.<name>]`.
pub(super) fn read(
    root: &Section<'_>,
    partners: &[Partner],
    receivers: &[Named],
    (formats, calendars, alarms): (&Described, &Calendars, &[(String, Option<AlarmConfig>)]),
) -> Vec<RouteConfig> {
    let mut routes: Vec<RouteConfig> = Vec::new();
    for (name, section) in root.named("route") {
        let Some(found) = route(&name, &section, partners, receivers, (formats, calendars, alarms)) else { continue };
        if let Some(text) = routes.iter().find_map(|earlier| clash(&earlier.route, &found.route)) {
            section.fault_here(text);
        }
        routes.push(found);
    }
    if !root.has_table("route") {
        root.fault("route", "is missing: no file would be taken; add [route.<name>]");
    }
    routes
}

fn route(
    name: &str,
    section: &Section<'_>,
    partners: &[Partner],
    receivers: &[Named],
    (formats, calendars, alarms): (&Described, &Calendars, &[(String, Option<AlarmConfig>)]),
) -> Option<RouteConfig> {
    let route_name: Option<RouteName> = name.parse().map_err(|error| section.fault_here(format!("{error}"))).ok();
    let partner = partner(section, partners);
    let format = format(section, formats);
    let leads = Leads::read(section, receivers);
    if let Some((format, _)) = &format {
        fit(section, *format, &leads);
    }
    let services = services(section, leads.first());
    let names_schemas = services.rows.iter().any(|row| !row.schemas.is_empty());
    let rules = super::rules::read(&section.section("rules"), names_schemas);
    let answers = receipts::read(section);
    let [inbox, test, receipts, outbox] = directories(section, &answers.dir);
    let partial = PartialAcceptance {
        max_refused: section.optional_number("max_refused", 0..=u64::MAX >> 1),
        max_refused_percent: section.per_cent("max_refused_percent"),
    };
    let retry = retry(&section.section("retry"), &leads);
    let max_file_bytes = section.number("max_file_bytes", 20_000_000_000, 1..=u64::MAX >> 1);
    let max_findings = section.number("max_findings", 10_000, 1..=10_000_000);
    let concurrency = section.number("concurrency", 64, 1..=1_000);
    let sender_name = section.text("sender_name");
    let may_remove = section.flag("may_remove", false);
    let windows = super::times::route_windows(section, calendars);
    let deadline = super::times::deadline(section).map(|deadline| (deadline, schedule::channels(section, alarms)));
    let (format, described) = format?;
    let route = Route {
        name: route_name?,
        partner: partner?,
        format,
        described,
        inbox,
        test,
        receipts,
        receipt_rules: answers.rules,
        outbox,
        sender_name,
        max_file_bytes,
        max_findings,
        rules,
        partial,
        services,
        retry,
        concurrency: usize::try_from(concurrency).ok()?,
    };
    let mut all = leads.all.into_iter();
    let first = all.next().filter(|_| leads.is_whole)?;
    Some(RouteConfig {
        route,
        receiver_name: first.name,
        receiver: first.receiver,
        flow: first.flow,
        further: all.collect(),
        may_remove,
        signer: answers.signer,
        windows,
        deadline,
    })
}

/// Holds each receiver against the format.
fn fit(section: &Section<'_>, format: FormatName, leads: &Leads) {
    for lead in &leads.all {
        if let Some(why) = does_not_take(&lead.receiver, format) {
            let archives = if format == FormatName::Broker { "altinn-broker, " } else { "" };
            section.fault(leads.key, format!("{why}; use one of kind {archives}http, sftp or directory"));
        }
        if format == FormatName::Broker && lead.receiver.batches().is_some() {
            section.fault(
                leads.key,
                "takes batches, and a broker ZIP goes to each recipient alone; use one with take = \"items\"",
            );
        }
    }
}

/// Why a receiver cannot take what a format holds; some of its items it may still refuse.
fn does_not_take(receiver: &ReceiverConfig, format: FormatName) -> Option<&'static str> {
    match (receiver, format) {
        (ReceiverConfig::AltinnApp(_), FormatName::Broker) => Some("an altinn-app receiver takes no broker ZIPs"),
        (ReceiverConfig::AltinnApp(_), FormatName::Generic) => {
            Some("an altinn-app receiver takes no items of a described format")
        }
        (ReceiverConfig::AltinnMessages(_), FormatName::Correspondence | FormatName::AltUt) => None,
        (ReceiverConfig::AltinnMessages(_), _) => {
            Some("an altinn-correspondence receiver takes the formats correspondence and altut only")
        }
        (ReceiverConfig::AltinnBroker(_), FormatName::Broker) => None,
        (ReceiverConfig::AltinnBroker(_), _) => Some("an altinn-broker receiver takes the format broker only"),
        (
            ReceiverConfig::AltinnApp(_)
            | ReceiverConfig::Http(_)
            | ReceiverConfig::Soap(_)
            | ReceiverConfig::Directory(_)
            | ReceiverConfig::Sftp(_),
            _,
        ) => None,
    }
}

fn partner(section: &Section<'_>, partners: &[Partner]) -> Option<PartnerId> {
    let id: PartnerId = section.required_parsed("partner")?;
    if !partners.iter().any(|partner| partner.id == id) {
        section.fault("partner", format!("there is no [partner.{id}]"));
        return None;
    }
    Some(id)
}

/// A standard format, or one that is described.
fn format(section: &Section<'_>, formats: &Described) -> Option<(FormatName, Option<Arc<GenericFormat>>)> {
    let word = section.required("format")?;
    if let Some(format) = super::format::standard(&word) {
        return Some((format, None));
    }
    if let Some((_, described)) = formats.iter().find(|(name, _)| *name == word) {
        // What is wrong with it is told already.
        return described.clone().map(|format| (FormatName::Generic, Some(format)));
    }
    let known: Vec<_> = FormatName::ALL.iter().map(|format| format!("{:?}", format.as_str())).collect();
    section.fault("format", format!("must be one of {}, or the name of a [format.<name>]", known.join(", ")));
    None
}

/// Inbox, test, receipts and outbox; four different directories.
fn directories(section: &Section<'_>, receipts: &str) -> [String; 4] {
    const KEYS: [&str; 4] = ["inbox", "test", "receipts", "outbox"];
    let named =
        |key| if key == "receipts" { receipts.to_owned() } else { section.text(key).unwrap_or_else(|| key.to_owned()) };
    let names = KEYS.map(named);
    for (index, (key, name)) in KEYS.iter().zip(&names).enumerate() {
        let plain = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '.' | ' ');
        if name.is_empty() || name.len() > 64 || name.starts_with('.') || !name.chars().all(plain) {
            section.fault(key, "must be a directory name of 1 to 64 letters, digits, '-', '_', '.' without slashes");
        }
        if names.iter().take(index).any(|earlier| earlier == name) {
            section.fault(key, "is already the name of another directory of this route");
        }
    }
    names
}

fn retry(section: &Section<'_>, leads: &Leads) -> RetryPolicy {
    let policy = RetryPolicy {
        first_wait_ms: section.number("first_wait_ms", 1_000, 1..=LONGEST_MS),
        max_wait_ms: section.number("max_wait_ms", 300_000, 1..=LONGEST_MS),
        give_up_after_ms: section.number("give_up_after_ms", 86_400_000, 1..=LONGEST_MS),
        settle_ms: section.number("settle_ms", 120_000, 1..=LONGEST_MS),
    };
    if policy.max_wait_ms < policy.first_wait_ms {
        section.fault("max_wait_ms", "is shorter than first_wait_ms");
    }
    let timeouts = leads.all.iter().filter_map(|lead| lead.receiver.distant_timeout_ms());
    if timeouts.max().is_some_and(|timeout_ms| policy.settle_ms < timeout_ms) {
        let place = section.place("settle_ms");
        section
            .source()
            .warn(format!("{place}: is shorter than the receiver's timeout_ms: it may still be at work then"));
    }
    policy
}

fn services(section: &Section<'_>, receiver: Option<&ReceiverConfig>) -> ServiceTable {
    let ignored_codes = section.texts("ignored_service_codes");
    let rows: Vec<_> = section.list("service").iter().filter_map(|row| service(row, receiver)).collect();
    for (index, row) in rows.iter().enumerate() {
        if rows.iter().take(index).any(|earlier| earlier.code == row.code && earlier.edition == row.edition) {
            section.fault("service", format!("service {} is listed twice with the same edition", row.code));
        }
    }
    let to_altinn = matches!(
        receiver,
        Some(ReceiverConfig::AltinnApp(_) | ReceiverConfig::AltinnMessages(_) | ReceiverConfig::AltinnBroker(_))
    );
    if to_altinn && !section.has("service") {
        section.fault("service", "is missing: a receiver of Altinn 3 needs [[route.<name>.service]] rows");
    }
    ServiceTable { any: receiver.is_some() && !to_altinn && !section.has("service"), rows, ignored_codes }
}

fn service(section: &Section<'_>, receiver: Option<&ReceiverConfig>) -> Option<ServiceRow> {
    let code = section.required("code");
    if code.as_ref().is_some_and(|code| code.chars().count() > 7) {
        section.fault("code", "a service code has at most 7 characters");
    }
    let edition = section.text("edition");
    let rows = section.list("data_type");
    let (mut app, mut message, mut transfer) = (None, None, None);
    match receiver {
        Some(ReceiverConfig::AltinnApp(_)) => app = Some(super::app::target(section, &rows)),
        Some(ReceiverConfig::AltinnMessages(config)) => {
            let target = super::message::target(section);
            let scope = &config.altinn.maskinporten.scope;
            if target.as_ref().is_some_and(|target| target.orders_notifications) && !scope.contains(NOTIFY_SCOPE) {
                let text = format!("needs {NOTIFY_SCOPE} in the receiver's scope");
                section.fault("notification_orders", text);
            }
            message = Some(target.map(Box::new));
        }
        Some(ReceiverConfig::AltinnBroker(_)) => transfer = Some(super::transfer::target(section)),
        Some(
            ReceiverConfig::Http(_) | ReceiverConfig::Soap(_) | ReceiverConfig::Directory(_) | ReceiverConfig::Sftp(_),
        ) => {
            rows.iter().filter(|row| !row.has("schema")).for_each(|row| {
                row.fault(
                    "schema",
                    "is missing: to this receiver forms go as they are, and only a schema can be named",
                );
            });
        }
        // The receiver's own fault is reported already; what the row says is read for its faults only.
        None => {
            let _ = section.has("app").then(|| super::app::target(section, &rows));
            let _ =
                section.has("resource").then(|| (super::message::target(section), super::transfer::target(section)));
            rows.iter().for_each(|row| drop(super::app::DATA_TYPE_KEYS.map(|key| row.text(key))));
            return None;
        }
    }
    let schemas = rows.iter().filter_map(form_schema).collect();
    let (app, message, transfer) = (sound(app)?, sound(message)?, sound(transfer)?);
    Some(ServiceRow { code: code?, edition, app, message, transfer, schemas })
}

/// A target that was asked for must be there; if it is not, why is told already.
fn sound<T>(asked: Option<Option<T>>) -> Option<Option<T>> {
    match asked {
        None => Some(None),
        Some(target) => target.map(Some),
    }
}

/// The schema of form data, where a row names one.
fn form_schema(section: &Section<'_>) -> Option<FormSchemaRow> {
    let schema = section.path("schema")?;
    if let Err(error) = formats::take_form_schema(&schema) {
        section.fault("schema", error.to_string());
    }
    let format_version = section.text("format_version");
    Some(FormSchemaRow { format_id: section.required("format_id")?, format_version, schema })
}

/// What a client may order notifications with.
const NOTIFY_SCOPE: &str = "altinn:serviceowner/notifications.create";

/// Whether some file may be of both routes' formats.
fn take_the_same(one: &Route, other: &Route) -> bool {
    let described = [one, other].into_iter().filter_map(|route| formats::described(route.described.as_deref()?));
    let all: Vec<&Format> = described.chain(formats::ALL).collect();
    let of = |route: &Route| all.iter().copied().filter(|format| format.is_of(route)).collect::<Vec<_>>();
    let others = of(other);
    of(one)
        .iter()
        .any(|format| others.iter().any(|other| (format.root, format.namespace) == (other.root, other.namespace)))
}

/// Why two routes cannot both stand: a file would have two ways to go, or what one writes the other would take.
fn clash(one: &Route, other: &Route) -> Option<String> {
    if one.partner != other.partner {
        return None;
    }
    let drops = [&one.inbox, &one.test];
    let shared = drops.into_iter().find(|dir| **dir == other.inbox || **dir == other.test);
    let told_apart = one.sender_name.is_some() && other.sender_name.is_some() && one.sender_name != other.sender_name;
    if let Some(dir) = shared {
        if (*dir == one.inbox) != (*dir == other.inbox) {
            return Some(format!(
                "{dir} is an inbox of one route and a test directory of the other, route {}",
                one.name
            ));
        }
        if take_the_same(one, other) && !told_apart {
            let name = &one.name;
            return Some(format!(
                "route {name} takes the same format in {dir}; give both a sender_name, or other names"
            ));
        }
    }
    let answers = |route: &Route| [route.receipts.clone(), route.outbox.clone()];
    let crossed = answers(one).into_iter().find(|dir| *dir == other.inbox || *dir == other.test);
    let crossed = crossed.or_else(|| answers(other).into_iter().find(|dir| drops.contains(&dir)));
    crossed
        .map(|dir| format!("{dir} is a drop directory of one route and an answer directory of the other, {}", one.name))
}
