//! Attributes: those of the schema, and those of `xsi`.

use super::Judging;
use super::ending::same;
use super::references::InScope;
use crate::xml::{Attribute, Locator, Tag, shown};
use crate::xsd::components::{Derivations, Process};
use crate::xsd::datatypes::{Broken, Space, Value};
use crate::xsd::finding::Kind;
use crate::xsd::tables::{AttributeUse, Element, Schema, Type, TypeId, XSI_NAMESPACE};
use crate::xsd::validator::Observer;

impl<O: Observer> Judging<'_, '_, O> {
    /// Reads `xsi:type` and `xsi:nil`: the type that counts, and whether the element is nil.
    pub(super) fn instance_attributes(
        &mut self,
        tag: &Tag<'_>,
        element: Option<&Element>,
        declared: TypeId,
        locator: &mut Locator<'_>,
    ) -> (TypeId, bool) {
        let (mut type_id, mut nil) = (declared, false);
        for attribute in tag.attributes().filter(|attribute| attribute.namespace == XSI_NAMESPACE) {
            match attribute.local {
                b"type" => match self.instance_type(&attribute, tag, element, declared) {
                    Ok(found) => type_id = found,
                    Err(broken) => self.find_at(broken, &attribute, locator),
                },
                b"nil" => match nil_value(&attribute, element) {
                    Ok(value) => nil = value,
                    Err(broken) => self.find_at(broken, &attribute, locator),
                },
                _ => {}
            }
        }
        (type_id, nil)
    }

    /// Tells whether `xsi:type` names a type of the schema.
    pub(super) fn names_type(&self, tag: &Tag<'_>) -> bool {
        let mut attributes = tag.attributes();
        let named = attributes.find(|attribute| attribute.namespace == XSI_NAMESPACE && attribute.local == b"type");
        named.is_some_and(|attribute| matches!(named_type(self.judge.schema(), &attribute, tag), Ok(Some(_))))
    }

    fn instance_type(
        &self,
        attribute: &Attribute<'_>,
        tag: &Tag<'_>,
        element: Option<&Element>,
        declared: TypeId,
    ) -> Result<TypeId, Broken> {
        let schema = self.judge.schema();
        let found = named_type(schema, attribute, tag)?;
        let found =
            found.ok_or_else(|| Broken::new(Kind::Other, "cvc-elt.4.2", "xsi:type names no type of the schema"))?;
        let blocked = element.map_or(Derivations::default(), |element| element.blocked);
        let prohibited = schema.type_of(declared).map_or(Derivations::default(), |declared| declared.blocked);
        if schema.derives(found, declared, blocked.and(prohibited)) {
            return Ok(found);
        }
        let derives = schema.derives(found, declared, Derivations::default());
        let text = match derives {
            true => "xsi:type names a type derived in a way that the schema blocks here",
            false => "xsi:type names a type that is not derived from the element's",
        };
        Err(Broken::new(Kind::Other, "cvc-elt.4.3", text))
    }

    /// Judges the attributes of a tag by its type.
    pub(super) fn attributes(&mut self, tag: &Tag<'_>, found: &Type, locator: &mut Locator<'_>) {
        let (mut required, mut wild_ids) = (0, 0);
        for attribute in tag.attributes() {
            if is_instance(&attribute) {
                continue;
            }
            let used = match self.use_of(found, &attribute) {
                Ok(used) => used,
                Err(broken) => {
                    self.find_at(broken, &attribute, locator);
                    continue;
                }
            };
            let Some((used, is_wild)) = used else { continue };
            required += u32::from(used.required && !is_wild);
            wild_ids += u32::from(is_wild && used.is_id);
            if is_wild && used.is_id && (wild_ids > 1 || found.has_id) {
                let rule = if found.has_id { "cvc-complex-type.5.2" } else { "cvc-complex-type.5.1" };
                let text = format!("the attribute {} is one ID too many", shown(attribute.local));
                self.find_at(Broken::new(Kind::UnexpectedAttribute, rule, text), &attribute, locator);
            }
            self.attribute_value(used, &attribute, tag, locator);
        }
        if required < found.required {
            self.missing_attributes(tag, found, locator);
        }
        if found.gives_attributes {
            self.given_attributes(tag, found, locator);
        }
    }

