//! Which endpoints sign in, refresh, sign out: by what their requests carry, by a vocabulary of usual words, by what the
//! configuration says; which one refreshes, else by what it does (`endpoint/behaviour.rs`). The rules know no app.

pub(crate) mod behaviour;

use std::collections::{BTreeSet, HashMap};

use foldhash::fast::RandomState;
use why401_parsers::event::{Event, Name, Names, Request};

use crate::config::Endpoints;
use crate::spread::Crew;
use behaviour::Inferred;

/// What an endpoint is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Gives a first credential for a password or a like proof.
    SignIn,
    /// Gives a new access token for a refresh token.
    Refresh,
    /// Ends a session.
    SignOut,
    /// Changes a password, or revokes other sessions.
    Revoke,
    /// Becomes a WebSocket.
    Socket,
    /// Says that the server is alive; nobody is behind it.
    Health,
    /// Anything else.
    Other,
}

/// The roles of the endpoints seen, filled once and then asked.
#[derive(Debug, Default)]
pub struct Roles {
    known: HashMap<(Name, Name), Role, RandomState>,
    /// By controller and action: for requests whose first line is not in the log.
    by_action: HashMap<Name, Role, RandomState>,
    /// The refresh, where only what it does tells it.
    behaving: BTreeSet<(Name, Name)>,
    /// Sign-ins by their name alone (`POST /users/tokens`) beside one that is surely one: what they do may tell otherwise.
    doubtful: BTreeSet<(Name, Name)>,
}

/// An endpoint that has a role, for the report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Listed {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) role: Role,
    /// Only what it does tells it.
    pub(crate) by_behaviour: bool,
}

