//! A place between two items, and validators that begin at such a place.

use super::judge::Judge;
use super::validator::{Limits, Validator};
use crate::xml::Tokenizer;

/// A state in which a document stands between two items.
#[derive(Debug)]
pub(super) struct Seam<'p> {
    tokenizer: Tokenizer,
    judge: Judge<'p>,
    limits: Limits,
    depth: usize,
    /// What an item ends with.
    pub(super) end_tag: Vec<u8>,
}

impl<'p> Validator<'p> {
    /// The seam between the items that come again and again where the document stands.
    pub(super) fn seam(&self) -> Option<Seam<'p>> {
        let depth = self.judge.seam()?;
        let name = self.tokenizer.open_name(depth)?;
        let end_tag = [b"</", name, b">"].concat();
        let tokenizer = self.tokenizer.branch(depth, 0)?;
        let judge = self.judge.branch(depth, &self.limits)?;
        Some(Seam { tokenizer, judge, limits: self.limits.clone(), depth, end_tag })
    }

    /// Tells whether the document stands at the seam.
    pub(super) fn stands_at(&self, seam: &Seam<'p>) -> bool {
        !self.stopped && self.tokenizer.is_between(seam.depth) && self.judge.stands_as(&seam.judge)
    }

    /// Goes over a part from seam to seam that another judged.
    pub(super) fn pass(&mut self, seam: &Seam<'p>, over: &Self) {
        self.tokenizer.pass(&over.tokenizer);
        self.judge.pass(&seam.judge, &over.judge);
    }

    /// Tells whether nothing was found, and nothing that depends on other parts.
    pub(super) fn is_self_contained(&self) -> bool {
        self.judge.is_self_contained()
    }
}

impl<'p> Seam<'p> {
    /// A validator of what follows an offset, as if the document stood at the seam there.
    pub(super) fn validator(&self, offset: u64) -> Option<Validator<'p>> {
        let tokenizer = self.tokenizer.branch(self.depth, offset)?;
        let judge = self.judge.branch(self.depth, &self.limits)?;
        Some(Validator { tokenizer, judge, stopped: false, limits: self.limits.clone() })
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::xml::Position;
    use crate::xsd::{Plan, Schema, SchemaDocument};

    const SCHEMA: &str = r#"<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema"><xs:element name="Batch">
      <xs:complexType><xs:sequence><xs:element name="Item" type="xs:int" maxOccurs="unbounded"/></xs:sequence>
      </xs:complexType></xs:element></xs:schema>"#;

    #[test]
    fn what_another_judged_is_gone_over() {
        let schema = Schema::compile(&[SchemaDocument { name: "s.xsd", bytes: SCHEMA.as_bytes() }]).unwrap();
        let plan = Plan::new(Arc::new(schema), &[]).unwrap();
        let (first, second, third) =
            ("<Batch>\n <Item>1</Item> <Item>2</Item> <Item>3", "</Item>", " <Item>4</Item>\n");
        let mut found = Vec::new();
        let mut leader = Validator::new(&plan, Limits::default());
        leader.feed(first.as_bytes(), &mut found);
        let seam = leader.seam().unwrap();
        assert_eq!(seam.end_tag, b"</Item>");
        assert!(!leader.stands_at(&seam));
        leader.feed(second.as_bytes(), &mut found);
        assert!(leader.stands_at(&seam));
        let mut over = seam.validator((first.len() + second.len()) as u64).unwrap();
        over.feed(third.repeat(3).as_bytes(), &mut found);
        assert!(over.stands_at(&seam) && over.is_self_contained());
        leader.pass(&seam, &over);
        leader.feed(b"<Item>x</Item></Batch>", &mut found);
        assert!(leader.finish(&mut found).complete);
        let offset = (first.len() + second.len() + 3 * third.len() + "<Item>".len()) as u64;
        assert_eq!(found[0].at, Position { line: 5, column: 7, offset });
        assert_eq!((found[0].path.as_str(), found.len()), ("/Batch/Item[7]", 1));
    }
}
