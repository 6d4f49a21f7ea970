//! The push tokenizer: well-formedness, encodings, limits.
