//! Our engine against Xerces and libxml2, on mutants, values and patterns made here; the same ones every time.
//!
//! A difference fails unless a class of [`known`] explains it. `SLUSE_DIFFERENTIAL_ROUNDS` multiplies how much is tried,
//! `SLUSE_DIFFERENTIAL_SEED` says where chance begins, `SLUSE_DIFFERENTIAL_LIST=1` prints what is unexplained at length.

pub(crate) mod chance;
mod datatypes;
mod encoded;
mod known;
pub(crate) mod mutated_bytes;
pub(crate) mod mutated_elements;
mod ours;
mod parts;
mod patterns;
mod schemas;
mod tally;
mod validity;
mod values;
mod well_formed;

/// How often to do what is done so often in a bounded run.
pub(crate) fn rounds(bounded: usize) -> usize {
    bounded * number("SLUSE_DIFFERENTIAL_ROUNDS").unwrap_or(1)
}

/// Where chance begins.
pub(crate) fn seed() -> u64 {
    number("SLUSE_DIFFERENTIAL_SEED").unwrap_or(1)
}

fn number<T: std::str::FromStr>(variable: &str) -> Option<T> {
    std::env::var(variable).ok()?.parse().ok()
}

/// Schemas of `fixtures/differential`, each with a document that has all of it.
pub(crate) const SEEDS: &[&str] = &["groups", "keys", "types", "values", "wild"];

pub(crate) fn fixture(name: &str) -> Vec<u8> {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures").join(name);
    std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}
