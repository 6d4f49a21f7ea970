//! The standard formats: root, item paths, keys, references, rules beyond XSD.
