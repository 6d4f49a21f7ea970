//! The receivers against the simulator and other loopback servers.
#![expect(clippy::unwrap_used, reason = "a helper of a test fails like the test itself")]

mod conformance;
mod contract;
mod delivery;
mod descriptions;
mod events;
mod every_call;
mod faults;
mod finishing;
mod identity;
mod later;
mod letters;
mod limits;
mod notices;
mod openapi;
mod operations;
mod other_receivers;
mod pushing;
mod rehearsal;
mod replay;
mod secured_receivers;
mod setup;
mod tokens;
mod transfers;

pub(crate) use letters::target;
