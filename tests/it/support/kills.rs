//! Where the process is killed, run after run: at every point, or at every different step.

use std::collections::BTreeSet;
use std::fs;

use futures::stream::{self, StreamExt as _};
use tokio::sync::Semaphore;

/// Where the process is killed in one run: what `kill_point` reads.
pub(crate) struct Kill(Vec<(&'static str, String)>);

impl Kill {
    fn at(place: String) -> Self {
        Self(vec![("SLUSE_KILL_AT", place)])
    }

    /// As variables of the process's environment.
    pub(crate) fn variables(&self) -> Vec<(&str, &str)> {
        self.0.iter().map(|(name, value)| (*name, value.as_str())).collect()
    }
}

/// Kills the process at its first kill point, at its second in a fresh folder, and so on until it lives to the end: `run`
/// tells whether it was killed. There must be so many points at least.
pub(crate) async fn at_every_point(fewest: usize, run: impl AsyncFn(Kill) -> Option<bool>) {
    // A run waits more than it computes, and knows nothing of the others.
    let runs = stream::iter(1_u64..).map(|point| one(&run, Kill::at(point.to_string()))).buffered(AT_ONCE);
    let killed = runs.take_while(|killed| std::future::ready(*killed == Some(true))).count().await;
    eprintln!("killed at {killed} points");
    assert!(killed >= fewest, "only {killed} kill points were passed");
}

/// The same from when a file was acknowledged to shortly after the last of these places, where it can be run at all. For what
/// arrives and is answered as in a case of `at_every_point`, and differs in between. Of many points only every so manyth is
/// one, and every different step beside.
pub(crate) async fn at_every_point_around(
    places: &[&str],
    stride: usize,
    fewest: usize,
    run: impl AsyncFn(Kill) -> Option<bool>,
) {
    let Some(passed) = passed(&run).await else { return };
    let first = passed.iter().position(|passed| passed == ACKNOWLEDGED).unwrap();
    let last = passed.iter().rposition(|passed| places.iter().any(|place| passed.starts_with(place))).unwrap();
    let points = (1..=last + AFTER - first).step_by(stride).map(|nth| format!("{ACKNOWLEDGED}+{nth}"));
    let beside = if stride > 1 { steps(&passed) } else { Vec::new() };
    at_each("points", points.chain(beside).collect(), fewest, run).await;
}

/// Kills the process once at every different step, from one kill point to the next, of a run that came through. For what
/// differs from a case of `at_every_point` in a few steps, not in how often each is taken.
pub(crate) async fn at_every_step(fewest: usize, run: impl AsyncFn(Kill) -> Option<bool>) {
    let Some(passed) = passed(&run).await else { return };
    at_each("steps", steps(&passed), fewest, run).await;
}

async fn at_each(what: &str, places: Vec<String>, fewest: usize, run: impl AsyncFn(Kill) -> Option<bool>) {
    let runs = stream::iter(&places).map(|place| one(&run, Kill::at(place.clone()))).buffer_unordered(AT_ONCE);
    let killed = runs.filter(|killed| std::future::ready(*killed == Some(true))).count().await;
    eprintln!("killed at {killed} of {} {what}", places.len());
    // What depends on which of two tasks comes first need not come again.
    assert!(killed >= fewest && killed * 2 >= places.len(), "killed at {killed} of {places:?}");
}

/// The places that a run passes which nobody kills; `None` where it cannot be run here.
async fn passed(run: &impl AsyncFn(Kill) -> Option<bool>) -> Option<Vec<String>> {
    let dir = tempfile::tempdir().unwrap();
    let log = dir.path().join("places");
    let killed = one(run, Kill(vec![("SLUSE_KILL_LOG", log.to_str().unwrap().to_owned())])).await?;
    assert!(!killed, "nobody was to kill it");
    Some(fs::read_to_string(&log).unwrap().lines().map(ToOwned::to_owned).collect())
}

/// One run, when there is room for it.
async fn one(run: &impl AsyncFn(Kill) -> Option<bool>, kill: Kill) -> Option<bool> {
    let _room = RUNS.acquire().await.unwrap();
    run(kill).await
}

/// The different steps, in their order; the first comes from nowhere.
fn steps(places: &[String]) -> Vec<String> {
    let (mut last, mut seen, mut steps) = ("", BTreeSet::new(), Vec::new());
    for place in places {
        let step = format!("{last}>{place}");
        if seen.insert(step.clone()) {
            steps.push(step);
        }
        last = place;
    }
    steps
}

/// Runs of a test that go on side by side.
const AT_ONCE: usize = 4;

/// Those of all tests together: more would wait for the processor, and grow old.
static RUNS: Semaphore = Semaphore::const_new(8);

/// What a server passes when it has answered CLOSE with OK.
const ACKNOWLEDGED: &str = "sftp.close.after";

/// Points after the last place that matters: the row that tells what it came to is among them.
const AFTER: usize = 8;
