//! sluse: a batch SFTP file-transfer gateway.
//!
//! Inward: sighting → claim → staging → verdict → items → deliveries → receipts. `ARCHITECTURE.md` is the map;
//! `tests/it/house.rs` holds which room may use which.

#[cfg(feature = "gateway")]
pub mod adapters;
#[cfg(feature = "gateway")]
pub mod app;
#[cfg(feature = "gateway")]
pub mod blocking;
#[cfg(feature = "gateway")]
pub mod cli;
#[cfg(feature = "gateway")]
pub mod codes;
#[cfg(feature = "gateway")]
pub mod config;
#[cfg(feature = "gateway")]
pub mod formats;
#[cfg(feature = "gateway")]
pub mod forward;
#[cfg(feature = "gateway")]
pub mod generate;
#[cfg(feature = "gateway")]
pub mod intake;
#[cfg(feature = "gateway")]
pub mod kill_point;
#[cfg(feature = "gateway")]
pub mod markdown;
#[cfg(feature = "gateway")]
pub mod measures;
#[cfg(feature = "gateway")]
pub mod model;
#[cfg(feature = "gateway")]
pub mod pipeline;
#[cfg(feature = "gateway")]
pub mod ports;
#[cfg(feature = "gateway")]
pub mod rate;
#[cfg(feature = "gateway")]
pub mod receipt;
#[cfg(feature = "gateway")]
pub mod schedule;
#[cfg(feature = "gateway")]
pub mod sighting;
#[cfg(feature = "gateway")]
pub mod simulator;
#[cfg(feature = "gateway")]
pub mod split;
#[cfg(feature = "gateway")]
pub mod staging;
#[cfg(feature = "gateway")]
pub mod validate;
pub mod xml;
pub mod xsd;
