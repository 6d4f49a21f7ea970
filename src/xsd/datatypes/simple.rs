//! Simple types: variety, white space, facets, and the values of texts (XSD 1.0 part 2, section 4.1).

use std::borrow::Cow;
use std::collections::HashSet;
use std::sync::Arc;

use super::builtins::{Builtin, builtins};
use super::facet::{FacetError, Facets};
use super::lexical::{Form, Prefixes, Primitive};
use super::surely::Quick;
use super::value::{Role, Value};
use super::words::Words;
use super::{Broken, Space};
use crate::xsd::finding::Kind;

/// A simple type that needs nothing beside itself to judge a text.
#[derive(Debug, Clone)]
pub(in crate::xsd) struct SimpleType {
    pub(super) label: Arc<str>,
    pub(super) base: Option<Arc<SimpleType>>,
    pub(super) variety: Variety,
    pub(super) space: Space,
    /// Of atomic types only.
    pub(super) primitive: Option<Primitive>,
    pub(super) form: Form,
    pub(super) role: Option<Role>,
    /// The built-in type whose texts it has, for findings.
    pub(super) known: &'static str,
    pub(super) facets: Facets,
    /// Types it stands on, one upon the other.
    pub(super) depth: usize,
    /// Types that are asked at most about one text.
    pub(super) weight: usize,
    pub(super) quick: Quick,
}

/// What a simple type's values are made of.
#[derive(Debug, Clone)]
pub(in crate::xsd) enum Variety {
    /// anySimpleType.
    Any,
    Atomic,
    List(Arc<SimpleType>),
    Union(Vec<Arc<SimpleType>>),
}

/// What a reader keeps of a text to judge it as it streams by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::xsd) enum Stream {
    /// Every text is valid.
    Nothing,
    /// The number of characters, its white space settled.
    Length,
    /// The number of octets.
    Base64,
    /// The number of octets.
    Hex,
    /// One word after the other.
    List,
    Whole,
}

impl SimpleType {
    /// The built-in types, each with its name and that of its base, bases first.
    pub(in crate::xsd) fn builtins() -> Vec<Builtin> {
        builtins()
    }

    /// anySimpleType.
    pub(super) fn any() -> Self {
        Self {
            label: "anySimpleType".into(),
            base: None,
            variety: Variety::Any,
            space: Space::Preserve,
            primitive: None,
            form: Form::All,
            role: None,
            known: "anySimpleType",
            facets: Facets::default(),
            depth: 0,
            weight: 1,
            quick: Quick::Always,
        }
    }

    /// A built-in primitive type.
    pub(super) fn primitive(root: &Arc<Self>, name: &'static str, primitive: Primitive) -> Self {
        let mut derived = Self::known(root, name, Form::All);
        derived.variety = Variety::Atomic;
        derived.primitive = Some(primitive);
        let is_text = primitive == Primitive::String;
        derived.space = if is_text { Space::Preserve } else { Space::Collapse };
        derived.facets.space_fixed = !is_text;
        derived.ready()
    }

    /// A type like its base but for its name; not ready yet.
    pub(super) fn known(base: &Arc<Self>, name: &'static str, form: Form) -> Self {
        Self { known: name, form, ..Self::derived(base, name) }
    }

    /// A type like its base but for its name; not ready yet.
    pub(super) fn derived(base: &Arc<Self>, label: &str) -> Self {
        Self {
            label: label.into(),
            base: Some(base.clone()),
            depth: base.depth + 1,
            quick: Quick::Never,
            ..Self::clone(base)
        }
    }

    /// A list of values of another type (cos-list-of-atomic).
    pub(in crate::xsd) fn list(item: &Arc<Self>, label: &str) -> Result<Self, FacetError> {
        if item.holds_lists() {
            let text = format!("{} has lists among its values, and a list has no lists in it", item.label);
            return Err(FacetError::new("cos-list-of-atomic", text));
        }
        if matches!(item.variety, Variety::Any) {
            let text = "anySimpleType is neither atomic nor a union, and no item of a list";
            return Err(FacetError::new("cos-st-restricts.2.1", text));
        }
        let mut list = Self::derived(&item.root(), label);
        list.variety = Variety::List(item.clone());
        list.space = Space::Collapse;
        list.facets.space_fixed = true;
        list.depth = item.depth + 1;
        list.weight = item.weight;
        Ok(list.ready())
    }

