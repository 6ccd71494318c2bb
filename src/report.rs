//! From what was read to the diagnosis: identify, place, notice, explain, sum up.

mod counts;
mod moments;
mod service;

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, SecondsFormat, TimeZone as _, Utc};
use why401_parsers::assemble::{Assembled, Clock, Zone};
use why401_parsers::detect::Balance;
use why401_parsers::dialect::DIALECTS;
use why401_parsers::envelope::ENVELOPES;
use why401_parsers::event::{Event, Name, Names, What};
use why401_parsers::pattern::Pattern;
use why401_parsers::record::{ClientRefresh, Side};

use crate::actor::{Actor, Identified, Key, clock::SetBy, identify};
use crate::cause::case::{Case, World, span};
use crate::cause::{Label, Opinion, fix, score};
use crate::diagnosis::{
    ActorFinding, ActorRef, Contribution, Diagnosis, Endpoint, Evidence, FixStep, Impact, Incident, Input,
    LifetimeFinding, RunnerUp, SCHEMA_VERSION, Scope, Tool,
};
use crate::incident::{self, Trigger};
use crate::reading::Reading;
use crate::session::lifetime::{Ages, KnownBy, Lifetime};
use crate::session::{Kind, Refresh, SECOND, Timeline, endpoint::Roles, timeline};

/// An incident of one actor with its verdict, before it is written down.
pub(crate) struct Judged {
    pub(crate) key: Key,
    pub(crate) incident: incident::Incident,
    pub(crate) verdict: score::Verdict,
    pub(crate) impact: Impact,
    pub(crate) contributing: Vec<Contribution>,
}

/// Everything that writing down needs.
pub(crate) struct Findings<'a> {
    pub(crate) sources: &'a [String],
    pub(crate) names: &'a Names,
    pub(crate) identified: &'a Identified,
    pub(crate) timelines: &'a BTreeMap<Key, Timeline>,
    pub(crate) roles: &'a Roles,
}

/// Practice for mobile access tokens, in seconds: 15 to 60 minutes (see `why401 explain lifetime_expiry`).
const MOBILE_ACCESS: (i64, i64) = (15 * 60, 60 * 60);
/// Practice for web access tokens: 1 to 24 hours.
const WEB_ACCESS: (i64, i64) = (60 * 60, 24 * 60 * 60);

