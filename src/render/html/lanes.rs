//! One case as a drawing: credentials as bars from issue to expiry, below them a lane a channel with what it presented and what
//! came of it.

use serde::Serialize;

use super::when::When;
use crate::cause::case::span;
use crate::diagnosis::{Credential, Moment, micros};
use crate::render::words::cut_to;
use crate::session::SECOND;

/// Moments of a drawing: half from the beginning, half from the end.
const MOST_MOMENTS: usize = 30;
/// Credentials of a drawing, the newest.
const MOST_TOKENS: usize = 6;
/// Left and right edge of time, in the drawing's own units.
const LEFT: f64 = 120.0;
const RIGHT: f64 = 970.0;
/// From here on words stand to the left of what they name.
const LATE: f64 = 640.0;
/// Room that the words of a time need.
const TICK: f64 = 66.0;
/// Height of a credential's row, and of a lane.
const ROW: usize = 20;
const LANE: usize = 58;
/// From the top of the lanes to the middle of the first.
const FIRST: usize = 34;
/// Columns of a moment's words, in the table and in the drawing.
const MOST_TEXT: usize = 200;
const MOST_SAID: usize = 48;

/// The drawing.
#[derive(Serialize)]
pub(super) struct Lanes {
    height: usize,
    tokens: Vec<Token>,
    ticks: Vec<Tick>,
    lanes: Vec<Lane>,
    marks: Vec<Mark>,
    left_out: usize,
}

/// A credential from its issue to its expiry.
#[derive(Serialize)]
struct Token {
    x: i64,
    width: i64,
    y: usize,
    shade: u64,
    label: String,
    label_x: i64,
    anchor: &'static str,
    /// It runs out within the drawing, here.
    ends: Option<i64>,
}

#[derive(Serialize)]
struct Tick {
    x: i64,
    label: When,
}

#[derive(Serialize)]
struct Lane {
    name: &'static str,
    y: usize,
    bands: Vec<Band>,
    said: Option<Said>,
}

/// What a channel presented.
#[derive(Serialize)]
struct Band {
    x: i64,
    width: i64,
    shade: u64,
    label: String,
    /// There was a newer one.
    stale: bool,
}

/// The first failure of a lane, in words beside it.
#[derive(Serialize)]
struct Said {
    x: i64,
    anchor: &'static str,
    text: String,
}

#[derive(Serialize)]
struct Mark {
    number: usize,
    x: i64,
    y: usize,
    tone: &'static str,
    channel: &'static str,
    time: When,
    text: String,
    token: String,
    place: String,
}

const CHANNELS: [&str; 4] = ["http", "websocket", "app", "server"];

/// Lays out the moments; `None` if there are none.
pub(super) fn lanes(moments: &[Moment]) -> Option<Lanes> {
    let left_out = moments.len().saturating_sub(MOST_MOMENTS);
    let tail = if left_out > 0 { MOST_MOMENTS / 2 } else { 0 };
    let head = moments.len().min(MOST_MOMENTS) - tail;
    let kept: Vec<&Moment> = moments[..head].iter().chain(&moments[moments.len() - tail..]).collect();
    if kept.is_empty() {
        return None;
    }
    let places = places(&kept);
    let tokens = tokens(&kept, &places);
    let top = FIRST + ROW * tokens.len();
    let used: Vec<usize> = (0..CHANNELS.len()).filter(|at| kept.iter().any(|moment| channel(moment) == *at)).collect();
    let y_of = |at: usize| top + LANE * used.iter().position(|used| *used == at).unwrap_or(0);
    let lanes = used
        .iter()
        .map(|at| Lane {
            name: CHANNELS[*at],
            y: y_of(*at),
            bands: bands(&kept, &places, *at),
            said: said(&kept, &places, *at),
        })
        .collect();
    let mut ticks: Vec<Tick> = Vec::new();
    let mut free = f64::MIN;
    for (moment, place) in kept.iter().zip(&places) {
        if *place >= free {
            ticks.push(Tick { x: whole(*place), label: When::clock(&moment.time) });
            free = place + TICK;
        }
    }
    let marks = kept
        .iter()
        .zip(&places)
        .enumerate()
        .map(|(number, (moment, place))| Mark {
            number: number + 1,
            x: whole(*place),
            y: y_of(channel(moment)),
            tone: match moment.tone.as_ref() {
                "good" => "good",
                "bad" => "bad",
                _ => "neutral",
            },
            channel: CHANNELS[channel(moment)],
            time: When::clock(&moment.time),
            text: format!("{}{}", cut_to(&moment.text, MOST_TEXT), times(moment)),
            token: moment.credential.as_ref().map(|held| presented(held, moment)).unwrap_or_default(),
            place: format!("{}:{}", cut_to(&moment.source, MOST_TEXT), moment.line),
        })
        .collect();
    Some(Lanes { height: top - FIRST + LANE * used.len() + 4, tokens, ticks, lanes, marks, left_out })
}

