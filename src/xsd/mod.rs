//! Schema compiler and streaming validator.
