//! What our engine says of a group: every schema and document is accepted, refused, or brought it down.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use sluse::xsd::{Files, Finding, Limits, Observer, Plan, Schema, SchemaLimits, Validator};

use super::archive::{Archive, Expected, Group};
use super::hints;

/// What was said of one schema or document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Outcome {
    Accepted,
    Refused(String),
    /// The schema it should be judged by was refused.
    NoSchema,
    Panicked(String),
}

/// What was said of a group.
#[derive(Debug, Clone)]
pub(super) struct GroupOutcome {
    pub(super) schema: Outcome,
    /// One for each instance, in their order.
    pub(super) instances: Vec<Outcome>,
}

impl Outcome {
    pub(super) fn agrees(&self, expected: Expected) -> bool {
        match (self, expected) {
            (Self::Panicked(_), _) => false,
            (_, Expected::Open) => true,
            (Self::Accepted, expected) => expected == Expected::Valid,
            (Self::Refused(_), expected) => expected == Expected::Invalid,
            (Self::NoSchema, _) => false,
        }
    }
}

/// Compiles the schema of a group and judges its instances.
pub(super) fn of(archive: &Archive, group: &Group) -> GroupOutcome {
    let schema = match compile(archive, &group.documents, &[]) {
        Ok(schema) => schema,
        Err(outcome) => {
            // Where the suite leaves the schema open, it cannot ask for more.
            let open = group.schema == Expected::Open && matches!(outcome, Outcome::Refused(_));
            let instances = if open { Outcome::Refused("the schema is refused".to_owned()) } else { Outcome::NoSchema };
            return GroupOutcome { schema: outcome, instances: vec![instances; group.instances.len()] };
        }
    };
    let instances = group.instances.iter().map(|instance| {
        let hints = hints::of(archive, group, instance);
        let hinted = if hints.is_empty() { None } else { compile(archive, &group.documents, &hints).ok() };
        judged(hinted.as_ref().unwrap_or(&schema), &archive.read(&instance.document))
    });
    GroupOutcome { schema: Outcome::Accepted, instances: instances.collect() }
}

/// The documents of a group and all that they include and import, by paths beside them, are one schema.
fn compile(archive: &Archive, documents: &[String], hints: &[String]) -> Result<Plan, Outcome> {
    let path = |name: &String| archive.root().join(name).to_string_lossy().into_owned();
    let roots: Vec<String> = documents.iter().map(path).chain(hints.iter().cloned()).collect();
    let roots: Vec<&str> = roots.iter().map(String::as_str).collect();
    match guarded(|| Schema::load(&roots, &Files, &SchemaLimits::default())) {
        Ok(Ok(schema)) => Ok(Plan::new(Arc::new(schema), &[]).expect("nothing is watched")),
        Ok(Err(error)) => Err(Outcome::Refused(error.to_string())),
        Err(panic) => Err(Outcome::Panicked(panic)),
    }
}

fn judged(plan: &Plan, document: &[u8]) -> Outcome {
    let judged = guarded(|| {
        let mut first = First(None);
        let mut validator = Validator::new(plan, Limits::default());
        validator.feed(document, &mut first);
        (validator.finish(&mut first), first)
    });
    match judged {
        Ok((end, First(None))) if end.sound && end.complete => Outcome::Accepted,
        Ok((_, First(Some(finding)))) => Outcome::Refused(finding),
        Ok((end, First(None))) => Outcome::Panicked(format!("no finding, yet {end:?}")),
        Err(panic) => Outcome::Panicked(panic),
    }
}

/// Runs something of the engine; a panic is an answer too.
fn guarded<T>(run: impl FnOnce() -> T) -> Result<T, String> {
    catch_unwind(AssertUnwindSafe(run)).map_err(|panic| {
        let text = panic.downcast_ref::<String>().map(String::as_str);
        text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("no text").to_owned()
    })
}

/// The first finding, as text.
struct First(Option<String>);

impl Observer for First {
    fn finding(&mut self, finding: Finding) {
        let Finding { rule, at, path, text, .. } = finding;
        self.0.get_or_insert_with(|| format!("{}:{} {path} {rule} {text}", at.line, at.column));
    }
}
