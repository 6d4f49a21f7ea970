//! Elements of one name in one content have one type (cos-element-consistent).

use std::collections::{HashMap, HashSet};

use super::groups::NameId;
use super::{Done, Model, Rules, broken};
use crate::xsd::components::{ElementId, Term, TypeId};

/// Judges all elements of a content model, with those that may stand in for them.
pub(super) fn check(rules: &Rules<'_>, model: &Model<'_>) -> Done {
    let elements = || {
        model.nodes().filter_map(|(_, node)| match &node.particle.term {
            Term::Element(element) => Some((*element, &node.particle.at)),
            Term::Any(_) | Term::Group(_) => None,
        })
    };
    let heads: HashSet<ElementId> =
        elements().map(|(element, _)| element).filter(|element| rules.groups.is_head(*element)).collect();
    let mut types: HashMap<NameId, TypeId> = HashMap::new();
    for (id, at) in elements() {
        let element = rules.components.element(id);
        let name = rules.groups.name(id);
        let known = *types.entry(name).or_insert(element.type_id);
        // What stands in for a head is in the content as well.
        let stands_in = !element.is_global && rules.groups.heads(name).iter().any(|head| heads.contains(head));
        let global = rules.components.global_elements.get(&element.name).filter(|_| stands_in);
        let implied = global.map(|global| rules.components.element(*global).type_id);
        if known != element.type_id || implied.is_some_and(|implied| implied != element.type_id) {
            let problem = format!("the element {} has two types in one content", element.name);
            return Err(broken(at, "cos-element-consistent", problem));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::xsd::rules::sample::assert_rules;

    #[test]
    fn one_name_has_one_type() {
        let head = "<xs:element name='h' type='xs:token'/><xs:element name='m' substitutionGroup='h'/>";
        let content = |parts: &str| format!("{head}<xs:group name='g'><xs:sequence>{parts}</xs:sequence></xs:group>");
        assert_rules([
            (content("<xs:element name='a' type='xs:int'/><xs:element name='a' type='xs:int'/>"), ""),
            (content("<xs:element ref='h'/><xs:element name='m' type='xs:token'/>"), ""),
            (content("<xs:element name='a'/><xs:element name='a' type='xs:int'/>"), "cos-element-consistent"),
            (content("<xs:element ref='h'/><xs:element name='m' type='xs:int'/>"), "cos-element-consistent"),
        ]);
    }
}
