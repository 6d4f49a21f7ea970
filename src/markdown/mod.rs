//! Turns the HTML of a message into Markdown, and tells what was lost on the way.
//!
//! HTML comes in pieces of any size; memory holds the Markdown up to its limit and one tag. Tags that are never closed,
//! closed twice or crossed are taken as they come: what agencies write was never checked by anybody. The result holds
//! no HTML, and none of the text is read as markup that was not meant so.

mod entities;
mod marks;
mod tag;
mod tokens;
mod writer;

use std::collections::BTreeSet;

use marks::Mark;
use tag::Tag;
use tokens::{Token, Tokens};
use writer::Writer;

/// Something Markdown has no place for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Loss {
    /// Colours, fonts, alignment, underlining, classes.
    Styles,
    /// Tables: a line for each row is left.
    Tables,
    /// Pictures: their alternative text is left.
    Images,
    /// Links that lead to no address of the web: their text is left. And those without any text.
    Links,
    /// Scripts.
    Scripts,
    /// Fields and buttons.
    Forms,
    /// Embedded documents, drawings, sound and film.
    Objects,
}

impl Loss {
    /// The word for it on a receipt.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Styles => "styles",
            Self::Tables => "tables",
            Self::Images => "images",
            Self::Links => "links",
            Self::Scripts => "scripts",
            Self::Forms => "form fields",
            Self::Objects => "embedded objects",
        }
    }
}

/// What became of the HTML.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Markdown {
    /// The text; `None` when it would be longer than the limit.
    pub text: Option<String>,
    /// What was lost.
    pub losses: BTreeSet<Loss>,
    /// Text is missing that was meant to be read: something that hides what is in it never ended, or holds all there is.
    pub is_partial: bool,
}

/// The text of HTML on one line, where hardly anybody writes HTML: what looks like a tag and names no element is text, in
/// other brackets, since the platform takes no text for plain that looks like HTML.
pub fn plain(html: &str) -> String {
    let mut tokens = Tokens::of_elements();
    let mut all = tokens.push(html.as_bytes());
    all.extend(tokens.finish());
    let mut text = String::new();
    for token in all {
        match token {
            Token::Text(part) => text.push_str(&part),
            Token::Start(Tag { name, .. }) | Token::End(name) if !is_inline(&name) => text.push(' '),
            Token::Start(_) | Token::End(_) => {}
        }
    }
    text.retain(|c| c.is_whitespace() || !c.is_control());
    without_tags(&text.split_whitespace().collect::<Vec<_>>().join(" "))
}

/// A text with other brackets around what would be a tag.
fn without_tags(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let (mut rest, mut is_open) = (text.chars().peekable(), false);
    while let Some(c) = rest.next() {
        let begins = rest.peek().is_some_and(|next| next.is_alphabetic() || matches!(next, '/' | '!' | '?'));
        out.push(match c {
            '<' if begins => '‹',
            '>' if is_open => '›',
            c => c,
        });
        is_open = (is_open && c != '>') || (c == '<' && begins);
    }
    out
}

/// Plain text as Markdown.
pub fn escape(text: &str) -> String {
    let mut writer = Writer::new(usize::MAX);
    text.chars().for_each(|c| writer.text(c));
    writer.finish().unwrap_or_default()
}

/// Converts one text.
#[derive(Debug)]
pub struct Converter {
    tokens: Tokens,
    writer: Writer,
    losses: BTreeSet<Loss>,
    /// The element whose content is passed over, and how many of its name are open.
    hidden: Option<(String, usize)>,
    /// That element holds text.
    hides_text: bool,
    /// There was text, shown or not.
    has_text: bool,
    /// Cells of the row so far.
    cells: usize,
}

impl Converter {
    /// Converts up to so many characters, as .NET counts them: one outside the first plane is two.
    pub fn new(most_chars: usize) -> Self {
        Self {
            tokens: Tokens::default(),
            writer: Writer::new(most_chars),
            losses: BTreeSet::new(),
            hidden: None,
            hides_text: false,
            has_text: false,
            cells: 0,
        }
    }

