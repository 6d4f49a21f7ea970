//! Marks around text: which are open, and how their beginnings and ends are written so that they are read as such.

/// Something around text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Mark {
    /// Bold.
    Strong,
    /// Italic.
    Emphasis,
    /// A link to the address.
    Link(String),
}

/// Marks that are open, and those that have just ended.
#[derive(Debug, Default)]
pub(super) struct Marks {
    open: Vec<Open>,
    /// The innermost first; how their ends are written depends on what comes next.
    ended: Vec<Mark>,
    /// The address of a link that held no text is lost.
    loses_link: bool,
}

/// A mark that has begun.
#[derive(Debug)]
struct Open {
    mark: Mark,
    /// It stands in the text: one that holds no text never does.
    is_written: bool,
    /// It did, and was ended with its block.
    was_written: bool,
}

impl Marks {
    /// Begins a mark.
    pub(super) fn begin(&mut self, mark: Mark) {
        // One within its like shows nothing, and would end it.
        if !self.open.iter().any(|open| open.mark == mark) {
            self.open.push(Open { mark, is_written: false, was_written: false });
        }
    }

    /// Ends the innermost mark of a kind; those that began within it go on after it.
    pub(super) fn end(&mut self, is_it: impl Fn(&Mark) -> bool) {
        let Some(position) = self.open.iter().rposition(|open| is_it(&open.mark)) else { return };
        self.close(position);
        self.loses_link |= self.open.remove(position).is_lost_link();
    }

    /// Ends all in the text; they begin again with the next.
    pub(super) fn interrupt(&mut self) {
        self.close(0);
    }

    /// Tells whether a link is lost, as it is when nothing is written of it.
    pub(super) fn loses_link(&self) -> bool {
        self.loses_link || self.open.iter().any(Open::is_lost_link)
    }

    /// The ends that are to be written where the next text stands apart.
    pub(super) fn ends(&mut self) -> String {
        let end = |mark| match mark {
            Mark::Strong => "**".to_owned(),
            Mark::Emphasis => "*".to_owned(),
            Mark::Link(url) => format!("]({url})"),
        };
        self.ended.drain(..).map(end).collect()
    }

    /// The same where the next text, which begins with the character, follows at once: with a space where marks would
    /// otherwise not be read as marks.
    pub(super) fn joining_ends(&mut self, out: &str, next: char) -> String {
        // One that begins anew where it ended goes on.
        while let Some(open) = self.open.iter_mut().find(|open| !open.is_written)
            && self.ended.pop_if(|ended| *ended == open.mark).is_some()
        {
            open.is_written = true;
        }
        let mut ends = self.ends();
        if needs_space((out, &ends), (&self.starts(), next)) {
            ends.push(' ');
        }
        ends
    }

    /// The beginnings that are to be written before the next text, which are written then.
    pub(super) fn take_starts(&mut self) -> String {
        let starts = self.starts();
        for open in &mut self.open {
            (open.is_written, open.was_written) = (true, true);
        }
        starts
    }

    fn starts(&self) -> String {
        let start = |open: &Open| match open.mark {
            Mark::Strong => "**",
            Mark::Emphasis => "*",
            Mark::Link(_) => "[",
        };
        self.open.iter().filter(|open| !open.is_written).map(start).collect()
    }

    /// Ends the marks from the innermost out to the one at the position.
    fn close(&mut self, position: usize) {
        for open in self.open.iter_mut().skip(position).rev().filter(|open| open.is_written) {
            open.is_written = false;
            self.ended.push(open.mark.clone());
        }
    }
}

impl Open {
    fn is_lost_link(&self) -> bool {
        matches!(self.mark, Mark::Link(_)) && !self.was_written
    }
}

/// Tells whether stars between two texts would not be read as what they are: they end nothing between punctuation and a
/// letter, and begin nothing between a letter and punctuation.
fn needs_space((out, ends): (&str, &str), (starts, next): (&str, char)) -> bool {
    let before = out.chars().chain(ends.chars());
    let after = || starts.chars().chain([next]);
    let inside_ends = before.clone().rev().find(|c| *c != '*').filter(|_| ends.ends_with('*'));
    let inside_starts = after().find(|c| *c != '*').filter(|_| starts.starts_with('*'));
    match (inside_ends, inside_starts) {
        // Where stars meet, none of them is what it was.
        (Some(_), Some(_)) => true,
        (Some(inside), None) => !inside.is_alphanumeric() && !after().next().is_some_and(is_punctuation),
        (None, Some(inside)) => !inside.is_alphanumeric() && !before.last().is_some_and(is_punctuation),
        (None, None) => false,
    }
}

/// Tells whether a character is surely punctuation for whoever reads Markdown; others may or may not be.
fn is_punctuation(c: char) -> bool {
    c.is_ascii_punctuation() || matches!(c, '«' | '»' | '\u{2010}'..='\u{2027}')
}
