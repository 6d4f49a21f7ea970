//! Claims: which routes may take a file that is ours.
//!
//! The moment of claiming itself is a row written by the area in the same transaction as the sender's CLOSE or rename
//! (see `ports::Area`). Here a leased shipment meets the configured routes.
//!
//! Never reads the file and never decides whether it is right.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use crate::model::{PartnerId, Route, RouteName, Shipment};

/// Every route, found by partner and directory; replaced as a whole when partners come.
#[derive(Debug, Default)]
pub struct Routes {
    by_partner: RwLock<Arc<ByPartner>>,
}

type ByPartner = HashMap<PartnerId, Vec<Arc<Route>>>;

impl Routes {
    /// Takes the checked routes.
    pub fn new(routes: impl IntoIterator<Item = Route>) -> Self {
        Self { by_partner: RwLock::new(Arc::new(by_partner(routes))) }
    }

    /// Takes these in place of those it has; who works by one goes on by it.
    pub fn replace(&self, routes: impl IntoIterator<Item = Route>) {
        let next = Arc::new(by_partner(routes));
        *self.by_partner.write().unwrap_or_else(PoisonError::into_inner) = next;
    }

    /// The partner's routes that read files dropped in the directory, in configured order.
    pub fn taking(&self, partner: &PartnerId, dir: &str) -> Vec<Arc<Route>> {
        let mut routes = self.of(partner);
        routes.retain(|route| route.inbox == dir || route.test == dir);
        routes
    }

    /// The partner's route of a name; partners that are alike have routes of the same names.
    pub fn named(&self, partner: &PartnerId, name: &RouteName) -> Option<Arc<Route>> {
        self.of(partner).into_iter().find(|route| route.name == *name)
    }

    /// Where receipts go for files dropped in the directory; a directory no route reads any more still gets its receipts.
    pub fn receipts_dir(&self, partner: &PartnerId, dir: &str) -> String {
        let any = self.taking(partner, dir).into_iter().next().or_else(|| self.of(partner).into_iter().next());
        any.map_or_else(|| DEFAULT_RECEIPTS.to_owned(), |route| route.receipts.clone())
    }

    /// The route whose rules a shipment's receipts follow: the one that took it, else the first that may.
    pub fn answering(&self, shipment: &Shipment) -> Option<Arc<Route>> {
        let name = shipment.verdict.as_ref().and_then(|verdict| verdict.route.as_ref());
        let taken = name.and_then(|name| self.named(&shipment.partner, name));
        let taking = || self.taking(&shipment.partner, &shipment.path.dir).into_iter().next();
        taken.or_else(taking).or_else(|| self.of(&shipment.partner).into_iter().next())
    }

    fn of(&self, partner: &PartnerId) -> Vec<Arc<Route>> {
        let known = Arc::clone(&self.by_partner.read().unwrap_or_else(PoisonError::into_inner));
        known.get(partner).cloned().unwrap_or_default()
    }
}

fn by_partner(routes: impl IntoIterator<Item = Route>) -> ByPartner {
    let mut by_partner = ByPartner::new();
    for route in routes {
        by_partner.entry(route.partner.clone()).or_default().push(Arc::new(route));
    }
    by_partner
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
