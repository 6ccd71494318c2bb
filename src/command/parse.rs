//! `why401 parse`: what was read, one event a line as JSON; with `--unrecognised`, the shapes of the lines that were not understood and a
//! configuration that would.

use std::io::Write;
use std::path::PathBuf;

use anyhow::Result;
use serde_json::{Map, Value, json};
use why401_parsers::assemble::Zone;
use why401_parsers::event::{Event, Name, Names, Socket, TimeFrom, What};
use why401_parsers::record::Side;

use super::{Exit, settings::config_file};
use crate::config::Config;
use crate::reading::Reading;
use crate::source::{How, read_inputs};

/// What `parse` takes.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Files, folders, globs; `-` is standard input
    #[arg(value_name = "INPUT", required = true)]
    pub inputs: Vec<PathBuf>,
    /// Print the commonest shapes of lines that were not understood, and a configuration that would understand them
    #[arg(long)]
    pub unrecognised: bool,
    /// Configuration with `[[pattern]]`s; `why401.toml` in the current folder is read without being named
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
}

/// How many shapes of unrecognised lines are shown, and how many get a stub.
const MOST_SHAPES: usize = 20;
const MOST_STUBS: usize = 3;

/// Reads and prints.
///
/// # Errors
/// A configuration that cannot be used, or what writing gives.
pub fn run(args: &Args, out: &mut impl Write) -> Result<Exit> {
    let patterns = config_file(args.config.as_deref())?.patterns().map_err(anyhow::Error::msg)?;
    let config = Config { patterns, ..Config::default() };
    let outcome = read_inputs(&args.inputs, config, How::default());
    for error in &outcome.errors {
        eprintln!("why401: {error}");
    }
    if outcome.nothing_read() {
        eprintln!("why401: nothing to parse");
        return Ok(Exit::Usage);
    }
    let partial = outcome.partial();
    if args.unrecognised {
        unrecognised(&outcome.reading, out)?
    } else {
        events(outcome.reading, out)?
    }
    Ok(if partial { Exit::Partial } else { Exit::Clean })
}

