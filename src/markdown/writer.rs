//! Writes Markdown: lines with the prefixes of lists and quotations, marks around text, and escapes.

use super::marks::{Mark, Marks};

/// The writer.
#[derive(Debug)]
pub(super) struct Writer {
    out: String,
    /// As .NET counts them: in units of UTF-16.
    chars: usize,
    most_chars: usize,
    containers: Vec<Container>,
    /// How many of the containers the last line stood in.
    settled: usize,
    /// One has ended since the last text.
    has_left: bool,
    marks: Marks,
    /// Line ends wanted before the next text: 1 begins a line, 2 a paragraph.
    gap: u8,
    /// Line breaks before the next text.
    breaks: u8,
    /// White space before the next text.
    has_space: bool,
    line: Line,
    heading: u8,
    is_preformatted: bool,
}

#[derive(Debug, PartialEq, Eq)]
enum Container {
    Quote,
    /// A list, and the number of its next item where they are numbered.
    List(Option<u32>),
    /// An item with its marker; `true` when that is written.
    Item(String, bool),
}

/// What stands on the line so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Line {
    Nothing,
    Digits,
    Text,
}

impl Writer {
    pub(super) fn new(most_chars: usize) -> Self {
        Self {
            out: String::new(),
            chars: 0,
            most_chars,
            containers: Vec::new(),
            settled: 0,
            has_left: false,
            marks: Marks::default(),
            gap: 0,
            breaks: 0,
            has_space: false,
            line: Line::Nothing,
            heading: 0,
            is_preformatted: false,
        }
    }

    /// The text; `None` when it was too long.
    pub(super) fn finish(mut self) -> Option<String> {
        self.block(0);
        let ends = self.marks.ends();
        self.put(&ends);
        (self.chars <= self.most_chars).then_some(self.out)
    }

    /// Writes a character of text.
    pub(super) fn text(&mut self, c: char) {
        if c == '\n' && self.is_preformatted {
            return self.line_break();
        }
        if c.is_whitespace() {
            self.has_space = true;
            return;
        }
        if !is_seen(c) {
            return;
        }
        self.begin(c);
        self.escaped(c);
    }

    /// Ends the line or the paragraph; marks that go on begin again after it.
    pub(super) fn block(&mut self, gap: u8) {
        self.marks.interrupt();
        self.gap = self.gap.max(gap);
        if self.containers.last().is_some_and(|container| matches!(container, Container::Item(_, false))) {
            self.gap = self.gap.min(1);
        }
        (self.breaks, self.has_space) = (0, false);
    }

    /// A line break within a paragraph; two of them make another paragraph.
    pub(super) fn line_break(&mut self) {
        if self.heading > 0 {
            self.has_space = true;
        } else if self.gap == 0 && !self.out.is_empty() {
            self.breaks = self.breaks.saturating_add(1);
        }
    }

    pub(super) fn rule(&mut self) {
        self.block(2);
        let ends = self.marks.ends();
        self.put(&ends);
        // It is no text: neither a heading's nor a mark's.
        let heading = std::mem::take(&mut self.heading);
        self.begin_line();
        self.heading = heading;
        self.put("---");
        self.block(2);
    }

    /// Begins a heading; level 0 ends it.
    pub(super) fn heading(&mut self, level: u8) {
        self.block(2);
        self.heading = level;
    }

    pub(super) fn preformatted(&mut self, begins: bool) {
        self.block(2);
        self.is_preformatted = begins;
    }

    /// Begins a row of a table.
    pub(super) fn row(&mut self) {
        self.has_space = false;
        if self.gap == 0 {
            self.breaks = 1;
        }
    }

    /// Sets a cell apart from the one before it.
    pub(super) fn separator(&mut self) {
        self.has_space = true;
        self.begin('|');
        self.put("|");
        self.line = Line::Text;
        self.has_space = true;
    }

    /// Begins a mark.
    pub(super) fn mark(&mut self, mark: Mark) {
        self.marks.begin(mark);
    }

    /// Ends a mark; those that began within it go on after it.
    pub(super) fn unmark(&mut self, mark: &Mark) {
        self.marks.end(|open| open == mark);
    }

    /// Ends a link.
    pub(super) fn unlink(&mut self) {
        self.marks.end(|open| matches!(open, Mark::Link(_)));
    }

    /// Tells whether a link is lost, as it is when nothing is written of it.
    pub(super) fn loses_link(&self) -> bool {
        self.marks.loses_link()
    }

    /// Begins a list, numbered from somewhere or not.
    pub(super) fn list(&mut self, first: Option<u32>) {
        let is_nested = self.containers.iter().any(|container| matches!(container, Container::Item(..)));
        // In the middle of a paragraph only one that counts from the beginning is a list.
        self.block(if is_nested && first.is_none_or(|first| first == 1) { 1 } else { 2 });
        if self.containers.len() < MOST_CONTAINERS {
            self.containers.push(Container::List(first));
        }
    }

    pub(super) fn end_list(&mut self) {
        self.end_container(|container| matches!(container, Container::List(_)));
        let is_nested = self.containers.iter().any(|container| matches!(container, Container::Item(..)));
        self.block(if is_nested { 1 } else { 2 });
    }

    /// Begins an item, and ends the one before it.
    pub(super) fn item(&mut self) {
        if matches!(self.containers.last(), Some(Container::Item(..))) {
            self.end_item();
        }
        self.block(1);
        let marker = match self.containers.last_mut() {
            Some(Container::List(Some(next))) => {
                let marker = format!("{next}. ");
                *next = next.saturating_add(1);
                marker
            }
            Some(Container::List(None) | Container::Quote | Container::Item(..)) | None => "- ".to_owned(),
        };
        if self.containers.len() < MOST_CONTAINERS {
            self.containers.push(Container::Item(marker, false));
        }
        self.has_left = false;
    }

