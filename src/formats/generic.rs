//! Formats that the configuration describes: a schema, the item's path, and what other elements mean.
//!
//! A description is taken only when every batch that the schema accepts can be cut: one item, or some of them, under the
//! heads that stand before them must again be a document of the schema.

use std::sync::{Arc, Mutex, PoisonError};

use super::{Format, Mark, Role, Source};
use crate::model::{Counted, FormatName, GenericFormat, ItemKind};
use crate::xsd::{Files, PathStep, Plan, PlanError, Schema, SchemaLimits, Watch};

/// What is wrong with a description.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DescriptionFault {
    /// The setting.
    pub key: &'static str,
    /// What is wrong with it.
    pub text: String,
}

/// Takes a description for use, compiling its schema unless it was taken before.
pub fn describe(format: &GenericFormat) -> Result<&'static Format, Vec<DescriptionFault>> {
    if let Some(known) = described(format) {
        return Ok(known);
    }
    let schema = load(format)?;
    let mut description = Description { format, schema: &schema, item: Vec::new(), group: None, faults: Vec::new() };
    description.check();
    if !description.faults.is_empty() {
        return Err(description.faults);
    }
    let made = description.make(&schema)?;
    // Leaked knowingly: there is one for each different description in a configuration, and a configuration lives as long
    // as the process, as do the formats that are part of it.
    let made: &'static Format = Box::leak(Box::new(made));
    taken().push(made);
    Ok(made)
}

/// The format of a description that was taken.
pub fn described(format: &GenericFormat) -> Option<&'static Format> {
    let is_it = |known: &&&'static Format| matches!(known.source, Source::Described(_, own) if own == format);
    taken().iter().find(is_it).copied()
}

fn taken() -> std::sync::MutexGuard<'static, Vec<&'static Format>> {
    static TAKEN: Mutex<Vec<&'static Format>> = Mutex::new(Vec::new());
    TAKEN.lock().unwrap_or_else(PoisonError::into_inner)
}

fn load(format: &GenericFormat) -> Result<Arc<Schema>, Vec<DescriptionFault>> {
    let names: Vec<String> = format.schemas.iter().map(|path| path.to_string_lossy().into_owned()).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let loaded = Schema::load(&names, &Files, &SchemaLimits::default());
    loaded.map(Arc::new).map_err(|error| vec![DescriptionFault { key: "schema", text: error.to_string() }])
}

/// A description that is being checked.
struct Description<'a> {
    format: &'a GenericFormat,
    schema: &'a Schema,
    /// Names of the item's path, from the root.
    item: Vec<&'a str>,
    /// How many of these lead to the container that repeats.
    group: Option<usize>,
    faults: Vec<DescriptionFault>,
}

impl<'a> Description<'a> {
    fn check(&mut self) {
        let Some(item) = elements(&self.format.item).filter(|names| names.len() > 1) else {
            return self.fault("item", "must be a path of local names from the root, such as \"/Batch/Line\"");
        };
        self.item = item;
        self.check_root();
        match self.schema.path_steps(&self.format.item) {
            Some(steps) => self.check_steps(&steps),
            None => self.fault("item", format!("the schema has no element at {}", self.format.item)),
        }
        if !self.faults.is_empty() {
            return;
        }
        self.header().into_iter().for_each(|(key, path, _)| self.check_header(key, path));
        self.of_item().into_iter().for_each(|(key, path, _)| self.check_of_item(key, path));
        self.check_count();
        if self.format.service_edition.is_some() && self.format.service_code.is_none() {
            self.fault("service_edition", "says nothing without service_code");
        }
    }

    /// The header's settings that are given.
    fn header(&self) -> Vec<(&'static str, &'a str, Role)> {
        let format = self.format;
        // A suffix that is not right by the schema would make every batch cut out wrong.
        let suffixed = format.shipment_reference.as_ref().is_some_and(|path| self.schema.value_may_be(path, &probe()));
        let reference = if suffixed { Role::ShipmentReference } else { Role::FixedReference };
        given([
            ("sender", &format.sender, Role::SenderName),
            ("sequence_no", &format.sequence_no, Role::SequenceNo),
            ("previous_no", &format.previous_no, Role::PreviousNo),
            ("count", &format.count, Role::Count(Counted::Items)),
            ("shipment_reference", &format.shipment_reference, reference),
        ])
    }

