//! The conformance suite of the ledger and the area.
