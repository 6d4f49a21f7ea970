//! Schedules, expected files and alarms.

use std::ops::ControlFlow;

use sluse::model::{Alarm, AlarmChange, Arrival, FileState, Judged, PastFile, Settled, Watch};
use sluse::ports::{AskedRun, Cause, NewRun, NoticeEnd, RunEnd};

use super::*;

fn run(due: i64, cause: Cause) -> NewRun {
    NewRun { schedule: "nightly".to_owned(), due: at(due), cause, now: at(due + 1) }
}

pub(super) async fn the_run_of_a_time_begins_once(store: Box<dyn Store>) {
    let ledger = store.timetable();
    assert_eq!(ledger.settled_until("nightly").await.unwrap(), None);
    let first = ledger.begin_run(&run(10, Cause::Time)).await.unwrap().unwrap();
    assert_eq!(ledger.begin_run(&run(10, Cause::Time)).await.unwrap(), None);
    let again = ledger.begin_run(&run(10, Cause::Again)).await.unwrap().unwrap();
    ledger.end_run(first, RunEnd::CutOff, "", at(20)).await.unwrap();
    let store = store.reopen().await;
    let ledger = store.timetable();
    assert_eq!(ledger.settled_until("nightly").await.unwrap(), Some(at(10)));
    assert_eq!(ledger.open_runs().await.unwrap().iter().map(|run| run.id).collect::<Vec<_>>(), [again]);
    ledger.end_run(again, RunEnd::Done, "well", at(21)).await.unwrap();
    ledger.end_run(again, RunEnd::Failed, "late", at(22)).await.unwrap();
    let runs = ledger.runs("nightly", 9).await.unwrap();
    assert_eq!(runs.iter().map(|run| run.ended.unwrap().0).collect::<Vec<_>>(), [RunEnd::Done, RunEnd::CutOff]);
    assert_eq!((runs[0].note.as_str(), runs[0].due, runs[0].began_at), ("well", at(10), at(11)));
    ledger.settle("nightly", at(5)).await.unwrap();
    assert_eq!(ledger.settled_until("nightly").await.unwrap(), Some(at(5)));
}

pub(super) async fn what_is_asked_for_begins_once(store: Box<dyn Store>) {
    let ledger = store.timetable();
    let asked = ledger.ask("nightly", "user 7", at(1)).await.unwrap();
    assert_eq!(ledger.asked().await.unwrap(), [AskedRun { id: asked, schedule: "nightly".to_owned() }]);
    assert_eq!(ledger.run_asked(asked).await.unwrap(), None);
    let id = ledger.begin_run(&run(3, Cause::Asked(asked))).await.unwrap().unwrap();
    assert_eq!(ledger.begin_run(&run(3, Cause::Asked(asked))).await.unwrap(), None);
    assert_eq!((ledger.asked().await.unwrap(), ledger.settled_until("nightly").await.unwrap()), (vec![], None));
    assert_eq!(ledger.run_asked(asked).await.unwrap().unwrap().id, id);
}

pub(super) async fn old_runs_are_forgotten_but_not_those_asked_for(store: Box<dyn Store>) {
    let ledger = store.timetable();
    let asked = ledger.ask("nightly", "user 7", at(1)).await.unwrap();
    let id = ledger.begin_run(&run(1, Cause::Asked(asked))).await.unwrap().unwrap();
    ledger.end_run(id, RunEnd::Done, "", at(1)).await.unwrap();
    for due in 2..520 {
        let id = ledger.begin_run(&run(due, Cause::Time)).await.unwrap().unwrap();
        ledger.end_run(id, RunEnd::Done, "", at(due)).await.unwrap();
    }
    let runs = ledger.runs("nightly", 10_000).await.unwrap();
    assert!((500..505).contains(&runs.len()), "{}", runs.len());
    assert_eq!(runs.last().unwrap().id, id);
}

