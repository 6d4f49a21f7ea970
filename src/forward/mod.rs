//! Brings items to receivers, each once.
