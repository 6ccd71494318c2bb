//! What a watch shows at the bottom of a terminal: how it goes, who is in trouble, who is silent.

use anstyle::{AnsiColor, Style};
use textwrap::core::display_width;
use why401_parsers::event::printable;

use crate::cause::case::span;
use crate::diagnosis::Impact;
use crate::notify::whom;
use crate::render::cut_to;
use crate::watch::Standing;

/// A terminal, as far as drawing needs it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Screen {
    pub(super) width: usize,
    pub(super) height: usize,
    pub(super) color: bool,
}

const DIM: Style = Style::new().dimmed();
const HEAD: Style = Style::new().bold();

/// The widest columns of the list of open incidents. What is cut off first where room is short stands last.
const MOST_WHO: usize = 24;
const MOST_CAUSE: usize = 36;

/// Lines per second, once they are known.
pub(super) type Rate = Option<f64>;

/// The panel's lines: no more than half of the screen, so that news above it can be read, each shorter than the screen is wide.
pub(super) fn lines(standing: &Standing<'_>, rate: Rate, screen: Screen) -> Vec<String> {
    let most = (screen.height / 2).max(2);
    let mut lines = vec![painted(HEAD, &heading(standing, rate), screen)];
    if let Some(window) = standing.window {
        let text = format!(
            "last {}: {} requests, {} answered 401; {} of {} refreshes failed; {} of {} sockets refused",
            span(standing.kept),
            window.requests,
            window.unauthorized,
            window.refresh_failures,
            window.refreshes,
            window.cable_rejects,
            window.cable_connects + window.cable_rejects
        );
        lines.push(painted(DIM, &text, screen));
    }
    if !standing.silent.is_empty() {
        let silent = standing.silent.iter().map(|(source, since)| {
            let since = i64::try_from(since.as_micros()).unwrap_or(i64::MAX);
            format!("{} for {}", clean(source), span(since))
        });
        let text = format!("silent: {}", silent.collect::<Vec<_>>().join(", "));
        lines.push(painted(AnsiColor::Yellow.on_default(), &text, screen));
    }
    lines.truncate(most);
    let room = most - lines.len();
    let open = &standing.open;
    if open.is_empty() || room < 2 {
        return lines;
    }
    // The last line says how many there are besides.
    let shown = if open.len() < room { open.len() } else { room - 2 };
    let told: Vec<(String, String)> = open[..shown]
        .iter()
        .map(|incident| {
            let kind = if incident.kind.is_empty() { String::new() } else { format!("/{}", incident.kind) };
            (clean(&whom(incident)), format!("{}{kind}", incident.cause))
        })
        .collect();
    let widest = |texts: &mut dyn Iterator<Item = &String>| texts.map(|text| display_width(text)).max().unwrap_or(0);
    let who = widest(&mut told.iter().map(|(who, _)| who)).clamp("who".len(), MOST_WHO);
    let cause = widest(&mut told.iter().map(|(_, cause)| cause)).clamp("cause".len(), MOST_CAUSE);
    let row = |[of, since, why, sure, sign, impact]: [&str; 6]| {
        format!("{}  {since:8}  {}  {sure:4}  {sign:11}  {impact}", fitted(of, who), fitted(why, cause))
    };
    lines.push(painted(DIM, &row(["who", "since", "cause", "sure", "last sign", "impact"]), screen));
    for (incident, (of, why)) in open.iter().zip(&told) {
        let (style, impact) = match incident.impact {
            Impact::Dropped => (AnsiColor::Red.on_default(), "dropped"),
            Impact::Degraded => (AnsiColor::Yellow.on_default(), "degraded"),
            Impact::Latent => (Style::new(), "latent"),
        };
        // 11 to 19: the time of day.
        let since = incident.start.get(11..19).unwrap_or(&incident.start);
        let sign = standing.since_last_sign(incident).map_or_else(String::new, |ago| format!("{} ago", span(ago)));
        let sure = format!("{:.2}", incident.confidence);
        lines.push(painted(style, &row([of, since, why, &sure, &sign, impact]), screen));
    }
    if shown < open.len() {
        lines.push(painted(DIM, &format!("… and {} more", open.len() - shown), screen));
    }
    lines
}

