//! Sign-ins without a reason.

use super::{Incident, STRAGGLERS, Trigger, is_sign};
use crate::session::{Item, Kind};

/// A sign-in on a device whose session was alive, with nothing before it that would explain it.
pub(super) fn again(items: &[Item], places: &[usize], lane: usize) -> Vec<Incident> {
    let mut found = Vec::new();
    let mut alive: Option<usize> = None;
    let mut explained = false;
    let mut refused_at = i64::MIN / 2;
    for place in places {
        let item = &items[*place];
        if is_sign(&item.kind).is_some() {
            refused_at = item.time;
        }
        match &item.kind {
            Kind::SignIn => {
                if alive.is_some() && !explained {
                    let (start, end) = (item.time, item.ended);
                    let signs = vec![*place];
                    found.push(Incident {
                        trigger: Trigger::SignInAgain,
                        signs,
                        lane,
                        start,
                        end,
                        recovery: Some(*place),
                    });
                }
                (alive, explained) = (Some(*place), false);
            }
            Kind::SignOut | Kind::Revoke => (alive, explained) = (None, true),
            kind if is_sign(kind).is_some() => explained = true,
            Kind::Accepted { .. } | Kind::SocketAccepted | Kind::Refresh(_) => {
                // What is accepted right after a refusal was under way: the refusal still explains the sign-in.
                let under_way = item.time - refused_at <= STRAGGLERS;
                (alive, explained) = (Some(*place), explained && under_way);
            }
            _ => {}
        }
    }
    found
}