    /// The item's settings that are given.
    fn of_item(&self) -> Vec<(&'static str, &'a str, Role)> {
        let format = self.format;
        given([
            ("reportee", &format.reportee, Role::ItemReportee),
            ("service_code", &format.service_code, Role::ServiceCode),
            ("service_edition", &format.service_edition, Role::ServiceEdition),
            ("reference", &format.reference, Role::SendersReference),
        ])
    }

    fn check_root(&mut self) {
        let root = self.item.first().copied().unwrap_or_default();
        match self.schema.root_namespaces(root).len() {
            0 => self.fault("item", format!("the schema has no document root {root}")),
            1 => {}
            _ => self.fault("item", format!("the schema has document roots {root} of several namespaces")),
        }
    }

    /// Every element on the way to the item may be the last thing in the one above it, and its like may be left out.
    fn check_steps(&mut self, steps: &[PathStep]) {
        let names: Vec<&str> = self.item.iter().skip(1).copied().collect();
        let mut repeated = Vec::new();
        for (index, (step, name)) in steps.iter().zip(&names).enumerate() {
            if !step.may_end {
                self.fault(
                    "item",
                    format!("behind one {name} the schema may ask for more: a batch of one item would be wrong"),
                );
            }
            if !step.may_skip {
                let text =
                    format!("the schema ties {name} to what stands beside it: some of the items would be no batch");
                self.fault("item", text);
            }
            if step.repeats && index + 1 < names.len() {
                repeated.push(*name);
                self.group = Some(index + 2);
            }
        }
        if let [first, second, ..] = repeated[..] {
            self.fault("item", format!("{first} and {second} may both repeat; only one element above the item may"));
        }
    }

    fn check_header(&mut self, key: &'static str, path: &str) {
        let (element, attribute) = split(path);
        let Some(names) = elements(element) else {
            return self.fault(key, "must be a path of local names from the root, such as \"/Batch/@id\"");
        };
        let shared = names.iter().zip(&self.item).take_while(|(one, other)| one == other).count();
        if shared == self.item.len() {
            return self.fault(key, "stands in the item: must be something of the header");
        }
        if self.group.is_some_and(|group| shared >= group) {
            return self.fault(key, "stands in an element that may repeat: must be something of the header");
        }
        let Some(steps) = self.schema.path_steps(element) else {
            return self.fault(key, format!("the schema has no element at {element}"));
        };
        if steps.iter().skip(shared.saturating_sub(1)).any(|step| step.repeats) {
            self.fault(key, "may stand there more than once");
        }
        let (next, own) = (self.item.get(shared).copied(), names.get(shared).copied());
        let above = format!("/{}", names.iter().take(shared).copied().collect::<Vec<_>>().join("/"));
        let is_behind = next.zip(own).is_some_and(|(next, own)| self.schema.may_follow(&above, next, own));
        if is_behind {
            self.fault(key, "may stand behind items: the header is what stands before the first");
        }
        let is_value = attribute.is_some() || own.is_some();
        if !is_value {
            self.fault(key, "has no simple value");
        }
    }

    fn check_of_item(&mut self, key: &'static str, path: &str) {
        let whole = self.below_item(path);
        let (element, _) = split(&whole);
        if elements(element).is_none() || path.starts_with('/') || path.is_empty() {
            return self.fault(key, "must be a path below the item, such as \"Reference\" or \"@ref\"");
        }
        match self.schema.path_steps(element) {
            None => self.fault(key, format!("the schema has no element at {element}")),
            Some(steps) if steps.iter().skip(self.item.len() - 1).any(|step| step.repeats) => {
                self.fault(key, "may stand there more than once");
            }
            Some(_) => {}
        }
    }