    /// What a type says of an attribute, and whether a wildcard says it; nothing where anything may be.
    pub(super) fn use_of<'t>(
        &self,
        found: &'t Type,
        attribute: &Attribute<'_>,
    ) -> Result<Option<(&'t AttributeUse, bool)>, Broken>
    where
        Self: 't,
    {
        if let Some(used) = found.attributes.iter().find(|used| is_for(used, attribute)) {
            return Ok(Some((used, false)));
        }
        let schema = self.judge.schema();
        let wildcard = found.any_attribute.and_then(|id| schema.wildcard(id));
        let Some(wildcard) = wildcard.filter(|wildcard| wildcard.admits(attribute.namespace)) else {
            let rule = if found.is_simple { "cvc-type.3.1.1" } else { "cvc-complex-type.3.2.2" };
            let text = format!("the attribute {} is not allowed", shown(attribute.local));
            return Err(Broken::new(Kind::UnexpectedAttribute, rule, text));
        };
        if wildcard.process == Process::Skip {
            return Ok(None);
        }
        let name = schema.name_id(attribute.namespace, attribute.local);
        match name.and_then(|name| schema.global_attributes.get(&name)) {
            Some(used) => Ok(Some((used, true))),
            None if wildcard.process == Process::Lax => Ok(None),
            None => {
                let text = format!("the schema has no attribute {} to judge by", shown(attribute.local));
                Err(Broken::new(Kind::UnexpectedAttribute, "cvc-complex-type.3.2.2", text))
            }
        }
    }

    fn missing_attributes(&mut self, tag: &Tag<'_>, found: &Type, locator: &mut Locator<'_>) {
        let at = locator.position(tag.offset);
        for used in found.attributes.iter().filter(|used| used.required) {
            if !tag.attributes().any(|attribute| is_for(used, &attribute)) {
                let text = format!("the attribute {} is missing", shown(&used.local));
                self.find(Kind::MissingAttribute, "cvc-complex-type.4", at, text);
            }
        }
    }

    /// Values the schema gives attributes that are absent may refer to others.
    fn given_attributes(&mut self, tag: &Tag<'_>, found: &Type, locator: &mut Locator<'_>) {
        let schema = self.judge.schema();
        for used in &found.attributes {
            let Some(value) = used.value.as_ref().and_then(|given| given.value.as_ref()) else { continue };
            let names = schema.simple(used.simple).is_some_and(|simple| simple.names());
            if names && !tag.attributes().any(|attribute| is_for(used, &attribute)) {
                self.refer(value, |_| locator.position(tag.offset));
            }
        }
    }

    fn attribute_value(
        &mut self,
        used: &AttributeUse,
        attribute: &Attribute<'_>,
        tag: &Tag<'_>,
        locator: &mut Locator<'_>,
    ) {
        let Some(simple) = self.judge.schema().simple(used.simple) else { return };
        let fixed = used.value.as_ref().filter(|given| given.is_fixed);
        if fixed.is_none() && !simple.names() && simple.surely(attribute.value) {
            return;
        }
        let judged = self.value_of(used, attribute, tag).and_then(|value| match fixed {
            Some(given) => same(&value, given, "cvc-attribute.4").map(|()| value),
            None => Ok(value),
        });
        match judged {
            Ok(value) => {
                self.refer(&value, |_| locator.position(attribute.offset));
            }
            Err(broken) => {
                let text = format!("the attribute {}: {}", shown(attribute.local), broken.text);
                self.find_at(Broken { text, ..broken }, attribute, locator);
            }
        }
    }

    /// The value of an attribute.
    pub(super) fn value_of(
        &self,
        used: &AttributeUse,
        attribute: &Attribute<'_>,
        tag: &Tag<'_>,
    ) -> Result<Value, Broken> {
        let schema = self.judge.schema();
        let simple = schema.simple(used.simple).expect("attributes are numbered with their types");
        let scope = InScope { schema, scope: tag.scope };
        simple.value(&String::from_utf8_lossy(attribute.value), &scope)
    }

    pub(super) fn find_at(&mut self, broken: Broken, attribute: &Attribute<'_>, locator: &mut Locator<'_>) {
        self.find_broken(broken, locator.position(attribute.offset));
    }
}

/// The type `xsi:type` names, if the schema has it.
fn named_type(schema: &Schema, attribute: &Attribute<'_>, tag: &Tag<'_>) -> Result<Option<TypeId>, Broken> {
    let text = String::from_utf8_lossy(attribute.value);
    let text = Space::Collapse.apply(&text);
    let (prefix, local) = text.split_once(':').unwrap_or(("", &text));
    let sound = |part: &str| crate::xml::is_name(part, false);
    if !sound(local) || !(prefix.is_empty() && !text.starts_with(':') || sound(prefix)) {
        let text = "xsi:type holds no qualified name";
        return Err(Broken::new(Kind::BadValue, "cvc-elt.4.1", text));
    }
    let namespace = tag.scope.lookup(prefix.as_bytes());
    let name = namespace.and_then(|(namespace, _)| schema.name_id(namespace, local.as_bytes()));
    Ok(name.and_then(|name| schema.global_types.get(&name).copied()))
}

pub(super) fn is_for(used: &AttributeUse, attribute: &Attribute<'_>) -> bool {
    used.namespace == attribute.namespace && *used.local == *attribute.local
}

/// The four attributes that may stand on any element.
pub(super) fn is_instance(attribute: &Attribute<'_>) -> bool {
    let known: [&[u8]; 4] = [b"type", b"nil", b"schemaLocation", b"noNamespaceSchemaLocation"];
    attribute.namespace == XSI_NAMESPACE && known.contains(&attribute.local)
}

fn nil_value(attribute: &Attribute<'_>, element: Option<&Element>) -> Result<bool, Broken> {
    if element.is_some_and(|element| !element.nillable) {
        let text = "xsi:nil stands on an element that may not be nil";
        return Err(Broken::new(Kind::BadNil, "cvc-elt.3.1", text));
    }
    let text = String::from_utf8_lossy(attribute.value);
    let nil = match Space::Collapse.apply(&text).as_ref() {
        "true" | "1" => true,
        "false" | "0" => false,
        _ => {
            let text = "xsi:nil is neither true nor false";
            return Err(Broken::new(Kind::BadNil, "cvc-datatype-valid.1.2.1", text));
        }
    };
    let fixed = element.and_then(|element| element.value.as_ref()).is_some_and(|given| given.is_fixed);
    if nil && fixed {
        let text = "an element is nil whose value the schema fixes";
        return Err(Broken::new(Kind::BadNil, "cvc-elt.3.2.2", text));
    }
    Ok(nil)
}
