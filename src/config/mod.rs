//! Raw TOML to a checked configuration, all faults reported at once.
