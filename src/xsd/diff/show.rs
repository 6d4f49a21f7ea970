//! Components as a person reads them.

use super::alphabet::Name;
use super::side::Side;
use crate::xsd::components::{
    Components, Compositor, ContentType, IdentityConstraint, IdentityKind, NameTest, Namespaces, Particle, Path,
    Process, QName, Term, TypeDefinition, TypeId, ValueConstraint, Wildcard,
};

/// A type's name, or that it has none.
pub(super) fn type_name(components: &Components, id: TypeId) -> String {
    components.type_of(id).name().map_or_else(|| "a type of its own".to_owned(), QName::to_string)
}

/// What may stand in an element of a type.
pub(super) fn content(side: &Side<'_>, content: &ContentType) -> String {
    match content {
        ContentType::Empty => "nothing".to_owned(),
        ContentType::Simple(id) => match side.components.type_of(*id) {
            TypeDefinition::Simple(simple) => format!("a value of type {}", simple.simple.label()),
            TypeDefinition::Complex(_) => "a value".to_owned(),
        },
        ContentType::Elements { mixed: false, .. } => "elements".to_owned(),
        ContentType::Elements { mixed: true, .. } => "text and elements".to_owned(),
    }
}

/// A content model in the manner of a DTD: `(Day, Line+, (Note | any)?)`.
pub(super) fn particle(components: &Components, whole: &Particle) -> String {
    let mut text = String::new();
    write_particle(components, whole, 0, &mut text);
    match text.char_indices().nth(MODEL_CHARACTERS) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text,
    }
}

fn write_particle(components: &Components, particle: &Particle, depth: usize, text: &mut String) {
    if text.len() > MODEL_CHARACTERS * 4 || depth > MODEL_DEPTH {
        text.push('…');
        return;
    }
    match &particle.term {
        Term::Element(id) => text.push_str(&components.element(*id).name.local),
        Term::Any(any) => text.push_str(&format!("any {}", wildcard(any))),
        Term::Group(group) => {
            let between = match group.compositor {
                Compositor::Sequence => ", ",
                Compositor::Choice => " | ",
                Compositor::All => " & ",
            };
            text.push('(');
            for (at, part) in group.particles.iter().enumerate() {
                text.push_str(if at > 0 { between } else { "" });
                write_particle(components, part, depth + 1, text);
            }
            text.push(')');
        }
    }
    text.push_str(&counts(particle.min, particle.max));
}

fn counts(min: u32, max: Option<u32>) -> String {
    match (min, max) {
        (1, Some(1)) => String::new(),
        (0, Some(1)) => "?".to_owned(),
        (0, None) => "*".to_owned(),
        (1, None) => "+".to_owned(),
        (min, None) => format!("{{{min},}}"),
        (min, Some(max)) => format!("{{{min},{max}}}"),
    }
}

/// A wildcard.
pub(super) fn wildcard(wildcard: &Wildcard) -> String {
    format!("{} ({})", namespaces(&wildcard.namespaces), process(wildcard.process))
}

/// Which namespaces.
pub(super) fn namespaces(namespaces: &Namespaces) -> String {
    let shown = |name: &str| if name.is_empty() { "no namespace".to_owned() } else { name.to_owned() };
    match namespaces {
        Namespaces::Any => "in any namespace".to_owned(),
        Namespaces::Not(name) => format!("in a namespace other than {}", shown(name)),
        Namespaces::These(names) => {
            format!("in {}", names.iter().map(|name| shown(name)).collect::<Vec<_>>().join(" or "))
        }
    }
}

/// How a wildcard looks at what it admits.
pub(super) fn process(process: Process) -> &'static str {
    match process {
        Process::Skip => "skip",
        Process::Lax => "lax",
        Process::Strict => "strict",
    }
}

/// A sequence of names; one that comes many times is counted.
pub(super) fn names(names: &[Name]) -> String {
    if names.is_empty() {
        return "no element".to_owned();
    }
    let runs = names.chunk_by(|one, other| one == other).filter_map(|run| Some((run.first()?, run.len())));
    let shown: Vec<String> = runs
        .map(|(name, count)| if count > 1 { format!("{} × {count}", self::name(name)) } else { self::name(name) })
        .collect();
    shown.join(", ")
}

fn name(name: &Name) -> String {
    match name {
        Name::Known(name) => name.local.to_string(),
        Name::Other(namespace) if namespace.is_empty() => "any other in no namespace".to_owned(),
        Name::Other(namespace) => format!("any other in {namespace}"),
        Name::Foreign => "any in another namespace".to_owned(),
    }
}

/// A default or fixed value.
pub(super) fn value(value: Option<&ValueConstraint>) -> String {
    match value {
        None => "none".to_owned(),
        Some(value) if value.is_fixed => format!("fixed \"{}\"", value.text.trim()),
        Some(value) => format!("default \"{}\"", value.text.trim()),
    }
}

/// An identity constraint without its name: what it asks.
pub(super) fn constraint(components: &Components, constraint: &IdentityConstraint) -> String {
    let own = |constraint: &IdentityConstraint| {
        let fields: Vec<String> = constraint.fields.iter().map(|field| paths(field)).collect();
        format!("of {} by {}", paths(&constraint.selector), fields.join(", "))
    };
    match constraint.kind {
        IdentityKind::Unique => format!("unique {}", own(constraint)),
        IdentityKind::Key => format!("key {}", own(constraint)),
        IdentityKind::KeyRef(to) => format!("keyref {} to that {}", own(constraint), own(components.constraint(to))),
    }
}

fn paths(paths: &[Path]) -> String {
    paths.iter().map(path).collect::<Vec<_>>().join(" | ")
}

fn path(path: &Path) -> String {
    let steps = path.steps.iter().map(test).chain(path.attribute.iter().map(|name| format!("@{}", test(name))));
    let steps = steps.collect::<Vec<_>>().join("/");
    match (path.anywhere, steps.is_empty()) {
        (true, _) => format!(".//{steps}"),
        (false, true) => ".".to_owned(),
        (false, false) => steps,
    }
}

fn test(test: &NameTest) -> String {
    match test {
        NameTest::Any => "*".to_owned(),
        NameTest::InNamespace(namespace) => format!("{{{namespace}}}*"),
        NameTest::Name(name) => name.to_string(),
    }
}

/// Characters of a content model that are shown.
const MODEL_CHARACTERS: usize = 200;
const MODEL_DEPTH: usize = 32;