    /// Batches cut out of another have their own counts.
    fn check_count(&mut self) {
        let Some(path) = self.format.count.as_deref() else { return };
        let is_free = ["1", "2", "12"].iter().all(|count| self.schema.value_may_be(path, count));
        if !is_free && self.faults.is_empty() {
            self.fault(
                "count",
                "the schema does not take every number there: a batch of some of the items would be wrong",
            );
        }
    }

    fn below_item(&self, path: &str) -> String {
        format!("{}/{path}", self.format.item)
    }

    fn make(&self, schema: &Arc<Schema>) -> Result<Format, Vec<DescriptionFault>> {
        let root = self.item.first().copied().unwrap_or_default();
        let mut marks = vec![("item", Mark::element(leak(format!("/{root}")), Role::Root))];
        for (key, path, role) in self.header() {
            marks.push((key, Mark::value(leak(path.to_owned()), role)));
        }
        if let Some(group) = self.group {
            let path = self.item.iter().take(group).copied().collect::<Vec<_>>().join("/");
            marks.push(("item", Mark::element(leak(format!("/{path}")), Role::Group)));
        }
        marks.push(("item", Mark::item(leak(self.format.item.clone()), ItemKind::Item)));
        for (key, path, role) in self.of_item() {
            marks.push((key, Mark::value(leak(self.below_item(path)), role)));
        }
        let plan = plan(schema, &marks)?;
        let namespace = schema.root_namespaces(root).first().copied().unwrap_or_default();
        Ok(Format {
            name: FormatName::Generic,
            root: leak(root.to_owned()),
            namespace: leak(namespace.to_owned()),
            marks: Box::leak(marks.into_iter().map(|(_, mark)| mark).collect()),
            may_be_empty: self.format.may_be_empty,
            source: Source::Described(Box::leak(Box::new(plan)), Box::leak(Box::new(self.format.clone()))),
        })
    }

    fn fault(&mut self, key: &'static str, text: impl Into<String>) {
        self.faults.push(DescriptionFault { key, text: text.into() });
    }
}

/// Sets the watches; what cannot be watched is the fault of the setting that names it.
fn plan(schema: &Arc<Schema>, marks: &[(&'static str, Mark)]) -> Result<Plan, Vec<DescriptionFault>> {
    let watches: Vec<Watch> = marks.iter().map(|(_, mark)| mark.watch).collect();
    Plan::new(Arc::clone(schema), &watches).map_err(|error| {
        let (PlanError::NoSuchPath { path, .. } | PlanError::NoValue { path }) = &error;
        let key = marks.iter().find(|(_, mark)| mark.watch.path == path).map_or("item", |(key, _)| key);
        vec![DescriptionFault { key, text: error.to_string() }]
    })
}

/// The settings that are given.
fn given<'a, const N: usize>(all: [(&'static str, &'a Option<String>, Role); N]) -> Vec<(&'static str, &'a str, Role)> {
    all.into_iter().filter_map(|(key, path, role)| Some((key, path.as_deref()?, role))).collect()
}

/// The path of an element, and the attribute.
fn split(path: &str) -> (&str, Option<&str>) {
    path.rsplit_once("/@").map_or((path, None), |(element, attribute)| (element, Some(attribute)))
}

/// The names of an element's path; `None` when it is none.
fn elements(path: &str) -> Option<Vec<&str>> {
    let names: Vec<&str> = path.strip_prefix('/')?.split('/').collect();
    let is_name = |name: &&str| !name.is_empty() && !name.contains([' ', ':', '@', '[', ']', '*']);
    names.iter().all(is_name).then_some(names)
}

fn leak(text: String) -> &'static str {
    Box::leak(text.into_boxed_str())
}

/// A reference as long as there are, with a suffix, and with what no pattern of references takes: a type that takes it takes
/// every suffix.
fn probe() -> String {
    format!("{}~Å-000042", "x".repeat(300))
}
