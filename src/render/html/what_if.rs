//! What other lifetimes would have changed, as rows of a table.

use serde::Serialize;

use super::view::text;
use crate::cause::case::span;
use crate::policy::{Policy, Replay, Terms};
use crate::render::words::number;
use crate::session::SECOND;

/// Terms, and kinds of incidents, that are shown.
const MOST: usize = 20;

/// The section.
#[derive(Serialize)]
pub(super) struct WhatIf {
    replays: Vec<Row>,
    suggestion: Option<Suggestion>,
    fates: Vec<FateRow>,
}

#[derive(Serialize)]
struct Row {
    access: String,
    refresh: String,
    lead: String,
    grace: String,
    sockets: &'static str,
    gone: String,
    staying: String,
    refreshes: String,
    best: bool,
}

#[derive(Serialize)]
struct Suggestion {
    terms: String,
    why: String,
}

#[derive(Serialize)]
struct FateRow {
    what: String,
    cases: String,
    gone: String,
    why: String,
}

/// The section; `None` where nothing was replayed or nothing happened.
pub(super) fn what_if(policy: &Policy) -> Option<WhatIf> {
    if policy.observed.is_empty() || policy.replays.is_empty() {
        return None;
    }
    let suggested = policy.suggestions.first();
    let is_best = |replay: &&Replay| suggested.is_some_and(|suggested| suggested.terms == replay.terms);
    let best = policy.replays.iter().find(is_best).or(policy.replays.first());
    Some(WhatIf {
        replays: policy.replays.iter().take(MOST).map(|replay| row(replay, is_best(&replay))).collect(),
        suggestion: suggested
            .map(|suggested| Suggestion { terms: in_words(suggested.terms), why: text(&suggested.why) }),
        fates: best
            .iter()
            .flat_map(|replay| &replay.fates)
            .take(MOST)
            .map(|fate| FateRow {
                what: text(&fate.what),
                cases: number(fate.cases as u64),
                gone: number(fate.gone as u64),
                why: text(&fate.why),
            })
            .collect(),
    })
}

fn row(replay: &Replay, best: bool) -> Row {
    let terms = replay.terms;
    Row {
        access: time(terms.access),
        refresh: time(terms.refresh),
        lead: time(terms.lead),
        grace: time(terms.grace),
        sockets: if terms.reconnect { "reopened" } else { "as they are" },
        gone: number(replay.gone as u64),
        staying: number(replay.staying as u64),
        refreshes: format!("{:.1}", replay.refreshes_per_day),
        best,
    }
}

fn time(seconds: i64) -> String {
    if seconds == 0 { "none".to_owned() } else { span(seconds.saturating_mul(SECOND)) }
}

fn in_words(terms: Terms) -> String {
    let sockets = if terms.reconnect { ", sockets reopened after each refresh" } else { "" };
    format!(
        "access tokens {}, refresh tokens {}, replaced {} before the end, leeway {}{sockets}",
        time(terms.access),
        time(terms.refresh),
        time(terms.lead),
        time(terms.grace)
    )
}
