//! Where the fields of lograge's lines stand: found out once for lines that have the same fields in the same order, so that a request that
//! was answered well is read by position.

use super::lograge::{self, ADDRESS_KEYS, EXCEPTION_KEYS, REQUEST_KEYS, TIME_KEYS, USER_KEYS, address_of, is_of_cable};
use crate::dialect::{Context, Fields};
use crate::layout::{LaidOut, Notation};
use crate::quick::Times;
use crate::record::Body;
use crate::release;
use crate::secret::RequestId;
use crate::text::{digits, is_address, is_user_id, milliseconds};
use crate::time::Stamp;

/// The places of a request's fields.
#[derive(Debug)]
pub(crate) struct Places {
    method: usize,
    path: usize,
    controller: usize,
    action: usize,
    status: usize,
    duration: Option<usize>,
    request: Option<usize>,
    user: Option<usize>,
    address: Option<usize>,
    time: Option<usize>,
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

/// Whose a line is, and when it was.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Whose<'a> {
    pub(crate) request: Option<RequestId>,
    pub(crate) user: Option<&'a [u8]>,
    /// What may be the client's address: whoever takes it has to look.
    pub(crate) address: Option<&'a [u8]>,
    pub(crate) stamp: Option<Stamp>,
}

impl Places {
    /// The places of fields of these names; `None` where one may be meant by several of them, or they may say more.
    pub(crate) fn of(keys: &[&[u8]]) -> Option<Self> {
        let find = |name: &str| keys.iter().position(|key| *key == name.as_bytes());
        let all = |names: &[&str]| names.iter().filter_map(|name| find(name)).collect::<Vec<_>>();
        let only = |names: &[&str]| match all(names)[..] {
            [] => Some(None),
            [place] => Some(Some(place)),
            _ => None,
        };
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
            request: only(REQUEST_KEYS)?,
            user: only(USER_KEYS)?,
            address: only(ADDRESS_KEYS)?,
            time: only(TIME_KEYS)?,
            exceptions: all(EXCEPTION_KEYS),
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
            whose: self.whose(line, times),
        })
    }

    /// What the fields say of whose a line is, and when it was.
    #[inline(always)]
    fn whose<'a>(&self, line: &LaidOut<'_, 'a>, times: &mut Times) -> Whose<'a> {
        let text = |place: Option<usize>| line.at(place?);
        Whose {
            request: text(self.request).filter(|id| id.len() >= 8).map(RequestId::new),
            user: text(self.user).filter(|user| is_user_id(user)),
            address: text(self.address).map(address_of),
            stamp: text(self.time).and_then(|time| times.field(time)),
        }
    }

    /// The same as [`super::lograge`] reads it, of any line.
    fn fields<'a>(&self, line: &LaidOut<'_, 'a>, times: &mut Times) -> Fields<'a> {
        let Whose { request, user, address, stamp } = self.whose(line, times);
        Fields { request, user, address: address.filter(|address| is_address(address)), stamp, releases: [None; 2] }
    }
}

/// What any line says: see [`super::lograge`].
pub(crate) fn read<'a>(line: &LaidOut<'_, 'a>, context: &Context<'a>) -> Option<Body<'a>> {
    lograge::body(|name| line.text(name), context)
}

/// The fields of any line.
pub(crate) fn fields<'a>(line: &LaidOut<'_, 'a>, context: &Context<'a>, times: &mut Times) -> Fields<'a> {
    match (line.places(), line.notation()) {
        (Some(places), _) => places.fields(line, times),
        (None, Notation::Pairs) => lograge::fields_of(|name| line.text(name)),
        // `"dd":{"version":"…"}`: see there.
        (None, Notation::Object) => {
            let object = line.object(context.arena);
            lograge::fields_of(|name| object.at(name))
        }
    }
}
