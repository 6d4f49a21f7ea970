//! The one integration binary: a file per room.

mod altinn;
mod bad_input;
mod cli;
mod end_to_end;
mod house;
mod ledger;
mod recovery;
mod reference;
mod sftp;
mod support;
mod xsd;
