//! Values of the built-in types: right ones, and ones that are nearly right.

use super::chance::Chance;

/// A built-in type as these tests ask of it.
pub(super) struct Builtin {
    pub(super) name: &'static str,
    /// How its values look.
    pub(super) shape: Shape,
    /// The facets that apply to it, beside `pattern`, `enumeration` and `whiteSpace`.
    pub(super) facets: Facets,
}

/// How values look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    Text,
    Name,
    Names,
    QName,
    Language,
    Boolean,
    Decimal,
    Integer,
    Real,
    Hex,
    Base64,
    Uri,
    Duration,
    /// The fields of a date or time that the type has.
    Moment(Fields),
}

/// Which fields a date or time has, in the order in which they are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fields {
    DateTime,
    Date,
    Time,
    YearMonth,
    Year,
    MonthDay,
    Day,
    Month,
}

/// Which constraining facets apply.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Facets {
    Length,
    Order,
    /// Order, and the count of digits.
    Digits,
    None,
}

const fn builtin(name: &'static str, shape: Shape, facets: Facets) -> Builtin {
    Builtin { name, shape, facets }
}

/// All that have values of their own; `IDREF`, `ENTITY` and `NOTATION` ask for more than a value.
pub(super) const BUILTINS: &[Builtin] = &[
    builtin("string", Shape::Text, Facets::Length),
    builtin("normalizedString", Shape::Text, Facets::Length),
    builtin("token", Shape::Text, Facets::Length),
    builtin("language", Shape::Language, Facets::Length),
    builtin("Name", Shape::Name, Facets::Length),
    builtin("NCName", Shape::Name, Facets::Length),
    builtin("NMTOKEN", Shape::Name, Facets::Length),
    builtin("NMTOKENS", Shape::Names, Facets::Length),
    builtin("QName", Shape::QName, Facets::None),
    builtin("anyURI", Shape::Uri, Facets::Length),
    builtin("boolean", Shape::Boolean, Facets::None),
    builtin("decimal", Shape::Decimal, Facets::Digits),
    builtin("integer", Shape::Integer, Facets::Digits),
    builtin("nonPositiveInteger", Shape::Integer, Facets::Digits),
    builtin("negativeInteger", Shape::Integer, Facets::Digits),
    builtin("nonNegativeInteger", Shape::Integer, Facets::Digits),
    builtin("positiveInteger", Shape::Integer, Facets::Digits),
    builtin("long", Shape::Integer, Facets::Digits),
    builtin("int", Shape::Integer, Facets::Digits),
    builtin("short", Shape::Integer, Facets::Digits),
    builtin("byte", Shape::Integer, Facets::Digits),
    builtin("unsignedLong", Shape::Integer, Facets::Digits),
    builtin("unsignedInt", Shape::Integer, Facets::Digits),
    builtin("unsignedShort", Shape::Integer, Facets::Digits),
    builtin("unsignedByte", Shape::Integer, Facets::Digits),
    builtin("float", Shape::Real, Facets::Order),
    builtin("double", Shape::Real, Facets::Order),
    builtin("hexBinary", Shape::Hex, Facets::Length),
    builtin("base64Binary", Shape::Base64, Facets::Length),
    builtin("duration", Shape::Duration, Facets::Order),
    builtin("dateTime", Shape::Moment(Fields::DateTime), Facets::Order),
    builtin("date", Shape::Moment(Fields::Date), Facets::Order),
    builtin("time", Shape::Moment(Fields::Time), Facets::Order),
    builtin("gYearMonth", Shape::Moment(Fields::YearMonth), Facets::Order),
    builtin("gYear", Shape::Moment(Fields::Year), Facets::Order),
    builtin("gMonthDay", Shape::Moment(Fields::MonthDay), Facets::Order),
    builtin("gDay", Shape::Moment(Fields::Day), Facets::Order),
    builtin("gMonth", Shape::Moment(Fields::Month), Facets::Order),
];