/// Diagnoses what was read.
#[must_use]
pub fn diagnose(reading: Reading) -> Diagnosis {
    let Reading { config, mut names, sources, .. } = reading;
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
    let behind_proxy = drop_proxied(&mut assembled);
    let (mut names, renaming) = names.sorted();
    for event in assembled.iter_mut().flat_map(|source| &mut source.events) {
        renaming.apply(event);
    }
    // Requests that were too many to keep; they count all the same.
    let thinned: u64 = assembled.iter().map(|source| source.dropped).sum();
    infer_years(&mut assembled);
    for (source, (name, balance, written, zone_stated)) in assembled.iter_mut().zip(&balances) {
        // Times without a year, and no other source that has one: the year in which the file was last written.
        if let Some(year) = written {
            source.set_year(*year);
        }
        inputs.push(input(name, balance, source, *zone_stated, &config.patterns));
    }
    let source_names: Vec<String> = balances.into_iter().map(|(name, ..)| name).collect();
    let roles = {
        let requests = assembled.iter().flat_map(|source| &source.events).filter_map(Event::request);
        Roles::learn(requests, &names, &config.endpoints)
    };
    let identified = identify(assembled, &roles, &mut names);
    for (number, clock) in &identified.clocks {
        if let Some(input) = inputs.get_mut(*number as usize) {
            input.clock = clock_in_words(clock, &input.clock);
            let times = || identified.events.iter().filter(|event| event.source == *number).map(|event| event.time);
            if clock.set_by != SetBy::Nothing {
                input.first = times().min().map(rfc3339);
                input.last = times().max().map(rfc3339);
            }
        }
    }
    let timelines: BTreeMap<Key, Timeline> =
        identified.actors.iter().map(|(key, actor)| (*key, timeline(actor, &identified, &roles, &names))).collect();
    let mut ages = Ages::default();
    for timeline in timelines.values() {
        ages.add(timeline);
    }
    let mut lifetimes = ages.lifetimes();
    lifetimes.extend(stated_lifetimes(&identified.events, &lifetimes));
    if let Some(seconds) = config.lifetimes.access_seconds {
        let access = i64::from(seconds) * SECOND;
        lifetimes = vec![Lifetime { access, support: 0, between: (access, access), known_by: KnownBy::Configuration }];
    }
    let restarts = incident::service::restarts(&identified);
    let mut attacks = incident::service::attacks(&timelines);
    attacks.retain(|attack| !identified.proxies.contains(&attack.address));
    let world = World {
        events: &identified.events,
        names: &names,
        restarts: &restarts,
        lifetimes: &lifetimes,
        lead: ages.lead(),
        has_server: identified.has_server,
        renews: timelines.values().any(|timeline| timeline.items.iter().any(|i| matches!(i.kind, Kind::Refresh(_)))),
    };
    let mut judged = Vec::new();
    let mut in_flight: Vec<(Key, usize)> = Vec::new();
    for (key, timeline) in &timelines {
        if attacks.iter().any(|attack| *key == Key::Address(attack.address)) {
            continue;
        }
        let skew = skew_of(&identified, *key);
        let mut of_actor = Vec::new();
        for incident in incident::detect(timeline, config.window.0) {
            if !had_session(timeline, &incident) || hidden_behind_proxy(&identified, *key, timeline, &incident) {
                continue;
            }
            let case = Case::new(&incident, timeline, &world, skew);
            if harmless(&case) {
                in_flight.extend(incident.signs.iter().map(|sign| (*key, *sign)));
                continue;
            }
            let verdict = score::verdict(&case);
            if !worth_saying(&case, &verdict) {
                continue;
            }
            let impact = impact(&case, &verdict);
            of_actor.push(Judged { key: *key, incident, verdict, impact, contributing: Vec::new() });
        }
        judged.extend(of_actor);
    }
    let findings = Findings {
        sources: &source_names,
        names: &names,
        identified: &identified,
        timelines: &timelines,
        roles: &roles,
    };
    contributions(&mut judged, &lifetimes);
    let mut incidents: Vec<(Option<Key>, Incident)> = service::restarts(&findings, &restarts);
    incidents.extend(service::attacks(&findings, &attacks));
    for judged in &judged {
        incidents.push((Some(judged.key), written(&findings, judged, &lifetimes)));
    }
    let filter = &config.filter;
    incidents.retain(|(_, incident)| kept(filter, incident));
    incidents.sort_by(|(_, a), (_, b)| {
        (a.scope == Scope::Service, a.impact, &a.start, a.cause, actor_order(a))
            .cmp(&(b.scope == Scope::Service, b.impact, &b.start, b.cause, actor_order(b)))
            .then(b.confidence.total_cmp(&a.confidence))
    });
    for (number, (_, incident)) in incidents.iter_mut().enumerate() {
        incident.id = format!("i{}", number + 1);
    }
    let actors = actors(&findings, &incidents, &attacks, &restarts);
    let mut summary = counts::summary(&findings, &judged, &attacks, &in_flight);
    summary.requests += thinned;
    summary.actors = actors.len() as u64;
    summary.healthy_actors = actors.iter().filter(|actor| actor.verdict == "healthy").count() as u64;
    summary.incidents = incidents.len() as u64;
    for (_, incident) in &incidents {
        *summary.by_cause.entry(incident.cause.to_string()).or_default() += 1;
    }
    summary.dropped_actors = {
        let mut dropped: Vec<Key> = incidents
            .iter()
            .filter(|(_, incident)| incident.impact == Impact::Dropped)
            .filter_map(|(key, _)| *key)
            .collect();
        dropped.sort_unstable();
        dropped.dedup();
        dropped.len() as u64
    };
    let fix_plan = fix_plan(&findings, &judged, &attacks, &restarts, &lifetimes, filter);
    let mut notes = notes(&findings);
    if behind_proxy > 0 {
        notes.push(format!(
            "{behind_proxy} lines of a proxy or router say again what the app's own lines say; they are not counted."
        ));
    }
    notes.extend(seen_instead(&inputs, &identified, behind_proxy > 0));
    Diagnosis {
        schema_version: SCHEMA_VERSION,
        tool: Tool { name: "why401".into(), version: env!("CARGO_PKG_VERSION").into() },
        inputs,
        summary,
        lifetimes: lifetime_findings(&findings, &lifetimes, ages.lead()),
        endpoints: roles
            .list(&names)
            .into_iter()
            .map(|(method, path, role)| Endpoint { method, path, role: role_name(role) })
            .collect(),
        incidents: incidents.into_iter().map(|(_, incident)| incident).collect(),
        actors,
        fix_plan,
        notes,
    }
}

