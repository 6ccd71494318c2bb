//! Diagnoses of one section after the other put together to that of the whole log.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::super::people::{self, Weights};
use super::super::series::joined;
use super::super::{listing_order, who_is_at};
use super::{Scope, Who};
use crate::cause::{Label, fix};
use crate::diagnosis::{
    ActorFinding, AgeBin, Day, Diagnosis, Endpoint, FixStep, Impact, Incident, Input, PlatformDay, ReleaseDay,
    Scope as Hit, Summary, UnauthorizedBy,
};

/// The diagnosis of a section.
pub(crate) struct Part {
    pub(crate) diagnosis: Diagnosis,
    /// Who each of its actors is and what each cause weighs for him, in their order.
    pub(crate) people: Vec<(Who, Weights)>,
    /// Who each of its incidents hit, in their order.
    pub(crate) whose: Vec<Option<Who>>,
    /// What the next section is to know.
    pub(crate) after: Option<Scope>,
}

/// What was diagnosed so far.
#[derive(Clone, Debug)]
pub(crate) struct Whole {
    /// Room for listed incidents, in bytes.
    room: usize,
    listed: Vec<Listed>,
    size: usize,
    /// So many incidents had no room.
    unlisted: u64,
    people: BTreeMap<Who, Sum>,
    /// Addresses that attacked in some section: in others they may look like people.
    attackers: BTreeSet<String>,
    /// Steps of the plan by what they are for, with whom they would have helped.
    steps: BTreeMap<(Label, String), (FixStep, BTreeSet<Who>)>,
    days: BTreeMap<String, Day>,
    ages: BTreeMap<i64, AgeBin>,
    endpoints: BTreeMap<(String, String, String), bool>,
    /// All the rest, as the sections before have it.
    rest: Diagnosis,
    sections: usize,
}

/// An incident in the list, written down without space: as it is it would take four times as much, in pieces all over the memory.
#[derive(Clone, Debug)]
struct Listed {
    /// The section that found it and its number there.
    of: (usize, usize),
    /// How it compares with others; less is more.
    importance: (bool, Impact, Reverse<u8>),
    /// Without its timeline.
    incident: Box<[u8]>,
    timeline: Option<Box<[u8]>>,
    /// Its timeline had no room.
    bare: bool,
}

impl Listed {
    fn of(of: (usize, usize), mut incident: Incident) -> postcard::Result<Self> {
        // Percents are fine enough.
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a chance is between 0 and 1")]
        let percent = (incident.confidence * 100.0).round() as u8;
        let importance = (incident.scope == Hit::Actor, incident.impact, Reverse(percent));
        let timeline = std::mem::take(&mut incident.timeline);
        let written = (!timeline.is_empty()).then(|| postcard::to_stdvec(&timeline)).transpose()?;
        Ok(Self {
            of,
            importance,
            incident: postcard::to_stdvec(&incident)?.into(),
            timeline: written.map(Into::into),
            bare: false,
        })
    }

    /// How much memory it takes, in bytes.
    fn size(&self) -> usize {
        size_of::<Self>() + self.incident.len() + self.timeline.as_ref().map_or(0, |timeline| timeline.len())
    }

    /// As it was.
    fn incident(&self) -> Option<Incident> {
        let timeline = self.timeline.as_ref().and_then(|timeline| postcard::from_bytes(timeline).ok());
        let incident: Incident = postcard::from_bytes(&self.incident).ok()?;
        Some(Incident { timeline: timeline.unwrap_or_default(), ..incident })
    }
}

/// One person over all sections.
#[derive(Clone, Debug, Default)]
struct Sum {
    finding: ActorFinding,
    weights: Weights,
    dropped: bool,
    /// Incidents by section and number.
    incidents: Vec<(usize, usize)>,
}

impl Whole {
    /// Nothing yet, with room for so many bytes of incidents.
    pub(super) fn within(room: usize) -> Self {
        Self {
            room,
            listed: Vec::new(),
            size: 0,
            unlisted: 0,
            people: BTreeMap::new(),
            attackers: BTreeSet::new(),
            steps: BTreeMap::new(),
            days: BTreeMap::new(),
            ages: BTreeMap::new(),
            endpoints: BTreeMap::new(),
            rest: Diagnosis::default(),
            sections: 0,
        }
    }

