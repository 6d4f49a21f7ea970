//! Bad input: each kind has its own code and a receipt.
