//! The end of an item: its entry in the index, and what is said against it.

use std::sync::Arc;

use super::{BROKEN, Broken, Kept, OpenItem};
use crate::codes;
use crate::formats::{Identity, ItemKeys, MOST_PARTS, MOST_TEXT_BYTES, Mark, Role};
use crate::model::{AppTarget, Code, Finding, ItemKind, KeyFields, Route, Service, ServiceRow, Strictness};
use crate::validate::around::{Around, Rules};
use crate::validate::index::{Entry, Index};
use crate::validate::{place, route};

/// What an item came to.
pub(in crate::validate) struct Closed {
    /// How many forms it holds.
    pub(in crate::validate) forms: u32,
    /// Why it is refused, if it is.
    pub(in crate::validate) refused: Option<Code>,
    /// Every finding about it.
    pub(in crate::validate) findings: Vec<Finding>,
}

impl OpenItem {
    /// Ends the item and enters it in the index.
    pub(in crate::validate) fn close(
        &mut self,
        around: &Around<'_>,
        rules: Rules<'_>,
        index: &mut Index,
        keys: &Arc<ItemKeys>,
    ) -> Closed {
        self.is_open = false;
        if !self.family.has_no_parents() {
            self.check_parents(rules);
        }
        self.check_reference(rules);
        self.write_identity(around, rules, index.fields());
        let (refused, findings) = self.judged(around, rules);
        let entry = Entry {
            number: around.number,
            part: around.part,
            kind: self.kind,
            range: around.range,
            group: around.group.map(|group| group.head).unwrap_or_default(),
            line: self.at.line,
            column: self.at.column,
            forms: self.forms,
            refused,
        };
        // It goes into the ledger and receipts: where the route does not say what it is, something else may have slipped
        // into its place.
        let is_known = || refused.is_none() && self.row(rules.route).is_some();
        let service = self.service().filter(|service| is_shaped_as_service(*service) || is_known());
        index.push(entry, &self.reference, service, keys);
        Closed { forms: self.forms, refused, findings }
    }

    /// Why it is refused, if it is, and every finding about it.
    fn judged(&mut self, around: &Around<'_>, rules: Rules<'_>) -> (Option<Code>, Vec<Finding>) {
        if self.is_ignored(rules.route) {
            return (Some(codes::IGNORED_SERVICE), Vec::new());
        }
        let by_route = rules.route.and_then(|route| self.refused_by(route));
        let too_large = self.too_large(around);
        let of_reportee = around.group.and_then(|group| group.fault.as_ref());
        let is_sound = self.findings.is_empty() && self.broken.is_empty();
        // As nearly every item is.
        if is_sound && of_reportee.is_none() && by_route.is_none() && too_large.is_none() {
            return (None, Vec::new());
        }
        let finding = |broken: &Broken| self.finding(broken, around, rules);
        let own: Vec<(Finding, bool)> = of_reportee
            .into_iter()
            .cloned()
            .chain(too_large.iter().chain(&by_route).chain(&self.broken).map(finding))
            .collect();
        let by_rule = own.iter().find(|(_, is_warning)| !is_warning).map(|(finding, _)| finding.code);
        let by_schema = self.findings.first().map(|finding| finding.code);
        let mut findings: Vec<Finding> = own.into_iter().map(|(finding, _)| finding).collect();
        findings.append(&mut self.findings);
        findings.iter_mut().for_each(|finding| finding.item = Some(around.number));
        (by_rule.or(by_schema), findings)
    }

    /// What the format's rules or the route's say, and whether that only warns.
    fn finding(&self, broken: &Broken, around: &Around<'_>, rules: Rules<'_>) -> (Finding, bool) {
        let enclosing: Vec<_> = around.group.map(|group| group.own).into_iter().chain([self.own]).collect();
        let place = Some(place::place(rules.marks, broken.watch, broken.at, &enclosing));
        let text = broken.text.clone();
        (Finding { code: broken.code, place, item: None, rule: broken.rule.to_owned(), text }, broken.is_warning)
    }

    #[inline]
    fn write_identity(&self, around: &Around<'_>, rules: Rules<'_>, to: &mut KeyFields) {
        let has_own = has_own_reference(self.kind);
        let reportee = around.group.map_or("", |group| &group.reportee);
        let (code, edition) = self.service().unwrap_or_default();
        let first = [reportee, code, edition];
        let (of_group, _) = first.split_at(1);
        let is_broken = self.broken.iter().any(|broken| is_identity(rules.marks, broken.watch));
        // Past a finding of the schema not all fields have been seen.
        let is_told = if has_own { self.has_reference } else { self.findings.is_empty() };
        let identity = if is_broken || !is_told || self.kind == ItemKind::OnlineResult {
            Identity::Number(around.number)
        } else if has_own {
            Identity::Reference(&self.reference)
        } else if self.kind == ItemKind::Subscription {
            Identity::Fields(&first, &self.identity)
        } else {
            Identity::Fields(of_group, &self.identity)
        };
        identity.write(to);
    }

    /// A service that the route ignores: whatever else our rules say of such an item is left unsaid. What breaks the
    /// schema is not, for then nobody knows whether the code was meant.
    pub(super) fn is_ignored(&self, route: Option<&Route>) -> bool {
        let ignores = |route: &Route| self.service().is_some_and(|(code, _)| route.services.ignores(code));
        self.findings.is_empty() && route.is_some_and(ignores)
    }

