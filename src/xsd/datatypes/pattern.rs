//! Regular expressions as XSD writes them (XSD 1.0 part 2, appendix F).

use regex::Regex;

/// The patterns of one step of derivation; a text fits if it fits one of them.
#[derive(Debug)]
pub(in crate::xsd) struct Pattern {
    any: Vec<Regex>,
}

impl Pattern {
    /// Compiles the patterns of one step.
    pub(super) fn new(sources: &[&str]) -> Result<Self, (usize, String)> {
        let mut any = Vec::new();
        for (at, source) in sources.iter().enumerate() {
            any.push(Regex::new(&format!(r"\A(?:{source})\z")).map_err(|error| (at, error.to_string()))?);
        }
        Ok(Self { any })
    }

    /// The patterns as written.
    pub(super) fn sources(&self) -> Vec<String> {
        self.any.iter().map(|regex| regex.as_str().to_owned()).collect()
    }

    /// Tells whether a whole text fits.
    pub(super) fn fits(&self, text: &str) -> bool {
        self.any.iter().any(|regex| regex.is_match(text))
    }
}
