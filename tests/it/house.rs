//! Which room may import which, as data; and the rules for files.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// A room and what it may import. A room's own modules are always open to it.
///
/// `app` and `cli` compose the program and may use everything.
const ROOMS: &[(&str, &[&str])] = &[
    ("model", &[]),
    ("codes", &["model"]),
    ("kill_point", &[]),
    ("blocking", &[]),
    ("rate", &[]),
    ("markdown", &[]),
    ("measures", &["model"]),
    ("xml", &[]),
    ("xsd", &["xml"]),
    ("ports", &["model", "codes"]),
    ("formats", &["model", "codes", "xml", "xsd", "ports"]),
    ("intake", &["model", "codes", "ports", "kill_point"]),
    ("staging", &["model", "codes", "ports", "intake", "kill_point"]),
    ("validate", &["model", "codes", "ports", "formats", "xsd", "staging"]),
    ("split", &["model", "codes", "ports", "formats", "validate"]),
    ("forward", &["model", "codes", "ports", "formats", "split", "blocking", "rate", "kill_point", "measures"]),
    ("receipt", &["model", "codes", "ports"]),
    ("schedule", &["model"]),
    ("sighting", &["model"]),
    (
        "pipeline",
        &[
            "model",
            "codes",
            "ports",
            "intake",
            "staging",
            "validate",
            "split",
            "forward",
            "receipt",
            "schedule",
            "sighting",
            "blocking",
            "kill_point",
            "measures",
        ],
    ),
    // XML for the answers of SOAP receivers, which are a stranger's.
    ("adapters", &["ports", "model", "codes", "markdown", "xml", "blocking", "rate", "kill_point", "measures"]),
    ("simulator", &["model"]),
    // The keys that sign receipts, and times, are read where everything else is checked; limits and check digits are
    // settings.
    ("config", &["model", "xsd", "formats", "receipt", "schedule", "sighting"]),
    ("generate", &["model"]),
    ("app", EVERYTHING),
    ("cli", EVERYTHING),
    ("main", EVERYTHING),
    ("lib", &[]),
];

/// For the two rooms that put the others together.
const EVERYTHING: &[&str] = &["*"];

/// Crates of the outside world and the only rooms that may use them. The simulator is itself a piece of that world.
const OUTSIDE: &[(&str, &[&str])] = &[
    ("russh", &["adapters"]),
    ("russh_sftp", &["adapters"]),
    ("reqwest", &["adapters"]),
    ("sqlx", &["adapters"]),
    ("croner", &["schedule"]),
    // Where an address is checked, too.
    ("lettre", &["adapters", "config"]),
    // Where apps ask for what is kept for them, too.
    ("axum", &["simulator", "cli", "adapters"]),
];

/// Rooms that are plain functions: no async runtime in them.
const SYNC: &[&str] = &[
    "model", "codes", "markdown", "xml", "xsd", "formats", "validate", "split", "receipt", "schedule", "sighting",
    "config", "generate",
];

/// Names of values that may be a sender's file.
const FILES: &[&str] = &["path", "from", "to"];

/// Words that name no duty.
const VAGUE: &[&str] = &["util", "utils", "helper", "helpers", "common", "manager", "misc"];

