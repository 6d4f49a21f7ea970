//! Every built-in type with every facet that applies to it, as a restriction, a list and a union.

use super::chance::Chance;
use super::known::{Case, Peer, Said};
use super::ours::Ours;
use super::tally::Tally;
use super::values::{BUILTINS, Builtin, Facets, value};
use super::{rounds, seed};
use crate::peers::{Libxml2, Opinion, Xerces};

/// Values judged by each type.
const VALUES: usize = 60;
/// Values tried as the value of a facet until one is taken.
const TRIES: usize = 12;

#[test]
fn values_are_valid_to_us_as_to_others() {
    let (Some(mut xerces), Some(libxml2)) = (Xerces::start(), Libxml2::find()) else { return };
    let mut tally = Tally::default();
    for round in 0..rounds(1) {
        for builtin in BUILTINS {
            let mut chance = Chance::new(seed() + round as u64);
            for facet in facets(builtin) {
                for form in [Form::Plain, Form::List, Form::Union] {
                    let asked = Asked { builtin, facet, form };
                    asked.of_all(&mut chance, &mut xerces, &libxml2, &mut tally);
                }
            }
        }
    }
    tally.close("values");
}

/// How a type is made of a built-in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    Plain,
    List,
    Union,
}

fn facets(builtin: &Builtin) -> Vec<&'static str> {
    let order = ["minInclusive", "maxInclusive", "minExclusive", "maxExclusive"];
    let mut facets = vec!["", "enumeration", "whiteSpace"];
    match builtin.facets {
        Facets::Length => facets.extend(["length", "minLength", "maxLength"]),
        Facets::Order => facets.extend(order),
        Facets::Digits => facets.extend(order.into_iter().chain(["totalDigits", "fractionDigits"])),
        Facets::None => {}
    }
    facets
}

struct Asked<'b> {
    builtin: &'b Builtin,
    facet: &'static str,
    form: Form,
}

