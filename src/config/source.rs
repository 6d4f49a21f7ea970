//! `[source.<name>]`: where files are taken from, which, when, and what becomes of them.

use std::str::FromStr;
use std::time::Duration;

use super::Partner;
use super::place::{self, Meets, PlaceConfig};
use super::reader::Section;
use super::receiver::{Named, ReceiverConfig};
use super::route::{LONGEST_MS, RouteConfig};
use super::rules::word;
use super::schedule::{Alarms, channels, is_name, whose};
use super::times::{Calendars, recurrence};
use crate::model::{PartnerId, RouteName, TakeOrder};
use crate::schedule::Recurrence;
use crate::sighting::{After, BadBeside, Beside, DatedDir, Pattern, Readiness, Rules};

/// A place that files are taken from.
#[derive(Debug, Clone)]
pub struct SourceConfig {
    /// Its name.
    pub name: String,
    /// Whose files it holds.
    pub partner: PartnerId,
    /// The route whose inbox they go to.
    pub route: RouteName,
    /// That inbox, or the route's directory of rehearsals.
    pub dir: String,
    /// They go there as rehearsals.
    pub preflight: bool,
    /// Where it is.
    pub place: PlaceConfig,
    /// When it is looked at.
    pub times: Recurrence,
    /// How the file says when, for people.
    pub rule: String,
    /// Which files, and what becomes of them.
    pub rules: Rules,
    /// No more of a file is fetched.
    pub most_bytes: u64,
    /// Longest wait for an answer, and for the next bytes.
    pub timeout_ms: u64,
    /// Somebody is told after so many failures one after the other.
    pub alarm_after: u32,
    /// Who.
    pub channels: Vec<String>,
}

/// Reads `[source.<name>]`.
pub(super) fn read(
    root: &Section<'_>,
    partners: &[Partner],
    (routes, receivers): (&[RouteConfig], &[Named]),
    calendars: &Calendars,
    alarms: &Alarms,
) -> Vec<SourceConfig> {
    let mut sources: Vec<SourceConfig> = Vec::new();
    for (name, section) in root.named("source") {
        let Some(found) = source(&name, &section, (partners, routes), calendars, alarms) else { continue };
        for other in &sources {
            match found.place.meets(&other.place, (found.rules.depth, other.rules.depth)) {
                Meets::Never => {}
                Meets::Perhaps => section.source().warn(format!(
                    "source.{name} and source.{} take from the same directory if the server shows both logins the same tree",
                    other.name
                )),
                Meets::Surely => {
                    section.fault("path", format!("source {} takes from the same directory", other.name));
                    continue;
                }
            }
            for (key, _) in found.own_dirs().filter(|own| own.1.meets(other)) {
                section.fault(key, format!("source {} takes from there", other.name));
            }
            if other.own_dirs().any(|(_, own)| own.meets(&found)) {
                section.fault("path", format!("source {} puts what it took, or receipts, there", other.name));
            }
        }
        check_receivers(&section, &found, receivers);
        sources.push(found);
    }
    sources
}

fn source(
    name: &str,
    section: &Section<'_>,
    (partners, routes): (&[Partner], &[RouteConfig]),
    calendars: &Calendars,
    alarms: &Alarms,
) -> Option<SourceConfig> {
    let is_name = is_name(section, name);
    let from = whose(section, partners, routes);
    let route = section.required("route").and(from).and_then(|(_, route)| route);
    let preflight = section.flag("test", false);
    let route = route.and_then(|(name, _)| routes.iter().map(|route| &route.route).find(|route| route.name == name));
    let timeout_ms = section.number("timeout_ms", 30_000, 10..=3_600_000);
    let place = place::read(section, timeout_ms);
    let times = times(name, section, calendars);
    let rules = rules(section);
    let alarm_after = u32::try_from(section.number("alarm_after", 3, 1..=1_000)).ok();
    let channels = channels(section, alarms);
    let route = route?;
    let (times, rule) = times?;
    // More than the route takes, so that the refusal is a receipt, but not without end.
    let most_bytes = route.max_file_bytes.saturating_add(1);
    is_name.then_some(SourceConfig {
        name: name.to_owned(),
        partner: route.partner.clone(),
        route: route.name.clone(),
        dir: if preflight { route.test.clone() } else { route.inbox.clone() },
        preflight,
        place: place?,
        times,
        rule,
        rules: rules?,
        most_bytes,
        timeout_ms,
        alarm_after: alarm_after?,
        channels,
    })
}

