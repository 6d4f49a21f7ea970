//! What goes into the places of the headers that a receiver asked for.

use std::borrow::Cow;

use reqwest::RequestBuilder;

use crate::model::HeaderTemplate;
use crate::ports::{BatchConsignment, Consignment};

/// What is sent, for the places that are asked for.
#[derive(Clone, Copy)]
pub(super) enum Filling<'a> {
    Item(&'a Consignment),
    Batch(&'a BatchConsignment),
}

impl<'a> Filling<'a> {
    /// Puts the headers on a request.
    pub(super) fn put(self, headers: &[HeaderTemplate], request: RequestBuilder) -> RequestBuilder {
        let value = |place: &str| self.value(place);
        headers.iter().fold(request, |request, header| request.header(header.name(), header.filled(value)))
    }

    /// What belongs to one item is nothing of a batch.
    fn value(self, place: &str) -> Option<Cow<'a, str>> {
        let (shipment, number, key, reference, item) = match self {
            Self::Item(item) => (item.shipment, item.number, item.key, &item.shipment_reference, Some(item)),
            Self::Batch(batch) => (batch.shipment, batch.number, batch.key, &batch.reference, None),
        };
        let service = item.and_then(|item| item.service.as_ref());
        Some(match place {
            "shipment" => shipment.to_string().into(),
            "shipment_reference" => reference.into(),
            "number" => number.to_string().into(),
            "key" => key.to_string().into(),
            "senders_reference" => (&item?.senders_reference).into(),
            "receivers_reference" => (&item?.receivers_reference).into(),
            "service" => (&service?.code).into(),
            "edition" => (&service?.edition).into(),
            _ => return None,
        })
    }
}