fn role_name(role: crate::session::endpoint::Role) -> String {
    serde_json::to_value(role).ok().and_then(|value| value.as_str().map(str::to_owned)).unwrap_or_default()
}

/// The offset of a zone at a local time, seconds east of UTC. An hour that comes twice a year is taken the first time, one that
/// never comes as what follows it.
fn offset_of(zone: chrono_tz::Tz, local: i64) -> i32 {
    use chrono::Offset as _;
    let local = time(local).naive_utc();
    let offset = zone.offset_from_local_datetime(&local);
    let after = || zone.offset_from_local_datetime(&(local + chrono::TimeDelta::hours(2))).earliest();
    offset.earliest().or_else(after).map_or(0, |offset| offset.fix().local_minus_utc())
}

/// Sources whose times have no year take that of the sources that have one.
fn infer_years(sources: &mut [Assembled]) {
    use chrono::Datelike as _;
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

fn rfc3339(micros: i64) -> String {
    time(micros).to_rfc3339_opts(SecondsFormat::Millis, true)
}

fn time(micros: i64) -> DateTime<Utc> {
    Utc.timestamp_micros(micros).single().unwrap_or_default()
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
        first: assembled.span.map(|(first, _)| rfc3339(first)),
        last: assembled.span.map(|(_, last)| rfc3339(last)),
        clock,
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
    // A zone is a multiple of a quarter of an hour; the rest is how far the clock is off.
    const QUARTER: i64 = 15 * 60;
    let added = clock.offset_seconds;
    let zone = (added + QUARTER / 2).div_euclid(QUARTER) * QUARTER;
    let zone = i32::try_from(-zone).unwrap_or(0);
    let zone = if zone == 0 { "UTC".to_owned() } else { format!("zone {}", zone_in_words(zone)) };
    format!("clock set by {by} ({} pairs): {zone}{}", clock.support, skew.unwrap_or_default())
}

/// The error of the actor's device's clock, where a trace shows it.
fn skew_of(identified: &Identified, key: Key) -> Option<i64> {
    let actor = identified.actors.get(&key)?;
    actor.traces.iter().find_map(|trace| identified.clocks.get(trace)?.skew_seconds)
}

/// Whether the actor had anything to lose: something was accepted before, or it is a known user whose log begins in mid-session.
fn had_session(timeline: &Timeline, incident: &incident::Incident) -> bool {
    timeline.items.iter().any(|item| {
        item.time <= incident.end
            && match &item.kind {
                Kind::SignIn | Kind::SocketAccepted | Kind::SignedIn | Kind::Accepted { .. } | Kind::Removing => true,
                Kind::Refresh(refresh) => refresh.gave(),
                _ => false,
            }
    })
}

/// Behind a proxy's address nobody knows who did what; only what the server itself did wrong can be said.
fn hidden_behind_proxy(identified: &Identified, key: Key, timeline: &Timeline, incident: &incident::Incident) -> bool {
    let server_fault =
        |sign: &usize| matches!(&timeline.items[*sign].kind, Kind::Refresh(Refresh::Fault(..) | Refresh::Swallowed(_)));
    matches!(key, Key::Address(address) if identified.proxies.contains(&address))
        && !incident.signs.iter().any(server_fault)
}

/// Calls under way while a refresh was replacing the credential: refused, and all well right after it.
fn harmless(case: &Case<'_>) -> bool {
    let facts = &case.facts;
    if case.incident.trigger != Trigger::Unauthorized || !facts.sockets.is_empty() || facts.forced_out.is_some() {
        return false;
    }
    facts.refreshes.iter().any(|place| {
        let refresh = case.item(*place);
        matches!(&refresh.kind, Kind::Refresh(refresh) if refresh.gave())
            && (refresh.time, refresh.line) < (case.incident.start, case.item(case.first()).line)
            && case.incident.end <= refresh.ended + 2 * SECOND
    })
}

/// Some triggers are only worth a word when a cause explains them: a socket that came back, a sign-in that nobody missed.
fn worth_saying(case: &Case<'_>, verdict: &score::Verdict) -> bool {
    match case.incident.trigger {
        Trigger::SocketLost | Trigger::SignInAgain | Trigger::RefreshStorm | Trigger::SocketRemoved => {
            verdict.opinion.label != Label::Inconclusive
        }
        _ => true,
    }
}

fn impact(case: &Case<'_>, verdict: &score::Verdict) -> Impact {
    if case.incident.trigger == Trigger::HiddenError {
        return Impact::Latent;
    }
    let facts = &case.facts;
    let signed_out = facts.signed_in.is_some() || facts.forced_out.is_some();
    match verdict.opinion.label {
        Label::Logout | Label::NetworkLoss | Label::ServerReset | Label::ServerRestart => Impact::Degraded,
        Label::ClockSkew if case.incident.trigger == Trigger::RefreshStorm => Impact::Degraded,
        _ if signed_out || case.incident.trigger == Trigger::SignInAgain => Impact::Dropped,
        _ if case.incident.recovery.is_some() && facts.refreshed.is_some() => Impact::Degraded,
        Label::StaleToken => Impact::Degraded,
        _ => Impact::Dropped,
    }
}

/// What else had a part: a hidden error of the same actor, a lifetime outside practice.
fn contributions(judged: &mut [Judged], lifetimes: &[Lifetime]) {
    let hidden: Vec<Key> = judged
        .iter()
        .filter(|judged| judged.incident.trigger == Trigger::HiddenError)
        .map(|judged| judged.key)
        .collect();
    let odd = lifetimes.iter().find(|lifetime| lifetime.access / SECOND > MOBILE_ACCESS.1 * 2);
    for judged in judged.iter_mut().filter(|judged| judged.incident.trigger != Trigger::HiddenError) {
        let label = judged.verdict.opinion.label;
        if matches!(label, Label::StaleToken | Label::LifetimeExpiry | Label::RefreshFailure | Label::Inconclusive)
            && hidden.contains(&judged.key)
        {
            judged.contributing.push(Contribution {
                cause: Label::RefreshFailure,
                kind: "swallowed".into(),
                text: "the refresh of this user hides an error".into(),
            });
        }
        if let Some(odd) = odd.filter(|_| label == Label::StaleToken) {
            judged.contributing.push(Contribution {
                cause: Label::LifetimeExpiry,
                kind: "reactive_only".into(),
                text: format!("access tokens live {}, far beyond practice for mobile", span(odd.access)),
            });
        }
    }
}

impl Findings<'_> {
    fn text(&self, name: Name) -> String {
        self.names.text(name).to_owned()
    }

    pub(crate) fn source(&self, number: u32) -> Option<String> {
        self.sources.get(number as usize).cloned()
    }

    pub(crate) fn actor_ref(&self, key: Key) -> ActorRef {
        let empty = Actor::default();
        let actor = self.identified.actors.get(&key).unwrap_or(&empty);
        let texts = |names: &[Name]| {
            let mut texts: Vec<String> = names.iter().map(|name| self.text(*name)).collect();
            texts.sort();
            texts
        };
        let email = match key {
            Key::Email(email) => Some(self.text(email)),
            _ => texts(&actor.emails).into_iter().next(),
        };
        let user = if let Key::User(user) = key { Some(self.text(user)) } else { None };
        let mut ips = texts(&actor.addresses);
        if let Key::Address(address) = key
            && ips.is_empty()
        {
            ips.push(self.text(address));
        }
        ActorRef { user, email, ips, devices: texts(&actor.devices) }
    }
}

