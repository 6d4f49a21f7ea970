//! Claims: which routes may take a file that is ours.
//!
//! The moment of claiming itself is a row written by the area in the same transaction as the sender's CLOSE or rename
//! (see `ports::Area`). Here a leased shipment meets the configured routes.
//!
//! Never reads the file and never decides whether it is right.

use std::collections::HashMap;
use std::sync::Arc;

use crate::model::{PartnerId, Route, RouteName, Shipment};

/// Every route, found by partner and directory.
#[derive(Debug, Clone, Default)]
pub struct Routes {
    by_partner: HashMap<PartnerId, Vec<Arc<Route>>>,
}

impl Routes {
    /// Takes the checked routes.
    pub fn new(routes: impl IntoIterator<Item = Route>) -> Self {
        let mut by_partner: HashMap<PartnerId, Vec<Arc<Route>>> = HashMap::new();
        for route in routes {
            by_partner.entry(route.partner.clone()).or_default().push(Arc::new(route));
        }
        Self { by_partner }
    }

    /// The partner's routes that read files dropped in the directory, in configured order.
    pub fn taking(&self, partner: &PartnerId, dir: &str) -> Vec<Arc<Route>> {
        self.of(partner).iter().filter(|route| route.inbox == dir || route.test == dir).cloned().collect()
    }

    /// The route of a name.
    pub fn named(&self, name: &RouteName) -> Option<Arc<Route>> {
        self.by_partner.values().flatten().find(|route| route.name == *name).cloned()
    }

    /// Where receipts go for files dropped in the directory; a directory no route reads any more still gets its receipts.
    pub fn receipts_dir(&self, partner: &PartnerId, dir: &str) -> String {
        let taking = self.taking(partner, dir);
        let any = taking.first().or_else(|| self.of(partner).first());
        any.map_or_else(|| DEFAULT_RECEIPTS.to_owned(), |route| route.receipts.clone())
    }

    /// The route whose rules a shipment's receipts follow: the one that took it, else the first that may.
    pub fn answering(&self, shipment: &Shipment) -> Option<Arc<Route>> {
        let name = shipment.verdict.as_ref().and_then(|verdict| verdict.route.as_ref());
        let taken = name.and_then(|name| self.named(name));
        let taking = || self.taking(&shipment.partner, &shipment.path.dir).into_iter().next();
        taken.or_else(taking).or_else(|| self.of(&shipment.partner).first().cloned())
    }

    fn of(&self, partner: &PartnerId) -> &[Arc<Route>] {
        self.by_partner.get(partner).map_or(&[], Vec::as_slice)
    }
}

/// A shipment that is ours to work on, with the routes that may take it.
#[derive(Debug, Clone)]
pub struct Claim {
    shipment: Shipment,
    routes: Vec<Arc<Route>>,
}

impl Claim {
    /// The shipment.
    pub fn shipment(&self) -> &Shipment {
        &self.shipment
    }

    /// The routes that may take it.
    pub fn routes(&self) -> &[Arc<Route>] {
        &self.routes
    }
}

/// Makes a claim of a leased shipment.
pub fn claim(shipment: Shipment, routes: &Routes) -> Claim {
    let routes = routes.taking(&shipment.partner, &shipment.path.dir);
    Claim { shipment, routes }
}

/// The receipts directory of a partner without routes.
const DEFAULT_RECEIPTS: &str = "receipts";
