//! What several tests need: temporary folders, free ports, real clients.
