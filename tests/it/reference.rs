//! Our schemas against the official ones, where the reference folder is there.