fn events(reading: Reading, out: &mut impl Write) -> Result<()> {
    let turned = reading.turned_sources();
    let Reading { mut names, sources, .. } = reading;
    for source in sources {
        let assembled = source.assembler.finish(None::<Zone<'_>>, source.year, &mut names);
        for event in &assembled.events {
            serde_json::to_writer(
                &mut *out,
                &shown(event, (&source.name, turned.line(&source.name, event.line)), &names),
            )?;
            writeln!(out)?;
        }
    }
    Ok(())
}

/// An event as JSON. Tokens are fingerprints inside, and are not shown at all.
fn shown(event: &Event, (source, line): (&str, u64), names: &Names) -> Value {
    let mut object = Map::new();
    let mut put = |key: &str, value: Value| {
        if !value.is_null() && value != json!(false) && value != json!("") {
            object.insert(key.to_owned(), value);
        }
    };
    let text = |name: Option<Name>| name.map(|name| names.text(name).to_owned());
    put("source", json!(source));
    put("line", json!(line));
    if event.timed < TimeFrom::Order {
        put("time", json!(rfc3339(event.time)));
        put("time_from", json!(format!("{:?}", event.timed).to_lowercase()));
    }
    put("user", json!(text(event.user)));
    put("email", json!(text(event.email)));
    put("ip", json!(text(event.address)));
    put("device", json!(text(event.device)));
    match &event.what {
        What::Request(request) => {
            put("event", json!("request"));
            put("side", json!(if request.side == Side::Server { "server" } else { "client" }));
            put("seen_by_proxy", json!(request.proxied));
            put("method", json!(names.text(request.method)));
            put("path", json!(names.text(request.path)));
            put("action", json!(text(request.action)));
            put("status", json!(request.status));
            put("failure", json!(request.failure.map(|failure| format!("{failure:?}").to_lowercase())));
            put(
                "ended",
                json!(event.ended.filter(|_| event.timed < TimeFrom::Order).map(|ended| rfc3339(ended.into()))),
            );
            put("halted_by", json!(text(request.halted)));
            put("password", json!(request.password));
            put("refresh_token", json!(request.refresh_token));
            put("exception", json!(request.fault.as_ref().and_then(|fault| text(fault.class))));
            put("grouped_by", json!(format!("{:?}", request.grouped_by).to_lowercase()));
        }
        What::Socket(socket) => {
            put("event", json!("socket"));
            let (what, identifier) = match socket {
                Socket::Opened => ("opened", None),
                Socket::Upgraded => ("upgraded", None),
                Socket::UpgradeFailed => ("upgrade_failed", None),
                Socket::Accepted(name) => ("accepted", Some(*name)),
                Socket::Refused => ("refused", None),
                Socket::Closed => ("closed", None),
                Socket::Removing(name) => ("removing", Some(*name)),
                Socket::Connect(_) => ("connect", None),
                Socket::Disconnect(_) => ("disconnect", None),
                Socket::Subscribed => ("subscribed", None),
                Socket::Unsubscribed => ("unsubscribed", None),
            };
            put("what", json!(what));
            put("identifier", json!(text(identifier)));
        }
        What::State { to, event: moved_by, state, asked, .. } => {
            put("event", json!("state"));
            put("what", json!(format!("{to:?}").to_lowercase()));
            put("by", json!(names.text(*moved_by)));
            put("state", json!(names.text(*state)));
            put("asked", json!(asked));
        }
        What::Note { text: words, severe, .. } => {
            put("event", json!("note"));
            put("text", json!(names.text(*words)));
            put("severe", json!(severe));
        }
        What::Process(process) => {
            put("event", json!("process"));
            put("what", json!(format!("{process:?}").to_lowercase()));
        }
        What::ClientSocket(socket) => {
            put("event", json!("client_socket"));
            put("what", json!(format!("{socket:?}").to_lowercase()));
        }
        What::ClientRefresh(refresh) => {
            put("event", json!("client_refresh"));
            put("what", json!(format!("{refresh:?}").split([' ', '{']).next().unwrap_or_default().to_lowercase()));
        }
        What::Lifetime(seconds) => {
            put("event", json!("lifetime"));
            put("seconds", json!(seconds));
        }
        What::RefreshDue(seconds) => {
            put("event", json!("refresh_due"));
            put("seconds", json!(seconds));
        }
        What::Storage { locked } => {
            put("event", json!("storage_failed"));
            put("locked", json!(locked));
        }
        What::Lifecycle { resumed } => {
            put("event", json!("lifecycle"));
            put("what", json!(if *resumed { "resumed" } else { "paused" }));
        }
        What::AppStart => put("event", json!("app_start")),
        What::LoginPage => put("event", json!("login_page")),
        What::NetworkDown => put("event", json!("network_down")),
        What::Release { of_app, name } => {
            put("event", json!("release"));
            put("of", json!(if *of_app { "app" } else { "server" }));
            put("release", json!(names.text(*name)));
        }
    }
    Value::Object(object)
}

fn rfc3339(micros: i64) -> String {
    chrono::DateTime::from_timestamp_micros(micros)
        .map_or_else(String::new, |time| time.to_rfc3339_opts(chrono::SecondsFormat::Micros, true))
}

fn unrecognised(reading: &Reading, out: &mut impl Write) -> Result<()> {
    for source in &reading.sources {
        let balance = &source.balance;
        writeln!(out, "# {}: {} of {} lines were not understood", source.name, balance.unrecognised, balance.lines)?;
        let mut shapes: Vec<(&[u8], u64)> =
            balance.templates.iter().map(|(shape, count)| (shape.as_ref(), *count)).collect();
        shapes.sort_by_key(|(shape, count)| (std::cmp::Reverse(*count), *shape));
        for (shape, count) in shapes.iter().take(MOST_SHAPES) {
            writeln!(out, "# {count:>8}  {}", why401_parsers::event::printable(shape))?;
        }
        for (number, (shape, _)) in (1..).zip(shapes.iter().take(MOST_STUBS)) {
            writeln!(out, "\n{}", stub(&format!("unknown-{number}"), &why401_parsers::event::printable(shape)))?;
        }
    }
    Ok(())
}

/// A pattern that reads lines of a shape as messages, to be refined by whoever knows them. The shape has no values of the line, so
/// neither has its example.
#[must_use]
pub fn stub(name: &str, shape: &str) -> String {
    let mut regex = String::from("^(?<message>");
    for character in shape.chars() {
        match character {
            // A number, or the letter itself.
            'N' => regex.push_str(r"(?:N|\d+)"),
            '…' => regex.push_str(r"\S*"),
            _ => regex.push_str(&regex::escape(&character.to_string())),
        }
    }
    regex.push_str(".*)$");
    let example = shape.replace('N', "1").replace('…', "x");
    let quoted = |text: &str| {
        // A literal string cannot hold its own quote.
        if text.contains('\'') { serde_json::to_string(text).unwrap_or_default() } else { format!("'{text}'") }
    };
    format!(
        "[[pattern]]\nname = \"{name}\"\nregex = {}\nexample = {}\n# groups: {}",
        quoted(&regex),
        quoted(&example),
        why401_parsers::pattern::KEYS.join(", ")
    )
}

#[cfg(test)]
mod tests {
    use crate::config::ConfigFile;

    #[test]
    fn a_stub_is_a_configuration_that_can_be_used() {
        for shape in ["N/N/N worker: it's \"done\" (N ms)", "plain words", "… N: a.b [x] {y} \\ $1", "token …"] {
            let text = super::stub("unknown-1", shape);
            let file: ConfigFile = toml::from_str(&text).unwrap_or_else(|error| panic!("{text}: {error}"));
            file.patterns().unwrap_or_else(|error| panic!("{text}: {error}"));
        }
    }
}