fn heading(standing: &Standing<'_>, rate: Rate) -> String {
    let totals = &standing.totals;
    let mut text = format!("{} open, {} in all", standing.open.len(), totals.incidents);
    if totals.undecided > 0 {
        text.push_str(&format!(", {} not clear yet", totals.undecided));
    }
    let lines: u64 = totals.lines.iter().map(|(_, lines)| lines).sum();
    text.push_str(&format!(" · {lines} lines of {} sources", totals.lines.len()));
    if let Some(rate) = rate {
        text.push_str(&format!(", {rate:.0} a second"));
    }
    if totals.late > 0 {
        text.push_str(&format!(", {} late", totals.late));
    }
    text
}

/// A text that may hold anything, a file's name say, fit for a terminal.
pub(super) fn clean(text: &str) -> String {
    printable(text.as_bytes())
}

/// Cut or filled up to a width.
fn fitted(text: &str, width: usize) -> String {
    let mut text = cut_to(text, width);
    text.extend(std::iter::repeat_n(' ', width - display_width(&text)));
    text
}

/// A line that the terminal does not wrap.
fn painted(style: Style, text: &str, screen: Screen) -> String {
    let text = cut_to(text, screen.width.saturating_sub(1));
    let text = text.trim_end();
    if screen.color { format!("{style}{text}{style:#}") } else { text.to_owned() }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::diagnosis::{ActorRef, Incident, Summary};
    use crate::watch::Totals;

    fn sample() -> Vec<Incident> {
        let mut reading = crate::Reading::new(crate::Config::default(), [7; 16]);
        reading.read_bytes("server.log", include_bytes!("../../../samples/mixed/server.log"));
        crate::diagnose(reading).incidents
    }

    fn standing<'a>(open: &'a [Incident], window: &'a Summary) -> Standing<'a> {
        let totals = Totals { lines: vec![("production.log".into(), 12_345)], incidents: 20, ..Totals::default() };
        Standing {
            open: open.iter().collect(),
            totals,
            silent: vec![("log/worker\u{1b}[2J.log", Duration::from_secs(360))],
            window: Some(window),
            kept: 3_600_000_000,
            latest: None,
        }
    }

    #[test]
    fn a_panel_fits_any_screen() {
        let (mut open, window) = (sample(), Summary::default());
        assert!(open.len() > 10);
        open[0].actor = Some(ActorRef { user: Some("長い名前の人".repeat(9)), ..ActorRef::default() });
        for width in [1, 10, 40, 80, 200] {
            for height in [1, 4, 10, 24, 60] {
                let lines = lines(&standing(&open, &window), Some(10.0), Screen { width, height, color: false });
                assert!(lines.len() <= (height / 2).max(2), "{width}x{height}: {lines:#?}");
                assert!(lines.iter().all(|line| display_width(line) < width.max(2)), "{width}x{height}: {lines:#?}");
                assert!(lines.iter().all(|line| !line.contains(char::is_control)), "{lines:#?}");
            }
        }
    }

    #[test]
    fn a_panel_says_who_is_in_trouble_why_and_how_many_more_there_are() {
        let (open, window) = (sample(), Summary::default());
        let lines = lines(&standing(&open, &window), Some(1234.4), Screen { width: 120, height: 16, color: false });
        assert_eq!(lines.len(), 8);
        assert!(lines[0].ends_with("12345 lines of 1 sources, 1234 a second"), "{}", lines[0]);
        assert_eq!(lines[2], "silent: log/worker·[2J.log for 6 min");
        let first = &open[0];
        let told = [first.cause.as_str(), &first.kind, &first.start[11..19], &whom(first)];
        assert!(told.iter().all(|told| lines[4].contains(told)), "{}", lines[4]);
        assert_eq!(lines[7], format!("… and {} more", open.len() - 3));
    }

    #[test]
    fn colours_are_there_when_asked_for() {
        let (open, window) = (sample(), Summary::default());
        let lines = lines(&standing(&open, &window), None, Screen { width: 80, height: 24, color: true });
        assert!(lines.iter().all(|line| line.starts_with("\u{1b}[") && line.ends_with("\u{1b}[0m")), "{lines:#?}");
    }
}
