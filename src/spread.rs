//! Work that is done for each of many, on all cores, with the results in order: the same for any number of threads.

use std::ops::Range;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::{self, ScopedJoinHandle};

/// How many threads work.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Crew(usize);

/// Fewer items than this are done sooner than a thread has begun.
const LEAST: usize = 64;

/// Each thread takes this part of a fair share at a time, so that none waits long for the others.
const SHARES: usize = 16;

impl Crew {
    /// One thread a core.
    pub(crate) fn all() -> Self {
        Self::of(None)
    }

    /// So many threads, or one a core.
    pub(crate) fn of(threads: Option<usize>) -> Self {
        Self(threads.unwrap_or_else(|| thread::available_parallelism().map_or(1, usize::from)).max(1))
    }

    /// How many threads work.
    pub(crate) const fn threads(self) -> usize {
        self.0
    }

    /// Does `work` for each item.
    pub(crate) fn each<T: Sync, R: Send>(self, items: &[T], work: impl Fn(&T) -> R + Sync) -> Vec<R> {
        if self.0 == 1 || items.len() < LEAST {
            return items.iter().map(work).collect();
        }
        let share = items.len().div_ceil(self.0 * SHARES);
        let next = AtomicUsize::new(0);
        let take = || {
            let mut done = Vec::new();
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                let Some(mine) = items.chunks(share).nth(number) else { return done };
                done.push((number, mine.iter().map(&work).collect::<Vec<R>>()));
            }
        };
        let mut done = thread::scope(|scope| {
            let others: Vec<_> = (1..self.0).map(|_| scope.spawn(take)).collect();
            let mut done = take();
            for other in others {
                done.extend(result(other));
            }
            done
        });
        done.sort_unstable_by_key(|(number, _)| *number);
        done.into_iter().flat_map(|(_, results)| results).collect()
    }

    /// Does `work` for as many parts of so many items as there are threads, and gives the results in their order.
    pub(crate) fn split<R: Send>(self, count: usize, work: impl Fn(Range<usize>) -> R + Sync) -> Vec<R> {
        let length = count.div_ceil(self.0).max(LEAST);
        let mut parts = (0..count).step_by(length).map(|from| from..(from + length).min(count));
        let first = parts.next().unwrap_or_default();
        thread::scope(|scope| {
            let others: Vec<_> = parts.map(|part| scope.spawn(|| work(part))).collect();
            let mut done = vec![work(first)];
            done.extend(others.into_iter().map(result));
            done
        })
    }

    /// Lets go of something large while others go on: freeing millions of pieces takes a while, and nobody need wait for it.
    pub(crate) fn let_go<T: Send + 'static>(self, thing: T) {
        if self.0 > 1 {
            // Where no thread is to be had, it is freed here.
            let _ = thread::Builder::new().spawn(move || drop(thing));
        }
    }

    /// Does two things.
    pub(crate) fn both<A: Send, B>(self, one: impl FnOnce() -> A + Send, other: impl FnOnce() -> B) -> (A, B) {
        if self.0 == 1 {
            return (one(), other());
        }
        thread::scope(|scope| {
            let one = scope.spawn(one);
            let other = other();
            (result(one), other)
        })
    }
}

/// What a thread came to. It panics with what the thread did.
fn result<R>(thread: ScopedJoinHandle<'_, R>) -> R {
    thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_are_in_the_order_of_the_items() {
        for (threads, count) in [(1, 1000), (2, 0), (2, 3), (2, 64), (3, 1000), (8, 777)] {
            let items: Vec<usize> = (0..count).collect();
            let crew = Crew::of(Some(threads));
            assert_eq!(crew.each(&items, |item| item * 2), (0..count).map(|item| item * 2).collect::<Vec<_>>());
            assert_eq!(crew.both(|| 1, || 2), (1, 2));
            assert_eq!(crew.split(count, |part| items[part].to_vec()).concat(), items);
        }
    }
}