    fn refused_by(&self, route: &Route) -> Option<Broken> {
        let cut = [&self.code, &self.edition].into_iter().any(|kept| kept.is_there && !kept.complete);
        let service = self.named_service();
        let (code, text) = route::refusal(route, self.kind, service.as_ref(), cut)?;
        let text = text.to_owned();
        if code != codes::UNKNOWN_SERVICE {
            return Some(self.broken_at_start(code, text));
        }
        // A code that is not even one by the schema is not also unknown.
        let Kept { watch, at, .. } = Some(&self.code).filter(|kept| kept.is_there && !self.is_said_of(kept.offset))?;
        Some(Broken { code, watch: *watch, at: at.unwrap_or(self.at), rule: "", text, is_warning: false })
    }

    fn broken_at_start(&self, code: Code, text: String) -> Broken {
        Broken { code, watch: self.own.watch, at: self.at, rule: "", text, is_warning: false }
    }

    fn is_said_of(&self, offset: u64) -> bool {
        let places = self.findings.iter().filter_map(|finding| finding.place.as_ref());
        places.into_iter().any(|place| place.offset == offset)
    }

    /// An item that forwarding could not read in the memory it has.
    #[inline]
    fn too_large(&self, around: &Around<'_>) -> Option<Broken> {
        let of_group = around.group.map_or(0, |group| group.text_bytes);
        let has_long_texts = self.text_bytes.saturating_add(of_group) >= MOST_TEXT_BYTES;
        (self.parts > MOST_PARTS || has_long_texts).then(|| self.larger_than_allowed())
    }

    #[cold]
    fn larger_than_allowed(&self) -> Broken {
        let text = match self.parts > MOST_PARTS {
            true => format!("the item has more than {MOST_PARTS} forms and attachments"),
            false => format!("the item has more than {MOST_TEXT_BYTES} bytes of text outside its forms"),
        };
        self.broken_at_start(codes::ITEM_TOO_LARGE, text)
    }

    /// Every parent is a form of this item.
    fn check_parents(&mut self, rules: Rules<'_>) {
        let strictness = rules.of(|rules| rules.parents);
        let orphan = self.family.take_orphan().filter(|_| strictness != Strictness::Off && self.broken.len() < BROKEN);
        self.broken.extend(orphan.map(|(watch, at)| Broken {
            code: codes::NO_PARENT,
            watch,
            at,
            rule: "",
            text: format!("{} is the reference of no form", place::name(rules.marks, watch)),
            is_warning: strictness == Strictness::Warn,
        }));
    }

    /// A reference that a description names and the schema lets be missing: nothing would tell the item from the rest.
    fn check_reference(&mut self, rules: Rules<'_>) {
        if self.kind != ItemKind::Item || !self.findings.is_empty() || self.has_reference {
            return;
        }
        let Some(watch) = rules.marks.iter().position(|mark| mark.role == Role::SendersReference) else { return };
        let text = format!("{} is missing", place::name(rules.marks, watch));
        self.broken.push(self.broken_at_start(codes::NO_REFERENCE, text));
    }

    /// Code and edition of its service.
    fn service(&self) -> Option<(&str, &str)> {
        let edition = if self.edition.is_there { self.edition.text.as_str() } else { "" };
        self.code.is_there.then_some((self.code.text.as_str(), edition))
    }

    /// Its service, for tables to be asked with.
    pub(super) fn named_service(&self) -> Option<Service> {
        self.service().map(service_of)
    }

    /// Where the route sends its service.
    pub(super) fn row<'a>(&self, route: Option<&'a Route>) -> Option<&'a ServiceRow> {
        route?.services.row(&self.named_service()?)
    }

    pub(super) fn app<'a>(&self, route: Option<&'a Route>) -> Option<&'a AppTarget> {
        self.row(route)?.app.as_ref()
    }
}

/// Whether items of the kind have a reference that no other item has.
pub(in crate::validate) fn has_own_reference(kind: ItemKind) -> bool {
    match kind {
        ItemKind::FormTask | ItemKind::DataUnit | ItemKind::Correspondence | ItemKind::Item => true,
        ItemKind::Field
        | ItemKind::Subscription
        | ItemKind::Confirmation
        | ItemKind::Usage
        | ItemKind::AltUtMessage
        | ItemKind::AltUtConfirmation
        | ItemKind::OnlineResult
        | ItemKind::Recipient => false,
    }
}

/// Tells whether a code and an edition look like those of a service. Numbers of persons and organisations are longer.
fn is_shaped_as_service((code, edition): (&str, &str)) -> bool {
    let is_short = |text: &str| text.len() <= SERVICE_CODE && text.bytes().all(|byte| byte.is_ascii_alphanumeric());
    is_short(code) && is_short(edition)
}

/// Most characters of a service code, by the published schemas.
const SERVICE_CODE: usize = 7;

fn service_of((code, edition): (&str, &str)) -> Service {
    Service { code: code.to_owned(), edition: edition.to_owned() }
}

fn is_identity(marks: &'static [Mark], watch: usize) -> bool {
    let role = marks.get(watch).map(|mark| mark.role);
    matches!(role, Some(Role::SendersReference | Role::Identity | Role::IdentifyingField))
}
