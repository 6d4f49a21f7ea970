//! Which days are business days, and when business ends on them.

use jiff::civil::{Date, DateTime, Time, Weekday};

use super::day_rule::{DayRule, DaySet};
use super::holidays;

/// What a day is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DayKind {
    /// Business all day.
    Business,
    /// Business until the half day's cut-off.
    Half,
    /// No business.
    Closed,
}

/// A calendar of business days.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Calendar {
    /// Days of the week without business.
    pub weekend: Vec<Weekday>,
    /// Whether Norwegian public holidays are days without business.
    pub norwegian_holidays: bool,
    /// Days that are treated in a way of their own; the more particular rule wins, then the earlier.
    pub rules: Vec<DayRule>,
    /// When business ends: what comes later belongs to the next business day. `None` for midnight.
    pub cut_off: Option<Time>,
    /// When it ends on a half day.
    pub half_day_cut_off: Time,
}

impl Default for Calendar {
    /// Monday to Friday without Norwegian public holidays, and no half days.
    fn default() -> Self {
        Self {
            weekend: vec![Weekday::Saturday, Weekday::Sunday],
            norwegian_holidays: true,
            rules: Vec::new(),
            cut_off: None,
            half_day_cut_off: NOON,
        }
    }
}

impl Calendar {
    /// What a day is. A rule for this one day wins; then a yearly one, though no half day comes out of a day off.
    pub fn kind(&self, date: Date) -> DayKind {
        let one = self.rules.iter().find(|rule| matches!(rule.days, DaySet::Day(day) if day == date));
        if let Some(rule) = one {
            return rule.kind;
        }
        let yearly = self.rules.iter().find(|rule| !matches!(rule.days, DaySet::Day(_)) && rule.days.contains(date));
        let is_off =
            self.weekend.contains(&date.weekday()) || (self.norwegian_holidays && holidays::is_norwegian(date));
        match yearly.map(|rule| rule.kind) {
            Some(DayKind::Half) | None if is_off => DayKind::Closed,
            Some(kind) => kind,
            None => DayKind::Business,
        }
    }

    /// Tells whether there is business on a day, if only for half of it.
    pub fn is_business(&self, date: Date) -> bool {
        self.kind(date) != DayKind::Closed
    }

    /// When business ends on a day; `None` for midnight, also of a day without business.
    pub fn cut_off(&self, date: Date) -> Option<Time> {
        match self.kind(date) {
            DayKind::Half => Some(self.cut_off.map_or(self.half_day_cut_off, |time| time.min(self.half_day_cut_off))),
            DayKind::Business | DayKind::Closed => self.cut_off,
        }
    }

    /// The business day that a moment belongs to: its own unless that is closed or its cut-off has passed, then the next.
    pub fn business_date(&self, moment: DateTime) -> Option<Date> {
        let date = moment.date();
        let in_time = self.cut_off(date).is_none_or(|end| moment.time() <= end);
        if self.is_business(date) && in_time { Some(date) } else { self.next_business(date) }
    }

    /// The first business day after a day.
    pub fn next_business(&self, date: Date) -> Option<Date> {
        days_after(date).take(LONGEST_CLOSURE).find(|day| self.is_business(*day))
    }

    /// The last business day before a day.
    pub fn previous_business(&self, date: Date) -> Option<Date> {
        days_before(date).take(LONGEST_CLOSURE).find(|day| self.is_business(*day))
    }

    /// Which business day of its month a day is, from 1, counted from the beginning or from the end; `None` when it is none.
    pub fn place_in_month(&self, date: Date, from_end: bool) -> Option<u8> {
        if !self.is_business(date) {
            return None;
        }
        let others: Box<dyn Iterator<Item = Date>> =
            if from_end { Box::new(days_after(date)) } else { Box::new(days_before(date)) };
        let same_month = others.take_while(|day| day.month() == date.month());
        u8::try_from(same_month.filter(|day| self.is_business(*day)).count() + 1).ok()
    }
}

/// The days after a day, in order.
fn days_after(date: Date) -> impl Iterator<Item = Date> {
    std::iter::successors(date.tomorrow().ok(), |day| day.tomorrow().ok())
}