impl Roles {
    /// Learns the roles from all requests, of both sides.
    pub(crate) fn learn<'e>(
        sources: impl Iterator<Item = &'e [Event]>,
        names: &Names,
        config: &Endpoints,
        crew: Crew,
    ) -> Self {
        let mut seen: HashMap<(Name, Name), Seen, RandomState> = HashMap::default();
        for events in sources {
            for part in crew.split(events.len(), |part| seen_in(&events[part])) {
                for (endpoint, more) in part {
                    seen.entry(endpoint).or_default().add(&more);
                }
            }
        }
        // What has neither method nor path is the rest of requests whose first line is lost, each of another endpoint.
        seen.retain(|(method, path), _| !(names.text(*method).is_empty() && names.text(*path).is_empty()));
        let actions: Vec<((Name, Name), Name)> =
            seen.iter().filter_map(|(key, seen)| Some((*key, seen.action?))).collect();
        let mut known: HashMap<(Name, Name), Role, RandomState> = HashMap::default();
        let (mut doubtful, mut entering) = (BTreeSet::new(), BTreeSet::new());
        for ((method, path), seen) in &seen {
            let action = seen.action.map_or("", |action| names.text(action));
            let words = Words::of(names.text(*path), action);
            let configured = config.role(names.text(*path));
            let role = configured.unwrap_or_else(|| words.role(names.text(*method), seen));
            if role == Role::SignIn && configured.is_none() && !seen.password && !words.enter() {
                doubtful.insert((*method, *path));
            } else if role == Role::SignIn {
                entering.insert((*method, *path));
            }
            if role != Role::Other {
                known.insert((*method, *path), role);
            }
        }
        if entering.is_empty() {
            doubtful.clear();
        }
        // What is made by a POST is ended by a DELETE.
        if let Some((post, delete)) = names.get("POST").zip(names.get("DELETE")) {
            for (_, path) in entering.iter().filter(|(method, _)| *method == post) {
                if seen.contains_key(&(delete, *path)) {
                    known.entry((delete, *path)).or_insert(Role::SignOut);
                }
            }
        }
        let mut by_action: HashMap<Name, Role, RandomState> = HashMap::default();
        for (key, action) in actions {
            // One action behind two endpoints: the role that does more with credentials, whatever their order.
            if let Some(role) = known.get(&key) {
                by_action.entry(action).and_modify(|known| *known = (*known).min(*role)).or_insert(*role);
            }
        }
        Self { known, by_action, behaving: BTreeSet::new(), doubtful }
    }

    /// Takes an endpoint for the refresh by what it does. `requests` are the servers'.
    pub(crate) fn learn_by_behaviour<'r>(
        &mut self,
        refresh: &Inferred,
        requests: impl Iterator<Item = &'r Request>,
        names: &Names,
    ) {
        for request in refresh.of(requests, names) {
            let endpoint = (request.method, request.path);
            self.known.insert(endpoint, Role::Refresh);
            self.behaving.insert(endpoint);
            self.by_action.extend(request.action.map(|action| (action, Role::Refresh)));
        }
    }

    /// Whether a request is a refresh, for any of these that was answered as by something that is there: whoever looks for doors tries a
    /// refresh, too.
    pub(crate) fn has_refresh<'a>(&self, mut requests: impl Iterator<Item = &'a Request>) -> bool {
        let is_there = |request: &Request| request.status.is_some_and(|status| !matches!(status, 404 | 405));
        self.known.values().any(|role| *role == Role::Refresh)
            && requests.any(|request| is_there(request) && self.of(request) == Role::Refresh)
    }

    /// The path of the refresh that only what it does tells, if it has but one.
    pub(crate) fn behaving_at<'n>(&self, names: &'n Names) -> Option<&'n str> {
        let mut paths = self.behaving.iter().map(|(_, path)| *path);
        let path = paths.next()?;
        paths.all(|other| other == path).then(|| names.text(path))
    }

    /// The role of a request. What it carried itself beats what its endpoint is mostly for: one endpoint may serve several
    /// grants (`/oauth/token`).
    #[must_use]
    pub fn of(&self, request: &Request) -> Role {
        let by_path = self.known.get(&(request.method, request.path));
        let known = by_path.or_else(|| self.by_action.get(&request.action?)).copied().unwrap_or(Role::Other);
        match known {
            Role::SignIn | Role::Refresh if request.refresh_token => Role::Refresh,
            Role::SignIn | Role::Refresh if request.password && !request.new_password => Role::SignIn,
            known => known,
        }
    }

    /// The same, but for what is a sign-in by its name alone: so that it is looked at what it does.
    pub(crate) fn of_all_but_doubtful(&self, request: &Request) -> Role {
        let doubtful = !request.password && self.doubtful.contains(&(request.method, request.path));
        if doubtful { Role::Other } else { self.of(request) }
    }

    /// The endpoints that have a role, for the report. Sorted.
    #[must_use]
    pub(crate) fn list(&self, names: &Names) -> Vec<Listed> {
        let mut list: Vec<_> = self
            .known
            .iter()
            .filter(|(_, role)| !matches!(role, Role::Health))
            .map(|((method, path), role)| Listed {
                method: names.text(*method).to_owned(),
                path: names.text(*path).to_owned(),
                role: *role,
                by_behaviour: self.behaving.contains(&(*method, *path)),
            })
            .collect();
        list.sort_by(|a, b| (a.role, &a.path, &a.method).cmp(&(b.role, &b.path, &b.method)));
        list
    }
}

#[derive(Default)]
struct Seen {
    password: bool,
    new_password: bool,
    refresh_token: bool,
    upgraded: bool,
    action: Option<Name>,
}

impl Seen {
    fn add(&mut self, more: &Self) {
        self.password |= more.password;
        self.new_password |= more.new_password;
        self.refresh_token |= more.refresh_token;
        self.upgraded |= more.upgraded;
        self.action = self.action.or(more.action);
    }
}

/// What is seen of each endpoint.
fn seen_in(events: &[Event]) -> HashMap<(Name, Name), Seen, RandomState> {
    let mut seen: HashMap<(Name, Name), Seen, RandomState> = HashMap::default();
    for request in events.iter().filter_map(Event::request) {
        seen.entry((request.method, request.path)).or_default().add(&Seen {
            password: request.password,
            new_password: request.new_password,
            refresh_token: request.refresh_token,
            upgraded: request.upgraded,
            action: request.action,
        });
    }
    seen
}

