//! How fast the engine alone judges a file: `SLUSE_BENCH_SCHEMA=x.xsd SLUSE_BENCH_FILE=y.xml cargo bench --bench validate`.
//! With `SLUSE_BENCH_ROUNDS=1` it judges the file once, watching nothing, so that instructions can be counted.
#![expect(clippy::print_stdout, reason = "the figures are what it is for")]

use std::fs::File;
use std::io::Read;
use std::ops::Range;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use sluse::xsd::{
    Finding, Limits, Observer, Plan, Schema, SchemaDocument, Sharing, Spot, Validator, Watch, WatchKind, validate,
};
use std::error::Error;

/// Counts what it hears.
#[derive(Default)]
struct Counter {
    items: u64,
    values: u64,
    findings: u64,
}

impl Observer for Counter {
    fn open(&mut self, _: usize, _: Spot<'_, '_>) {
        self.items += 1;
    }

    fn value(&mut self, _: usize, _: &str, _: bool, _: Range<u64>, _: Spot<'_, '_>) {
        self.values += 1;
    }

    fn finding(&mut self, finding: Finding) {
        if self.findings == 0 {
            eprintln!("{finding:?}");
        }
        self.findings += 1;
    }
}

/// What a prefill batch is split by.
const WATCHES: [Watch; 6] = [
    Watch { path: "/ServiceOwner/Prefill/Reportee", kind: WatchKind::Element },
    Watch { path: "/ServiceOwner/Prefill/Reportee/Id", kind: WatchKind::Value },
    Watch { path: "/ServiceOwner/Prefill/Reportee/FormTask", kind: WatchKind::Element },
    Watch { path: "/ServiceOwner/Prefill/Reportee/FormTask/SendersReference", kind: WatchKind::Value },
    Watch { path: "/ServiceOwner/Prefill/Reportee/FormTask/ExternalServiceCode", kind: WatchKind::Value },
    Watch { path: "/ServiceOwner/Prefill/Reportee/Field", kind: WatchKind::Element },
];
type Round = fn(&Plan, &PathBuf, &mut Counter) -> Result<f64, Box<dyn Error>>;
const ROUNDS: usize = 5;
const READ_BYTES: usize = 256 << 10;

fn main() -> Result<(), Box<dyn Error>> {
    let (Some(schema), Some(file)) = (path("SLUSE_BENCH_SCHEMA"), path("SLUSE_BENCH_FILE")) else {
        println!("nothing to do: SLUSE_BENCH_SCHEMA and SLUSE_BENCH_FILE name no files");
        return Ok(());
    };
    let documents: Vec<(String, Vec<u8>)> = std::env::split_paths(&schema)
        .map(|path| Ok((path.file_name().unwrap_or_default().to_string_lossy().into_owned(), std::fs::read(&path)?)))
        .collect::<Result<_, std::io::Error>>()?;
    let documents: Vec<_> = documents.iter().map(|(name, bytes)| SchemaDocument { name, bytes }).collect();
    let schema = Arc::new(Schema::compile(&documents)?);
    let rounds = std::env::var("SLUSE_BENCH_ROUNDS").map_or(Ok(ROUNDS), |rounds| rounds.parse())?;
    let ways: [(&str, &[Watch], Round); 3] = [
        ("validate", &[], round),
        ("validate and watch", &WATCHES, round),
        ("validate on all cores", &[], shared_round),
    ];
    // One round is for counting instructions.
    for (name, watches, round) in ways.into_iter().take(if rounds == 1 { 1 } else { ROUNDS }) {
        let Ok(plan) = Plan::new(Arc::clone(&schema), watches) else { continue };
        let mut speeds = Vec::new();
        let mut heard = Counter::default();
        for _ in 0..rounds {
            heard = Counter::default();
            speeds.push(round(&plan, &file, &mut heard)?);
        }
        speeds.sort_by(f64::total_cmp);
        let [slowest, median, best] = [0, rounds / 2, rounds - 1].map(|at| speeds.get(at).copied().unwrap_or_default());
        println!(
            "{name}: {median:.0} MB/s (from {slowest:.0} to {best:.0}), {} opened, {} findings",
            heard.items, heard.findings
        );
    }
    Ok(())
}

/// One pass over the file by all cores.
fn shared_round(plan: &Plan, file: &PathBuf, heard: &mut Counter) -> Result<f64, Box<dyn Error>> {
    let source = File::open(file)?;
    let total = source.metadata()?.len();
    let start = Instant::now();
    validate(plan, &Limits::default(), &source, &Sharing::default(), heard)?;
    Ok(total as f64 / start.elapsed().as_secs_f64() / 1e6)
}

fn path(variable: &str) -> Option<PathBuf> {
    std::env::var_os(variable).map(PathBuf::from)
}

/// One pass over the file, in megabytes a second.
fn round(plan: &Plan, file: &PathBuf, heard: &mut Counter) -> Result<f64, Box<dyn Error>> {
    let mut source = File::open(file)?;
    let mut buffer = vec![0; READ_BYTES];
    let mut validator = Validator::new(plan, Limits::default());
    let mut total = 0;
    let start = Instant::now();
    loop {
        let len = source.read(&mut buffer)?;
        if len == 0 {
            break;
        }
        total += len;
        validator.feed(buffer.get(..len).unwrap_or_default(), heard);
    }
    validator.finish(heard);
    Ok(total as f64 / start.elapsed().as_secs_f64() / 1e6)
}
