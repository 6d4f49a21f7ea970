//! The places elements have in a content model, and which may follow which (Glushkov's construction).
//!
//! A particle is one place however often it may come. Groups that come a limited number of times are counted: each
//! place knows the counted groups around it, and a step from place to place says which of them it leaves, repeats and
//! enters.

use super::parts::{Part, Symbol, What};
use super::{Done, too_large};
use crate::xsd::error::Place;
use crate::xsd::tables::{Count, UNBOUNDED};

/// A place in a content model.
#[derive(Debug)]
pub(super) struct Spot {
    pub(super) symbol: Symbol,
    /// How often in a row; whether it may be left out is said by the steps past it.
    pub(super) min: u32,
    pub(super) max: u32,
    /// The counted groups around it, as an index of [`Places::chains`].
    pub(super) chain: usize,
    /// A group around it may come again.
    pub(super) repeats: bool,
    /// What may come behind it, as indices of [`Places::chunks`].
    pub(super) follow: Vec<usize>,
}

/// Places that may come behind others.
#[derive(Debug)]
pub(super) struct Chunk {
    pub(super) targets: Vec<u32>,
    /// How many counted groups the step stays in.
    depth: usize,
    /// The innermost of them comes once more.
    back: bool,
}

/// All places of a content model.
#[derive(Debug, Default)]
pub(super) struct Places {
    pub(super) spots: Vec<Spot>,
    pub(super) chunks: Vec<Chunk>,
    /// Counted groups inside each other, from the outermost.
    pub(super) chains: Vec<Vec<u16>>,
    /// The bounds of the counted groups.
    pub(super) groups: Vec<(u32, u32)>,
}

/// A part of the model: the places it may begin and end with.
#[derive(Debug)]
pub(super) struct Fragment {
    pub(super) emptiable: bool,
    pub(super) first: Vec<u32>,
    pub(super) last: Vec<u32>,
}

/// What is left of the limits on the size of tables.
#[derive(Debug)]
pub(super) struct Budget {
    parts: usize,
    links: usize,
    edges: usize,
}

impl Default for Budget {
    fn default() -> Self {
        Self { parts: 500_000, links: 20_000_000, edges: 4_000_000 }
    }
}

impl Budget {
    pub(super) fn take_parts(&mut self, parts: usize, at: &Place) -> Done {
        take(&mut self.parts, parts, at, "the content models have too many parts")
    }

    fn take_links(&mut self, links: usize, at: &Place) -> Done {
        take(&mut self.links, links, at, "the content models have too many ways through them")
    }

    pub(super) fn take_edges(&mut self, edges: usize, at: &Place) -> Done {
        take(&mut self.edges, edges, at, "the content models have too many ways through them")
    }
}

fn take(left: &mut usize, wanted: usize, at: &Place, problem: &str) -> Done {
    *left = left.checked_sub(wanted).ok_or_else(|| too_large(at, problem))?;
    Ok(())
}

impl Places {
    /// Lays out a part; whoever asks has `chain` around it.
    pub(super) fn lay(
        &mut self,
        part: &Part,
        chain: usize,
        repeats: bool,
        budget: &mut Budget,
        at: &Place,
    ) -> Done<Fragment> {
        if let What::Symbol(symbol) = part.what {
            let index = self.spots.len() as u32;
            let min = part.min.max(1);
            self.spots.push(Spot { symbol, min, max: part.max, chain, repeats, follow: Vec::new() });
            return Ok(Fragment { emptiable: part.min == 0, first: vec![index], last: vec![index] });
        }
        let again = part.max > 1;
        let counted = again && (part.min > 1 || part.max != UNBOUNDED);
        let inner = if counted { self.counted(part, chain, at)? } else { chain };
        let mut whole = self.group(part, inner, repeats || again, budget, at)?;
        if again {
            let depth = self.chain(inner).len();
            self.link(&whole.last, &whole.first, (depth, counted), budget, at)?;
        }
        whole.emptiable |= part.min == 0;
        Ok(whole)
    }

    fn counted(&mut self, part: &Part, chain: usize, at: &Place) -> Done<usize> {
        const MOST_GROUPS: usize = 30_000;
        if self.groups.len() >= MOST_GROUPS {
            return Err(too_large(at, "the content model has too many groups that are counted"));
        }
        let mut inner = self.chain(chain).to_vec();
        inner.push(self.groups.len() as u16);
        self.groups.push((part.min, part.max));
        self.chains.push(inner);
        Ok(self.chains.len() - 1)
    }

