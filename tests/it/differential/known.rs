//! Where a peer is known to judge otherwise than the recommendations, and we do not follow it.

use std::fmt;

/// Somebody whose opinion was asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Peer {
    Xerces,
    Libxml2,
}

/// What a peer said of a case.
pub(super) struct Said<'a> {
    pub(super) accepts: bool,
    pub(super) message: &'a str,
}

/// Something that was judged by us and by others.
pub(super) struct Case<'a> {
    /// What kind of thing it is: `well-formed`, the name of a schema, or a type with its facets.
    pub(super) about: &'a str,
    /// The document, value or pattern.
    pub(super) input: &'a str,
    pub(super) ours_accepts: bool,
    pub(super) ours: &'a str,
    pub(super) peers: &'a [(Peer, Said<'a>)],
}

impl fmt::Display for Case<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { about, input, ours_accepts, ours, peers } = self;
        write!(f, "{about}\n  input: {input:?}\n  ours: {ours_accepts} {ours}")?;
        peers.iter().try_for_each(|(peer, said)| write!(f, "\n  {peer:?}: {} {}", said.accepts, said.message))
    }
}

/// The class of differences that a difference is of.
pub(super) fn class(case: &Case<'_>, peer: Peer, said: &Said<'_>) -> Option<&'static str> {
    let explains = |class: &&Class| class.peer == peer && (class.explains)(case, said);
    CLASSES.iter().find(explains).map(|class| class.reason)
}

struct Class {
    peer: Peer,
    reason: &'static str,
    explains: fn(&Case<'_>, &Said<'_>) -> bool,
}

