//! The ledger and the area in SQL.
