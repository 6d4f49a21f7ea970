//! When shipments will be through, and an alarm where that is too late.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio_util::sync::CancellationToken;

use super::House;
use super::alarm::set_alarm;
use super::setback::guarded;
use crate::forward::after;
use crate::model::{Alarm, RouteName, ShipmentId};
use crate::ports::{LedgerError, Progress, Timetable, UnderWay};
use crate::schedule::{Deadline, Windows};

/// By when the shipments of a route must be through, and who is told when they will not.
#[derive(Debug, Clone)]
pub struct RouteDeadline {
    /// The time of day.
    pub deadline: Deadline,
    /// Channels of alarms.
    pub channels: Vec<String>,
}

/// What the forecaster works with.
#[derive(Clone)]
pub struct Forecaster {
    /// For the clock and the routes' windows.
    pub house: House,
    /// What is under way.
    pub progress: Arc<dyn Progress>,
    /// Where alarms stand.
    pub alarms: Arc<dyn Timetable>,
    /// Deadlines of routes that have one.
    pub deadlines: HashMap<RouteName, RouteDeadline>,
}

/// How far each shipment had come at the look before, by receiver where it goes to several.
type Before = HashMap<(ShipmentId, Option<String>), Seen>;

/// A shipment with when it will be through; nothing where nobody can tell.
type Ended = (ShipmentId, Option<Timestamp>);

#[derive(Debug, Clone, Copy)]
struct Seen {
    at: Timestamp,
    open: u64,
    /// Items a second of late, while its route was open.
    pace: Option<f64>,
    /// Its route was shut by its window.
    is_shut: bool,
}

/// Looks once a minute how far shipments have come, until asked to stop.
pub async fn forecast(forecaster: Forecaster, stop: CancellationToken) {
    let mut before = Before::new();
    while stop.run_until_cancelled(tokio::time::sleep(LOOK_EVERY)).await.is_some() {
        if let Err(error) = guarded(async { Ok(forecaster.look(&mut before).await?) }).await {
            tracing::warn!(%error, "the ledger does not say how far shipments have come");
        }
    }
}

impl Forecaster {
    async fn look(&self, before: &mut Before) -> Result<(), LedgerError> {
        let (now, under_way) = (self.house.clock.now(), self.progress.under_way(LOOKED_AT).await?);
        let mut seen = Before::with_capacity(under_way.len());
        let mut ends = Vec::with_capacity(under_way.len());
        for shipment in &under_way {
            let key = (shipment.id, shipment.receiver.clone());
            let shut_until = self.house.shut_until(&shipment.route);
            let look = Seen::again(before.get(&key), shipment.open, now, shut_until.is_some());
            ends.push((shipment.id, look.end(shut_until.unwrap_or(now), self.house.windows.get(&shipment.route))));
            seen.insert(key, look);
        }
        *before = seen;
        let (under_way, ends) = joined(under_way, ends);
        tell(&under_way, &ends);
        self.warn(&under_way, &ends, now).await?;
        self.progress.expect_ends(ends).await
    }

    /// Sets each route's alarm by the shipment that will be latest, or clears it.
    async fn warn(&self, under_way: &[UnderWay], ends: &[Ended], now: Timestamp) -> Result<(), LedgerError> {
        for (route, RouteDeadline { deadline, channels }) in &self.deadlines {
            let subject = format!("deadline/{route}");
            let standing = self.alarms.alarm(&subject).await?;
            let is_warned = standing.is_some_and(|alarm| alarm.level == WARNING);
            let of_route = under_way.iter().zip(ends).map(|(shipment, (_, end))| (shipment, *end));
            let of_route = of_route.filter(|(shipment, _)| shipment.route == *route);
            match worst(of_route, deadline, is_warned, now) {
                Worst::Unknown if is_warned => {}
                Worst::Unknown => set_alarm(self.alarms.as_ref(), (&subject, None), channels, now).await?,
                Worst::Known(alarm) => {
                    set_alarm(self.alarms.as_ref(), (&subject, alarm.as_ref()), channels, now).await?;
                }
            }
        }
        Ok(())
    }
}

/// What is wrong with a route.
#[derive(Debug, PartialEq)]
enum Worst {
    /// This, or nothing.
    Known(Option<Alarm>),
    /// Nothing that is known; of some shipment nobody can tell, as in the first minute after a start.
    Unknown,
}

/// The worst of a route's shipments. A warning that stands is over only where the end is well before the deadline: a
/// forecast sways.
fn worst<'s>(
    shipments: impl Iterator<Item = (&'s UnderWay, Option<Timestamp>)>,
    deadline: &Deadline,
    is_warned: bool,
    now: Timestamp,
) -> Worst {
    let slack = if is_warned { SLACK } else { Duration::ZERO };
    let (mut worst, mut is_unknown) = (None, false);
    for (shipment, end) in shipments {
        is_unknown |= end.is_none() && shipment.open > 0;
        let alarm = alarm(shipment, deadline.after(shipment.claimed_at), end.map(|end| after(end, slack)), now);
        // The words' order in the alphabet is not meant: late is worse.
        worst = worst.into_iter().chain(alarm).max_by_key(|alarm| (alarm.level == LATE, std::cmp::Reverse(alarm.due)));
    }
    if worst.is_none() && is_unknown { Worst::Unknown } else { Worst::Known(worst) }
}

