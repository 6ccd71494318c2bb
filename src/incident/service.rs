//! What hits a whole service: restarts, and addresses that attack it.

use std::collections::BTreeMap;

use why401_parsers::event::{Event, Name, TimeFrom, What};
use why401_parsers::record::Process;

use crate::actor::{Identified, Key};
use crate::session::{Kind, MINUTE, Timeline};

/// A restart of the server.
#[derive(Clone, Debug)]
pub struct Restart {
    /// When it was told to stop or was last heard of, microseconds.
    pub start: i64,
    /// When it was up again.
    pub end: i64,
    /// It stopped in order.
    pub orderly: bool,
    /// The event that shows the start-up.
    pub boot: usize,
    /// The event that shows the stop.
    pub stop: Option<usize>,
    /// Who lost a socket by it.
    pub cut: Vec<Key>,
}

/// An address that only ever failed.
#[derive(Clone, Debug)]
pub struct Attack {
    /// The address.
    pub address: Name,
    /// First and last attempt, microseconds.
    pub start: i64,
    /// See `start`.
    pub end: i64,
    /// Sign-ins that failed.
    pub sign_ins: Vec<usize>,
    /// Calls and refreshes with a token that nobody issued.
    pub tokens: Vec<usize>,
    /// Sockets that were refused.
    pub sockets: usize,
    /// Any item that proves it: source and line.
    pub lines: Vec<(u32, u64, i64)>,
}

/// Boots within this time (microseconds) are one restart: phases, workers, a second try.
const ONE_RESTART: i64 = 3 * MINUTE;

/// A stop belongs to a boot that follows within this time (microseconds).
const STOP_TO_BOOT: i64 = 15 * MINUTE;

/// People who mistype a password give up or get in after fewer tries than this.
const FEWEST_SIGN_INS: usize = 6;

/// A leftover of an old session tries a few times; nobody tries a token that never worked so often.
const FEWEST_TOKENS: usize = 5;

/// Finds restarts: start-ups after the service had already been heard of.
#[must_use]
pub fn restarts(identified: &Identified) -> Vec<Restart> {
    let events = &identified.events;
    let mut found: Vec<Restart> = Vec::new();
    let mut heard = false;
    let mut last_heard = 0;
    let mut stop: Option<usize> = None;
    for (place, event) in events.iter().enumerate() {
        match event.what {
            What::Process(Process::Boot) => {
                if !heard {
                    continue;
                }
                if let Some(last) = found.last_mut().filter(|last| event.time - last.end < ONE_RESTART) {
                    last.end = event.time;
                    continue;
                }
                let stopped = stop.filter(|stop| event.time - events[*stop].time < STOP_TO_BOOT);
                found.push(Restart {
                    start: stopped.map_or(last_heard, |stop| events[stop].time),
                    end: event.time,
                    orderly: stopped.is_some(),
                    boot: place,
                    stop: stopped,
                    cut: Vec::new(),
                });
                stop = None;
            }
            What::Process(Process::Stopping) => stop = Some(place),
            _ if is_life(event) => {
                heard = true;
                last_heard = event.time;
            }
            _ => {}
        }
    }
    // Start-up lines have no time of their own as a rule: the server was up when it first answered again.
    for restart in &mut found {
        if events[restart.boot].timed != TimeFrom::Line {
            let answered =
                events.iter().skip(restart.boot + 1).find(|event| is_life(event) && event.time > restart.end);
            restart.end = answered.map_or(restart.end, |event| event.time);
        }
    }
    for (key, actor) in &identified.actors {
        for attempt in actor.sockets.iter().filter(|attempt| attempt.cut_by_restart) {
            let Some(at) = attempt.closed else { continue };
            if let Some(restart) =
                found.iter_mut().find(|restart| (restart.start - MINUTE..=restart.end + ONE_RESTART).contains(&at))
                && !restart.cut.contains(key)
            {
                restart.cut.push(*key);
            }
        }
    }
    found
}

/// A sign that the server was serving somebody.
fn is_life(event: &Event) -> bool {
    match &event.what {
        What::Request(request) => request.side == why401_parsers::record::Side::Server && request.status.is_some(),
        What::Socket(_) => true,
        _ => false,
    }
}

/// Finds addresses from which nothing ever succeeded and more was tried than a person would.
#[must_use]
pub fn attacks(timelines: &BTreeMap<Key, Timeline>) -> Vec<Attack> {
    let mut found = Vec::new();
    for (key, timeline) in timelines {
        let Key::Address(address) = key else { continue };
        let succeeded = timeline.items.iter().any(|item| {
            matches!(&item.kind, Kind::SignIn | Kind::SocketAccepted | Kind::SignedIn)
                || matches!(&item.kind, Kind::Refresh(refresh) if refresh.gave())
        });
        let of = |is: &dyn Fn(&Kind) -> bool| -> Vec<usize> {
            (0..timeline.items.len()).filter(|place| is(&timeline.items[*place].kind)).collect()
        };
        let sign_ins = of(&|kind| matches!(kind, Kind::FailedSignIn));
        let tokens = of(&|kind| {
            matches!(kind, Kind::Unauthorized { .. })
                || matches!(kind, Kind::Refresh(crate::session::Refresh::Refused(_)))
        });
        let sockets = of(&|kind| matches!(kind, Kind::SocketRefused));
        let enough = sign_ins.len() >= FEWEST_SIGN_INS || tokens.len() + sockets.len() >= FEWEST_TOKENS;
        if succeeded || !enough {
            continue;
        }
        let mut all: Vec<usize> = [sign_ins.as_slice(), tokens.as_slice(), sockets.as_slice()].concat();
        all.sort_unstable();
        let item = |place: &usize| &timeline.items[*place];
        found.push(Attack {
            address: *address,
            start: all.first().map_or(0, |place| item(place).time),
            end: all.last().map_or(0, |place| item(place).time),
            lines: all.iter().map(|place| (item(place).source, item(place).line, item(place).time)).collect(),
            sign_ins,
            tokens,
            sockets: sockets.len(),
        });
    }
    found
}
