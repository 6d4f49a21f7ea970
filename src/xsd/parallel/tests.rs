//! Many threads against one.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use proptest::prelude::*;

use super::*;
use crate::xsd::{Schema, SchemaDocument};

const SCHEMA: &str = r#"<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" targetNamespace="urn:t"
  elementFormDefault="qualified" xmlns="urn:t"><xs:element name="Batch"><xs:complexType><xs:sequence>
  <xs:element name="Name" type="xs:string"/><xs:element name="Part"><xs:complexType><xs:sequence>
  <xs:element name="Item" maxOccurs="unbounded"><xs:complexType><xs:sequence><xs:element name="Day" type="xs:date"/>
  <xs:element name="Text" type="xs:string" minOccurs="0" maxOccurs="unbounded"/></xs:sequence></xs:complexType>
  </xs:element></xs:sequence></xs:complexType></xs:element></xs:sequence></xs:complexType></xs:element></xs:schema>"#;

fn plan() -> Plan {
    let schema = Schema::compile(&[SchemaDocument { name: "s.xsd", bytes: SCHEMA.as_bytes() }]).unwrap();
    Plan::new(Arc::new(schema), &[]).unwrap()
}

fn judged(document: &str, threads: usize, segment_bytes: u64) -> (End, Vec<Finding>) {
    let mut found = Vec::new();
    let sharing = Sharing { threads, segment_bytes };
    let end = validate(&plan(), &Limits::default(), document.as_bytes(), &sharing, &mut found).unwrap();
    (end, found)
}

fn document(items: &[&str], prefix: &str) -> String {
    let items: String = items.concat();
    let colon = if prefix.is_empty() { "" } else { ":" };
    let text = format!(
        "<?xml version=\"1.0\"?>\n<Batch xmlns{colon}{prefix}=\"urn:t\">\n<Name>x</Name>\n<Part>{items}</Part>\n</Batch>\n"
    );
    if prefix.is_empty() {
        return text;
    }
    let named = ["Batch", "Name", "Part", "Item", "Day", "Text"];
    named.iter().fold(text, |text, name| {
        text.replace(&format!("</{name}>"), &format!("</{prefix}:{name}>"))
            .replace(&format!("<{name}"), &format!("<{prefix}:{name}"))
    })
}

const ITEM: &str = "\n<Item><Day>2026-11-21</Day><Text>en</Text></Item>";
const OTHERS: [&str; 9] = [
    "<Item>\n<Day>2026-02-30</Day></Item>",
    "<Item><Day>2026-11-21</Day><Text><![CDATA[</Item><Item>]]></Text></Item>",
    "<Item><Day>2026-11-21</Day><!-- </Item> --></Item>",
    "<Item><Text>\u{e5}</Text></Item>",
    "<Item/>",
    "<Other><Item><Day>2026-11-21</Day></Item></Other>",
    "</Part><Part>",
    "</Part></Batch>",
    "<Item><Day>2026-11-21</Day><Text>&oslash;</Text></Item>",
];

#[test]
fn parts_are_judged_by_others_and_the_places_behind_them_are_right() {
    let mut items = vec![ITEM; 5_000];
    items.push(OTHERS[0]);
    for prefix in ["", "p"] {
        let document = document(&items, prefix);
        let (end, found) = judged(&document, 3, 512);
        assert_eq!((end, found.clone()), judged(&document, 1, 512));
        assert_eq!((found.len(), found[0].path.as_str()), (1, "/Batch/Part/Item[5001]/Day"));
        assert_eq!(
            (found[0].at.line, found[0].at.column),
            (5_005, 6 + prefix.len() as u64 + u64::from(!prefix.is_empty()))
        );
    }
}

/// A file in memory that does not let everybody read.
struct Guarded<'a> {
    bytes: &'a [u8],
    leader: thread::ThreadId,
    /// Others panic.
    lonely: bool,
    /// Nothing from here on can be read.
    torn: u64,
    /// How far the leader reads before another has read.
    waits: u64,
    helped: (Mutex<bool>, Condvar),
    read: AtomicU64,
}

impl<'a> Guarded<'a> {
    fn new(document: &'a str) -> Self {
        let leader = thread::current().id();
        let (lonely, torn, waits, read) = (false, u64::MAX, u64::MAX, AtomicU64::new(0));
        let helped = (Mutex::new(false), Condvar::new());
        Self { bytes: document.as_bytes(), leader, lonely, torn, waits, helped, read }
    }