/// What goes to several receivers as one: it is through when the last of them has everything.
fn joined(under_way: Vec<UnderWay>, ends: Vec<Ended>) -> (Vec<UnderWay>, Vec<Ended>) {
    let (mut shipments, mut all): (Vec<UnderWay>, Vec<Ended>) = (Vec::new(), Vec::new());
    for (shipment, (id, end)) in under_way.into_iter().zip(ends) {
        match (shipments.last_mut(), all.last_mut()) {
            (Some(before), Some((_, last))) if before.id == id => {
                *last = match (before.open, shipment.open) {
                    (_, 0) => *last,
                    (0, _) => end,
                    (_, _) => (*last).zip(end).map(|(last, end)| last.max(end)),
                };
                before.open += shipment.open;
            }
            _ => {
                shipments.push(shipment);
                all.push((id, end));
            }
        }
    }
    (shipments, all)
}

impl Seen {
    /// What is seen now, with the pace since the look before smoothed by what it was until then.
    fn again(before: Option<&Self>, open: u64, now: Timestamp, is_shut: bool) -> Self {
        let pace = before.and_then(|before| {
            // That nothing is done while the route is shut says nothing of how fast it goes while it is open.
            if is_shut || before.is_shut {
                return before.pace;
            }
            let seconds = now.duration_since(before.at).as_secs_f64();
            let done = before.open.saturating_sub(open) as f64;
            let here = (seconds > 0.0).then(|| done / seconds)?;
            Some(before.pace.map_or(here, |pace| (pace + here) / 2.0))
        });
        Self { at: now, open, pace, is_shut }
    }

    /// When it will be through, going on at its pace from a time on, while its route is open.
    fn end(&self, begins: Timestamp, windows: Option<&Windows>) -> Option<Timestamp> {
        let seconds = self.open as f64 / self.pace.filter(|pace| *pace > 0.0)?;
        let takes = Duration::try_from_secs_f64(seconds).ok()?;
        windows.map_or_else(|| Some(after(begins, takes)), |windows| windows.after_open(begins, takes))
    }
}

/// What is wrong with a shipment that has a deadline.
fn alarm(shipment: &UnderWay, due: Timestamp, end: Option<Timestamp>, now: Timestamp) -> Option<Alarm> {
    let UnderWay { id, partner, open, .. } = shipment;
    let (level, text) = if now >= due {
        (LATE, format!("shipment {id} of {partner} is not through at {due}: {open} items are open"))
    } else {
        let end = end.filter(|end| *end > due)?;
        (WARNING, format!("shipment {id} of {partner} will be through at about {end:.0}, after {due}"))
    };
    // One alarm as long as it is the same shipment: a new end every minute is no news.
    Some(Alarm { level: level.to_owned(), due, text })
}

/// Says in the log when the largest will be through.
fn tell(under_way: &[UnderWay], ends: &[(ShipmentId, Option<Timestamp>)]) {
    let mut largest: Vec<_> = under_way.iter().zip(ends).collect();
    largest.sort_by_key(|(shipment, _)| std::cmp::Reverse(shipment.open));
    for (shipment, (_, end)) in largest.into_iter().take(TOLD) {
        let end = end.map(|end| format!("{end:.0}"));
        tracing::info!(
            shipment = %shipment.id, partner = %shipment.partner, open = shipment.open, end = end.as_deref(), "under way"
        );
    }
}

const LATE: &str = "late";

const WARNING: &str = "warning";

/// So long before the deadline a shipment must be expected to be through for a warning to be over.
const SLACK: Duration = Duration::from_secs(300);

/// How often it looks.
const LOOK_EVERY: Duration = Duration::from_secs(60);

/// Shipments of each route looked at: a route that is shut hides none of another.
const LOOKED_AT: u32 = 500;