/// Bounds of the integer types, and numbers around which something changes.
#[rustfmt::skip]
const INTEGERS: &[&str] = &[
    "0", "1", "9", "10", "99", "100", "127", "128", "255", "256", "32767", "32768", "65535", "65536", "2147483647",
    "2147483648", "4294967295", "4294967296", "9223372036854775807", "9223372036854775808", "18446744073709551615",
    "18446744073709551616", "123456789012345678901234567890",
];
#[rustfmt::skip]
const REALS: &[&str] = &[
    "INF", "-INF", "NaN", "+INF", "inf", "-NaN", "0", "-0", "1e", "e1", "1E5", "1e-5", "1.5E+2", "1E400", "-1E-400",
    ".5", "5.", ".", "3.4028235E38", "3.4028236E38", "1.4E-45", "0.1", "0.10000000149011612", "16777216",
    "16777217", "1e05", "1E1.0", "0x1",
];
#[rustfmt::skip]
const TEXTS: &[&str] = &[
    "", "a", "ab", "abc", "a b", " a", "a ", "a  b", "a&#9;b", "a&#10;b", "&#xD;a", "æøå", "😀", "a&amp;b", "ABC",
    "12", "&#32;", "e&#x301;", "-", "_", "abcdefghij",
];
#[rustfmt::skip]
const NAMES: &[&str] = &[
    "a", "_a", "a-b", "a.b", "a1", "1a", "-a", ".a", "a:b", ":a", "a:", ":", "é", "a·", "·a", "a b", "", " a ",
    "a/b", "xml", "Ωmega", "名", "a&#x300;", "&#x300;a", "a&#x2070;", "x:y:z", "a_b",
];
const QNAMES: &[&str] =
    &["a", "xs:a", "x:a", "nope:a", ":a", "xs:", "xs:a:b", " xs:a ", "1a", "xml:lang", "", "xs: a", "xs:1", "_:a"];
#[rustfmt::skip]
const LANGUAGES: &[&str] = &[
    "en", "nb-NO", "x-a", "abcdefgh", "abcdefghi", "en-", "-en", "en-12345678", "en-123456789", "e1", "", " en ",
    "en_US", "i-a-b-c", "é",
];
#[rustfmt::skip]
const URIS: &[&str] = &[
    "", "a", "http://a/b?c#d", "urn:a:b", "//a", "#x", "http://é/", "a b", "http://[::1]/", "mailto:a@b", "%41",
    "../a", "?", "a#b", "http://a:80/", "HTTP://a",
];
const ZONES: &[&str] = &[
    "", "", "", "Z", "Z", "+00:00", "-00:00", "+01:00", "-05:30", "+14:00", "-14:00", "+14:01", "+13:59", "+15:00",
    "-1:00", "+01:60", "+0100", "z", "+01",
];

/// A value as it may stand in a document, right or wrong.
pub(super) fn value(shape: Shape, chance: &mut Chance) -> String {
    let mut value = match shape {
        Shape::Text => joined(TEXTS, chance),
        Shape::Name => chance.pick(NAMES).to_owned(),
        Shape::Names => joined(NAMES, chance),
        Shape::QName => chance.pick(QNAMES).to_owned(),
        Shape::Language => chance.pick(LANGUAGES).to_owned(),
        Shape::Boolean => chance.pick(&["true", "false", "1", "0", "True", "2", "", "10", "yes"]).to_owned(),
        Shape::Decimal => decimal(chance),
        Shape::Integer => integer(chance),
        Shape::Real if chance.once_in(2) => chance.pick(REALS).to_owned(),
        Shape::Real => format!("{}{}", decimal(chance), chance.pick(&["", "", "E3", "e-2", "E+10"])),
        Shape::Hex => digits("0123456789abcdefABCDEFg", chance.below(9), chance),
        Shape::Base64 => base64(chance),
        Shape::Uri => chance.pick(URIS).to_owned(),
        Shape::Duration => duration(chance),
        Shape::Moment(fields) => moment(fields, chance),
    };
    if chance.once_in(8) {
        value = format!("{}{value}{}", chance.pick(&["", " ", "&#9;"]), chance.pick(&["", " ", "&#10; "]));
    }
    if chance.once_in(8) && value.is_ascii() && !value.contains('&') {
        damage(&mut value, chance);
    }
    value
}

/// Puts, takes or replaces one character.
fn damage(value: &mut String, chance: &mut Chance) {
    let at = chance.below(value.len() + 1);
    let end = if chance.once_in(2) { at } else { (at + 1).min(value.len()) };
    let put = chance.pick(&["", "0", "1", "-", "+", ".", ":", "T", "Z", "P", "x", " ", "E", "٣"]);
    value.replace_range(at..end, put);
}

fn joined(list: &[&str], chance: &mut Chance) -> String {
    let count = 1 + chance.below(3);
    let words: Vec<&str> = (0..count).map(|_| chance.pick(list)).collect();
    words.join(chance.pick(&[" ", " ", "", "  "]))
}