    /// Takes the next piece, in UTF-8; a character may be cut.
    pub fn push(&mut self, html: &[u8]) {
        for token in self.tokens.push(html) {
            self.take(token);
        }
    }

    /// Ends the text.
    pub fn finish(mut self) -> Markdown {
        let is_cut = self.tokens.is_cut();
        for token in self.tokens.finish() {
            self.take(token);
        }
        let is_hidden = self.hidden.is_some() && self.hides_text;
        if self.writer.loses_link() {
            self.losses.insert(Loss::Links);
        }
        let text = self.writer.finish();
        let is_empty = self.has_text && text.as_ref().is_some_and(String::is_empty);
        Markdown { text, losses: self.losses, is_partial: is_cut || is_hidden || is_empty }
    }

    fn take(&mut self, token: Token) {
        match token {
            Token::Text(text) => self.text(&text),
            Token::Start(tag) => self.start(&tag),
            Token::End(name) => self.end(&name),
        }
    }

    fn text(&mut self, text: &str) {
        let is_seen = text.chars().any(writer::is_seen);
        self.has_text |= is_seen;
        if self.hidden.is_some() {
            self.hides_text |= is_seen;
        } else {
            text.chars().for_each(|c| self.writer.text(c));
        }
    }

    fn start(&mut self, tag: &Tag) {
        if let Some((name, open)) = &mut self.hidden {
            *open += usize::from(*name == tag.name && !tag.is_empty);
            return;
        }
        if tag.has_style() {
            self.losses.insert(Loss::Styles);
        }
        if let Some(loss) = hides(&tag.name) {
            self.losses.extend(loss);
            self.hidden = (!tag.is_empty).then(|| (tag.name.clone(), 1));
            self.hides_text = false;
            return;
        }
        self.open(tag);
        if tag.is_empty && !is_void(&tag.name) {
            self.end(&tag.name);
        }
    }

    fn open(&mut self, tag: &Tag) {
        match tag.name.as_str() {
            "br" => self.writer.line_break(),
            "hr" => self.writer.rule(),
            "b" | "strong" => self.writer.mark(Mark::Strong),
            "i" | "em" | "cite" | "dfn" | "var" => self.writer.mark(Mark::Emphasis),
            "a" => self.link(tag),
            "img" => self.image(tag),
            "ul" | "menu" | "dir" => self.writer.list(None),
            "ol" => self.writer.list(Some(tag.value("start").and_then(|start| start.parse().ok()).unwrap_or(1))),
            "li" => self.writer.item(),
            "blockquote" => self.writer.quote(),
            "pre" => self.writer.preformatted(true),
            "table" => {
                self.losses.insert(Loss::Tables);
                self.writer.block(2);
            }
            "tr" => {
                self.cells = 0;
                self.writer.row();
            }
            "td" | "th" => {
                if self.cells > 0 {
                    self.writer.separator();
                }
                self.cells += 1;
            }
            "input" | "button" | "form" | "label" | "fieldset" | "isindex" => {
                self.losses.insert(Loss::Forms);
            }
            "u" | "s" | "strike" | "del" | "ins" | "font" | "center" | "sup" | "sub" | "small" | "big" | "mark" => {
                self.losses.insert(Loss::Styles);
            }
            name => match heading(name) {
                Some(level) => self.writer.heading(level),
                None if is_block(name) => self.writer.block(2),
                None => {}
            },
        }
    }