    /// A type that has the values of all its members.
    pub(in crate::xsd) fn union(members: Vec<Arc<Self>>, label: &str) -> Self {
        let root = members.first().map_or_else(|| Arc::new(Self::any()), |member| member.root());
        let mut union = Self::derived(&root, label);
        union.depth = members.iter().map(|member| member.depth + 1).max().unwrap_or(1);
        let mut flat: Vec<Arc<Self>> = Vec::new();
        let mut met = HashSet::new();
        for member in &members {
            // A union among the members stands for its own, unless it says more of them; a second time says nothing new.
            let mut own = std::slice::from_ref(member);
            if let Variety::Union(members) = &member.variety
                && !member.facets.asks_anything()
            {
                own = members;
            }
            flat.extend(own.iter().filter(|member| met.insert(Arc::as_ptr(member))).cloned());
        }
        union.weight = flat.iter().fold(0, |weight, member| member.weight.saturating_add(weight));
        union.variety = Variety::Union(flat);
        union.ready()
    }

    /// Finishes a type whose parts are all set.
    pub(super) fn ready(mut self) -> Self {
        self.quick = Quick::of(&self);
        self
    }

    fn root(self: &Arc<Self>) -> Arc<Self> {
        let mut root = self;
        while let Some(base) = &root.base {
            root = base;
        }
        root.clone()
    }

    fn holds_lists(&self) -> bool {
        match &self.variety {
            Variety::Any | Variety::Atomic => false,
            Variety::List(_) => true,
            Variety::Union(members) => members.iter().any(|member| member.holds_lists()),
        }
    }

    /// What its values are made of.
    pub(in crate::xsd) fn variety(&self) -> &Variety {
        &self.variety
    }

    /// What findings call it.
    pub(in crate::xsd) fn label(&self) -> &str {
        &self.label
    }

    /// What becomes of white space; of a union its members decide.
    pub(in crate::xsd) fn space(&self) -> Space {
        self.space
    }

    /// What a reader keeps of a text.
    pub(in crate::xsd) fn stream(&self) -> Stream {
        let whole = self.facets.asks_values() || !self.facets.patterns.is_empty() || self.role.is_some();
        match (&self.variety, self.primitive) {
            (Variety::Any, _) => Stream::Nothing,
            _ if whole || self.form != Form::All => Stream::Whole,
            (Variety::Atomic, Some(Primitive::String)) if self.facets.has_length() => Stream::Length,
            (Variety::Atomic, Some(Primitive::String)) => Stream::Nothing,
            (Variety::Atomic, Some(Primitive::Base64)) => Stream::Base64,
            (Variety::Atomic, Some(Primitive::Hex)) => Stream::Hex,
            (Variety::List(item), _) if !item.names() => Stream::List,
            _ => Stream::Whole,
        }
    }

    /// Where a list's words are judged; of no other type any come.
    pub(in crate::xsd) fn words(&self) -> Words {
        match &self.variety {
            Variety::List(item) => Words::new(item),
            Variety::Any | Variety::Atomic | Variety::Union(_) => Words::default(),
        }
    }

    /// Judges a length in characters, octets or items.
    pub(in crate::xsd) fn judge_length(&self, length: u64) -> Result<(), Broken> {
        self.facets.judge_length(length)
    }

    /// Tells whether the meaning of values may depend on prefixes or on the whole document.
    pub(in crate::xsd) fn names(&self) -> bool {
        match &self.variety {
            Variety::Any => false,
            Variety::Atomic => {
                self.role.is_some() || matches!(self.primitive, Some(Primitive::QName | Primitive::Notation))
            }
            Variety::List(item) => item.names(),
            Variety::Union(members) => members.iter().any(|member| member.names()),
        }
    }

