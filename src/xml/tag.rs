//! Start tags: the name, the attributes, what they declare.

use std::ops::Range;

use super::chars::{char_at, is_name_start, is_space, name_end};
use super::namespaces::{Namespace, Scope};
use super::references::{self, Reference};
use super::{FaultKind, Limits, Mistake, shown};

/// A start tag, or an element without content.
#[derive(Debug)]
pub struct Tag<'a> {
    /// The name as written.
    pub name: &'a [u8],
    /// The name without its prefix.
    pub local: &'a [u8],
    /// Its namespace.
    pub namespace: Namespace,
    /// The offset of `<`.
    pub offset: u64,
    /// The offset past `>`.
    pub end: u64,
    /// It is both start and end.
    pub empty: bool,
    /// The declarations in force, its own included.
    pub scope: &'a Scope,
    pub(super) token: &'a [u8],
    pub(super) attributes: &'a [RawAttribute],
    pub(super) decoded: &'a [u8],
}

/// An attribute that declares no namespace.
#[derive(Debug, Clone, Copy)]
pub struct Attribute<'a> {
    /// The name without its prefix.
    pub local: &'a [u8],
    /// Its namespace.
    pub namespace: Namespace,
    /// The value, with references read and white space made spaces.
    pub value: &'a [u8],
    /// The offset of its name.
    pub offset: u64,
}

impl<'a> Tag<'a> {
    /// Tells whether anything stands behind the name.
    #[inline]
    pub fn is_plain(&self) -> bool {
        self.attributes.is_empty()
    }

    /// The attributes in the order written, without namespace declarations.
    pub fn attributes(&self) -> impl Iterator<Item = Attribute<'a>> + use<'a> {
        let (token, decoded, offset) = (self.token, self.decoded, self.offset);
        self.attributes.iter().filter(|raw| !raw.declares).map(move |raw| Attribute {
            local: raw.local(token),
            namespace: raw.namespace,
            value: raw.value(token, decoded),
            offset: offset + u64::from(raw.start),
        })
    }
}

impl Tag<'_> {
    /// Where the value of one of its attributes lies, without the quotes, as written.
    pub fn value_range(&self, attribute: &Attribute<'_>) -> Range<u64> {
        let start = usize::try_from(attribute.offset.saturating_sub(self.offset)).unwrap_or(usize::MAX);
        let rest = self.token.get(start..).unwrap_or_default();
        // The first quote behind the name begins the value, which the same quote ends.
        let open = memchr::memchr2(b'"', b'\'', rest).unwrap_or(rest.len());
        let (quote, value) = rest.get(open..).and_then(<[u8]>::split_first).unwrap_or((&b'"', &[]));
        let len = memchr::memchr(*quote, value).unwrap_or(value.len());
        let from = attribute.offset + open as u64 + 1;
        from..from + len as u64
    }
}

/// Where an attribute's parts lie in the tag.
#[derive(Debug, Clone, Copy)]
pub(super) struct RawAttribute {
    start: u32,
    /// Past the prefix's colon; `start` where there is no prefix.
    local: u32,
    end: u32,
    value: (u32, u32),
    /// The value lies in the decoded bytes, not in the tag.
    is_decoded: bool,
    declares: bool,
    namespace: Namespace,
}

impl RawAttribute {
    fn prefix<'a>(&self, token: &'a [u8]) -> &'a [u8] {
        slice(token, self.start, self.local.saturating_sub(1))
    }

    fn local<'a>(&self, token: &'a [u8]) -> &'a [u8] {
        slice(token, self.local, self.end)
    }

    fn value<'a>(&self, token: &'a [u8], decoded: &'a [u8]) -> &'a [u8] {
        slice(if self.is_decoded { decoded } else { token }, self.value.0, self.value.1)
    }
}

fn slice(bytes: &[u8], from: u32, to: u32) -> &[u8] {
    bytes.get(from as usize..to as usize).unwrap_or_default()
}

/// Reads tags one after the other into the same memory.
#[derive(Debug, Default)]
pub(super) struct Reader {
    pub(super) attributes: Vec<RawAttribute>,
    pub(super) decoded: Vec<u8>,
    order: Vec<u32>,
}

