//! Attributes: declarations, uses, groups and the wildcards of types (sections 3.2.2, 3.4.2, 3.6.2).

use std::collections::HashSet;

use super::names::Named;
use super::{At, Builder, Done, Symbol};
use crate::xsd::components::{
    ANY_SIMPLE_TYPE, AttributeDeclaration, AttributeGroup, AttributeUse, QName, TypeId, ValueConstraint, Wildcard,
};

/// The attributes that a type or group has by itself and from groups.
#[derive(Debug, Clone, Default)]
pub(super) struct Attributes {
    /// Each with where it stands: what comes by two ways is one.
    pub(super) uses: Vec<(At, AttributeUse)>,
    /// Names whose use is prohibited.
    pub(super) prohibited: Vec<QName>,
    pub(super) any: Option<Wildcard>,
}

impl Builder<'_> {
    /// The attributes among the children of a node; `definition` is the type or group they are of.
    pub(super) fn attributes_of(&mut self, definition: At, at: At) -> Done<Attributes> {
        let mut all = Attributes::default();
        let mut seen = HashSet::new();
        let mut wildcards = Vec::new();
        let mut own = None;
        for child in self.children(at) {
            match self.node(child).name.as_str() {
                "attribute" => self.add_use(child, &mut all)?,
                "attributeGroup" => {
                    let group = self.attribute_group_meant(definition, child)?;
                    let group = self.attribute_groups.get(&group).expect("groups are built before what refers to them");
                    all.uses.extend(group.uses.iter().filter(|(at, _)| seen.insert(*at)).cloned());
                    wildcards.extend(group.any.clone());
                }
                "anyAttribute" => own = Some(self.wildcard(child)),
                _ => {}
            }
        }
        self.take_attributes(at, all.uses.len())?;
        all.any = self.complete(at, own, wildcards)?;
        Ok(all)
    }

    /// Counts attributes of types and groups, those they inherit too.
    pub(super) fn take_attributes(&mut self, at: At, count: usize) -> Done {
        self.attributes_taken += count;
        match self.attributes_taken > self.limits.attributes {
            true => self.too_large(at, "the schema has too many attributes, counted as often as they are inherited"),
            false => Ok(()),
        }
    }

    /// The complete wildcard: what its own and those of all groups have in common, as strict as the first.
    fn complete(&self, at: At, own: Option<Wildcard>, groups: Vec<Wildcard>) -> Done<Option<Wildcard>> {
        let mut all = own.into_iter().chain(groups);
        let Some(mut complete) = all.next() else { return Ok(None) };
        for wildcard in all {
            let Some(both) = complete.intersection(&wildcard) else {
                let rule = if self.node(at).name == "attributeGroup" { "src-attribute_group.2" } else { "src-ct.4" };
                return self.broken(at, rule, "what the attribute wildcards have in common cannot be expressed");
            };
            complete = both;
        }
        Ok(Some(complete))
    }

    fn add_use(&self, at: At, all: &mut Attributes) -> Done {
        let node = self.node(at);
        self.check_attribute(at)?;
        let (attribute, name) = match node.attribute("ref") {
            Some(name) => {
                let declared = self.resolve(at, Symbol::Attribute, name)?;
                (declared, self.own_name(declared))
            }
            None => (at, self.attribute_name(at)),
        };
        let attribute = self.attribute_ids.get(&attribute).copied().expect("all attributes are numbered");
        match node.attribute("use") {
            Some("prohibited") => all.prohibited.push(name),
            use_ => {
                let required = use_ == Some("required");
                all.uses.push((at, AttributeUse { attribute, required, value: self.value_constraint(at) }));
            }
        }
        Ok(())
    }

    /// Judges what a document says of one attribute (src-attribute).
    fn check_attribute(&self, at: At) -> Done {
        let node = self.node(at);
        let has = |name: &str| node.attribute(name).is_some();
        let has_type = self.child(at, &["simpleType"]).is_some();
        let broken = |rule, problem: &str| self.broken(at, rule, problem);
        match () {
            () if has("default") && has("fixed") => {
                broken("src-attribute.1", "an attribute has default or fixed, not both")
            }
            () if has("default") && node.attribute("use").is_some_and(|use_| use_ != "optional") => {
                broken("src-attribute.2", "an attribute with a default is optional")
            }
            () if has("name") == has("ref") => broken("src-attribute.3.1", "an attribute has either name or ref"),
            () if has("ref") && (has("type") || has("form") || has_type) => {
                broken("src-attribute.3.2", "an attribute by reference has no type and no form of its own")
            }
            () if has("type") && has_type => {
                broken("src-attribute.4", "an attribute has type or a simpleType in it, not both")
            }
            () => Ok(()),
        }
    }

    /// The name of an attribute that is declared where it stands.
    pub(super) fn attribute_name(&self, at: At) -> QName {
        match self.is_global(at) || self.is_qualified(at, "attributeFormDefault") {
            true => self.own_name(at),
            false => QName::new("", self.node(at).attribute("name").unwrap_or_default()),
        }
    }

    pub(super) fn name_of_attribute(&self, one: &AttributeUse) -> &QName {
        self.attribute_names.get(one.attribute as usize).expect("attributes are numbered by this schema")
    }

    pub(super) fn is_qualified(&self, at: At, default: &str) -> bool {
        let root = self.node(At { document: at.document, node: 0 });
        self.node(at).attribute("form").or(root.attribute(default)) == Some("qualified")
    }

    pub(super) fn is_global(&self, at: At) -> bool {
        let root = self.node(At { document: at.document, node: 0 });
        root.children.binary_search(&at.node).is_ok()
    }

    pub(super) fn value_constraint(&self, at: At) -> Option<ValueConstraint> {
        let node = self.node(at);
        let (text, is_fixed) = match node.written("fixed") {
            Some(text) => (text, true),
            None => (node.written("default")?, false),
        };
        Some(ValueConstraint { is_fixed, text: text.into(), bindings: node.bindings.clone() })
    }

    /// Builds an attribute group.
    pub(super) fn make_attribute_group(&mut self, at: At) -> Done {
        self.count_own_references(at, "src-redefine.7.1")?;
        let attributes = self.attributes_of(at, at)?;
        self.attribute_groups.insert(at, attributes);
        Ok(())
    }

    pub(super) fn name_attribute_group(&mut self, at: At, name: QName) {
        let group = self.attribute_groups.get(&at).map(Attributes::group);
        group.and_then(|group| self.components.global_attribute_groups.insert(name, group));
    }

    /// Declares all attributes, global and local.
    pub(super) fn declare_attributes(&mut self) -> Done {
        let mut sorted: Vec<(u32, At)> = self.attribute_ids.iter().map(|(at, id)| (*id, *at)).collect();
        sorted.sort_unstable();
        for (_, at) in sorted {
            self.check_attribute(at)?;
            let is_global = self.is_global(at);
            let type_id = self.type_of_attribute(at)?;
            // The value of a local one is that of its use.
            let value = self.value_constraint(at).filter(|_| is_global);
            let (name, at) = (self.attribute_name(at), self.place(at));
            self.components.attributes.push(AttributeDeclaration { name, at, is_global, type_id, value });
        }
        Ok(())
    }

    fn type_of_attribute(&self, at: At) -> Done<TypeId> {
        let named = match (self.node(at).attribute("type"), self.child(at, &["simpleType"])) {
            (Some(name), _) => self.simple_named(at, name)?,
            (None, Some(inline)) => Named::Defined(inline),
            (None, None) => Named::Builtin(ANY_SIMPLE_TYPE),
        };
        self.type_of_values(at, named)
    }
}

impl Attributes {
    pub(super) fn group(&self) -> AttributeGroup {
        let attributes = self.uses.iter().map(|(_, one)| one.clone()).collect();
        AttributeGroup { attributes, any_attribute: self.any.clone() }
    }
}
