//! Look-alikes of the rarer kinds: as in `flips.rs`, one fact changed, and the verdict with it.

mod support;

use support::by_hand::{Log, MINUTE, SECOND, diagnose_trace, ip, is, renewed};
use support::scenario::diagnose_logs;

const OUT: &str = "onTransition -- AuthBloc, Transition { currentState: AuthAuthenticated(userId: 41), event: SessionLost, nextState: AuthUnauthenticated }";

/// Three people whose sockets are named, so that one which is not can be missed.
fn named(log: &mut Log) {
    for user in [1, 2, 3] {
        log.socket(10 * MINUTE, user, true).closed(90 * MINUTE, user);
    }
}

#[test]
fn a_socket_let_in_as_nobody_is_a_downgrade_only_if_it_had_its_user_before() {
    let downgraded = |had_user: bool, signed_out: bool| {
        let mut log = Log::new();
        named(&mut log);
        log.sign_in(0, 41).calls(0, 51 * MINUTE, 41);
        if had_user {
            log.socket(2 * SECOND, 41, true).closed(56 * MINUTE, 41);
        }
        log.refresh(52 * MINUTE, 41, 200);
        if signed_out {
            log.sign_out(55 * MINUTE, 41);
        } else {
            log.calls(53 * MINUTE, 95 * MINUTE, 41);
        }
        log.anonymous(56 * MINUTE + 4 * SECOND, 70 * MINUTE, 41).anonymous(70 * MINUTE + 4 * SECOND, 80 * MINUTE, 41);
        log.said()
    };
    assert_eq!(downgraded(true, false), ["stale_token/anonymous_downgrade"]);
    assert!(downgraded(false, false).is_empty(), "{:?}", downgraded(false, false));
    assert!(!is(&downgraded(true, true), "stale_token"), "{:?}", downgraded(true, true));
}

#[test]
fn one_socket_whose_naming_line_is_lost_is_no_downgrade() {
    let mut log = renewed();
    named(&mut log);
    log.calls(53 * MINUTE, 95 * MINUTE, 41).closed(60 * MINUTE, 41);
    // It ends with its user's tag: only the line that named it is missing.
    let text = "Finished \"/cable?token=[FILTERED]\" [WebSocket] for 81.2.3.41 at 2026-05-04 09:20:00 +0000";
    log.anonymous(60 * MINUTE + 4 * SECOND, 99 * MINUTE, 41).line(80 * MINUTE, "[ActionCable] [41] ", text);
    assert!(log.said().is_empty(), "{:?}", log.said());
}

#[test]
fn refreshing_by_a_timer_that_is_too_long_is_late_and_at_once_is_reactive() {
    let refreshed = |after: i64| {
        let mut log = Log::new();
        log.sign_in(0, 41).calls(0, 59 * MINUTE, 41);
        log.call(61 * MINUTE, 41, "/v2/rota", 401).call(62 * MINUTE, 41, "/v2/rota", 401);
        log.refresh(62 * MINUTE + after, 41, 200).calls(66 * MINUTE, 95 * MINUTE, 41);
        log.said()
    };
    assert_eq!(refreshed(3 * MINUTE), ["lifetime_expiry/late_proactive"]);
    assert_eq!(refreshed(SECOND), ["lifetime_expiry/reactive_only"]);
}

#[test]
fn a_burst_after_a_sleep_is_a_race_for_an_app_that_plans_ahead() {
    let woke = |plans_ahead: bool| {
        let mut log = Log::new();
        let second = if plans_ahead { 52 * MINUTE } else { 63 * MINUTE };
        log.sign_in(-120 * MINUTE, 41).calls(-120 * MINUTE, second - 121 * MINUTE, 41);
        if !plans_ahead {
            log.call(second - 120 * MINUTE - SECOND, 41, "/v2/rota", 401);
        }
        log.refresh(second - 120 * MINUTE, 41, 200);
        let third = second - 68 * MINUTE;
        log.calls(second - 119 * MINUTE, third - MINUTE, 41).refresh(third, 41, 200);
        log.calls(third + MINUTE, third + 10 * MINUTE, 41);
        // Asleep for an hour and more; the first calls go out together with the refresh.
        let wakes = third + 80 * MINUTE;
        for (n, path) in ["/v2/rota", "/v2/team", "/v2/exports"].iter().enumerate() {
            log.call(wakes + 100 * i64::try_from(n).unwrap(), 41, path, 401);
        }
        log.refresh(wakes + 2 * SECOND, 41, 200).calls(wakes + MINUTE, wakes + 12 * MINUTE, 41);
        log.said()
    };
    assert!(is(&woke(true), "lifetime_expiry/resume_race"), "{:?}", woke(true));
    assert!(!is(&woke(false), "lifetime_expiry/resume_race"), "{:?}", woke(false));
}