pub(super) async fn a_watch_and_what_it_settled_are_kept(store: Box<dyn Store>) {
    assert_eq!(store.timetable().watch("file").await.unwrap(), None);
    let id = claim(store.as_ref(), "/inbox/a.xml").await;
    let (route, partner) = ("prefill".parse().unwrap(), partner("etat"));
    let ledger = store.timetable();
    let arrivals = async |partner: &PartnerId, route, after| {
        let mut found = Vec::new();
        let tell = &mut |arrival| {
            found.push(arrival);
            ControlFlow::Continue(())
        };
        ledger.arrivals(partner, route, after, tell).await.unwrap();
        found
    };
    let found = arrivals(&partner, Some((&route, "inbox")), at(0)).await;
    let arrival = Arrival { shipment: id, at: at(1), size_bytes: 100, items: 0, judged: Judged::Not };
    assert_eq!(found, [arrival]);
    for (of, route, after) in [("etat", Some((&route, "other")), 0), ("other", None, 0), ("etat", None, 1)] {
        assert_eq!(arrivals(&of.parse().unwrap(), route, at(after)).await, [], "{of} {after}");
    }
    let watch = Watch { counts_from: at(5), due: at(9), behind: Some((FileState::Missing, at(4))) };
    let settled = [
        Settled {
            due: at(3),
            standing: FileState::Arrived,
            arrival: Some(Arrival { items: 7, judged: Judged::Taken, ..arrival }),
        },
        Settled { due: at(4), standing: FileState::Missing, arrival: None },
        // What was not judged when its time was over holds nothing that is known, and says nothing of what is usual.
        Settled { due: at(5), standing: FileState::Arrived, arrival: Some(arrival) },
    ];
    for _ in 0..2 {
        ledger.set_watch("file", &watch, &settled, at(6)).await.unwrap();
    }
    let store = store.reopen().await;
    assert_eq!(store.timetable().watch("file").await.unwrap(), Some(watch));
    let past = store.timetable().past_files("file", 9).await.unwrap();
    assert_eq!(past, [PastFile { size_bytes: 100, items: 7 }]);
}

pub(super) async fn an_alarm_is_told_once_to_each_and_over_to_who_was_told(store: Box<dyn Store>) {
    let ledger = store.timetable();
    let alarm = |level: &str| Alarm { level: level.to_owned(), due: at(9), text: "a text".to_owned() };
    let both = ["a".to_owned(), "b".to_owned()];
    let set = async |alarm: Option<Alarm>, now| ledger.set_alarm("x", alarm.as_ref(), &both, at(now)).await.unwrap();
    let due = async |now| {
        let due = ledger.due_notices(at(now), 9).await.unwrap();
        due.into_iter()
            .map(|notice| (notice.id, notice.channel, notice.alarm.level, notice.is_over))
            .collect::<Vec<_>>()
    };
    assert_eq!(set(None, 1).await, AlarmChange::None);
    assert_eq!(set(Some(alarm("soon")), 1).await, AlarmChange::Raised);
    assert_eq!(set(Some(alarm("soon")), 2).await, AlarmChange::None);
    assert_eq!(due(2).await.len(), 2);
    // What nobody was told yet gives way to what is worse.
    assert_eq!(set(Some(alarm("late")), 3).await, AlarmChange::Raised);
    let late = due(3).await;
    assert_eq!(
        late.iter().map(|row| (row.1.as_str(), row.2.as_str())).collect::<Vec<_>>(),
        [("a", "late"), ("b", "late")]
    );
    ledger.begin_notice(late[0].0).await.unwrap();
    ledger.conclude_notice(late[0].0, NoticeEnd::Again(at(50))).await.unwrap();
    assert_eq!(due(49).await.len(), 1);
    assert_eq!(due(50).await.len(), 2);
    assert_eq!(ledger.due_notices(at(50), 9).await.unwrap()[1].attempts, 1);
    assert_eq!(set(None, 60).await, AlarmChange::Cleared);
    let over = due(60).await;
    assert_eq!(over.iter().map(|row| (row.1.as_str(), row.3)).collect::<Vec<_>>(), [("a", true)]);
    let told = &ledger.due_notices(at(60), 9).await.unwrap()[0];
    assert_eq!((told.subject.as_str(), told.at, told.alarm.text.as_str()), ("x", at(60), "a text"));
    for end in [NoticeEnd::Sent, NoticeEnd::GivenUp] {
        ledger.conclude_notice(over[0].0, end).await.unwrap();
        assert_eq!(due(99).await, []);
    }
    assert_eq!(set(Some(alarm("late")), 61).await, AlarmChange::Raised);
}

pub(super) async fn who_is_told_of_files_may_have_heard_enough(store: Box<dyn Store>) {
    for name in ["a", "b", "c"] {
        claim(store.as_ref(), &format!("/inbox/{name}.xml")).await;
    }
    let mut told = 0;
    let tell = &mut |_| {
        told += 1;
        if told < 2 { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    };
    store.timetable().arrivals(&partner("etat"), None, at(0), tell).await.unwrap();
    assert_eq!(told, 2);
}