/// What an endpoint is called, in lower case.
struct Words {
    path: String,
    controller: String,
    verb: String,
}

impl Words {
    fn of(path: &str, action: &str) -> Self {
        let (controller, verb) = action.split_once('#').unwrap_or(("", action));
        Self {
            path: path.to_ascii_lowercase(),
            controller: controller.to_ascii_lowercase(),
            verb: verb.to_ascii_lowercase(),
        }
    }

    fn segments(&self) -> impl DoubleEndedIterator<Item = &str> {
        self.path.split('/').filter(|segment| !segment.is_empty())
    }

    fn last(&self) -> &str {
        self.segments().next_back().unwrap_or_default()
    }

    fn has(&self, words: &[&str]) -> bool {
        self.segments().any(|segment| words.contains(&segment))
    }

    /// Whether it is about credentials.
    fn of_auth(&self) -> bool {
        ["auth", "session", "token", "oauth", "login", "identity", "credential"]
            .iter()
            .any(|word| self.controller.contains(word) || self.segments().any(|segment| segment.contains(word)))
    }

    fn refresh(&self, method: &str) -> bool {
        const REFRESHING: [&str; 5] = ["refresh", "renew", "rotate", "reissue", "extend"];
        let last = self.last();
        if method == "GET" {
            // What is read may be anything (`/auth/refresh_status`), unless both say no more.
            let says_so = |word: &str| {
                let word = word.replace(['-', '_'], "");
                REFRESHING.iter().any(|known| matches!(word.strip_prefix(known), Some("" | "token" | "session")))
            };
            return says_so(last) && says_so(&self.verb);
        }
        REFRESHING.iter().any(|word| self.verb.starts_with(word) || last.contains(word))
            || self.segments().any(|segment| segment.contains("refresh"))
    }

    fn leave(&self, method: &str) -> bool {
        let leaving = ["logout", "log_out", "log-out", "signout", "sign_out", "sign-out", "signoff"];
        let last = self.last();
        let before = self.segments().nth_back(1).unwrap_or_default();
        if method == "GET" {
            return leaving.contains(&last);
        }
        // RFC 7009: whoever calls it holds the token. An administrator takes somebody's.
        let of_somebody =
            || self.segments().any(|segment| segment == "admin" || segment.bytes().all(|b| b.is_ascii_digit()));
        let revokes_own =
            last == "revoke" && (self.has(&["oauth"]) || matches!(before, "token" | "tokens") && !of_somebody());
        self.has(&leaving)
            || leaving.contains(&self.verb.as_str())
            || matches!(last, "end" | "destroy" | "close") && matches!(before, "session" | "sessions" | "auth")
            || method == "DELETE"
                && self.of_auth()
                && (self.verb == "destroy" || self.verb.is_empty())
                && matches!(last, "session" | "sessions" | "login" | "auth" | "token" | "tokens" | "current")
            || revokes_own
    }

    /// Whether they say that somebody signs in.
    fn enter(&self) -> bool {
        let entering = ["login", "log_in", "log-in", "signin", "sign_in", "sign-in", "authenticate", "authorize"];
        let last = self.last();
        self.has(&entering)
            || entering.contains(&self.verb.as_str())
            || self.controller.contains("session") && self.verb == "create"
            || matches!(last, "session" | "sessions") && self.verb.is_empty()
            || self.controller.ends_with("authcontroller") && self.verb == "create"
            || last == "auth" && self.verb.is_empty()
    }

    /// Whether they say that a token is given.
    fn grant(&self) -> bool {
        matches!(self.last(), "token" | "tokens") && (self.verb == "create" || self.verb.is_empty())
    }