#[test]
fn a_token_refused_after_every_refresh_is_a_loop_and_once_is_a_call_under_way() {
    let refused = |rounds: i64| {
        let mut log = Log::new();
        log.sign_in(0, 41).calls(0, 59 * MINUTE, 41);
        for n in 0..rounds {
            let at = 61 * MINUTE + n * 10 * SECOND;
            log.call(at, 41, "/v2/rota", 401).refresh(at + SECOND, 41, 200);
            log.call(at + 2 * SECOND, 41, "/v2/rota", if rounds > 1 { 401 } else { 200 });
        }
        log.sign_in(66 * MINUTE, 41).calls(67 * MINUTE, 95 * MINUTE, 41);
        log.said()
    };
    assert!(is(&refused(5), "refresh_failure/loop"), "{:?}", refused(5));
    assert!(is(&refused(1), "lifetime_expiry/reactive_only"), "{:?}", refused(1));
}

#[test]
fn one_instance_that_refuses_fresh_tokens_is_the_servers_clock_and_one_endpoint_is_not() {
    let refused_by = |process: u32| {
        let mut log = Log::new();
        log.sign_in(0, 41).calls(0, 9 * MINUTE, 41);
        for user in [1, 2, 3, 41] {
            for n in 0..6 {
                let at = 20 * MINUTE + n * 4 * MINUTE + i64::from(user) * 100;
                log.process(process).call(at, user, "/v2/rota", 401);
                log.process(0).call(at + 20 * SECOND, user, "/v2/rota", 200);
            }
        }
        log.calls(46 * MINUTE, 95 * MINUTE, 41);
        log.said()
    };
    assert!(is(&refused_by(3), "clock_skew/server"), "{:?}", refused_by(3));
    assert!(!is(&refused_by(0), "clock_skew"), "{:?}", refused_by(0));
}

#[test]
fn a_sign_in_elsewhere_before_a_refused_session_is_a_limit_of_sessions() {
    let ended = |elsewhere: bool| {
        let mut log = renewed();
        log.calls(53 * MINUTE, 62 * MINUTE, 41);
        if elsewhere {
            let parameters = "  Parameters: {\"email\"=>\"[FILTERED]\", \"password\"=>\"[FILTERED]\"}".to_owned();
            let said = [parameters, "signed in member=41".to_owned()];
            log.request(63 * MINUTE, "92.7.7.7", "POST /v2/sessions", "SessionsController#create", 200, &said);
        }
        log.call(64 * MINUTE, 41, "/v2/rota", 401).refresh(64 * MINUTE + SECOND, 41, 401).socket(
            64 * MINUTE + 5 * SECOND,
            41,
            false,
        );
        log.sign_in(70 * MINUTE, 41).calls(71 * MINUTE, 95 * MINUTE, 41);
        log.said()
    };
    assert!(is(&ended(true), "revoked/session_limit"), "{:?}", ended(true));
    assert!(is(&ended(false), "revoked/admin_revocation"), "{:?}", ended(false));
}

#[test]
fn what_is_deleted_where_people_sign_in_is_their_session() {
    let left_by = |call: &str| {
        let mut log = Log::new();
        let parameters = "  Parameters: {\"email\"=>\"[FILTERED]\", \"password\"=>\"[FILTERED]\"}".to_owned();
        let said = [parameters, "signed in member=41".to_owned()];
        log.request(0, &ip(41), "POST /v2/door", "DoorsController#create", 200, &said);
        log.calls(0, 20 * MINUTE, 41);
        log.request(21 * MINUTE, &ip(41), call, "DoorsController#destroy", 200, &["member=41".to_owned()]);
        for n in 1..4 {
            log.call(21 * MINUTE + n * 4 * SECOND, 41, "/v2/rota", 401);
        }
        log.said()
    };
    assert_eq!(left_by("DELETE /v2/door"), ["logout/straggler"]);
    let by_another = left_by("DELETE /v2/window");
    assert!(!is(&by_another, "logout"), "{by_another:?}");
}

