//! A stateful stand-in for Altinn 3, with faults on demand.
