//! Dialects: what programs write inside the envelopes. Each reads one line at a time and keeps nothing between lines, so
//! that a file may be cut anywhere; lines are put together again in [`crate::assemble`].
//!
//! A new dialect is a new file under `server/` or `client/`, and a line in [`DIALECTS`].

pub(crate) mod client;
pub(crate) mod otlp;
pub(crate) mod server;
mod words;

use bumpalo::Bump;

use crate::about::About;
use crate::json::Object;
use crate::record::{Body, Release, Side};
use crate::secret::{FingerprintKey, RequestId};
use crate::time::Stamp;

/// A line as dialects see it: envelopes and leading tags are off.
#[derive(Clone, Copy, Debug, Default)]
pub struct Line<'a> {
    /// The text after the tags.
    pub text: &'a [u8],
    /// The text with its tags: what a client's dialects read, where brackets are no tags.
    pub whole: &'a [u8],
    /// The tags in front of it.
    pub tags: Tags<'a>,
    /// Wrapped by one program, so its text is that program's whatever it says.
    pub program: bool,
    /// From a Flutter app, by its envelope.
    pub client: bool,
    /// From a Flutter app, in a source that one alone writes, or in an app's own time prefix, which servers hardly use.
    pub trace: bool,
    /// Logged as an error or worse.
    pub severe: bool,
    /// The text after the tags, where it is a JSON object.
    pub(crate) object: Option<&'a Object<'a>>,
}

impl<'a> Line<'a> {
    /// A line by itself, without tags or envelopes.
    #[must_use]
    pub fn bare(text: &'a [u8], arena: &'a Bump) -> Self {
        Self { text, whole: text, object: Object::of_line(text, arena), ..Self::default() }
    }
}

/// What the tags in front of a line (`[id] [user:42] text`) say.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Tags<'a> {
    /// The request id.
    pub request: Option<RequestId>,
    /// The user.
    pub user: Option<&'a [u8]>,
    /// The address.
    pub address: Option<&'a [u8]>,
    /// `[ActionCable]` is among them.
    pub cable: bool,
    /// There is any tag.
    pub any: bool,
    /// The last tag that is none of these, mostly an app's own `[Component]`.
    pub other: Option<&'a [u8]>,
}

/// What reading needs besides the line.
#[derive(Clone, Copy)]
pub struct Context<'a> {
    /// Where text lives that is not in the chunk as it stands (unescaped JSON).
    pub arena: &'a Bump,
    /// The run's key for tokens.
    pub key: FingerprintKey,
}

/// Whose a request on one line is and when it was, as far as fields of the line say.
#[derive(Clone, Copy, Debug, Default)]
pub struct Fields<'a> {
    /// The request id.
    pub request: Option<RequestId>,
    /// The user.
    pub user: Option<&'a [u8]>,
    /// The client's address.
    pub address: Option<&'a [u8]>,
    /// The time.
    pub stamp: Option<Stamp>,
    /// Which releases run: the caller's, the server's.
    pub releases: [Option<Release<'a>>; 2],
}

/// One way in which a program writes its log.
pub trait Dialect: Sync {
    /// Its name, as in `why401 formats`.
    fn name(&self) -> &'static str;
    /// Which side writes it.
    fn side(&self) -> Side;
    /// What `why401 formats` says of it.
    fn about(&self) -> About;
    /// Whether a client's lines are known by how they begin, so that a name before them has to be off.
    fn by_beginning(&self) -> bool {
        false
    }
    /// What the line says, or `None` if it is not this dialect.
    fn read<'a>(&self, line: &Line<'a>, context: &Context<'a>) -> Option<Body<'a>>;
    /// The fields of a line that was read as a request, a call or a connection on one line: a second look at it.
    fn fields<'a>(&self, _line: &Line<'a>, _context: &Context<'a>) -> Fields<'a> {
        Fields::default()
    }
}

/// All dialects. A line is tried against them in this order, the app's own words last.
pub static DIALECTS: &[&dyn Dialect] = &[
    &server::rails::Rails,
    &server::action_cable::ActionCable,
    &server::semantic::Semantic,
    &server::lograge::LogrageKeyValue,
    &server::logstasher::Logstasher,
    &server::lograge::LogrageJson,
    &server::lograge_ltsv::LogrageLtsv,
    &server::rails_events::RailsEvents,
    &server::heroku_router::HerokuRouter,
    &server::render_requests::RenderRequests,
    &server::access_log::AccessLog,
    &server::otlp::OtlpServer,
    &client::otlp::OtlpClient,
    &client::har::Har,
    &client::sentry::Sentry,
    &client::datadog_rum::DatadogRum,
    &server::requests::Requests,
    &server::puma::Puma,
    &server::rack_attack::RackAttack,
    &server::exception::Exception,
    &server::sql::Sql,
    &server::nginx_error::NginxError,
    &server::apache_error::ApacheError,
    &server::anycable::AnyCable,
    &server::sidekiq::Sidekiq,
    &client::talker::Talker,
    &client::dio::DioLog,
    &client::pretty_dio::PrettyDio,
    &client::chopper::Chopper,
    &client::chrome::Chrome,
    &client::bloc::Bloc,
    &client::secure_storage::SecureStorage,
    &client::cable::CableClient,
    &client::lifecycle::Lifecycle,
    &client::refresh::RefreshWords,
    &client::flutter_tool::FlutterTool,
    &client::app::ClientApp,
    &server::platform::Platform,
    &server::falcon::Falcon,
    &server::auth_library::AuthLibrary,
    &server::app::ServerApp,
];

/// What the words of an app mean, apart from whom they name.
pub(crate) fn meaning(text: &[u8]) -> crate::record::Sense {
    words::meaning(text).0
}
