//! All groups, on every core; a group that never ends is named.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::Duration;

use super::archive::{Archive, Group};
use super::outcome::{self, GroupOutcome};

/// How long nothing at all may be answered before the run is given up.
const SILENCE: Duration = Duration::from_secs(300);

/// The outcomes in the order of the groups.
pub(super) fn run(archive: &Archive, groups: &[Group]) -> Vec<GroupOutcome> {
    let workers = thread::available_parallelism().map_or(1, usize::from);
    let next = AtomicUsize::new(0);
    let under_way = Mutex::new(vec![String::new(); workers]);
    let (tell, told) = channel();
    thread::scope(|scope| {
        for worker in 0..workers {
            let (next, under_way, tell) = (&next, &under_way, tell.clone());
            scope.spawn(move || {
                while let Some((index, group)) = take(next, groups) {
                    under_way.lock().unwrap()[worker].clone_from(&group.name);
                    // A thread of its own, by its name: an overflow of the stack says where it was.
                    let named = thread::Builder::new().name(group.name.clone());
                    let outcome = thread::scope(|scope| {
                        let running = named.spawn_scoped(scope, || outcome::of(archive, group));
                        running.expect("a thread").join().expect("panics are caught inside")
                    });
                    tell.send((index, outcome)).expect("the run waits for it");
                }
            });
        }
        drop(tell);
        gather(&told, groups.len(), &under_way)
    })
}

fn take<'g>(next: &AtomicUsize, groups: &'g [Group]) -> Option<(usize, &'g Group)> {
    let index = next.fetch_add(1, Ordering::Relaxed);
    groups.get(index).map(|group| (index, group))
}

fn gather(told: &Receiver<(usize, GroupOutcome)>, count: usize, under_way: &Mutex<Vec<String>>) -> Vec<GroupOutcome> {
    let mut outcomes = vec![None; count];
    loop {
        match told.recv_timeout(SILENCE) {
            Ok((index, outcome)) => outcomes[index] = Some(outcome),
            Err(RecvTimeoutError::Disconnected) => break,
            Err(RecvTimeoutError::Timeout) => {
                // Its thread cannot be stopped, so the program is.
                eprintln!("the engine does not come back from one of {:?}", under_way.lock().unwrap());
                std::process::abort();
            }
        }
    }
    outcomes.into_iter().map(|outcome| outcome.expect("every group was answered")).collect()
}
