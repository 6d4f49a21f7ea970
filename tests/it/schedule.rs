//! A year of runs as a golden file: both settings of the clock, Easter, and every business day of Norway.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use sluse::schedule::{Calendar, DayRule, Days, OnClosed, Recurrence, Rule, Windows, at_wall, read_days, zone};

/// One schedule of the table: its rule, its days, what it does on closed ones, its windows.
type Row = (&'static str, &'static str, OnClosed, &'static [&'static str]);

const ROWS: &[Row] = &[
    ("30 2 * * *", "all", OnClosed::Skip, &[]),
    ("0 23 * * *", "business", OnClosed::Skip, &[]),
    ("0 7 15 * *", "business", OnClosed::Next, &[]),
    ("0 7 15 * *", "business", OnClosed::Previous, &[]),
    ("0 6 * * *", "last-business", OnClosed::Skip, &[]),
    ("0 6 * * *", "business-3", OnClosed::Skip, &[]),
    ("0 12 * * MON#1", "all", OnClosed::Skip, &[]),
    ("0 12 * * 7L", "all", OnClosed::Skip, &[]),
    ("0 3 LW * *", "all", OnClosed::Skip, &[]),
    ("0 12,18 * * *", "all", OnClosed::Skip, &["business 10:00-17:00"]),
    // Around the two nights on which the clock is set.
    ("0 * 29 3 *", "all", OnClosed::Skip, &[]),
    ("*/20 1-3 29 3 *", "all", OnClosed::Skip, &[]),
    ("0 * 25 10 *", "all", OnClosed::Skip, &[]),
    ("*/20 1-3 25 10 *", "all", OnClosed::Skip, &[]),
    ("0,30 30 2 25 10 *", "all", OnClosed::Skip, &[]),
];

#[test]
fn a_year_of_runs_is_as_it_was() {
    let mut table = String::new();
    for row in ROWS {
        write_row(&mut table, row);
    }
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/schedules/2026.txt");
    if std::env::var_os("SLUSE_BLESS").is_some() {
        fs::write(&path, &table).unwrap();
    }
    let golden = fs::read_to_string(&path).unwrap();
    for (number, (found, expected)) in table.lines().zip(golden.lines()).enumerate() {
        assert_eq!(found, expected, "line {}", number + 1);
    }
    assert_eq!(table, golden);
}

fn write_row(table: &mut String, (pattern, days, on_closed, windows): &Row) {
    let oslo = zone("Europe/Oslo").unwrap();
    let rules: Vec<DayRule> = read_days("12-24 half\n12-31 half\neaster-4 half\n2026-05-15 closed").unwrap();
    let calendar = Arc::new(Calendar { rules, ..Calendar::default() });
    let parsed = windows.iter().map(|text| text.parse().unwrap()).collect::<Vec<_>>();
    let windows_of = |windows| Windows { windows, zone: oslo.clone(), calendar: Arc::clone(&calendar) };
    let times = Recurrence {
        rule: Rule::Cron(Box::new(pattern.parse().unwrap())),
        zone: oslo.clone(),
        calendar: Arc::clone(&calendar),
        days: days.parse::<Days>().unwrap(),
        on_closed: *on_closed,
        windows: (!parsed.is_empty()).then(|| windows_of(parsed)),
        jitter: Duration::ZERO,
    };
    let year = |year| at_wall(&oslo, jiff::civil::date(year, 1, 1).at(0, 0, 0, 0)).unwrap();
    let before: Timestamp = year(2026).checked_sub(jiff::SignedDuration::from_secs(1)).unwrap();
    writeln!(table, "{pattern} | {days} | {on_closed:?} | {}", windows.join(", ")).unwrap();
    for at in times.upcoming(before).take_while(|at| *at < year(2027)) {
        writeln!(table, "  {}", at.to_zoned(oslo.clone()).strftime("%a %Y-%m-%d %H:%M:%S %:z")).unwrap();
    }
}
