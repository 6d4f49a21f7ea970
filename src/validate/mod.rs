//! Judges a batch in one pass over its bytes.
