//! A client that waits for itself: calls that were begun and never ended, and then nothing while the app is in front.
//!
//! The usual way to it: an interceptor that holds all calls while it refreshes, and sends the refresh through itself.

use super::{Incident, STRAGGLERS, Trigger, is_sign};
use crate::session::{Item, Kind, MINUTE};

/// Nothing for so long (microseconds) is no slow answer: Dio's usual limits are 15 to 60 s, and past them it says so.
pub(crate) const SILENCE: i64 = 2 * MINUTE;

/// So many calls were answered before, or nothing can be said of how this app's calls end.
const LEAST_CALLS: usize = 3;

pub(super) fn standstills(items: &[Item], places: &[usize], lane: usize) -> Vec<Incident> {
    let mut answered = 0;
    let mut refused_at = i64::MIN / 2;
    for (at, place) in places.iter().enumerate() {
        let item = &items[*place];
        if is_sign(&item.kind).is_some() {
            refused_at = item.time;
        }
        match &item.kind {
            Kind::Accepted { .. } => answered += 1,
            // After a refusal it is part of that incident.
            Kind::Unended
                if answered >= LEAST_CALLS
                    && item.time - refused_at > STRAGGLERS
                    && silent_after(places[at + 1..].iter().map(|place| &items[*place]), item.time) =>
            {
                let (start, end) = (item.time, item.time);
                let trigger = Trigger::Standstill;
                // One is the whole of it: nothing goes on after it.
                return vec![Incident { trigger, signs: vec![*place], lane, start, end, recovery: None }];
            }
            _ => {}
        }
    }
    Vec::new()
}

/// Whether nothing was answered, refused or failed for [`SILENCE`] after `time`, though the app was not put away and had a network, and
/// something later shows that its trace goes on.
pub(crate) fn silent_after<'a>(mut later: impl Iterator<Item = &'a Item>, time: i64) -> bool {
    later.find(|item| !matches!(item.kind, Kind::Unended | Kind::RefreshDue(_))).is_some_and(|next| {
        next.time - time >= SILENCE && !matches!(next.kind, Kind::Paused | Kind::NetworkDown | Kind::NoAnswer(_))
    })
}
