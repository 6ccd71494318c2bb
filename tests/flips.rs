//! Look-alikes: one labelled case, the one fact that decides changed, and the verdict must change with it.
//!
//! Each test is named after what it teaches. The logs are Rails 7.2's, written out by hand, of a service whose tokens live an
//! hour and whose apps refresh at 52 minutes; the case is always user 41.

mod support;

use support::by_hand::{Log, MINUTE, SECOND, diagnose_trace, ip, is, renewed, trace};

#[test]
fn a_refused_socket_is_stale_only_while_http_goes_on() {
    let mut stale = renewed();
    stale.closed(70 * MINUTE, 41).calls(53 * MINUTE, 95 * MINUTE, 41);
    for n in 0..5 {
        stale.socket(71 * MINUTE + n * 30 * SECOND, 41, false);
    }
    assert_eq!(stale.said(), ["stale_token/websocket"]);

    let mut both = renewed();
    both.closed(70 * MINUTE, 41).calls(53 * MINUTE, 70 * MINUTE, 41);
    for n in 0..5 {
        both.socket(71 * MINUTE + n * 30 * SECOND, 41, false).call(
            71 * MINUTE + n * 30 * SECOND + SECOND,
            41,
            "/v2/rota",
            401,
        );
    }
    both.refresh(72 * MINUTE, 41, 401).sign_in(75 * MINUTE, 41);
    assert!(!is(&both.said(), "stale_token"), "{:?}", both.said());
}

#[test]
fn one_endpoint_refused_is_stale_only_if_a_newer_credential_exists() {
    let mut stale = renewed();
    stale.calls(53 * MINUTE, 95 * MINUTE, 41).call(20 * MINUTE, 41, "/v2/exports", 200);
    for n in 0..6 {
        stale.call(62 * MINUTE + n * 4 * MINUTE, 41, "/v2/exports", 401);
    }
    assert!(is(&stale.said(), "stale_token/http"), "{:?}", stale.said());

    // Nobody ever renewed: nothing is newer than the sign-in, so it is a role or a resource that is refused.
    let mut role = Log::new();
    role.sign_in(0, 41).calls(0, 55 * MINUTE, 41);
    for n in 0..6 {
        role.call(20 * MINUTE + n * 4 * MINUTE, 41, "/v2/exports", 401);
    }
    assert!(!is(&role.said(), "stale_token"), "{:?}", role.said());
}

#[test]
fn a_race_is_told_by_the_refresh_that_won() {
    let burst = |first: u16| {
        let mut log = Log::new();
        log.sign_in(0, 41).calls(0, 55 * MINUTE, 41);
        log.call(65 * MINUTE, 41, "/v2/rota", 401).call(65 * MINUTE + 50, 41, "/v2/team", 401);
        log.refresh(65 * MINUTE + 200, 41, first).refresh(65 * MINUTE + 400, 41, 401).sign_in(69 * MINUTE, 41);
        log.said()
    };
    assert!(is(&burst(200), "refresh_failure/reuse_race"), "{:?}", burst(200));
    let lost = burst(401);
    assert!(is(&lost, "refresh_failure") && !is(&lost, "refresh_failure/reuse_race"), "{lost:?}");
}

#[test]
fn the_status_of_the_first_refresh_tells_the_servers_fault_from_a_refusal() {
    let answered = |status: u16| {
        let mut log = Log::new();
        log.sign_in(0, 41).calls(0, 51 * MINUTE, 41).refresh(52 * MINUTE, 41, status).sign_in(58 * MINUTE, 41);
        log.said()
    };
    assert!(is(&answered(500), "refresh_failure/server_error"), "{:?}", answered(500));
    let refused = answered(401);
    assert!(is(&refused, "refresh_failure") && !is(&refused, "refresh_failure/server_error"), "{refused:?}");
}

#[test]
fn a_refresh_whose_token_is_never_used_before_the_next_sign_in_is_unusable_and_a_used_one_is_clean() {
    let signed_in_after = |used: bool| {
        let mut log = renewed();
        if used {
            log.calls(53 * MINUTE, 57 * MINUTE, 41);
        }
        log.sign_in(58 * MINUTE, 41).calls(59 * MINUTE, 95 * MINUTE, 41);
        log.said()
    };
    assert!(is(&signed_in_after(false), "refresh_failure/unusable_response"), "{:?}", signed_in_after(false));
    assert!(!is(&signed_in_after(true), "refresh_failure"), "{:?}", signed_in_after(true));
}

