//! Renders the answers to the sender.
