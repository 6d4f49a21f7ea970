//! What goes into the places of the headers that a receiver asked for.

use std::borrow::Cow;

use reqwest::RequestBuilder;

use crate::model::HeaderTemplate;
use crate::ports::{BatchConsignment, Consignment};

/// What goes into the places.
pub(super) struct Filling<'a>(Vec<(&'static str, Cow<'a, str>)>);

impl<'a> From<&'a Consignment> for Filling<'a> {
    fn from(item: &'a Consignment) -> Self {
        let service = item.service.as_ref();
        Self(vec![
            ("shipment", item.shipment.to_string().into()),
            ("shipment_reference", item.shipment_reference.as_str().into()),
            ("number", item.number.to_string().into()),
            ("key", item.key.to_string().into()),
            ("senders_reference", item.senders_reference.as_str().into()),
            ("receivers_reference", item.receivers_reference.as_str().into()),
            ("service", service.map_or("", |service| &service.code).into()),
            ("edition", service.map_or("", |service| &service.edition).into()),
        ])
    }
}

/// What belongs to one item is empty.
impl<'a> From<&'a BatchConsignment> for Filling<'a> {
    fn from(batch: &'a BatchConsignment) -> Self {
        Self(vec![
            ("shipment", batch.shipment.to_string().into()),
            ("shipment_reference", batch.reference.as_str().into()),
            ("number", batch.number.to_string().into()),
            ("key", batch.key.to_string().into()),
        ])
    }
}

impl Filling<'_> {
    /// Puts the headers on a request.
    pub(super) fn put(&self, headers: &[HeaderTemplate], request: RequestBuilder) -> RequestBuilder {
        let value = |place: &str| self.0.iter().find(|(name, _)| *name == place).map(|(_, value)| value.as_ref());
        headers.iter().fold(request, |request, header| request.header(header.name(), header.filled(value)))
    }
}
