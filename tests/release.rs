//! Which release somebody ran, and which the server: from the lines that say it to incidents and days.

mod support;

use support::scenario::diagnose_logs;

const USERS: usize = 6;

/// lograge lines of people on two releases of the app, of whom those on the newer one have their refresh refused by a fault, after the
/// server was deployed anew.
fn log() -> String {
    let mut lines = Vec::new();
    let mut line = |minute: usize, user: usize, method: &str, path: &str, action: &str, status: u16, deploy: &str| {
        let version = if user < USERS / 2 { "2.3.0" } else { "2.3.1" };
        lines.push(format!(
            r#"{{"method":"{method}","path":"/api/v1/{path}","format":"json","controller":"{action}","action":"create","status":{status},"duration":2.1,"time":"2026-11-16T{:02}:{:02}:{:02}.000Z","user_id":{},"ip":"198.51.100.{}","app_version":"{version}","release":"{deploy}"}}"#,
            10 + minute / 60,
            minute % 60,
            user * 7 + 5,
            100 + user,
            1 + user
        ));
    };
    for user in 0..USERS {
        line(0, user, "POST", "auth/login", "SessionsController", 200, "v41");
    }
    for minute in (1..120).step_by(10) {
        for user in 0..USERS {
            line(minute, user, "GET", "feed", "FeedController", 200, if minute < 60 { "v41" } else { "v42" });
        }
    }
    for user in USERS / 2..USERS {
        line(121, user, "POST", "auth/refresh", "TokensController", 500, "v42");
        line(122, user, "GET", "feed", "FeedController", 401, "v42");
        line(125, user, "POST", "auth/login", "SessionsController", 200, "v42");
    }
    lines.join("\n") + "\n"
}

#[test]
fn an_incident_names_the_release_of_the_app_and_of_the_server() {
    let diagnosis = diagnose_logs(&[("server.log".to_owned(), log().into_bytes())]);
    let told: Vec<_> = diagnosis
        .incidents
        .iter()
        .filter(|incident| incident.actor.is_some())
        .map(|incident| (incident.release.as_deref(), incident.deploy.as_deref()))
        .collect();
    assert_eq!(told, [(Some("2.3.1"), Some("v42")); USERS / 2]);
    let day = &diagnosis.days[0];
    let by_release: Vec<_> = day
        .releases
        .iter()
        .map(|part| (part.release.as_str(), part.active_actors, part.active_hours, part.dropped_actors))
        .collect();
    // Two hours of the clock for the older release, a third for whoever was dropped.
    assert_eq!(by_release, [("2.3.0", 3, 6, 0), ("2.3.1", 3, 9, 3)]);
    assert_eq!(day.releases.iter().map(|part| part.active_hours).sum::<u64>(), day.active_hours);
}

#[test]
fn logs_that_name_no_release_have_none() {
    let log = log().replace(r#","app_version":"2.3.0""#, "").replace(r#","app_version":"2.3.1""#, "");
    let log = log.replace(r#","release":"v41""#, "").replace(r#","release":"v42""#, "");
    let diagnosis = diagnose_logs(&[("server.log".to_owned(), log.into_bytes())]);
    assert!(!diagnosis.incidents.is_empty());
    assert!(diagnosis.incidents.iter().all(|incident| incident.release.is_none() && incident.deploy.is_none()));
    let names: Vec<_> = diagnosis.days[0].releases.iter().map(|part| part.release.as_str()).collect();
    assert_eq!(names, ["unknown"]);
}
