//! Cuts valid smaller batches out of a batch, as byte ranges.
