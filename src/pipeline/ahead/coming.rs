//! One upload as the judge's side sees it.

use std::sync::Arc;

use super::Ahead;
use super::in_order::InOrder;
use crate::model::ShipmentId;
use crate::ports::{Arrival, Arriving};
use crate::staging::Course;

/// An upload that may be followed.
pub(super) struct Coming {
    ahead: Ahead,
    upload: Arriving,
    shipment: ShipmentId,
    in_order: InOrder,
    course: Option<Arc<Course>>,
    /// Where it is tried to follow it, and how often still.
    next_try_bytes: u64,
    tries: u32,
}

impl Coming {
    pub(super) fn new(ahead: Ahead, upload: Arriving) -> Self {
        let (in_order, next_try_bytes) = (InOrder::new(upload.size_bytes), ahead.shared.from_bytes);
        Self { ahead, upload, shipment: ShipmentId::new(), in_order, course: None, next_try_bytes, tries: TRIES }
    }

    fn let_go(&mut self) {
        if let Some(course) = self.course.take() {
            self.ahead.forget(&course);
        }
    }

    fn went_on(&mut self, changed: bool) {
        if changed || self.course.as_ref().is_some_and(|course| course.is_cut()) {
            self.let_go();
        }
        let reached = self.in_order.reached();
        if self.course.is_none() && self.tries > 0 && reached >= self.next_try_bytes {
            self.course = self.ahead.follow(&self.upload, self.shipment);
            self.tries -= u32::from(self.course.is_some());
            self.next_try_bytes = reached.saturating_add(TRY_AGAIN_BYTES);
        }
        if let Some(course) = &self.course {
            course.reach(reached);
        }
    }
}

impl Arrival for Coming {
    fn shipment(&self) -> ShipmentId {
        self.shipment
    }

    fn wrote(&mut self, offset: u64, bytes: u64) {
        let changed = self.in_order.wrote(offset, bytes);
        self.went_on(changed);
    }

    fn resized(&mut self, size_bytes: u64) {
        let changed = self.in_order.resized(size_bytes);
        self.went_on(changed);
    }

    fn ended(&mut self, size_bytes: u64) {
        if let Some(course) = &self.course {
            course.end(size_bytes);
        }
    }

    fn kept(mut self: Box<Self>) {
        if let Some(course) = self.course.take() {
            self.ahead.keep(&course);
        }
    }
}

impl Drop for Coming {
    fn drop(&mut self) {
        self.let_go();
    }
}

/// Times that one upload is followed from its beginning.
const TRIES: u32 = 3;

/// How far an upload grows between two tries.
const TRY_AGAIN_BYTES: u64 = 64 << 20;
