//! Who takes part: people with their devices, each with at most one thing wrong.

use super::rng::Rng;
use super::{Ids, Options, Platform, SECOND, Withheld};

/// The one thing that is wrong with a person's app, account or day. Names as in `truth.json` of the labelled samples.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    None,
    SocketKeepsToken,
    HeaderKeepsToken,
    RefreshRaises,
    RefreshHidesError,
    RefreshRaces,
    RefreshExpired,
    RefreshUnknown,
    ReactiveOnly,
    NeverRefreshes,
    Offline,
    StragglingPoll,
    PasswordChange,
    AdminRevocation,
    ClockAhead,
    ClockBehind,
    StoreUnreadable,
    Reinstall,
    AnswerLost,
    AnswerUnreadable,
    LateTimer,
    SecondHolder,
    OldTokenSent,
    SessionLimit,
    SocketOfNobody,
}

impl Fault {
    pub(super) const ALL: &'static [Self] = &[
        Self::SocketKeepsToken,
        Self::HeaderKeepsToken,
        Self::RefreshRaises,
        Self::RefreshHidesError,
        Self::RefreshRaces,
        Self::RefreshExpired,
        Self::RefreshUnknown,
        Self::ReactiveOnly,
        Self::NeverRefreshes,
        Self::Offline,
        Self::StragglingPoll,
        Self::PasswordChange,
        Self::AdminRevocation,
        Self::ClockAhead,
        Self::ClockBehind,
        Self::StoreUnreadable,
        Self::Reinstall,
    ];

    /// Those that a mix has only where it is asked for them: `rare`, or the kind by its name.
    pub(super) const RARE: &'static [Self] = &[
        Self::AnswerLost,
        Self::AnswerUnreadable,
        Self::LateTimer,
        Self::SecondHolder,
        Self::OldTokenSent,
        Self::SessionLimit,
        Self::SocketOfNobody,
    ];

    /// Cause and kind as `truth.json` names them.
    pub(super) const fn label(self) -> (&'static str, &'static str) {
        match self {
            Self::None => ("healthy", ""),
            Self::SocketKeepsToken => ("stale_token", "ws_closure_captured"),
            Self::HeaderKeepsToken => ("stale_token", "http_header_captured"),
            Self::RefreshRaises => ("refresh_failure", "server_error"),
            Self::RefreshHidesError => ("refresh_failure", "swallowed"),
            Self::RefreshRaces => ("refresh_failure", "reuse_race"),
            Self::RefreshExpired => ("refresh_failure", "expired"),
            Self::RefreshUnknown => ("refresh_failure", "rejected"),
            Self::ReactiveOnly => ("lifetime_expiry", "reactive_only_1h"),
            Self::NeverRefreshes => ("lifetime_expiry", "never_refreshes"),
            Self::Offline => ("network_loss", "client_offline"),
            Self::StragglingPoll => ("logout", "straggling_poll"),
            Self::PasswordChange => ("revoked", "password_change"),
            Self::AdminRevocation => ("revoked", "admin_revocation"),
            Self::ClockAhead => ("clock_skew", "device_ahead"),
            Self::ClockBehind => ("clock_skew", "device_behind"),
            Self::StoreUnreadable => ("storage_loss", "keystore_failure"),
            Self::Reinstall => ("storage_loss", "reinstall"),
            Self::AnswerLost => ("refresh_failure", "lost_response"),
            Self::AnswerUnreadable => ("refresh_failure", "unusable_response"),
            Self::LateTimer => ("lifetime_expiry", "late_proactive"),
            Self::SecondHolder => ("refresh_failure", "second_holder"),
            Self::OldTokenSent => ("refresh_failure", "loop"),
            Self::SessionLimit => ("revoked", "session_limit"),
            Self::SocketOfNobody => ("stale_token", "anonymous_downgrade"),
        }
    }

    /// The app replaces its token ahead of the end.
    pub(super) const fn proactive(self) -> bool {
        !matches!(
            self,
            Self::ReactiveOnly
                | Self::NeverRefreshes
                | Self::ClockBehind
                | Self::RefreshRaces
                | Self::LateTimer
                | Self::OldTokenSent
        )
    }

    /// The session is older than the log.
    pub(super) const fn old_session(self) -> bool {
        matches!(self, Self::RefreshExpired | Self::RefreshUnknown)
    }
}