/// A directory that a source puts files in.
struct OwnDir {
    place: PlaceConfig,
    depth: u32,
}

impl OwnDir {
    /// Tells whether a source would take the files there.
    fn meets(&self, source: &SourceConfig) -> bool {
        self.place.meets(&source.place, (self.depth, source.rules.depth)) == Meets::Surely
    }
}

impl SourceConfig {
    /// Where it puts what it took, and receipts, by the setting that says so.
    fn own_dirs(&self) -> impl Iterator<Item = (&'static str, OwnDir)> {
        let moved = match &self.rules.after {
            After::Move(dir) => Some(("move_to", dir.stem(), 1)),
            After::Leave | After::Delete | After::Rename(_) => None,
        };
        let receipts = self.rules.receipts.clone().map(|dir| ("receipts", dir, 0));
        let own = [moved, receipts].into_iter().flatten();
        own.map(|(key, dir, depth)| (key, OwnDir { place: self.place.below(&dir), depth }))
    }
}

/// What a receiver writes must not come back as a partner's file.
fn check_receivers(section: &Section<'_>, source: &SourceConfig, receivers: &[Named]) {
    for (name, receiver) in receivers {
        let Some((ReceiverConfig::Directory(receiver), _)) = receiver else { continue };
        let dir = OwnDir { place: PlaceConfig::watched(&receiver.path), depth: 0 };
        if dir.meets(source) {
            section.fault("path", format!("receiver {name} writes there"));
        }
    }
}

/// A source that names no times is looked at every minute.
fn times(name: &str, section: &Section<'_>, calendars: &Calendars) -> Option<(Recurrence, String)> {
    let (every, cron) = (section.optional_number("every_ms", 0..=u64::MAX), section.text("cron"));
    let rule = match (every, &cron) {
        (Some(every_ms), _) => format!("every {every_ms} ms"),
        (None, Some(cron)) => cron.clone(),
        (None, None) => format!("every {EVERY_MS} ms"),
    };
    Some((recurrence(name, section, calendars, Some(EVERY_MS))?, rule))
}

fn rules(section: &Section<'_>) -> Option<Rules> {
    let (include, exclude) = (parsed_all(section, "include"), parsed_all(section, "exclude"));
    let depth = u32::try_from(section.number("depth", 0, 0..=32)).ok();
    let order = word(section, "order", TakeOrder::ALL);
    let most = u32::try_from(section.number("max_files", 1_000, 1..=100_000)).ok();
    let readiness = readiness(&section.section("ready"));
    let after = after(section);
    let receipts = section.text("receipts");
    if let (Some(After::Rename(renamed)), Some(include), Some(readiness)) = (&after, &include, &readiness) {
        check_rename(section, renamed, include, readiness);
    }
    let rules = Rules {
        dir: String::new(),
        depth: depth?,
        include: include?,
        exclude: exclude?,
        order,
        most: most?,
        readiness: readiness?,
        after: after?,
        receipts: None,
    };
    let Some(receipts) = receipts else { return Some(rules) };
    // Otherwise we would take our own answers.
    if receipts.parse::<DatedDir>().is_err() || receipts.contains('{') {
        section.fault("receipts", "must be a directory below the source's own, such as \"receipts\"");
        return None;
    }
    Some(Rules { receipts: Some(receipts), ..rules })
}

