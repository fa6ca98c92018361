//! The same work on several things at the same time.

use anyhow::Result;

use crate::fail::broken;

/// Works on every item at the same time, and returns the results in their order.
pub(crate) fn each<I: Sync, T: Send>(
    items: &[I],
    work: impl Fn(&I) -> Result<T> + Sync,
) -> Vec<Result<T>> {
    std::thread::scope(|scope| {
        let threads: Vec<_> = items
            .iter()
            .map(|item| scope.spawn(|| work(item)))
            .collect();
        threads
            .into_iter()
            .map(|thread| {
                let panicked = || Err(broken("a thread ended early").into());
                thread.join().unwrap_or_else(|_| panicked())
            })
            .collect()
    })
}

/// Does two different things at the same time.
pub(crate) fn both<A: Send, B: Send>(
    first: impl FnOnce() -> Result<A> + Send,
    second: impl FnOnce() -> Result<B>,
) -> Result<(A, B)> {
    std::thread::scope(|scope| {
        let first = scope.spawn(first);
        let second = second();
        let first = first
            .join()
            .unwrap_or_else(|_| Err(broken("a thread ended early").into()))?;
        Ok((first, second?))
    })
}

/// Works on every item, as many at once as the machine has processors, and takes the
/// results in their order as they come; only a few are held at a time.
pub(crate) fn ordered<I: Sync, T: Send>(
    items: &[I],
    work: impl Fn(&I) -> T + Sync,
    mut take: impl FnMut(T) -> Result<()>,
) -> Result<()> {
    let workers = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let work = &work;
    std::thread::scope(|scope| {
        // With N workers each takes every Nth item, and waits where it is far ahead.
        let results: Vec<_> = (0..workers.min(items.len()))
            .map(|first| {
                let (send, receive) = std::sync::mpsc::sync_channel(16);
                scope.spawn(move || {
                    let own = items.iter().skip(first).step_by(workers);
                    // The receiver is gone once the work was ended.
                    own.map(work).all(|result| send.send(result).is_ok())
                });
                receive
            })
            .collect();
        for i in 0..items.len() {
            let result = results[i % workers].recv();
            take(result.map_err(|_| broken("a thread ended early"))?)?;
        }
        Ok(())
    })
}