fn written(findings: &Findings<'_>, judged: &Judged, lifetimes: &[Lifetime]) -> Incident {
    let timeline = &findings.timelines[&judged.key];
    let opinion = &judged.verdict.opinion;
    let incident = &judged.incident;
    let recovered = incident.recovery.map(|place| timeline.items[place].time).filter(|time| *time >= incident.start);
    Incident {
        id: String::new(),
        scope: Scope::Actor,
        actor: Some(findings.actor_ref(judged.key)),
        affected_actors: 1,
        impact: judged.impact,
        start: rfc3339(incident.start),
        end: rfc3339(recovered.unwrap_or(incident.end).max(incident.start)),
        trigger: serde_json::to_value(incident.trigger)
            .ok()
            .and_then(|value| value.as_str().map(str::to_owned))
            .unwrap_or_default(),
        cause: opinion.label,
        kind: opinion.kind.to_owned(),
        confidence: rounded(judged.verdict.confidence),
        runner_up: judged
            .verdict
            .runner_up
            .map(|(cause, confidence)| RunnerUp { cause, confidence: rounded(confidence) }),
        evidence: evidence(findings, timeline, opinion),
        missing: opinion.missing.clone(),
        contributing: judged.contributing.clone(),
        fix: fix::step(&found(findings, judged, lifetimes)).title,
        timeline: moments::around(findings, timeline, incident),
    }
}

