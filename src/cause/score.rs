//! From evidence to a verdict: the cause with the most evidence, how sure, and the next best.

use super::case::Case;
use super::{CAUSES, Label, Opinion};

/// A verdict on an incident.
#[derive(Clone, Debug)]
pub struct Verdict {
    /// The cause that explains it best, with its evidence.
    pub opinion: Opinion,
    /// The chance that it is right, 0 to 1.
    pub confidence: f64,
    /// The next best and its chance.
    pub runner_up: Option<(Label, f64)>,
}

/// Evidence below this sum names no cause: as likely as not it is something that nobody thought of.
const LEAST_EVIDENCE: f64 = 0.9;

/// What "something else" weighs against the causes: with evidence of this sum a cause is as likely as not.
const SOMETHING_ELSE: f64 = 0.4;

/// What a refusal loses that may be another request's: of two that were open at once it is the right one about half of the
/// time, and a misplaced one looks like one failing endpoint beside others that work.
const BY_ORDER: f64 = -3.0;

/// What a refusal loses that may be somebody else's of a shared address, and the absence of one that may have been put to another request.
const GUESSED: f64 = -2.0;

/// No verdict is surer than this with both sides' logs, with the server's alone, with the client's alone. (Server only misses
/// what the device did, client only misses what the server did.)
const CEILINGS: (f64, f64, f64) = (0.985, 0.975, 0.955);

/// Nor than this where a proxy's address stands on every line: what names nobody is nobody's there, so half of a story may be missing.
const HIDDEN: f64 = 0.92;

/// Nor where which answer belongs to which request is known by the order of lines alone.
const MIXED_UP: f64 = 0.92;

/// Nor where refreshes are written elsewhere: whether one was tried, and how it ended, decides between the three main causes.
const RENEWED_UNSEEN: f64 = 0.7;

/// Weights are the sums of reasons that hang together, chosen with care not to say too much; taken at their word they are less sure than
/// they are right. The exponent that mends it, cross-validated by scenario (`tests/calibration.rs`, docs/calibration.md).
pub const SHARPNESS: f64 = 1.8;

/// A chance in the sharpness that labelled logs bear out.
fn sharpened(chance: f64) -> f64 {
    let (for_it, against) = (chance.powf(SHARPNESS), (1.0 - chance).max(0.0).powf(SHARPNESS));
    for_it / (for_it + against)
}

const UNSEEN: &str = "the log of what answers refreshes: sessions go on after refusals, and these logs show no refresh";

/// Weighs all causes.
#[must_use]
pub fn verdict(case: &Case<'_>) -> Verdict {
    let mut opinions: Vec<Opinion> = CAUSES.iter().filter_map(|cause| cause.judge(case)).collect();
    for opinion in &mut opinions {
        let text = "the log has no request ids, and several requests were open: which of them was refused is a guess";
        opinion.add(case.facts.by_order, BY_ORDER, text, Some(case.first()));
        let text = "the log has no request ids: a refusal before it may have been put to another request";
        opinion.add(case.facts.unsure_absence, GUESSED, text, Some(case.first()));
        let text = "several people share the address, and the refused calls name nobody: whose they are is a guess";
        opinion.add(case.facts.guessed, GUESSED, text, Some(case.first()));
    }
    opinions.sort_by(|a, b| b.score().total_cmp(&a.score()).then(a.label.cmp(&b.label)));
    let total: f64 = opinions.iter().map(|opinion| opinion.score().exp()).sum::<f64>() + SOMETHING_ELSE.exp();
    let ceiling = match (case.timeline.has_server, case.timeline.has_client) {
        (true, true) => CEILINGS.0,
        (true, false) => CEILINGS.1,
        _ => CEILINGS.2,
    };
    let ceiling = if case.world.hidden { ceiling.min(HIDDEN) } else { ceiling };
    let ceiling = if case.world.mixed_up { ceiling.min(MIXED_UP) } else { ceiling };
    let unseen = case.world.renewed_unseen && case.is_refusal();
    let ceiling = if unseen { ceiling.min(RENEWED_UNSEEN) } else { ceiling };
    let chance = |opinion: &Opinion| sharpened(opinion.score().exp() / total).min(ceiling);
    let runner_up =
        |from: usize| opinions.get(from).filter(|other| other.score() > 0.0).map(|other| (other.label, chance(other)));
    match opinions.first() {
        Some(best) if best.score() >= LEAST_EVIDENCE => {
            let mut opinion = best.clone();
            if unseen {
                opinion.missing.push(UNSEEN.into());
            }
            Verdict { confidence: chance(best), runner_up: runner_up(1), opinion }
        }
        best => {
            let mut opinion = Opinion::new(Label::Inconclusive, "");
            opinion.missing = missing(case, best);
            Verdict { confidence: 1.0 - best.map_or(0.0, chance), runner_up: runner_up(0), opinion }
        }
    }
}

/// What would decide an incident that nothing explains.
fn missing(case: &Case<'_>, best: Option<&Opinion>) -> Vec<String> {
    let mut missing: Vec<String> = best.map(|best| best.missing.clone()).unwrap_or_default();
    if !case.timeline.has_client {
        missing.push("the client's trace of this device".into());
    }
    if !case.timeline.has_server {
        missing.push("the server's log of the same time".into());
    }
    if case.world.renewed_unseen {
        missing.push(UNSEEN.into());
    }
    if case.facts.credential.is_none() {
        missing.push("an earlier part of the log, with the sign-in or refresh that gave the credential".into());
    }
    missing.dedup();
    missing
}