/// Attributes that are compared with one another.
const FEW: usize = 8;

/// What a tag is, beside its attributes.
pub(super) struct Outline {
    pub(super) name_end: usize,
    pub(super) local: usize,
    pub(super) empty: bool,
}

impl Reader {
    /// Reads a whole tag, from `<` to `>`.
    pub(super) fn read(&mut self, token: &[u8], limits: &Limits) -> Result<Outline, Mistake> {
        self.attributes.clear();
        self.decoded.clear();
        let (local, name_end) = qualified_name(token, 1, limits)?;
        let mut at = name_end;
        loop {
            let spaced = token.get(at).is_some_and(|byte| is_space(*byte));
            at = skip_spaces(token, at);
            match token.get(at..) {
                Some(b">") => return Ok(Outline { name_end, local, empty: false }),
                Some(b"/>") => return Ok(Outline { name_end, local, empty: true }),
                _ if !spaced => return Err(Mistake::malformed(at, "white space, `/>` or `>` is missing in a tag")),
                _ => at = self.attribute(token, at, limits)?,
            }
        }
    }

    fn attribute(&mut self, token: &[u8], start: usize, limits: &Limits) -> Result<usize, Mistake> {
        if self.attributes.len() >= limits.attributes {
            return Err(Mistake::new(FaultKind::TooManyAttributes, start, "too many attributes in one tag"));
        }
        let (local, end) = qualified_name(token, start, limits)?;
        let equals = skip_spaces(token, end);
        if token.get(equals) != Some(&b'=') {
            return Err(Mistake::malformed(equals, "an attribute without a value"));
        }
        let open = skip_spaces(token, equals + 1);
        let quote = token.get(open).copied().filter(|byte| matches!(byte, b'"' | b'\''));
        let quote = quote.ok_or_else(|| Mistake::malformed(open, "an attribute's value without quotes"))?;
        let rest = token.get(open + 1..).unwrap_or_default();
        let len = memchr::memchr(quote, rest).ok_or_else(|| Mistake::malformed(open, "a quote that is not closed"))?;
        if len > limits.attribute_bytes {
            return Err(Mistake::new(FaultKind::AttributeTooLong, start, "an attribute's value is too long"));
        }
        let (value, is_decoded) = self.value(token, open + 1, open + 1 + len, limits)?;
        let name = token.get(start..end).unwrap_or_default();
        let declares = name == b"xmlns" || name.starts_with(b"xmlns:");
        let [start, local, end] = [start, local, end].map(|at| at as u32);
        let namespace = Namespace::NONE;
        self.attributes.push(RawAttribute { start, local, end, value, is_decoded, declares, namespace });
        Ok(open + len + 2)
    }

    /// The value between two places; copied only if it is not what it says.
    fn value(&mut self, token: &[u8], from: usize, to: usize, limits: &Limits) -> Result<((u32, u32), bool), Mistake> {
        let raw = token.get(from..to).unwrap_or_default();
        if !raw.iter().any(|byte| matches!(byte, b'&' | b'\t' | b'\n' | b'\r')) {
            return Ok(((from as u32, to as u32), false));
        }
        let start = self.decoded.len() as u32;
        let mut at = 0;
        while let Some(&byte) = raw.get(at) {
            match byte {
                b'&' => match references::read(raw.get(at..).unwrap_or_default(), 0, limits.name_bytes) {
                    Ok(Reference::Character(c, len)) => {
                        self.decoded.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
                        at += len;
                        continue;
                    }
                    Ok(Reference::Unfinished) => {
                        return Err(Mistake::malformed(from + at, "an ampersand that begins no reference"));
                    }
                    Err(mistake) => return Err(Mistake { at: from + at, ..mistake }),
                },
                // A line end is one character, however it is written.
                b'\r' if raw.get(at + 1) == Some(&b'\n') => {}
                b'\t' | b'\n' | b'\r' => self.decoded.push(b' '),
                _ => self.decoded.push(byte),
            }
            at += 1;
        }
        Ok(((start, self.decoded.len() as u32), true))
    }

