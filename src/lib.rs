//! sluse: a batch SFTP file-transfer gateway.
//!
//! Inward: sighting → claim → staging → verdict → items → deliveries → receipts. `ARCHITECTURE.md` is the map;
//! `tests/it/house.rs` holds which room may use which.

pub mod adapters;
pub mod app;
pub mod blocking;
pub mod cli;
pub mod codes;
pub mod config;
pub mod formats;
pub mod forward;
pub mod generate;
pub mod intake;
pub mod kill_point;
pub mod model;
pub mod pipeline;
pub mod ports;
pub mod receipt;
pub mod simulator;
pub mod split;
pub mod staging;
pub mod validate;
pub mod xml;
pub mod xsd;
