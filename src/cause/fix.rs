//! The fix plan: what to change, in the order in which it has to be done.
//!
//! Server dead code comes before the socket's reconnection, and that before token lifetimes: a shorter lifetime on a refresh that
//! breaks signs more people out, and a socket that keeps its first token dies sooner.

use super::Label;

/// One kind of defect that was found, with how many people it hit and where the log shows it.
#[derive(Clone, Debug)]
pub struct Found {
    /// The cause.
    pub label: Label,
    /// Its kind.
    pub kind: String,
    /// People hit.
    pub affected: usize,
    /// Class, method, file and line, where the log shows them.
    pub place: Option<String>,
    /// The endpoint that fails or is concerned.
    pub endpoint: Option<String>,
    /// The inferred access lifetime, in words.
    pub lifetime: Option<String>,
}

/// A step of the plan.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    /// Comes this early: lower first.
    pub rank: u8,
    /// What to do.
    pub title: String,
    /// Why, and why now.
    pub why: String,
}

/// What to do about a defect.
#[must_use]
pub fn step(found: &Found) -> Step {
    let at = found.place.as_ref().map(|place| format!(" ({place})")).unwrap_or_default();
    let on = found.endpoint.as_ref().map(|endpoint| format!(" on {endpoint}")).unwrap_or_default();
    let lifetime = found.lifetime.as_ref().map(|l| format!(" of {l}")).unwrap_or_default();
    let (rank, title, why): (u8, String, &str) = match (found.label, found.kind.as_str()) {
        (Label::RefreshFailure, "server_error") => (
            10,
            format!("Mend the refresh{on}: it raises{at}"),
            "Every other fix makes clients refresh more often, so this comes first. Code left over from devise_token_auth (`user.tokens`) is the usual suspect.",
        ),
        (Label::RefreshFailure, "swallowed") => (
            11,
            format!("Take the rescue out of the refresh{on}: it hides an error{at}"),
            "It answers well today; what the rescued code was to do is not done, and the day it matters nobody sees why.",
        ),
        (Label::RefreshFailure, "reuse_race") => (
            20,
            format!("Let only one refresh run at a time in the client, and give a rotated refresh token{on} a leeway of 10 to 60 s"),
            "Parallel 401s each start a refresh with the same single-use token; all but one are refused and the session dies.",
        ),
        (Label::RefreshFailure, "lost_response") => (
            21,
            format!("Accept the former refresh token for 10 to 60 s after a rotation{on}"),
            "An answer that gets lost on a mobile network must not end the session.",
        ),
        (Label::RefreshFailure, "second_holder") => (
            22,
            "Keep one holder of the session per app (background isolates included)".into(),
            "A second copy of the refresh token is dead as soon as the first one rotates it.",
        ),
        (Label::RefreshFailure, "deadlock") => (
            23,
            "Send the refresh and the retry through a Dio of their own, outside the queue that waits for them".into(),
            "The interceptor holds all calls until the refresh is done, and the refresh is one of them.",
        ),
        (Label::RefreshFailure, "loop") => (
            23,
            "Send the retry with the new token, and stop after one refresh for one refusal".into(),
            "Each refresh gives a token and the next call is refused: the old header is sent again, or the server does not take its own tokens.",
        ),
        (Label::RefreshFailure, "unusable_response") => (
            23,
            format!("Read the refresh's answer as the server sends it{on}, and keep the session when it cannot be read"),
            "The server gives a new token and the app throws it away.",
        ),
        (Label::RefreshFailure, "unreachable" | "transient_as_terminal") => (
            23,
            "Keep the session in the client when a refresh fails for a passing reason; use a Dio of its own for it".into(),
            "Only a clear refusal (400 or 401 on the refresh) is the end of a session.",
        ),
        (Label::RefreshFailure, "expired") => (
            45,
            "Give refresh tokens an idle lifetime of 30 to 90 days that slides with use, and say so on the sign-in page".into(),
            "Their refresh tokens had run out; that is a policy, not a fault, if the times are what you meant.",
        ),
        (Label::RefreshFailure, _) => (
            25,
            format!("Find out why refresh tokens are refused{on}: log the reason with the token's id (jti)"),
            "The server refuses tokens that clients believe good: deleted rows, another secret, a reset database.",
        ),
        (Label::StaleToken, "http") => (
            31,
            "Set the Authorization header per request from the token store, in every HTTP client of the app".into(),
            "One client keeps the header it was made with; after the refresh it presents a dead token.",
        ),
        (Label::StaleToken, "anonymous_downgrade") => (
            30,
            "Reject a socket whose token is no longer good (`reject_unauthorized_connection`), and read the current token at each connect".into(),
            "The server lets an old token in as nobody, so the app believes it is connected and hears nothing.",
        ),
        (Label::StaleToken, _) => (
            30,
            "Give the socket a function that reads the current token at each connect, and reconnect after every refresh".into(),
            "The socket's closure captured a token; the refresh works, and the socket goes on with the old one.",
        ),
        (Label::LifetimeExpiry, "never_refreshed") => (
            40,
            format!("Refresh in the client: ahead of the end of the access token{lifetime}, and once on a 401"),
            "Nobody tries a refresh, so each token's end is a sign-out.",
        ),
        (Label::LifetimeExpiry, "late_proactive") => (
            41,
            format!("Let the app's refresh timer end before the access token{lifetime} does: at some 85 % of `expires_in`, from when it arrived"),
            "The app refreshes by its own timer, after the token has run out.",
        ),
        (Label::LifetimeExpiry, _) => (
            41,
            format!("Refresh ahead of the end of the access token{lifetime} and before the first call after a pause; then choose 15 to 60 min for mobile"),
            "The refresh runs only after refusals: a burst of 401s each time. Change the lifetime last, when refresh and socket are mended.",
        ),
        (Label::ClockSkew, "server") => (
            12,
            "Set the clock of the instance that refuses fresh tokens (NTP), and give it the secret of the others".into(),
            "One instance refuses what the others accept, so people are refused by chance.",
        ),
        (Label::ClockSkew, _) => (
            50,
            "Count a token's life from its arrival (`expires_in`), not by the device's wall clock".into(),
            "Devices with a wrong clock refresh without need or run into a 401 at every token's end.",
        ),
        (Label::StorageLoss, _) => (
            51,
            "Catch failed reads of the secure storage, delete what cannot be read, and sign in once; use `first_unlock` on iOS".into(),
            "The device lost its credentials; no server change helps.",
        ),
        (Label::Logout, _) => (
            60,
            "Stop polls, timers and sockets when the user signs out".into(),
            "Calls go on after the sign-out. Nobody was dropped by it.",
        ),
        (Label::Revoked, _) => (
            61,
            "Tell the user why the session ended, with an error code of its own".into(),
            "Sessions were ended on purpose; nothing is broken.",
        ),
        (Label::CredentialAttack, _) => (
            70,
            "Limit the rate of failures by address and account".into(),
            "Somebody tries credentials; it has nothing to do with the people who were signed out.",
        ),
        (Label::ServerRestart, _) => (
            71,
            "Reconnect sockets with back-off and jitter, and drain them on deploys".into(),
            "Restarts end every socket at once; nobody was signed out by it.",
        ),
        (Label::ServerReset, _) => (
            72,
            "Check who ends sockets by hand (`remote_connections…disconnect`)".into(),
            "The server ended these sockets itself, and they came back.",
        ),
        (Label::NetworkLoss, _) => (80, "Keep the session while the device is offline".into(), "The network was gone; nothing was refused."),
        (Label::Inconclusive, _) => (90, "Collect what is missing (see the incidents)".into(), "These drops could not be explained with the logs given."),
    };
    Step { rank, title, why: why.into() }
}
