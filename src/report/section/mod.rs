//! Logs that are too long to be held at once (`--max-memory`): section by section of log time is diagnosed and let go.
//!
//! A section begins where the one before ended. With it some of the time before and after is held as evidence, and for each person what
//! tells who he is and how old his credentials are, so that a section is judged nearly as the whole log would be; what counts, counts in
//! one of them ([`Scope`]). [`Whole`] puts their diagnoses together.
//!
//! Where memory runs short, detail goes in this order: time before a section that is evidence only; what tells of people from earlier on;
//! time after it; timelines of single incidents, the least severe and sure first; these incidents from the list. All counts stay.

mod scope;
mod whole;

use std::collections::HashSet;

use why401_parsers::assemble::Known;

pub(crate) use scope::{Count, Edge, Scope, Told, Who};
pub(crate) use whole::{Part, Whole};

use super::{Placed, concluded, judge, place};
use crate::reading::{ReadSource, Reading};
use crate::session::{Item, Kind, Timeline};
use crate::source::LEAST_MEMORY;
use crate::spread::Crew;
use crate::stats::Stages;
use scope::Counted;

/// How memory is shared out.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Budget {
    /// For what is held of the log, in bytes.
    held: usize,
    /// For incidents that are listed.
    listed: usize,
}

const MIB: usize = 1 << 20;

/// What the program itself needs, in bytes (`docs/performance.md`).
const OWN: usize = 16 * MIB;

/// While a section is diagnosed it is there so many tenths of times: what goes on being held, its events, its timelines (which take more than
/// events do), what is written of it.
const TENTHS: usize = 45;

impl Budget {
    /// Shares out so many bytes: a quarter is for what is being read, an eighth of the rest for listed incidents.
    pub(crate) fn of(bytes: usize) -> Self {
        let rest = bytes.max(LEAST_MEMORY) / 4 * 3 - OWN;
        Self { held: (rest - rest / 8) * 10 / TENTHS, listed: rest / 8 }
    }
}

/// So many endpoints of a person are remembered, as where requests are thinned.
const MOST_ROUTES: usize = 32;

/// Diagnoses and lets go of what is old, where more is held than fits. `known` are the parsers' that go on.
pub(crate) fn make_room(reading: &mut Reading, known: &mut [Known]) {
    let Some(budget) = reading.budget else { return };
    // Where people are so many that what is known of them does not fit, more is held: a section for each chunk would take for ever.
    if reading.held() < budget.held.max(reading.scope.left / 4 * 5) {
        return;
    }
    let Some((until, slack)) = cut(reading) else { return };
    let haste = reading.scope.haste;
    for source in &mut reading.sources {
        source.assembler.settle(until, &reading.names);
    }
    let part = so_far(reading, until);
    let mut placed = place(part, &mut Stages::default());
    let found = judge(&placed);
    let mut part = concluded(&placed, &found);
    let before = std::mem::take(&mut placed.scope.edge);
    reading.scope = part.after.take().unwrap_or_default().and_edge(before);
    reading.whole.get_or_insert_with(|| Box::new(Whole::within(budget.listed))).add(part);
    // In the order in which it can be missed: up to when everything goes, up to when calls that were accepted do, and how many endpoints
    // of each person are remembered from before; with none nothing is.
    let levels = [
        (until - 8 * slack, until - slack, MOST_ROUTES),
        (until - 3 * slack, until - slack / 2, MOST_ROUTES),
        (until - slack, until, MOST_ROUTES),
        (until, until, MOST_ROUTES),
        (until, until, 1),
        (until, until, 0),
    ];
    // Where nothing was enough the last time, time before and after need not be tried.
    let levels = if haste > 0 { &levels[3..] } else { &levels };
    let mut fits = false;
    for (before, calls_before, routes) in levels.iter().copied() {
        let spared = spared(&placed, before, routes);
        for (source, spared) in reading.sources.iter_mut().zip(&spared) {
            source.assembler.forget(before, calls_before, spared);
        }
        fits = reading.held() <= budget.held / 2;
        if fits {
            break;
        }
    }
    // Where not even that is enough, less time is held after the next section.
    reading.scope.haste = if fits { 0 } else { haste + 1 };
    reading.scope.left = reading.held();
    drop(placed);
    reading.forget_names(known);
}

