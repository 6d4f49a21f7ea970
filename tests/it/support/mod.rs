//! What several tests need: temporary folders, free ports, real clients.

pub(crate) mod judged;
