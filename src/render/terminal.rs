//! The report for a terminal: the verdict first, then a table, then the proof.

use std::fmt::Write as _;

use anstyle::{AnsiColor, Style};
use comfy_table::{CellAlignment, ContentArrangement, LineStyle, Table, TableStyle, presets};

use super::group::{Group, groups, people_of};
use super::words::{
    clock, clock_and_day, cut_to, impact, incidents, known_by, number, percent, persons, platform, whose, with_kind,
};
use crate::cause::{Label, case::span};
use crate::diagnosis::{Diagnosis, Evidence, Impact, Incident, Moment, Scope};
use crate::session::SECOND;

/// How to draw.
#[derive(Clone, Copy, Debug)]
pub struct Look {
    /// Columns.
    pub width: usize,
    /// With colours.
    pub color: bool,
    /// How many single incidents are listed below the table of causes; `None` for none but the clearest case of each cause.
    pub top: Option<usize>,
}

/// One line below the heads, none between rows: a report has many rows.
const LINES: TableStyle = presets::NOTHING.header_separator(LineStyle::none().fill('─').junction('─'));

/// Narrower than this nothing is aligned any more.
const NARROWEST: usize = 40;
/// Lines longer than this are hard to read, however wide the terminal is.
const WIDEST: usize = 160;
/// How many pieces of evidence of a case are shown.
const MOST_EVIDENCE: usize = 6;
/// How many moments of a case are shown.
const MOST_MOMENTS: usize = 14;

/// Draws the report.
#[must_use]
pub fn report(diagnosis: &Diagnosis, look: Look) -> String {
    let look = Look { width: look.width.clamp(NARROWEST, WIDEST), ..look };
    let folder = common_folder(diagnosis);
    let mut page = Page { out: String::new(), look, folder };
    page.verdict(diagnosis);
    page.causes(diagnosis);
    page.cases(diagnosis);
    page.listing(diagnosis);
    page.lifetimes(diagnosis);
    page.plan(diagnosis);
    page.balance(diagnosis);
    page.out
}

struct Page {
    out: String,
    look: Look,
    /// The folder that all sources are in, which is left out of their names.
    folder: String,
}

/// The folder that all sources are in, with its last `/`; empty if there is none.
fn common_folder(diagnosis: &Diagnosis) -> String {
    let mut names = diagnosis.inputs.iter().map(|input| input.source.as_str());
    let Some(first) = names.next() else { return String::new() };
    let folder = |name: &str, most: usize| name[..most].rfind('/').map_or(0, |at| at + 1);
    let common = names.fold(folder(first, first.len()), |common, name| {
        let same = first.bytes().zip(name.bytes()).take(common).take_while(|(one, other)| one == other).count();
        if first.is_char_boundary(same) { folder(first, same) } else { 0 }
    });
    first[..common].to_owned()
}

const BOLD: Style = Style::new().bold();
const DIM: Style = Style::new().dimmed();
const BAD: Style = AnsiColor::Red.on_default();
const GOOD: Style = AnsiColor::Green.on_default();
const NOTE: Style = AnsiColor::Yellow.on_default();
const HEAD: Style = AnsiColor::Cyan.on_default().bold();

impl Page {
    /// `server.log:64`.
    fn place(&self, source: &str, line: u64) -> String {
        format!("{}:{line}", source.strip_prefix(self.folder.as_str()).unwrap_or(source))
    }

    fn paint(&self, style: Style, text: &str) -> String {
        if self.look.color { format!("{style}{text}{style:#}") } else { text.to_owned() }
    }

    fn line(&mut self, text: &str) {
        self.out.push_str(text.trim_end());
        self.out.push('\n');
    }

    fn head(&mut self, text: &str) {
        self.out.push('\n');
        let text = self.paint(HEAD, text);
        self.line(&text);
    }

    /// Wrapped text; further lines are indented by `indent`.
    fn text(&mut self, first: &str, indent: &str, text: &str) {
        let options = textwrap::Options::new(self.look.width).initial_indent(first).subsequent_indent(indent);
        let wrapped = textwrap::fill(text, options);
        for line in wrapped.lines() {
            self.line(line);
        }
    }