fn channel(moment: &Moment) -> usize {
    CHANNELS.iter().position(|known| *known == moment.channel).unwrap_or(3)
}

fn times(moment: &Moment) -> String {
    if moment.count > 1 { format!(" ×{}", moment.count) } else { String::new() }
}

/// Every moment has a place of its own; long gaps are pressed together, since an hour of quiet shows nothing.
fn places(moments: &[&Moment]) -> Vec<f64> {
    let time = |moment: &Moment| micros(&moment.time).unwrap_or(0);
    let mut at = 0.0;
    let mut steps = vec![at];
    for pair in moments.windows(2) {
        let gap = time(pair[1]).saturating_sub(time(pair[0])).max(0) / SECOND;
        #[allow(clippy::cast_precision_loss, reason = "a place on a drawing")]
        let step = 1.0 + 0.4 * (gap as f64).ln_1p();
        at += step;
        steps.push(at);
    }
    let room = if at > 0.0 { (RIGHT - LEFT - 40.0) / at } else { 0.0 };
    steps.into_iter().map(|step| LEFT + 20.0 + step * room).collect()
}

/// Where a time lies between the moments; `None` before the first and after the last.
fn place_of(time: i64, moments: &[&Moment], places: &[f64]) -> Option<f64> {
    let times: Vec<i64> = moments.iter().map(|moment| micros(&moment.time).unwrap_or(0)).collect();
    let after = times.iter().position(|at| *at >= time)?;
    let before = after.checked_sub(1)?;
    let gap = times[after].saturating_sub(times[before]).max(1);
    #[allow(clippy::cast_precision_loss, reason = "a place on a drawing")]
    let share = time.saturating_sub(times[before]) as f64 / gap as f64;
    Some(places[before] + share.clamp(0.0, 1.0) * (places[after] - places[before]))
}

fn tokens(moments: &[&Moment], places: &[f64]) -> Vec<Token> {
    let mut seen: Vec<&Credential> = moments.iter().filter_map(|moment| moment.credential.as_ref()).collect();
    seen.sort_by_key(|credential| credential.number);
    seen.dedup_by_key(|credential| credential.number);
    let first = micros(&moments[0].time).unwrap_or(0);
    seen[seen.len().saturating_sub(MOST_TOKENS)..]
        .iter()
        .enumerate()
        .map(|(row, credential)| {
            let at = |time: &Option<String>| time.as_deref().and_then(micros);
            // A moment that gives a credential begins before it is issued: its bar begins at the mark.
            let given = moments.iter().position(|moment| {
                moment.credential.as_ref().is_some_and(|held| held.number == credential.number && held.number > 0)
                    && gives(moment)
            });
            let start = match given {
                Some(place) => places[place],
                None => at(&credential.issued)
                    .filter(|issued| *issued > first)
                    .and_then(|issued| place_of(issued, moments, places))
                    .unwrap_or(LEFT),
            };
            let gone_before = at(&credential.expires).is_some_and(|expires| expires <= first);
            let end = at(&credential.expires).and_then(|expires| place_of(expires, moments, places));
            let end = if gone_before { Some(LEFT) } else { end };
            let late = start > LATE;
            Token {
                x: whole(start),
                width: whole(end.unwrap_or(RIGHT) - start).max(2),
                y: row * ROW,
                shade: credential.number % 4,
                label: described(credential, moments[moments.len() - 1]),
                label_x: whole(if late {
                    start - 4.0
                } else {
                    start.max(end.filter(|_| gone_before).unwrap_or(start)) + 5.0
                }),
                anchor: if late { "end" } else { "start" },
                ends: end.map(whole),
            }
        })
        .collect()
}

