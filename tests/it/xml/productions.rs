//! Production by production: numbers in brackets are the recommendation's.

use sluse::xml::FaultKind::{
    BadEncoding, Dtd, EncodingContradicted, NotWellFormed, NotXml, Truncated, UndeclaredPrefix, UnsupportedEncoding,
};

use super::{faulty, judged, sound};

#[test]
fn documents_1_22_27() {
    sound(&[
        "<a/>",
        "<a></a>",
        "\n \t\r<a/>\n \t\r",
        "<!-- b --><?c d?>\n<!-- e --><a/><!-- f --><?g h?>\n<!-- i -->",
        "<?xml version='1.0'?><a/>",
        "<?xml version='1.0'?>\n\n<!-- b -->\n<a/>\n",
        "\u{feff}<a/>",
        "\u{feff}<?xml version='1.0'?><a/>",
    ]);
    faulty(NotXml, &["¦", " \n\n¦", "\u{feff}¦", "¦hello", " \n ¦&amp;", "¦]]>", "\u{feff} ¦\u{feff}<a/>"]);
    faulty(
        NotWellFormed,
        &[
            "<a/>¦<b/>",
            "<a></a>¦<a></a>",
            "<a/>¦x",
            "<a/>\n ¦&#32;",
            "<a/>¦&#32;",
            "<a/>¦]]>",
            "<a/>¦</a>",
            "<!-- -->¦x<a/>",
            "<!-- -->¦&#32;<a/>",
            "<?x?>¦\u{feff}<a/>",
            "¦<![CDATA[]]><a/>",
            "<a/>¦<![CDATA[]]>",
            "¦</a>",
            "<a/>\u{20}¦\u{a0}",
            "<a/>¦\u{85}",
        ],
    );
    faulty(Truncated, &["<!-- -->¦", "<?x?>\n¦", "<a>¦", "<a><b></b>¦", "<a¦", "<¦", "<a/><¦", "<a/><!-¦", "<a></a¦"]);
}

#[test]
fn characters_2() {
    sound(&[
        "<a>\t\n\r \u{7f}\u{80}\u{85}\u{9f}\u{2028}\u{d7ff}\u{e000}\u{fffd}\u{10000}\u{1ffff}\u{10ffff}\u{fdd0}</a>",
        "<a b='\t\n\r\u{10ffff}\u{7f}'/>",
        "<!-- \u{7f}\u{10fffd} --><a/>",
        "<a>\u{feff}</a>",
    ]);
    let mut places =
        vec!["<a>x¦#</a>", "<a b='¦#'/>", "<a><!-- ¦# --></a>", "<a><?b ¦#?></a>", "<a><![CDATA[¦#]]></a>"];
    places.extend(["<a>\n¦#</a>", "<a¦#/>", "<a/>¦#"]);
    for place in places {
        for forbidden in ["\0", "\u{1}", "\u{8}", "\u{b}", "\u{c}", "\u{e}", "\u{1f}", "\u{fffe}", "\u{ffff}"] {
            faulty(NotWellFormed, &[&place.replace('#', forbidden)]);
        }
    }
}

#[test]
fn bytes_that_are_no_utf_8() {
    for bytes in [
        &b"\xC0\xAF"[..],
        b"\xE0\x80\xAF",
        b"\xED\xA0\x80",
        b"\xED\xBF\xBF",
        b"\xF4\x90\x80\x80",
        b"\xF8\x88\x80\x80\x80",
        b"\x80",
        b"\xFF",
        b"\xE6x",
        b"\xF0\x9F\x98x",
    ] {
        for (before, after) in [("<a>x", "</a>"), ("<a b='", "'/>"), ("<a><!--", "--></a>"), ("<", "/>")] {
            let document = [before.as_bytes(), bytes, after.as_bytes()].concat();
            let fault = judged(&document).unwrap();
            assert_eq!((fault.kind, fault.at.offset), (BadEncoding, before.len() as u64), "{before} {bytes:X?}");
        }
    }
}

