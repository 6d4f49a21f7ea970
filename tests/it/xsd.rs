//! The validator over whole documents.
