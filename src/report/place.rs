//! The first half: sources put together, clocks set, actors identified, timelines laid out, lifetimes inferred.

use std::collections::BTreeMap;

use chrono::{Datelike as _, Offset as _, TimeZone as _, Utc};
use why401_parsers::assemble::{Assembled, Clock, Zone};
use why401_parsers::detect::Balance;
use why401_parsers::dialect::DIALECTS;
use why401_parsers::envelope::ENVELOPES;
use why401_parsers::event::{Event, Names, What};
use why401_parsers::pattern::Pattern;
use why401_parsers::record::{ClientRefresh, Side};

use super::section::Scope;
use super::turned::Turned;
use super::{class, platform, proxy, rfc3339, time};
use crate::actor::clock::{SetBy, nearest_zone};
use crate::actor::{Actor, Identified, Key, identify, owner::proxies};
use crate::cause::case::span;
use crate::config::{Config, Keep};
use crate::diagnosis::Input;
use crate::reading::Reading;
use crate::session::endpoint::Roles;
use crate::session::endpoint::behaviour::{self, Inferred};
use crate::session::habit::Habit;
use crate::session::lifetime::{Ages, KnownBy, Lifetime};
use crate::session::{SECOND, Timeline, timeline};
use crate::spread::Crew;
use crate::stats::Stages;

/// Everything that was read, in its place.
pub(crate) struct Placed {
    pub(crate) config: Config,
    pub(crate) names: Names,
    pub(crate) sources: Vec<String>,
    pub(crate) inputs: Vec<Input>,
    pub(crate) roles: Roles,
    /// What is taken for the refresh, where only what it does tells it.
    pub(crate) refresh: Option<Inferred>,
    pub(crate) identified: Identified,
    pub(crate) timelines: BTreeMap<Key, Timeline>,
    /// The best supported first.
    pub(crate) lifetimes: Vec<Lifetime>,
    /// Of refresh tokens, the best supported first.
    pub(crate) refresh_lifetimes: Vec<Lifetime>,
    /// What shows them, by the sort of client.
    pub(crate) ages: BTreeMap<&'static str, Ages>,
    /// How often clients were told that an access token lives so long, in seconds.
    pub(crate) told_lifetimes: BTreeMap<u32, usize>,
    /// The age at which most clients refresh before they must.
    pub(crate) lead: Option<i64>,
    /// How refreshes came about.
    pub(crate) habit: Habit,
    /// Requests that were too many to keep, by the hour since 1970; they count all the same.
    pub(crate) thinned: BTreeMap<i64, u64>,
    /// Lines of a proxy that say again what the app's own lines say.
    pub(crate) behind_proxy: usize,
    /// What is older was left out, as told.
    pub(crate) since: Option<i64>,
    /// Who works.
    pub(crate) crew: Crew,
    /// What of it counts.
    pub(crate) scope: Scope,
    /// As `thinned`, with what earlier sections counted.
    pub(crate) thinned_in_all: BTreeMap<i64, u64>,
    /// Sources that were read from their end.
    pub(crate) turned: Turned,
}

