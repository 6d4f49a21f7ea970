//! Where an element stands in a form: `/Skjema/Linje[n]/Belop`.

use std::fmt;
use std::str::FromStr;

/// A path from the root element, by local names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FormPath {
    steps: Vec<String>,
    /// Which step an index counts.
    counted: usize,
}

/// A text that is no such path.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("must be a path such as /Skjema/Linje[n]/Belop: names without prefixes, below the root, at most one with [n]")]
pub struct BadFormPath;

impl FormPath {
    /// The names of the elements, the root's first.
    pub fn steps(&self) -> &[String] {
        &self.steps
    }

    /// How many elements of a step's name come before the one that is meant, for the index.
    pub fn position(&self, step: usize, index: u32) -> usize {
        if step == self.counted { usize::try_from(index).unwrap_or(usize::MAX) } else { 0 }
    }
}

impl FromStr for FormPath {
    type Err = BadFormPath;

    fn from_str(text: &str) -> Result<Self, BadFormPath> {
        let (mut steps, mut counted) = (Vec::new(), None);
        for (step, name) in text.strip_prefix('/').ok_or(BadFormPath)?.split('/').enumerate() {
            let bare = name.strip_suffix("[n]").unwrap_or(name);
            if bare.len() < name.len() && (step == 0 || counted.replace(step).is_some()) {
                return Err(BadFormPath);
            }
            if !is_name(bare) {
                return Err(BadFormPath);
            }
            steps.push(bare.to_owned());
        }
        if !(2..=MOST_STEPS).contains(&steps.len()) {
            return Err(BadFormPath);
        }
        let counted = counted.unwrap_or(steps.len() - 1);
        Ok(Self { steps, counted })
    }
}

impl fmt::Display for FormPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (step, name) in self.steps.iter().enumerate() {
            let is_marked = step == self.counted && step + 1 < self.steps.len();
            write!(f, "/{name}{}", if is_marked { "[n]" } else { "" })?;
        }
        Ok(())
    }
}

/// Narrower than XML's own rule: names of models are made of these.
fn is_name(text: &str) -> bool {
    let mut characters = text.chars();
    characters.next().is_some_and(|first| first.is_alphabetic() || first == '_')
        && characters.all(|c| c.is_alphanumeric() || matches!(c, '_' | '-' | '.'))
}

/// Deeper than forms are.
const MOST_STEPS: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_read_and_written() {
        for text in ["/Skjema/Navn", "/Skjema/Linje[n]/Belop", "/Æ/ø_1/å-2.3"] {
            assert_eq!(text.parse::<FormPath>().unwrap().to_string(), text);
        }
        let path: FormPath = "/Skjema/Linje[n]/Belop".parse().unwrap();
        assert_eq!((path.position(1, 3), path.position(2, 3)), (3, 0));
        let last: FormPath = "/Skjema/Navn".parse().unwrap();
        assert_eq!(last.position(1, 3), 3, "the last is counted where none is marked");
        for bad in
            ["", "/", "/Skjema", "Skjema/Navn", "/Skjema//Navn", "/S[n]/N", "/S/a[n]/b[n]", "/S/p:n", "/S/1", "/S/a[2]"]
        {
            assert_eq!(bad.parse::<FormPath>(), Err(BadFormPath), "{bad}");
        }
    }
}
