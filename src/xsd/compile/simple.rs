//! Simple types and their facets.

use super::{ANY_TYPE, At, Compiler, Done};
use crate::xsd::datatypes::Space;
use crate::xsd::datatypes::builtin::{Builtin, Ordering};
use crate::xsd::datatypes::facets::{Bound, Facets, Side};
use crate::xsd::tables::{SimpleId, SimpleType, TypeId};

impl<'a> Compiler<'a> {
    /// A built-in type, put into the tables when first asked for.
    pub(super) fn builtin(&mut self, builtin: Builtin) -> TypeId {
        if let Some(type_id) = self.builtins.get(&builtin) {
            return *type_id;
        }
        let base = if builtin == Builtin::AnySimple { ANY_TYPE } else { self.builtin(base_of(builtin)) };
        let simple = self.add_simple(SimpleType::new(builtin, builtin.space(), Facets::default()));
        let type_id = self.simple_as_type(simple, base);
        self.builtins.insert(builtin, type_id);
        type_id
    }

    pub(super) fn add_simple(&mut self, simple: SimpleType) -> SimpleId {
        self.schema.simples.push(simple);
        self.schema.simples.len() as u32 - 1
    }

    /// The type at a `simpleType` or `complexType` node; complex ones are defined later.
    pub(super) fn type_at(&mut self, at: At) -> Done<TypeId> {
        if let Some(type_id) = self.types.get(&at) {
            return Ok(*type_id);
        }
        let type_id = match self.node(at).name.as_str() {
            "simpleType" => self.nested(at, |compiler| compiler.simple_type(at))?,
            _ => self.meet_complex(at),
        };
        self.types.insert(at, type_id);
        Ok(type_id)
    }

    fn simple_type(&mut self, at: At) -> Done<TypeId> {
        self.allow(at, &["name", "final"])?;
        let mut children = self.children(at);
        let restriction = children.next().ok_or_else(|| self.invalid(at, "a simple type without a definition"))?;
        if self.node(restriction).name != "restriction" {
            return Err(self.unsupported(restriction));
        }
        if let Some(more) = children.next() {
            return Err(self.invalid(more, "a simple type with two definitions"));
        }
        self.allow(restriction, &["base"])?;
        let base = match (self.node(restriction).attribute("base"), self.child(restriction, "simpleType")) {
            (Some(name), None) => {
                let name = self.qname(restriction, name)?;
                self.type_named(restriction, name)?
            }
            (None, Some(own)) => self.type_at(own)?,
            _ => return Err(self.invalid(restriction, "a restriction has one base, named or given")),
        };
        let is_simple = self.schema.type_of(base).is_some_and(|found| found.is_simple);
        let simple = self.simple_of(base).filter(|_| is_simple);
        let simple =
            simple.ok_or_else(|| self.invalid(restriction, "a simple type restricts one that is not simple"))?;
        let simple = self.restricted(restriction, simple)?;
        Ok(self.simple_as_type(simple, base))
    }

    /// A simple type with the facets that the children of a restriction add.
    pub(super) fn restricted(&mut self, at: At, base: SimpleId) -> Done<SimpleId> {
        let base = self.schema.simple(base).expect("an id of this schema").clone();
        if base.builtin == Builtin::AnySimple {
            return Err(self.invalid(at, "anySimpleType cannot be restricted"));
        }
        let mut derived = base.clone();
        let mut listed = None;
        for child in self.children(at) {
            let node = self.node(child);
            match node.name.as_str() {
                "simpleType" | "attribute" | "attributeGroup" => continue,
                "anyAttribute" | "pattern" => return Err(self.unsupported(child)),
                _ => self.allow(child, &["value", "fixed"])?,
            }
            // The value itself, its blanks too: `need` would trim it.
            let value = node.attributes.iter().find(|(name, _)| name == "value").map(|(_, value)| value.as_str());
            let value = value.ok_or_else(|| self.invalid(child, "a facet without a value"))?;
            match node.name.as_str() {
                "enumeration" => listed.get_or_insert_with(Vec::new).push(self.listed(child, &base, value)?),
                "whiteSpace" => derived.space = self.white_space(child, &base, value.trim())?,
                _ => self.facet(child, &mut derived.facets, &base, value.trim())?,
            }
        }
        derived.facets.enumeration = listed.or(derived.facets.enumeration);
        Ok(self.add_simple(SimpleType::new(derived.builtin, derived.space, derived.facets)))
    }

