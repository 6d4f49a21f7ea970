//! The one door to the blocking side: CPU work and disk reads, one permit per core.