    fn judged(&self, threads: usize, segment_bytes: u64) -> (io::Result<End>, Vec<Finding>) {
        let mut found = Vec::new();
        let sharing = Sharing { threads, segment_bytes };
        (validate(&plan(), &Limits::default(), self, &sharing, &mut found), found)
    }
}

impl ReadAt for Guarded<'_> {
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        let (helped, news) = &self.helped;
        if thread::current().id() != self.leader {
            assert!(!self.lonely, "nobody else may read");
            *helped.lock().unwrap() = true;
            news.notify_all();
        } else if offset >= self.waits {
            let patience = Duration::from_secs(60);
            let waited = news.wait_timeout_while(helped.lock().unwrap(), patience, |helped| !*helped).unwrap();
            assert!(*waited.0, "nobody helped");
        }
        if offset >= self.torn {
            return Err(io::Error::other("torn"));
        }
        let count = self.bytes.read_at(buffer, offset)?.min((self.torn - offset) as usize);
        self.read.fetch_add(count as u64, Ordering::Relaxed);
        Ok(count)
    }
}

/// Hears a few findings, and wants no more.
struct Few(Vec<Finding>);

impl Observer for Few {
    fn finding(&mut self, finding: Finding) {
        self.0.push(finding);
    }

    fn has_enough(&self) -> bool {
        self.0.len() >= 3
    }
}

#[test]
fn who_has_heard_enough_hears_no_end() {
    let document = document(&vec![OTHERS[0]; 100_000], "");
    for threads in [1, 3] {
        let mut few = Few(Vec::new());
        let sharing = Sharing { threads, segment_bytes: 1 << 10 };
        let end = validate(&plan(), &Limits::default(), document.as_bytes(), &sharing, &mut few).unwrap();
        assert!(!end.sound && !end.complete && (3..20_000).contains(&end.findings), "{end:?}");
        assert!(few.0.iter().all(|finding| finding.rule == few.0[0].rule), "nothing is said of the end");
    }
}

#[test]
fn who_panics_is_not_missed() {
    let document = document(&[[ITEM; 500].as_slice(), &[OTHERS[0]]].concat(), "");
    let guarded = Guarded { lonely: true, ..Guarded::new(&document) };
    let (end, found) = guarded.judged(3, 512);
    assert_eq!((end.unwrap(), found), judged(&document, 1, 512));
}

#[test]
fn what_is_found_before_an_error_of_reading_is_told() {
    let mut items = vec![ITEM; 500];
    items.extend([OTHERS[0]; 9]);
    items.extend([ITEM; 10]);
    let document = document(&items, "");
    for left in [0, 1, 100, 600] {
        let guarded = Guarded { torn: document.len() as u64 - left, ..Guarded::new(&document) };
        let (end, found) = guarded.judged(3, 4_096);
        let (alone, told) = guarded.judged(1, 4_096);
        assert_eq!((end.is_err(), alone.is_err(), found), (true, true, told), "{left}");
    }
}

#[test]
fn a_first_segment_that_ends_between_items_is_not_the_end_of_sharing() {
    let document = document(&[ITEM; 5_000], "");
    let between = document.find("<Item").unwrap() as u64 + ITEM.len() as u64 - 1;
    let guarded = Guarded { waits: document.len() as u64 / 2, ..Guarded::new(&document) };
    let (end, _) = guarded.judged(2, between);
    assert!(end.unwrap().sound);
}

#[test]
fn what_follows_the_items_is_not_read_again_and_again() {
    let tail = format!("</Part>{}", "<!-- no item -->".repeat(100_000));
    let document =
        document(&[[ITEM; 100].as_slice(), &[tail.as_str()]].concat(), "").replace("</Part>\n</Batch>", "</Batch>");
    let guarded = Guarded::new(&document);
    let (end, found) = guarded.judged(2, 1_024);
    assert_eq!((end.unwrap(), found), judged(&document, 1, 1_024));
    let read = guarded.read.load(Ordering::Relaxed);
    assert!(read < 3 * document.len() as u64, "{read} of {}", document.len());
}

