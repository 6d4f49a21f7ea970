//! What becomes of HTML, and that no text of it becomes markup.

use proptest::prelude::*;

use super::{Converter, Loss, Markdown};

fn convert(html: &str) -> Markdown {
    let mut converter = Converter::new(30_000);
    converter.push(html.as_bytes());
    converter.finish()
}

fn text(html: &str) -> String {
    convert(html).text.unwrap()
}

#[test]
fn blocks_are_lines_and_paragraphs() {
    let table = [
        ("<p>Hei,\n  <b>du</b></p><p>der</p>", "Hei, **du**\n\nder"),
        ("<div><div>a</div></div>b", "a\n\nb"),
        ("a<br>b<br/><br />c<br>", "a  \nb\n\nc"),
        ("<h1>Vedtak <i>om</i><br>noe</h1>tekst<h3>To</h3>", "# Vedtak *om* noe\n\ntekst\n\n### To"),
        ("a<hr>b", "a\n\n---\n\nb"),
        ("<b>a<hr>b</b>", "**a**\n\n---\n\n**b**"),
        ("<h2>a<hr>b</h2>", "## a\n\n---\n\n## b"),
        ("<a href='https://a.example'>a<hr></a>", "[a](https://a.example)\n\n---"),
        ("<h2>Programmering i C #</h2><h3>a ##</h3>", "## Programmering i C \\#\n\n### a \\##"),
        ("<blockquote>a<p>b</p></blockquote>c", "> a\n>\n> b\n\nc"),
        ("<pre>a\n  b</pre>", "a  \nb"),
        ("", ""),
        (" \n <p> </p>", ""),
    ];
    for (html, expected) in table {
        assert_eq!(text(html), expected, "{html}");
    }
}

#[test]
fn lists_are_lists() {
    let table = [
        ("<p>x</p><ul><li>a<li>b</li></ul>c", "x\n\n- a\n- b\n\nc"),
        ("<ol start=3><li><p>a</p></li><li>b<ul><li>c</li></ul></li></ol>", "3. a\n4. b\n   - c"),
        ("<ul><li>a<p>b</p></li></ul>", "- a\n\n  b"),
        ("<li>a</li>", "- a"),
        ("</ul></li></blockquote>a", "a"),
        ("<ul><li>a<ul><li>b</li></ul>c</li><li>d</li></ul>", "- a\n  - b\n\n  c\n- d"),
        ("<ul><li>a</li>x</ul>", "- a\n\nx"),
        ("<li>a</li>x", "- a\n\nx"),
        ("<ul><li><ul></ul>a</li></ul>", "- a"),
        ("<ul><li>a<ol><li>b</ol></li></ul>", "- a\n  1. b"),
        ("<ul><li>a<ol start=3><li>b</ol></li></ul>", "- a\n\n  3. b"),
    ];
    for (html, expected) in table {
        assert_eq!(text(html), expected, "{html}");
    }
}

#[test]
fn marks_stand_close_to_their_text() {
    let table = [
        ("en <b> to </b>tre", "en **to** tre"),
        ("<b></b>a<i> </i>b", "a b"),
        ("<b>a<p>b</p></b>", "**a**\n\n**b**"),
        ("<b>a<strong>b</strong></b>", "**ab**"),
        ("<a href='https://etat.example/a (b)'> Svar </a>nå", "[Svar](https://etat.example/a%20%28b%29) nå"),
    ];
    for (html, expected) in table {
        assert_eq!(text(html), expected, "{html}");
    }
    let (a, b) = ("<a href='https://a.example'>", "<a href='https://b.example'>");
    let table = [
        (format!("{a}<div>Se vedtaket</div></a> nå"), "[Se vedtaket](https://a.example)\n\nnå"),
        (format!("{a}<h2>T</h2><p>x</p></a>y"), "## [T](https://a.example)\n\n[x](https://a.example)\n\ny"),
        (format!("{a}x<ul><li>y</ul></a>"), "[x](https://a.example)\n\n- [y](https://a.example)"),
        (format!("<p>{a}x</p><p>{b}y</a> z</p>"), "[x](https://a.example)\n\n[y](https://b.example) z"),
        (format!("{a}x<br><br>y</a>"), "[x](https://a.example)\n\n[y](https://a.example)"),
    ];
    for (html, expected) in table {
        let made = convert(&html);
        assert_eq!((made.text.as_deref(), made.losses.is_empty()), (Some(expected), true), "{html}");
    }
    assert_eq!(text("<b>a<br><br>b</b>"), "**a**\n\n**b**");
    assert_eq!(text("<b>a<i>b</b>c</i>"), "**a*b*** *c*", "what was crossed goes on");
}

