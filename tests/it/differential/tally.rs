//! Counts agreement and differences, and fails on those that nothing explains.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::known::{Case, class};

/// How many unexplained differences are printed, unless all are asked for.
const SHOWN: usize = 20;

#[derive(Default)]
pub(super) struct Tally {
    cases: usize,
    accepted: usize,
    explained: BTreeMap<&'static str, usize>,
    unexplained: Vec<String>,
}

impl Tally {
    /// Takes what was said of one case; a peer that was not asked agrees.
    pub(super) fn take(&mut self, case: &Case<'_>) {
        self.cases += 1;
        self.accepted += usize::from(case.ours_accepts);
        for (peer, said) in case.peers {
            if said.accepts == case.ours_accepts {
                continue;
            }
            match class(case, *peer, said) {
                Some(name) => *self.explained.entry(name).or_default() += 1,
                None => self.unexplained.push(format!("{peer:?} differs: {case}")),
            }
        }
    }

    /// Prints the figures; fails when something is unexplained, or when nothing was accepted or nothing refused.
    pub(super) fn close(self, what: &str) {
        let Self { cases, accepted, explained, unexplained } = self;
        let mut text = format!("{what}: {cases} cases, {accepted} accepted by us");
        for (class, count) in explained {
            let _ = write!(text, "\n  {count} explained: {class}");
        }
        eprintln!("{text}");
        let shown = if std::env::var_os("SLUSE_DIFFERENTIAL_LIST").is_some() { usize::MAX } else { SHOWN };
        let list: String = unexplained.iter().take(shown).map(|difference| format!("{difference}\n")).collect();
        assert!(unexplained.is_empty(), "{what}: {} unexplained differences\n{list}", unexplained.len());
        assert!(accepted > 0 && accepted < cases, "{what}: the cases tell nothing apart");
    }
}
