//! The one integration binary: a file per room.
#![expect(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::string_slice,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

#[cfg(feature = "gateway")]
mod alarms;
#[cfg(feature = "gateway")]
mod altinn;
#[cfg(feature = "gateway")]
mod bad_input;
#[cfg(feature = "gateway")]
mod broker;
#[cfg(feature = "gateway")]
mod cli;
mod differential;
#[cfg(feature = "gateway")]
mod end_to_end;
#[cfg(feature = "gateway")]
mod file_store;
mod fuzz;
#[cfg(feature = "gateway")]
mod generate;
#[cfg(feature = "gateway")]
mod generic;
mod house;
#[cfg(feature = "gateway")]
mod interop;
#[cfg(feature = "gateway")]
mod ledger;
#[cfg(feature = "gateway")]
mod measures;
mod needs;
mod peers;
#[cfg(feature = "gateway")]
mod pipeline;
#[cfg(feature = "gateway")]
mod planted;
#[cfg(feature = "gateway")]
mod recovery;
#[cfg(feature = "gateway")]
mod reference;
#[cfg(feature = "gateway")]
mod schedule;
#[cfg(feature = "gateway")]
mod schemas;
#[cfg(feature = "gateway")]
mod sftp;
#[cfg(feature = "gateway")]
mod soap;
#[cfg(feature = "gateway")]
mod sources;
#[cfg(feature = "gateway")]
mod split;
#[cfg(feature = "gateway")]
mod support;
mod xml;
mod xsd;
mod xsts;