fn digits(alphabet: &str, count: usize, chance: &mut Chance) -> String {
    let alphabet: Vec<char> = alphabet.chars().collect();
    (0..count).map(|_| alphabet[chance.below(alphabet.len())]).collect()
}

fn integer(chance: &mut Chance) -> String {
    let sign = chance.pick(&["", "", "-", "-", "+"]);
    let zeros = chance.pick(&["", "", "", "0", "000"]);
    match chance.below(3) {
        0 => format!("{sign}{zeros}{}", chance.pick(INTEGERS)),
        1 => {
            let count = 1 + chance.below(6);
            format!("{sign}{zeros}{}", digits("0123456789", count, chance))
        }
        _ => format!("{sign}{}", chance.below(12)),
    }
}

fn decimal(chance: &mut Chance) -> String {
    let whole = if chance.once_in(8) { String::new() } else { integer(chance) };
    match chance.below(3) {
        0 => whole,
        _ => {
            let count = chance.below(5);
            format!("{whole}.{}", digits("00123456789", count, chance))
        }
    }
}

fn base64(chance: &mut Chance) -> String {
    const ALPHABET: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let groups = chance.below(4);
    let mut text = String::new();
    for _ in 0..groups {
        text += &digits(ALPHABET, 4, chance);
        text += chance.pick(&["", "", "", " ", "&#10;", "  "]);
    }
    text += chance
        .pick(&["", "", "QQ==", "QUI=", "QR==", "QUJ=", "Q===", "QQ=", "QQ", "=", "Q Q = =", "QUI =", "!QQ=", "w==="]);
    text
}

fn duration(chance: &mut Chance) -> String {
    const ROUND: &[&str] = &[
        "P1Y", "P12M", "P365D", "P366D", "P1M", "P30D", "P31D", "P28D", "PT24H", "P1D", "PT60M", "PT1H", "PT3600S",
        "P1Y2M", "P", "PT", "P1YT",
    ];
    if chance.once_in(3) {
        return format!("{}{}", chance.pick(&["", "", "-", "+"]), chance.pick(ROUND));
    }
    let mut text = chance.pick(&["P", "P", "-P"]).to_owned();
    let mut some = |text: &mut String, unit: &str| {
        if chance.once_in(2) {
            *text += &format!("{}{unit}", chance.below(40));
        }
    };
    ["Y", "M", "D"].into_iter().for_each(|unit| some(&mut text, unit));
    let date = text.len();
    text.push('T');
    ["H", "M"].into_iter().for_each(|unit| some(&mut text, unit));
    some(&mut text, "S");
    if chance.once_in(4) {
        text += chance.pick(&["1.5S", "0.000S", ".5S", "1.S", "61.25S"]);
    }
    if text.len() == date + 1 && !chance.once_in(6) {
        text.pop();
    }
    text
}

fn moment(fields: Fields, chance: &mut Chance) -> String {
    const YEARS: &[&str] = &[
        "2000", "2000", "2001", "2004", "1900", "1999", "2024", "2024", "0001", "-0001", "9999", "10000", "12000",
        "0999", "999", "02000", "-0004", "0000", "+2000",
    ];
    const MONTHS: &[&str] = &["01", "02", "02", "03", "04", "06", "11", "12", "12", "13", "00", "1"];
    const DAYS: &[&str] = &["01", "02", "15", "27", "28", "29", "29", "30", "31", "32", "00", "1"];
    #[rustfmt::skip]
    const TIMES: &[&str] = &[
        "00:00:00", "23:59:59", "12:00:00", "12:30:15", "24:00:00", "24:00:01", "23:59:60", "12:00:00.5", "12:00:00.50",
        "12:00:00.0", "12:00:00.", "12:60:00", "12:00", "1:00:00", "12:00:00.123456789012", "25:00:00",
    ];
    let (year, month, day) = (chance.pick(YEARS), chance.pick(MONTHS), chance.pick(DAYS));
    let (time, zone) = (chance.pick(TIMES), chance.pick(ZONES));
    match fields {
        Fields::DateTime => format!("{year}-{month}-{day}T{time}{zone}"),
        Fields::Date => format!("{year}-{month}-{day}{zone}"),
        Fields::Time => format!("{time}{zone}"),
        Fields::YearMonth => format!("{year}-{month}{zone}"),
        Fields::Year => format!("{year}{zone}"),
        Fields::MonthDay => format!("--{month}-{day}{zone}"),
        Fields::Day => format!("---{day}{zone}"),
        Fields::Month => format!("--{month}{zone}"),
    }
}