#[test]
fn names_4_5() {
    let starts = ":A_az\u{c0}\u{d6}\u{d8}\u{f6}\u{f8}\u{2ff}\u{370}\u{37d}\u{37f}\u{1fff}\u{200c}\u{200d}\u{2070}\u{218f}\u{2c00}\u{2fef}\u{3001}\u{d7ff}\u{f900}\u{fdcf}\u{fdf0}\u{fffd}\u{10000}\u{effff}";
    let others = "-.09\u{b7}\u{300}\u{36f}\u{203f}\u{2040}";
    let never = "\u{d7}\u{f7}\u{37e}\u{2000}\u{200b}\u{200e}\u{2041}\u{206f}\u{2190}\u{2bff}\u{2ff0}\u{3000}\u{e000}\u{fdd0}\u{fdef}\u{f0000}\u{10ffff}!$%()*+,;@[\\]^`{|}~";
    for c in starts.chars().filter(|c| *c != ':') {
        sound(&[&format!("<{c}/>"), &format!("<x{c}></x{c}>"), &format!("<a {c}=''/>"), &format!("<a><?{c}?></a>")]);
    }
    for c in others.chars() {
        sound(&[&format!("<x{c}/>"), &format!("<a x{c}=''/>"), &format!("<?x{c}?><a/>")]);
        faulty(NotWellFormed, &[&format!("<¦{c}/>"), &format!("<a ¦{c}=''/>"), &format!("<?¦{c}?><a/>")]);
    }
    for c in never.chars() {
        faulty(NotWellFormed, &[&format!("<x¦{c}/>"), &format!("<a x¦{c}=''/>"), &format!("<?x¦{c}?><a/>")]);
        if c != '!' {
            faulty(NotWellFormed, &[&format!("<¦{c}x/>")]);
        }
        faulty(NotWellFormed, &[&format!("<a ¦{c}x=''/>"), &format!("<?¦{c}x?><a/>")]);
    }
    faulty(
        NotWellFormed,
        &["<¦ a/>", "<¦\na/>", "<¦>", "<¦=/>", "<¦'a'/>", "<a><¦ </a>", "<a>1 <¦ 2</a>", "<a><¦<b/></a>"],
    );
}

#[test]
fn text_14_and_cdata_18_to_21() {
    sound(&[
        "<a>]</a>",
        "<a>]]</a>",
        "<a>]>]] ></a>",
        "<a>]]<b/>></a>",
        "<a>]]<!-- -->></a>",
        "<a>]]&gt;</a>",
        "<a>&#93;]></a>",
        "<a>]&#93;></a>",
        "<a><![CDATA[]]></a>",
        "<a><![CDATA[<b>&amp;&nosuch;]]]></a>",
        "<a><![CDATA[]]]]><![CDATA[>]]></a>",
        "<a><![CDATA[<![CDATA[]]></a>",
        "<a><![CDATA[ ] ]> ]] > ]]]]]></a>",
        "<a>></a>",
        "<a>\"'</a>",
    ]);
    faulty(
        NotWellFormed,
        &[
            "<a>¦]]></a>",
            "<a>x¦]]></a>",
            "<a>]¦]]></a>",
            "<a>]]]¦]]></a>",
            "<a>&lt;¦]]></a>",
            "<a><![CDATA[]]>¦]]></a>",
            "<a><b/>¦]]></a>",
            "<a>¦<![cdata[]]></a>",
            "<a>¦<![ CDATA[]]></a>",
            "<a>¦<![CDATA []]></a>",
            "<a>¦<![INCLUDE[]]></a>",
        ],
    );
    faulty(Truncated, &["<a><![CDATA[¦", "<a><![CDATA[x]]¦", "<a><![CDA¦", "<a><![CDATA[</a>¦", "<a>]]¦"]);
}

#[test]
fn comments_15() {
    sound(&[
        "<!----><a/>",
        "<!-- - -><a> --><a/>",
        "<!-- <!- &nosuch; ]]> <?xml?> --><a/>",
        "<a><!-- - - --></a>",
        "<!--->--><a/>",
    ]);
    faulty(
        NotWellFormed,
        &[
            "<!-- ¦-- --><a/>",
            "<!-- ¦---><a/>",
            "<!-- ¦--- --><a/>",
            "<!--¦---><a/>",
            "<a><!--x¦--y--></a>",
            "¦<!- - --><a/>",
            "¦<! -- --><a/>",
            "<a b='¦<!-- -->'/>",
            "<a ¦<!-- --> />",
        ],
    );
    faulty(Truncated, &["<a/><!-- ¦", "<a><!-- --¦", "<!-- -¦", "<!-¦", "<a><!--->¦"]);
}

