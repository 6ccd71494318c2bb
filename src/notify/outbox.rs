//! Messages on their way to a receiver: in their order, each until it is taken.

use std::collections::VecDeque;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver as Arrivals, RecvTimeoutError, Sender, unbounded};

use super::{Failure, Message, Receiver, Spool};
use crate::watch::Event;

/// How long is waited between two tries.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// After the first failure; it doubles with each.
    pub first: Duration,
    /// At most.
    pub most: Duration,
}

impl Default for Patience {
    /// A restart of the receiver is over within some seconds; somebody who is down for an hour need not be asked more than once
    /// a minute.
    fn default() -> Self {
        Self { first: Duration::from_millis(500), most: Duration::from_secs(60) }
    }
}

/// Hands messages to one receiver.
pub struct Outbox {
    to_thread: Option<Sender<Message>>,
    thread: Option<JoinHandle<usize>>,
    spool: Option<Spool>,
    next: u64,
}

impl Outbox {
    /// Begins with what an earlier watch left in the spool. What is wrong with the receiver is said to `trouble`.
    #[must_use]
    pub fn begin(
        receiver: Box<dyn Receiver>,
        spool: Option<(Spool, Vec<Message>)>,
        patience: Patience,
        trouble: Sender<String>,
    ) -> Self {
        let (to_thread, arrivals) = unbounded();
        let (spool, left) = spool.map_or((None, Vec::new()), |(spool, left)| (Some(spool), left));
        let next = left.last().map_or(0, |message| message.number + 1);
        let in_thread = spool.clone();
        let thread = thread::spawn(move || {
            Delivery { receiver, spool: in_thread, patience, trouble }.run(left.into(), &arrivals)
        });
        Self { to_thread: Some(to_thread), thread: Some(thread), spool, next }
    }

    /// Takes an event over. It does not wait for the receiver.
    ///
    /// # Errors
    /// The spool cannot be written; the event is sent all the same, and lost if the watch is killed before.
    pub fn push(&mut self, event: Event) -> Result<(), crate::atomic::WriteError> {
        let message = Message { number: self.next, event };
        self.next += 1;
        let kept = self.spool.as_ref().map_or(Ok(()), |spool| spool.keep(&message));
        if let Some(to_thread) = &self.to_thread {
            // The thread ends after this is dropped.
            let _ = to_thread.send(message);
        }
        kept
    }

    /// Ends, and says how many messages could not be delivered. What waits is tried for a moment more.
    #[must_use]
    pub fn close(mut self) -> usize {
        self.to_thread = None;
        self.thread.take().and_then(|thread| thread.join().ok()).unwrap_or(0)
    }
}

/// A receiver that wants to be left alone for longer is asked again after this time: what waits is news.
const LONGEST_TOLD: Duration = Duration::from_secs(5 * 60);

/// For so long what is left is tried when the watch ends.
const FAREWELL: Duration = Duration::from_secs(5);

struct Delivery {
    receiver: Box<dyn Receiver>,
    spool: Option<Spool>,
    patience: Patience,
    trouble: Sender<String>,
}

impl Delivery {
    fn run(&self, mut waiting: VecDeque<Message>, arrivals: &Arrivals<Message>) -> usize {
        let mut failures = 0_u32;
        let mut not_before = Instant::now();
        let mut last_try: Option<Instant> = None;
        loop {
            let pause = if waiting.is_empty() {
                Duration::from_secs(3600)
            } else {
                not_before - Instant::now().min(not_before)
            };
            if last_try.is_some() {
                thread::sleep(pause.min(Duration::from_millis(200)));
            } else {
                match arrivals.recv_timeout(pause) {
                    Ok(message) => waiting.push_back(message),
                    Err(RecvTimeoutError::Timeout) => {}
                    Err(RecvTimeoutError::Disconnected) => last_try = Some(Instant::now() + FAREWELL),
                }
            }
            waiting.extend(arrivals.try_iter());
            if last_try.is_some_and(|last| waiting.is_empty() || Instant::now() >= last) {
                return waiting.len();
            }
            if Instant::now() < not_before {
                continue;
            }
            let Some(message) = waiting.front() else { continue };
            match self.receiver.take(message) {
                Ok(()) => {
                    failures = 0;
                    self.done(&mut waiting, Spool::taken);
                }
                Err(Failure::Never(why)) => {
                    self.say(format!("{} refuses {}: {why}; it is put aside", self.receiver.name(), message.event.key));
                    failures = 0;
                    self.done(&mut waiting, Spool::refused);
                }
                Err(Failure::Later { why, not_before: told }) => {
                    if failures == 0 {
                        self.say(format!("{} does not take messages: {why}; it is tried again", self.receiver.name()));
                    }
                    failures += 1;
                    // The receiver knows best when it can take more, within limits.
                    let told = told.map(|told| told.min(LONGEST_TOLD));
                    not_before = Instant::now() + self.pause(failures).max(told.unwrap_or_default());
                }
            }
        }
    }

    fn say(&self, text: String) {
        // Whoever listens may be gone when the watch ends; nobody is to be told then.
        let _ = self.trouble.send(text);
    }

    fn done(&self, waiting: &mut VecDeque<Message>, with: fn(&Spool, &Message)) {
        if let (Some(message), Some(spool)) = (waiting.pop_front(), &self.spool) {
            with(spool, &message);
        }
    }

    /// Twice as long after each failure, and not for all watches at the same moment.
    fn pause(&self, failures: u32) -> Duration {
        let doubled = self.patience.first.saturating_mul(1 << failures.saturating_sub(1).min(16));
        let most = doubled.min(self.patience.most);
        let mut chance = [0_u8];
        // Without chance the pause is just as long as it is.
        let _ = getrandom::fill(&mut chance);
        most / 2 + most / 2 * u32::from(chance[0]) / 255
    }
}