/// Mixed content, references, wildcards, and levels that repeat both.
const RICH: &str = r#"<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" targetNamespace="urn:t"
  elementFormDefault="qualified" xmlns="urn:t"><xs:element name="Any" type="xs:int"/>
  <xs:element name="Batch"><xs:complexType><xs:sequence maxOccurs="unbounded"><xs:element name="Group" type="Group"
  nillable="true"/><xs:element name="Rest" type="xs:string" minOccurs="0"/></xs:sequence>
  </xs:complexType></xs:element><xs:complexType name="Group" mixed="true"><xs:choice minOccurs="0"
  maxOccurs="unbounded"><xs:element name="Item" type="Item"/><xs:element name="Note" type="xs:string"/>
  <xs:any namespace="urn:o" processContents="lax"/></xs:choice></xs:complexType><xs:complexType name="Few">
  <xs:complexContent><xs:restriction base="Group"><xs:sequence><xs:element name="Item" type="Item" minOccurs="2"
  maxOccurs="3"/></xs:sequence></xs:restriction></xs:complexContent></xs:complexType><xs:complexType name="Item">
  <xs:sequence><xs:element name="Day" type="xs:date" maxOccurs="unbounded"/><xs:element name="Ref" type="xs:IDREF"
  minOccurs="0"/></xs:sequence><xs:attribute name="id" type="xs:ID"/></xs:complexType></xs:schema>"#;

const PARTS: [&str; 18] = [
    "<Note>x</Note>",
    "<Item>\n<Day>2026-11-21</Day></Item>",
    "<Item><Day>2026-11-2</Day></Item>",
    "</Group>\n<Group>",
    "</Group><Group xmlns:i='http://www.w3.org/2001/XMLSchema-instance' i:type='Few'>",
    "</Group><Group xmlns:i='http://www.w3.org/2001/XMLSchema-instance' i:nil='true'>",
    "</Group><p:Group xmlns:p='urn:t'><p:Item><p:Day>2026-11-21</p:Day></p:Item></p:Group><Group>",
    "</Group><Rest/><Group>",
    "<Item id='a'><Day>2026-11-21</Day></Item>",
    "<Item><Day>2026-11-21</Day><Ref>a</Ref></Item>",
    "text \u{e5}\r\n",
    "<!--</Item></Group>",
    "-->",
    "<![CDATA[</Item></Group>",
    "]]>",
    "<?x </Item></Group>?>",
    "<o:x xmlns:o='urn:o' xmlns='urn:o'><Item></Item></o:x>",
    "<Item xmlns='urn:o'/>",
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn any_parts_in_any_order_are_judged_as_by_one(
        picks in prop::collection::vec((0_usize..60, 1_usize..40), 1..60),
        threads in 2_usize..4,
        segment_bytes in 1_u64..400,
        mark: bool,
    ) {
        let parts = picks.iter().flat_map(|(pick, times)| {
            let (part, times) = match pick {
                0..=17 => (*pick, 1 + times / 39),
                18..=39 => (1, *times),
                40..=49 => (3, *times),
                _ => (0, *times),
            };
            std::iter::repeat_n(PARTS[part], times)
        });
        let parts: String = parts.collect();
        let mark = if mark { "\u{feff}" } else { "" };
        let document = format!("{mark}<Batch xmlns='urn:t'><Group>{parts}</Group></Batch>");
        let schema = Schema::compile(&[SchemaDocument { name: "s.xsd", bytes: RICH.as_bytes() }]).unwrap();
        let plan = Plan::new(Arc::new(schema), &[]).unwrap();
        let judged = |threads| {
            let mut found = Vec::new();
            let sharing = Sharing { threads, segment_bytes };
            let limits = Limits { findings: 20, ..Limits::default() };
            let end = validate(&plan, &limits, document.as_bytes(), &sharing, &mut found).unwrap();
            (end, found)
        };
        prop_assert_eq!(judged(threads), judged(1));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_number_of_threads_finds_the_same(
        picks in prop::collection::vec(0_usize..60, 1..200),
        threads in 2_usize..4,
        segment_bytes in 1_u64..900,
        prefixed: bool,
    ) {
        let items: Vec<&str> = picks.iter().map(|pick| OTHERS.get(*pick).copied().unwrap_or(ITEM)).collect();
        let document = document(&items, if prefixed { "p" } else { "" });
        prop_assert_eq!(judged(&document, threads, segment_bytes), judged(&document, 1, segment_bytes));
    }
}
