//! The one integration binary: a file per room.
#![expect(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::string_slice,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

mod altinn;
mod bad_input;
mod cli;
mod end_to_end;
mod house;
mod ledger;
mod pipeline;
mod recovery;
mod reference;
mod sftp;
mod split;
mod support;
mod xsd;