/// Puts what was read in its place.
pub(crate) fn place(reading: Reading, stages: &mut Stages) -> Placed {
    let turned = reading.turned_sources();
    let Reading { config, mut names, sources, crew, scope, .. } = reading;
    let mut assembled: Vec<Assembled> = Vec::with_capacity(sources.len());
    let mut inputs = Vec::with_capacity(sources.len());
    let mut balances = Vec::with_capacity(sources.len());
    for source in sources {
        let zone = config.clock.zone(&source.name);
        let offset = zone.map(|zone| move |local| offset_of(zone, local));
        let offset: Option<Zone<'_>> = offset.as_ref().map(|offset| offset as _);
        let year = config.clock.year(&source.name);
        assembled.push(source.assembler.finish(offset, year, &mut names));
        balances.push((source.name, source.balance, source.year, zone.is_some()));
    }
    let (mut names, renaming) = names.sorted();
    renaming.apply(assembled.iter_mut().flat_map(|source| &mut source.events));
    infer_years(&mut assembled);
    for (source, (name, balance, written, zone_stated)) in assembled.iter_mut().zip(&balances) {
        // Times without a year, and no other source that has one: the year in which the file was last written.
        if let Some(year) = written {
            source.set_year(*year);
        }
        inputs.push(input(name, balance, source, *zone_stated, &config.patterns));
    }
    let behind_proxy = proxy::drop_repeated(&mut assembled, &scope);
    let since = config.keep.and_then(|keep| since(keep, &assembled));
    if let Some(since) = since {
        assembled.iter_mut().for_each(|source| source.since(since));
        for (source, input) in assembled.iter().zip(&mut inputs) {
            (input.first, input.last) = source.span.map(|(first, last)| (rfc3339(first), rfc3339(last))).unzip();
        }
    }
    let mut thinned: BTreeMap<i64, u64> = BTreeMap::new();
    for (hour, count) in assembled.iter().flat_map(|source| &source.dropped) {
        *thinned.entry(*hour).or_default() += count;
    }
    let thinned_in_all = thinned;
    let thinned = scope.new_of(&thinned_in_all);
    let source_names: Vec<String> = balances.into_iter().map(|(name, ..)| name).collect();
    let of_sources = assembled.iter().map(|source| &source.events[..]);
    let mut roles = Roles::learn(of_sources, &names, &config.endpoints, crew);
    let refresh = refresh_by_behaviour(&mut roles, &assembled, &names, &config, scope.refresh.clone());
    stages.done("settle");
    let identified = identify(assembled, &roles, &mut names, crew);
    for (number, clock) in &identified.clocks {
        if let Some(input) = inputs.get_mut(*number as usize) {
            input.clock = clock_in_words(clock, &input.clock);
            if clock.set_by != SetBy::Nothing && clock.timed {
                let zone = i32::try_from(-nearest_zone(clock.offset_seconds)).unwrap_or(0);
                input.zone_seconds = Some(zone).filter(|zone| *zone != 0);
            }
            let times = || identified.events.iter().filter(|event| event.source == *number).map(|event| event.time);
            if clock.set_by != SetBy::Nothing {
                input.first = times().min().map(rfc3339);
                input.last = times().max().map(rfc3339);
            }
        }
    }
    stages.done("identify");
    let actors: Vec<(&Key, &Actor)> = identified.actors.iter().collect();
    let timelines = crew.each(&actors, |(key, actor)| (**key, timeline(actor, &identified, &roles, &names)));
    let timelines: BTreeMap<Key, Timeline> = timelines.into_iter().collect();
    let (by_platform, told) = crew.both(
        || {
            let class_of = |key: &Key| {
                let actor = identified.actors.get(key);
                class(actor.and_then(|actor| platform(actor, &inputs, &names)), &identified)
            };
            ages_by_class(&timelines, class_of, &scope)
        },
        || told_lifetimes(&identified.events, &scope),
    );
    let mut ages = Ages::default();
    by_platform.values().for_each(|of_platform| ages.merge(of_platform));
    let mut lifetimes = ages.lifetimes();
    lifetimes.extend(stated_lifetimes(&told, &lifetimes));
    if let Some(seconds) = config.lifetimes.access_seconds {
        let access = i64::from(seconds) * SECOND;
        lifetimes = vec![Lifetime {
            access,
            support: 0,
            between: (access, access),
            known_by: KnownBy::Configuration,
            issued: None,
        }];
    }
    let lead = ages.lead();
    stages.done("timelines");
    Placed {
        config,
        names,
        sources: source_names,
        inputs,
        roles,
        refresh,
        identified,
        timelines,
        lifetimes,
        refresh_lifetimes: ages.refresh_lifetimes(),
        ages: by_platform,
        told_lifetimes: told,
        lead,
        habit: ages.habit(),
        thinned,
        behind_proxy,
        since,
        crew,
        scope,
        thinned_in_all,
        turned,
    }
}