fn rounded(value: f64) -> f64 {
    (value * 100.0).round() / 100.0
}

fn evidence(findings: &Findings<'_>, timeline: &Timeline, opinion: &Opinion) -> Vec<Evidence> {
    let mut reasons: Vec<&crate::cause::Reason> = opinion.reasons.iter().collect();
    reasons.sort_by(|a, b| b.weight.total_cmp(&a.weight));
    reasons
        .into_iter()
        .map(|reason| {
            let item = reason.item.map(|place| &timeline.items[place]);
            Evidence {
                speaks_for: reason.weight > 0.0,
                weight: rounded(reason.weight),
                text: reason.text.clone(),
                source: item.and_then(|item| findings.source(item.source)),
                line: item.map(|item| item.line),
                time: item.map(|item| rfc3339(item.time)),
            }
        })
        .collect()
}

/// Where a finding's defect is, as far as the log shows it.
fn found(findings: &Findings<'_>, judged: &Judged, lifetimes: &[Lifetime]) -> fix::Found {
    let timeline = &findings.timelines[&judged.key];
    let opinion = &judged.verdict.opinion;
    let refresh = |place: &usize| {
        let item = &timeline.items[*place];
        let request = item.event.and_then(|event| findings.identified.events[event].request());
        matches!(item.kind, Kind::Refresh(_)).then_some((item, request))
    };
    let shown = judged.incident.signs.iter().find_map(refresh);
    let fault = judged.incident.signs.iter().find_map(|place| match &timeline.items[*place].kind {
        Kind::Refresh(Refresh::Fault(_, Some(fault)) | Refresh::Swallowed(fault)) => Some(fault),
        _ => None,
    });
    let place = fault.map(|fault| {
        let what = match fault.class {
            Some(class) => format!("{}: {}", findings.text(class), findings.text(fault.message)),
            None => findings.text(fault.message),
        };
        match fault.frames.first() {
            Some((place, method)) => {
                format!(
                    "{}{} at {}; {what}",
                    class_of(findings.names.text(*place)),
                    method_of(findings.names.text(*method)),
                    findings.text(*place)
                )
            }
            None => what,
        }
    });
    let endpoint = shown.and_then(|(_, request)| request).map(|request| {
        let action = request.action.map(|action| format!(" ({})", findings.text(action))).unwrap_or_default();
        format!("{} {}{action}", findings.text(request.method), findings.text(request.path))
    });
    fix::Found {
        label: opinion.label,
        kind: opinion.kind.to_owned(),
        affected: 1,
        place,
        endpoint: endpoint.filter(|_| opinion.label == Label::RefreshFailure),
        lifetime: lifetimes.first().map(|lifetime| span(lifetime.access)),
    }
}

/// `TokenRefreshService` from `app/services/token_refresh_service.rb:64`: Rails' own rule of names.
fn class_of(place: &str) -> String {
    let file = place.rsplit('/').next().unwrap_or(place);
    let stem = file.split('.').next().unwrap_or(file);
    stem.split('_')
        .map(|word| {
            let mut letters = word.chars();
            letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
        })
        .collect()
}

/// `#google_token_valid?`; from Ruby 3.4 on the method already has its class.
fn method_of(method: &str) -> String {
    match method.rsplit_once(['#', '.']) {
        Some((_, method)) => format!("#{method}"),
        None => format!("#{method}"),
    }
}

