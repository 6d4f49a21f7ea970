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
    let explains = |class: &&Class| class.peers.contains(&peer) && (class.explains)(case, said);
    CLASSES.iter().find(explains).map(|class| class.reason)
}

struct Class {
    peers: &'static [Peer],
    reason: &'static str,
    explains: fn(&Case<'_>, &Said<'_>) -> bool,
}

const XERCES: &[Peer] = &[Peer::Xerces];
const LIBXML2: &[Peer] = &[Peer::Libxml2];
const BOTH: &[Peer] = &[Peer::Xerces, Peer::Libxml2];

/// A value that begins or ends with a space in what libxml2 says.
const NOT_COLLAPSED: &[&str] = &[": ' ", ": '\t", " ' is not a valid value", "\n' is not a valid value"];

/// Each with the rule that we keep and the peer does not.
const CLASSES: &[Class] = &[
    Class {
        peers: LIBXML2,
        reason: "libxml2 asks that namespace names be URIs (Namespaces 2.3 leaves it to others to say so)",
        explains: |_, said| !said.accepts && said.message.contains("is not a valid URI"),
    },
    Class {
        peers: BOTH,
        reason: "Both pass over a declared encoding that the bytes contradict (here it is a finding)",
        explains: |case, said| said.accepts && case.ours.contains("the XML declaration names"),
    },
    Class {
        peers: BOTH,
        reason: "Neither reads UTF-16 with neither a mark nor a declaration (we do: it cannot be anything else)",
        explains: |case, said| {
            let is_utf_16 = case.input.starts_with("<\0") || case.input.starts_with("\0<");
            !said.accepts && is_utf_16 && !case.input.contains("<\0?")
        },
    },
    Class {
        peers: LIBXML2,
        reason: "libxml2 decodes UTF-16 twice when it is declared as ISO-10646-UCS-2",
        explains: |case, said| !said.accepts && case.input.replace('\0', "").contains("ISO-10646-UCS-2"),
    },
    Class {
        peers: LIBXML2,
        reason: "libxml2 passes over half a character at the end (XML 4.3.3: it is a fatal error)",
        explains: |case, said| said.accepts && case.ours.contains("the file ends inside a character"),
    },
    Class {
        peers: LIBXML2,
        reason: "libxml2 takes overlong UTF-8 in CDATA sections (XML 4.3.3: it is a fatal error)",
        explains: |case, said| {
            said.accepts && case.input.contains("<![CDATA[") && case.ours.contains("bytes that are no character")
        },
    },
    Class {
        peers: LIBXML2,
        reason: "libxml2 takes a version `1.` (XML 2.8: digits follow)",
        explains: |case, said| said.accepts && case.input.replace('\0', "").contains("version='1.'"),
    },
    Class {
        peers: XERCES,
        reason: "Xerces takes names that begin with a colon (Namespaces 4: a QName does not)",
        explains: |case, said| said.accepts && case.ours.contains("a colon stands in a name"),
    },
    Class {
        peers: XERCES,
        reason: "Xerces takes names of instructions with a colon (Namespaces 7: they have none)",
        explains: |case, said| said.accepts && case.ours.contains("a processing instruction without a proper name"),
    },
    Class {
        peers: XERCES,
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
        peers: XERCES,
        reason: "Xerces breaks down on characters outside ASCII in base64Binary and the like",
        explains: |_, said| said.message.starts_with("java."),
    },
    Class {
        peers: XERCES,
        reason: "Xerces counts characters beyond U+FFFF as two (Datatypes 4.3.1: units are characters)",
        explains: |case, _| case.about.contains("ength=") && case.input.contains('😀'),
    },
    Class {
        peers: BOTH,
        reason: "Both know only the name characters of the fourth edition of XML 1.0 in values that are names",
        explains: |case, said| {
            let is_name = ["Name ", "NCName ", "NMTOKEN", "QName "].iter().any(|name| case.about.starts_with(name));
            let is_newer = |text: &str| !text.is_ascii() || text.contains("&#x");
            !said.accepts && is_name && (is_newer(case.input) || is_newer(case.about))
        },
    },
    Class {
        peers: BOTH,
        reason: "Both ask that anyURI be a URI in more than its scheme (Datatypes 3.2.17 leaves that to others)",
        explains: |case, said| !said.accepts && case.about.starts_with("anyURI "),
    },
    Class {
        peers: BOTH,
        reason: "Both take 24:00:00 for another time than 00:00:00 (Datatypes 3.2.7: it is the first moment of the next day)",
        explains: |case, _| case.about.starts_with("time ") && format!("{case}").contains("24:00:00"),
    },
    Class {
        peers: BOTH,
        reason: "Both carry time zones of days and months round the end of the month or year, and order them by that",
        explains: |case, _| {
            let recurs = ["gDay ", "gMonth ", "gMonthDay "].iter().any(|name| case.about.starts_with(name));
            recurs && case.about.contains("clusive=")
        },
    },
    Class {
        peers: BOTH,
        reason: "Both take seconds without a digit before the point (Datatypes 3.2.6.1: there is one)",
        explains: |case, said| said.accepts && case.about.starts_with("duration ") && case.input.contains('.'),
    },
    Class {
        peers: BOTH,
        reason: "Both take the year -0004 for a leap year (there is no year zero, so it is -0001)",
        explains: |case, _| ["-0001-02-29", "-0004-02-29"].iter().any(|day| case.input.contains(day)),
    },
    Class {
        peers: XERCES,
        reason: "Xerces takes a backslash before characters that have no escape (Datatypes F.1.1 lists those that have)",
        explains: |case, said| said.accepts && case.ours.contains("no escape has the letter"),
    },
    Class {
        peers: XERCES,
        reason: "Xerces does not hold a bound against the other that the base type has (Datatypes 4.3.10.4, 4.3.8.4)",
        explains: |case, said| said.accepts && case.input == "the schema" && case.ours.contains("-less-than-"),
    },
    Class {
        peers: LIBXML2,
        reason: "libxml2 passes over characters that are not of base64 (Datatypes 3.2.16)",
        explains: |case, said| {
            said.accepts && (case.about.contains("base64Binary") || case.ours.contains("not of type base64Binary"))
        },
    },
    Class {
        peers: LIBXML2,
        reason: "libxml2 does not take white space off dates, times and numbers (Datatypes 4.3.6: collapse is fixed)",
        explains: |_, said| !said.accepts && NOT_COLLAPSED.iter().any(|sign| said.message.contains(sign)),
    },
    Class {
        peers: LIBXML2,
        reason: "libxml2 allows no CDATA section between elements, be it empty (cvc-complex-type.2.3 asks for white space)",
        explains: |case, said| {
            let is_text = said.message.contains("Character content other than whitespace is not allowed");
            !said.accepts && is_text && case.input.contains("<![CDATA[")
        },
    },
    Class {
        peers: LIBXML2,
        reason: "libxml2 does not know the prefix xml in values that are qualified names (Namespaces 3)",
        explains: |_, said| !said.accepts && said.message.contains("The QName value 'xml:lang'"),
    },
    Class {
        peers: LIBXML2,
        reason: "libxml2 takes nothing for a list of NMTOKENS (Datatypes 3.3.5: there is one at least)",
        explains: |case, said| said.accepts && case.ours.contains("cvc-minLength-valid the attribute tokens"),
    },
    Class {
        peers: LIBXML2,
        reason: "libxml2 compares fixed values by how they are written (cvc-elt.5.2.2.2.2: by value)",
        explains: |_, said| !said.accepts && said.message.contains("does not match the fixed value"),
    },
    Class {
        peers: LIBXML2,
        reason: "libxml2 does not follow xsi:type of elements that only a strict wildcard allows (cvc-assess-elt.1.1.1.2)",
        explains: |_, said| !said.accepts && said.message.contains("No matching global element declaration"),
    },
    Class {
        peers: LIBXML2,
        reason: "libxml2 takes any xsi:nil on elements that are not declared (section 2.6.2: it is a boolean)",
        explains: |case, said| said.accepts && case.ours.contains("xsi:nil is neither true nor false"),
    },
    Class {
        peers: LIBXML2,
        reason: "libxml2 passes over undeclared prefixes when it judges by a schema while streaming",
        explains: |case, said| said.accepts && case.ours.contains("is not declared"),
    },
    Class {
        peers: LIBXML2,
        reason: "libxml2 does not look for the IDs that IDREFs name, nor for IDs twice, while streaming (cvc-id)",
        explains: |case, said| said.accepts && case.ours.contains("cvc-id."),
    },
    Class {
        peers: LIBXML2,
        reason: "libxml2 alone judges a value otherwise than Xerces and we (zones, signs, long numbers, NaN)",
        explains: |case, said| {
            let (is_value, xerces) = (case.about.contains('='), Peer::Xerces);
            is_value && case.peers.iter().any(|(peer, other)| *peer == xerces && other.accepts != said.accepts)
        },
    },
];

#[test]
fn the_document_has_every_class_and_no_other() {
    let document = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/xsd-conformance.md")).unwrap();
    let (_, section) = document.split_once("## Where others judge otherwise\n").expect("the document has the section");
    let section = section.split("\n## ").next().unwrap_or_default();
    let written: Vec<&str> = section.lines().filter_map(|line| line.strip_prefix("- ")).collect();
    let classes: Vec<&str> = CLASSES.iter().map(|class| class.reason).collect();
    assert_eq!(written, classes, "write:\n- {}\n", classes.join("\n- "));
}