/// Looks for a refresh in what the servers' endpoints do, where none is known or stated. `before` was found in an earlier section.
fn refresh_by_behaviour(
    roles: &mut Roles,
    sources: &[Assembled],
    names: &Names,
    config: &Config,
    before: Option<Inferred>,
) -> Option<Inferred> {
    if !config.endpoints.refresh.is_empty() {
        return None;
    }
    let servers: Vec<&[Event]> =
        sources.iter().filter(|source| source.side == Side::Server).map(|source| &source.events[..]).collect();
    let events = || servers.iter().copied().flatten();
    let found = match before {
        // It stays, also where something with a usual name comes later: what earlier sections said of people rests on it.
        Some(before) => before.carried_on(),
        None => {
            // A client's counts as well: it may refresh elsewhere than at these servers, and then these have none.
            let all = sources.iter().flat_map(|source| &source.events);
            if roles.has_refresh(all.filter_map(Event::request)) || !behaviour::may_be_found(events()) {
                return None;
            }
            let proxies = proxies(events(), names);
            if let [alone] = servers[..] {
                behaviour::refresh(alone.iter(), roles, names, &proxies)?
            } else {
                let mut ordered: Vec<&Event> = events().collect();
                ordered.sort_by_key(|event| (event.time, event.source, event.line));
                behaviour::refresh(ordered.into_iter(), roles, names, &proxies)?
            }
        }
    };
    roles.learn_by_behaviour(&found, events().filter_map(Event::request), names);
    Some(found)
}

/// From when on is looked: so long before the latest time of the servers, or of all if there are only clients.
fn since(keep: Keep, sources: &[Assembled]) -> Option<i64> {
    let latest = |side: Option<Side>| {
        let sources = sources.iter().filter(|source| side.is_none_or(|side| source.side == side));
        sources.filter_map(|source| source.span).map(|(_, last)| last).max()
    };
    latest(Some(Side::Server)).or_else(|| latest(None)).map(|latest| keep.since(latest))
}

/// The offset of a zone at a local time, seconds east of UTC. An hour that comes twice a year is taken the first time, one that
/// never comes as what follows it.
fn offset_of(zone: chrono_tz::Tz, local: i64) -> i32 {
    let local = time(local).naive_utc();
    let offset = zone.offset_from_local_datetime(&local);
    let after = || zone.offset_from_local_datetime(&(local + chrono::TimeDelta::hours(2))).earliest();
    offset.earliest().or_else(after).map_or(0, |offset| offset.fix().local_minus_utc())
}

/// Sources whose times have no year take that of the sources that have one.
fn infer_years(sources: &mut [Assembled]) {
    let year = sources
        .iter()
        .filter(|source| source.clock.dated && source.clock.timed)
        .filter_map(|source| source.span)
        .filter_map(|(_, last)| Utc.timestamp_micros(last).single())
        .map(|time| time.year())
        .max();
    let Some(year) = year else { return };
    for source in sources.iter_mut().filter(|source| !source.clock.dated) {
        source.set_year(year);
    }
}

fn input(name: &str, balance: &Balance, assembled: &Assembled, zone_stated: bool, patterns: &[Pattern]) -> Input {
    let commonest = |counts: &[u64], name: &dyn Fn(usize) -> String| {
        let mut seen: Vec<(u64, usize)> =
            counts.iter().copied().zip(0..).filter(|(count, _)| *count * 200 >= balance.lines.max(1)).collect();
        seen.sort_by_key(|(count, place)| (std::cmp::Reverse(*count), *place));
        seen.iter().map(|(_, place)| name(*place)).collect::<Vec<_>>()
    };
    let envelopes = commonest(&balance.envelopes[..ENVELOPES.len()], &|place| ENVELOPES[place].name().to_owned());
    // A user's own patterns are counted behind the dialects.
    let dialects =
        commonest(&balance.dialects[..DIALECTS.len() + patterns.len()], &|place| match DIALECTS.get(place) {
            Some(dialect) => dialect.name().to_owned(),
            None => patterns[place - DIALECTS.len()].name().to_owned(),
        });
    let joined = |names: Vec<String>| (!names.is_empty()).then(|| names.join("+"));
    let Clock { timed, zoned, offset, .. } = assembled.clock;
    let clock = match (timed, zone_stated, zoned) {
        (false, ..) => "no times in it".to_owned(),
        (true, true, _) => "zone as stated".to_owned(),
        (true, false, true) if offset != 0 => format!("zone inferred: {}", zone_in_words(offset)),
        (true, false, true) => "UTC".to_owned(),
        (true, false, false) => "no zone stated, taken as UTC (--tz sets it)".to_owned(),
    };
    Input {
        source: name.to_owned(),
        envelope: joined(envelopes),
        dialect: joined(dialects),
        lines: balance.lines,
        bytes: balance.bytes,
        recognised: balance.recognised,
        unrecognised: balance.unrecognised,
        capped: balance.capped,
        late: assembled.late,
        first: assembled.span.map(|(first, _)| rfc3339(first)),
        last: assembled.span.map(|(_, last)| rfc3339(last)),
        clock,
        zone_seconds: Some(offset).filter(|offset| timed && *offset != 0),
    }
}