fn kept(filter: &crate::config::Filter, incident: &Incident) -> bool {
    let actor = incident.actor.as_ref();
    let user = filter.user.as_ref().is_none_or(|wanted| {
        actor.is_some_and(|actor| actor.user.as_ref() == Some(wanted) || actor.email.as_ref() == Some(wanted))
    });
    let address = filter.address.as_ref().is_none_or(|wanted| actor.is_some_and(|actor| actor.ips.contains(wanted)));
    let micros = |text: &str| DateTime::parse_from_rfc3339(text).map_or(0, |time| time.timestamp_micros());
    let since = filter.since.is_none_or(|since| micros(&incident.end) >= since);
    let until = filter.until.is_none_or(|until| micros(&incident.start) <= until);
    let cause = filter.causes.is_empty()
        || filter.causes.iter().any(|wanted| {
            *wanted == incident.cause.as_str() || *wanted == format!("{}/{}", incident.cause, incident.kind)
        });
    user && address && since && until && cause
}

fn actor_order(incident: &Incident) -> (Option<String>, Vec<String>) {
    incident.actor.as_ref().map_or((None, Vec::new()), |actor| (actor.user.clone(), actor.ips.clone()))
}

/// What weighs most for an actor decides its verdict: a drop over a hindrance over a defect, and the surer.
fn actors(
    findings: &Findings<'_>,
    incidents: &[(Option<Key>, Incident)],
    attacks: &[incident::service::Attack],
    restarts: &[incident::service::Restart],
) -> Vec<ActorFinding> {
    let mut out = Vec::new();
    for key in findings.identified.actors.keys() {
        let people = match key {
            Key::User(_) | Key::Email(_) => true,
            Key::Address(address) => {
                let timeline = &findings.timelines[key];
                !attacks.iter().any(|attack| attack.address == *address) && !timeline.items.is_empty()
            }
            Key::Trace(number) => findings.identified.client_sources.contains(number),
        };
        if !people {
            continue;
        }
        let mut ids = Vec::new();
        let mut weights: BTreeMap<Label, f64> = BTreeMap::new();
        for (whose, incident) in incidents {
            if *whose == Some(*key) {
                ids.push(incident.id.clone());
                let weight = match incident.impact {
                    Impact::Dropped => 3.0,
                    Impact::Degraded => 1.0,
                    Impact::Latent => 0.5,
                };
                *weights.entry(incident.cause).or_default() += weight * incident.confidence;
            } else if incident.cause == Label::ServerRestart && incident.scope == Scope::Service {
                let cut = restarts
                    .iter()
                    .any(|restart| rfc3339(restart.start) == incident.start && restart.cut.contains(key));
                if cut {
                    ids.push(incident.id.clone());
                }
            }
        }
        // A restart's wake is the restart's, not the actor's.
        weights.remove(&Label::ServerRestart);
        if weights.len() > 1 {
            weights.remove(&Label::Inconclusive);
        }
        let verdict = weights
            .iter()
            .max_by(|a, b| a.1.total_cmp(b.1).then(b.0.cmp(a.0)))
            .map_or("healthy", |(label, _)| label.as_str());
        let actor = findings.actor_ref(*key);
        out.push(ActorFinding {
            user: actor.user.or_else(|| match key {
                Key::Email(_) => actor.email.clone(),
                _ => None,
            }),
            ips: actor.ips,
            verdict: verdict.to_owned(),
            incidents: ids,
        });
    }
    out.sort_by(|a, b| {
        let number =
            |user: &Option<String>| user.as_ref().and_then(|user| user.parse::<u64>().ok()).unwrap_or(u64::MAX);
        (a.user.is_none(), number(&a.user), &a.user, &a.ips).cmp(&(b.user.is_none(), number(&b.user), &b.user, &b.ips))
    });
    out
}

