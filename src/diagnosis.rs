//! The result, and its JSON contract (version 1). A consumer may rely on these names; new fields may be added.

mod drawn;

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use crate::cause::Label;
use crate::policy::Policy;
use crate::session::habit::{Habit, Refreshing};
pub use drawn::{AgeBin, Credential, Restart, Series};

/// A time of a diagnosis in microseconds since 1970; `None` for what is no RFC 3339.
pub(crate) fn micros(time: &str) -> Option<i64> {
    chrono::DateTime::parse_from_rfc3339(time).ok().map(|time| time.timestamp_micros())
}

/// The version of the contract.
pub const SCHEMA_VERSION: u32 = 1;

/// A whole diagnosis.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Diagnosis {
    /// The version of this contract.
    pub schema_version: u32,
    /// What wrote it.
    pub tool: Tool,
    /// The sources, in the order of their names.
    pub inputs: Vec<Input>,
    /// Counts.
    pub summary: Summary,
    /// From when on was looked, RFC 3339; null is from the beginning.
    #[serde(default)]
    pub since: Option<String>,
    /// Counts by day, the days in order.
    #[serde(default)]
    pub days: Vec<Day>,
    /// Counts over time, for drawings.
    #[serde(default)]
    pub series: Series,
    /// How old credentials were when they were refused, for drawings; ages that nothing has are left out.
    #[serde(default)]
    pub ages: Vec<AgeBin>,
    /// Inferred lifetimes of access tokens.
    pub lifetimes: Vec<LifetimeFinding>,
    /// Endpoints that have to do with authentication, as detected or stated.
    pub endpoints: Vec<Endpoint>,
    /// What was found, the most severe and surest first.
    pub incidents: Vec<Incident>,
    /// Everybody seen.
    pub actors: Vec<ActorFinding>,
    /// What to do, in this order.
    pub fix_plan: Vec<FixStep>,
    /// What other lifetimes would have changed; only where `why401 report` or `why401 batch` diagnosed logs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy: Option<Policy>,
    /// What was assumed about clocks, and other things a reader should know.
    pub notes: Vec<String>,
}

/// What wrote a diagnosis.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Tool {
    /// `why401`.
    pub name: String,
    /// Its version.
    pub version: String,
}

/// A source and the balance of its lines: `lines = recognised + unrecognised + capped`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Input {
    /// As given; `-` is standard input.
    pub source: String,
    /// The envelopes around most lines, outermost names joined by `+`; null for bare lines.
    pub envelope: Option<String>,
    /// The dialects that were understood, the commonest first, joined by `+`; null if none was.
    pub dialect: Option<String>,
    /// Lines read.
    pub lines: u64,
    /// Bytes read (after decompression).
    pub bytes: u64,
    /// Lines understood.
    pub recognised: u64,
    /// Lines not understood.
    pub unrecognised: u64,
    /// Lines too long to be read whole.
    pub capped: u64,
    /// Events that stand more than a minute below a younger one; they were put in their place.
    #[serde(default)]
    pub late: u64,
    /// First time, RFC 3339; null if the source has none.
    pub first: Option<String>,
    /// Last time.
    pub last: Option<String>,
    /// How the source's clock was set, in words.
    pub clock: String,
    /// How far its own times are ahead of UTC, in seconds, where they are local ones.
    #[serde(default)]
    pub zone_seconds: Option<i32>,
}

/// Counts over all sources. They are what `grep` would count.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Summary {
    /// Actors seen: users, and addresses whose user no log names.
    pub actors: u64,
    /// Actors with nothing wrong of their own.
    pub healthy_actors: u64,
    /// HTTP requests begun.
    pub requests: u64,
    /// Answers with status 401.
    pub unauthorized: u64,
    /// Refreshes tried.
    pub refreshes: u64,
    /// Refreshes that gave no credential.
    pub refresh_failures: u64,
    /// WebSocket upgrades that succeeded.
    pub cable_connects: u64,
    /// WebSockets that the app refused.
    pub cable_rejects: u64,
    /// Upgrades refused as no WebSocket or by origin.
    pub cable_failed_upgrades: u64,
    /// WebSockets that ended.
    pub cable_disconnects: u64,
    /// Incidents.
    pub incidents: u64,
    /// People who were signed out or cut off, over all incidents.
    pub dropped_actors: u64,
    /// For how long people were there: the hours of the clock in which each was seen, added up. Rates are per this.
    #[serde(default)]
    pub active_hours: u64,
    /// Where each 401 belongs; adds up to `unauthorized`.
    pub unauthorized_by: UnauthorizedBy,
    /// Incidents by cause.
    pub by_cause: std::collections::BTreeMap<String, u64>,
}

