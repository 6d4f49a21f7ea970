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
            let is_odd = case.input.contains('\0') && case.peers.iter().any(|(_, said)| said.accepts);
            !said.accepts && case.about == "well-formed" && (case.input.contains(newer) || is_odd)
        },
    },
    Class {
        peer: Peer::Libxml2,
        reason: "libxml2 passes over characters that are not of base64 (Datatypes 3.2.16)",
        explains: |case, said| said.accepts && case.about.contains("base64Binary"),
    },
];

fn contradicted(case: &Case<'_>, said: &Said<'_>) -> bool {
    said.accepts && case.ours.contains("the XML declaration names")
}

fn bare_utf_16(case: &Case<'_>, said: &Said<'_>) -> bool {
    !said.accepts && (case.input.starts_with("<\0") || case.input.starts_with("\0<")) && !case.input.contains("<\0?")
}
