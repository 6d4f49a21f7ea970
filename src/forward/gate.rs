//! How many deliveries one receiver has at a time, and whose turn it is.
//!
//! The number grows while the receiver keeps its pace and shrinks when it slows down or is in trouble. After a pause it
//! begins with one, a probe: the others follow when that was answered. Partners whose items go to the same receiver take
//! turns, so that a million items of one do not stand before ten of another.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::oneshot;

use crate::model::PartnerId;
use crate::rate::Rate;

/// The way to one receiver.
#[derive(Debug)]
pub(super) struct Gate {
    state: Mutex<State>,
    rate: Option<Rate>,
}

/// A place among those under way; dropping it gives it to the next.
#[derive(Debug)]
pub(super) struct Pass {
    /// `None` once the place has been given back.
    gate: Option<Arc<Gate>>,
}

#[derive(Debug)]
struct State {
    busy: usize,
    /// Who waits, by partner; the first partner is the next.
    waiting: VecDeque<(PartnerId, VecDeque<oneshot::Sender<Pass>>)>,
    pace: Pace,
}

impl Gate {
    /// A gate that never lets more than so many through at a time, nor in a minute.
    pub(super) fn new(most: usize, per_minute: Option<usize>) -> Self {
        let state = State { busy: 0, waiting: VecDeque::new(), pace: Pace::new(most.max(1)) };
        Self { state: Mutex::new(state), rate: per_minute.map(Rate::per_minute) }
    }

    /// Waits until one more may begin. Who gives up has taken nothing from the others.
    pub(super) async fn enter(self: &Arc<Self>, partner: &PartnerId) -> Pass {
        let pass = self.place(partner).await;
        if let Some(rate) = &self.rate {
            rate.turn().await;
        }
        pass
    }

    async fn place(self: &Arc<Self>, partner: &PartnerId) -> Pass {
        loop {
            let waiting = {
                let mut state = self.locked();
                if state.waiting.is_empty() && state.has_room() {
                    state.busy += 1;
                    return Pass { gate: Some(Arc::clone(self)) };
                }
                state.wait(partner)
            };
            // The sender is dropped with the gate only, which we hold.
            if let Ok(pass) = waiting.await {
                return pass;
            }
        }
    }

    /// The receiver answered, in so long.
    pub(super) fn answered(self: &Arc<Self>, time: Duration) {
        let mut state = self.locked();
        let is_full = state.busy >= state.pace.limit();
        state.pace.answered(time, is_full);
        drop(state);
        self.admit();
    }

    /// The answer, or that there was none, means trouble.
    pub(super) fn trouble(&self) {
        self.locked().pace.slow_down();
    }

    /// Nothing is asked of the receiver for a while; what comes after that is a probe.
    pub(super) fn pause(&self) {
        self.locked().pace.stop();
    }

    /// Hands free places to those who wait.
    fn admit(self: &Arc<Self>) {
        loop {
            let next = {
                let mut state = self.locked();
                let Some(next) = state.has_room().then(|| state.next()).flatten() else { return };
                state.busy += 1;
                next
            };
            if let Err(mut unwanted) = next.send(Pass { gate: Some(Arc::clone(self)) }) {
                // Who waited is gone. Taken back here and not by dropping it, which would come back here for each.
                unwanted.gate = None;
                self.locked().busy -= 1;
            }
        }
    }

    fn locked(&self) -> MutexGuard<'_, State> {
        // Whole after every statement.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Pass {
    fn drop(&mut self) {
        if let Some(gate) = self.gate.take() {
            gate.locked().busy -= 1;
            gate.admit();
        }
    }
}

impl State {
    fn has_room(&self) -> bool {
        self.busy < self.pace.limit()
    }

    fn wait(&mut self, partner: &PartnerId) -> oneshot::Receiver<Pass> {
        let (sender, receiver) = oneshot::channel();
        match self.waiting.iter_mut().find(|(name, _)| name == partner) {
            Some((_, line)) => line.push_back(sender),
            None => self.waiting.push_back((partner.clone(), VecDeque::from([sender]))),
        }
        receiver
    }

    /// The first of the partner whose turn it is; the partner's others go behind those of everybody else.
    fn next(&mut self) -> Option<oneshot::Sender<Pass>> {
        let (partner, mut line) = self.waiting.pop_front()?;
        let first = line.pop_front();
        if !line.is_empty() {
            self.waiting.push_back((partner, line));
        }
        first
    }
}

/// How many at a time, by what the answers say.
#[derive(Debug)]
struct Pace {
    limit: usize,
    most: usize,
    /// Up to here every answer adds one where as many are under way as may; beyond, every round of answers adds a few.
    careful_from: usize,
    round: Round,
    /// The mean time of an answer in a good round; drifts up, so that a receiver that has become slower for good is not
    /// held to what it once was.
    usual: Option<Duration>,
}

/// As many answers as there were deliveries under way when it began.
#[derive(Debug, Default)]
struct Round {
    answers: usize,
    time: Duration,
    was_full: bool,
    had_trouble: bool,
}

impl Pace {
    fn new(most: usize) -> Self {
        Self { limit: most.min(FIRST_LIMIT), most, careful_from: most, round: Round::default(), usual: None }
    }

    fn limit(&self) -> usize {
        self.limit
    }