impl Asked<'_> {
    fn of_all(&self, chance: &mut Chance, xerces: &mut Xerces, libxml2: &Libxml2, tally: &mut Tally) {
        for _ in 0..TRIES {
            let Some(limit) = self.limit(chance) else { return };
            let schema = self.schema(&limit);
            let about = format!("{} {:?} {}={limit}", self.builtin.name, self.form, self.facet);
            let ours = Ours::schema(schema.as_bytes());
            let theirs = xerces.schema(schema.as_bytes());
            let said = [(Peer::Xerces, Said { accepts: theirs.accepts(), message: theirs.message() })];
            let message = ours.as_ref().err().cloned().unwrap_or_default();
            let (ours_accepts, ours_says) = (ours.is_ok(), message.as_str());
            tally.take(&Case { about: &about, input: "the schema", ours_accepts, ours: ours_says, peers: &said });
            let Ok(ours) = ours else { continue };
            if theirs.accepts() {
                self.of_values(&about, &schema, &ours, (chance, xerces, libxml2), tally);
            }
            return;
        }
    }

    fn of_values(
        &self,
        about: &str,
        schema: &str,
        ours: &Ours,
        (chance, xerces, libxml2): (&mut Chance, &mut Xerces, &Libxml2),
        tally: &mut Tally,
    ) {
        let values: Vec<String> = (0..VALUES).map(|_| self.value(chance)).collect();
        // The first value stands on the second line, and each has a line of its own, in an element or an attribute.
        let lines = values.iter().enumerate().map(|(number, value)| match number % 3 {
            0 => format!("<v a=\"{value}\"/>\n"),
            _ => format!("<w>{value}</w>\n"),
        });
        let lines: String = lines.collect();
        let document = format!("<r xmlns:x='urn:x' xmlns:xs='http://www.w3.org/2001/XMLSchema'>\n{lines}</r>");
        let by_us = ours.document(document.as_bytes(), &[]);
        let bytes: Vec<usize> = (0..document.len()).collect();
        assert_eq!(by_us, ours.document(document.as_bytes(), &bytes), "{about}: byte by byte");
        let by_xerces = xerces.document(document.as_bytes());
        let by_libxml2 = libxml2.documents(schema.as_bytes(), &[document.into_bytes()]).remove(0);
        for (number, value) in (2..).zip(&values) {
            let accepts = |opinion: &Opinion| opinion.lines().is_some_and(|lines| !lines.contains(&number));
            // A peer that read the schema otherwise, or broke down, has no opinion.
            let both = [(Peer::Xerces, &by_xerces), (Peer::Libxml2, &by_libxml2)];
            let able = both.into_iter().filter(|(_, opinion)| opinion.lines().is_some());
            let said = |opinion| Said { accepts: accepts(opinion), message: opinion.message() };
            let peers: Vec<_> = able.map(|(peer, opinion)| (peer, said(opinion))).collect();
            tally.take(&Case {
                about,
                input: value,
                ours_accepts: accepts(&by_us),
                ours: by_us.message(),
                peers: &peers,
            });
        }
    }

    fn value(&self, chance: &mut Chance) -> String {
        let one = |chance: &mut Chance| value(self.builtin.shape, chance);
        match self.form {
            Form::Plain => one(chance),
            Form::List => (0..chance.below(4)).map(|_| one(chance)).collect::<Vec<_>>().join(" "),
            Form::Union if chance.once_in(3) => chance.pick(&["other", " other ", "others", ""]).to_owned(),
            Form::Union => one(chance),
        }
    }

    /// A value for the facet; `None` where the facet does not go with the form.
    fn limit(&self, chance: &mut Chance) -> Option<String> {
        let of_length = self.facet.to_ascii_lowercase().contains("length");
        let of_union = self.form == Form::Union && !matches!(self.facet, "" | "enumeration");
        let of_list = self.form == Form::List && !of_length && !matches!(self.facet, "" | "enumeration");
        if of_union || of_list {
            return None;
        }
        Some(match self.facet {
            "" => String::new(),
            "whiteSpace" => chance.pick(&["preserve", "replace", "collapse"]).to_owned(),
            "totalDigits" => (1 + chance.below(5)).to_string(),
            "fractionDigits" => chance.below(3).to_string(),
            _ if of_length => chance.below(5).to_string(),
            _ => self.value(chance),
        })
    }

    /// The facet stands on the form of the type: on the list or the union where it is one.
    fn schema(&self, limit: &str) -> String {
        let base = format!("xs:{}", self.builtin.name);
        let facet = match self.facet {
            "" => String::new(),
            facet => format!("<xs:{facet} value=\"{limit}\"/>"),
        };
        let defined = match self.form {
            Form::Plain => format!("<xs:simpleType name='B'><xs:restriction base='{base}'/></xs:simpleType>"),
            Form::List => format!("<xs:simpleType name='B'><xs:list itemType='{base}'/></xs:simpleType>"),
            Form::Union => format!(
                "<xs:simpleType name='B'><xs:union memberTypes='O {base}'/></xs:simpleType><xs:simpleType name='O'>\
                 <xs:restriction base='xs:string'><xs:enumeration value='other'/></xs:restriction></xs:simpleType>"
            ),
        };
        format!(
            "<xs:schema xmlns:xs='http://www.w3.org/2001/XMLSchema' xmlns:x='urn:x'>{defined}\
             <xs:simpleType name='T'><xs:restriction base='B'>{facet}</xs:restriction></xs:simpleType>\
             <xs:element name='r'><xs:complexType><xs:choice maxOccurs='unbounded'><xs:element name='w' type='T'/>\
             <xs:element name='v'><xs:complexType><xs:attribute name='a' type='T'/></xs:complexType></xs:element>\
             </xs:choice></xs:complexType></xs:element></xs:schema>"
        )
    }
}