#[test]
fn instructions_16_17() {
    sound(&[
        "<?a?><b/>",
        "<?a ?><b/>",
        "<?a ??><b/>",
        "<?a ? > <c> & ?><b/>",
        "<?a\n?><b/>",
        "<?xml-stylesheet href='c'?><b/>",
        "<?xm l?><?xmlx?><?ml?><b/>",
        "<b><?a b?></b><?a ]]>?>",
        "<?_-.1 x?><b/>",
    ]);
    faulty(
        NotWellFormed,
        &[
            "<?¦ a?><b/>",
            "<?¦?><b/>",
            "<?¦1?><b/>",
            "<?a¦?b?><b/>",
            "<?a¦>?><b/>",
            "<?¦a:b c?><b/>",
            "¦<?XML version='1.0'?><b/>",
            "¦<?xMl?><b/>",
            " ¦<?xml version='1.0'?><b/>",
            "<!-- -->¦<?xml version='1.0'?><b/>",
            "<?xml version='1.0'?>¦<?xml version='1.0'?><b/>",
            "<b>¦<?xml version='1.0'?></b>",
            "<b/>¦<?Xml ?>",
        ],
    );
    faulty(Truncated, &["<?a ¦", "<?a?¦", "<?a b?¦", "<b/><?a >¦", "<?¦"]);
}

#[test]
fn declarations_23_to_26_32_80() {
    sound(&[
        "<?xml version='1.0'?><a/>",
        "<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"yes\"?><a/>",
        "<?xml\tversion\n=\r'1.0' encoding = 'utf-8'\tstandalone\n=\n'no' ?><a/>",
        "<?xml version='1.1'?><a/>",
        "<?xml version='1.999'?><a/>",
        "<?xml version='1.0' standalone='no'?><a/>",
        "<?xml version='1.0' encoding='us-ascii'?><a/>",
    ]);
    faulty(
        NotWellFormed,
        &[
            "<?xml¦?><a/>",
            "<?xml ¦?><a/>",
            "<?xml ¦encoding='utf-8'?><a/>",
            "<?xml ¦standalone='yes'?><a/>",
            "<?xml ¦Version='1.0'?><a/>",
            "<?xml version¦?><a/>",
            "<?xml version=¦1.0?><a/>",
            "<?xml version='¦'?><a/>",
            "<?xml version='¦1'?><a/>",
            "<?xml version='¦1.'?><a/>",
            "<?xml version='¦2.0'?><a/>",
            "<?xml version='¦ 1.0'?><a/>",
            "<?xml version='¦1.0 '?><a/>",
            "<?xml version='¦1.0\"?><a/>",
            "<?xml version='1.0'¦encoding='utf-8'?><a/>",
            "<?xml version='1.0' encoding='utf-8'¦standalone='no'?><a/>",
            "<?xml version='1.0' standalone='no' ¦encoding='utf-8'?><a/>",
            "<?xml version='1.0' ¦version='1.0'?><a/>",
            "<?xml version='1.0' encoding='¦'?><a/>",
            "<?xml version='1.0' encoding='¦8utf'?><a/>",
            "<?xml version='1.0' encoding='¦utf 8'?><a/>",
            "<?xml version='1.0' encoding='¦utf:8'?><a/>",
            "<?xml version='1.0' standalone='¦Yes'?><a/>",
            "<?xml version='1.0' standalone='¦'?><a/>",
            "<?xml version='1.0' ¦other='1'?><a/>",
            "<?xml version='1.0'¦><a/>",
            "<?xml version='1.0' ¦><a/>",
            "<?xml version='1.0'¦? ><a/>",
            "<?xml version='1.0'¦/><a/>",
            "<?xml version='¦1.0?><a/>",
        ],
    );
    faulty(EncodingContradicted, &["<?xml version='1.0' encoding='¦UTF-16'?><a/>"]);
    faulty(EncodingContradicted, &["\u{feff}<?xml version='1.0' encoding='¦iso-8859-1'?><a/>"]);
    faulty(UnsupportedEncoding, &["<?xml version='1.0' encoding='¦EUC-JP'?><a/>"]);
    faulty(
        Truncated,
        &["<?xml version='1.0'¦", "<?xml version='1.0' encoding='utf-8'?¦", "<?xml¦", "<?xml version='1.0'?>¦"],
    );
}

