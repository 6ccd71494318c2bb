//! What one line says: a [`Record`], borrowed from the chunk it was read from.

use serde::{Deserialize, Serialize};

use crate::secret::{Fingerprint, RequestId};
use crate::time::Stamp;

/// Which end of the connection wrote a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Side {
    /// The API: Rails, Puma, a proxy before them.
    Server,
    /// The app on the device.
    Client,
}

/// What one line of a source says.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Record<'a> {
    /// The line's number within its chunk, from 0.
    pub line: u32,
    /// The program's own time if it wrote one, else the envelope's.
    pub stamp: Option<Stamp>,
    /// The time of the nearest line before this one that has a time, within the chunk; for lines that state none.
    pub near: Option<Stamp>,
    /// The request id in the line's tags or fields.
    pub request: Option<RequestId>,
    /// The user whom the line's tags name.
    pub user: Option<&'a [u8]>,
    /// The client's address in the line's tags or fields.
    pub address: Option<&'a [u8]>,
    /// The process (and thread) that wrote it, as one number; 0 where the line does not say.
    pub process: u64,
    /// The line has tags of its own (`[ActionCable] [42]`, a request id).
    pub tagged: bool,
    /// Logged as an error or worse.
    pub severe: bool,
    /// Which side's dialect read it.
    pub side: Side,
    /// What it says.
    pub body: Body<'a>,
}

/// Whether a `Started` line was Rails' own or ActionCable's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Upgrade {
    /// A plain HTTP request as far as this line knows.
    None,
    /// `[WebSocket]`: ActionCable took it.
    WebSocket,
    /// `[non-WebSocket]`: ActionCable took it and it was no WebSocket.
    NonWebSocket,
}

/// What happened to a process of the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Process {
    /// It starts.
    Boot,
    /// It was told to stop and finishes its requests.
    Stopping,
}

/// How a request failed on the client without an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum NetFailure {
    /// No route, no name, connection refused or reset.
    Connection,
    /// It took too long.
    Timeout,
    /// The app cancelled it.
    Cancelled,
    /// An answer came, and the app could not read it.
    Unreadable,
    /// Something else; the text does not say.
    Other,
}

/// Which bits of meaning an app's own words carry. Evidence that colours a verdict, never the hook it hangs on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sense(pub u16);

impl Sense {
    /// A credential ran out.
    pub const EXPIRED: Self = Self(1);
    /// A credential was revoked.
    pub const REVOKED: Self = Self(1 << 1);
    /// A credential is not known, or not well formed.
    pub const UNKNOWN: Self = Self(1 << 2);
    /// A single-use credential was used again.
    pub const REUSED: Self = Self(1 << 3);
    /// No credential was sent.
    pub const MISSING: Self = Self(1 << 4);
    /// Something was refused.
    pub const REFUSED: Self = Self(1 << 5);
    /// An error text of a program (`undefined method …`, `…Error`).
    pub const FAULT: Self = Self(1 << 6);
    /// The password was changed.
    pub const PASSWORD: Self = Self(1 << 7);
    /// The user signed out.
    pub const SIGN_OUT: Self = Self(1 << 8);
    /// Nothing was stored on the device.
    pub const NO_SESSION: Self = Self(1 << 9);
    /// About a socket.
    pub const SOCKET: Self = Self(1 << 10);
    /// About a refresh.
    pub const REFRESH: Self = Self(1 << 11);

    /// Whether all of `other` is meant.
    #[must_use]
    pub const fn has(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// Both.
    #[must_use]
    pub const fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether it says why a credential was refused, and not only that it was.
    #[must_use]
    pub const fn gives_reason(self) -> bool {
        const REASONS: u16 =
            Sense::EXPIRED.0 | Sense::REVOKED.0 | Sense::UNKNOWN.0 | Sense::REUSED.0 | Sense::MISSING.0;
        self.0 & REASONS != 0
    }

    /// Nothing is meant.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }
}

/// Which kinds of request parameter a line showed, by their names.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Params<'a> {
    /// There is a password among them.
    pub password: bool,
    /// There is a new or confirmed password among them, or a current one beside another.
    pub new_password: bool,
    /// There is a refresh token among them, or `grant_type=refresh_token`.
    pub refresh_token: bool,
    /// An e-mail or login name in clear.
    pub email: Option<&'a [u8]>,
    /// A single-use or refresh token that stands there in clear, as a fingerprint.
    pub token: Option<Fingerprint>,
    /// What is asked of an endpoint that does all (GraphQL): the operation's name.
    pub operation: Option<&'a [u8]>,
}