#[test]
fn rooms_import_only_what_their_row_allows() {
    let mut wrong = Vec::new();
    for (path, code) in sources() {
        let room = room_of(&path);
        let Some((_, allowed)) = ROOMS.iter().find(|(name, _)| *name == room) else {
            wrong.push(format!("{}: the room `{room}` is not in the table", path.display()));
            continue;
        };
        for used in crate_edges(&code) {
            let open = used == room || allowed.contains(&used.as_str()) || *allowed == EVERYTHING;
            if !open && ROOMS.iter().any(|(name, _)| *name == used) {
                wrong.push(format!("{}: `{room}` may not import `{used}`", path.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn the_outside_world_is_reached_through_its_rooms_only() {
    let mut wrong = Vec::new();
    for (path, code) in sources() {
        let room = room_of(&path);
        for (name, rooms) in OUTSIDE {
            if !rooms.contains(&room.as_str()) && code.contains(&format!("{name}::")) {
                wrong.push(format!("{}: `{room}` may not use the crate {name}", path.display()));
            }
        }
        if SYNC.contains(&room.as_str()) && (code.contains("tokio::") || code.contains("async fn")) {
            wrong.push(format!("{}: `{room}` is plain functions, without async", path.display()));
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn files_keep_the_rules_of_the_house() {
    let mut wrong = Vec::new();
    for (path, code) in sources() {
        let code_only = code.split("#[cfg(test)]").next().unwrap();
        let lines = code_only.lines().filter(|line| !line.trim().is_empty()).count();
        let limit = if path == Path::new("src/main.rs") { 60 } else { 600 };
        if lines > limit {
            wrong.push(format!("{}: {lines} lines of code, more than {limit}", path.display()));
        }
        if path.components().count() > 5 {
            wrong.push(format!("{}: more than three directories under src", path.display()));
        }
        let vague = |part: &str| VAGUE.contains(&part);
        if path.with_extension("").iter().any(|part| vague(&part.to_string_lossy())) {
            wrong.push(format!("{}: a name that says no duty", path.display()));
        }
        for (number, line) in code.lines().enumerate().filter(|(_, line)| line.contains("[allow(")) {
            wrong.push(format!("{}:{}: `expect` with a reason instead: {}", path.display(), number + 1, line.trim()));
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

/// Senders name files as they like, also after a reportee: `AreaPath::logged` shows what may be known of that.
#[test]
fn names_of_files_are_not_logged_as_they_are() {
    let mut wrong = Vec::new();
    for (path, code) in sources() {
        for (number, line) in code.lines().enumerate() {
            let bare = |(at, _): (usize, _)| {
                let name = identifier(&line[at + 1..]);
                let rest = name.as_ref().map_or("", |name| &line[at + 1 + name.len()..]);
                name.is_some_and(|name| FILES.contains(&name.as_str())) && !rest.starts_with(['.', '('])
            };
            if line.match_indices(['%', '?']).any(bare) {
                wrong.push(format!("{}:{}: `.logged()` instead: {}", path.display(), number + 1, line.trim()));
            }
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn every_room_has_its_page_of_purpose() {
    for (path, _) in sources() {
        let text = fs::read_to_string(root().join(&path)).unwrap();
        let is_tests = path.with_extension("").iter().any(|part| part.to_string_lossy().ends_with("tests"));
        assert!(is_tests || text.starts_with("//! "), "{} does not begin with what it is for", path.display());
    }
}

#[test]
fn the_systemd_unit_gives_up_on_a_faulty_configuration_alone() {
    let unit = fs::read_to_string(root().join("deploy/sluse.service")).unwrap();
    let has = |line: &str| unit.lines().any(|found| found == line);
    // EX_CONFIG, of the main process: that of an ExecStartPre= would be started anew for ever.
    assert!(has("RestartPreventExitStatus=78") && !unit.lines().any(|line| line.starts_with("ExecStartPre=")));
    // Others read what it writes outside of its state directory.
    assert!(has("UMask=0007") && has("StateDirectoryMode=0700"));
}

#[test]
fn edges_are_found_in_every_form_of_import() {
    let code = without_comments(
        r#"
use crate::{model::{Item, Code}, ports::Blob, codes};
use crate::xsd;
pub(crate) use crate::split::{
    self,
    Piece,
};
// use crate::forward::Never;
/* use crate::intake; /* nested */ use crate::staging; */
const TEXT: &str = "use crate::receipt; // not a comment";
fn call() { crate::validate::judge(); let _ = 'c'; let _ = '"'; let _ = crate::simulator::Simulator; }
use sluse::generate::{Options};
"#,
    );
    let found: Vec<_> = crate_edges(&code).into_iter().collect();
    assert_eq!(found, ["codes", "generate", "model", "ports", "simulator", "split", "validate", "xsd"]);
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// Every source file, relative to the root, with its code freed of comments and texts.
fn sources() -> Vec<(PathBuf, String)> {
    let mut files = Vec::new();
    let mut open = vec![root().join("src")];
    while let Some(dir) = open.pop() {
        for entry in fs::read_dir(dir).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
            } else if path.extension().is_some_and(|ending| ending == "rs") {
                let code = without_comments(&fs::read_to_string(&path).unwrap());
                files.push((path.strip_prefix(root()).unwrap().to_owned(), code));
            }
        }
    }
    assert!(files.len() > 20, "the sources were not found");
    files.sort();
    files
}

/// The first name under `src`.
fn room_of(path: &Path) -> String {
    let first = path.iter().nth(1).map(Path::new).unwrap();
    first.with_extension("").to_string_lossy().into_owned()
}

/// The rooms that code names after `crate::` (or `sluse::`), grouped imports included.
fn crate_edges(code: &str) -> BTreeSet<String> {
    let mut edges = BTreeSet::new();
    for start in ["crate::", "sluse::"] {
        for (at, _) in code.match_indices(start) {
            let joined = code[..at].chars().next_back().is_some_and(|c| c.is_alphanumeric() || c == '_' || c == '$');
            let rest = &code[at + start.len()..];
            match rest.strip_prefix('{') {
                _ if joined => {}
                Some(group) => edges.extend(heads(group)),
                None => edges.extend(identifier(rest)),
            }
        }
    }
    edges
}

/// The first name of each path in a group, up to the brace that closes it.
fn heads(group: &str) -> Vec<String> {
    let (mut depth, mut fresh, mut names) = (0, true, Vec::new());
    for (at, c) in group.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth == 0 => break,
            '}' => depth -= 1,
            ',' if depth == 0 => fresh = true,
            _ if c.is_whitespace() => {}
            _ if fresh && depth == 0 => {
                fresh = false;
                names.extend(identifier(&group[at..]));
            }
            _ => {}
        }
    }
    names
}

fn identifier(text: &str) -> Option<String> {
    let name: String = text.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
    // A macro or a type re-exported at the root would begin otherwise; rooms are lower case.
    (name.starts_with(|c: char| c.is_ascii_lowercase())).then_some(name)
}

/// Code with comments and the inside of texts blanked, line breaks kept.
fn without_comments(source: &str) -> String {
    let mut out = String::with_capacity(source.len());
    let mut rest = source;
    while let Some(c) = rest.chars().next() {
        let skipped = if rest.starts_with("//") {
            rest.find('\n').unwrap_or(rest.len())
        } else if rest.starts_with("/*") {
            block_comment(rest)
        } else if c == '"' {
            quoted(rest)
        } else if c == 'r' && !out.ends_with(|c: char| c.is_alphanumeric() || c == '_') {
            raw(rest)
        } else if c == '\'' {
            character(rest)
        } else {
            0
        };
        if skipped == 0 {
            out.push(c);
            rest = &rest[c.len_utf8()..];
        } else {
            out.extend(rest[..skipped].chars().filter(|c| *c == '\n'));
            rest = &rest[skipped..];
        }
    }
    out
}

fn block_comment(text: &str) -> usize {
    let mut depth = 0;
    let mut at = 0;
    while at < text.len() {
        let here = &text.as_bytes()[at..];
        if here.starts_with(b"/*") {
            depth += 1;
            at += 2;
        } else if here.starts_with(b"*/") {
            depth -= 1;
            at += 2;
        } else {
            at += 1;
        }
        if depth == 0 {
            return at;
        }
    }
    text.len()
}

fn quoted(text: &str) -> usize {
    let mut escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return at + 1,
            _ => {}
        }
    }
    text.len()
}

/// A raw text's length, or 0 when `r` begins something else.
fn raw(text: &str) -> usize {
    let hashes = text[1..].chars().take_while(|c| *c == '#').count();
    if !text[1 + hashes..].starts_with('"') {
        return 0;
    }
    let end = format!("\"{}", "#".repeat(hashes));
    let body = 2 + hashes;
    text[body..].find(&end).map_or(text.len(), |at| body + at + end.len())
}

/// A character literal's length, or 0 when the quote begins a lifetime.
fn character(text: &str) -> usize {
    let mut chars = text.char_indices().skip(1);
    match (chars.next(), chars.next()) {
        (Some((_, '\\')), _) => text[3..].find('\'').map_or(0, |at| at + 4),
        (Some(_), Some((at, '\''))) => at + 1,
        _ => 0,
    }
}
