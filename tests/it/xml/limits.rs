//! Each limit has its own fault, and no document within the limits costs more than its length.

use std::time::{Duration, Instant};

use sluse::xml::{FaultKind, Limits};

use super::fault;

fn kind(limits: &Limits, document: &str) -> Option<FaultKind> {
    let whole = fault(limits, [document.as_bytes()]);
    assert_eq!(whole, fault(limits, document.as_bytes().chunks(1)), "{document}");
    whole.map(|fault| fault.kind)
}

#[test]
fn each_limit_is_kept_to_the_last_and_has_its_own_fault() {
    let limits = Limits {
        depth: 3,
        attributes: 3,
        name_bytes: 9,
        attribute_bytes: 12,
        tag_bytes: 60,
        bindings: 3,
        declaration_bytes: 40,
    };
    for (within, beyond, fault) in [
        ("<a><a><a/></a></a>", "<a><a><a><a/></a></a></a>", FaultKind::TooDeep),
        ("<a b='' c='' d=''/>", "<a b='' c='' d='' e=''/>", FaultKind::TooManyAttributes),
        ("<a123456ø/>", "<a1234567ø/>", FaultKind::NameTooLong),
        ("<a b23456789=''/>", "<a b234567890=''/>", FaultKind::NameTooLong),
        ("<a></a        >", "<a></a123456789>", FaultKind::NameTooLong),
        ("<?p23456789?><a/>", "<?p234567890?><a/>", FaultKind::NameTooLong),
        ("<a>&#00000065;</a>", "<a>&#000000065;</a>", FaultKind::NameTooLong),
        ("<a b='&#00000065;'/>", "<a b='&#000000065;'/>", FaultKind::NameTooLong),
        ("<a b='123456789012'/>", "<a b='1234567890123'/>", FaultKind::AttributeTooLong),
        ("<a b='12345ø&lt;8'/>", "<a b='12345ø&lt;89'/>", FaultKind::AttributeTooLong),
        (
            "<a b='123456789012' c='123456789012'                       >",
            "<a b='123456789012' c='123456789012'                        >",
            FaultKind::TagTooLong,
        ),
        (
            "<a xmlns:b='u' xmlns:c='u' xmlns='u'/>",
            "<a xmlns:b='u' xmlns='u'><b xmlns:c='u' xmlns:d='u'/></a>",
            FaultKind::TooManyNamespaces,
        ),
        (
            "<?xml version='1.0'                   ?><a/>",
            "<?xml version='1.0'                     ?><a/>",
            FaultKind::DeclarationTooLong,
        ),
    ] {
        let within = if fault == FaultKind::TagTooLong { format!("{within}</a>") } else { within.to_owned() };
        assert_eq!(kind(&limits, &within), None, "{within}");
        assert_eq!(kind(&limits, beyond), Some(fault), "{beyond}");
    }
    // Declarations that have ended make room.
    assert_eq!(kind(&limits, "<a xmlns:b='u' xmlns:c='u'><a xmlns='u'/><a xmlns='u'/></a>"), None);
    // No limit at all, and the smallest, are limits too.
    let none = usize::MAX;
    let endless = Limits {
        depth: none,
        attributes: none,
        name_bytes: none,
        attribute_bytes: none,
        tag_bytes: none,
        bindings: none,
        declaration_bytes: none,
    };
    let document = "<?xml version='1.0'?><a xmlns:b='u' b:c='&amp;'>&#65;</a>";
    assert_eq!(kind(&endless, document), None);
    let least = Limits {
        depth: 0,
        attributes: 0,
        name_bytes: 0,
        attribute_bytes: 0,
        tag_bytes: 0,
        bindings: 0,
        declaration_bytes: 0,
    };
    assert_eq!(kind(&least, document), Some(FaultKind::DeclarationTooLong));
    assert!(kind(&least, "<a/>").is_some());
}

/// What it costs to read documents that come in pieces of a size, so many times.
fn cost(limits: &Limits, document: &str, piece: usize, times: usize) -> Duration {
    let (begun, own) = (Instant::now(), own_time());
    for _ in 0..times {
        assert_eq!(fault(limits, document.as_bytes().chunks(piece)), None);
    }
    own.zip(own_time()).map_or_else(|| begun.elapsed(), |(begun, ended)| ended.saturating_sub(begun))
}

/// What this thread has had of a core, where the system tells: others use the machine too.
fn own_time() -> Option<Duration> {
    let told = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    told.split(' ').next()?.parse().ok().map(Duration::from_nanos)
}

/// Eight small documents cost what one costs that is eight times as long, and not an eighth of it; the best of some tries,
/// long enough for the clock.
fn is_linear(what: &str, limits: &Limits, document: impl Fn(usize) -> String, size: usize, piece: usize) {
    const LEAST: Duration = Duration::from_millis(40);
    let (small, large) = (document(size / 8), document(size));
    let mut times = 1;
    while cost(limits, &large, piece, times) < LEAST {
        times *= 2;
    }
    let ratio = || {
        let (large, small) = (cost(limits, &large, piece, times), cost(limits, &small, piece, 8 * times));
        large.as_secs_f64() / small.as_secs_f64().max(1e-3)
    };
    assert!((0..8).any(|_| ratio() < 3.0), "{what} in pieces of {piece} bytes is not linear");
}

