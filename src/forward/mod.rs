//! Brings items to receivers, each once.
//!
//! Before an effect its intent is in the ledger, after it the outcome. An intent without an outcome (a crash, a lost
//! answer) is looked up before anything is sent again, and not before the receiver has had time to finish.
//! Never judges content and never decides that a shipment is done.

mod consign;
mod content;
mod deliver;
mod patience;

pub use consign::Source;
pub use deliver::{Forwarding, forward};
pub use patience::{Patience, after};
