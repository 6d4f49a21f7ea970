//! Bytes on local disk.
