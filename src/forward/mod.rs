//! Brings items to receivers, each once, alone or grouped into batches.
//!
//! Before an effect its intent is in the ledger, after it the outcome. An intent without an outcome (a crash, a lost
//! answer) is looked up before anything is sent again, and not before the receiver has had time to finish.
//! A batch is one effect with one key: every step of it is a step of all its items. Which items go together is recorded
//! before the first of them is sent. Never judges content, but for a batch that was cut out, and never decides that a
//! shipment is done.

mod activate;
mod attempt;
mod consign;
mod content;
mod deliver;
mod fill;
mod gate;
mod group;
mod keep;
mod later;
mod patience;
mod queue;
mod serve;
mod together;

pub use activate::activate;
pub use consign::Source;
pub use deliver::{Forwarding, forward};
pub use fill::Filler;
pub use keep::Keeper;
pub use patience::{Allowance, Patience, after};
pub use queue::Queue;
pub use serve::Server;
