//! Elements of one name in one content have one type (cos-element-consistent).

use std::collections::HashMap;

use super::{Done, Model, Rules, broken};
use crate::xsd::components::{QName, Term, TypeId};

/// Judges all elements of a content model, with those that may stand in for them.
pub(super) fn check(rules: &Rules<'_>, model: &Model<'_>) -> Done {
    let mut types: HashMap<&QName, TypeId> = HashMap::new();
    for (_, node) in model.nodes() {
        let Term::Element(id) = &node.particle.term else { continue };
        for member in rules.group(id) {
            let element = rules.components.element(*member);
            let known = *types.entry(&element.name).or_insert(element.type_id);
            if known != element.type_id {
                let problem = format!("the element {} has two types in one content", element.name);
                return Err(broken(&node.particle.at, "cos-element-consistent", problem));
            }
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