    /// Puts the tag's declarations in force and finds the namespaces of its attributes.
    pub(super) fn resolve(&mut self, token: &[u8], scope: &mut Scope) -> Result<(), Mistake> {
        for raw in self.attributes.iter().filter(|raw| raw.declares) {
            let prefix = if raw.local == raw.start { &b""[..] } else { raw.local(token) };
            scope.declare(prefix, raw.value(token, &self.decoded), raw.start as usize)?;
        }
        for raw in self.attributes.iter_mut().filter(|raw| !raw.declares && raw.local != raw.start) {
            raw.namespace = namespace_of(raw.prefix(token), scope, raw.start as usize)?.0;
        }
        self.refuse_repeated(token, scope)
    }

    fn refuse_repeated(&mut self, token: &[u8], scope: &Scope) -> Result<(), Mistake> {
        if self.attributes.len() < 2 {
            return Ok(());
        }
        let uri = |raw: &RawAttribute| match raw.namespace {
            Namespace::OTHER => scope.lookup(raw.prefix(token)).map_or(&b""[..], |(_, uri)| uri),
            _ => b"",
        };
        let key = |raw: &RawAttribute| (raw.declares, raw.namespace, raw.local(token), uri(raw));
        let attributes = &self.attributes;
        let twice = if attributes.len() <= FEW {
            let stands_before = |(index, raw): &(usize, &RawAttribute)| {
                let mut before = attributes.iter().take(*index);
                before.any(|other| other.local(token) == raw.local(token) && key(other) == key(raw))
            };
            attributes.iter().enumerate().find(stands_before).map(|(_, raw)| raw)
        } else {
            // Sorted, so that a tag full of attributes costs no more than its bytes.
            self.order.clear();
            self.order.extend(0..attributes.len() as u32);
            let at = |index: &u32| attributes.get(*index as usize);
            self.order.sort_by(|one, other| at(one).map(key).cmp(&at(other).map(key)));
            let pairs = self.order.iter().zip(self.order.iter().skip(1));
            let alike = pairs.filter_map(|(one, other)| {
                let (one, other) = (at(one)?, at(other)?);
                (key(one) == key(other)).then_some(other)
            });
            alike.min_by_key(|raw| raw.start)
        };
        match twice {
            None => Ok(()),
            Some(raw) => {
                let text = format!("the attribute {} stands twice", shown(slice(token, raw.start, raw.end)));
                Err(Mistake::malformed(raw.start as usize, text))
            }
        }
    }
}

/// The namespace of a prefix, or the fault that it has none.
pub(super) fn namespace_of<'s>(prefix: &[u8], scope: &'s Scope, at: usize) -> Result<(Namespace, &'s [u8]), Mistake> {
    let unknown = || {
        let text = format!("the prefix {} is not declared", shown(prefix));
        Mistake::new(FaultKind::UndeclaredPrefix, at, text)
    };
    scope.lookup(prefix).filter(|_| prefix != b"xmlns").ok_or_else(unknown)
}

/// Reads `name` or `prefix:name`; where the local part begins, and the end.
pub(super) fn qualified_name(token: &[u8], start: usize, limits: &Limits) -> Result<(usize, usize), Mistake> {
    let end = name_end(token, start);
    if end == start {
        return Err(Mistake::malformed(start, "a name is missing"));
    }
    if end - start > limits.name_bytes {
        return Err(Mistake::new(FaultKind::NameTooLong, start, "a name is too long"));
    }
    let name = token.get(start..end).unwrap_or_default();
    let Some(colon) = memchr::memchr(b':', name) else { return Ok((start, end)) };
    let local = name.get(colon + 1..).unwrap_or_default();
    let sound = colon > 0 && char_at(local, 0).is_some_and(is_name_start) && !local.contains(&b':');
    if !sound {
        return Err(Mistake::malformed(start, "a colon stands in a name where it may not"));
    }
    Ok((start + colon + 1, end))
}

fn skip_spaces(bytes: &[u8], from: usize) -> usize {
    let rest = bytes.get(from..).unwrap_or_default();
    from + rest.iter().take_while(|byte| is_space(**byte)).count()
}