fn fix_plan(
    findings: &Findings<'_>,
    judged: &[Judged],
    attacks: &[incident::service::Attack],
    restarts: &[incident::service::Restart],
    lifetimes: &[Lifetime],
    filter: &crate::config::Filter,
) -> Vec<FixStep> {
    let mut by_kind: BTreeMap<(Label, String), (fix::Found, Vec<Key>)> = BTreeMap::new();
    for judged in judged {
        if !kept(filter, &written(findings, judged, lifetimes)) {
            continue;
        }
        let new = found(findings, judged, lifetimes);
        let entry = by_kind.entry((new.label, new.kind.clone())).or_insert_with(|| (new.clone(), Vec::new()));
        entry.0.place = entry.0.place.take().or(new.place);
        entry.0.endpoint = entry.0.endpoint.take().or(new.endpoint);
        if !entry.1.contains(&judged.key) {
            entry.1.push(judged.key);
        }
    }
    // Kinds that one change mends are one step.
    // Kinds that one change mends are one step.
    let mut whose: BTreeMap<String, BTreeSet<Key>> = BTreeMap::new();
    let mut steps: Vec<(fix::Step, Label, String, u64)> = Vec::new();
    for (found, keys) in by_kind.into_values() {
        let step = fix::step(&found);
        let people = whose.entry(step.title.clone()).or_default();
        people.extend(keys);
        match steps.iter_mut().find(|(known, ..)| known.title == step.title) {
            Some((.., count)) => *count = people.len() as u64,
            None => steps.push((step, found.label, found.kind, people.len() as u64)),
        }
    }
    let wanted = |label: Label| filter.causes.is_empty() || filter.causes.iter().any(|cause| cause == label.as_str());
    let service = |label: Label, kind: &str| fix::Found {
        label,
        kind: kind.to_owned(),
        affected: 0,
        place: None,
        endpoint: None,
        lifetime: None,
    };
    if !attacks.is_empty() && wanted(Label::CredentialAttack) {
        let found = service(Label::CredentialAttack, "guessing");
        steps.push((fix::step(&found), found.label, found.kind, 0));
    }
    let cut: u64 = restarts.iter().map(|restart| restart.cut.len() as u64).sum();
    if !restarts.is_empty() && wanted(Label::ServerRestart) && !steps.iter().any(|step| step.1 == Label::ServerRestart)
    {
        let found = service(Label::ServerRestart, "deploy");
        steps.push((fix::step(&found), found.label, found.kind, cut));
    }
    steps.sort_by(|a, b| (a.0.rank, &a.0.title).cmp(&(b.0.rank, &b.0.title)));
    steps
        .into_iter()
        .zip(1..)
        .map(|((step, cause, kind, affected_actors), order)| FixStep {
            order,
            cause,
            kind,
            title: step.title,
            why: step.why,
            affected_actors,
        })
        .collect()
}

/// Lifetimes that clients were told (`expires_in`), as far as uses did not show them.
fn stated_lifetimes(events: &[Event], inferred: &[Lifetime]) -> Vec<Lifetime> {
    let mut stated: BTreeMap<u32, usize> = BTreeMap::new();
    for event in events {
        let seconds = match &event.what {
            What::Request(request) => request.expires_in,
            What::Lifetime(seconds) | What::ClientRefresh(ClientRefresh::Done { expires_in: Some(seconds) }) => {
                Some(*seconds)
            }
            _ => None,
        };
        if let Some(seconds) = seconds.filter(|seconds| *seconds >= 60) {
            *stated.entry(seconds).or_default() += 1;
        }
    }
    stated
        .into_iter()
        .map(|(seconds, support)| {
            let access = i64::from(seconds) * SECOND;
            Lifetime { access, support, between: (access, access), known_by: KnownBy::ExpiresIn }
        })
        .filter(|stated| inferred.iter().all(|known| (known.access - stated.access).abs() > stated.access / 10))
        .collect()
}

fn lifetime_findings(findings: &Findings<'_>, lifetimes: &[Lifetime], lead: Option<i64>) -> Vec<LifetimeFinding> {
    let mobile = !findings.identified.client_sources.is_empty();
    let (platform, recommended) =
        if mobile { ("mobile", MOBILE_ACCESS) } else { ("unknown", (MOBILE_ACCESS.0, WEB_ACCESS.1)) };
    lifetimes
        .iter()
        .map(|lifetime| {
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
                access_seconds: seconds,
                support: lifetime.support as u64,
                known_by: lifetime.known_by,
                between: (lifetime.between.0 / SECOND, lifetime.between.1 / SECOND),
                recommended,
                verdict: verdict.into(),
                refreshed_at_seconds: lead.map(|lead| lead / SECOND).filter(|lead| *lead < seconds),
            }
        })
        .collect()
}

