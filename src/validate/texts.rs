//! Short texts of an item, one after the other in memory that serves the next item too.

use std::fmt::Write as _;

/// The texts. Like all of what holds texts of a batch here it has no `Debug`: they are never logged.
#[derive(Default)]
pub(super) struct Texts {
    all: String,
    ends: Vec<usize>,
}

impl Texts {
    /// Forgets the texts and keeps the memory.
    pub(super) fn cleared(mut self) -> Self {
        self.all.clear();
        self.ends.clear();
        self
    }

    pub(super) fn push(&mut self, text: &str) {
        self.all.push_str(text);
        self.ends.push(self.all.len());
    }

    pub(super) fn push_number(&mut self, number: i64) {
        match u32::try_from(number).ok().filter(|number| *number < 10).and_then(|digit| char::from_digit(digit, 10)) {
            Some(digit) => self.all.push(digit),
            // Writing to a String cannot fail.
            None => _ = write!(self.all, "{number}"),
        }
        self.ends.push(self.all.len());
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &str> {
        let begins = [0].into_iter().chain(self.ends.iter().copied());
        begins.zip(&self.ends).map(|(from, to)| self.all.get(from..*to).unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_kept_apart() {
        let mut texts = Texts::default();
        ["a", "", "æ"].iter().for_each(|text| texts.push(text));
        [-7, 0, 9, 10].iter().for_each(|number| texts.push_number(*number));
        assert_eq!(texts.iter().collect::<Vec<_>>(), ["a", "", "æ", "-7", "0", "9", "10"]);
        assert_eq!(texts.cleared().iter().count(), 0);
    }
}