/// Where (microseconds) the section ends, and how much is held after it. It begins where the last one ended; its last quarter shows how
/// what began before went on. `None` where times have no date.
fn cut(reading: &Reading) -> Option<(i64, i64)> {
    let ReadSource { assembler, .. } = reading.current()?;
    let latest = assembler.latest()?;
    let begun = reading.scope.during().start;
    let from = if begun < latest { begun.max(assembler.earliest()?) } else { assembler.earliest()? };
    let slack = ((latest - from).max(0) / 4).checked_shr(reading.scope.haste).unwrap_or_default();
    Some((latest - slack, slack))
}

/// What was read so far, to be diagnosed up to a time.
fn so_far(reading: &mut Reading, until: i64) -> Reading {
    let sources = reading.sources.iter().map(|source| ReadSource {
        name: source.name.clone(),
        assembler: source.assembler.so_far(),
        balance: source.balance.clone(),
        year: source.year,
        turned: source.turned,
    });
    let mut part = Reading::new(reading.config.clone(), [0; 16]);
    part.names = reading.names.clone();
    part.sources = sources.collect();
    part.crew = Crew::of(Some(1));
    part.scope = Scope { until: Some(until), ..std::mem::take(&mut reading.scope) };
    part
}

/// So many credentials of a sort show how long they live; of more, the latest.
const MOST_AGES: usize = 1 << 14;

impl Placed {
    /// What the next section is to know of this one, which ends at `until`.
    pub(super) fn after(&self, edge: Edge, until: i64, told: Told) -> Scope {
        let counted = Counted { until, lines: self.inputs.iter().map(|input| input.lines).collect() };
        let mut past = self.scope.counted.clone();
        past.retain(|past| !counted.covers(past));
        past.push(counted);
        let mut ages = self.scope.ages.clone();
        let (findings, during) = (self.findings(), self.scope.during());
        for (key, timeline) in &self.timelines {
            ages.entry(findings.class(*key)).or_default().add(timeline, &during);
        }
        ages.values_mut().for_each(|ages| ages.cap(MOST_AGES));
        Scope {
            until: None,
            counted: past,
            thinned: self.thinned_in_all.clone(),
            ages,
            told_lifetimes: self.told_lifetimes.clone(),
            refresh: self.refresh.clone(),
            told,
            edge,
            haste: 0,
            left: 0,
        }
    }
}

/// By source, the lines of what is still to be known of people when all before a time is let go: what names them, the last credential of
/// each device with what followed, and a call on so many endpoints that accepted it.
fn spared(placed: &Placed, before: i64, routes: usize) -> Vec<HashSet<u64>> {
    let mut lines = vec![HashSet::new(); placed.sources.len()];
    if routes == 0 {
        return lines;
    }
    let mut spare = |source: u32, line: u64| {
        if let Some(lines) = lines.get_mut(source as usize) {
            lines.insert(line);
        }
    };
    let events = &placed.identified.events;
    for (key, actor) in &placed.identified.actors {
        let mut named = actor.events.iter().rev().map(|place| &events[*place]);
        if let Some(event) = named.find(|event| event.user.is_some() && event.address.is_some()) {
            spare(event.source, event.line);
        }
        let Some(timeline) = placed.timelines.get(key) else { continue };
        for lane in 0..timeline.lanes {
            still_telling(timeline, lane, before, routes).for_each(|item| spare(item.source, item.line));
        }
    }
    lines
}