#[test]
fn a_session_that_is_over_is_answered_419_440_or_498_as_well_and_a_right_that_is_lacked_is_not() {
    let answered = |status: u16| {
        let mut log = Log::new();
        log.sign_in(0, 41).calls(0, 60 * MINUTE, 41);
        log.call(62 * MINUTE, 41, "/v2/rota", status).call(62 * MINUTE + 300, 41, "/v2/team", status);
        log.sign_in(65 * MINUTE, 41);
        log.said()
    };
    for status in [401, 419, 440, 498] {
        assert_eq!(answered(status), ["lifetime_expiry/never_refreshed"], "{status}");
    }
    assert!(!is(&answered(403), "lifetime_expiry"), "{:?}", answered(403));
}

#[test]
fn lines_that_are_shipped_again_make_no_second_sign_in() {
    let mut log = renewed();
    log.calls(53 * MINUTE, 58 * MINUTE, 41).sign_in(58 * MINUTE, 41).calls(59 * MINUTE, 95 * MINUTE, 41);
    let text = log.text();
    let lines: Vec<&str> = text.lines().collect();
    let again: Vec<&str> = lines.chunks(20).flat_map(|block| [block, block].concat()).collect();
    let said = |text: &str| {
        let diagnosis = diagnose_logs(&[("server.log".to_owned(), text.as_bytes().to_vec())]);
        (diagnosis.summary.refreshes, diagnosis.incidents.len())
    };
    assert_eq!(said(&again.join("\n")), said(&text));
}

#[test]
fn words_that_give_no_reason_add_nothing_to_the_status() {
    let refused = |words: Option<&str>| {
        let mut log = renewed();
        log.calls(53 * MINUTE, 62 * MINUTE, 41).call(64 * MINUTE, 41, "/v2/rota", 401);
        let mut said = vec!["  Parameters: {\"refresh_token\"=>\"[FILTERED]\"}".to_owned()];
        said.extend(words.map(str::to_owned));
        log.request(64 * MINUTE + SECOND, &ip(41), "POST /v2/sessions/renew", "SessionsController#renew", 401, &said);
        log.sign_in(70 * MINUTE, 41).calls(71 * MINUTE, 95 * MINUTE, 41);
        log.said()
    };
    let silent = refused(None);
    assert!(is(&silent, "revoked/admin_revocation"), "{silent:?}");
    assert_eq!(refused(Some("refresh denied")), silent);
    assert_eq!(refused(Some("Invalid or expired refresh token")), silent);
    assert!(is(&refused(Some("refresh token expired")), "refresh_failure/expired"));
}

/// A call of the device as its logger shows it, with its answer or without.
fn shown(at: i64, path: &str, status: Option<u16>) -> Vec<(i64, String)> {
    let uri = format!("uri: https://api.example.com{path}");
    let mut out = vec![(at, format!("*** Request ***\n{uri}\nmethod: GET\n"))];
    match status {
        Some(401) => out.push((at, format!("*** DioException ***:\n{uri}\nDioException [bad response]: This exception was thrown because the response has a status code of 401\n\n"))),
        Some(status) => out.push((at, format!("*** Response ***\n{uri}\nstatusCode: {status}\n"))),
        None => {}
    }
    out
}

fn said(lines: &[(i64, String)]) -> Vec<String> {
    let lines: Vec<(i64, &str)> = lines.iter().map(|(at, text)| (*at, text.as_str())).collect();
    diagnose_trace(&lines)
}

#[test]
fn calls_that_never_end_after_a_refusal_are_a_deadlock_and_a_phone_put_away_is_none() {
    let stood_still = |put_away: bool| {
        let mut lines: Vec<(i64, String)> = (0..8).flat_map(|n| shown(60 + n * 300, "/v2/rota", Some(200))).collect();
        lines.extend(shown(3700, "/v2/rota", Some(401)));
        lines.extend(shown(3701, "/v2/team", None));
        lines.extend(shown(3702, "/v2/rota", None));
        if put_away {
            lines.push((3703, "AppLifecycleState.paused".to_owned()));
        }
        lines.push((4600, "AppLifecycleState.resumed".to_owned()));
        said(&lines)
    };
    assert!(is(&stood_still(false), "refresh_failure/deadlock"), "{:?}", stood_still(false));
    assert!(!is(&stood_still(true), "refresh_failure/deadlock"), "{:?}", stood_still(true));
}

