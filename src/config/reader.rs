//! Reads TOML tables key by key, so that every fault is found, each with its path and line.
//!
//! A derived `Deserialize` stops at the first fault; an operator mending a file over a slow change process needs them all.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Display;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::fault::Fault;

/// Prefix of overrides in the environment.
const PREFIX: &str = "SLUSE";

/// A configuration text with its overrides, and what was found wrong so far.
pub(super) struct Source<'a> {
    text: &'a str,
    base: &'a Path,
    overrides: BTreeMap<String, String>,
    used: RefCell<BTreeSet<String>>,
    faults: RefCell<Vec<Fault>>,
    warnings: RefCell<Vec<String>>,
}

/// One table. When it is dropped, keys that nobody asked for are reported.
pub(super) struct Section<'a> {
    source: &'a Source<'a>,
    path: String,
    /// Prefix of overrides; `None` in lists, whose entries have no name.
    variable: Option<String>,
    line: Option<usize>,
    table: Option<&'a DeTable<'a>>,
    known: RefCell<BTreeSet<String>>,
}

/// A setting as found: in the file, or in an override.
enum Found<'a> {
    Value(&'a Spanned<DeValue<'a>>),
    Override { name: String, text: String },
}

impl<'a> Source<'a> {
    pub(super) fn new(text: &'a str, base: &'a Path, overrides: impl IntoIterator<Item = (String, String)>) -> Self {
        Self {
            text,
            base,
            overrides: overrides.into_iter().collect(),
            used: RefCell::default(),
            faults: RefCell::default(),
            warnings: RefCell::default(),
        }
    }

    /// The document's own table.
    pub(super) fn root(&'a self, table: &'a DeTable<'a>) -> Section<'a> {
        Section {
            source: self,
            path: String::new(),
            variable: Some(PREFIX.to_owned()),
            line: None,
            table: Some(table),
            known: RefCell::default(),
        }
    }

    /// Notes something wrong.
    pub(super) fn fault(&self, line: Option<usize>, place: impl Into<String>, text: impl Into<String>) {
        self.faults.borrow_mut().push(Fault { line, place: place.into(), text: text.into() });
    }

    /// Notes something an operator should know and that is no fault.
    pub(super) fn warn(&self, text: String) {
        self.warnings.borrow_mut().push(text);
    }

    /// The line of a byte of the text, from 1.
    pub(super) fn line(&self, offset: usize) -> usize {
        self.text.bytes().take(offset).filter(|byte| *byte == b'\n').count() + 1
    }

    /// Ends reading: the faults in the order of the file, and the warnings.
    pub(super) fn finish(self) -> (Vec<Fault>, Vec<String>) {
        let used = self.used.into_inner();
        let mut faults = self.faults.into_inner();
        // A misspelt override would otherwise be silently without effect. Names without `__` may be someone else's.
        let unused = self.overrides.keys().filter(|name| is_override(name) && !used.contains(*name));
        faults.extend(unused.map(|name| Fault {
            line: None,
            place: name.clone(),
            text: "overrides no setting of this configuration".to_owned(),
        }));
        let mut warnings = self.warnings.into_inner();
        let stray = self.overrides.keys().filter(|name| is_stray(name) && !used.contains(*name));
        warnings.extend(stray.map(|name| {
            format!(
                "{name} overrides no setting: names that follow one another in a path have two underscores between them"
            )
        }));
        faults.sort_by_key(|fault| fault.line.unwrap_or(usize::MAX));
        // A key that is read twice is wrong once.
        faults.dedup();
        (faults, warnings)
    }
}

impl<'a> Section<'a> {
    /// A text that may be missing.
    pub(super) fn text(&self, key: &'static str) -> Option<String> {
        match self.find(key)? {
            Found::Override { text, .. } => Some(text),
            Found::Value(value) => {
                let text = value.get_ref().as_str().map(ToOwned::to_owned);
                if text.is_none() {
                    self.wrong_type(key, value, "a text in quotes");
                }
                text
            }
        }
    }

    /// A text that must be there.
    pub(super) fn required(&self, key: &'static str) -> Option<String> {
        let missing = self.find(key).is_none();
        if missing {
            self.fault(key, "is missing");
            return None;
        }
        let text = self.text(key)?;
        if text.trim().is_empty() {
            self.fault(key, "is empty");
            return None;
        }
        Some(text)
    }

    /// A text read as a type of its own.
    pub(super) fn parsed<T: FromStr<Err: Display>>(&self, key: &'static str) -> Option<T> {
        self.parse(key, self.text(key)?)
    }

    /// A text that must be there, read as a type of its own.
    pub(super) fn required_parsed<T: FromStr<Err: Display>>(&self, key: &'static str) -> Option<T> {
        self.parse(key, self.required(key)?)
    }

    /// A path, relative to the configuration file's directory.
    pub(super) fn path(&self, key: &'static str) -> Option<PathBuf> {
        Some(self.source.base.join(self.text(key)?))
    }