#[test]
fn an_error_under_a_good_refresh_is_latent_and_a_clean_one_is_nothing() {
    let mut hidden = Log::new();
    hidden.sign_in(0, 41).calls(0, 51 * MINUTE, 41).hidden(52 * MINUTE, 41).calls(53 * MINUTE, 90 * MINUTE, 41);
    assert_eq!(hidden.said(), ["refresh_failure/swallowed"]);

    let mut clean = renewed();
    clean.calls(53 * MINUTE, 90 * MINUTE, 41);
    assert!(clean.said().is_empty(), "{:?}", clean.said());
}

#[test]
fn a_refusal_at_the_tokens_end_is_expiry_and_an_early_one_is_not() {
    let refused_at = |minute: i64| {
        let mut log = Log::new();
        log.sign_in(0, 41).calls(0, (minute - 2) * MINUTE, 41);
        log.call(minute * MINUTE, 41, "/v2/rota", 401).call(minute * MINUTE + 300, 41, "/v2/team", 401);
        log.sign_in((minute + 3) * MINUTE, 41);
        log.said()
    };
    assert!(is(&refused_at(62), "lifetime_expiry/never_refreshed"), "{:?}", refused_at(62));
    assert!(!is(&refused_at(20), "lifetime_expiry"), "{:?}", refused_at(20));
}

#[test]
fn a_refresh_after_the_refusals_makes_it_reactive() {
    let mut log = Log::new();
    log.sign_in(0, 41).calls(0, 55 * MINUTE, 41).call(63 * MINUTE, 41, "/v2/rota", 401).call(
        63 * MINUTE + 200,
        41,
        "/v2/team",
        401,
    );
    log.refresh(63 * MINUTE + SECOND, 41, 200).calls(64 * MINUTE, 90 * MINUTE, 41);
    assert_eq!(log.said(), ["lifetime_expiry/reactive_only"]);
}

#[test]
fn refusals_after_a_sign_out_are_stragglers_and_without_it_are_not() {
    let refused = |signed_out: bool| {
        let mut log = renewed();
        log.calls(53 * MINUTE, 60 * MINUTE, 41);
        if signed_out {
            log.sign_out(61 * MINUTE, 41);
        }
        for n in 0..3 {
            log.call(61 * MINUTE + 5 * SECOND + n * 4 * SECOND, 41, "/v2/rota", 401);
        }
        log.said()
    };
    assert_eq!(refused(true), ["logout/straggler"]);
    assert!(!is(&refused(false), "logout"), "{:?}", refused(false));
}

#[test]
fn a_password_change_before_makes_it_revoked() {
    let refused = |changed: bool| {
        let mut log = renewed();
        log.calls(53 * MINUTE, 60 * MINUTE, 41);
        if changed {
            log.password(61 * MINUTE, 41, "203.0.113.9");
        }
        log.call(62 * MINUTE, 41, "/v2/rota", 401).call(62 * MINUTE + 300, 41, "/v2/team", 401);
        log.refresh(62 * MINUTE + 500, 41, 401).sign_in(70 * MINUTE, 41);
        log.said()
    };
    assert_eq!(refused(true), ["revoked/password_change"]);
    assert!(!is(&refused(false), "revoked/password_change"), "{:?}", refused(false));
}

#[test]
fn only_one_channel_refused_is_no_revocation() {
    let mut log = renewed();
    log.calls(53 * MINUTE, 95 * MINUTE, 41).password(61 * MINUTE, 41, "203.0.113.9").closed(62 * MINUTE, 41);
    log.socket(62 * MINUTE + 10 * SECOND, 41, true);
    assert!(!is(&log.said(), "revoked"), "{:?}", log.said());
}

#[test]
fn everybodys_sockets_with_a_boot_are_a_restart_and_ones_alone_are_not() {
    let mut restart = renewed();
    restart.calls(53 * MINUTE, 95 * MINUTE, 41);
    restart.bare(70 * MINUTE, "- Gracefully stopping, waiting for requests to finish");
    restart.bare(70 * MINUTE + 20 * SECOND, "Puma starting in single mode...");
    restart.socket(71 * MINUTE, 41, true);
    assert!(restart.said().is_empty(), "a restart is nobody's own: {:?}", restart.said());

    let mut alone = renewed();
    alone.calls(53 * MINUTE, 69 * MINUTE, 41).closed(70 * MINUTE, 41).socket(76 * MINUTE, 41, true);
    assert_eq!(alone.said(), ["network_loss/offline"]);
}

