//! Runs of refusals: calls, sockets and refreshes that gave nothing, sign-outs nobody asked for, stores that failed.

use super::{Incident, STRAGGLERS, Trigger, is_sign};
use crate::session::{Item, Kind, SECOND};

/// A run of refusals as a state machine: it opens at the first sign, takes what comes within the window, and closes when the
/// actor is well again on the channel that failed.
struct Run<'a> {
    items: &'a [Item],
    window: i64,
    lane: usize,
    open: Option<Incident>,
    /// A refresh gave a credential: what comes after the stragglers is another incident.
    refreshed: Option<usize>,
    done: Vec<Incident>,
}

pub(super) fn runs(items: &[Item], places: &[usize], lane: usize, window: i64) -> Vec<Incident> {
    let mut run = Run { items, window, lane, open: None, refreshed: None, done: Vec::new() };
    for place in places {
        run.step(*place);
    }
    run.close(None);
    run.done
}

impl Run<'_> {
    fn step(&mut self, place: usize) {
        let item = &self.items[place];
        if let Some(trigger) = is_sign(&item.kind) {
            self.sign(place, trigger);
            return;
        }
        let Some(open) = &self.open else { return };
        match &item.kind {
            Kind::SignIn => self.close(Some(place)),
            Kind::Refresh(refresh) if refresh.gave() => {
                self.refreshed.get_or_insert(place);
            }
            Kind::SocketAccepted if self.only(open, |kind| matches!(kind, Kind::SocketRefused)) => {
                self.close(Some(place))
            }
            Kind::Accepted { route } => {
                let same = open.signs.iter().any(
                    |sign| matches!(&self.items[*sign].kind, Kind::Unauthorized { route: failed, .. } if failed == route),
                );
                let http = self.only(open, |kind| matches!(kind, Kind::Unauthorized { .. }));
                if same && http && item.time > open.end + SECOND {
                    self.close(Some(self.refreshed.unwrap_or(place)));
                }
            }
            _ => {}
        }
    }

    fn only(&self, open: &Incident, is: impl Fn(&Kind) -> bool) -> bool {
        open.signs.iter().all(|sign| is(&self.items[*sign].kind))
    }

    fn sign(&mut self, place: usize, trigger: Trigger) {
        let time = self.items[place].time;
        let over = self.open.as_ref().is_some_and(|open| {
            time - open.end > self.window
                || self.refreshed.is_some_and(|refresh| time - self.items[refresh].ended > STRAGGLERS)
        });
        if over {
            let recovery = self.refreshed;
            self.close(recovery);
        }
        if let Some(open) = &mut self.open {
            open.signs.push(place);
            open.end = open.end.max(time);
        } else {
            let (start, end) = (time, time);
            self.open = Some(Incident { trigger, signs: vec![place], lane: self.lane, start, end, recovery: None });
        }
    }

    fn close(&mut self, recovery: Option<usize>) {
        if let Some(mut incident) = self.open.take() {
            incident.recovery = recovery.or(self.refreshed);
            self.done.push(incident);
        }
        self.refreshed = None;
    }
}