    pub(super) fn end_item(&mut self) {
        self.block(1);
        // An item within a list that goes on inside of it ends there.
        if matches!(self.containers.last(), Some(Container::Item(..))) {
            self.containers.pop();
            self.has_left = true;
        }
        self.gap = 1;
    }

    pub(super) fn quote(&mut self) {
        self.block(2);
        if self.containers.len() < MOST_CONTAINERS {
            self.containers.push(Container::Quote);
        }
    }

    pub(super) fn end_quote(&mut self) {
        self.block(2);
        self.end_container(|container| *container == Container::Quote);
    }

    /// Ends the innermost container of a kind with all that is in it.
    fn end_container(&mut self, is_it: impl Fn(&Container) -> bool) {
        if let Some(position) = self.containers.iter().rposition(is_it) {
            self.containers.truncate(position);
            self.has_left = true;
        }
        self.settled = self.settled.min(self.containers.len());
    }

    /// Writes what stands before the next text, which begins with the character.
    fn begin(&mut self, next: char) {
        if self.has_left && self.gap == 1 {
            // On the next line it would go on with the last paragraph of what has ended.
            self.gap = 2;
        }
        let is_line = self.out.is_empty() || self.gap > 0;
        if !is_line && self.breaks > 1 {
            self.marks.interrupt();
        }
        if is_line || self.breaks > 0 || self.has_space {
            let ends = self.marks.ends();
            self.put(&ends);
            self.part(is_line);
        } else {
            let ends = self.marks.joining_ends(&self.out, next);
            self.put(&ends);
        }
        (self.gap, self.breaks, self.has_space, self.has_left) = (0, 0, false, false);
        let starts = self.marks.take_starts();
        if starts.starts_with('[') && self.out.ends_with('!') {
            // Together they would be a picture.
            self.out.pop();
            self.chars -= 1;
            self.put("\\!");
        }
        if !starts.is_empty() {
            self.put(&starts);
            self.line = Line::Text;
        }
    }

    /// Sets the next text apart from what stands there.
    fn part(&mut self, is_line: bool) {
        if is_line {
            self.begin_line();
        } else if self.breaks > 0 {
            let is_paragraph = self.breaks > 1;
            self.put(if is_paragraph { "" } else { "  " });
            self.gap = if is_paragraph { 2 } else { 1 };
            self.begin_line();
        } else {
            self.put(" ");
        }
    }

    fn begin_line(&mut self) {
        let mut start = String::new();
        if !self.out.is_empty() {
            for _ in 1..self.gap {
                start.push('\n');
                start.push_str(prefix(self.containers.iter_mut().take(self.settled), false).trim_end());
            }
            start.push('\n');
        }
        start.push_str(&prefix(self.containers.iter_mut(), true));
        start.extend(std::iter::repeat_n('#', usize::from(self.heading)));
        if self.heading > 0 {
            start.push(' ');
        }
        self.put(&start);
        self.settled = self.containers.len();
        self.line = Line::Nothing;
    }

    /// Writes a character so that it is not read as markup.
    fn escaped(&mut self, c: char) {
        if self.out.ends_with('&') && (c.is_ascii_alphabetic() || c == '#') {
            // It would begin a reference.
            self.put("amp;");
        }
        let special = match (self.line, c) {
            (_, '\\' | '`' | '*' | '_' | '[' | ']')
            | (Line::Nothing, '#' | '+' | '-' | '=' | '~')
            | (Line::Digits, '.' | ')') => true,
            // At the end of a heading it would be taken for the end's mark.
            (_, '#') => self.heading > 0 && self.out.ends_with(' '),
            (Line::Nothing | Line::Digits | Line::Text, _) => false,
        };
        self.line = match self.line {
            Line::Nothing | Line::Digits if c.is_ascii_digit() => Line::Digits,
            Line::Nothing | Line::Digits | Line::Text => Line::Text,
        };
        match c {
            '<' => self.put("&lt;"),
            '>' => self.put("&gt;"),
            c => {
                if special {
                    self.put("\\");
                }
                self.put(c.encode_utf8(&mut [0; 4]));
            }
        }
    }

    fn put(&mut self, text: &str) {
        self.chars += text.encode_utf16().count();
        if self.chars <= self.most_chars {
            self.out.push_str(text);
        }
    }
}

/// Tells whether a character leaves a mark on paper: neither white space, nor what XML cannot carry, nor what nobody sees.
pub(super) fn is_seen(c: char) -> bool {
    !(c.is_whitespace() || c.is_control() || matches!(c, '\u{FEFF}' | '\u{AD}' | '\u{200B}'))
}

/// What a line begins with in the containers; an item's marker is written once, where that is asked for.
fn prefix<'a>(containers: impl Iterator<Item = &'a mut Container>, with_markers: bool) -> String {
    let mut prefix = String::new();
    for container in containers {
        match container {
            Container::Quote => prefix.push_str("> "),
            Container::List(_) => {}
            Container::Item(marker, is_written) if with_markers && !*is_written => {
                prefix.push_str(marker);
                *is_written = true;
            }
            Container::Item(marker, _) => prefix.extend(std::iter::repeat_n(' ', marker.len())),
        }
    }
    prefix
}

/// Deeper ones are not told apart.
const MOST_CONTAINERS: usize = 32;