    fn end(&mut self, name: &str) {
        if let Some((hidden, open)) = &mut self.hidden {
            *open -= usize::from(hidden == name);
            if *open == 0 {
                self.hidden = None;
            }
            return;
        }
        match name {
            "b" | "strong" => self.writer.unmark(&Mark::Strong),
            "i" | "em" | "cite" | "dfn" | "var" => self.writer.unmark(&Mark::Emphasis),
            "a" => self.writer.unlink(),
            "ul" | "menu" | "dir" | "ol" => self.writer.end_list(),
            "li" => self.writer.end_item(),
            "blockquote" => self.writer.end_quote(),
            "pre" => self.writer.preformatted(false),
            "table" => self.writer.block(2),
            // Some write it for an empty paragraph.
            "br" => self.writer.line_break(),
            name if heading(name).is_some() => self.writer.heading(0),
            name if is_block(name) => self.writer.block(2),
            _ => {}
        }
    }

    fn link(&mut self, tag: &Tag) {
        // One ends where the next begins.
        self.writer.unlink();
        match tag.value("href").map(web_address) {
            Some(Some(url)) => self.writer.mark(Mark::Link(url)),
            Some(None) => {
                self.losses.insert(Loss::Links);
            }
            // An anchor leads nowhere.
            None => {}
        }
    }

    fn image(&mut self, tag: &Tag) {
        self.losses.insert(Loss::Images);
        tag.value("alt").unwrap_or_default().chars().for_each(|c| self.writer.text(c));
    }
}

/// What is lost with an element whose content is no text of the message; `None` when it is. A head is none of them: its end
/// may be left out, and what stands in it hides itself.
fn hides(name: &str) -> Option<Option<Loss>> {
    match name {
        "title" | "template" | "xml" => Some(None),
        "style" => Some(Some(Loss::Styles)),
        "script" | "noscript" => Some(Some(Loss::Scripts)),
        "select" | "textarea" | "datalist" => Some(Some(Loss::Forms)),
        "svg" | "math" | "iframe" | "object" | "applet" | "audio" | "video" | "canvas" | "map" => {
            Some(Some(Loss::Objects))
        }
        _ => None,
    }
}

/// Elements that do not part words.
fn is_inline(name: &str) -> bool {
    matches!(name, "b" | "strong" | "i" | "em" | "u" | "a" | "span" | "font" | "small" | "big" | "sup" | "sub" | "wbr")
}

/// Elements without content or end tag.
fn is_void(name: &str) -> bool {
    matches!(
        name,
        "br" | "hr" | "img" | "input" | "meta" | "link" | "col" | "base" | "wbr" | "area" | "embed" | "param"
    )
}

fn is_block(name: &str) -> bool {
    matches!(
        name,
        "p" | "div"
            | "section"
            | "article"
            | "header"
            | "footer"
            | "main"
            | "aside"
            | "nav"
            | "address"
            | "figure"
            | "figcaption"
            | "dl"
            | "dt"
            | "dd"
            | "caption"
            | "body"
            | "html"
            | "details"
            | "summary"
            | "legend"
    )
}

fn heading(name: &str) -> Option<u8> {
    let level: u8 = name.strip_prefix('h')?.parse().ok()?;
    (1..=6).contains(&level).then_some(level)
}

/// An address a message may lead to, written so that nothing in it ends the link; `None` for any other.
fn web_address(href: &str) -> Option<String> {
    let href = href.trim();
    let scheme = href.split_once(':')?.0.to_ascii_lowercase();
    if !matches!(scheme.as_str(), "https" | "http" | "mailto" | "tel") || href.len() > LONGEST_ADDRESS {
        return None;
    }
    let mut url = String::with_capacity(href.len());
    for c in href.chars() {
        match c {
            ' ' | '(' | ')' | '<' | '>' | '"' | '\'' | '\\' | '`' | '*' | '_' | '[' | ']' if c.is_ascii() => {
                url.push_str(&format!("%{:02X}", u32::from(c)));
            }
            c if c.is_control() => {}
            c => url.push(c),
        }
    }
    Some(url)
}

/// Longer ones are not addresses a person follows.
const LONGEST_ADDRESS: usize = 2_000;

#[cfg(test)]
mod tests;
