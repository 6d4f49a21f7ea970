//! Requests of one kind to one handle, answered together.

/// A run of requests. Those of no bytes cost something, too: their answers, and their places here.
pub(super) struct Run<T> {
    requests: Vec<T>,
    bytes: usize,
}

impl<T> Run<T> {
    /// Begins with a request of so many bytes.
    pub(super) fn of(first: T, bytes: usize) -> Self {
        Self { requests: vec![first], bytes }
    }

    /// Tells whether there is room for another, where so many bytes may go together.
    pub(super) fn has_room(&self, most_bytes: usize) -> bool {
        self.bytes < most_bytes && self.requests.len() < MOST_REQUESTS
    }

    /// Adds one of so many bytes.
    pub(super) fn push(&mut self, request: T, bytes: usize) {
        self.requests.push(request);
        self.bytes = self.bytes.saturating_add(bytes);
    }

    /// The requests in their order.
    pub(super) fn into_requests(self) -> Vec<T> {
        self.requests
    }
}

const MOST_REQUESTS: usize = 1_024;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_ends_by_its_bytes_and_by_its_count() {
        let mut run = Run::of(0, 10);
        assert!(run.has_room(11) && !run.has_room(10));
        run.push(1, 1);
        assert!(!run.has_room(11));
        let mut empty = Run::of(0, 0);
        while empty.has_room(1) {
            empty.push(0, 0);
        }
        assert_eq!((run.into_requests(), empty.into_requests().len()), (vec![0, 1], MOST_REQUESTS));
    }
}
