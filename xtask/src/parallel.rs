//! The same work on several things at once.

use anyhow::Result;

use crate::fail::broken;

/// Works on every item at the same time, and returns the results in their order.
pub fn each<I: Sync, T: Send>(
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

/// Two different things at once.
///
/// # Errors
/// The first one's error, else the second one's.
pub fn both<A: Send, B: Send>(
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