    /// The diagnosis of all sections, of which this is the last.
    pub(crate) fn with(mut self, last: Part) -> Diagnosis {
        self.add(last);
        self.finish()
    }

    /// Adds that of the next section.
    pub(super) fn add(&mut self, part: Part) {
        let Part { diagnosis, people, whose, .. } = part;
        let Diagnosis {
            schema_version,
            tool,
            inputs,
            summary,
            days,
            series,
            ages,
            lifetimes,
            endpoints,
            incidents,
            actors,
            fix_plan,
            notes,
            // Neither goes with sections: a time from which on is looked, and what other lifetimes would have changed.
            since: _,
            policy: _,
        } = diagnosis;
        for ((who, weights), actor) in people.into_iter().zip(actors) {
            self.add_person(who, weights, actor);
        }
        self.add_steps(fix_plan, &incidents, &whose);
        for (incident, who) in incidents.iter().zip(&whose) {
            let sum = who.as_ref().and_then(|who| self.people.get_mut(who));
            if let Some(sum) = sum.filter(|_| incident.impact == Impact::Dropped) {
                sum.dropped = true;
            }
        }
        let attacks = incidents.iter().filter(|incident| incident.cause == Label::CredentialAttack);
        self.attackers.extend(attacks.filter_map(|incident| Some(incident.actor.as_ref()?.ips.first()?.clone())));
        for (number, incident) in incidents.into_iter().enumerate() {
            // What cannot be written down (there is nothing of the sort) is counted all the same.
            match Listed::of((self.sections, number), incident) {
                Ok(listed) => {
                    self.size += listed.size();
                    self.listed.push(listed);
                }
                Err(_) => self.unlisted += 1,
            }
        }
        self.make_room();
        for day in days {
            add_day(self.days.entry(day.day.clone()).or_default(), day);
        }
        for bin in ages {
            let sum = self.ages.entry(bin.from_seconds).or_insert_with(|| AgeBin {
                refused: 0,
                sockets_refused: 0,
                accepted: 0,
                ..bin
            });
            sum.refused += bin.refused;
            sum.sockets_refused += bin.sockets_refused;
            sum.accepted += bin.accepted;
        }
        let of = |Endpoint { method, path, role, by_behaviour }| ((role, path, method), by_behaviour);
        self.endpoints.extend(endpoints.into_iter().map(of));
        add_summary(&mut self.rest.summary, summary);
        self.rest.series = joined(std::mem::take(&mut self.rest.series), series);
        self.rest.inputs = add_inputs(std::mem::take(&mut self.rest.inputs), inputs);
        (self.rest.schema_version, self.rest.tool) = (schema_version, tool);
        // These the sections sum up themselves.
        self.rest.lifetimes = lifetimes;
        self.rest.notes = notes;
        self.sections += 1;
    }

    fn add_person(&mut self, who: Who, weights: Weights, actor: ActorFinding) {
        let sum = self.people.entry(who).or_default();
        for (label, weight) in weights {
            *sum.weights.entry(label).or_default() += weight;
        }
        let own = actor.incidents.iter().filter_map(|id| id.strip_prefix('i')?.parse::<usize>().ok());
        sum.incidents.extend(own.map(|number| (self.sections, number - 1)));
        let finding = &mut sum.finding;
        finding.active_hours += actor.active_hours;
        finding.user = actor.user.or(finding.user.take());
        let mut ips = actor.ips;
        ips.retain(|ip| !finding.ips.contains(ip));
        // Most people have one address; a list that grows by itself has room for four.
        finding.ips.reserve_exact(ips.len());
        finding.ips.extend(ips);
        finding.ips.sort_unstable();
    }

    /// A step is the same where it is for the same; it would have helped those whose incidents it is for.
    fn add_steps(&mut self, plan: Vec<FixStep>, incidents: &[Incident], whose: &[Option<Who>]) {
        for step in plan {
            let is_for = |incident: &Incident| {
                (incident.cause, &incident.kind) == (step.cause, &step.kind) || incident.fix == step.title
            };
            let (known, helped) = self
                .steps
                .entry((step.cause, step.kind.clone()))
                .or_insert_with(|| (FixStep { affected_actors: 0, ..step.clone() }, BTreeSet::new()));
            let mut nameless = true;
            for (_, who) in incidents.iter().zip(whose).filter(|(incident, _)| is_for(incident)) {
                nameless &= who.is_none();
                helped.extend(who);
            }
            // What hits a whole service names nobody.
            known.affected_actors += if nameless { step.affected_actors } else { 0 };
        }
    }