#[test]
fn document_types_28_are_refused() {
    faulty(
        Dtd,
        &[
            "¦<!DOCTYPE a><a/>",
            "<?xml version='1.0'?>\n<!-- b -->¦<!DOCTYPE a SYSTEM 'a.dtd'><a/>",
            "¦<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>",
            "¦<!DOCTYPEa><a/>",
            "<a>¦<!DOCTYPE a></a>",
            "¦<!DOCTYPE",
        ],
    );
    faulty(
        NotWellFormed,
        &["¦<!doctype a><a/>", "¦<! DOCTYPE a><a/>", "¦<!ENTITY b 'c'><a/>", "<a>¦<!ELEMENT a ANY></a>", "<a>¦<!></a>"],
    );
    faulty(Truncated, &["<!DOCTYP¦", "<!¦"]);
}

#[test]
fn elements_39_to_44() {
    sound(&[
        "<a\n/>",
        "<a\t></a\r\n>",
        "<a b='c'/>",
        "<a b='c' d=\"e\"\nf\t=\r'g'></a>",
        "<a b='c'\n/>",
        "<a b=\"'>/'\" c='\">\"'/>",
        "<a b=''/>",
        "<a><b><c/></b><b/></a>",
        "<a b='>'/>",
        "<xmlns/>",
        "<xml/>",
        "<a B='1' b='2'/>",
    ]);
    faulty(
        NotWellFormed,
        &[
            "<a>¦</b>",
            "<a>¦</A>",
            "<a><b>¦</a></b>",
            "<a></a ¦b>",
            "<a></a¦/>",
            "<a></¦ a>",
            "<a></¦>",
            "<a ¦/ >",
            "<a b¦></a>",
            "<a b¦/>",
            "<a b ¦/>",
            "<a b=¦c/>",
            "<a b=¦/>",
            "<a b='c'¦d='e'/>",
            "<a b='c' ¦b='d'/>",
            "<a b='1' c='2' ¦b='3' c='4'/>",
            "<a b='¦<'/>",
            "<a b='c>¦</a>",
            "<a b=¦‘c’/>",
            "<a ¦=''/>",
            "<a ¦''/>",
            "<a b=''¦=/>",
            "<a¦<b/></a>",
            "<a ¦&amp;='b'/>",
            "<a></a ¦<b/>",
        ],
    );
}

#[test]
fn elements_that_are_cut_off() {
    faulty(Truncated, &["<a b¦", "<a b=¦", "<a b='¦", "<a b='c¦", "<a b='c'\"/>¦", "<a b='c'/¦", "<a>x</a¦", "<a></¦"]);
}

#[test]
fn references_66_to_68() {
    sound(&[
        "<a>&amp;&lt;&gt;&quot;&apos;</a>",
        "<a b='&amp;&lt;&gt;&quot;&apos;'/>",
        "<a>&#9;&#10;&#13;&#32;&#65;&#1114111;</a>",
        "<a>&#x9;&#xA;&#xd;&#x20;&#xD7FF;&#xE000;&#xFFFD;&#x10000;&#x10FFFF;</a>",
        "<a>&#00065;&#x00000000000000000000000000000000000000000000000000000041;</a>",
        "<a b='&#60;&#38;&#x3c;'/>",
        "<a>&lt;&#47;a&gt;</a>",
        "<a>&#x80;&#133;</a>",
    ]);
    for bad in [
        "&",
        "& ",
        "&;",
        "&#;",
        "&#x;",
        "&#X41;",
        "&#65",
        "&#a;",
        "&#6a;",
        "&#xg;",
        "&#-1;",
        "&#+1;",
        "&# 65;",
        "&#65 ;",
        "&amp",
        "&amp ;",
        "& amp;",
        "&nbsp;",
        "&AMP;",
        "&Lt;",
        "&a:b;",
        "&å;",
        "&1;",
        "&#0;",
        "&#8;",
        "&#11;",
        "&#31;",
        "&#xD800;",
        "&#xDFFF;",
        "&#xFFFE;",
        "&#xFFFF;",
        "&#x110000;",
        "&#4294967361;",
        "&#99999999999999999999;",
        "&&amp;",
        "&a&b;",
        "&#x0;",
        "&%;",
        "&amp\u{3b1};",
        "&#\u{661};",
    ] {
        faulty(NotWellFormed, &[&format!("<a>x¦{bad}</a>"), &format!("<a b='x¦{bad}'/>")]);
    }
    faulty(Truncated, &["<a>&¦", "<a>&am¦", "<a>&#x4¦"]);
    faulty(NotWellFormed, &["<a>¦&am<b/>;</a>", "<a>¦&am<!-- -->p;</a>"]);
}

