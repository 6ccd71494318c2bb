//! What happened: events, assembled from the records of one request, connection or transition.

use std::collections::HashMap;
use std::num::NonZeroU32;
use std::sync::Arc;

use indexmap::IndexSet;
use serde::{Deserialize, Serialize};

use crate::recent::Recent;
use crate::record::{ClientRefresh, ClientSocket, NetFailure, Process, Sense, Side};
use crate::secret::{Fingerprint, RequestId};

/// A name that stands for an interned text: see [`Names`]. (Its number counts from 1, so that an `Option` of it takes no more room: events
/// have many, and there are many events.)
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Name(NonZeroU32);

impl Name {
    /// The text's place among its [`Names`].
    fn place(self) -> usize {
        self.0.get() as usize - 1
    }
}

/// Interned texts: paths, users, addresses. What goes in has control, bidirectional and zero-width characters taken out,
/// so that nothing read from a log can steer a terminal.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Names {
    texts: IndexSet<Box<str>, foldhash::fast::RandomState>,
    /// Places of texts as they were given.
    #[serde(skip)]
    recent: Recent,
}

/// Where names went when [`Names`] were sorted.
#[derive(Debug)]
pub struct Renaming(Vec<Name>);

impl Renaming {
    /// The new name of an old one.
    #[must_use]
    pub fn of(&self, name: Name) -> Name {
        self.0.get(name.place()).copied().unwrap_or(name)
    }

    /// Gives all names of events their new form.
    pub fn apply<'e>(&self, events: impl Iterator<Item = &'e mut Event>) {
        let mut rename = |name: &mut Name| *name = self.of(*name);
        // What several have in common is renamed once, and stays so. (Both are held, so that no other comes to lie in the same place.)
        let mut renamed: HashMap<usize, [Arc<Request>; 2], foldhash::fast::RandomState> = HashMap::default();
        for event in events {
            let What::Request(request) = &mut event.what else {
                event.each_name(&mut rename);
                continue;
            };
            if Arc::strong_count(request) > 1 {
                let [_, new] = renamed.entry(Arc::as_ptr(request).addr()).or_insert_with(|| {
                    let mut new = Request::clone(request);
                    new.each_name(&mut rename);
                    [Arc::clone(request), Arc::new(new)]
                });
                *request = Arc::clone(new);
            } else {
                Arc::make_mut(request).each_name(&mut rename);
            }
            event.each_key(&mut rename);
        }
    }
}

/// Longer texts are cut: no path, id or class name that means anything is longer.
const LONGEST_NAME: usize = 300;

impl Names {
    /// The name of a text.
    pub fn intern(&mut self, text: &[u8]) -> Name {
        if let Some(place) = self.recent.get(text) {
            return Self::name(place as usize);
        }
        let plain = text.len() <= LONGEST_NAME && text.iter().all(|b| (b' '..0x7f).contains(b));
        let place = match std::str::from_utf8(text) {
            Ok(text) if plain => self.texts.get_index_of(text).unwrap_or_else(|| self.texts.insert_full(text.into()).0),
            _ => self.texts.insert_full(printable(text).into()).0,
        };
        if let Ok(place) = u32::try_from(place) {
            self.recent.put(text, place);
        }
        Self::name(place)
    }

    /// About how much memory they take, in bytes.
    #[must_use]
    pub fn held(&self) -> usize {
        /// A text of some twenty bytes with its place, its hash and the allocator's own.
        const EACH: usize = 80;
        self.texts.len() * EACH
    }

    /// The name of a text that is already known.
    #[must_use]
    pub fn get(&self, text: &str) -> Option<Name> {
        self.texts.get_index_of(text).map(Self::name)
    }

    /// The text of a name.
    #[must_use]
    pub fn text(&self, name: Name) -> &str {
        self.texts.get_index(name.place()).map_or("", |text| text)
    }

    /// The same texts in the order of the alphabet, and where each name went: so that what is kept by name comes in one order,
    /// however the sources were cut when their texts were first seen.
    #[must_use]
    pub fn sorted(self) -> (Self, Renaming) {
        let mut texts: Vec<(Box<str>, usize)> = self.texts.into_iter().zip(0..).collect();
        texts.sort_unstable();
        let mut places = vec![Name(NonZeroU32::MIN); texts.len()];
        for (new, (_, old)) in texts.iter().enumerate() {
            places[*old] = Self::name(new);
        }
        let texts = texts.into_iter().map(|(text, _)| text).collect();
        (Self { texts, recent: Recent::default() }, Renaming(places))
    }

    fn name(place: usize) -> Name {
        // 2^32 different names of ten bytes are 40 GB; the caps on actors and requests are reached long before.
        let number = u32::try_from(place).unwrap_or(u32::MAX).saturating_add(1);
        Name(NonZeroU32::new(number).unwrap_or(NonZeroU32::MIN))
    }
}