    /// Where listed incidents have no room, their timelines go, then they themselves; the least severe and sure first.
    fn make_room(&mut self) {
        if self.size <= self.room {
            return;
        }
        let goal = self.room / 4 * 3;
        self.listed.sort_unstable_by_key(|listed| (listed.importance, listed.of));
        for listed in self.listed.iter_mut().rev() {
            if self.size <= goal {
                break;
            }
            if let Some(timeline) = listed.timeline.take() {
                self.size -= timeline.len();
                listed.bare = true;
            }
        }
        while self.size > goal {
            let Some(listed) = self.listed.pop() else { break };
            self.size -= listed.size();
            self.unlisted += 1;
        }
    }

    fn finish(mut self) -> Diagnosis {
        for address in std::mem::take(&mut self.attackers) {
            if let Some(sum) = self.people.remove(&who_is_at(&address)) {
                let hours = &mut self.rest.summary.active_hours;
                *hours = hours.saturating_sub(sum.finding.active_hours);
            }
        }
        let Self { listed, mut rest, .. } = self;
        let bare = listed.iter().filter(|listed| listed.bare).count();
        let incidents = listed.into_iter().filter_map(|listed| Some((listed.of, listed.incident()?)));
        let mut incidents: Vec<((usize, usize), Incident)> = incidents.collect();
        incidents.sort_by(|(_, a), (_, b)| listing_order(a, b));
        let mut ids: HashMap<(usize, usize), String> = HashMap::with_capacity(incidents.len());
        for (number, (of, incident)) in incidents.iter_mut().enumerate() {
            incident.id = format!("i{}", number + 1);
            ids.insert(*of, incident.id.clone());
        }
        let summary = &mut rest.summary;
        summary.dropped_actors = self.people.values().filter(|sum| sum.dropped).count() as u64;
        let mut actors: Vec<ActorFinding> = Vec::with_capacity(self.people.len());
        for sum in self.people.into_values() {
            let verdict = people::verdict(&sum.weights).into();
            let incidents = sum.incidents.iter().filter_map(|of| ids.get(of).cloned()).collect();
            actors.push(ActorFinding { verdict, incidents, ..sum.finding });
        }
        actors.sort_by(people::order);
        summary.actors = actors.len() as u64;
        summary.healthy_actors = actors.iter().filter(|actor| actor.verdict == "healthy").count() as u64;
        rest.actors = actors;
        rest.incidents = incidents.into_iter().map(|(_, incident)| incident).collect();
        rest.days = self.days.into_values().collect();
        rest.ages = self.ages.into_values().collect();
        let endpoint = |((role, path, method), by_behaviour)| Endpoint { method, path, role, by_behaviour };
        rest.endpoints = self.endpoints.into_iter().map(endpoint).collect();
        rest.fix_plan = plan(self.steps);
        rest.notes.push(in_words(self.sections, bare, self.unlisted));
        rest
    }
}

/// What was left out for want of memory.
fn in_words(sections: usize, bare: usize, unlisted: u64) -> String {
    let mut note = format!(
        "More was in the log than --max-memory holds at once: it was diagnosed in {sections} sections of log time. All is counted; of what \
         was long before or after, an incident knows less than it would."
    );
    if unlisted > 0 {
        note.push_str(&format!(" {unlisted} incidents, the least severe and sure, are counted and not listed."));
    }
    if bare > 0 {
        note.push_str(&format!(" {bare} of those listed have no timeline."));
    }
    note
}

