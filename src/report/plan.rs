//! The fix plan: one step for what one change mends.

use std::collections::{BTreeMap, BTreeSet};

use super::written::{found, kept, written};
use super::{Findings, Judged};
use crate::actor::Key;
use crate::cause::case::span;
use crate::cause::{Label, fix};
use crate::diagnosis::FixStep;
use crate::incident;

pub(super) fn fix_plan(
    findings: &Findings<'_>,
    judged: &[&Judged],
    attacks: &[&incident::service::Attack],
    restarts: &[&incident::service::Restart],
    filter: &crate::config::Filter,
) -> Vec<FixStep> {
    let mut by_kind: BTreeMap<(Label, String), (fix::Found, BTreeSet<Key>)> = BTreeMap::new();
    let mut lives: BTreeMap<(Label, String), BTreeMap<i64, BTreeSet<Key>>> = BTreeMap::new();
    for judged in judged {
        // Writing an incident down costs more than all the rest; without a filter all are kept.
        if !filter.is_empty() && !kept(filter, &written(findings, judged)) {
            continue;
        }
        let new = found(findings, judged);
        let entry = by_kind.entry((new.label, new.kind.clone())).or_insert_with(|| (new.clone(), BTreeSet::new()));
        entry.0.place = entry.0.place.take().or(new.place);
        entry.0.endpoint = entry.0.endpoint.take().or(new.endpoint);
        entry.1.insert(judged.key);
        if let Some(life) = judged.lifetime {
            let of = (entry.0.label, entry.0.kind.clone());
            lives.entry(of).or_default().entry(life).or_default().insert(judged.key);
        }
    }
    for (of, (found, _)) in &mut by_kind {
        found.lifetime = lives.get(of).and_then(in_words);
    }
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

/// How many lifetimes a step names.
const MOST_LIVES: usize = 2;

/// The lifetimes that most people met, the commonest first, of equals the longest: `24 h or 60 min`.
fn in_words(lives: &BTreeMap<i64, BTreeSet<Key>>) -> Option<String> {
    let mut lives: Vec<(usize, i64)> = lives.iter().map(|(life, people)| (people.len(), *life)).collect();
    lives.sort_unstable_by(|a, b| b.cmp(a));
    let words: Vec<String> = lives.iter().take(MOST_LIVES).map(|(_, life)| span(*life)).collect();
    Some(words.join(" or ")).filter(|words| !words.is_empty())
}