#[test]
fn marks_are_read_as_marks() {
    let table = [
        ("Viktig!<a href='https://a.example'>Les mer</a>", "Viktig\\![Les mer](https://a.example)"),
        ("<a href=https://a.example/>Svar</a>", "[Svar](https://a.example/)"),
        ("Viktig! <a href='https://a.example'>x</a>", "Viktig! [x](https://a.example)"),
        ("a<b>!<a href='https://a.example'>x</a></b>", "a **\\![x](https://a.example)**"),
        ("<b>Frist:</b>1. mai", "**Frist:** 1. mai"),
        ("<b>Frist:</b> 1. mai", "**Frist:** 1. mai"),
        ("<b>Hei!</b>, du", "**Hei!**, du"),
        ("<b>Sum</b>mer, <i>kr</i>€", "**Sum**mer, *kr*€"),
        ("<b>Sum:</b>€", "**Sum:** €"),
        ("etter<b>(1)</b>", "etter **(1)**"),
        ("(<b>«a»</b>)", "(**«a»**)"),
        ("b<i><a href='https://a.example'>x</a></i>c", "b *[x](https://a.example)* c"),
        ("<b>Fr</b><b>ist</b><strong>en</strong>", "**Fristen**"),
        ("<a href='https://a.example'>a</a><a href='https://a.example'>b</a>", "[ab](https://a.example)"),
        ("<b>a</b><i>b</i>", "**a** *b*"),
        ("<i><b>a</b></i><i>b</i>", "***a**b*"),
    ];
    for (html, expected) in table {
        assert_eq!(text(html), expected, "{html}");
    }
}

#[test]
fn nothing_of_the_text_is_markup() {
    let table = [
        ("* a _b_ `c` [d](e) \\", "\\* a \\_b\\_ \\`c\\` \\[d\\](e) \\\\"),
        ("# a", "\\# a"),
        ("- a<br>1. b<br>2) c<br>+ d", "\\- a  \n1\\. b  \n2\\) c  \n\\+ d"),
        ("2026. 1.5 – a-b", "2026\\. 1.5 – a-b"),
        ("a &lt;b&gt; c &amp;lt; R&amp;D &amp; E &", "a &lt;b&gt; c &amp;lt; R&amp;D & E &"),
        ("1 < 2 <3 <", "1 &lt; 2 &lt;3 &lt;"),
        ("Fradrag <grense i 2026", "Fradrag &lt;grense i 2026"),
        ("Send til <post@etat.no>.", "Send til &lt;post@etat.no&gt;."),
        (
            "Se <http://a.example/b>, </post@etat.no> <søk>",
            "Se &lt;http://a.example/b&gt;, &lt;/post@etat.no&gt; &lt;søk&gt;",
        ),
        ("<o:p>a</o:p ><b>c</b class=d>e<x-y/>", "a\n\n**c**e"),
        ("a<b title=\"c> d", "a&lt;b title=\"c&gt; d"),
        ("bl&aring;b&aelig;r&nbsp;&ndash; 5&nbsp;kr", "blåbær – 5 kr"),
        ("<x:p xmlns:x='u'>a<![CDATA[<b>]]]></x:p>", "a&lt;b&gt;\\]"),
    ];
    for (html, expected) in table {
        assert_eq!(text(html), expected, "{html}");
    }
}

#[test]
fn titles_are_plain() {
    assert_eq!(super::plain(" <b>Ved</b>tak<br/>om R&D &amp; 1 < 2\n "), "Vedtak om R&D & 1 < 2");
    let table = [
        ("Fradrag <grense i 2026", "Fradrag ‹grense i 2026"),
        ("Svar til Ola <ola@x.no>", "Svar til Ola ‹ola@x.no›"),
        ("Til <b>Ola</b> <ola@x.no> 1 < 2 > 1", "Til Ola ‹ola@x.no› 1 < 2 > 1"),
        ("a <q <b>b</b> <i", "a ‹q b ‹i"),
        ("&lt;p&gt; R&amp;D <R&amp;D>", "‹p› R&D ‹R&D›"),
        ("<p>a</p>b<td>c</td>d<i>e</i>f", "a b c def"),
        ("</ola>", "‹/ola›"),
        ("Frist <!ny> 1. mai", "Frist ‹!ny› 1. mai"),
        ("Hva <? nå", "Hva ‹? nå"),
        ("Ny bok: <title> og mer", "Ny bok: og mer"),
    ];
    for (html, expected) in table {
        assert_eq!(super::plain(html), expected, "{html}");
    }
    assert_eq!(super::escape("1. *a* <b>\nc"), "1\\. \\*a\\* &lt;b&gt; c");
}