/// The days before a day, backwards.
fn days_before(date: Date) -> impl Iterator<Item = Date> {
    std::iter::successors(date.yesterday().ok(), |day| day.yesterday().ok())
}

/// The end of a half day, when nothing else is said.
const NOON: Time = Time::constant(12, 0, 0, 0);

/// Most days in a row without business that are looked past.
const LONGEST_CLOSURE: usize = 400;

#[cfg(test)]
mod tests {
    use jiff::civil::{date, time};

    use super::*;

    fn rule(days: &str, kind: DayKind) -> DayRule {
        DayRule { days: days.parse().unwrap(), kind }
    }

    #[test]
    fn easter_week_has_three_business_days() {
        let calendar = Calendar::default();
        let days = (29..=31).map(|day| date(2026, 3, day)).chain((1..=7).map(|day| date(2026, 4, day)));
        let open: Vec<_> = days.filter(|day| calendar.is_business(*day)).map(|day| day.day()).collect();
        assert_eq!(open, [30, 31, 1, 7]);
        assert_eq!(calendar.next_business(date(2026, 4, 1)), Some(date(2026, 4, 7)));
        assert_eq!(calendar.previous_business(date(2026, 4, 7)), Some(date(2026, 4, 1)));
    }

    #[test]
    fn a_rule_for_one_day_wins_over_everything() {
        let rules = vec![
            rule("12-24", DayKind::Half),
            rule("05-01", DayKind::Business),
            rule("2026-12-24", DayKind::Closed),
            rule("2026-12-26", DayKind::Half),
            rule("easter-4", DayKind::Half),
        ];
        let calendar = Calendar { rules, ..Calendar::default() };
        assert_eq!(calendar.kind(date(2026, 12, 24)), DayKind::Closed);
        assert_eq!(calendar.kind(date(2025, 12, 24)), DayKind::Half);
        // A Sunday.
        assert_eq!(calendar.kind(date(2028, 12, 24)), DayKind::Closed);
        // A Saturday and a holiday.
        assert_eq!(calendar.kind(date(2026, 12, 26)), DayKind::Half);
        assert_eq!(calendar.kind(date(2026, 5, 1)), DayKind::Business);
        assert_eq!(calendar.kind(date(2026, 4, 1)), DayKind::Half);
    }

    #[test]
    fn what_comes_after_the_cut_off_belongs_to_the_next_business_day() {
        let rules = vec![rule("easter-4", DayKind::Half)];
        let calendar = Calendar { rules, cut_off: Some(time(15, 0, 0, 0)), ..Calendar::default() };
        for (day, hour, expected) in [
            (date(2026, 3, 30), 15, date(2026, 3, 30)),
            (date(2026, 3, 30), 16, date(2026, 3, 31)),
            (date(2026, 4, 1), 12, date(2026, 4, 1)),
            (date(2026, 4, 1), 13, date(2026, 4, 7)),
            (date(2026, 4, 4), 3, date(2026, 4, 7)),
        ] {
            assert_eq!(calendar.business_date(day.at(hour, 0, 0, 0)), Some(expected), "{day} {hour}");
        }
    }

    #[test]
    fn business_days_of_a_month_are_counted_from_both_ends() {
        let calendar = Calendar::default();
        // The 31st is a Sunday, the 25th Whit Monday.
        assert_eq!(calendar.place_in_month(date(2026, 5, 29), true), Some(1));
        assert_eq!(calendar.place_in_month(date(2026, 5, 22), true), Some(5));
        assert_eq!(calendar.place_in_month(date(2026, 5, 4), false), Some(1));
        assert_eq!(calendar.place_in_month(date(2026, 5, 30), true), None);
    }

    #[test]
    fn a_calendar_that_is_never_open_is_not_searched_for_ever() {
        let calendar =
            Calendar { weekend: (0..7).map(|day| Weekday::Monday.wrapping_add(day)).collect(), ..Calendar::default() };
        assert_eq!(calendar.next_business(date(2026, 1, 1)), None);
        assert_eq!(calendar.next_business(Date::MAX), None);
    }
}
