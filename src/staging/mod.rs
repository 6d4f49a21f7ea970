//! Our durable copy before judgement.