/// Shipments named in the log in one look.
const TOLD: usize = 10;

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + seconds).unwrap()
    }

    fn under_way(open: u64) -> UnderWay {
        let (partner, route) = ("etat".parse().unwrap(), "etat".parse().unwrap());
        UnderWay { id: ShipmentId::new(), receiver: None, partner, route, claimed_at: at(0), open }
    }

    #[test]
    fn the_end_follows_the_pace_and_nobody_can_tell_at_first_or_when_nothing_moves() {
        let first = Seen::again(None, 10_000, at(0), false);
        assert_eq!(first.end(at(0), None), None);
        let second = Seen::again(Some(&first), 9_400, at(60), false);
        assert_eq!(second.end(at(60), None), Some(at(1_000)));
        assert_eq!(second.end(at(600), None), Some(at(1_540)), "from when its route opens");
        let slower = Seen::again(Some(&second), 9_400, at(120), false);
        assert_eq!(slower.end(at(120), None), Some(at(2_000)), "half as fast: nothing came in the last minute");
        let still = Seen::again(Some(&first), 10_000, at(60), false);
        assert_eq!(still.end(at(60), None), None);
    }

    #[test]
    fn the_pace_outlasts_a_night_in_which_the_route_is_shut() {
        let mut look = Seen::again(Some(&Seen::again(None, 10_000, at(0), false)), 9_400, at(60), false);
        for minute in 2..600 {
            look = Seen::again(Some(&look), 9_400, at(60 * minute), true);
        }
        let opens = at(36_000);
        assert_eq!(look.end(opens, None), Some(at(36_940)), "10 items a second from when it opens");
        let opened = Seen::again(Some(&look), 9_400, opens, false);
        assert_eq!(opened.end(opens, None), Some(at(36_940)), "most of the time since the look before it was shut");
        let slow = Seen::again(Some(&opened), 9_400, at(36_060), false);
        assert_eq!(slow.end(at(36_060), None), Some(at(37_940)), "open, and nothing came: half as fast");
    }

    #[test]
    fn what_takes_longer_than_a_window_goes_on_in_the_next() {
        let windows = ["22:00-23:00".parse().unwrap()].into();
        let windows = Windows { windows, zone: jiff::tz::TimeZone::UTC, calendar: Arc::default() };
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        let look = Seen { at: at("2026-03-02T22:30Z"), open: 6_000, pace: Some(1.0), is_shut: false };
        let end = |begins| look.end(at(begins), Some(&windows));
        assert_eq!(end("2026-03-02T22:30Z"), Some(at("2026-03-04T22:10Z")), "half an hour, an hour, ten minutes");
        assert_eq!(end("2026-03-02T22:00Z"), Some(at("2026-03-03T22:40Z")));
    }

    #[test]
    fn a_warning_stands_while_nobody_can_tell_and_until_the_end_is_well_in_time() {
        let (shipment, deadline) =
            (under_way(5), Deadline { time: jiff::civil::time(6, 0, 0, 0), zone: jiff::tz::TimeZone::UTC });
        let due = deadline.after(shipment.claimed_at);
        let before = |seconds: i64| Some(due.checked_sub(jiff::SignedDuration::from_secs(seconds)).unwrap());
        let level = |end, is_warned| match worst([(&shipment, end)].into_iter(), &deadline, is_warned, at(0)) {
            Worst::Known(alarm) => alarm.map(|alarm| alarm.level),
            Worst::Unknown => Some("unknown".to_owned()),
        };
        assert_eq!(level(None, true).as_deref(), Some("unknown"));
        assert_eq!((level(before(60), false), level(before(60), true).as_deref()), (None, Some(WARNING)));
        assert_eq!((level(before(301), true), level(before(-1), false).as_deref()), (None, Some(WARNING)));
        let through = UnderWay { open: 0, ..under_way(0) };
        assert_eq!(worst([(&through, None)].into_iter(), &deadline, true, at(0)), Worst::Known(None));
    }

    #[test]
    fn what_goes_to_several_receivers_is_through_with_the_last() {
        let (alone, shared) = (under_way(3), under_way(10));
        let share = |open| UnderWay { open, ..shared.clone() };
        let of = |rows: Vec<(u64, Option<Timestamp>)>| {
            let mut all: Vec<UnderWay> = rows.iter().map(|(open, _)| share(*open)).collect();
            let mut ends: Vec<Ended> = rows.into_iter().map(|(_, end)| (shared.id, end)).collect();
            all.push(alone.clone());
            ends.push((alone.id, Some(at(5))));
            let (all, ends) = joined(all, ends);
            assert_eq!((all.len(), ends[1]), (2, (alone.id, Some(at(5)))));
            (all[0].open, ends[0].1)
        };
        assert_eq!(of(vec![(10, Some(at(7))), (20, Some(at(9))), (5, Some(at(8)))]), (35, Some(at(9))));
        assert_eq!(of(vec![(0, Some(at(99))), (20, Some(at(9)))]), (20, Some(at(9))), "the first has everything");
        assert_eq!(of(vec![(10, Some(at(7))), (0, None)]), (10, Some(at(7))), "the second has everything");
        assert_eq!(of(vec![(10, Some(at(7))), (20, None)]), (30, None), "one of them is down");
    }

    #[test]
    fn a_shipment_that_will_be_late_warns_and_one_that_is_late_alarms() {
        let shipment = under_way(5);
        assert_eq!(alarm(&shipment, at(100), Some(at(99)), at(0)), None);
        assert_eq!(alarm(&shipment, at(100), None, at(99)), None, "nobody can tell");
        assert_eq!(alarm(&shipment, at(100), Some(at(101)), at(0)).unwrap().level, "warning");
        let late = alarm(&shipment, at(100), None, at(100)).unwrap();
        assert_eq!(late.level, LATE);
        assert!(late.text.contains("5 items"), "{}", late.text);
    }
}