#[test]
fn nothing_is_quadratic() {
    const MANY: usize = 1 << 20;
    let limits = Limits {
        depth: MANY,
        attributes: MANY,
        name_bytes: 64 << 20,
        attribute_bytes: 64 << 20,
        tag_bytes: 64 << 20,
        bindings: MANY,
        ..Limits::default()
    };
    let list = |count: usize, write: &dyn Fn(usize) -> String| (0..count).map(write).collect::<String>();
    let attributes = |count: usize| format!("<a{}/>", list(count, &|n| format!(" a{n}=''")));
    let declarations = |count: usize| {
        let declared = list(count, &|n| format!(" xmlns:p{n}='u{n}'"));
        let used = list(count, &|n| format!(" p{n}:a=''"));
        format!("<a{declared}{used}/>")
    };
    let outermost = |count: usize| {
        let declared = list(1_000, &|n| format!(" xmlns:p{n}='u'"));
        format!("<p0:a{declared}>{}</p0:a>", "<p0:b/>".repeat(count))
    };
    let nested = |count: usize| {
        let open = list(count, &|n| format!("<p:a xmlns:p='u{n}'>"));
        format!("{open}{}", "</p:a>".repeat(count))
    };
    let deep = |count: usize| format!("{}{}", "<a>".repeat(count), "</a>".repeat(count));
    let references = |count: usize| format!("<a b='{}'>{}</a>", "&lt;".repeat(count), "&#65;".repeat(count));
    let long = |count: usize| "x".repeat(count);
    let tag = |count: usize| format!("<a b='{}'>]</a>", long(count));
    let name = |count: usize| format!("<a{0}></a{0}>", long(count));
    let target = |count: usize| format!("<a><?{}?></a>", long(count));
    let zeros = |count: usize| format!("<a>&#{}65;</a>", "0".repeat(count));
    let sections = |count: usize| {
        format!(
            "<a><!--{0}--><?p {1}?><![CDATA[{2}]]>{3}</a>",
            "- ".repeat(count),
            "?".repeat(count),
            "]".repeat(count),
            "]x".repeat(count)
        )
    };
    for piece in [1, usize::MAX] {
        is_linear("attributes", &limits, attributes, 20_000, piece);
        is_linear("declarations", &limits, declarations, 10_000, piece);
        is_linear("a prefix declared far away", &limits, outermost, 20_000, piece);
        is_linear("declarations one in the other", &limits, nested, 20_000, piece);
        is_linear("depth", &limits, deep, 50_000, piece);
        is_linear("references", &limits, references, 20_000, piece);
        is_linear("a long tag", &limits, tag, 256 << 10, piece);
        is_linear("a long name", &limits, name, 64 << 10, piece);
        is_linear("a long target", &limits, target, 64 << 10, piece);
        is_linear("a long reference", &limits, zeros, 64 << 10, piece);
        is_linear("sections", &limits, sections, 20_000, piece);
    }
}

#[test]
fn too_much_is_refused_before_it_is_kept() {
    let limits = Limits::default();
    let many = |write: &dyn Fn(usize) -> String| format!("<a{}/>", (0..200_000).map(write).collect::<String>());
    for (document, kind) in [
        (many(&|n| format!(" a{n}=''")), FaultKind::TagTooLong),
        (many(&|n| format!(" xmlns:a{n}='u'")), FaultKind::TagTooLong),
        (format!("<a{}/>", (0..300).map(|n| format!(" a{n}=''")).collect::<String>()), FaultKind::TooManyAttributes),
        (
            "<p:a xmlns:p='u'>".repeat(250) + &"<a xmlns:p='u' xmlns:q='u' xmlns='u'>".repeat(5),
            FaultKind::TooManyNamespaces,
        ),
        ("<a>".repeat(100_000), FaultKind::TooDeep),
        (format!("<a b='{}'/>", "x".repeat(300_000)), FaultKind::AttributeTooLong),
        (format!("<a {}", "x".repeat(1 << 20)), FaultKind::TagTooLong),
        (format!("<a></{}", "a".repeat(1 << 20)), FaultKind::TagTooLong),
        (format!("<a>&{}", "a".repeat(1 << 20)), FaultKind::NameTooLong),
        (format!("<a><?{}", "a".repeat(1 << 20)), FaultKind::NameTooLong),
        (format!("<?xml {}", " ".repeat(1 << 20)), FaultKind::DeclarationTooLong),
    ] {
        for piece in [1_000, usize::MAX] {
            let fault = fault(&limits, document.as_bytes().chunks(piece)).map(|fault| fault.kind);
            assert_eq!(fault, Some(kind), "{}", &document[..40]);
        }
    }
}