    fn verdict(&mut self, diagnosis: &Diagnosis) {
        let groups = groups(diagnosis);
        let broken: Vec<&Group<'_>> =
            groups.iter().filter(|group| !group.harmless() && group.label != Label::Inconclusive).collect();
        let people = people_of(diagnosis, |incident| {
            incident.scope == Scope::Actor
                && !matches!(
                    incident.cause,
                    Label::Logout | Label::NetworkLoss | Label::ServerRestart | Label::ServerReset | Label::Revoked
                )
        });
        let since = broken
            .iter()
            .flat_map(|group| group.incidents.iter())
            .map(|incident| incident.start.as_str())
            .min()
            .map(clock_and_day);
        let dropped = diagnosis.summary.dropped_actors;
        let title = match (people, dropped) {
            (0, _) if diagnosis.incidents.is_empty() => "Nobody was signed out: nothing found.".to_owned(),
            (0, _) => "Nobody lost a session to a defect.".to_owned(),
            (people, 0) => format!("{} hit, nobody signed out.", persons(people)),
            (people, dropped) => format!("{} hit, {dropped} of them signed out.", persons(people)),
        };
        let title = match since {
            Some(since) => format!("{title} Since {since} UTC."),
            None => title,
        };
        let title = self.paint(if people == 0 { GOOD.bold() } else { BAD.bold() }, &title);
        self.line(&title);
        for (number, (label, people, kinds)) in by_cause(diagnosis, &broken).into_iter().enumerate() {
            let first = format!("{:>2}. ", number + 1);
            self.text(&first, "    ", &format!("{} — {}: {kinds}", label.title(), persons(people)));
        }
        if let Some(step) = diagnosis.fix_plan.first().filter(|_| !broken.is_empty()) {
            let first = self.paint(BOLD, "Change first: ");
            let before = self.out.len();
            self.text("Change first: ", "    ", &step.title);
            let written = self.out.split_off(before).replacen("Change first: ", &first, 1);
            self.out.push_str(&written);
        }
        let unclear = groups.iter().find(|group| group.label == Label::Inconclusive);
        if let Some(unclear) = unclear {
            let text =
                format!("{} could not be explained; what is missing stands below.", incidents(unclear.incidents.len()));
            let text = self.paint(NOTE, &text);
            self.line(&text);
        }
    }

    fn causes(&mut self, diagnosis: &Diagnosis) {
        if diagnosis.incidents.is_empty() {
            return;
        }
        self.head("Incidents");
        let mut table = self.table(&["cause/kind", "people", "cases", "first", "last", "sure"]);
        for group in groups(diagnosis) {
            let first = group.incidents.iter().map(|incident| incident.start.as_str()).min().unwrap_or_default();
            let last = group.incidents.iter().map(|incident| incident.end.as_str()).max().unwrap_or_default();
            table.add_row([
                with_kind(group.label, group.kind),
                group.people().to_string(),
                group.incidents.len().to_string(),
                clock(first),
                clock(last),
                percent(group.sureness()),
            ]);
        }
        align_right(&mut table, &[1, 2, 5]);
        let drawn = table.to_string();
        for line in drawn.lines() {
            self.line(line);
        }
        if diagnosis
            .incidents
            .iter()
            .any(|incident| incident.cause == Label::ServerRestart && incident.scope == Scope::Service)
        {
            self.text("", "", "(people of a restart: those whose socket it cut)");
        }
    }

    fn table(&self, heads: &[&str]) -> Table {
        let mut table = Table::new();
        table.load_style(LINES);
        table.set_content_arrangement(ContentArrangement::Dynamic);
        table.set_width(u16::try_from(self.look.width).unwrap_or(u16::MAX));
        table.set_header(heads.iter().map(|head| (*head).to_owned()).collect::<Vec<_>>());
        table
    }

    fn cases(&mut self, diagnosis: &Diagnosis) {
        for group in groups(diagnosis) {
            if let Some(incident) = group.clearest() {
                self.case(&group.name(), incident, group.incidents.len());
            }
        }
    }

    fn case(&mut self, name: &str, incident: &Incident, count: usize) {
        let whose = whose(incident);
        self.head(&format!("{}{name}", incident.id.to_uppercase() + "  "));
        let more = if count > 1 { format!("; the clearest of {count}") } else { String::new() };
        let sure = percent(incident.confidence);
        let runner = incident
            .runner_up
            .as_ref()
            .map(|runner| format!("; else {} ({})", runner.cause.title(), percent(runner.confidence)))
            .unwrap_or_default();
        let head = format!(
            "{whose}, {} to {} UTC, {sure} sure{runner}{more}",
            clock_and_day(&incident.start),
            clock(&incident.end)
        );
        self.text("  ", "  ", &head);
        for evidence in incident.evidence.iter().take(MOST_EVIDENCE) {
            self.evidence(evidence);
        }
        for contribution in &incident.contributing {
            self.text("  ~ ", "    ", &format!("contributing: {} ({})", contribution.text, contribution.cause.title()));
        }
        for missing in &incident.missing {
            self.text("  ? ", "    ", &format!("missing: {missing}"));
        }
        self.moments(&incident.timeline);
        let fix = self.paint(BOLD, "fix");
        let before = self.out.len();
        self.text("  fix: ", "       ", &incident.fix);
        let written = self.out.split_off(before).replacen("fix", &fix, 1);
        self.out.push_str(&written);
    }