fn zone_in_words(seconds: i32) -> String {
    let sign = if seconds < 0 { '-' } else { '+' };
    format!("{sign}{:02}:{:02}", seconds.abs() / 3600, seconds.abs() % 3600 / 60)
}

fn clock_in_words(clock: &crate::actor::clock::ClientClock, otherwise: &str) -> String {
    let by = match clock.set_by {
        SetBy::RequestIds => "request ids",
        SetBy::DateHeaders => "date headers",
        SetBy::Sequence => "the sequence of requests",
        SetBy::Nothing => return otherwise.to_owned(),
    };
    if !clock.timed {
        return format!("no times in it; placed by {by} ({} anchors)", clock.support);
    }
    let skew = clock.skew_seconds.filter(|skew| *skew != 0).map(|skew| {
        let side = if skew > 0 { "ahead" } else { "behind" };
        format!("; the device's clock is at least {} {side}", span(skew.abs() * SECOND))
    });
    // The rest is how far the clock is off.
    let zone = nearest_zone(clock.offset_seconds);
    let zone = i32::try_from(-zone).unwrap_or(0);
    let zone = if zone == 0 { "UTC".to_owned() } else { format!("zone {}", zone_in_words(zone)) };
    let bound = format!(" to {}.{} s", clock.bound_millis / 1000, clock.bound_millis % 1000 / 100);
    let drift = clock.drift_per_day.map(|drift| {
        let way = if drift > 0 { "gains" } else { "loses" };
        format!("; it {way} {} a day", span(drift.abs() * SECOND))
    });
    let (skew, drift) = (skew.unwrap_or_default(), drift.unwrap_or_default());
    format!("clock set by {by} ({} pairs){bound}: {zone}{skew}{drift}", clock.support)
}

/// The life of an access token, seconds, that an event tells a client. Less than a minute is no token's.
pub(super) fn stated(event: &Event) -> Option<u32> {
    let seconds = match &event.what {
        What::Request(request) => request.expires_in,
        What::Lifetime(seconds) | What::ClientRefresh(ClientRefresh::Done { expires_in: Some(seconds) }) => {
            Some(*seconds)
        }
        _ => None,
    };
    seconds.filter(|seconds| *seconds >= 60)
}

/// What timelines, and earlier sections, show of how long credentials live, by the sort of client.
fn ages_by_class(
    timelines: &BTreeMap<Key, Timeline>,
    class_of: impl Fn(&Key) -> &'static str,
    scope: &Scope,
) -> BTreeMap<&'static str, Ages> {
    let mut ages = scope.ages.clone();
    let during = scope.during().start..i64::MAX;
    for (key, timeline) in timelines {
        ages.entry(class_of(key)).or_default().add(timeline, &during);
    }
    ages
}

/// How often clients were told which lifetime, in seconds: in what counts, and in earlier sections.
fn told_lifetimes(events: &[Event], scope: &Scope) -> BTreeMap<u32, usize> {
    let mut told = scope.told_lifetimes.clone();
    for seconds in events.iter().filter(|event| scope.has(event)).filter_map(stated) {
        *told.entry(seconds).or_default() += 1;
    }
    told
}

/// Lifetimes that clients were told (`expires_in`), as far as uses did not show them.
fn stated_lifetimes(told: &BTreeMap<u32, usize>, inferred: &[Lifetime]) -> Vec<Lifetime> {
    told.iter()
        .map(|(seconds, support)| {
            let (access, support) = (i64::from(*seconds) * SECOND, *support);
            Lifetime { access, support, between: (access, access), known_by: KnownBy::ExpiresIn, issued: None }
        })
        .filter(|stated| inferred.iter().all(|known| (known.access - stated.access).abs() > stated.access / 10))
        .collect()
}
