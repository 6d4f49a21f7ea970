//! Paths of places that our own rules name, in the manner of the validator's: `/A/B/Group[17]/Item[1]/C`.

use crate::formats::Mark;
use crate::model::Place;
use crate::xsd::Position;

/// A repeated element that encloses a place.
#[derive(Debug, Clone, Copy)]
pub(super) struct Enclosing {
    /// Its index among the format's marks.
    pub(super) watch: usize,
    /// Position among its siblings of the same name, from 1.
    pub(super) nth: u64,
}

/// The place of a watched element within the given repeated elements, outermost first.
pub(super) fn place(marks: &'static [Mark], watch: usize, at: Position, enclosing: &[Enclosing]) -> Place {
    let path_of = |watch: usize| marks.get(watch).map_or("", |mark| mark.watch.path);
    let whole = path_of(watch);
    let mut path = String::new();
    let mut written = "";
    for outer in enclosing {
        let outer_path = path_of(outer.watch);
        let step = outer_path.strip_prefix(written).filter(|_| whole.starts_with(outer_path));
        if let Some(step) = step {
            path.push_str(&format!("{step}[{}]", outer.nth));
            written = outer_path;
        }
    }
    path.push_str(whole.strip_prefix(written).unwrap_or_default());
    Place { line: at.line, column: at.column, offset: at.offset, path }
}

/// The local name of a watched element.
pub(super) fn name(marks: &'static [Mark], watch: usize) -> &'static str {
    marks.get(watch).and_then(|mark| mark.watch.path.rsplit('/').next()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::formats;

    #[test]
    fn repeated_elements_have_their_position() {
        let marks = formats::FIRST.marks;
        let of = |path: &str| marks.iter().position(|mark| mark.watch.path == path).unwrap();
        let at = Position { line: 3, column: 5, offset: 70 };
        let group = Enclosing { watch: of("/ServiceOwner/Prefill/Reportee"), nth: 17 };
        let item = Enclosing { watch: of("/ServiceOwner/Prefill/Reportee/Field"), nth: 2 };
        let path = |path: &str, enclosing: &[Enclosing]| place(marks, of(path), at, enclosing).path;
        assert_eq!(path("/ServiceOwner/ServiceOwnerName", &[]), "/ServiceOwner/ServiceOwnerName");
        assert_eq!(path("/ServiceOwner/Prefill/Reportee/Id", &[group]), "/ServiceOwner/Prefill/Reportee[17]/Id");
        assert_eq!(
            path("/ServiceOwner/Prefill/Reportee/Field/Id", &[group, item]),
            "/ServiceOwner/Prefill/Reportee[17]/Field[2]/Id"
        );
        assert_eq!(
            path("/ServiceOwner/Prefill/Reportee/Field", &[group, item]),
            "/ServiceOwner/Prefill/Reportee[17]/Field[2]"
        );
    }
}