/// What an HTTP request line says of its end.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Completed<'a> {
    /// The status; `None` where the program did not know.
    pub status: Option<u16>,
    /// How long it took, in microseconds.
    pub duration: Option<i64>,
    /// The controller and action, where the line names them.
    pub action: Option<&'a [u8]>,
    /// The exception that ended it (`Class: message`), where the line names it.
    pub exception: Option<&'a [u8]>,
}

/// A client's call with its answer, as recordings and monitors hold it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Exchange<'a> {
    /// `GET`, `POST`, …
    pub method: &'a [u8],
    /// The address.
    pub uri: &'a [u8],
    /// The status; `None` or 0 where no answer came.
    pub status: Option<u16>,
    /// How long it took, in microseconds.
    pub duration: Option<i64>,
    /// The request's id.
    pub id: Option<RequestId>,
    /// The token that was sent.
    pub bearer: Option<Fingerprint>,
    /// What was sent in the body.
    pub params: Params<'a>,
}

/// A release, by the name that it goes by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Release<'a> {
    /// The app's on a device; else the server's.
    pub of_app: bool,
    /// `2.3.1+45`, `v123`, a commit.
    pub name: &'a [u8],
}

/// What a line says.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Body<'a> {
    /// Understood, and nothing that any verdict needs.
    Dull,

    // ---- server ----
    /// A request begins.
    Started {
        /// `GET`, `POST`, …
        method: &'a [u8],
        /// Path with query, as logged.
        path: &'a [u8],
        /// ActionCable's mark.
        upgrade: Upgrade,
        /// The client's address.
        address: &'a [u8],
        /// The line's own time.
        at: Option<Stamp>,
    },
    /// Which controller and action took the request: `Api::V1::FeedController#index`.
    Processing(&'a [u8]),
    /// The request's parameters.
    Parameters(Params<'a>),
    /// A filter answered the request: its name.
    Halted(&'a [u8]),
    /// The request ends.
    Completed(Completed<'a>),
    /// A request on one line, written at its end (lograge and its kind).
    Request {
        /// `GET`, `POST`, …
        method: &'a [u8],
        /// Path, with or without a query.
        path: &'a [u8],
        /// Its end.
        end: Completed<'a>,
    },
    /// A request as a proxy in front of the app saw it: counts where the app itself says nothing.
    Proxied {
        /// `GET`, `POST`, …; `-` for what was no HTTP.
        method: &'a [u8],
        /// Path, with or without a query.
        path: &'a [u8],
        /// Its end.
        end: Completed<'a>,
    },
    /// The upgrade succeeded. Comes before authentication.
    Upgraded,
    /// The upgrade failed: no WebSocket request, or an origin that is not allowed.
    UpgradeFailed,
    /// A connection was accepted; the identifier as logged.
    Registered(&'a [u8]),
    /// A connection was refused by the app.
    Rejected,
    /// A connection ended, for whatever reason.
    Finished {
        /// The client's address.
        address: &'a [u8],
        /// The line's own time.
        at: Option<Stamp>,
    },
    /// The server removes a user's connections; the identifier as logged.
    Removing(&'a [u8]),
    /// A connection as lograge shows it: `connect` or `disconnect`, by token.
    Connection {
        /// `true` for `connect`, `false` for `disconnect`.
        opened: bool,
        /// The token it came with.
        token: Option<Fingerprint>,
    },
    /// A channel of a connection: `true` for subscribed, `false` for unsubscribed.
    Channel(bool),
    /// The first line of an exception: `NoMethodError (undefined method …)`.
    Exception {
        /// The class.
        class: &'a [u8],
        /// The message.
        message: &'a [u8],
    },
    /// A line of a stack trace in the app's own code.
    Frame {
        /// Path and line: `app/services/token_refresh_service.rb:64`.
        place: &'a [u8],
        /// The method, with its class from Ruby 3.4 on.
        method: &'a [u8],
    },
    /// SQL that names a user: the one who was loaded, or the one a token was created for.
    UserRow {
        /// The id.
        id: &'a [u8],
        /// The row was written for a credential (`AccessToken Create`).
        credential: bool,
    },
    /// A process of the server starts or stops.
    Process(Process),

    // ---- client ----
    /// A request or an answer begins, as a block of lines: what the following fields belong to.
    Block(Block),
    /// The address of a block's request.
    Uri(&'a [u8]),
    /// The method of a block's request.
    Method(&'a [u8]),
    /// The status of a block's answer.
    Status(u16),
    /// A request, an answer or a failure on one line.
    Call {
        /// Which of them.
        block: Block,
        /// `GET`, `POST`, … where the line says.
        method: Option<&'a [u8]>,
        /// The address or path, where the line says.
        uri: Option<&'a [u8]>,
        /// The status of an answer.
        status: Option<u16>,
    },
    /// A block begins, and its first line has method and address already.
    BlockOf {
        /// Which of them.
        block: Block,
        /// `GET`, `POST`, … where the line says.
        method: Option<&'a [u8]>,
        /// The address.
        uri: &'a [u8],
    },
    /// A call with its answer, whole.
    Exchange(Exchange<'a>),
    /// A request failed without an answer.
    Failed(NetFailure),
    /// A header of the block: the token that was sent.
    Bearer(Fingerprint),
    /// A header of the block: the request's id.
    RequestIdHeader(RequestId),
    /// A header of the answer: the server's idea of the time.
    ServerDate(Stamp),
    /// A token that an answer's body gave out.
    Issued {
        /// A refresh token, not an access token.
        refresh: bool,
        /// The token.
        token: Fingerprint,
        /// How long it lives, in seconds, where the same line says.
        expires_in: Option<u32>,
    },
    /// How long the token given out will live, in seconds.
    ExpiresIn(u32),
    /// In how many seconds the client means to refresh, by its own clock.
    RefreshDue(u32),
    /// A header of the block that names the device.
    Device(&'a [u8]),
    /// A parameter of the request's body.
    Sent(Params<'a>),
    /// The block is over.
    BlockEnd,
    /// A bloc (or a like state holder) moves from one state to another.
    Transition {
        /// The bloc's name, where the line says.
        bloc: &'a [u8],
        /// What moved it.
        event: &'a [u8],
        /// Before.
        from: &'a [u8],
        /// After.
        to: &'a [u8],
    },
    /// What the client says of its socket.
    ClientSocket(ClientSocket),
    /// What the client says of a refresh, in its own words.
    ClientRefresh(ClientRefresh),
    /// The store of secrets could not be read: the exception's text.
    Storage {
        /// The device was locked (-25308): the value is still there.
        locked: bool,
    },
    /// The app comes to the front or leaves it.
    Lifecycle {
        /// To the front.
        resumed: bool,
    },
    /// The app starts.
    AppStart,
    /// The app shows the page for signing in.
    LoginPage,
    /// A socket or name look-up failed, outside a request block.
    NetworkDown,

    // ---- either ----
    /// Which release runs; beside what else the line says.
    Release(Release<'a>),
    /// The app's own words, as far as they mean something here.
    Note {
        /// What they mean.
        sense: Sense,
        /// The user they name.
        user: Option<&'a [u8]>,
        /// The words.
        text: &'a [u8],
    },
}

/// Which part of an exchange a client's block shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Block {
    /// The request.
    Request,
    /// The answer.
    Response,
    /// A failure, with or without an answer.
    Error,
}

/// What a client says of a refresh.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ClientRefresh {
    /// It begins.
    Started,
    /// It gave a new token.
    Done {
        /// How long the new token lives, in seconds, where the words say.
        expires_in: Option<u32>,
    },
    /// It gave nothing.
    Failed {
        /// The status of the answer, where the words say.
        status: Option<u16>,
        /// No answer came.
        failure: Option<NetFailure>,
    },
}

/// What a client says of its socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ClientSocket {
    /// It tries to connect.
    Connecting,
    /// It is connected (welcome).
    Connected,
    /// The server refused it (`reason: unauthorized`).
    Refused,
    /// The server ended it (`reason: remote`).
    Removed,
    /// The server restarts (`reason: server_restart`).
    ServerRestart,
    /// It closed, with this code (1006 where no close came).
    Closed(u16),
    /// It could not connect.
    ConnectFailed,
    /// It could not connect for want of a network: no name look-up, no route.
    NoNetwork,
    /// It gave up.
    GaveUp,
}