#[test]
fn what_is_lost_is_told() {
    let table: [(&str, &str, &[Loss]); 11] = [
        ("<a href='https://a.example'> </a>x", "x", &[Loss::Links]),
        ("x<a href='https://a.example'>", "x", &[Loss::Links]),
        ("<p style='color:red'>a</p>", "a", &[Loss::Styles]),
        ("<style>p{}</style><u>a</u>", "a", &[Loss::Styles]),
        ("<table><tr><th>a</th><th>b</th></tr><tr><td>c<td>d</table>e", "a | b  \nc | d\n\ne", &[Loss::Tables]),
        ("a <img src=x alt='Logo'>", "a Logo", &[Loss::Images]),
        ("<a href='javascript:x()'>a</a> <a href='/b'>b</a> <a name=c>c</a>", "a b c", &[Loss::Links]),
        ("<script>if (a<b) '</p>'</script>x<noscript>y</noscript>", "x", &[Loss::Scripts]),
        ("<select><option>a</select><input>x", "x", &[Loss::Forms]),
        ("<svg><svg/><text>a</text></svg>x<iframe>b</iframe>", "x", &[Loss::Objects]),
        ("<html><head><title>a</title></head><body><!-- b --><?c?><!DOCTYPE d>e", "e", &[]),
    ];
    for (html, expected, losses) in table {
        let made = convert(html);
        assert_eq!(made.text.as_deref(), Some(expected), "{html}");
        assert_eq!(made.losses.iter().copied().collect::<Vec<_>>(), losses, "{html}");
    }
}

#[test]
fn a_head_needs_no_end() {
    let table = [
        "<html><head><meta charset=utf-8><title>x</title><body><p>a</p></body></html>",
        "<head><title>x</title><style>p{}</style><script>s</script><p>a</p>",
        "<head><meta/><base><link><xml><w:View>Normal</w:View></xml><noscript>n</noscript></head>a",
        "<head><title>x</title>a",
        "<head></head><!-->a<!---><!-- b -->",
    ];
    for html in table {
        let made = convert(html);
        assert_eq!((made.text.as_deref(), made.is_partial), (Some("a"), false), "{html}");
    }
}

#[test]
fn text_that_nobody_would_see_is_told() {
    for name in ["select", "object", "map", "canvas", "noscript", "template", "svg", "title", "script", "textarea"] {
        assert!(convert(&format!("a<{name}><p>b</p></body>")).is_partial, "{name}");
        assert!(!convert(&format!("a<{name}>b</{name}>")).is_partial, "{name}");
    }
    for partial in
        ["<noscript><p>a</p></noscript>", "<iframe>a</iframe> ", "a<!-- b", "a<?b", "a<object><object>b</object>"]
    {
        assert!(convert(partial).is_partial, "{partial}");
    }
    for whole in ["", "<p> </p>", "a<object>\n", "<img src=x>", "&shy;", "<p>a", "a <", "<![CDATA[a"] {
        assert!(!convert(whole).is_partial, "{whole}");
    }
}

#[test]
fn a_text_beyond_the_limit_is_none_and_takes_no_room() {
    let mut converter = Converter::new(10);
    (0..100_000).for_each(|_| converter.push(b"<b>words</b> "));
    assert_eq!(converter.finish().text, None);
    let mut converter = Converter::new(10);
    converter.push("ååååååååå<i>".as_bytes());
    converter.push("å</i>".as_bytes());
    assert_eq!(converter.finish().text, None, "the marks count, too");
    let mut converter = Converter::new(30_000);
    converter.push("🙂".repeat(15_001).as_bytes());
    assert_eq!(converter.finish().text, None, "as .NET counts");
    let picture = format!("<img alt='a' src='data:{}'>b", "x".repeat(1_000_000));
    assert_eq!(text(&picture), "ab");
}

#[test]
fn a_tag_of_quotes_is_read_once() {
    let made = convert(&format!("a<a {}", "\"".repeat(4 << 20)));
    assert!(made.is_partial);
    assert!(convert(&format!("<post@etat.example {}>", "x".repeat(10_000))).is_partial);
}

const PIECES: [&str; 20] = [
    "<p>",
    "</p>",
    "<b>",
    "</b>",
    "<ul>",
    "<li>",
    "</ul>",
    "<a href='https://a.example/'>",
    "</a>",
    "&amp;",
    "&aring;",
    " ",
    "\n",
    "å*",
    "<br/>",
    "1.",
    "<!-- x -->",
    "<![CDATA[ ]] ]]>",
    "<td>",
    "<blockquote>",
];

proptest! {
    #[test]
    fn any_chunks_give_the_same(pieces in prop::collection::vec(0..PIECES.len(), 0..40), cut in 1_usize..9) {
        let html: String = pieces.iter().map(|piece| PIECES[*piece]).collect();
        let mut converter = Converter::new(30_000);
        html.as_bytes().chunks(cut).for_each(|chunk| converter.push(chunk));
        prop_assert_eq!(converter.finish(), convert(&html));
    }

    #[test]
    fn no_html_is_left_whatever_comes(html in "([<>/!a-z&;#'\"= \\[\\]-]|\\PC)*") {
        let made = text(&html);
        prop_assert!(!made.contains('<'), "{}", made);
    }

    #[test]
    fn plain_text_keeps_its_words(words in prop::collection::vec("[a-zæøå0-9]{1,8}", 0..12)) {
        let made = text(&format!("<p>{}</p>", words.join("\n ")));
        prop_assert_eq!(made.split_whitespace().collect::<Vec<_>>(), words);
    }
}
