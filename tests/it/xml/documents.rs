//! What documents say: line ends, references and the values of attributes.

use proptest::prelude::*;
use sluse::xml::{Limits, LineEnds, Locator, Scope, Sink, Tag, Tokenizer};

/// Writes down what it hears as a text of its own.
#[derive(Default)]
struct Heard {
    text: Vec<u8>,
    ends: LineEnds,
}

impl Sink for Heard {
    fn start(&mut self, tag: &Tag<'_>, _: &mut Locator<'_>) {
        self.text.extend_from_slice(b"<");
        for attribute in tag.attributes() {
            self.text.extend_from_slice(&[attribute.local, b"=", attribute.value, b"|"].concat());
        }
    }

    fn end(&mut self, _: u64, _: u64, _: &Scope, _: &mut Locator<'_>) {
        self.text.extend_from_slice(b">");
    }

    fn text(&mut self, raw: &[u8], offset: u64, _: &mut Locator<'_>) {
        let text = &mut self.text;
        self.ends.settle(raw, offset, |bytes| text.extend_from_slice(bytes));
    }

    fn character(&mut self, c: char, _: u64, _: &mut Locator<'_>) {
        self.text.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
    }
}

fn heard<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> String {
    let (mut tokenizer, mut heard) = (Tokenizer::new(Limits::default(), &[""; 0]), Heard::default());
    pieces.into_iter().try_for_each(|piece| tokenizer.feed(piece, &mut heard)).unwrap();
    tokenizer.finish(&mut heard).unwrap();
    String::from_utf8(heard.text).unwrap()
}

fn says(document: &str, expected: &str) {
    assert_eq!(heard([document.as_bytes()]), expected, "{document:?}");
    assert_eq!(heard(document.as_bytes().chunks(1)), expected, "{document:?}");
    for cut in 0..document.len() {
        let (begin, rest) = document.as_bytes().split_at(cut);
        assert_eq!(heard([begin, rest]), expected, "{document:?} at {cut}");
    }
}

#[test]
fn line_ends_are_line_feeds_2_11() {
    says("<a>b\r\nc\rd\ne\r</a>", "<b\nc\nd\ne\n>");
    says("<a>\r\r\n\r\n\r</a>", "<\n\n\n\n>");
    says("<a>b\r<!-- -->\nc\r<?d?>\ne</a>", "<b\n\nc\n\ne>");
    says("<a>b\r<![CDATA[\nc\r]]>\nd\r\r\n</a>", "<b\n\nc\n\nd\n\n>");
    says("<a>b\r<c/>\nd</a>", "<b\n<>\nd>");
    says("<a>&#13;&#10;&#xD;\n\r&#10;</a>", "<\r\n\r\n\n\n>");
    says("<a>\u{85}\u{2028}</a>", "<\u{85}\u{2028}>");
    says("<a><![CDATA[b\r\nc\rd]]></a>", "<b\nc\nd>");
}

#[test]
fn references_are_the_characters_they_name_4_4() {
    says("<a>&lt;b&gt;&amp;amp;&#x26;lt;&quot;&apos;&#8364;&#x1F600;</a>", "<<b>&amp;&lt;\"'€\u{1F600}>");
    says("<a><![CDATA[&lt;<b>]]]]><![CDATA[>]]></a>", "<&lt;<b>]]>>");
    says("<a>]]&gt;&#93;]>]]</a>", "<]]>]]>]]>");
}

#[test]
fn attributes_are_normalized_3_3_3() {
    says("<a b='1\t2\n3\r4\r\n5  6 '/>", "<b=1 2 3 4 5  6 |>");
    says("<a b='\r\r\n\n'/>", "<b=   |>");
    says("<a b='&#9;&#10;&#13;&#32;&#x20;\r&#10;'/>", "<b=\t\n\r   \n|>");
    says("<a b='&lt;&amp;&gt;&quot;&apos;&#38;lt;' c=\"'\" d='\"'/>", "<b=<&>\"'&lt;|c='|d=\"|>");
    says("<a b='  x  '/>", "<b=  x  |>");
    says("<a xmlns:p=' u\n' p:b='1' b='2' xmlns='v'/>", "<b=1|b=2|>");
}

proptest! {
    #[test]
    fn any_cutting_says_the_same(
        pieces in prop::collection::vec(prop::sample::select(&[
            "\r", "\n", "\r\n", "æ", "]", "]]", "&#13;", "&amp;", "<b c='\r\n'/>", "<!-- \r -->", "<![CDATA[\r\n]]>",
            "<![CDATA[]]]>", "<?p \n?>", "\u{1F600}", ">",
        ][..]), 0..12),
        cuts in prop::collection::vec(1_usize..9, 1..9),
    ) {
        let content = pieces.concat();
        prop_assume!(!content.contains("]]>") || content.contains("CDATA"));
        let document = format!("<a>{content}</a>");
        let mut tokenizer = Tokenizer::new(Limits::default(), &[""; 0]);
        prop_assume!(tokenizer.feed(document.as_bytes(), &mut Heard::default()).is_ok());
        let (mut rest, mut cut) = (document.as_bytes(), Vec::new());
        for size in cuts.iter().cycle() {
            let (piece, after) = rest.split_at((*size).min(rest.len()));
            cut.push(piece);
            rest = after;
            if rest.is_empty() {
                break;
            }
        }
        prop_assert_eq!(heard(cut), heard([document.as_bytes()]));
    }
}
