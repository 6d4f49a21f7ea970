//! What our engine says, in the words of the others.

use std::sync::Arc;

use sluse::xsd::{Finding, Limits, Observer, Plan, Schema, SchemaDocument, Validator};

use crate::peers::Opinion;

/// A schema of ours.
pub(super) struct Ours(Plan);

impl Ours {
    pub(super) fn schema(schema: &[u8]) -> Result<Self, String> {
        let compiled = Schema::compile(&[SchemaDocument { name: "schema.xsd", bytes: schema }]);
        let compiled = compiled.map_err(|error| error.to_string())?;
        Ok(Self(Plan::new(Arc::new(compiled), &[]).expect("nothing is watched")))
    }

    /// Judges a document; pieces are cut off it at the places given.
    pub(super) fn document(&self, document: &[u8], cuts: &[usize]) -> Opinion {
        let mut heard = Heard(Vec::new());
        let mut validator = Validator::new(&self.0, Limits::default());
        let (mut rest, mut taken) = (document, 0);
        for cut in cuts {
            let (piece, after) = rest.split_at((cut - taken).min(rest.len()));
            validator.feed(piece, &mut heard);
            taken += piece.len();
            rest = after;
        }
        validator.feed(rest, &mut heard);
        validator.finish(&mut heard);
        heard.opinion()
    }
}

struct Heard(Vec<Finding>);

impl Heard {
    fn opinion(self) -> Opinion {
        if let Some(fatal) = self.0.iter().find(|finding| finding.kind.is_fatal()) {
            return Opinion::Refused(told(fatal));
        }
        let Some(first) = self.0.first() else { return Opinion::Accepted };
        Opinion::Invalid(self.0.iter().map(|finding| finding.at.line).collect(), told(first))
    }
}

fn told(finding: &Finding) -> String {
    let Finding { rule, at, path, text, .. } = finding;
    format!("{}:{} {path} {rule} {text}", at.line, at.column)
}

impl Observer for Heard {
    fn finding(&mut self, finding: Finding) {
        self.0.push(finding);
    }
}