    /// A list of paths, relative to the configuration file's directory.
    pub(super) fn paths(&self, key: &'static str) -> Vec<PathBuf> {
        self.texts(key).into_iter().map(|path| self.source.base.join(path)).collect()
    }

    /// A whole number within limits, or the default.
    pub(super) fn number(&self, key: &'static str, default: u64, limits: RangeInclusive<u64>) -> u64 {
        self.optional_number(key, limits).unwrap_or(default)
    }

    /// A whole number within limits.
    pub(super) fn optional_number(&self, key: &'static str, limits: RangeInclusive<u64>) -> Option<u64> {
        let number = match self.find(key)? {
            Found::Override { text, .. } => text.trim().replace('_', "").parse().ok(),
            Found::Value(value) => {
                value.get_ref().as_integer().and_then(|found| u64::from_str_radix(found.as_str(), found.radix()).ok())
            }
        };
        let number = number.filter(|number| limits.contains(number));
        if number.is_none() {
            self.fault(key, format!("must be a whole number from {} to {}", limits.start(), limits.end()));
        }
        number
    }

    /// A share in per cent.
    pub(super) fn per_cent(&self, key: &'static str) -> Option<f64> {
        let number: Option<f64> = match self.find(key)? {
            Found::Override { text, .. } => text.trim().parse().ok(),
            Found::Value(value) => match value.get_ref() {
                DeValue::Integer(found) => found.as_str().parse().ok(),
                DeValue::Float(found) => found.as_str().parse().ok(),
                DeValue::String(_)
                | DeValue::Boolean(_)
                | DeValue::Datetime(_)
                | DeValue::Array(_)
                | DeValue::Table(_) => None,
            },
        };
        let number = number.filter(|share| (0.0..=100.0).contains(share));
        if number.is_none() {
            self.fault(key, "must be a number from 0 to 100");
        }
        number
    }

    /// A yes or no.
    pub(super) fn flag(&self, key: &'static str, default: bool) -> bool {
        let flag = match self.find(key) {
            None => return default,
            Some(Found::Override { text, .. }) => text.trim().parse().ok(),
            Some(Found::Value(value)) => value.get_ref().as_bool(),
        };
        flag.unwrap_or_else(|| {
            self.fault(key, "must be true or false");
            default
        })
    }

    /// A list of texts; empty when missing.
    pub(super) fn texts(&self, key: &'static str) -> Vec<String> {
        self.array(key, "a list of texts", |value| value.get_ref().as_str().map(ToOwned::to_owned))
    }