/// The frame of a trace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Frame {
    Iso,
    Logcat,
    FlutterRun,
    Ios,
}

impl Frame {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Iso => "iso",
            Self::Logcat => "logcat",
            Self::FlutterRun => "flutter_run",
            Self::Ios => "ios",
        }
    }
}

/// What the app's HTTP logger prints.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Logger {
    LogInterceptor,
    Pretty,
    OneLine,
}

impl Logger {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::LogInterceptor => "log_interceptor",
            Self::Pretty => "pretty",
            Self::OneLine => "one_line",
        }
    }
}

/// A person with a device.
#[derive(Clone, Debug)]
pub(super) struct Person {
    pub(super) id: String,
    pub(super) email: String,
    pub(super) gid: String,
    pub(super) ip: String,
    /// The address on the other network, for those who leave the house.
    pub(super) roams_to: Option<String>,
    /// Whose second device this is: the place of the first.
    pub(super) second_of: Option<usize>,
    pub(super) device: String,
    pub(super) fault: Fault,
    pub(super) traced: bool,
    pub(super) frame: Frame,
    pub(super) logger: Logger,
    /// Seconds east of UTC, and the zone's name.
    pub(super) zone: (i64, &'static str),
    /// How far the device's clock is ahead, in seconds.
    pub(super) clock_error: i64,
}

const NAMES: &[&str] =
    &["ines", "tomas", "rosa", "akira", "femi", "noor", "lars", "wei", "dana", "ivo", "mila", "omar"];

/// People by the options: one in three has something wrong in a mix, everybody where a single cause is asked for but a few.
pub(super) fn people(options: &Options, rng: &mut Rng) -> Vec<Person> {
    let faults = options.faults();
    let zones = [(0, "UTC"), (9 * 3600, "Asia/Seoul"), (3600, "Europe/Berlin"), (-5 * 3600, "America/New_York")];
    let frames = frames(options);
    let mut people = Vec::with_capacity(options.users);
    let mut next_fault = rng.between(0, 97).unsigned_abs();
    for number in 0..options.users {
        let fault = if faults.is_empty() || number % 3 != 0 {
            Fault::None
        } else {
            next_fault += 1;
            usize::try_from(next_fault % faults.len() as u64)
                .ok()
                .and_then(|place| faults.get(place))
                .copied()
                .unwrap_or(Fault::None)
        };
        let name = rng.pick(NAMES).copied().unwrap_or("ines");
        let email = format!("{name}.{number}@harborline.example");
        let id = match options.ids {
            Ids::Int => (7000 + number).to_string(),
            Ids::Uuid => rng.uuid(),
            Ids::Ulid => ulid(rng),
            Ids::Email => email.clone(),
        };
        let gid = base64(&format!("gid://harborline/Member/{id}"));
        let (third, last) = (number / 250 % 250, number % 250 + 2);
        let shared = options.nat > 1 && number < options.nat;
        let ip = if options.withholds(Withheld::Addresses) {
            "10.20.0.9".to_owned()
        } else if shared {
            "198.51.100.77".to_owned()
        } else {
            format!("{}.{}.{third}.{last}", 81 + number / 62_500 % 100, rng.between(10, 250))
        };
        let clock_error = match fault {
            Fault::ClockAhead => rng.between(4000, 9000),
            Fault::ClockBehind => -rng.between(4000, 9000),
            _ => 0,
        };
        let frame = *rng.pick(&frames).unwrap_or(&Frame::Iso);
        let logger = *rng.pick(&[Logger::LogInterceptor, Logger::Pretty, Logger::OneLine]).unwrap_or(&Logger::OneLine);
        let traced = !options.withholds(Withheld::Client)
            && number < MOST_TRACED
            && (fault != Fault::None && rng.percent(40) || rng.percent(8));
        let device = format!("hl-{:012x}", rng.next() & 0xffff_ffff_ffff);
        let zone = *rng.pick(&zones).unwrap_or(&zones[0]);
        let (roams_to, second_of) = (None, None);
        people.push(Person {
            id,
            email,
            gid,
            ip,
            roams_to,
            second_of,
            device,
            fault,
            traced,
            frame,
            logger,
            zone,
            clock_error,
        });
    }
    move_about(&mut people, options, rng);
    second_devices(&mut people, options, rng);
    people
}

/// The frames of traces that the platforms have.
fn frames(options: &Options) -> Vec<Frame> {
    let all = [Frame::Iso, Frame::Logcat, Frame::FlutterRun, Frame::Ios];
    let of = |frame: &Frame| match frame {
        Frame::Iso => None,
        Frame::Logcat | Frame::FlutterRun => Some(Platform::Android),
        Frame::Ios => Some(Platform::Ios),
    };
    // A trace in a file of the app's own (`Iso`) may come from either.
    all.into_iter().filter(|frame| of(frame).is_none_or(|platform| options.platforms.contains(&platform))).collect()
}

/// Some leave the house: their phones change from one network to the other and back.
fn move_about(people: &mut [Person], options: &Options, rng: &mut Rng) {
    for (number, person) in people.iter_mut().enumerate().filter(|_| !options.withholds(Withheld::Addresses)) {
        if number % 100 < options.roaming {
            person.roams_to =
                Some(format!("100.{}.{}.{}", 64 + number / 62_500 % 60, number / 250 % 250, rng.between(2, 250)));
        }
    }
}

/// Some have another device beside, with which nothing is wrong. What ends all sessions of a person would end its too, and such persons
/// have none.
fn second_devices(people: &mut Vec<Person>, options: &Options, rng: &mut Rng) {
    let alone =
        |person: &Person| matches!(person.fault, Fault::PasswordChange | Fault::AdminRevocation | Fault::SessionLimit);
    let firsts: Vec<usize> =
        (0..people.len()).filter(|place| place % 100 < options.second_devices && !alone(&people[*place])).collect();
    for first in firsts {
        let mut second = people[first].clone();
        second.fault = Fault::None;
        second.clock_error = 0;
        second.traced = false;
        second.roams_to = None;
        second.second_of = Some(first);
        second.device = format!("hl-{:012x}", rng.next() & 0xffff_ffff_ffff);
        if !options.withholds(Withheld::Addresses) {
            second.ip = format!("79.{}.{}.{}", rng.between(10, 250), first / 250 % 250, first % 250 + 2);
        }
        people.push(second);
    }
}

/// Nobody hands in more traces than these.
const MOST_TRACED: usize = 400;

fn ulid(rng: &mut Rng) -> String {
    const LETTERS: &[u8] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
    let tail: String = (0..22).map(|_| char::from(LETTERS[usize::try_from(rng.next() % 32).unwrap_or(0)])).collect();
    format!("01KA{tail}")
}

/// URL-safe, unpadded: what GlobalID's `to_gid_param` gives.
fn base64(text: &str) -> String {
    const LETTERS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let mut out = String::new();
    for chunk in text.as_bytes().chunks(3) {
        let bits = chunk.iter().fold(0_u32, |bits, byte| bits << 8 | u32::from(*byte)) << (8 * (3 - chunk.len()));
        for place in 0..=chunk.len() {
            out.push(char::from(LETTERS[(bits >> (18 - 6 * place) & 63) as usize]));
        }
    }
    out
}

/// When the first of the people opens the app: over the first minutes, and old sessions a little later.
pub(super) fn first_open(rng: &mut Rng, users: usize) -> i64 {
    rng.between(0, (users as i64 * 2).clamp(60, 600)) * SECOND
}
