//! The constraints on schema components (XSD 1.0 part 1, appendix C) that compare components with each other.
//!
//! What a document says wrongly is the affair of `build`, what a facet says wrongly that of the datatypes.

mod derivation;
#[cfg(test)]
mod sample;
mod substitution;
mod wildcards;

#[expect(unused_imports, reason = "what judges by the components asks for it")]
pub(in crate::xsd) use substitution::Substitutions;
