//! Claims: the moment a file is ours.