    /// Tells whether it is of NOTATION without a list of values, which no element or attribute may be
    /// (enumeration-required-notation).
    pub(in crate::xsd) fn lacks_enumeration(&self) -> bool {
        match &self.variety {
            Variety::Any => false,
            Variety::Atomic => self.primitive == Some(Primitive::Notation) && self.facets.enumeration.is_none(),
            Variety::List(item) => item.lacks_enumeration(),
            Variety::Union(members) => members.iter().any(|member| member.lacks_enumeration()),
        }
    }

    /// The value of a text, its white space as it is, or why it has none.
    pub(in crate::xsd) fn value(&self, raw: &str, prefixes: &dyn Prefixes) -> Result<Value, Broken> {
        self.settled(raw, prefixes).map(|(value, _)| value)
    }

    /// The value, and the text as the type that has it sees it.
    pub(super) fn settled<'a>(&self, raw: &'a str, prefixes: &dyn Prefixes) -> Result<(Value, Cow<'a, str>), Broken> {
        let (value, text) = match &self.variety {
            Variety::Any => (Value::Text(raw.to_owned()), Cow::Borrowed(raw)),
            Variety::Atomic => {
                let text = self.space.apply(raw);
                let primitive = self.primitive.expect("atomic types have a primitive type");
                let value = primitive.value(self.form, self.role, &text, prefixes);
                (value.ok_or_else(|| Broken::of(self.known))?, text)
            }
            Variety::List(item) => {
                let text = Space::Collapse.apply(raw);
                let words = text.split(' ').filter(|word| !word.is_empty());
                let values = words.map(|word| item.value(word, prefixes)).collect::<Result<_, _>>()?;
                (Value::List(values), text)
            }
            Variety::Union(members) => {
                let found = members.iter().find_map(|member| member.settled(raw, prefixes).ok());
                found.ok_or_else(|| {
                    let text = format!("the value is of none of the types that {} unites", self.label);
                    Broken::new(Kind::BadValue, "cvc-datatype-valid.1.2.3", text)
                })?
            }
        };
        self.facets.judge_text(&text)?;
        self.facets.judge_value(&value)?;
        Ok((value, text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::xsd::datatypes::builtins::NoPrefixes;

    fn builtin(name: &str) -> Arc<SimpleType> {
        builtins().into_iter().find(|(known, ..)| *known == name).unwrap().2
    }

    #[test]
    fn there_are_44_built_in_types_and_their_root() {
        assert_eq!(builtins().len(), 45);
        for (name, base, simple) in builtins() {
            assert_eq!(simple.base.as_ref().map(|base| base.label().to_owned()), base.map(str::to_owned), "{name}");
        }
    }

    #[test]
    fn lists_and_unions_are_judged_by_their_parts() {
        let numbers = SimpleType::list(&builtin("int"), "numbers").unwrap();
        assert!(numbers.value(" 1\n 2 ", &NoPrefixes).is_ok());
        assert!(numbers.value("", &NoPrefixes).is_ok());
        assert!(numbers.value("1 a", &NoPrefixes).is_err());
        let numbers = Arc::new(numbers);
        assert_eq!(SimpleType::list(&numbers, "lists").unwrap_err().rule, "cos-list-of-atomic");
        let either = Arc::new(SimpleType::union(vec![numbers, builtin("NCName")], "either"));
        assert!(matches!(either.value(" 1 ", &NoPrefixes).unwrap(), Value::List(_)));
        assert!(matches!(either.value(" a ", &NoPrefixes).unwrap(), Value::Text(text) if text == "a"));
        assert_eq!(either.value("1 a", &NoPrefixes).unwrap_err().rule, "cvc-datatype-valid.1.2.3");
        assert_eq!(SimpleType::list(&either, "lists").unwrap_err().rule, "cos-list-of-atomic");
        assert!(builtin("IDREFS").names() && !builtin("NMTOKENS").names());
        assert_eq!(builtin("IDREFS").value(" ", &NoPrefixes).unwrap_err().rule, "cvc-minLength-valid");
    }
}
