//! The real process is killed; nothing is lost and nothing happens twice.
