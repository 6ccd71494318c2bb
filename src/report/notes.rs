//! What was assumed, and what a reader should know besides.

use why401_parsers::event::GroupedBy;
use why401_parsers::record::Side;

use super::{Findings, MOBILE_ACCESS, WEB_ACCESS};
use crate::diagnosis::LifetimeFinding;
use crate::session::SECOND;
use crate::session::lifetime::Lifetime;

pub(super) fn notes(findings: &Findings<'_>) -> Vec<String> {
    let mut notes = Vec::new();
    let identified = findings.identified;
    match (identified.has_server, identified.client_sources.is_empty()) {
        (true, true) => notes.push(
            "Server logs only: what the devices did (storage, clock, network, sign-outs without a call) is inferred. A client's trace would show it.".into(),
        ),
        (false, false) => notes.push(
            "Client traces only: what the server did (errors under a refresh, revocations, restarts) is inferred. The server's log would show it.".into(),
        ),
        _ => {}
    }
    let shared = identified.shared_addresses.iter().filter(|address| !identified.proxies.contains(address)).count();
    if shared > 0 {
        notes.push(format!("{shared} address(es) were used by several users; what names no user there was given to somebody only where one stands out."));
    }
    for proxy in &identified.proxies {
        let address = findings.text(*proxy);
        notes.push(format!("{address} is the machine's own or a proxy's address: it names nobody, so only users that lines name are judged. Let the proxy set X-Forwarded-For, or tag lines with the user's id."));
    }
    let order_only = identified
        .events
        .iter()
        .filter(|event| {
            event.request().is_some_and(|request| {
                request.side == Side::Server && request.grouped_by == GroupedBy::Order && request.status.is_some()
            })
        })
        .count();
    if order_only > 0 {
        notes.push(format!("{order_only} requests were put together by the order of their lines: the log has no request ids. Tag lines with `config.log_tags = [:request_id]`."));
    }
    notes
}

pub(super) fn lifetime_findings(
    findings: &Findings<'_>,
    lifetimes: &[Lifetime],
    lead: Option<i64>,
) -> Vec<LifetimeFinding> {
    let mobile = !findings.identified.client_sources.is_empty();
    let (platform, recommended) =
        if mobile { ("mobile", MOBILE_ACCESS) } else { ("unknown", (MOBILE_ACCESS.0, WEB_ACCESS.1)) };
    lifetimes
        .iter()
        .map(|lifetime| {
            let seconds = lifetime.access / SECOND;
            let verdict = if seconds < recommended.0 {
                "short"
            } else if seconds > recommended.1 {
                "long"
            } else {
                "within"
            };
            LifetimeFinding {
                platform: platform.into(),
                access_seconds: seconds,
                support: lifetime.support as u64,
                known_by: lifetime.known_by,
                between: (lifetime.between.0 / SECOND, lifetime.between.1 / SECOND),
                recommended,
                verdict: verdict.into(),
                refreshed_at_seconds: lead.map(|lead| lead / SECOND).filter(|lead| *lead < seconds),
            }
        })
        .collect()
}