#[test]
fn namespaces() {
    sound(&[
        "<a xmlns='u'/>",
        "<a xmlns=''/>",
        "<a xmlns='u'><b xmlns=''/></a>",
        "<p:a xmlns:p='u'/>",
        "<p:a xmlns:p='u' p:b='' b=''/>",
        "<a xmlns:p='u' xmlns:q='v' p:b='' q:b='' b=''/>",
        "<a xmlns='u' xmlns:p='u' p:b='' b=''/>",
        "<a xmlns:p='u'><a xmlns:p='v'><p:a/></a><p:a/></a>",
        "<p:a p:b='' xmlns:p='u'/>",
        "<a xml:lang='nb' xml:space='preserve'/>",
        "<xml:a/>",
        "<a xmlns:xml='http://www.w3.org/XML/1998/namespace'/>",
        "<a xmlns:xmlp='u' xmlp:b=''/>",
        "<a xmlns:p='not a name of anything'/>",
        "<a xmlns:é='u' é:æ=''/>",
        "<a xmlns:p=' '/>",
        "<a xmlns:p='http://www.w3.org/XML/1998/Namespace'/>",
        "<a xmlns:p='http://www.w3.org/2000/xmlns'/>",
        "<a xmlns:p='u' xmlns:q='U' p:b='' q:b=''/>",
        "<a xmlns:p='u' xmlns:q='&#x55;' p:b='' q:b=''/>",
    ]);
    faulty(
        NotWellFormed,
        &[
            "<a ¦xmlns:p=''/>",
            "<a ¦xmlns:xmlns='u'/>",
            "<a ¦xmlns:xmlns='http://www.w3.org/2000/xmlns/'/>",
            "<a ¦xmlns:xml='u'/>",
            "<a ¦xmlns:xml=''/>",
            "<a ¦xmlns='http://www.w3.org/XML/1998/namespace'/>",
            "<a ¦xmlns:p='http://www.w3.org/XML/1998/namespace'/>",
            "<a ¦xmlns='http://www.w3.org/2000/xmlns/'/>",
            "<a ¦xmlns:p='http://www.w3.org/2000/xmlns/'/>",
            "<a ¦xmlns:p='http://www.w3.org/XML/1998/namespac&#101;'/>",
            "<a xmlns='u' ¦xmlns='v'/>",
            "<a xmlns:p='u' ¦xmlns:p='u'/>",
            "<a xmlns:p='u' xmlns:q='u' p:b='' ¦q:b=''/>",
            "<a xmlns:p='u' xmlns:q='&#117;' p:b='' ¦q:b=''/>",
            "<b xmlns:p='u'><a xmlns:q='u' q:b='' c='' ¦p:b=''/></b>",
            "<a xmlns:p='u' p:b='' ¦p:b=''/>",
            "<¦:a/>",
            "<¦a:/>",
            "<¦a:b:c/>",
            "<¦a:1/>",
            "<¦a::b/>",
            "<a ¦:b=''/>",
            "<a ¦b:=''/>",
            "<a ¦b:c:d=''/>",
            "<a ¦xmlns:=''/>",
            "<a ¦xmlns:p:q=''/>",
            "<a ¦:xmlns=''/>",
            "<¦:/>",
            "<a>¦</a:b></a>",
            "<p:a xmlns:p='u' xmlns:q='u'>¦</q:a>",
        ],
    );
    faulty(
        UndeclaredPrefix,
        &[
            "<¦p:a/>",
            "<a ¦p:b=''/>",
            "<a><b xmlns:p='u'/>\n<¦p:c/></a>",
            "<a xmlns='u' ¦p:b=''/>",
            "<¦xmlns:a/>",
            "<a xmlns:P='u'><¦p:b/></a>",
            "<a xmlns:p='u' ¦q:b=''/>",
        ],
    );
}
