//! A receiver that is a local directory.