    fn evidence(&mut self, evidence: &Evidence) {
        let (mark, style) = if evidence.speaks_for { ("+", GOOD) } else { ("-", BAD) };
        let place = match (&evidence.source, evidence.line) {
            (Some(source), Some(line)) => format!(" [{}]", self.place(source, line)),
            _ => String::new(),
        };
        let before = self.out.len();
        self.text(&format!("  {mark} "), "    ", &format!("{}{place}", evidence.text));
        let mark_painted = self.paint(style, mark);
        let place_painted = self.paint(DIM, place.trim_start());
        let mut written = self.out.split_off(before);
        if !place.is_empty() && written.contains(place.trim_start()) {
            written = written.replacen(place.trim_start(), &place_painted, 1);
        }
        written = written.replacen(mark, &mark_painted, 1);
        self.out.push_str(&written);
    }

    fn moments(&mut self, moments: &[Moment]) {
        let cut = moments.len().saturating_sub(MOST_MOMENTS);
        let (head, tail) = if cut > 0 {
            (&moments[..MOST_MOMENTS / 2], &moments[moments.len() - MOST_MOMENTS / 2..])
        } else {
            (moments, &moments[..0])
        };
        for moment in head {
            self.moment(moment);
        }
        if cut > 0 {
            let text = self.paint(DIM, &format!("      … {cut} more"));
            self.line(&text);
        }
        for moment in tail {
            self.moment(moment);
        }
    }

    fn moment(&mut self, moment: &Moment) {
        let style = match moment.tone.as_str() {
            "good" => GOOD,
            "bad" => BAD,
            _ => Style::new(),
        };
        let times = if moment.count > 1 { format!(" ×{}", moment.count) } else { String::new() };
        let place = self.place(&moment.source, moment.line);
        let text = format!("{}{times}", moment.text);
        let channel = match moment.channel.as_str() {
            "websocket" => "ws",
            other => other,
        };
        let left = format!("      {} {channel:<5}", clock(&moment.time));
        let room = self.look.width.saturating_sub(textwrap::core::display_width(&left) + 2);
        let text = cut_to(&text, room);
        let gap = room.saturating_sub(textwrap::core::display_width(&text) + textwrap::core::display_width(&place) + 1);
        let mut line = format!("{left} {}", self.paint(style, &text));
        if gap > 0 && textwrap::core::display_width(&text) + textwrap::core::display_width(&place) < room {
            let _ = write!(line, "{}{}", " ".repeat(gap), self.paint(DIM, &place));
        }
        self.line(&line);
    }

    fn listing(&mut self, diagnosis: &Diagnosis) {
        let Some(top) = self.look.top else { return };
        let shown: Vec<&Incident> = diagnosis.incidents.iter().take(top).collect();
        if shown.is_empty() {
            return;
        }
        self.head(&format!("The first {} of {}", shown.len(), incidents(diagnosis.incidents.len())));
        let mut table = self.table(&["id", "who", "cause/kind", "from", "to", "impact", "sure"]);
        for incident in shown {
            table.add_row([
                incident.id.clone(),
                whose(incident),
                with_kind(incident.cause, &incident.kind),
                clock(&incident.start),
                clock(&incident.end),
                impact(incident.impact).to_owned(),
                percent(incident.confidence),
            ]);
        }
        align_right(&mut table, &[6]);
        for line in table.to_string().lines() {
            self.line(line);
        }
    }

    fn lifetimes(&mut self, diagnosis: &Diagnosis) {
        if diagnosis.lifetimes.is_empty() {
            return;
        }
        self.head("Lifetimes of tokens");
        for lifetime in &diagnosis.lifetimes {
            let seconds = |seconds: i64| span(seconds * SECOND);
            let verdict = match lifetime.verdict.as_str() {
                "long" => "long for",
                "short" => "short for",
                _ => "within",
            };
            let text = format!(
                "{}: {} ({}); {verdict} practice for {}: {} to {}",
                lifetime.credential,
                seconds(lifetime.access_seconds),
                known_by(lifetime),
                platform(lifetime),
                seconds(lifetime.recommended.0),
                seconds(lifetime.recommended.1)
            );
            self.text("  ", "  ", &text);
        }
    }

