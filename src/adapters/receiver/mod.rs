//! A receiver that takes items by plain HTTP.
