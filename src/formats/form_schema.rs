//! The schemas of form data that the configuration names, each compiled once.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::xsd::{Files, Plan, Schema, SchemaError, SchemaLimits};

/// Takes a schema for use, compiling it unless it was taken before.
pub fn take_form_schema(path: &Path) -> Result<(), SchemaError> {
    if form_schema(path).is_some() {
        return Ok(());
    }
    let schema = Schema::load(&[&path.to_string_lossy()], &Files, &SchemaLimits::default())?;
    let Ok(plan) = Plan::new(Arc::new(schema), &[]) else { return Ok(()) };
    // Leaked knowingly, as described formats are: there is one for each file that a configuration names.
    taken().insert(path.to_owned(), Box::leak(Box::new(plan)));
    Ok(())
}

/// A schema that was taken.
pub fn form_schema(path: &Path) -> Option<&'static Plan> {
    taken().get(path).copied()
}

fn taken() -> MutexGuard<'static, BTreeMap<PathBuf, &'static Plan>> {
    static TAKEN: Mutex<BTreeMap<PathBuf, &'static Plan>> = Mutex::new(BTreeMap::new());
    TAKEN.lock().unwrap_or_else(PoisonError::into_inner)
}
