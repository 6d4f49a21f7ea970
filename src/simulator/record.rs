//! Requests as they came, for who checks them against the platform's own description.

use std::collections::VecDeque;

use serde::Serialize;
use serde_json::Value;

/// A request as it came.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RecordedRequest {
    /// Method and path, without ids.
    pub operation: &'static str,
    /// Its query or its body; a form's fields as the object they stand for.
    pub content: Value,
}

/// The latest requests.
#[derive(Default)]
pub(super) struct Record(VecDeque<RecordedRequest>);

impl Record {
    /// Adds a request; the oldest one is forgotten in time.
    pub(super) fn add(&mut self, operation: &'static str, content: Value) {
        self.0.push_back(RecordedRequest { operation, content });
        if self.0.len() > KEPT {
            self.0.pop_front();
        }
    }

    /// All that are kept, oldest first.
    pub(super) fn all(&self) -> Vec<RecordedRequest> {
        self.0.iter().cloned().collect()
    }
}

const KEPT: usize = 2_000;
