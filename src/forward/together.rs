//! Several attempts at a time, none of which is cut off by another's end.

use std::any::Any;
use std::future::ready;
use std::panic::{AssertUnwindSafe, resume_unwind};
use std::sync::{Mutex, PoisonError};

use futures::stream::Stream;
use futures::{FutureExt as _, StreamExt as _};
use tokio_util::sync::CancellationToken;

use crate::ports::LedgerError;

/// What ended the work early.
enum End {
    Error(LedgerError),
    Panic(Box<dyn Any + Send>),
}

/// Works on what comes, so many at once. After the first error or panic nothing new begins (`stop` is told), and what is under
/// way ends as it would: a request that is cut off is one that the receiver may still be at when it is asked about it.
pub(super) async fn together<T, W>(
    due: impl Stream<Item = Result<T, LedgerError>>,
    (at_once, stop): (usize, &CancellationToken),
    work: impl Fn(T) -> W,
) -> Result<(), LedgerError>
where
    W: Future<Output = Result<(), LedgerError>>,
{
    let first = Mutex::new(None);
    due.take_while(|_| ready(is_none(&first)))
        .for_each_concurrent(at_once, |next| {
            let (first, work) = (&first, &work);
            async move {
                let end = match next {
                    // What an attempt worked on is read anew from the ledger.
                    Ok(item) => match AssertUnwindSafe(work(item)).catch_unwind().await {
                        Ok(Ok(())) => return,
                        Ok(Err(error)) => End::Error(error),
                        Err(panic) => End::Panic(panic),
                    },
                    Err(error) => End::Error(error),
                };
                first.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(end);
                stop.cancel();
            }
        })
        .await;
    match first.into_inner().unwrap_or_else(PoisonError::into_inner) {
        None => Ok(()),
        Some(End::Error(error)) => Err(error),
        Some(End::Panic(panic)) => resume_unwind(panic),
    }
}

fn is_none(first: &Mutex<Option<End>>) -> bool {
    first.lock().unwrap_or_else(PoisonError::into_inner).is_none()
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use futures::stream;

    use super::*;

    /// What was begun and ended when the third of ten, of which four go at once, comes to a bad end.
    async fn ended(bad: fn() -> Result<(), LedgerError>) -> (Result<Result<(), LedgerError>, ()>, Vec<u32>) {
        let (stop, ended) = (CancellationToken::new(), RefCell::new(Vec::new()));
        let work = |number: u32| {
            let ended = &ended;
            async move {
                if number == 3 {
                    return bad();
                }
                for _ in 0..number + 4 {
                    tokio::task::yield_now().await;
                }
                ended.borrow_mut().push(number);
                Ok(())
            }
        };
        let done = together(stream::iter((1..=10).map(Ok)), (4, &stop), work);
        let done = AssertUnwindSafe(done).catch_unwind().await.map_err(drop);
        assert!(stop.is_cancelled());
        (done, ended.into_inner())
    }

    #[tokio::test]
    async fn an_error_or_a_panic_lets_what_is_under_way_end_and_nothing_begin() {
        let (done, all) = ended(|| Err(LedgerError::Unavailable("full".to_owned()))).await;
        assert!(matches!(done, Ok(Err(LedgerError::Unavailable(_)))), "{done:?}");
        assert_eq!(all, [1, 2]);
        let (done, all) = ended(|| resume_unwind(Box::new("on purpose"))).await;
        assert!(done.is_err());
        assert_eq!(all, [1, 2]);
    }
}