/// A text from a log, fit to be shown: valid UTF-8, no control, bidirectional or zero-width character, not too long.
#[must_use]
pub fn printable(text: &[u8]) -> String {
    let cut = &text[..text.len().min(LONGEST_NAME)];
    String::from_utf8_lossy(cut)
        .chars()
        .map(|c| if is_hidden(c) || ('\u{e000}'..='\u{f8ff}').contains(&c) { '·' } else { c })
        .collect()
}

/// Whether a character steers a terminal or a reader's eye and is not seen itself: control characters, directions, no width.
#[must_use]
pub fn is_hidden(letter: char) -> bool {
    letter.is_control()
        || matches!(letter,
            '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

/// Where an event's time comes from, the best first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum TimeFrom {
    /// Written on the line.
    Line,
    /// From the `Started` line of the same request.
    Request,
    /// From a line near by.
    Neighbour,
    /// Only the order is known.
    Order,
}

/// By what the lines of a request were put together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum GroupedBy {
    /// It is one line.
    OneLine,
    /// The request id on each of them.
    RequestId,
    /// The process, and their order.
    Process,
    /// Their order alone.
    Order,
}

/// An exception that was logged under a request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fault {
    /// The class, where it was written: `NoMethodError`.
    pub class: Option<Name>,
    /// The message, with long words and e-mails masked.
    pub message: Name,
    /// Frames in the app's own code, the innermost first: place and method.
    pub frames: Vec<(Name, Name)>,
    /// The line it stands on.
    pub line: u64,
    /// The app's own words, not an exception block: the error was rescued and logged.
    pub rescued: bool,
}

/// Whether a status says that the credential is not, or no longer, accepted: 401, and what some frameworks have for a session that is over
/// (419 Laravel, 440 IIS, 498 ArcGIS and others). 403 is about what somebody may do.
#[must_use]
pub const fn is_unauthorized(status: u16) -> bool {
    matches!(status, 401 | 419 | 440 | 498)
}

/// Methods by which a client writes: what refreshes has one of them.
pub const WRITES: [&str; 3] = ["POST", "PUT", "PATCH"];

/// One HTTP request, as one side saw it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Request {
    /// A proxy's view of it: the app's own lines, where there are any, say it again.
    pub proxied: bool,
    /// Who saw it.
    pub side: Side,
    /// `GET`, `POST`, …
    pub method: Name,
    /// The path without query and host.
    pub path: Name,
    /// Controller and action.
    pub action: Option<Name>,
    /// The status of the answer.
    pub status: Option<u16>,
    /// The client saw an answer, though no status was logged.
    pub answered: bool,
    /// The client saw it fail without an answer.
    pub failure: Option<NetFailure>,
    /// It carried a password.
    pub password: bool,
    /// It carried a new password beside.
    pub new_password: bool,
    /// It carried a refresh token.
    pub refresh_token: bool,
    /// The token that was sent with it: an access token in a header, or the refresh token.
    pub sent: Option<Fingerprint>,
    /// The access token that its answer gave out.
    pub issued: Option<Fingerprint>,
    /// How long the token given out lives, in seconds.
    pub expires_in: Option<u32>,
    /// The filter that answered it.
    pub halted: Option<Name>,
    /// It became a WebSocket.
    pub upgraded: bool,
    /// What the app's own lines under it mean.
    pub sense: Sense,
    /// The exception logged under it.
    pub fault: Option<Box<Fault>>,
    /// The `date` header of its answer: seconds since 1970.
    pub server_date: Option<i64>,
    /// By what its lines were put together.
    pub grouped_by: GroupedBy,
}

/// Something about a WebSocket on the server.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub enum Socket {
    /// ActionCable took the request; whether the app accepts it is not said yet.
    Opened,
    /// The upgrade succeeded (it comes before the app accepts or refuses).
    Upgraded,
    /// The upgrade failed.
    UpgradeFailed,
    /// The app accepted it: the identifier as logged.
    Accepted(Name),
    /// The app refused it.
    Refused,
    /// It ended.
    Closed,
    /// The server ends a user's connections: the identifier as logged.
    Removing(Name),
    /// lograge: a connection opened (accepted or not), by its token.
    Connect(Option<Fingerprint>),
    /// lograge: a connection ended, by its token.
    Disconnect(Option<Fingerprint>),
    /// lograge: a channel was subscribed.
    Subscribed,
    /// lograge: a channel was unsubscribed, as the connection ends.
    Unsubscribed,
}