/// Counts of one day.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Day {
    /// The day of UTC: `2026-11-16`.
    pub day: String,
    /// HTTP requests begun.
    pub requests: u64,
    /// Answers with status 401.
    pub unauthorized: u64,
    /// Refreshes tried.
    pub refreshes: u64,
    /// Refreshes that gave no credential.
    pub refresh_failures: u64,
    /// Incidents that began on it.
    pub incidents: u64,
    /// Those of them that signed somebody out or cut somebody off.
    pub drops: u64,
    /// People whom these hit.
    pub dropped_actors: u64,
    /// People seen.
    pub active_actors: u64,
    /// The hours in which each of them was seen, added up.
    pub active_hours: u64,
    /// Of these, people by the platform of their devices, where logs tell it; `unknown` is the rest.
    pub platforms: Vec<PlatformDay>,
    /// And by the release of the app that they ran; `unknown` is the rest.
    #[serde(default)]
    pub releases: Vec<ReleaseDay>,
}

/// People of one release of the app on one day.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ReleaseDay {
    /// As logged, or `unknown`.
    pub release: String,
    /// People seen with it.
    pub active_actors: u64,
    /// The hours in which each of them was, added up.
    pub active_hours: u64,
    /// Incidents that began on the day.
    pub incidents: u64,
    /// Those of them that signed somebody out or cut somebody off.
    pub drops: u64,
    /// People whom these hit.
    pub dropped_actors: u64,
}

/// People of one platform on one day.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct PlatformDay {
    /// `android`, `ios`, `web` or `unknown`.
    pub platform: String,
    /// People seen.
    pub active_actors: u64,
    /// The hours in which each of them was seen, added up.
    pub active_hours: u64,
    /// Incidents that began on the day.
    pub incidents: u64,
    /// Those of them that signed somebody out or cut somebody off.
    pub drops: u64,
    /// People whom these hit.
    pub dropped_actors: u64,
}

/// Where 401s belong.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct UnauthorizedBy {
    /// Part of an incident below.
    pub incident: u64,
    /// A sign-in that was refused.
    pub failed_login: u64,
    /// Somebody without a session: a bot, a page before the sign-in.
    pub never_signed_in: u64,
    /// Under way while a refresh replaced the credential, and well afterwards.
    pub in_flight: u64,
    /// After the user had signed out.
    pub after_logout: u64,
    /// Part of an attack.
    pub attack: u64,
    /// None of these.
    pub unexplained: u64,
}

/// An inferred lifetime of a credential.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct LifetimeFinding {
    /// `mobile`, `web` or `unknown`.
    pub platform: String,
    /// `access` or `refresh`: which credential lives so long.
    #[serde(default = "access")]
    pub credential: String,
    /// Its life, in seconds.
    pub access_seconds: i64,
    /// How many credentials were seen to reach it.
    pub support: u64,
    /// `uses` (inferred from ages), `expires_in` (what clients were told) or `configuration`.
    pub known_by: crate::session::lifetime::KnownBy,
    /// The oldest accepted use and the earliest refusal that bound it, in seconds.
    pub between: (i64, i64),
    /// What practice recommends for the platform, in seconds.
    pub recommended: (i64, i64),
    /// `short`, `within` or `long`, against practice.
    pub verdict: String,
    /// When clients replace a token ahead of its end: its age then, in seconds, where many do at the same age.
    pub refreshed_at_seconds: Option<i64>,
    /// How clients came to refresh, counted; null with fewer than three refreshes, and for refresh tokens.
    #[serde(default)]
    pub refreshes: Option<Habit>,
    /// The same in a word.
    #[serde(default)]
    pub refreshing: Option<Refreshing>,
    /// When the first and the last of the credentials that show it were issued, RFC 3339; null if nothing shows it. Two lifetimes of which
    /// one ends before the other begins are a change.
    #[serde(default)]
    pub issued: Option<(String, String)>,
}

fn access() -> String {
    "access".to_owned()
}

/// An endpoint with a role.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Endpoint {
    /// `POST`, …
    pub method: String,
    /// Its path.
    pub path: String,
    /// `sign_in`, `refresh`, `sign_out`, `revoke`, `socket`.
    pub role: String,
    /// Neither what its requests carry nor words tell it, only what it does: a note says why it is taken for that.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub by_behaviour: bool,
}

