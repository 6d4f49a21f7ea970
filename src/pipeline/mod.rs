//! The conductor: reads the stage from the ledger, calls the next room, records the outcome.