#[test]
fn a_socket_that_comes_back_refused_is_no_network_loss() {
    let mut log = renewed();
    log.calls(53 * MINUTE, 95 * MINUTE, 41).closed(70 * MINUTE, 41);
    for n in 0..4 {
        log.socket(76 * MINUTE + n * 20 * SECOND, 41, false);
    }
    let said = log.said();
    assert!(is(&said, "stale_token") && !is(&said, "network_loss"), "{said:?}");
}

#[test]
fn failures_from_an_address_with_a_success_are_a_person_who_mistypes() {
    let tries = |success: bool| {
        let mut log = Log::new();
        for n in 0..9 {
            log.request(
                40 * MINUTE + n * 3 * SECOND,
                "192.0.2.7",
                "POST /v2/sessions",
                "SessionsController#create",
                401,
                &["  Parameters: {\"email\"=>\"[FILTERED]\", \"password\"=>\"[FILTERED]\"}".to_owned()],
            );
        }
        if success {
            let said = [
                "  Parameters: {\"email\"=>\"[FILTERED]\", \"password\"=>\"[FILTERED]\"}".to_owned(),
                "signed in member=41".to_owned(),
            ];
            log.request(41 * MINUTE, "192.0.2.7", "POST /v2/sessions", "SessionsController#create", 200, &said);
        }
        log.attackers()
    };
    assert_eq!((tries(false), tries(true)), (1, 0));
}

#[test]
fn refreshes_a_minute_apart_are_a_fast_clock_and_an_hour_apart_are_none() {
    let every = |gap: i64| {
        let mut log = Log::new();
        log.sign_in(0, 41);
        for n in 1..9 {
            log.refresh(n * gap, 41, 200).call(n * gap + 10 * SECOND, 41, "/v2/rota", 200);
        }
        log.said()
    };
    assert_eq!(every(MINUTE), ["clock_skew/client"]);
    assert!(every(52 * MINUTE / 4).is_empty(), "{:?}", every(52 * MINUTE / 4));
}

#[test]
fn a_trace_tells_a_slow_clock_from_an_app_that_never_plans_ahead() {
    let mut log = Log::new();
    log.sign_in(0, 41).calls(0, 55 * MINUTE, 41).call(63 * MINUTE, 41, "/v2/rota", 401);
    log.refresh(63 * MINUTE + SECOND, 41, 200).calls(64 * MINUTE, 90 * MINUTE, 41);
    let trace = |due: &str| {
        format!(
            "[2026-05-04T08:00:00.100000] onTransition -- AuthBloc, Transition {{ currentState: AuthLoading, event: LoginPressed, nextState: AuthAuthenticated(userId: 41) }}\n\
             [2026-05-04T08:00:00.200000] login ok, token expires in 3600s\n{due}\
             [2026-05-04T09:03:00.020000] api GET /v2/rota failed: 401\n\
             [2026-05-04T09:03:01.020000] token refreshed, expires in 3600s\n"
        )
    };
    let slow = log.said_with(&trace("[2026-05-04T08:00:00.300000] next refresh in 150m\n"));
    assert!(is(&slow, "clock_skew/client"), "{slow:?}");
    let reactive = log.said_with(&trace(""));
    assert!(is(&reactive, "lifetime_expiry/reactive_only"), "{reactive:?}");
}

#[test]
fn nothing_stored_explains_a_sign_in_and_a_sign_out_explains_it_better() {
    let again = |signed_out: bool| {
        let mut log = renewed();
        log.calls(53 * MINUTE, 60 * MINUTE, 41);
        if signed_out {
            log.sign_out(64 * MINUTE, 41);
        }
        log.sign_in(66 * MINUTE, 41).calls(67 * MINUTE, 95 * MINUTE, 41);
        log.said()
    };
    assert_eq!(again(false), ["storage_loss/cleared"]);
    assert!(again(true).is_empty(), "{:?}", again(true));
}

#[test]
fn calls_in_flight_during_a_refresh_are_no_incident() {
    let mut log = renewed();
    log.call(52 * MINUTE + 40, 41, "/v2/team", 401).calls(53 * MINUTE, 95 * MINUTE, 41);
    assert!(log.said().is_empty(), "{:?}", log.said());
}