    fn group(&mut self, part: &Part, chain: usize, repeats: bool, budget: &mut Budget, at: &Place) -> Done<Fragment> {
        match &part.what {
            What::Symbol(_) => Ok(Fragment { emptiable: true, first: Vec::new(), last: Vec::new() }),
            What::Sequence(parts) => {
                let mut whole = Fragment { emptiable: true, first: Vec::new(), last: Vec::new() };
                let depth = self.chain(chain).len();
                for part in parts {
                    let mut next = self.lay(part, chain, repeats, budget, at)?;
                    self.link(&whole.last, &next.first, (depth, false), budget, at)?;
                    if whole.emptiable {
                        whole.first.append(&mut next.first);
                    }
                    match next.emptiable {
                        true => whole.last.append(&mut next.last),
                        false => whole.last = next.last,
                    }
                    whole.emptiable &= next.emptiable;
                }
                Ok(whole)
            }
            What::Choice(parts) => {
                let mut whole = Fragment { emptiable: false, first: Vec::new(), last: Vec::new() };
                for part in parts {
                    let mut next = self.lay(part, chain, repeats, budget, at)?;
                    whole.emptiable |= next.emptiable;
                    whole.first.append(&mut next.first);
                    whole.last.append(&mut next.last);
                }
                Ok(whole)
            }
        }
    }

    fn link(
        &mut self,
        from: &[u32],
        to: &[u32],
        (depth, back): (usize, bool),
        budget: &mut Budget,
        at: &Place,
    ) -> Done {
        if from.is_empty() || to.is_empty() {
            return Ok(());
        }
        budget.take_links(from.len() + to.len(), at)?;
        let chunk = self.chunks.len();
        self.chunks.push(Chunk { targets: to.to_vec(), depth, back });
        for index in from {
            self.spots.get_mut(*index as usize).expect("a place of this model").follow.push(chunk);
        }
        Ok(())
    }

    fn chain(&self, chain: usize) -> &[u16] {
        self.chains.get(chain).map_or(&[], Vec::as_slice)
    }

    pub(super) fn spot(&self, index: u32) -> &Spot {
        self.spots.get(index as usize).expect("a place of this model")
    }

    /// What a step to a target asks of the counters of groups; from the beginning where there is no spot.
    pub(super) fn counts(&self, from: Option<&Spot>, chunk: &Chunk, target: u32) -> Vec<Count> {
        let kept = chunk.depth;
        let mut counts = Vec::new();
        if let Some(from) = from {
            counts = self.leaving(from, kept);
            if let Some(slot) = chunk.back.then(|| self.chain(from.chain).get(kept - 1)).flatten().copied() {
                let (min, max) = self.bounds(slot);
                let enough = if max == UNBOUNDED { min } else { max };
                counts.push(Count::Again { slot, most: max, enough });
            }
        }
        let entered = self.chain(self.spot(target).chain).get(kept..).unwrap_or_default();
        counts.extend(entered.iter().map(|slot| Count::Enter { slot: *slot }));
        counts
    }

    /// What leaving all groups around a place but the first few asks.
    pub(super) fn leaving(&self, from: &Spot, kept: usize) -> Vec<Count> {
        let left = self.chain(from.chain).get(kept..).unwrap_or_default().iter().rev();
        left.map(|slot| Count::Leave { slot: *slot, least: self.bounds(*slot).0 }).collect()
    }

    /// How often a counted group must come.
    pub(super) fn least(&self, slot: u16) -> u32 {
        self.bounds(slot).0
    }

    /// How many counted groups around a place there are outside one of them.
    pub(super) fn depth(&self, spot: Option<&Spot>, slot: u16) -> usize {
        let chain = spot.map_or(&[][..], |spot| self.chain(spot.chain));
        chain.iter().position(|known| *known == slot).unwrap_or(usize::MAX)
    }

    fn bounds(&self, slot: u16) -> (u32, u32) {
        self.groups.get(usize::from(slot)).copied().unwrap_or((0, UNBOUNDED))
    }

    /// In how many ways the groups around a place may have been counted.
    pub(super) fn ways(&self, spot: &Spot) -> u64 {
        let own = |min: u32, max: u32| u64::from(if max == UNBOUNDED { min.max(1) } else { max });
        let around = self.chain(spot.chain).iter().map(|slot| self.bounds(*slot));
        let all = around.chain([(spot.min, spot.max)]);
        all.fold(1, |product: u64, (min, max)| product.saturating_mul(own(min, max)))
    }
}

impl Chunk {
    /// The places a model may begin with.
    pub(super) fn beginning(first: Vec<u32>) -> Self {
        Self { targets: first, depth: 0, back: false }
    }
}
