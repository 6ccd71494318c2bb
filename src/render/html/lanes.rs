//! One case as a drawing: a lane a channel, marks for what happened, shades for the credential that a channel last took up.

use chrono::DateTime;
use serde::Serialize;

use crate::diagnosis::Moment;
use crate::render::words::{clock, cut_to};
use crate::session::SECOND;

/// Moments of a drawing: half from the beginning, half from the end.
const MOST_MOMENTS: usize = 30;
/// Left and right edge of time, in the drawing's own units.
const LEFT: f64 = 120.0;
const RIGHT: f64 = 970.0;
/// Room that the words of a time need.
const TICK: f64 = 66.0;
/// Height of a lane, and its first centre.
const LANE: usize = 44;
const FIRST: usize = 28;
/// Columns of a moment's words.
const MOST_TEXT: usize = 200;

/// The drawing.
#[derive(Serialize)]
pub(super) struct Lanes {
    height: usize,
    ticks: Vec<Tick>,
    lanes: Vec<Lane>,
    marks: Vec<Mark>,
    left_out: usize,
}

#[derive(Serialize)]
struct Tick {
    x: i64,
    label: String,
}

#[derive(Serialize)]
struct Lane {
    name: &'static str,
    y: usize,
    bands: Vec<Band>,
}

/// A credential in the hands of a channel.
#[derive(Serialize)]
struct Band {
    x: i64,
    width: i64,
    shade: usize,
    label: String,
}

#[derive(Serialize)]
struct Mark {
    number: usize,
    x: i64,
    y: usize,
    tone: &'static str,
    channel: &'static str,
    time: String,
    text: String,
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
    let channel = |moment: &Moment| CHANNELS.iter().position(|known| *known == moment.channel).unwrap_or(3);
    let used: Vec<usize> = (0..CHANNELS.len()).filter(|at| kept.iter().any(|moment| channel(moment) == *at)).collect();
    let y_of = |at: usize| FIRST + LANE * used.iter().position(|used| *used == at).unwrap_or(0);
    let lanes = used
        .iter()
        .map(|at| Lane { name: CHANNELS[*at], y: y_of(*at), bands: bands(&kept, &places, CHANNELS[*at]) })
        .collect();
    let mut ticks: Vec<Tick> = Vec::new();
    let mut free = f64::MIN;
    for (moment, place) in kept.iter().zip(&places) {
        if *place >= free {
            ticks.push(Tick { x: whole(*place), label: clock(&cut_to(&moment.time, 32)) });
            free = place + TICK;
        }
    }
    let marks = kept
        .iter()
        .zip(&places)
        .enumerate()
        .map(|(number, (moment, place))| {
            let times = if moment.count > 1 { format!(" ×{}", moment.count) } else { String::new() };
            Mark {
                number: number + 1,
                x: whole(*place),
                y: y_of(channel(moment)),
                tone: match moment.tone.as_str() {
                    "good" => "good",
                    "bad" => "bad",
                    _ => "neutral",
                },
                channel: CHANNELS[channel(moment)],
                time: clock(&cut_to(&moment.time, 32)),
                text: format!("{}{times}", cut_to(&moment.text, MOST_TEXT)),
                place: format!("{}:{}", cut_to(&moment.source, MOST_TEXT), moment.line),
            }
        })
        .collect();
    Some(Lanes { height: FIRST + LANE * used.len(), ticks, lanes, marks, left_out })
}

/// Every moment has a place of its own; long gaps are pressed together, since an hour of quiet shows nothing.
fn places(moments: &[&Moment]) -> Vec<f64> {
    let time = |moment: &Moment| DateTime::parse_from_rfc3339(&moment.time).map_or(0, |time| time.timestamp_micros());
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

/// From each credential that the log shows a channel to take up, to the next. HTTP takes up what a sign-in or a refresh gives;
/// a socket takes what is newest when it is accepted, and keeps it.
fn bands(moments: &[&Moment], places: &[f64], channel: &str) -> Vec<Band> {
    if channel != "http" && channel != "websocket" {
        return Vec::new();
    }
    let mut newest = 0;
    let mut starts = vec![(LEFT, 0)];
    for (moment, place) in moments.iter().zip(places) {
        let gives = moment.tone == "good" || moment.text.starts_with("refresh: new token");
        let issued = gives && (moment.text.starts_with("signed in") || moment.text.starts_with("refresh: new token"));
        newest += usize::from(issued);
        let takes = match channel {
            "http" => issued,
            _ => moment.channel == "websocket" && moment.tone == "good",
        };
        if takes && starts.last().is_none_or(|(_, held)| *held != newest) {
            starts.push((*place, newest));
        }
    }
    let ends = starts.iter().skip(1).map(|(place, _)| *place).chain([RIGHT]);
    starts
        .iter()
        .zip(ends)
        .map(|((from, credential), to)| Band {
            x: whole(*from),
            width: whole(to - from).max(0),
            shade: credential % 4,
            label: match credential {
                0 => "earlier token".into(),
                number => format!("token {number}"),
            },
        })
        .collect()
}

#[allow(clippy::cast_possible_truncation, reason = "a place within the drawing")]
const fn whole(place: f64) -> i64 {
    place as i64
}