fn gives(moment: &Moment) -> bool {
    moment.text.starts_with("signed in") || moment.text.starts_with("refresh: new token")
}

fn named(credential: &Credential) -> String {
    match credential.number {
        0 => "an earlier token".into(),
        number => format!("token {number}"),
    }
}

/// `token 2: lives 1 h` or `token 1: 24 h, ran out`.
fn described(credential: &Credential, last: &Moment) -> String {
    let at = |time: &Option<String>| time.as_deref().and_then(micros);
    let (Some(issued), Some(expires)) = (at(&credential.issued), at(&credential.expires)) else {
        return match at(&credential.issued) {
            Some(_) => named(credential),
            None => format!("{}, issued before this log", named(credential)),
        };
    };
    let out = micros(&last.time).is_some_and(|last| expires <= last);
    let lives = span(expires.saturating_sub(issued));
    format!("{}: lives {lives}{}", named(credential), if out { ", runs out here" } else { "" })
}

/// `token 1, 24 h 2 min old`.
fn presented(credential: &Credential, moment: &Moment) -> String {
    let issued = credential.issued.as_deref().and_then(micros);
    match issued.zip(micros(&moment.time)) {
        Some((issued, at)) if at > issued => format!("{}, {} old", named(credential), span(at - issued)),
        _ => named(credential),
    }
}

/// What a channel presented, from each change to the next.
fn bands(moments: &[&Moment], places: &[f64], at: usize) -> Vec<Band> {
    let mut starts: Vec<(f64, &Credential, bool)> = Vec::new();
    let mut newest = 0;
    for (moment, place) in moments.iter().zip(places) {
        let Some(held) = &moment.credential else { continue };
        newest = newest.max(held.number);
        if channel(moment) != at {
            continue;
        }
        // A socket that stands may hold an older one; one that is refused with it is what is looked for.
        let stale = held.number < newest && moment.tone == "bad";
        match starts.last_mut() {
            Some((_, last, was_stale)) if last.number == held.number => *was_stale |= stale,
            Some(_) => starts.push((*place, held, stale)),
            // Before a channel's first sign nothing is known of it, but that it did not begin there.
            None => starts.push((if gives(moment) { *place } else { (*place - 20.0).max(LEFT) }, held, stale)),
        }
    }
    let ends: Vec<f64> = starts.iter().skip(1).map(|(place, ..)| *place).chain([RIGHT]).collect();
    starts
        .iter()
        .zip(ends)
        .map(|((from, credential, stale), to)| Band {
            x: whole(*from),
            width: whole(to - from).max(0),
            shade: credential.number % 4,
            label: format!("{}{}", named(credential), if *stale { ": not the newest" } else { "" }),
            stale: *stale,
        })
        .collect()
}

fn said(moments: &[&Moment], places: &[f64], at: usize) -> Option<Said> {
    let first = moments.iter().position(|moment| channel(moment) == at && moment.tone == "bad")?;
    let moment = moments[first];
    let token = moment.credential.as_ref().map(|held| format!(" · {}", presented(held, moment))).unwrap_or_default();
    let late = places[first] > LATE;
    Some(Said {
        x: whole(places[first]) + if late { 9 } else { -9 },
        anchor: if late { "end" } else { "start" },
        text: format!("{}{token}", cut_to(&moment.text, MOST_SAID)),
    })
}

#[allow(clippy::cast_possible_truncation, reason = "a place within the drawing")]
const fn whole(place: f64) -> i64 {
    place as i64
}
