//! Where the fields of lograge's lines stand: found out once for lines that have the same fields in the same order, so that a request that
//! was answered well is read by position.

use super::keys::Whose;
use super::lograge::{self, EXCEPTION_KEYS, is_of_cable};
use crate::dialect::{Context, Fields};
use crate::layout::{LaidOut, Notation};
use crate::quick::Times;
use crate::record::Body;
use crate::release;
use crate::text::{digits, milliseconds};
use crate::time;

/// The places of a request's fields.
#[derive(Debug)]
pub(crate) struct Places {
    method: usize,
    path: usize,
    controller: usize,
    action: usize,
    status: usize,
    duration: Option<usize>,
    exceptions: Vec<usize>,
}

/// A request that was answered well, as its one line says it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Well<'a> {
    pub(crate) method: &'a [u8],
    /// As it stands there, with its query.
    pub(crate) path: &'a [u8],
    pub(crate) controller: &'a [u8],
    pub(crate) action: &'a [u8],
    pub(crate) status: u16,
    /// Microseconds.
    pub(crate) duration: Option<i64>,
    pub(crate) whose: Whose<'a>,
}

impl Places {
    /// The places of fields of these names; `None` where it is no request, or they may say more.
    pub(crate) fn of(keys: &[&[u8]]) -> Option<Self> {
        let find = |name: &str| keys.iter().position(|key| *key == name.as_bytes());
        if keys.iter().any(|key| release::is_field(key)) {
            return None;
        }
        Some(Self {
            method: find("method")?,
            path: find("path")?,
            controller: find("controller")?,
            action: find("action")?,
            status: find("status")?,
            duration: find("duration"),
            exceptions: EXCEPTION_KEYS.iter().filter_map(|name| find(name)).collect(),
        })
    }

    /// The request of a line, if it was answered well and is none of a socket's. What it says is what [`super::lograge`] reads.
    #[inline(always)]
    pub(crate) fn well<'a>(&self, line: &LaidOut<'_, 'a>, times: &mut Times) -> Option<Well<'a>> {
        let status = line.at(self.status).and_then(|status| digits(status, 0, 3)).and_then(|s| u16::try_from(s).ok());
        let status = status.filter(|status| (200..400).contains(status))?;
        let (controller, action) = (line.at(self.controller)?, line.at(self.action)?);
        let exception = || self.exceptions.iter().any(|place| line.at(*place).is_some_and(|text| !text.is_empty()));
        if is_of_cable(controller, action) || exception() {
            return None;
        }
        Some(Well {
            method: line.at(self.method).filter(|method| !method.is_empty())?,
            path: line.at(self.path)?,
            controller: Some(controller).filter(|controller| !controller.is_empty())?,
            action,
            status,
            duration: self.duration.and_then(|place| line.at(place)).and_then(milliseconds),
            whose: whose(line, times),
        })
    }
}

/// What any line says: see [`super::lograge`].
pub(crate) fn read<'a>(line: &LaidOut<'_, 'a>, context: &Context<'a>) -> Option<Body<'a>> {
    lograge::body(|name| line.text(name), context)
}

/// What the fields of a line say of whose it is, and when it was.
#[inline(always)]
fn whose<'a>(line: &LaidOut<'_, 'a>, times: &mut Times) -> Whose<'a> {
    line.whose().whose(|place| line.at(place), |text| times.field(text).or_else(|| time::any(text)))
}

/// The fields of any line.
pub(crate) fn fields<'a>(line: &LaidOut<'_, 'a>, context: &Context<'a>, times: &mut Times) -> Fields<'a> {
    let whose = whose(line, times);
    match (line.places(), line.notation()) {
        // It names no release.
        (Some(_), _) => lograge::fields_of(whose, |_| None),
        (None, Notation::Pairs) => lograge::fields_of(whose, |name| line.text(name)),
        // `"dd":{"version":"…"}`: see there.
        (None, Notation::Object) => {
            let object = line.object(context.arena);
            lograge::fields_of(whose, |name| object.at(name))
        }
    }
}