    /// A table that may be missing: its keys may still be overridden.
    pub(super) fn section(&self, key: &'static str) -> Section<'a> {
        let value = self.value(key);
        let table = value.and_then(|value| value.get_ref().as_table());
        if let (Some(value), None) = (value, table) {
            self.wrong_type(key, value, "a table");
        }
        self.child(key, value, table)
    }

    /// A table that may also be written as one text, which then stands for all of it.
    pub(super) fn text_or_section(&self, key: &'static str) -> (Option<String>, Section<'a>) {
        let value = self.value(key);
        let table = value.and_then(|value| value.get_ref().as_table());
        let is_text = table.is_none() || matches!(self.find(key), Some(Found::Override { .. }));
        let text = if is_text { self.text(key) } else { None };
        (text, self.child(key, value, table))
    }

    /// Tells whether the table itself is written in the file.
    pub(super) fn is_written(&self) -> bool {
        self.table.is_some()
    }

    /// Tells whether a table is written in the file under a key.
    pub(super) fn has_table(&self, key: &'static str) -> bool {
        self.value(key).is_some()
    }

    /// Tells whether a key is given, in the file or by an override. What is only asked for is not used: an override of what
    /// nobody reads, or of a list, is a fault all the same.
    pub(super) fn has(&self, key: &'static str) -> bool {
        self.value(key).is_some() || self.override_of(key).is_some()
    }

    /// The tables under a key, each with its own name: `[partner.skatt]`.
    pub(super) fn named(&self, key: &'static str) -> Vec<(String, Section<'a>)> {
        let all = self.section(key);
        let Some(table) = all.table else { return Vec::new() };
        let mut sections = Vec::new();
        for (name, value) in table {
            let name = name.get_ref().to_string();
            let inner = value.get_ref().as_table();
            let section = all.child(&name, Some(value), inner);
            match inner {
                Some(_) => sections.push((name, section)),
                None => section.fault_here("must be a table"),
            }
        }
        // The caller takes every name there is.
        all.leave();
        sections
    }

    /// The tables of a list: `[[route.skatt.service]]`.
    pub(super) fn list(&self, key: &'static str) -> Vec<Section<'a>> {
        let mut number = 0;
        self.array(key, "a list of tables", |value| {
            number += 1;
            let table = value.get_ref().as_table()?;
            let mut section = self.child(&format!("{key}[{number}]"), Some(value), Some(table));
            section.variable = None;
            Some(section)
        })
    }

    /// Takes the table's other keys for known, whatever they are.
    pub(super) fn leave(&self) {
        let keys = self.table.into_iter().flat_map(|table| table.keys());
        self.known.borrow_mut().extend(keys.map(|name| name.get_ref().to_string()));
    }

    /// Notes that a key's value is wrong.
    pub(super) fn fault(&self, key: &'static str, text: impl Into<String>) {
        if let Some(Found::Override { name, .. }) = self.find(key) {
            return self.source.fault(None, name, text);
        }
        let line = self.value(key).map(|value| self.source.line(value.span().start));
        self.source.fault(line.or(self.line), self.place(key), text);
    }

    /// Notes that the table as a whole is wrong.
    pub(super) fn fault_here(&self, text: impl Into<String>) {
        self.source.fault(self.line, self.path.clone(), text);
    }

    /// The source, for warnings and files.
    pub(super) fn source(&self) -> &'a Source<'a> {
        self.source
    }

    /// The path of one of its keys.
    pub(super) fn place(&self, key: &str) -> String {
        if self.path.is_empty() { key.to_owned() } else { format!("{}.{key}", self.path) }
    }

    fn parse<T: FromStr<Err: Display>>(&self, key: &'static str, text: String) -> Option<T> {
        match text.trim().parse() {
            Ok(value) => Some(value),
            Err(error) => {
                self.fault(key, error.to_string());
                None
            }
        }
    }

    fn array<T>(
        &self,
        key: &'static str,
        wanted: &str,
        mut read: impl FnMut(&'a Spanned<DeValue<'a>>) -> Option<T>,
    ) -> Vec<T> {
        if self.override_of(key).is_some() {
            self.fault(key, "overrides a list, which only the file can say");
        }
        let Some(value) = self.value(key) else { return Vec::new() };
        let Some(array) = value.get_ref().as_array() else {
            self.wrong_type(key, value, wanted);
            return Vec::new();
        };
        let mut all = Vec::new();
        for entry in array {
            match read(entry) {
                Some(read) => all.push(read),
                None => self.wrong_type(key, entry, wanted),
            }
        }
        all
    }

    fn find(&self, key: &'static str) -> Option<Found<'a>> {
        let value = self.value(key);
        if let Some((name, text)) = self.override_of(key) {
            self.source.used.borrow_mut().insert(name.clone());
            return Some(Found::Override { name, text });
        }
        value.map(Found::Value)
    }

    fn override_of(&self, key: &'static str) -> Option<(String, String)> {
        let prefix = self.variable.as_ref()?;
        let name = format!("{prefix}{}{}", if prefix == PREFIX { "_" } else { "__" }, variable_part(key));
        let text = self.source.overrides.get(&name)?.clone();
        Some((name, text))
    }

    fn value(&self, key: &'static str) -> Option<&'a Spanned<DeValue<'a>>> {
        self.known.borrow_mut().insert(key.to_owned());
        self.table?.get(key)
    }

    fn child(&self, name: &str, value: Option<&Spanned<DeValue<'_>>>, table: Option<&'a DeTable<'a>>) -> Section<'a> {
        let joint = if self.path.is_empty() { "_" } else { "__" };
        Section {
            source: self.source,
            path: self.place(name),
            variable: self.variable.as_ref().map(|prefix| format!("{prefix}{joint}{}", variable_part(name))),
            line: value.map(|value| self.source.line(value.span().start)),
            table,
            known: RefCell::default(),
        }
    }

    fn wrong_type(&self, key: &str, value: &Spanned<DeValue<'_>>, wanted: &str) {
        let line = self.source.line(value.span().start);
        let found = value.get_ref().type_str();
        self.source.fault(Some(line), self.place(key), format!("must be {wanted}, not {found}"));
    }
}

impl Drop for Section<'_> {
    fn drop(&mut self) {
        let known = self.known.borrow();
        for (key, _) in self.table.into_iter().flatten() {
            let name: &str = key.get_ref();
            if !known.contains(name) {
                let line = self.source.line(key.span().start);
                self.source.fault(Some(line), self.place(name), "is not a setting");
            }
        }
    }
}

/// A name as it stands in an override: `skatt-prefill` is `SKATT_PREFILL`.
fn variable_part(name: &str) -> String {
    name.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_uppercase() } else { '_' }).collect()
}

fn is_override(name: &str) -> bool {
    name.strip_prefix(PREFIX).is_some_and(|rest| rest.starts_with('_') && rest.contains("__"))
}

/// Tells whether a name looks like an override with an underscore too few; where a container runs, some like
/// `SLUSE_SERVICE_HOST` are someone else's.
fn is_stray(name: &str) -> bool {
    let rest = name.strip_prefix(PREFIX).and_then(|rest| rest.strip_prefix('_'));
    rest.is_some_and(|rest| !rest.contains("__") && !OTHERS.iter().any(|known| rest.starts_with(known)))
}

/// How variables go on that are read elsewhere: the place of the configuration, and what steers tests and benches.
const OTHERS: [&str; 10] =
    ["CONFIG", "REQUIRE_ALL", "REFERENCE", "BLESS", "KILL_", "BENCH_", "FIRE", "DIFFERENTIAL_", "XSTS_", "TEST_"];