    fn answered(&mut self, time: Duration, is_full: bool) {
        self.round.answers += 1;
        self.round.time += time;
        self.round.was_full |= is_full;
        if is_full && self.limit < self.careful_from {
            self.limit += 1;
        }
        if self.round.answers >= self.limit {
            self.end_round();
        }
    }

    fn end_round(&mut self) {
        let round = std::mem::take(&mut self.round);
        let mean = round.time / u32::try_from(round.answers).unwrap_or(u32::MAX).max(1);
        let usual = self.usual.map_or(mean, |usual| mean.min(usual + usual / DRIFT));
        self.usual = Some(usual);
        if mean > usual * TOO_SLOW + NOISE {
            self.shrink_to(self.limit - self.limit / 8);
        } else if round.was_full && !round.had_trouble {
            self.limit = (self.limit + (self.limit / 8).max(1)).min(self.most);
        }
    }

    /// Halves the limit, once a round: what was under way together is in trouble together.
    fn slow_down(&mut self) {
        if !std::mem::replace(&mut self.round.had_trouble, true) {
            self.shrink_to(self.limit / 2);
        }
    }

    /// Goes down to one, and up again by answers to half of what it was.
    fn stop(&mut self) {
        if self.limit > 1 {
            self.shrink_to(1);
        }
    }

    fn shrink_to(&mut self, limit: usize) {
        self.careful_from = (self.limit / 2).max(1);
        self.limit = limit.max(1);
    }
}

/// What a receiver gets before it has answered anything.
const FIRST_LIMIT: usize = 16;
/// A round whose answers take this many times as long as usual is too slow.
const TOO_SLOW: u32 = 3;
/// And longer than that by more than this, which a busy machine adds.
const NOISE: Duration = Duration::from_millis(5);
/// The usual time drifts up by this part of itself in a round.
const DRIFT: u32 = 50;

#[cfg(test)]
mod tests {
    use futures::FutureExt as _;

    use super::*;

    fn partner(name: &str) -> PartnerId {
        name.parse().unwrap()
    }

    #[tokio::test]
    async fn partners_take_turns_however_many_items_one_of_them_has() {
        let gate = Arc::new(Gate::new(1, None));
        let (large, small) = (partner("large"), partner("small"));
        let first = gate.enter(&large).await;
        let mut of_large: Vec<_> = (0..100).map(|_| Box::pin(gate.enter(&large))).collect();
        of_large.iter_mut().for_each(|waiting| assert!(waiting.as_mut().now_or_never().is_none()));
        let mut of_small = Box::pin(gate.enter(&small));
        assert!(of_small.as_mut().now_or_never().is_none());
        drop(first);
        let second = of_large[0].as_mut().now_or_never().expect("it came first");
        drop(second);
        assert!(of_small.as_mut().now_or_never().is_some(), "the other partner is next");
        assert!(of_large[1].as_mut().now_or_never().is_some());
    }

    #[tokio::test]
    async fn who_no_longer_waits_costs_no_place() {
        let gate = Arc::new(Gate::new(1, None));
        let etat = partner("etat");
        let first = gate.enter(&etat).await;
        let mut gone: Vec<_> = (0..10_000).map(|_| Box::pin(gate.enter(&etat))).collect();
        gone.iter_mut().for_each(|waiting| assert!(waiting.as_mut().now_or_never().is_none()));
        let mut given = Box::pin(gate.enter(&etat));
        assert!(given.as_mut().now_or_never().is_none());
        drop(gone);
        drop(first);
        // It has been given its place, and goes without having looked.
        drop(given);
        assert!(gate.enter(&etat).now_or_never().is_some());
    }

    #[test]
    fn it_grows_while_answers_come_as_usual_and_shrinks_when_they_take_longer() {
        let mut pace = Pace::new(100);
        let round = |pace: &mut Pace, millis| {
            (0..pace.limit()).for_each(|_| pace.answered(Duration::from_millis(millis), true));
        };
        (0..60).for_each(|_| round(&mut pace, 10));
        assert_eq!(pace.limit(), 100);
        (0..20).for_each(|_| round(&mut pace, 60));
        assert!(pace.limit() < 60, "{}", pace.limit());
        (0..400).for_each(|_| round(&mut pace, 60));
        assert_eq!(pace.limit(), 100, "that is its pace now");
    }

    #[test]
    fn what_is_never_full_does_not_grow() {
        let mut pace = Pace::new(100);
        (0..1_000).for_each(|_| pace.answered(Duration::from_millis(10), false));
        assert_eq!(pace.limit(), FIRST_LIMIT);
    }

    #[test]
    fn trouble_halves_it_once_a_round_and_a_pause_leaves_one_that_grows_by_answers() {
        let mut pace = Pace::new(64);
        (0..8).for_each(|_| pace.slow_down());
        assert_eq!(pace.limit(), FIRST_LIMIT / 2);
        pace.stop();
        pace.stop();
        assert_eq!(pace.limit(), 1);
        pace.answered(Duration::from_millis(10), true);
        assert_eq!(pace.limit(), 2);
        (0..64).for_each(|_| pace.answered(Duration::from_millis(10), true));
        assert!(pace.limit() >= FIRST_LIMIT / 2, "{}", pace.limit());
    }
}