    fn role(&self, method: &str, seen: &Seen) -> Role {
        let Self { controller, .. } = self;
        let last = self.last();
        let writes = matches!(method, "POST" | "PUT" | "PATCH" | "");
        if seen.upgraded || matches!(last, "cable" | "websocket" | "ws" | "socket" | "realtime") && method == "GET" {
            return Role::Socket;
        }
        if matches!(last, "up" | "health" | "healthz" | "livez" | "readyz" | "ping" | "status" | "heartbeat")
            && controller.is_empty() | controller.contains("health")
            && matches!(method, "GET" | "HEAD")
        {
            return Role::Health;
        }
        let renews = || self.of_auth() && self.refresh(method);
        if !seen.password && (writes && seen.refresh_token || (writes || method == "GET") && renews()) {
            return Role::Refresh;
        }
        if self.leave(method) {
            return Role::SignOut;
        }
        let changes = matches!(method, "PUT" | "PATCH")
            && (last.contains("password")
                || seen.password && (controller.contains("password") || controller.contains("registration")));
        if writes && (seen.new_password || changes) {
            return Role::Revoke;
        }
        if method != "GET" && (last.starts_with("revoke") || self.has(&["logout_all", "revoke_all", "sign_out_all"])) {
            return Role::Revoke;
        }
        // Whoever creates users with a password may be an administrator; whoever registers is signed in with it.
        let creating = ["users", "accounts"];
        let may_enter = writes && method != "PATCH" && !creating.contains(&last) && !last.contains("password");
        if may_enter && (self.enter() || seen.password && !seen.new_password || self.grant()) {
            return Role::SignIn;
        }
        Role::Other
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn role(method: &str, path: &str, action: &str, seen: &Seen) -> Role {
        Words::of(path, action).role(method, seen)
    }

    #[test]
    fn endpoints_are_known_by_usual_words_in_any_app() {
        let none = Seen::default();
        for (method, path, action, expected) in [
            ("POST", "/api/v1/auth/refresh", "Api::V1::AuthController#refresh", Role::Refresh),
            ("POST", "/identity/tokens/renew", "", Role::Refresh),
            ("POST", "/users/sign_in", "Devise::SessionsController#create", Role::SignIn),
            ("POST", "//api/auth/sign_in", "", Role::SignIn),
            ("GET", "/auth/refresh", "AuthController#refresh", Role::Refresh),
            ("GET", "/auth/refresh", "AuthController#show", Role::Other),
            ("GET", "/auth/refresh_status", "AuthController#refresh_status", Role::Other),
            ("GET", "/tokens/3", "TokensController#refresh", Role::Other),
            ("DELETE", "/session", "SessionsController#destroy", Role::SignOut),
            ("POST", "/api/sessions/end", "Api::SessionsController#end", Role::SignOut),
            ("POST", "/auth/close", "", Role::SignOut),
            ("POST", "/api/chats/end", "Api::ChatsController#end", Role::Other),
            ("POST", "/oauth/revoke", "Doorkeeper::TokensController#revoke", Role::SignOut),
            ("POST", "/users/tokens/revoke", "Devise::Api::TokensController#revoke", Role::SignOut),
            ("POST", "/admin/tokens/revoke", "Admin::TokensController#revoke", Role::Revoke),
            ("POST", "/users/7/tokens/revoke", "TokensController#revoke", Role::Revoke),
            ("POST", "/users/7/revoke", "UsersController#revoke", Role::Revoke),
            ("PUT", "/api/v1/auth/password", "", Role::Revoke),
            ("GET", "/cable", "", Role::Socket),
            ("GET", "/up", "Rails::HealthController#show", Role::Health),
            ("GET", "/api/v1/feed", "FeedController#index", Role::Other),
            ("POST", "/api/posts/refresh", "PostsController#refresh", Role::Other),
            ("POST", "/users", "UsersController#create", Role::Other),
            ("GET", "/api/status", "StatusesController#index", Role::Other),
        ] {
            assert_eq!(role(method, path, action, &none), expected, "{method} {path} {action}");
        }
    }

    #[test]
    fn what_a_request_carries_tells_more_than_its_path() {
        assert_eq!(role("POST", "/v2/door", "", &Seen { password: true, ..Seen::default() }), Role::SignIn);
        assert_eq!(role("POST", "/v2/key", "", &Seen { refresh_token: true, ..Seen::default() }), Role::Refresh);
        assert_eq!(
            role("POST", "/v2/me", "", &Seen { password: true, new_password: true, ..Seen::default() }),
            Role::Revoke
        );
    }
}