#[test]
fn an_answer_that_the_app_cannot_read_ends_a_session_that_the_server_renewed() {
    let left = |after: i64| {
        let mut lines: Vec<(i64, String)> = (0..8).flat_map(|n| shown(60 + n * 300, "/v2/rota", Some(200))).collect();
        lines
            .push((3120, "*** Request ***\nuri: https://api.example.com/v2/sessions/renew\nmethod: POST\n".to_owned()));
        lines.push((
            3121,
            "*** Response ***\nuri: https://api.example.com/v2/sessions/renew\nstatusCode: 200\n".to_owned(),
        ));
        if after > 60 {
            lines.extend(shown(3130, "/v2/rota", Some(200)));
        }
        lines.push((3121 + after, OUT.to_owned()));
        said(&lines)
    };
    assert_eq!(left(1), ["refresh_failure/unusable_response"]);
    assert!(!is(&left(900), "refresh_failure/unusable_response"), "{:?}", left(900));
}

#[test]
fn a_restart_explains_a_refresh_that_was_due_while_the_server_was_away() {
    let refused = |at: i64| {
        let mut log = Log::new();
        log.sign_in(0, 41).socket(2 * SECOND, 41, true).calls(0, 19 * MINUTE, 41).refresh(20 * MINUTE, 41, 200);
        log.calls(20 * MINUTE, 68 * MINUTE, 41);
        log.bare(69 * MINUTE, "- Gracefully stopping, waiting for requests to finish");
        log.bare(77 * MINUTE, "Puma starting in single mode...");
        log.call(at, 41, "/v2/rota", 401).call(at + SECOND, 41, "/v2/team", 401).refresh(at + 2 * SECOND, 41, 200);
        log.calls(at + MINUTE, at + 10 * MINUTE, 41);
        log.said()
    };
    assert!(is(&refused(82 * MINUTE), "server_restart/knock_on"), "{:?}", refused(82 * MINUTE));
    // An hour later it is no more than a token that ran out.
    assert!(is(&refused(150 * MINUTE), "lifetime_expiry"), "{:?}", refused(150 * MINUTE));
}

#[test]
fn a_lifetime_that_a_deploy_cut_is_said_and_two_side_by_side_are_two_clients() {
    let changed = |from: i64| {
        let mut log = Log::new();
        for user in [21, 22, 23] {
            let start = from + i64::from(user) * SECOND;
            log.sign_in(start, user).calls(start, start + 29 * MINUTE, user);
            log.call(start + 31 * MINUTE, user, "/v2/rota", 401).refresh(start + 31 * MINUTE + SECOND, user, 200);
        }
        let diagnosis = log.diagnosis();
        diagnosis.notes.iter().any(|note| note.contains("lived 60 min") && note.contains("the lifetime was changed"))
    };
    assert!(changed(200 * MINUTE));
    assert!(!changed(2 * MINUTE));
}

#[test]
fn refresh_tokens_refused_after_the_same_days_show_how_long_they_live() {
    let days = |days: i64| {
        let mut log = Log::new();
        for user in [21, 22, 23] {
            let start = i64::from(user) * MINUTE;
            log.sign_in(start, user).calls(start, start + 20 * MINUTE, user);
            log.refresh(start + days * 24 * 60 * MINUTE, user, 401);
        }
        let refresh = log.diagnosis().lifetimes.into_iter().find(|lifetime| lifetime.credential == "refresh");
        refresh.map(|lifetime| (lifetime.access_seconds / 86_400, lifetime.support))
    };
    assert_eq!(days(15), Some((14, 3)));
    assert_eq!(days(0), None);
}