#[test]
fn a_second_holder_is_told_by_the_session_that_goes_on() {
    let refused = |goes_on: bool| {
        let mut log = renewed();
        log.calls(53 * MINUTE, 64 * MINUTE, 41).refresh(65 * MINUTE, 41, 401);
        if goes_on {
            log.calls(66 * MINUTE, 95 * MINUTE, 41);
        } else {
            log.sign_in(68 * MINUTE, 41);
        }
        log.said()
    };
    assert_eq!(refused(true), ["refresh_failure/second_holder"]);
    assert!(!is(&refused(false), "refresh_failure/second_holder"), "{:?}", refused(false));
}

#[test]
fn a_quiet_apps_socket_starves_where_calls_would_have_refreshed() {
    let mut log = Log::new();
    log.sign_in(0, 41).socket(2 * SECOND, 41, true).calls(0, 20 * MINUTE, 41).closed(63 * MINUTE, 41);
    log.socket(63 * MINUTE + 5 * SECOND, 41, false).refresh(63 * MINUTE + 9 * SECOND, 41, 200);
    log.socket(63 * MINUTE + 12 * SECOND, 41, true);
    let said = log.said();
    assert_eq!(said, ["lifetime_expiry/idle_starved"]);
}

#[test]
fn a_good_refresh_whose_answer_never_came_is_a_lost_response() {
    let mut log = Log::new();
    log.sign_in(0, 41).calls(0, 51 * MINUTE, 41).refresh(52 * MINUTE, 41, 200).refresh(54 * MINUTE, 41, 401);
    log.sign_in(58 * MINUTE, 41);
    let answered = trace(&[
        (1, "*** Request ***\nuri: https://api.example.com/v2/sessions\nmethod: POST\n"),
        (3120, "*** Request ***\nuri: https://api.example.com/v2/sessions/renew\nmethod: POST\n"),
        (
            3135,
            "*** DioException ***:\nuri: https://api.example.com/v2/sessions/renew\nDioException [receive timeout]: The request took longer than 0:00:15.000000 to receive data.\n\n",
        ),
        (3240, "*** Request ***\nuri: https://api.example.com/v2/sessions/renew\nmethod: POST\n"),
        (
            3241,
            "*** DioException ***:\nuri: https://api.example.com/v2/sessions/renew\nDioException [bad response]: This exception was thrown because the response has a status code of 401\n\n",
        ),
    ]);
    let said = log.said_with(&answered);
    assert_eq!(said, ["refresh_failure/lost_response"]);
}

#[test]
fn giving_up_on_a_passing_fault_is_the_apps_doing() {
    let out = "onTransition -- AuthBloc, Transition { currentState: AuthAuthenticated(userId: 41), event: SessionLost, nextState: AuthUnauthenticated }";
    let failed = "token refresh failed: connection timed out";
    let gave_up = diagnose_trace(&[(3120, failed), (3121, out)]);
    assert_eq!(gave_up, ["refresh_failure/transient_as_terminal"]);
    let kept = diagnose_trace(&[(3120, failed), (3200, "token refreshed, expires in 3600s")]);
    assert!(!is(&kept, "refresh_failure/transient_as_terminal"), "{kept:?}");
}

#[test]
fn a_locked_phone_is_told_from_an_unreadable_store_by_its_code() {
    let out = "onTransition -- AuthBloc, Transition { currentState: AuthAuthenticated(userId: 41), event: SessionLost, nextState: AuthUnauthenticated }";
    let read = |error: &str| diagnose_trace(&[(600, error), (601, out)]);
    let locked = "PlatformException(Unexpected security result code, Code: -25308, Message: User interaction is not allowed., -25308, null)";
    assert_eq!(read(locked), ["storage_loss/locked_device"]);
    let broken = "PlatformException(Exception encountered, read, javax.crypto.BadPaddingException: error:1e000065:Cipher functions:OPENSSL_internal:BAD_DECRYPT, null)";
    assert_eq!(read(broken), ["storage_loss/unreadable"]);
}

#[test]
fn an_identity_says_what_was_joined_and_what_was_refused() {
    let mut log = renewed();
    // Somebody else on the same address: from now on it names nobody.
    log.request(58 * MINUTE, &ip(41), "GET /v2/team", "TeamController#index", 200, &["member=42 /v2/team".to_owned()]);
    let mut reading = why401::Reading::new(why401::Config::default(), [3; 16]);
    reading.read_bytes("server.log", log.text().as_bytes());
    let text = why401::identity(reading, "41").expect("user 41 is there");
    assert!(text.contains("lines that name the user") && text.contains("81.2.3.41: shared, 1 others"), "{text}");
}