    fn plan(&mut self, diagnosis: &Diagnosis) {
        if diagnosis.fix_plan.is_empty() {
            return;
        }
        self.head("What to change, in this order");
        for step in &diagnosis.fix_plan {
            let people = if step.affected_actors > 0 {
                format!(" — {}", persons(step.affected_actors))
            } else {
                String::new()
            };
            self.text(&format!("{:>3}. ", step.order), "     ", &format!("{}{people}", step.title));
            let before = self.out.len();
            self.text("     ", "     ", &step.why);
            let why = self.out.split_off(before);
            for line in why.lines() {
                let line = self.paint(DIM, line);
                self.line(&line);
            }
        }
    }

    fn balance(&mut self, diagnosis: &Diagnosis) {
        let summary = &diagnosis.summary;
        self.head("Balance");
        let by = &summary.unauthorized_by;
        let parts: Vec<String> = [
            (by.incident, "in incidents"),
            (by.failed_login, "by failed sign-ins"),
            (by.never_signed_in, "of people who never signed in"),
            (by.in_flight, "in flight during a refresh"),
            (by.after_logout, "after a sign-out"),
            (by.attack, "in attacks"),
            (by.unexplained, "unexplained"),
        ]
        .iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, what)| format!("{count} {what}"))
        .collect();
        let why = if parts.is_empty() { String::new() } else { format!(": {}", parts.join(", ")) };
        self.text(
            "  ",
            "  ",
            &format!("{} requests, {} answered 401{why}", number(summary.requests), number(summary.unauthorized)),
        );
        self.text(
            "  ",
            "  ",
            &format!(
                "{} refreshes, {} failed; sockets: {} connected, {} refused, {} ended; {} actors, {} healthy",
                number(summary.refreshes),
                number(summary.refresh_failures),
                number(summary.cable_connects),
                number(summary.cable_rejects),
                number(summary.cable_disconnects),
                number(summary.actors),
                number(summary.healthy_actors)
            ),
        );
        let endpoints: Vec<String> = diagnosis
            .endpoints
            .iter()
            .filter(|endpoint| endpoint.role != "socket" || diagnosis.endpoints.len() < 8)
            .map(|endpoint| format!("{} {} = {}", endpoint.method, endpoint.path, endpoint.role.replace('_', "-")))
            .collect();
        if !endpoints.is_empty() {
            self.text("  endpoints: ", "    ", &format!("{} (why401.toml sets others)", endpoints.join(", ")));
        }
        if !self.folder.is_empty() {
            let folder = self.folder.clone();
            self.text("  in ", "    ", &format!("{folder}:"));
        }
        for input in &diagnosis.inputs {
            let what = match (&input.envelope, &input.dialect) {
                (Some(envelope), Some(dialect)) => format!("{dialect} in {envelope}"),
                (None, Some(dialect)) => dialect.clone(),
                _ => "nothing that why401 knows".to_owned(),
            };
            let capped = if input.capped > 0 { format!(", {} too long", number(input.capped)) } else { String::new() };
            let lines = format!(
                "{}: {} lines = {} recognised + {} not{capped}; {what}; {}",
                input.source.strip_prefix(self.folder.as_str()).unwrap_or(&input.source),
                number(input.lines),
                number(input.recognised),
                number(input.unrecognised),
                input.clock
            );
            self.text("  ", "    ", &lines);
        }
        for note in &diagnosis.notes {
            self.text("  note: ", "    ", note);
        }
    }
}

/// One line a cause: how many people, and its kinds with what each did to them.
fn by_cause(diagnosis: &Diagnosis, broken: &[&Group<'_>]) -> Vec<(Label, u64, String)> {
    let mut causes: Vec<(Label, u64, String)> = Vec::new();
    for group in broken {
        let what = match group.worst() {
            Impact::Dropped => "",
            Impact::Degraded => ", nobody signed out",
            Impact::Latent => ", latent",
        };
        let kind = group.kind.replace('_', " ");
        let part = format!("{kind} ({}{what})", number(group.people()));
        match causes.iter_mut().find(|(label, ..)| *label == group.label) {
            Some((.., kinds)) => {
                kinds.push_str(", ");
                kinds.push_str(&part);
            }
            None => {
                let people = people_of(diagnosis, |incident| incident.cause == group.label);
                causes.push((group.label, people, part));
            }
        }
    }
    causes
}

fn align_right(table: &mut Table, columns: &[usize]) {
    for column in columns {
        if let Some(column) = table.column_mut(*column) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
}
