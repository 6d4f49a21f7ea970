//! How far a file has been read, shown on standard error while it is.

use std::cell::{Cell, RefCell};
use std::io::{self, Read, Seek, SeekFrom, Write as _};
use std::time::{Duration, Instant};

/// How far the file at hand has been read.
pub(super) struct Progress {
    /// Somebody looks.
    shown: bool,
    name: RefCell<String>,
    total: Cell<Option<u64>>,
    done: Cell<u64>,
    begun: Cell<Instant>,
    drawn: Cell<Instant>,
    /// The bar stands on the terminal's last line.
    standing: Cell<bool>,
}

impl Progress {
    pub(super) fn new(shown: bool) -> Self {
        let now = Instant::now();
        Self {
            shown,
            name: RefCell::new(String::new()),
            total: Cell::new(None),
            done: Cell::new(0),
            begun: Cell::new(now),
            drawn: Cell::new(now),
            standing: Cell::new(false),
        }
    }

    /// Begins with a file of so many bytes as it lies on disk.
    pub(super) fn begin(&self, name: &str, total: Option<u64>) {
        name.clone_into(&mut self.name.borrow_mut());
        self.total.set(total);
        self.done.set(0);
        let now = Instant::now();
        self.begun.set(now);
        self.drawn.set(now);
    }

    /// Bytes read of the file as it lies on disk.
    pub(super) fn done(&self) -> u64 {
        self.done.get()
    }

    /// Takes note of bytes read.
    pub(super) fn advance(&self, bytes: u64) {
        self.done.set(self.done.get() + bytes);
        if self.shown && self.drawn.get().elapsed() > BETWEEN_DRAWINGS {
            self.drawn.set(Instant::now());
            self.standing.set(true);
            let line = line(&self.name.borrow(), self.done.get(), self.total.get(), self.begun.get().elapsed());
            // A terminal that is gone is no reason to stop judging.
            let _ = write!(io::stderr(), "\r\x1b[K{line}");
        }
    }

    /// Takes the bar away, for other lines to be printed.
    pub(super) fn clear(&self) {
        if self.standing.take() {
            let _ = write!(io::stderr(), "\r\x1b[K");
        }
    }
}

/// A source whose reading is progress.
pub(super) struct Counted<'p, R> {
    inner: R,
    progress: &'p Progress,
}

impl<'p, R> Counted<'p, R> {
    pub(super) fn new(inner: R, progress: &'p Progress) -> Self {
        Self { inner, progress }
    }
}

impl<R: Read> Read for Counted<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.progress.advance(count as u64);
        Ok(count)
    }
}

impl<R: Seek> Seek for Counted<'_, R> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.inner.seek(to)
    }
}

fn line(name: &str, done: u64, total: Option<u64>, elapsed: Duration) -> String {
    let short: String = name.chars().rev().take(NAME_CHARACTERS).collect::<Vec<_>>().into_iter().rev().collect();
    let per_second = done as f64 / elapsed.as_secs_f64().max(0.001);
    let rate = per_second / 1e6;
    let Some(total) = total.filter(|total| *total > 0) else {
        return format!("{short}  {} MB  {rate:.0} MB/s", done / 1_000_000);
    };
    let share = (done as f64 / total as f64).min(1.0);
    let full = (share * BAR as f64) as usize;
    let left = (total.saturating_sub(done) as f64 / per_second.max(1.0)).ceil() as u64;
    let (percent, bar, rest) = (share * 100.0, "#".repeat(full), ".".repeat(BAR - full));
    format!("{short}  [{bar}{rest}] {percent:3.0} %  {rate:.0} MB/s  {}:{:02} left", left / 60, left % 60)
}

const BETWEEN_DRAWINGS: Duration = Duration::from_millis(200);
/// A line fits 80 columns: one that breaks could not be taken away.
const NAME_CHARACTERS: usize = 24;
const BAR: usize = 16;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_tells_share_rate_and_time_left() {
        let ten = Duration::from_secs(10);
        let half = line("a.xml", 500_000_000, Some(1_000_000_000), ten);
        assert_eq!(half, "a.xml  [########........]  50 %  50 MB/s  0:10 left");
        assert_eq!(line("a.xml", 8_000_000_000, Some(8_000_000_000), ten).matches('#').count(), BAR);
        assert!(line("a.xml", 9, Some(8), ten).contains("100 %"), "a file that grows");
        assert_eq!(line("-", 500_000_000, None, ten), "-  500 MB  50 MB/s");
    }
}
