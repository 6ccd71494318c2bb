//! What was assumed, and what a reader should know besides.

use why401_parsers::assemble::REORDER_WINDOW;
use why401_parsers::event::{Event, GroupedBy, What};
use why401_parsers::record::Side;

use super::Findings;
use crate::actor::Identified;
use crate::cause::case::span;
use crate::diagnosis::Input;

/// How many requests that count were put together by the order of their lines alone.
pub(super) fn by_order(findings: &Findings<'_>) -> usize {
    let by_order = |event: &&Event| {
        event.request().is_some_and(|request| {
            request.side == Side::Server && request.grouped_by == GroupedBy::Order && request.status.is_some()
        })
    };
    findings.counted().filter(by_order).count()
}

pub(super) fn notes(findings: &Findings<'_>, by_order: usize) -> Vec<String> {
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
    let server = |event: &&Event| !identified.client_sources.contains(&event.source);
    let mut of_server = identified.events.iter().filter(server).peekable();
    // (Of a request that only an exception tells of, no path is known.)
    let begun = |event: &Event| event.request().is_some_and(|request| !findings.text(request.path).is_empty());
    if of_server.peek().is_some() && !of_server.any(begun) {
        notes.push(
            "The server's log shows no requests, only what the app and ActionCable say beside. Rails logs requests at the level of `info`: \
             `config.log_level = :info`."
                .into(),
        );
    }
    let shared = identified.shared_addresses.iter().filter(|address| !identified.proxies.contains(address)).count();
    if shared > 0 {
        notes.push(format!("{shared} address(es) were used by several users; what names no user there was given to somebody only where one stands out."));
    }
    for proxy in &identified.proxies {
        let address = findings.text(*proxy);
        notes.push(format!("{address} is the machine's own or a proxy's address: it names nobody, so only users that lines name are judged. Let the proxy set X-Forwarded-For, or tag lines with the user's id."));
    }
    if by_order > 0 {
        notes.push(format!("{by_order} requests were put together by the order of their lines: the log has no request ids. Tag lines with `config.log_tags = [:request_id]`."));
    }
    notes
}

/// Sources whose lines are further out of order than logs are by themselves.
pub(super) fn late_in_words(inputs: &[Input]) -> impl Iterator<Item = String> {
    inputs.iter().filter(|input| input.late > 0).map(|input| {
        format!(
            "{}: {} events stand more than {} below younger ones (a clock that was set back, or files joined in another order); they were \
             put in their place.",
            input.source,
            input.late,
            span(REORDER_WINDOW)
        )
    })
}

/// For each source that shows no request, socket or session of an app: what it is instead.
pub(super) fn seen_instead(inputs: &[Input], identified: &Identified, behind_proxy: bool) -> Vec<String> {
    let mut shown = vec![(0_u64, 0_u64); inputs.len()];
    for event in &identified.events {
        let Some((own, proxied)) = shown.get_mut(event.source as usize) else { continue };
        match &event.what {
            What::Note { .. }
            | What::Process(_)
            | What::AppStart
            | What::Lifecycle { .. }
            | What::NetworkDown
            | What::Release { .. }
            | What::Lifetime(_) => {}
            What::Request(request) if request.proxied => *proxied += 1,
            _ => *own += 1,
        }
    }
    let sources = inputs.iter().zip(shown).filter(|(input, (own, _))| input.lines > 0 && *own == 0);
    sources
        .filter_map(|(input, (_, proxied))| {
            let name = &input.source;
            let seen = match (&input.envelope, &input.dialect) {
                (None, None) => "nothing of any format that is known".to_owned(),
                (Some(envelope), None) => format!("{envelope} frames around words of no format that is known"),
                (None, Some(dialect)) => dialect.clone(),
                (Some(envelope), Some(dialect)) => format!("{dialect} in {envelope} frames"),
            };
            if proxied > 0 {
                return Some(format!(
                    "{name}: {proxied} requests as a proxy or web server saw them ({seen}), none in an app's own words: users are \
                     not named there, so sign-outs can be judged by address at best."
                ));
            }
            // A proxy's lines that were left out say nothing else than the app's, and that was said.
            let of_proxy = ["access-log", "heroku-router", "render-requests", "json-requests"];
            if behind_proxy && input.dialect.as_ref().is_some_and(|dialect| of_proxy.iter().any(|name| dialect.contains(name))) {
                return None;
            }
            Some(format!(
                "{name}: no request, socket or session of an app is in it; what was seen is {seen}, and {} of {} lines were not \
                 understood (`why401 formats --test`, `why401 parse --unrecognised`). Nothing can be said of sign-outs by it.",
                input.unrecognised, input.lines
            ))
        })
        .collect()
}
