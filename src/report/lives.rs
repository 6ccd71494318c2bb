//! How long credentials live, platform by platform, against practice, and when that was changed.

use super::place::Placed;
use super::rfc3339;
use crate::cause::case::span;
use crate::diagnosis::LifetimeFinding;
use crate::session::SECOND;
use crate::session::habit::Habit;
use crate::session::lifetime::Lifetime;

/// Practice for a platform's tokens, in seconds: access, refresh (see `why401 explain lifetime_expiry`).
#[derive(Clone, Copy)]
struct Practice {
    access: (i64, i64),
    refresh: (i64, i64),
}

const DAY: i64 = 86_400;

/// Mobile apps: access tokens of 15 to 60 minutes, refresh tokens of 30 to 90 days.
pub(super) const MOBILE_ACCESS: (i64, i64) = (15 * 60, 60 * 60);

fn practice(platform: &str) -> Practice {
    match platform {
        "mobile" => Practice { access: MOBILE_ACCESS, refresh: (30 * DAY, 90 * DAY) },
        "web" => Practice { access: (60 * 60, 24 * 60 * 60), refresh: (7 * DAY, 30 * DAY) },
        // Either may be meant.
        _ => Practice { access: (MOBILE_ACCESS.0, 24 * 60 * 60), refresh: (7 * DAY, 90 * DAY) },
    }
}

/// Lifetimes of access tokens, then of refresh tokens, for each platform that the logs tell apart.
pub(super) fn lifetime_findings(placed: &Placed) -> Vec<LifetimeFinding> {
    let by_platform = &placed.ages;
    let known: Vec<&str> = by_platform.keys().copied().filter(|platform| *platform != "unknown").collect();
    // Whom no line places on a platform is most likely on the only one there is.
    if let [] | [_] = known[..] {
        let platform = known.first().copied().unwrap_or("unknown");
        let how = (placed.lead, placed.habit);
        return of_platform(platform, &placed.lifetimes, &placed.refresh_lifetimes, how);
    }
    let shown = by_platform.iter().flat_map(|(platform, ages)| {
        of_platform(platform, &ages.lifetimes(), &ages.refresh_lifetimes(), (ages.lead(), ages.habit()))
    });
    let mut found: Vec<LifetimeFinding> = shown.collect();
    // What clients were told, or the configuration says, holds for all.
    let stated: Vec<Lifetime> = placed.lifetimes.iter().filter(|lifetime| lifetime.issued.is_none()).copied().collect();
    found.extend(of_platform("unknown", &stated, &[], (None, Habit::default())));
    found
}

fn of_platform(
    platform: &str,
    access: &[Lifetime],
    refresh: &[Lifetime],
    (lead, habit): (Option<i64>, Habit),
) -> Vec<LifetimeFinding> {
    let practice = practice(platform);
    let finding = |lifetime: &Lifetime, credential: &str, recommended: (i64, i64)| {
        let seconds = lifetime.access / SECOND;
        let verdict = if seconds < recommended.0 {
            "short"
        } else if seconds > recommended.1 {
            "long"
        } else {
            "within"
        };
        LifetimeFinding {
            platform: platform.into(),
            credential: credential.into(),
            access_seconds: seconds,
            support: lifetime.support as u64,
            known_by: lifetime.known_by,
            between: (lifetime.between.0 / SECOND, lifetime.between.1 / SECOND),
            recommended,
            verdict: verdict.into(),
            refreshed_at_seconds: lead
                .map(|lead| lead / SECOND)
                .filter(|lead| *lead < seconds && credential == "access"),
            refreshes: Some(habit).filter(|habit| credential == "access" && habit.refreshing().is_some()),
            refreshing: habit.refreshing().filter(|_| credential == "access"),
            issued: lifetime.issued.map(|(first, last)| (rfc3339(first), rfc3339(last))),
        }
    };
    let access = access.iter().map(|lifetime| finding(lifetime, "access", practice.access));
    access.chain(refresh.iter().map(|lifetime| finding(lifetime, "refresh", practice.refresh))).collect()
}

/// Where one lifetime ends before another begins, somebody changed it.
pub(super) fn changes(lifetimes: &[Lifetime]) -> Vec<String> {
    let mut shown: Vec<(&Lifetime, (i64, i64))> =
        lifetimes.iter().filter_map(|lifetime| Some((lifetime, lifetime.issued?))).collect();
    shown.sort_by_key(|(_, issued)| *issued);
    let pairs = shown.windows(2).filter(|pair| pair[0].1.1 < pair[1].1.0);
    pairs
        .map(|pair| {
            let [(before, (_, last)), (after, (first, _))] = pair else { return String::new() };
            format!(
                "Access tokens issued until {} lived {}, those issued from {} on {}: the lifetime was changed in between.",
                rfc3339(*last),
                span(before.access),
                rfc3339(*first),
                span(after.access)
            )
        })
        .collect()
}
