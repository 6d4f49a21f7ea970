//! Stores that lie.
