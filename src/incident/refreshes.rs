//! Refreshes that repeat without need, and errors hidden under good ones.

use why401_parsers::event::TimeFrom;

use super::{Incident, Trigger};
use crate::session::{Item, Kind, MINUTE, Refresh};

/// So many refreshes in a row, each at most this long (microseconds) after the one before, are a storm: the shortest access
/// lifetime in practice is five minutes.
const STORM: (usize, i64) = (4, 4 * MINUTE);

/// Refreshes that follow one another faster than any credential runs out.
pub(super) fn storms(items: &[Item], places: &[usize], lane: usize) -> Vec<Incident> {
    let (count, gap) = STORM;
    let refreshes: Vec<usize> = places
        .iter()
        .copied()
        .filter(|place| items[*place].timed != TimeFrom::Order)
        .filter(|place| matches!(&items[*place].kind, Kind::Refresh(refresh) if refresh.gave()))
        .collect();
    let mut found = Vec::new();
    let mut run: Vec<usize> = Vec::new();
    let mut flush = |run: &mut Vec<usize>| {
        if run.len() >= count {
            let (start, end) = (items[run[0]].time, items[run[run.len() - 1]].time);
            found.push(Incident {
                trigger: Trigger::RefreshStorm,
                signs: run.clone(),
                lane,
                start,
                end,
                recovery: None,
            });
        }
        run.clear();
    };
    for place in refreshes {
        if run.last().is_some_and(|last| items[place].time - items[*last].time > gap) {
            flush(&mut run);
        }
        run.push(place);
    }
    flush(&mut run);
    found
}

/// Errors logged under refreshes that answered well: one finding for the actor, whatever their number.
pub(super) fn hidden_errors(items: &[Item], places: &[usize], lane: usize) -> Vec<Incident> {
    let signs: Vec<usize> = places
        .iter()
        .copied()
        .filter(|place| matches!(&items[*place].kind, Kind::Refresh(Refresh::Swallowed(_))))
        .collect();
    let (Some(first), Some(last)) = (signs.first(), signs.last()) else { return Vec::new() };
    let (start, end) = (items[*first].time, items[*last].time);
    vec![Incident { trigger: Trigger::HiddenError, signs, lane, start, end, recovery: None }]
}