/// What a client's state holder moved to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum AuthState {
    /// Signed in.
    SignedIn,
    /// Signed out.
    SignedOut,
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum What {
    /// An HTTP request.
    Request(#[serde(with = "shared")] Arc<Request>),
    /// A WebSocket, on the server.
    Socket(Socket),
    /// A server process.
    Process(Process),
    /// The app's state of authentication changed.
    State {
        /// To what.
        to: AuthState,
        /// From what, where it was one of the two.
        from: Option<AuthState>,
        /// What moved it, as written.
        event: Name,
        /// The new state, as written.
        state: Name,
        /// The user asked for it.
        asked: bool,
        /// What the words of event and state mean.
        sense: Sense,
    },
    /// A WebSocket, on the client.
    ClientSocket(ClientSocket),
    /// A refresh, in the client's own words.
    ClientRefresh(ClientRefresh),
    /// The client says how long its token lives, in seconds.
    Lifetime(u32),
    /// In how many seconds the client means to refresh, by its own clock.
    RefreshDue(u32),
    /// The store of secrets failed.
    Storage {
        /// Because the device was locked.
        locked: bool,
    },
    /// The app came to the front, or left it.
    Lifecycle {
        /// To the front.
        resumed: bool,
    },
    /// The app started.
    AppStart,
    /// The app showed the page for signing in.
    LoginPage,
    /// The network was gone.
    NetworkDown,
    /// Which release runs from here on.
    Release {
        /// The app's on the device of the event's user; else the server's.
        of_app: bool,
        /// What it is called.
        name: Name,
    },
    /// The app's own words.
    Note {
        /// What they mean.
        sense: Sense,
        /// The words, masked.
        text: Name,
        /// Logged as an error or worse.
        severe: bool,
    },
}

/// Something that happened.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Event {
    /// Which source, by its number.
    pub source: u32,
    /// The first line it rests on, from 1.
    pub line: u64,
    /// Microseconds since 1970, of UTC once the source's clock is settled (see [`crate::assemble::Assembled`]).
    pub time: i64,
    /// Where the time comes from.
    pub timed: TimeFrom,
    /// The user, as logged.
    pub user: Option<Name>,
    /// The user's e-mail, as logged.
    pub email: Option<Name>,
    /// The client's address.
    pub address: Option<Name>,
    /// The client's device.
    pub device: Option<Name>,
    /// The process (and thread), 0 if not said.
    pub process: u64,
    /// When it ended, in the clock of `time`, if it is a request whose end is known.
    pub ended: Option<i64>,
    /// The id of the request that it is.
    pub request_id: Option<RequestId>,
    /// What happened.
    pub what: What,
}

/// What is shared is written down for each who has it.
mod shared {
    use std::sync::Arc;

    use serde::{Deserialize as _, Deserializer, Serialize as _, Serializer};

    use super::Request;

    pub(super) fn serialize<S: Serializer>(request: &Arc<Request>, to: S) -> Result<S::Ok, S::Error> {
        Request::serialize(request, to)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Arc<Request>, D::Error> {
        Request::deserialize(from).map(Arc::new)
    }
}

impl Request {
    /// Shows every name in it.
    fn each_name(&mut self, see: &mut impl FnMut(&mut Name)) {
        let Self { method, path, action, halted, fault, .. } = self;
        [method, path].into_iter().chain(action).chain(halted).for_each(&mut *see);
        if let Some(fault) = fault {
            fault.class.iter_mut().chain([&mut fault.message]).for_each(&mut *see);
            fault.frames.iter_mut().flat_map(|(place, method)| [place, method]).for_each(see);
        }
    }
}

impl Event {
    /// Shows the names of whom it is about.
    fn each_key(&mut self, see: &mut impl FnMut(&mut Name)) {
        let Self { user, email, address, device, .. } = self;
        [user, email, address, device].into_iter().flatten().for_each(see);
    }

    /// The request, to be changed, if it is one.
    pub(crate) fn request_mut(&mut self) -> Option<&mut Request> {
        match &mut self.what {
            What::Request(request) => Some(Arc::make_mut(request)),
            _ => None,
        }
    }

    /// Shows every name in it.
    pub(crate) fn each_name(&mut self, see: &mut impl FnMut(&mut Name)) {
        self.each_key(see);
        match &mut self.what {
            What::Request(request) => {
                Arc::make_mut(request).each_name(see);
            }
            What::Socket(Socket::Accepted(gid) | Socket::Removing(gid)) => see(gid),
            What::State { event, state, .. } => [event, state].into_iter().for_each(see),
            What::Note { text: name, .. } | What::Release { name, .. } => see(name),
            What::Socket(_)
            | What::Process(_)
            | What::ClientSocket(_)
            | What::ClientRefresh(_)
            | What::RefreshDue(_)
            | What::Lifetime(_)
            | What::Storage { .. }
            | What::Lifecycle { .. }
            | What::AppStart
            | What::LoginPage
            | What::NetworkDown => {}
        }
    }

    /// The request, if it is one.
    #[must_use]
    pub fn request(&self) -> Option<&Request> {
        match &self.what {
            What::Request(request) => Some(request),
            _ => None,
        }
    }

    /// Which side saw it.
    #[must_use]
    pub fn side(&self) -> Option<Side> {
        match &self.what {
            What::Request(request) => Some(request.side),
            What::Socket(_) | What::Process(_) => Some(Side::Server),
            What::Note { .. } | What::Release { .. } => None,
            _ => Some(Side::Client),
        }
    }
}