/// Takes out what a proxy says of requests where the app itself speaks of its own, and says how many those were: a request counts
/// once, and the app's lines say more of it.
fn drop_proxied(assembled: &mut [Assembled]) -> usize {
    let proxied = |event: &Event| event.request().is_some_and(|request| request.proxied);
    let of_app =
        |event: &Event| event.request().is_some_and(|request| request.side == Side::Server && !request.proxied);
    if !assembled.iter().any(|source| source.events.iter().any(of_app)) {
        return 0;
    }
    let count = |source: &Assembled| source.events.iter().filter(|event| proxied(event)).count();
    let before: usize = assembled.iter().map(count).sum();
    for source in assembled {
        source.events.retain(|event| !proxied(event));
    }
    before
}

/// For each source that shows no request, socket or session of an app: what it is instead.
fn seen_instead(inputs: &[Input], identified: &Identified, behind_proxy: bool) -> Vec<String> {
    let mut shown = vec![(0_u64, 0_u64); inputs.len()];
    for event in &identified.events {
        let Some((own, proxied)) = shown.get_mut(event.source as usize) else { continue };
        match &event.what {
            What::Note { .. }
            | What::Process(_)
            | What::AppStart
            | What::Lifecycle { .. }
            | What::NetworkDown
            | What::Lifetime(_) => {}
            What::Request(request) if request.proxied => *proxied += 1,
            _ => *own += 1,
        }
    }
    let sources = inputs.iter().zip(shown).filter(|(input, (own, _))| input.lines > 0 && *own == 0);
    sources
        .filter_map(|(input, (_, proxied))| {
            let name = &input.source;
            let seen = match (&input.envelope, &input.dialect) {
                (None, None) => "nothing of any format that is known".to_owned(),
                (Some(envelope), None) => format!("{envelope} frames around words of no format that is known"),
                (None, Some(dialect)) => dialect.clone(),
                (Some(envelope), Some(dialect)) => format!("{dialect} in {envelope} frames"),
            };
            if proxied > 0 {
                return Some(format!(
                    "{name}: {proxied} requests as a proxy or web server saw them ({seen}), none in an app's own words: users are \
                     not named there, so sign-outs can be judged by address at best."
                ));
            }
            // A proxy's lines that were left out say nothing else than the app's, and that was said.
            let of_proxy = ["access-log", "heroku-router", "render-requests", "json-requests"];
            if behind_proxy && input.dialect.as_ref().is_some_and(|dialect| of_proxy.iter().any(|name| dialect.contains(name))) {
                return None;
            }
            Some(format!(
                "{name}: no request, socket or session of an app is in it; what was seen is {seen}, and {} of {} lines were not \
                 understood (`why401 formats --test`, `why401 parse --unrecognised`). Nothing can be said of sign-outs by it.",
                input.unrecognised, input.lines
            ))
        })
        .collect()
}

fn notes(findings: &Findings<'_>) -> Vec<String> {
    let mut notes = Vec::new();
    let identified = findings.identified;
    match (identified.has_server, identified.client_sources.is_empty()) {
        (true, true) => notes.push(
            "Server logs only: what the devices did (storage, clock, network, sign-outs without a call) is inferred. A client's trace would show it.".into(),
        ),
        (false, false) => notes.push(
            "Client traces only: what the server did (errors under a refresh, revocations, restarts) is inferred. The server's log would show it.".into(),
        ),
        _ => {}
    }
    if !identified.shared_addresses.is_empty() {
        let shared = identified.shared_addresses.iter().filter(|address| !identified.proxies.contains(address)).count();
        notes.push(format!("{shared} address(es) were used by several users; what names no user there was given to somebody only where one stands out."));
    }
    for proxy in &identified.proxies {
        let address = findings.text(*proxy);
        notes.push(format!("{address} is the machine's own or a proxy's address: it names nobody, so only users that lines name are judged. Let the proxy set X-Forwarded-For, or tag lines with the user's id."));
    }
    let order_only = identified
        .events
        .iter()
        .filter(|event| {
            event.request().is_some_and(|request| {
                request.side == Side::Server
                    && request.grouped_by == why401_parsers::event::GroupedBy::Order
                    && request.status.is_some()
            })
        })
        .count();
    if order_only > 0 {
        notes.push(format!("{order_only} requests were put together by the order of their lines: the log has no request ids. Tag lines with `config.log_tags = [:request_id]`."));
    }
    notes
}