/// Whatever has the form of a name that we gave counts as taken: no file that is to be taken, and none that tells when one
/// is ready, may have it.
fn check_rename(section: &Section<'_>, renamed: &Beside, include: &[Pattern], readiness: &Readiness) {
    let fault = |why: &str| section.fault("rename_to", why);
    if !renamed.is_own() {
        return fault("needs {name} or {stem}: with one name for all only the first file gets it");
    }
    let usual = ["x.xml", "x.zip"].map(str::to_owned).into_iter();
    let usual = usual.filter(|name| include.is_empty() || include.iter().any(|pattern| pattern.fits(name)));
    let names: Vec<String> = usual.chain(include.iter().flat_map(Pattern::samples)).collect();
    if names.iter().any(|name| renamed.fits(name)) {
        fault("also has the form of names that are to be taken, which would count as taken already");
    } else if names.iter().flat_map(|name| readiness.beside(name)).any(|beside| renamed.fits(&beside)) {
        fault("also has the form of done-files or checksum files, which would not be seen");
    }
}

fn readiness(section: &Section<'_>) -> Option<Readiness> {
    let some = |ms: u64| (ms > 0).then(|| Duration::from_millis(ms));
    let stable = some(section.number("stable_ms", 5_000, 0..=LONGEST_MS));
    let min_age = some(section.number("min_age_ms", 0, 0..=LONGEST_MS));
    let (done_file, checksum) = (beside(section, "done_file"), beside(section, "checksum_file"));
    let temporary = section.texts("temporary");
    if temporary.iter().any(|end| end.trim().is_empty()) {
        section.fault("temporary", "holds an empty text, which every name ends with");
    }
    let patience = Duration::from_millis(section.number("incomplete_ms", 3_600_000, 0..=LONGEST_MS));
    let complete = section.flag("complete", true);
    if stable.is_none() && done_file == Ok(None) && checksum == Ok(None) && min_age.is_none() && !complete {
        section.fault_here(
            "says of no file when it is ready: give stable_ms, done_file, checksum_file, min_age_ms or complete",
        );
    }
    Some(Readiness {
        stable,
        min_age,
        done_file: done_file.ok()?,
        checksum: checksum.ok()?,
        complete,
        patience,
        temporary,
    })
}

fn beside(section: &Section<'_>, key: &'static str) -> Result<Option<Beside>, ()> {
    let Some(text) = section.text(key) else { return Ok(None) };
    text.parse().map(Some).map_err(|error: BadBeside| section.fault(key, error.to_string()))
}

fn after(section: &Section<'_>) -> Option<After> {
    let (move_to, rename_to) = (section.text("move_to"), section.text("rename_to"));
    let word = section.required("after")?;
    for (key, of) in [("move_to", "move"), ("rename_to", "rename")] {
        if section.has(key) && word != of {
            section.fault(key, format!("is nothing without after = \"{of}\""));
        }
    }
    match word.as_str() {
        "leave" => Some(After::Leave),
        "delete" => Some(After::Delete),
        "move" => parsed(section, "move_to", move_to).map(After::Move),
        "rename" => parsed(section, "rename_to", rename_to).map(After::Rename),
        _ => {
            section.fault("after", "must be \"delete\", \"move\", \"rename\" or \"leave\"");
            None
        }
    }
}

fn parsed<T: FromStr<Err: std::fmt::Display>>(
    section: &Section<'_>,
    key: &'static str,
    text: Option<String>,
) -> Option<T> {
    if text.is_none() {
        section.fault(key, "is missing");
    }
    text?.parse().map_err(|error: T::Err| section.fault(key, error.to_string())).ok()
}

fn parsed_all<T: FromStr<Err: std::fmt::Display>>(section: &Section<'_>, key: &'static str) -> Option<Vec<T>> {
    let texts = section.texts(key);
    let parse = |text: &String| text.parse().map_err(|error: T::Err| section.fault(key, error.to_string())).ok();
    let parsed: Vec<Option<T>> = texts.iter().map(parse).collect();
    parsed.into_iter().collect()
}

/// How often a source is looked at that does not say.
const EVERY_MS: u64 = 60_000;
