//! Mutants of documents: bytes changed, so that most are no XML any more.

use super::chance::Chance;

/// What is put among bytes: markup, and everything near its edges.
#[rustfmt::skip]
const BITS: &[&[u8]] = &[
    b"<", b">", b"/", b"&", b";", b"=", b"\"", b"'", b":", b"-", b"!", b"?", b"[", b"]", b" ", b"\t", b"\r\n",
    b"\r", b"\0", b"\x0B", b"\x1F", b"\x7F", b"\x80", b"\xC0\xAF", b"\xED\xA0\x80", b"\xF4\x90\x80\x80",
    b"\xEF\xBF\xBE", b"\xEF\xBF\xBF", b"\xEF\xBB\xBF", b"\xC2\x85", b"\xE2\x80\xA8", b"\xC3\xA9", b"\xC2\xB7",
    b"\xF0\x90\x80\x80", b"\xE2\x81\xBF", b"\xCC\x80", b"]]>", b"<![CDATA[", b"<![CDATA[x]]>", b"<!--", b"-->",
    b"<!-- x -->", b"<!-- -- -->", b"<!---->", b"<!--->", b"<?x y?>", b"<?xml?>", b"<?XML x?>", b"<?x:y z?>",
    b"<?x", b"?>", b"<?xml version='1.0'?>", b"&amp;", b"&lt;", b"&quot;", b"&apos;", b"&gt;", b"&nbsp;", b"&#0;",
    b"&#9;", b"&#xD;", b"&#x;", b"&#;", b"&#xD800;", b"&#xFFFE;", b"&#x10FFFF;", b"&#x110000;", b"&#99999999999;",
    b"&#X41;", b"&#65", b"& #65;", b"&;", b"<a/>", b"<a>", b"</a>", b"<a b='c'/>", b"<a b='c' b='d'/>", b"<a b=c/>",
    b"<a b/>", b"<a b='<'/>", b"<a b='&#60;'/>", b"<a b='>'/>", b"<a b=\"'\"/>", b"<a b='c'd='e'/>",
    b"<a b = 'c' />", b"<a / >", b"< a/>", b"<a\n/>", b"<1/>", b"<-a/>", b"<.a/>", b"<:a/>", b"<a:/>", b"<a:b:c/>",
    b"<xml/>", b"<xml:a/>", b"<p:a xmlns:p='u'/>", b"<p:a xmlns:p=''/>", b"<a xmlns=''/>", b"<a xmlns:xml='u'/>",
    b"<a xmlns:xmlns='u'/>", b"<a xmlns='http://www.w3.org/2000/xmlns/'/>",
    b"<a xmlns='http://www.w3.org/XML/1998/namespace'/>", b"<a xmlns:xml='http://www.w3.org/XML/1998/namespace'/>",
    b"<a xmlns:p='http://www.w3.org/XML/1998/namespace'/>", b"<a xmlns:p='u' xmlns:q='u' p:x='1' q:x='2'/>",
    b"<a xmlns:p='u' xmlns='u' p:x='1' x='2'/>", b"<a p:x='1'/>", b"<a xml:lang='nb' xml:space='odd'/>",
    b"<xmlns:a/>", b"<a xmlns:xmlfoo='u' xmlfoo:b='c'/>", b"<\xC3\xA9/>", b"<a\xC2\xB7/>", b"<\xC2\xB7a/>",
    b"<\xF0\x90\x80\x80/>", b"<\xE2\x80\xBF/>", b"<a\xE2\x80\xBF/>", b"<a xml:id='1'/>", b"<a x='&lt;&#10;'/>",
    b"<a x='\n'/>", b"<?\xC3\xA9?>",
];

/// Beginnings of documents.
#[rustfmt::skip]
const HEADS: &[&[u8]] = &[
    b"<?xml version='1.0'?>", b"<?xml version=\"1.0\" encoding='UTF-8' standalone='yes' ?>\n",
    b"<?xml version='1.0' standalone='no'?>", b"<?xml version='1.0' encoding='utf-8'?>",
    b"<?xml version='1.0' standalone='maybe'?>", b"<?xml version='1.0' standalone='yes' encoding='UTF-8'?>",
    b"<?xml encoding='UTF-8'?>", b"<?xml version='1.0'encoding='UTF-8'?>", b"<?xml version='1.0' encoding=''?>",
    b"<?xml version='1.0' encoding='8-UTF'?>", b"<?xml version=1.0?>", b"<?xml version='1.0' ?",
    b"<?xml version='1.0' >", b"<?xml?>", b"<?xml version=''?>", b"<?xml VERSION='1.0'?>",
    b"<?xml version='1.0' more='x'?>", b"<?xmlversion='1.0'?>", b"\xEF\xBB\xBF<?xml version='1.0'?>",
    b"\xEF\xBB\xBF", b"\xEF\xBB\xBF\xEF\xBB\xBF", b" <?xml version='1.0'?>", b"\n", b"<!-- a --><?x y?>\n", b"x",
    b"<![CDATA[]]>", b"&#32;", b"",
];

/// A document with some bytes changed.
pub(crate) fn mutant(document: &[u8], chance: &mut Chance) -> Vec<u8> {
    let mut mutant = document.to_vec();
    if chance.once_in(6) {
        let end = mutant.windows(2).position(|two| two == b"?>").map_or(0, |at| at + 2);
        mutant.splice(..end, chance.pick(HEADS).iter().copied());
    }
    for _ in 0..1 + chance.below(2) {
        let at = chance.below(mutant.len() + 1);
        let taken = [0, 0, 1, 2, 5][chance.below(5)].min(mutant.len() - at);
        let put = if chance.once_in(4) { Vec::new() } else { chance.pick(BITS).to_vec() };
        mutant.splice(at..at + taken, put);
    }
    mutant
}

/// What a mutant has in place of its origin's, with a little before and behind.
pub(crate) fn difference(origin: &[u8], mutant: &[u8]) -> String {
    const AROUND: usize = 40;
    let same = |pairs: usize| pairs.saturating_sub(AROUND);
    let head = same(origin.iter().zip(mutant).take_while(|(one, other)| one == other).count());
    let tail = same(origin.iter().rev().zip(mutant.iter().rev()).take_while(|(one, other)| one == other).count());
    let end = mutant.len().saturating_sub(tail).max(head);
    String::from_utf8_lossy(&mutant[head..end]).into_owned()
}
