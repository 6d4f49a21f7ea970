//! What a route says of a batch and of its items.

use crate::codes;
use crate::formats::Format;
use crate::model::{Code, ItemKind, Route, Service};

/// The route for a format's batches from a sender: one that names the sender before one that takes any.
pub(super) fn choose<'a>(routes: &'a [Route], format: &Format, sender_name: &str) -> Option<&'a Route> {
    let of_format = || routes.iter().filter(|route| format.is_of(route));
    let named = of_format().find(|route| route.sender_name.as_deref() == Some(sender_name));
    named.or_else(|| of_format().find(|route| route.sender_name.is_none()))
}

/// The refusal of a file above the limit.
pub(super) fn too_large(size_bytes: u64, max_bytes: u64) -> Option<(Code, String)> {
    (size_bytes > max_bytes).then(|| (codes::FILE_TOO_LARGE, format!("the file has more than {max_bytes} bytes")))
}

/// Why the route does not take an item of the kind and service, if it does not; `cut` when the service's code was too
/// long to be read whole.
pub(super) fn refusal(
    route: &Route,
    kind: ItemKind,
    service: Option<&Service>,
    cut: bool,
) -> Option<(Code, &'static str)> {
    if !kind.is_for_apps() && route.services.rows.iter().any(|row| row.app.is_some()) {
        return Some((codes::NO_RECEIVER_FOR_KIND, "the route's receiver takes prefill and subscriptions only"));
    }
    let unknown = cut || service.is_some_and(|service| !route.services.takes(service));
    unknown.then_some((codes::UNKNOWN_SERVICE, "the route does not know the service code with this edition"))
}
