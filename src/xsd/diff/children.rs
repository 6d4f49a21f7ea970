//! The children that two content models let an element have: their sequences, and what each of them is.

use std::collections::BTreeSet;

use super::model::{self, Looks, Meaning, Model, TooLarge};
use super::side::Side;
use super::{DifferenceKind, show};
use crate::xsd::components::{ElementId, Particle, Process, QName};

/// How two content models compare.
#[derive(Default)]
pub(super) struct Children {
    /// With the child each is about, where it is about one.
    pub(super) differences: Vec<(Option<QName>, DifferenceKind, String, String)>,
    /// Declarations of one name, still to be compared.
    pub(super) pairs: Vec<(QName, ElementId, ElementId)>,
}

impl Children {
    pub(super) fn compare(first: &Side<'_>, one: &Particle, second: &Side<'_>, other: &Particle) -> Self {
        let mut children = Self::default();
        let shown = [show::particle(first.components, one), show::particle(second.components, other)];
        match (Model::new(first, one), Model::new(second, other)) {
            (Ok(one), Ok(other)) => {
                children.sequences(&one, &other, shown);
                children.meanings(&one, &other);
            }
            _ => children.untold(shown),
        }
        children
    }

    fn sequences(&mut self, one: &Model<'_, '_>, other: &Model<'_, '_>, shown: [String; 2]) {
        let compared = model::compare(one, other);
        match compared.sequences {
            Ok(None) => {}
            Err(TooLarge) => self.untold(shown),
            Ok(Some(found)) => {
                let names = show::names(&found.names);
                let side = |has: bool, model: &str| {
                    let verb = if has { "accepts" } else { "refuses" };
                    format!("{verb} {names}: {model}")
                };
                let [first, second] = &shown;
                let (first, second) = (side(found.first_has_it, first), side(!found.first_has_it, second));
                self.differences.push((None, DifferenceKind::Children, first, second));
            }
        }
        compared.looks.into_iter().for_each(|looks| self.looks(looks));
    }

    /// Compares what a name means in both, be it declared in one and admitted by a wildcard in the other.
    fn meanings(&mut self, one: &Model<'_, '_>, other: &Model<'_, '_>) {
        let (declared, also) = (one.declared(), other.declared());
        let names: BTreeSet<&QName> = declared.into_keys().chain(also.into_keys()).collect();
        for name in names {
            match one.meaning(name).zip(other.meaning(name)) {
                Some((Meaning::Declared(one), Meaning::Declared(other))) => {
                    self.pairs.push((name.clone(), one, other));
                }
                Some((one, other)) if one != other => {
                    let difference = (Some(name.clone()), DifferenceKind::Wildcard, meaning(one), meaning(other));
                    self.differences.push(difference);
                }
                // Where one of them refuses the name, the sequences differ.
                Some(_) | None => {}
            }
        }
    }

    /// How wildcards look at what they admit in both; where only one admits it, the sequences differ.
    fn looks(&mut self, looks: Looks) {
        let name = show::names(&[looks.name]);
        let side = |ways: BTreeSet<Process>| {
            let ways: Vec<&str> = ways.into_iter().map(show::process).collect();
            format!("{name}: {}", ways.join(" or "))
        };
        self.differences.push((None, DifferenceKind::Wildcard, side(looks.first), side(looks.second)));
    }

    /// Models that could not be compared as languages: only what is written alike is the same.
    fn untold(&mut self, [first, second]: [String; 2]) {
        let side = |model: String| format!("too large to be compared: {model}");
        self.differences.push((None, DifferenceKind::Children, side(first), side(second)));
    }
}

fn meaning(meaning: Meaning) -> String {
    match meaning {
        Meaning::Declared(_) => "declared".to_owned(),
        Meaning::Anything(process) => format!("anything ({})", show::process(process)),
    }
}