/// The steps in the order in which they have to be done.
fn plan(steps: BTreeMap<(Label, String), (FixStep, BTreeSet<Who>)>) -> Vec<FixStep> {
    let rank = |step: &FixStep| {
        let kind = step.kind.clone();
        fix::step(&fix::Found { label: step.cause, kind, affected: 0, place: None, endpoint: None, lifetime: None })
            .rank
    };
    let with_people = |(step, helped): (FixStep, BTreeSet<Who>)| FixStep {
        affected_actors: step.affected_actors + helped.len() as u64,
        ..step
    };
    let mut steps: Vec<FixStep> = steps.into_values().map(with_people).collect();
    steps.sort_by(|a, b| (rank(a), &a.title).cmp(&(rank(b), &b.title)));
    for (step, order) in steps.iter_mut().zip(1..) {
        step.order = order;
    }
    steps
}

fn add_summary(sum: &mut Summary, new: Summary) {
    let Summary {
        // People are counted in the end.
        actors: _,
        healthy_actors: _,
        dropped_actors: _,
        requests,
        unauthorized,
        refreshes,
        refresh_failures,
        cable_connects,
        cable_rejects,
        cable_failed_upgrades,
        cable_disconnects,
        incidents,
        active_hours,
        unauthorized_by,
        by_cause,
    } = new;
    sum.requests += requests;
    sum.unauthorized += unauthorized;
    sum.refreshes += refreshes;
    sum.refresh_failures += refresh_failures;
    sum.cable_connects += cable_connects;
    sum.cable_rejects += cable_rejects;
    sum.cable_failed_upgrades += cable_failed_upgrades;
    sum.cable_disconnects += cable_disconnects;
    sum.incidents += incidents;
    sum.active_hours += active_hours;
    for (cause, count) in by_cause {
        *sum.by_cause.entry(cause).or_default() += count;
    }
    let UnauthorizedBy { incident, failed_login, never_signed_in, in_flight, after_logout, attack, unexplained } =
        unauthorized_by;
    let by = &mut sum.unauthorized_by;
    by.incident += incident;
    by.failed_login += failed_login;
    by.never_signed_in += never_signed_in;
    by.in_flight += in_flight;
    by.after_logout += after_logout;
    by.attack += attack;
    by.unexplained += unexplained;
}

fn add_day(sum: &mut Day, new: Day) {
    let Day {
        day,
        requests,
        unauthorized,
        refreshes,
        refresh_failures,
        incidents,
        drops,
        dropped_actors,
        active_actors,
        active_hours,
        platforms,
        releases,
    } = new;
    sum.day = day;
    sum.requests += requests;
    sum.unauthorized += unauthorized;
    sum.refreshes += refreshes;
    sum.refresh_failures += refresh_failures;
    sum.incidents += incidents;
    sum.drops += drops;
    sum.dropped_actors += dropped_actors;
    sum.active_actors += active_actors;
    sum.active_hours += active_hours;
    add_parts(
        &mut sum.platforms,
        platforms,
        |part| &part.platform,
        |part| {
            let PlatformDay { platform: _, active_actors, active_hours, incidents, drops, dropped_actors } = part;
            [active_actors, active_hours, incidents, drops, dropped_actors]
        },
    );
    add_parts(
        &mut sum.releases,
        releases,
        |part| &part.release,
        |part| {
            let ReleaseDay { release: _, active_actors, active_hours, incidents, drops, dropped_actors } = part;
            [active_actors, active_hours, incidents, drops, dropped_actors]
        },
    );
}

/// Adds the counts of parts of one name. Both lists are in the order of names.
fn add_parts<P>(sums: &mut Vec<P>, new: Vec<P>, name: fn(&P) -> &str, counts: fn(&mut P) -> [&mut u64; 5]) {
    for mut part in new {
        match sums.binary_search_by(|known| name(known).cmp(name(&part))) {
            Ok(place) => {
                for (sum, count) in counts(&mut sums[place]).into_iter().zip(counts(&mut part)) {
                    *sum += *count;
                }
            }
            Err(place) => sums.insert(place, part),
        }
    }
}

/// Lines are counted over all sections; times are those of what is held.
fn add_inputs(known: Vec<Input>, new: Vec<Input>) -> Vec<Input> {
    let with_times = |(place, new): (usize, Input)| match known.get(place) {
        Some(known) => Input {
            first: [&known.first, &new.first].into_iter().flatten().min().cloned(),
            last: [&known.last, &new.last].into_iter().flatten().max().cloned(),
            late: known.late.max(new.late),
            ..new
        },
        None => new,
    };
    new.into_iter().enumerate().map(with_times).collect()
}