/// Of a device, what tells how its session stands: what gives or takes credentials, back to the last that was given before a time, the
/// last socket that was accepted since, the last refusal (what goes on from there is no new incident), and the last call to each of so many
/// endpoints that accepted it.
fn still_telling(timeline: &Timeline, lane: usize, before: i64, routes: usize) -> impl Iterator<Item = &Item> {
    let (mut known, mut socket, mut refusal, mut accepting) = (false, false, false, Vec::new());
    timeline.items.iter().rev().filter(move |item| item.lane == lane).filter(move |item| match &item.kind {
        Kind::Unauthorized { .. } | Kind::SocketRefused => item.time < before && !std::mem::replace(&mut refusal, true),
        // Older credentials would look as if they had been in use until the one that is known.
        _ if known && !matches!(item.kind, Kind::Accepted { .. }) => false,
        Kind::SignIn => {
            known = item.time < before;
            true
        }
        Kind::Refresh(refresh) => {
            known = item.time < before && refresh.gave();
            true
        }
        Kind::SignOut | Kind::Revoke | Kind::Removing | Kind::ForcedOut => true,
        Kind::SocketAccepted => item.time < before && !std::mem::replace(&mut socket, true),
        Kind::Accepted { route } => {
            let new = accepting.len() < routes && !accepting.contains(route);
            if new {
                accepting.push(*route);
            }
            new
        }
        _ => false,
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::sync::Arc;

    use bumpalo::Bump;
    use why401_parsers::detect::Parser;
    use why401_parsers::line::Framing;

    use super::{Budget, Known, Reading, make_room};
    use crate::diagnosis::{Impact, Scope};
    use crate::simulate::{Dialect, Options, simulate};
    use crate::{Config, Diagnosis, diagnose};

    /// A day of some people, whose devices' traces nobody has.
    fn log(dialect: Dialect) -> Vec<u8> {
        let folder = tempfile::tempdir().unwrap();
        simulate(&Options { seed: 7, users: 120, hours: 12.0, dialect, ..Options::default() }, folder.path()).unwrap();
        std::fs::read(folder.path().join("server.log")).unwrap()
    }

    /// Reads the log in pieces, as far as it fits, with the last one diagnosed.
    fn diagnosed(log: &[u8], budget: Option<Budget>) -> (Diagnosis, usize) {
        // As few requests that were answered well as with a budget.
        let mut reading = Reading::new(Config::default(), [7; 16]).with_room(1 << 12).within(budget);
        reading.begin("server.log", None);
        let patterns = Arc::default();
        let mut parser = Parser::new(reading.key(), &patterns);
        let mut known = [Known::default()];
        let mut most = 0;
        for piece in log.chunk_by(|a, _| *a != b'\n').collect::<Vec<_>>().chunks(500) {
            let arena = Bump::new();
            let piece = piece.concat();
            reading.take(&parser.parse(&piece, Framing::Lines, &arena), &mut known[0]);
            most = most.max(reading.held());
            make_room(&mut reading, &mut known);
        }
        (diagnose(reading), most)
    }

    /// What a log says, apart from what is made of it.
    fn counts(diagnosis: &Diagnosis) -> impl PartialEq + std::fmt::Debug {
        let summary = &diagnosis.summary;
        let by_day: Vec<_> = diagnosis
            .days
            .iter()
            .map(|day| {
                (day.day.clone(), day.requests, day.unauthorized, day.refreshes, day.active_actors, day.active_hours)
            })
            .collect();
        let series = [&diagnosis.series.requests, &diagnosis.series.unauthorized, &diagnosis.series.cable_connects];
        (
            [summary.actors, summary.active_hours, summary.requests, summary.unauthorized, summary.refreshes],
            [summary.refresh_failures, summary.cable_connects, summary.cable_rejects, summary.cable_disconnects],
            by_day,
            series.map(|counts| counts.iter().sum::<u64>()),
        )
    }

    fn verdicts(diagnosis: &Diagnosis) -> BTreeMap<Option<String>, String> {
        diagnosis.actors.iter().map(|actor| (actor.user.clone(), actor.verdict.to_string())).collect()
    }

    #[test]
    fn sections_count_what_the_whole_counts_and_judge_nearly_as_it() {
        // Whose sockets lograge's are, calls around them tell, of which fewer are held.
        for (dialect, percent) in [(Dialect::Rails, 3), (Dialect::LogrageJson, 15)] {
            let log = log(dialect);
            let (whole, all) = diagnosed(&log, None);
            assert!(!whole.notes.iter().any(|note| note.contains("--max-memory")));
            for part in [2, 3, 5] {
                let budget = Budget { held: all / part, listed: 1 << 20 };
                let (sections, held) = diagnosed(&log, Some(budget));
                assert!(held < all / part + all / 10, "{dialect:?}: {held} of {all} held");
                let note = sections.notes.last().unwrap();
                assert!(note.contains("--max-memory") && !note.contains("not listed"), "{note}");
                assert_eq!(counts(&sections), counts(&whole), "{dialect:?}, a {part}th");
                assert_eq!((sections.schema_version, &sections.tool.name), (whole.schema_version, &whole.tool.name));
                let (before, after) = (verdicts(&whole), verdicts(&sections));
                let other = before.iter().filter(|(who, verdict)| after.get(*who) != Some(verdict)).count();
                assert!(
                    other * 25 <= before.len(),
                    "{dialect:?}, a {part}th: {other} of {} verdicts differ",
                    before.len()
                );
                assert_eq!(sections.summary.incidents, sections.incidents.len() as u64);
                let listed = |diagnosis: &Diagnosis| diagnosis.incidents.len();
                let (here, there) = (listed(&sections), listed(&whole));
                assert!(here.abs_diff(there) * 100 <= there * percent, "{dialect:?}, a {part}th: {here}, not {there}");
            }
        }
    }

    #[test]
    fn what_is_taken_for_the_refresh_stays_so() {
        let log = String::from_utf8(log(Dialect::LogrageJson)).unwrap();
        let log = log.replace("/identity/sessions/renew", "/v1/handshake/next");
        let log = log
            .replace(r#"Identity::SessionsController","action":"renew"#, r#"V1::HandshakesController","action":"next"#);
        let (whole, all) = diagnosed(log.as_bytes(), None);
        let (sections, _) = diagnosed(log.as_bytes(), Some(Budget { held: all / 2, listed: 1 << 20 }));
        for diagnosis in [&whole, &sections] {
            let refresh: Vec<&str> =
                diagnosis.endpoints.iter().filter(|one| one.by_behaviour).map(|one| one.path.as_str()).collect();
            assert_eq!(refresh, ["/v1/handshake/next"]);
            assert_eq!(diagnosis.notes.iter().filter(|note| note.contains("/v1/handshake/next")).count(), 1);
        }
        // Counts of an early section are not those of the log.
        let earlier = |diagnosis: &Diagnosis| diagnosis.notes.iter().any(|note| note.contains("as found earlier"));
        assert!(earlier(&sections) && !earlier(&whole));
        // And it stays, though a request to one with a usual name comes later.
        let last = log.lines().rfind(|line| line.contains("/v1/handshake/next")).unwrap();
        let named = last.replace("/v1/handshake/next", "/auth/refresh").replace("V1::Handshakes", "Auth");
        let later = format!("{log}{named}\n");
        assert!(diagnosed(later.as_bytes(), None).0.endpoints.iter().all(|one| !one.by_behaviour));
        let (sections, _) = diagnosed(later.as_bytes(), Some(Budget { held: all / 2, listed: 1 << 20 }));
        assert!(sections.endpoints.iter().any(|one| one.by_behaviour) && earlier(&sections));
        // In the first sections too few are healed.
        let (here, there) = (sections.summary.refreshes, whole.summary.refreshes);
        assert!(here <= there && here * 2 > there, "{here} of {there}");
    }

    #[test]
    fn what_is_not_listed_is_counted() {
        let log = log(Dialect::Rails);
        let (_, all) = diagnosed(&log, None);
        let with = |listed: usize| diagnosed(&log, Some(Budget { held: all / 3, listed })).0;
        let (full, bare, few) = (with(1 << 20), with(1 << 18), with(1 << 16));
        for less in [&bare, &few] {
            assert_eq!(counts(less), counts(&full));
            assert_eq!(less.summary.by_cause, full.summary.by_cause);
            assert_eq!(verdicts(less), verdicts(&full));
            assert_eq!(less.days, full.days);
            assert_eq!(less.summary.dropped_actors, full.summary.dropped_actors);
            let steps = |diagnosis: &Diagnosis| {
                diagnosis.fix_plan.iter().map(|step| (step.title.clone(), step.affected_actors)).collect::<Vec<_>>()
            };
            assert_eq!(steps(less), steps(&full));
        }
        let timelines = |diagnosis: &Diagnosis| diagnosis.incidents.iter().filter(|i| !i.timeline.is_empty()).count();
        assert!(timelines(&bare) < timelines(&full) && timelines(&bare) > 0);
        assert!(few.incidents.len() < full.incidents.len() && !few.incidents.is_empty());
        // The most severe stay.
        let of = |diagnosis: &Diagnosis, impact: Impact| {
            diagnosis.incidents.iter().filter(|i| i.scope == Scope::Actor && i.impact == impact).count()
        };
        assert!(of(&few, Impact::Dropped) == of(&full, Impact::Dropped) || of(&few, Impact::Degraded) == 0);
        let ids: Vec<&String> = few.incidents.iter().map(|incident| &incident.id).collect();
        assert!(few.actors.iter().flat_map(|actor| &actor.incidents).all(|id| ids.contains(&id)));
    }
}