#[test]
fn a_token_that_runs_out_because_its_refresh_was_due_offline_is_the_networks_and_otherwise_the_apps() {
    let ran_out = |socket_gone: bool, opened_again: bool| {
        let mut log = Log::new();
        // Three people show when this app refreshes: after 52 minutes of 60. The fourth misses it once.
        for user in [1, 2, 3] {
            log.sign_in(0, user).socket(2 * SECOND, user, true).calls(0, 51 * MINUTE, user).refresh(
                52 * MINUTE,
                user,
                200,
            );
            log.calls(53 * MINUTE, 95 * MINUTE, user);
        }
        log.sign_in(-120 * MINUTE, 41).socket(-120 * MINUTE + SECOND, 41, true).calls(-119 * MINUTE, -69 * MINUTE, 41);
        log.refresh(-68 * MINUTE, 41, 200).calls(-67 * MINUTE, -20 * MINUTE, 41);
        if socket_gone {
            log.closed(-18 * MINUTE, 41).socket(-11 * MINUTE, 41, true);
        }
        if opened_again {
            for (n, path) in (0..).zip(["/v2/rota", "/v2/team", "/v2/me"]) {
                log.call(-11 * MINUTE + n * 300, 41, path, 200);
            }
        } else {
            log.call(-10 * MINUTE, 41, "/v2/rota", 200);
        }
        log.call(-4 * MINUTE, 41, "/v2/rota", 401).refresh(-4 * MINUTE + SECOND, 41, 200);
        log.calls(-3 * MINUTE, 95 * MINUTE, 41);
        log.said()
    };
    let offline = ran_out(true, false);
    assert!(is(&offline, "network_loss/offline"), "{offline:?}");
    let put_away = ran_out(true, true);
    assert!(is(&put_away, "lifetime_expiry") && !is(&put_away, "network_loss"), "{put_away:?}");
    let in_use = ran_out(false, false);
    assert!(is(&in_use, "lifetime_expiry") && !is(&in_use, "network_loss"), "{in_use:?}");
}

#[test]
fn a_refresh_tried_again_seconds_later_lost_its_answer_and_one_beside_it_races() {
    let refused = |after: i64, used: bool| {
        let mut log = Log::new();
        log.sign_in(0, 41).calls(0, 51 * MINUTE, 41).refresh(52 * MINUTE, 41, 200);
        if used {
            log.call(52 * MINUTE + SECOND, 41, "/v2/rota", 200);
        }
        log.refresh(52 * MINUTE + after, 41, 401).sign_in(55 * MINUTE, 41).calls(56 * MINUTE, 95 * MINUTE, 41);
        log.said()
    };
    assert!(is(&refused(16 * SECOND, false), "refresh_failure/lost_response"), "{:?}", refused(16 * SECOND, false));
    assert!(is(&refused(300, false), "refresh_failure/reuse_race"), "{:?}", refused(300, false));
    let used = refused(16 * SECOND, true);
    assert!(is(&used, "refresh_failure") && !is(&used, "refresh_failure/lost_response"), "{used:?}");
}

#[test]
fn a_line_without_an_id_belongs_to_the_only_request_that_is_open_and_to_none_of_two() {
    let swallowed = |other_open: bool| {
        let mut log = Log::new();
        log.sign_in(0, 41).calls(0, 51 * MINUTE, 41);
        let at = 52 * MINUTE;
        let ip = support::by_hand::ip(41);
        log.line(at, "", &format!("Started POST \"/v2/sessions/renew\" for {ip} at 2026-05-04 08:52:00 +0000"));
        log.line(at + 1, "", "Processing by SessionsController#renew as JSON");
        if other_open {
            log.line(at + 2, "", "Started GET \"/v2/rota\" for 81.2.3.77 at 2026-05-04 08:52:00 +0000");
            log.line(at + 3, "", "Processing by RotaController#index as JSON");
        }
        log.line(at + 9, "", "grant check raised NoMethodError: undefined method `grants' for nil");
        log.line(at + 20, "", "Completed 200 OK in 19ms (ActiveRecord: 1.0ms)");
        if other_open {
            log.line(at + 40, "", "Completed 200 OK in 37ms (ActiveRecord: 1.0ms)");
        }
        log.calls(53 * MINUTE, 95 * MINUTE, 41);
        log.said()
    };
    assert!(is(&swallowed(false), "refresh_failure/swallowed"), "{:?}", swallowed(false));
    assert!(swallowed(true).is_empty(), "{:?}", swallowed(true));
}
