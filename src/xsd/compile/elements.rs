//! Element and attribute declarations.

use super::{ANY_TYPE, At, Compiler, Done, Symbol};
use crate::xml::XML_NAMESPACE;
use crate::xsd::datatypes::builtin::{Builtin, Value};
use crate::xsd::tables::{AttributeUse, Content, Element, ElementId, NameId, SimpleId, Type, TypeId, XSD};

impl<'a> Compiler<'a> {
    /// The declaration at a node, made when first asked for.
    pub(super) fn element(&mut self, at: At) -> Done<ElementId> {
        if let Some(element) = self.elements.get(&at) {
            return Ok(*element);
        }
        self.allow(
            at,
            &[
                "name",
                "type",
                "nillable",
                "default",
                "fixed",
                "minOccurs",
                "maxOccurs",
                "form",
                "abstract",
                "block",
                "final",
            ],
        )?;
        self.only_neutral(at, "abstract", "false")?;
        self.only_neutral(at, "block", "")?;
        self.only_neutral(at, "final", "")?;
        let type_id = self.element_type(at)?;
        let fixed = self.fixed(at, self.simple_of(type_id))?;
        let has_default = fixed.is_some() || self.node(at).attribute("default").is_some();
        let element = Element { type_id, nillable: self.flag(at, "nillable")?, has_default, fixed };
        let id = self.schema.elements.len() as u32;
        self.schema.elements.push(element);
        self.elements.insert(at, id);
        Ok(id)
    }

    fn element_type(&mut self, at: At) -> Done<TypeId> {
        let mut own = None;
        for child in self.children(at) {
            match self.node(child).name.as_str() {
                "simpleType" | "complexType" if own.is_none() => own = Some(child),
                _ => return Err(self.unsupported(child)),
            }
        }
        match (self.node(at).attribute("type"), own) {
            (Some(_), Some(_)) => Err(self.invalid(at, "an element has two types")),
            (Some(name), None) => {
                let name = self.qname(at, name)?;
                self.type_named(at, name)
            }
            (None, Some(own)) => self.type_at(own),
            (None, None) => Ok(ANY_TYPE),
        }
    }

    /// The type of a name, built-in or of the schema.
    pub(super) fn type_named(&mut self, at: At, name: (&'a str, &'a str)) -> Done<TypeId> {
        match name {
            (XSD, "anyType") => Ok(ANY_TYPE),
            (XSD, local) => match Builtin::by_name(local) {
                Some(builtin) => Ok(self.builtin(builtin)),
                None => Err(self.unsupported_construct(at, &format!("the built-in type {local}"))),
            },
            _ => {
                let found = self.global(at, Symbol::Type, name)?;
                self.type_at(found)
            }
        }
    }

    /// The simple type of a type's content, as far as it is known already.
    pub(super) fn simple_of(&self, type_id: TypeId) -> Option<SimpleId> {
        match self.schema.type_of(type_id).map(|found| found.content) {
            Some(Content::Simple(simple)) => Some(simple),
            _ => None,
        }
    }

    pub(super) fn simple_as_type(&mut self, simple: SimpleId, base: TypeId) -> TypeId {
        self.schema.types.push(Type {
            base: Some(base),
            attributes: Vec::new(),
            required: 0,
            any_attribute: false,
            is_simple: true,
            content: Content::Simple(simple),
            children: Vec::new(),
            slots: 0,
        });
        self.schema.types.len() as u32 - 1
    }

    /// The value of `fixed`, as its type sees it.
    fn fixed(&self, at: At, simple: Option<SimpleId>) -> Done<Option<Value>> {
        let Some((_, text)) = self.node(at).attributes.iter().find(|(name, _)| name == "fixed") else {
            return Ok(None);
        };
        let Some(simple) = simple.and_then(|simple| self.schema.simple(simple)) else {
            return Err(self.unsupported_construct(at, "fixed on complex content"));
        };
        if matches!(simple.builtin, Builtin::Base64 | Builtin::Hex | Builtin::QName) {
            return Err(self.unsupported_construct(at, "fixed on binary values and names"));
        }
        let value = simple.builtin.value(&simple.space.apply(text));
        value.map(Some).ok_or_else(|| self.invalid(at, "the fixed value is not of its type"))
    }

