//! The outside world; the only users of the network, the disk and the database.

pub mod alarm;
pub mod altinn;
mod archive;
pub mod blobs;
mod certificate;
pub mod directory;
mod durable;
pub mod file_receiver;
mod http;
pub mod key_file;
pub mod ledger;
pub mod local_store;
pub mod prefill_service;
pub mod receiver;
pub mod sftp_client;
pub mod sftp_server;
pub mod soap;
