//! The Altinn adapter against the simulator.