    /// The attributes that the children of a node ask for; of prohibited ones the second list has the names.
    pub(super) fn attribute_uses(&mut self, at: At) -> Done<Vec<AttributeUse>> {
        let mut uses: Vec<AttributeUse> = Vec::new();
        for child in self.children(at) {
            self.take_part(child)?;
            let more = match self.node(child).name.as_str() {
                "attribute" => self.attribute_use(child)?.into_iter().collect(),
                "attributeGroup" => {
                    self.allow(child, &["ref"])?;
                    let name = self.qname(child, self.need(child, "ref")?)?;
                    let group = self.global(child, Symbol::AttributeGroup, name)?;
                    self.nested(child, |compiler| compiler.attribute_uses(group))?
                }
                "anyAttribute" => return Err(self.unsupported(child)),
                _ => continue,
            };
            uses.extend(more);
        }
        Ok(uses)
    }

    /// One attribute; `None` if it is prohibited.
    fn attribute_use(&mut self, at: At) -> Done<Option<AttributeUse>> {
        self.allow(at, &["name", "ref", "type", "use", "default", "fixed", "form"])?;
        let required = match self.node(at).attribute("use") {
            None | Some("optional") => false,
            Some("required") => true,
            Some("prohibited") => return Ok(None),
            Some(_) => return Err(self.invalid(at, "use is none of its three words")),
        };
        let (name, simple, declared) = match self.node(at).attribute("ref") {
            Some(reference) => self.attribute_named(at, reference)?,
            None => {
                let local = self.need(at, "name")?;
                let uri = self.form(at, "attributeFormDefault")?;
                let name = self.name(uri, local);
                (name, self.attribute_declaration(at)?, None)
            }
        };
        let fixed = self.fixed(at, Some(simple))?.or(declared);
        let found = self.schema.names.get(name as usize).expect("just numbered");
        let (namespace, local) = (found.namespace, found.local.clone());
        Ok(Some(AttributeUse { namespace, local, simple, required, fixed }))
    }

    fn attribute_named(&mut self, at: At, reference: &'a str) -> Done<(NameId, SimpleId, Option<Value>)> {
        let (uri, local) = self.qname(at, reference)?;
        let name = self.name(uri, local);
        if let Some(found) = self.globals.get(&(Symbol::Attribute, uri, local)).copied() {
            let simple = self.attribute_declaration(found)?;
            return Ok((name, simple, self.fixed(found, Some(simple))?));
        }
        let builtin = match (uri, local) {
            (XML_NAMESPACE, "lang") => Builtin::Language,
            (XML_NAMESPACE, "base") => Builtin::AnyUri,
            _ => return Err(self.invalid(at, &format!("the attribute {local} is not declared"))),
        };
        let type_id = self.builtin(builtin);
        Ok((name, self.simple_of(type_id).expect("a built-in type is simple"), None))
    }

    /// The simple type of an attribute declaration.
    pub(super) fn attribute_declaration(&mut self, at: At) -> Done<SimpleId> {
        self.allow(at, &["name", "type", "use", "default", "fixed", "form"])?;
        let own = self.child(at, "simpleType");
        let type_id = match (self.node(at).attribute("type"), own) {
            (Some(name), None) => {
                let name = self.qname(at, name)?;
                self.type_named(at, name)?
            }
            (None, Some(own)) => self.type_at(own)?,
            (None, None) => self.builtin(Builtin::AnySimple),
            (Some(_), Some(_)) => return Err(self.invalid(at, "an attribute has two types")),
        };
        let is_simple = self.schema.type_of(type_id).is_some_and(|found| found.is_simple);
        self.simple_of(type_id)
            .filter(|_| is_simple)
            .ok_or_else(|| self.invalid(at, "an attribute's type is not simple"))
    }

    /// The namespace of a local declaration, by its form.
    pub(super) fn form(&self, at: At, default: &str) -> Done<&'a str> {
        let form = self.node(at).attribute("form").or(self.node(At { node: 0, ..at }).attribute(default));
        match form {
            Some("qualified") => Ok(self.target(at)),
            None | Some("unqualified") => Ok(""),
            Some(_) => Err(self.invalid(at, "a form is neither qualified nor unqualified")),
        }
    }
}