    fn listed(&self, at: At, base: &SimpleType, value: &str) -> Done<crate::xsd::datatypes::builtin::Value> {
        if matches!(base.builtin, Builtin::Base64 | Builtin::Hex | Builtin::QName) {
            return Err(self.unsupported_construct(at, "enumeration of binary values and names"));
        }
        let text = base.space.apply(value);
        let sound = base.builtin.accepts(&text) && base.facets.judge_value(base.builtin, &text).is_ok();
        let value = base.builtin.value(&text).filter(|_| sound);
        value.ok_or_else(|| self.invalid(at, "a listed value is not of the base type"))
    }

    fn white_space(&self, at: At, base: &SimpleType, value: &str) -> Done<Space> {
        let space = match value {
            "preserve" => Space::Preserve,
            "replace" => Space::Replace,
            "collapse" => Space::Collapse,
            _ => return Err(self.invalid(at, "whiteSpace is none of its three words")),
        };
        if space < base.space {
            return Err(self.invalid(at, "whiteSpace keeps more than the base type does"));
        }
        Ok(space)
    }

    fn facet(&self, at: At, facets: &mut Facets, base: &SimpleType, value: &str) -> Done {
        let name = self.node(at).name.as_str();
        let number = || value.parse::<u64>().map_err(|_| self.invalid(at, &format!("{name} is no number we can hold")));
        let size = || usize::try_from(number()?).map_err(|_| self.invalid(at, &format!("{name} is too large")));
        let measured = base.builtin.is_text() || matches!(base.builtin, Builtin::Base64 | Builtin::Hex);
        match name {
            "length" | "minLength" | "maxLength" if !measured => return Err(self.not_for(at, base)),
            "totalDigits" | "fractionDigits" if !base.builtin.is_number() => return Err(self.not_for(at, base)),
            "length" => facets.length = Some(number()?),
            "minLength" => facets.min_length = Some(number()?.max(facets.min_length.unwrap_or(0))),
            "maxLength" => facets.max_length = Some(number()?.min(facets.max_length.unwrap_or(u64::MAX))),
            "totalDigits" => facets.total_digits = Some(size()?.min(facets.total_digits.unwrap_or(usize::MAX))),
            "fractionDigits" => {
                facets.fraction_digits = Some(size()?.min(facets.fraction_digits.unwrap_or(usize::MAX)))
            }
            "minInclusive" => facets.bounds.push(self.bound(at, Side::MinInclusive, base, value)?),
            "minExclusive" => facets.bounds.push(self.bound(at, Side::MinExclusive, base, value)?),
            "maxInclusive" => facets.bounds.push(self.bound(at, Side::MaxInclusive, base, value)?),
            "maxExclusive" => facets.bounds.push(self.bound(at, Side::MaxExclusive, base, value)?),
            _ => return Err(self.unsupported(at)),
        }
        if facets.min_length.zip(facets.max_length).is_some_and(|(least, most)| least > most) {
            return Err(self.invalid(at, "minLength is more than maxLength"));
        }
        Ok(())
    }

    fn bound(&self, at: At, side: Side, base: &SimpleType, shown: &str) -> Done<Bound> {
        match base.builtin.ordering() {
            Ordering::None => return Err(self.not_for(at, base)),
            Ordering::Unsupported => {
                let construct = format!("{} of {}", self.node(at).name, base.builtin.name());
                return Err(self.unsupported_construct(at, &construct));
            }
            Ordering::Total => {}
        }
        let value = base.builtin.value(shown).ok_or_else(|| self.invalid(at, "a bound is not of the base type"))?;
        Ok(Bound { side, value, shown: shown.to_owned() })
    }

    fn not_for(&self, at: At, base: &SimpleType) -> crate::xsd::SchemaError {
        self.invalid(at, &format!("{} is no facet of {}", self.node(at).name, base.builtin.name()))
    }
}

/// The built-in type another is derived from.
#[expect(clippy::wildcard_enum_match_arm, reason = "the types not named are the primitive ones")]
fn base_of(builtin: Builtin) -> Builtin {
    let by_name = |name| Builtin::by_name(name).expect("the name of a built-in type");
    match builtin {
        Builtin::NormalizedString => Builtin::String,
        Builtin::Token => Builtin::NormalizedString,
        Builtin::Language | Builtin::NmToken | Builtin::Name => Builtin::Token,
        Builtin::NcName => Builtin::Name,
        Builtin::Integer(name, ..) => match name {
            "integer" => Builtin::Decimal,
            "long" | "nonNegativeInteger" | "nonPositiveInteger" => by_name("integer"),
            "int" => by_name("long"),
            "short" => by_name("int"),
            "byte" => by_name("short"),
            "positiveInteger" | "unsignedLong" => by_name("nonNegativeInteger"),
            "unsignedInt" => by_name("unsignedLong"),
            "unsignedShort" => by_name("unsignedInt"),
            "unsignedByte" => by_name("unsignedShort"),
            _ => by_name("nonPositiveInteger"),
        },
        _ => Builtin::AnySimple,
    }
}
