//! Writes batches of synthetic identities, byte for byte the same for the same seed.
