//! Attributes: those of the schema, and those of `xsi`.

use super::Judging;
use super::ending::{declared, same};
use crate::xml::{Attribute, Locator, Namespace, Tag, shown};
use crate::xsd::datatypes::builtin::Builtin;
use crate::xsd::datatypes::{Broken, Space};
use crate::xsd::finding::Kind;
use crate::xsd::tables::{AttributeUse, Element, Type, TypeId, XSI_NAMESPACE};
use crate::xsd::validator::Observer;
use crate::xsd::value::Reader;

/// What `xsi:nil` and `xsi:type` may hold at most; the tokenizer bounds attributes anyway.
const MOST_BYTES: usize = 1 << 20;

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
                b"type" => match self.instance_type(&attribute, tag, declared) {
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

    fn instance_type(&self, attribute: &Attribute<'_>, tag: &Tag<'_>, declared: TypeId) -> Result<TypeId, Broken> {
        let schema = self.judge.schema();
        let text = String::from_utf8_lossy(attribute.value);
        let text = Space::Collapse.apply(&text).into_owned();
        if !Builtin::QName.accepts(&text) {
            return Err(Broken::of_type(Builtin::QName));
        }
        let (prefix, local) = text.split_once(':').unwrap_or(("", &text));
        let name = tag.scope.lookup(prefix.as_bytes());
        let name = name.and_then(|(namespace, _)| schema.name_id(namespace, local.as_bytes()));
        let found = name.and_then(|name| schema.global_types.get(&name).copied());
        let found =
            found.ok_or_else(|| Broken::new(Kind::Other, "cvc-elt.4.2", "xsi:type names no type of the schema"))?;
        let mut ancestors = std::iter::successors(Some(found), |id| schema.type_of(*id).and_then(|found| found.base));
        if ancestors.any(|ancestor| ancestor == declared) {
            return Ok(found);
        }
        Err(Broken::new(Kind::Other, "cvc-elt.4.3", "xsi:type names a type that is not derived from the element's"))
    }

    /// Judges the attributes of a tag by its type.
    pub(super) fn attributes(&mut self, tag: &Tag<'_>, found: &Type, locator: &mut Locator<'_>) {
        let mut required = 0;
        for attribute in tag.attributes() {
            if is_instance(&attribute) {
                continue;
            }
            let used = found.attributes.iter().find(|used| is_for(used, &attribute));
            match used {
                Some(used) => {
                    required += u32::from(used.required);
                    if let Err(broken) = self.attribute_value(used, &attribute, tag) {
                        self.find_at(broken, &attribute, locator);
                    }
                }
                None if found.any_attribute => {}
                None => {
                    let rule = if found.is_simple { "cvc-type.3.1.1" } else { "cvc-complex-type.3.2.2" };
                    let text = format!("the attribute {} is not allowed", shown(attribute.local));
                    self.find_at(Broken::new(Kind::UnexpectedAttribute, rule, text), &attribute, locator);
                }
            }
        }
        if required < found.required {
            self.missing_attributes(tag, found, locator);
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

    fn attribute_value(&self, used: &AttributeUse, attribute: &Attribute<'_>, tag: &Tag<'_>) -> Result<(), Broken> {
        let Some(simple) = self.judge.schema().simple(used.simple) else { return Ok(()) };
        let mut reader = Reader::new(MOST_BYTES);
        reader.begin(simple, used.fixed.is_some());
        reader.text(attribute.value);
        let named = |broken: Broken| Broken {
            text: format!("the attribute {}: {}", shown(attribute.local), broken.text),
            ..broken
        };
        reader.judge(simple).map_err(named)?;
        if simple.builtin == Builtin::QName {
            declared(reader.kept(), tag.scope).map_err(named)?;
        }
        match &used.fixed {
            Some(fixed) => {
                same(simple, &String::from_utf8_lossy(attribute.value), fixed, "cvc-attribute.4").map_err(named)
            }
            None => Ok(()),
        }
    }

    fn find_at(&mut self, broken: Broken, attribute: &Attribute<'_>, locator: &mut Locator<'_>) {
        self.find_broken(broken, locator.position(attribute.offset));
    }
}

fn is_for(used: &AttributeUse, attribute: &Attribute<'_>) -> bool {
    used.namespace == attribute.namespace && *used.local == *attribute.local
}

/// The four attributes that may stand on any element.
fn is_instance(attribute: &Attribute<'_>) -> bool {
    let known: [&[u8]; 4] = [b"type", b"nil", b"schemaLocation", b"noNamespaceSchemaLocation"];
    attribute.namespace == XSI_NAMESPACE && attribute.namespace != Namespace::NONE && known.contains(&attribute.local)
}

fn nil_value(attribute: &Attribute<'_>, element: Option<&Element>) -> Result<bool, Broken> {
    if element.is_some_and(|element| !element.nillable) {
        let text = "xsi:nil stands on an element that may not be nil";
        return Err(Broken::new(Kind::BadNil, "cvc-elt.3.1", text));
    }
    let text = String::from_utf8_lossy(attribute.value);
    match Space::Collapse.apply(&text).as_ref() {
        "true" | "1" => Ok(true),
        "false" | "0" => Ok(false),
        _ => Err(Broken::new(Kind::BadNil, "cvc-datatype-valid.1.2.1", "xsi:nil is neither true nor false")),
    }
}