/// Each with the rule that we keep and the peer does not.
const CLASSES: &[Class] = &[
    Class {
        peer: Peer::Libxml2,
        reason: "libxml2 asks that namespace names be URIs (Namespaces 2.3 leaves it to others to say so)",
        explains: |_, said| !said.accepts && said.message.contains("is not a valid URI"),
    },
    Class {
        peer: Peer::Libxml2,
        reason: "libxml2 passes over a declared encoding that the bytes contradict (here it is a finding)",
        explains: contradicted,
    },
    Class {
        peer: Peer::Xerces,
        reason: "Xerces passes over a declared encoding that the bytes contradict (here it is a finding)",
        explains: contradicted,
    },
    Class {
        peer: Peer::Libxml2,
        reason: "libxml2 does not read UTF-16 with neither a mark nor a declaration (we do: it cannot be anything else)",
        explains: bare_utf_16,
    },
    Class {
        peer: Peer::Xerces,
        reason: "Xerces does not read UTF-16 with neither a mark nor a declaration (we do: it cannot be anything else)",
        explains: bare_utf_16,
    },
    Class {
        peer: Peer::Libxml2,
        reason: "libxml2 decodes UTF-16 twice when it is declared as ISO-10646-UCS-2",
        explains: |case, said| !said.accepts && case.input.replace('\0', "").contains("ISO-10646-UCS-2"),
    },
    Class {
        peer: Peer::Libxml2,
        reason: "libxml2 passes over half a character at the end (XML 4.3.3: it is a fatal error)",
        explains: |case, said| said.accepts && case.ours.contains("the file ends inside a character"),
    },
    Class {
        peer: Peer::Libxml2,
        reason: "libxml2 takes overlong UTF-8 in CDATA sections (XML 4.3.3: it is a fatal error)",
        explains: |case, said| {
            said.accepts && case.input.contains("<![CDATA[") && case.ours.contains("bytes that are no character")
        },
    },
    Class {
        peer: Peer::Libxml2,
        reason: "libxml2 takes a version `1.` (XML 2.8: digits follow)",
        explains: |case, said| said.accepts && case.input.replace('\0', "").contains("version='1.'"),
    },
    Class {
        peer: Peer::Xerces,
        reason: "Xerces takes names that begin with a colon (Namespaces 4: a QName does not)",
        explains: |case, said| said.accepts && case.ours.contains("a colon stands in a name"),
    },
    Class {
        peer: Peer::Xerces,
        reason: "Xerces takes names of instructions with a colon (Namespaces 7: they have none)",
        explains: |case, said| said.accepts && case.ours.contains("a processing instruction without a proper name"),
    },
    Class {
        peer: Peer::Xerces,
        reason: "Xerces knows only the name characters of the fourth edition of XML 1.0 (the fifth has more)",
        explains: |case, said| {
            let newer = |c: char| matches!(c, '\u{feff}' | '\u{203f}' | '\u{207f}' | '\u{10000}'..='\u{effff}');
            // UTF-16 with a byte more or less is full of them; libxml2 knows the fifth edition.
            let takes_it = |said: &Said<'_>| said.accepts || said.message.contains("is not a valid URI");
            let is_odd = case.input.contains('\0') && case.peers.iter().any(|(_, said)| takes_it(said));
            !said.accepts && case.about == "well-formed" && (case.input.contains(newer) || is_odd)
        },
    },
    Class {
        peer: Peer::Xerces,
        reason: "Xerces breaks down on characters outside ASCII in base64Binary and the like",
        explains: |_, said| said.message.starts_with("java."),
    },
    Class {
        peer: Peer::Xerces,
        reason: "Xerces counts characters beyond U+FFFF as two (Datatypes 4.3.1: units are characters)",
        explains: |case, _| case.about.contains("ength=") && case.input.contains('😀'),
    },
    Class {
        peer: Peer::Xerces,
        reason: "Xerces knows only the name characters of the fourth edition of XML 1.0, in names of values too",
        explains: |case, said| {
            let is_name = ["Name ", "NCName ", "NMTOKEN", "QName "].iter().any(|name| case.about.starts_with(name));
            !said.accepts && is_name && (!case.input.is_ascii() || case.input.contains("&#x"))
        },
    },
    Class {
        peer: Peer::Xerces,
        reason: "Xerces asks that anyURI be a URI (Datatypes 3.2.17 leaves that to others)",
        explains: |case, said| !said.accepts && case.about.starts_with("anyURI "),
    },
    Class {
        peer: Peer::Xerces,
        reason: "Xerces takes 24:00:00 for another time than 00:00:00 (Datatypes 3.2.7: it is the first moment of the next day)",
        explains: |case, _| case.about.starts_with("time ") && format!("{case}").contains("24:00:00"),
    },
    Class {
        peer: Peer::Xerces,
        reason: "Xerces carries time zones of days and months round the end of the month or year, and orders them by that",
        explains: |case, _| {
            ["gDay ", "gMonth ", "gMonthDay "].iter().any(|name| case.about.starts_with(name))
                && case.about.contains("clusive=")
        },
    },
    Class {
        peer: Peer::Xerces,
        reason: "Xerces takes seconds without a digit before the point (Datatypes 3.2.6.1: there is one)",
        explains: |case, said| said.accepts && case.about.starts_with("duration ") && case.input.contains('.'),
    },
    Class {
        peer: Peer::Xerces,
        reason: "Xerces takes the year -0004 for a leap year (there is no year zero, so it is -0001)",
        explains: |case, _| ["-0001-02-29", "-0004-02-29"].iter().any(|day| case.input.contains(day)),
    },
    Class {
        peer: Peer::Xerces,
        reason: "Xerces takes a backslash before characters that have no escape (Datatypes F.1.1 lists those that have)",
        explains: |case, said| said.accepts && case.ours.contains("no escape has the letter"),
    },
    Class {
        peer: Peer::Libxml2,
        reason: "libxml2 passes over characters that are not of base64 (Datatypes 3.2.16)",
        explains: |case, said| said.accepts && case.about.contains("base64Binary"),
    },
    Class {
        peer: Peer::Libxml2,
        reason: "libxml2 alone judges a value otherwise than Xerces and we (white space, zones, signs, long numbers, NaN)",
        explains: |case, said| {
            let (is_value, xerces) = (case.about.contains('='), Peer::Xerces);
            is_value && case.peers.iter().any(|(peer, other)| *peer == xerces && other.accepts != said.accepts)
        },
    },
];

fn contradicted(case: &Case<'_>, said: &Said<'_>) -> bool {
    said.accepts && case.ours.contains("the XML declaration names")
}

fn bare_utf_16(case: &Case<'_>, said: &Said<'_>) -> bool {
    !said.accepts && (case.input.starts_with("<\0") || case.input.starts_with("\0<")) && !case.input.contains("<\0?")
}

#[test]
fn the_document_has_every_class_and_no_other() {
    let document = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/xsd-conformance.md")).unwrap();
    let (_, section) = document.split_once("## Where others judge otherwise\n").expect("the document has the section");
    let section = section.split("\n## ").next().unwrap_or_default();
    let written: Vec<&str> = section.lines().filter_map(|line| line.strip_prefix("- ")).collect();
    let classes: Vec<&str> = CLASSES.iter().map(|class| class.reason).collect();
    assert_eq!(written, classes, "write:\n- {}\n", classes.join("\n- "));
}
