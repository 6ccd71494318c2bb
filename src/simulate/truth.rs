//! `truth.json`: what was done to whom, in the format of the labelled samples, so that one scorer reads both.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::plan::{Fault, Person};
use super::{Options, Withheld, rfc3339};

/// A sign of a fault, or of something that hit everybody.
#[derive(Clone, Debug)]
pub(super) struct Happened {
    pub(super) start: i64,
    pub(super) last: i64,
    pub(super) end: Option<i64>,
    pub(super) signs: Vec<(&'static str, u64)>,
}

/// What the simulation noted on the side.
#[derive(Debug, Default)]
pub(super) struct Notes {
    /// By person.
    pub(super) own: Vec<Vec<Happened>>,
    pub(super) global: Vec<Value>,
    pub(super) forced_out: Vec<u64>,
}

/// Signs further apart than this (microseconds) are two incidents.
const PAUSE: i64 = 10 * 60 * 1_000_000;

impl Notes {
    pub(super) fn sign(&mut self, person: usize, time: i64, sign: &'static str) {
        let Some(own) = self.own.get_mut(person) else { return };
        match own.last_mut().filter(|last| time - last.last < PAUSE) {
            Some(last) => {
                last.last = last.last.max(time);
                match last.signs.iter_mut().find(|(known, _)| *known == sign) {
                    Some((_, count)) => *count += 1,
                    None => last.signs.push((sign, 1)),
                }
            }
            None => own.push(Happened { start: time, last: time, end: None, signs: vec![(sign, 1)] }),
        }
    }

    pub(super) fn well(&mut self, person: usize, time: i64) {
        if let Some(last) = self.own.get_mut(person).and_then(|own| own.last_mut()) {
            last.end = last.end.or(Some(time));
        }
    }

    pub(super) fn write(&self, options: &Options, people: &[Person], window: (i64, i64)) -> Value {
        // The devices of each person.
        let mut devices: BTreeMap<usize, Vec<(usize, &Person)>> = BTreeMap::new();
        for (place, device) in people.iter().enumerate() {
            devices.entry(device.second_of.unwrap_or(place)).or_default().push((place, device));
        }
        let users: Vec<Value> =
            devices.iter().map(|(place, own)| self.user(options, (*place, &people[*place]), own)).collect();
        let healthy: Vec<&Value> =
            users.iter().filter(|user| user["cause"] == "healthy").map(|user| &user["user"]).collect();
        json!({
            "scenario": options.mix.join("+"),
            "simulated": true,
            "server_log_set_up": options.dialect.name(),
            "level": options.level.name(),
            "withheld": options.withhold.iter().map(|withheld| withheld.name()).collect::<Vec<_>>(),
            "speed_up": 1,
            "seed": options.seed,
            "window": { "start": rfc3339(window.0), "end": rfc3339(window.1) },
            "server_tz": "UTC",
            "global_incidents": self.global,
            "healthy_users": healthy,
            "users": users,
        })
    }

    fn user(&self, options: &Options, (place, person): (usize, &Person), devices: &[(usize, &Person)]) -> Value {
        let happened = self.own.get(place).map_or(&[][..], Vec::as_slice);
        let came_about = person.fault == Fault::None || !happened.is_empty();
        let (cause, kind) = if came_about { person.fault.label() } else { Fault::None.label() };
        let incidents: Vec<Value> = happened
            .iter()
            .map(|happened| {
                let signs: serde_json::Map<String, Value> =
                    happened.signs.iter().map(|(sign, count)| ((*sign).to_owned(), json!(count))).collect();
                json!({
                    "cause": cause,
                    "sub_kind": kind,
                    "start": rfc3339(happened.start),
                    "last_sign": rfc3339(happened.last),
                    "end": happened.end.map(rfc3339),
                    "signs": signs,
                })
            })
            .collect();
        let server_only = matches!(person.fault, Fault::RefreshHidesError);
        let seen = if person.traced && !server_only { json!(["client", "server"]) } else { json!(["server"]) };
        let ips: Vec<&String> =
            devices.iter().flat_map(|(_, device)| [Some(&device.ip), device.roams_to.as_ref()]).flatten().collect();
        let devices: Vec<Value> = devices.iter().map(|(place, device)| described(*place, device)).collect();
        let mut user = json!({
            "user": person.id.parse::<u64>().map_or_else(|_| json!(person.id), |id| json!(id)),
            "email": person.email,
            "cause": cause,
            "sub_kind": if kind.is_empty() { Value::Null } else { json!(kind) },
            "visible_in": if cause == "healthy" { json!([]) } else { seen },
            "ips": ips,
            "cable_identifier": person.gid,
            "devices": devices,
            "forced_logouts": self.forced_out.get(place).copied().unwrap_or(0),
            "incidents": incidents,
            "server_names_user": !options.withholds(Withheld::Names),
        });
        if !came_about && let Some(user) = user.as_object_mut() {
            user.insert("planned".into(), json!(person.fault.label().0));
        }
        user
    }
}

/// A device in the words of the samples.
fn described(place: usize, person: &Person) -> Value {
    json!({
        "device_id": person.device,
        "trace": person.traced.then(|| trace_name(place)),
        "style": person.frame.name(),
        "dio_logger": person.logger.name(),
        "tz": person.zone.1,
        "clock_offset_s": person.clock_error,
    })
}

/// The file of a person's trace.
pub(super) fn trace_name(place: usize) -> String {
    format!("client-u{:03}.log", place + 1)
}