/// Whom an incident hit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum Scope {
    /// The whole service.
    Service,
    /// One actor.
    Actor,
}

/// How bad it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum Impact {
    /// Somebody lost the session.
    Dropped,
    /// Something did not work for a while.
    Degraded,
    /// A defect that has not dropped anybody yet.
    Latent,
}

/// An incident with its diagnosis.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Incident {
    /// `i1`, `i2`, …
    pub id: String,
    /// Whom it hit.
    pub scope: Scope,
    /// The actor; for an attack the address; null for a restart.
    pub actor: Option<ActorRef>,
    /// How many actors it hit.
    pub affected_actors: u64,
    /// How bad it was.
    pub impact: Impact,
    /// First sign, RFC 3339.
    pub start: String,
    /// Last sign, or the recovery.
    pub end: String,
    /// By what it was noticed.
    pub trigger: String,
    /// Why.
    pub cause: Label,
    /// Which kind of it; empty for `inconclusive`.
    pub kind: String,
    /// The chance that this is right, 0 to 1.
    pub confidence: f64,
    /// The next best explanation.
    pub runner_up: Option<RunnerUp>,
    /// What speaks for it and against it.
    pub evidence: Vec<Evidence>,
    /// What would make it surer.
    pub missing: Vec<String>,
    /// Other causes that had a part in it.
    pub contributing: Vec<Contribution>,
    /// What to do about it.
    pub fix: String,
    /// How it went, for the report: the timeline around it.
    pub timeline: Vec<Moment>,
    /// The release of the app on the actor's device when it began; null where no log tells it.
    #[serde(default)]
    pub release: Option<String>,
    /// The release of the server when it began; null where no log tells it.
    #[serde(default)]
    pub deploy: Option<String>,
}

/// Keys of an actor.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ActorRef {
    /// The user's id as logged.
    pub user: Option<String>,
    /// The user's e-mail as logged.
    pub email: Option<String>,
    /// Addresses.
    pub ips: Vec<String>,
    /// Devices.
    pub devices: Vec<String>,
    /// What they run: `android`, `ios`, `web`; null where no log tells it.
    #[serde(default)]
    pub platform: Option<String>,
}

/// The next best explanation.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct RunnerUp {
    /// Which cause.
    pub cause: Label,
    /// Its chance.
    pub confidence: f64,
}

/// A piece of evidence.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Evidence {
    /// For, or against.
    #[serde(rename = "for")]
    pub speaks_for: bool,
    /// How much it says (log-odds).
    pub weight: f64,
    /// In words.
    pub text: String,
    /// The source that shows it; null if no single line does.
    pub source: Option<String>,
    /// The line, from 1.
    pub line: Option<u64>,
    /// When, RFC 3339.
    pub time: Option<String>,
}

/// Another cause that had a part.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Contribution {
    /// Which cause.
    pub cause: Label,
    /// Which kind.
    pub kind: String,
    /// How.
    pub text: String,
}

/// A moment of an incident's timeline.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Moment {
    /// When, RFC 3339.
    pub time: String,
    /// In words.
    pub text: Cow<'static, str>,
    /// `http`, `websocket`, `app` or `server`.
    pub channel: Cow<'static, str>,
    /// `good`, `bad` or `neutral`.
    pub tone: Cow<'static, str>,
    /// The source.
    pub source: String,
    /// The line.
    pub line: u64,
    /// How many like it this stands for.
    pub count: u64,
    /// The credential that was presented or given, as the verdict has it; null for what presents none.
    #[serde(default)]
    pub credential: Option<Credential>,
}

/// What was found of an actor.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ActorFinding {
    /// The user's id as logged.
    pub user: Option<String>,
    /// Addresses.
    pub ips: Vec<String>,
    /// A cause, or `healthy`. What hit the whole service does not count here.
    pub verdict: Cow<'static, str>,
    /// The incidents that hit it.
    pub incidents: Vec<String>,
    /// In how many hours of the clock it was seen.
    #[serde(default)]
    pub active_hours: u64,
}

/// A step of the fix plan.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct FixStep {
    /// From 1.
    pub order: u64,
    /// For which cause.
    pub cause: Label,
    /// Which kind.
    pub kind: String,
    /// What to do.
    pub title: String,
    /// Why, and why in this place.
    pub why: String,
    /// People hit.
    pub affected_actors: u64,
}
