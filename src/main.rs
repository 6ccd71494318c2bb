//! `why401`: command line in, exit code out.

use std::io::{self, ErrorKind, Write};
use std::process::ExitCode;

use clap::Parser as _;
use why401::command::{
    Cli, Command, Exit, batch, columns, compare, diagnose, explain, formats, init, parse, policy, report, settings,
    shell, simulate, watch,
};

fn main() -> ExitCode {
    let cli = Cli::parse();
    // Standard output looks for the ends of lines in each piece that it gets.
    let mut out = io::BufWriter::with_capacity(1 << 16, io::stdout().lock());
    let result = match &cli.command {
        None => diagnose::run(&cli.diagnose, &mut out),
        Some(Command::Diagnose(args)) => diagnose::run(args, &mut out),
        Some(Command::Batch(args)) => batch::run(args, &mut out),
        Some(Command::Watch(args)) => watch::run(args, &mut out),
        Some(Command::Explain(args)) => explain::run(args, columns(None), &mut out).map_err(Into::into),
        Some(Command::Policy(args)) => policy::run(args, &mut out),
        Some(Command::Simulate(args)) => simulate::run(args, &mut out),
        Some(Command::Formats(args)) => formats::run(args, columns(None), &mut out),
        Some(Command::Parse(args)) => parse::run(args, &mut out),
        Some(Command::Completions(args)) => shell::completions(*args, &mut out).map_err(Into::into),
        Some(Command::Man) => shell::man(&mut out).map_err(Into::into),
        Some(Command::Report(args)) => report::run(args, &mut out),
        Some(Command::Compare(args)) => compare::run(args, &mut out),
        #[cfg(feature = "tables")]
        Some(Command::History(args)) => why401::command::history::run(args, &mut out),
        #[cfg(feature = "tables")]
        Some(Command::Export(args)) => why401::command::export::run(args, &mut out),
        #[cfg(not(feature = "tables"))]
        Some(Command::History(_)) => why401::command::untabled::run("history"),
        #[cfg(not(feature = "tables"))]
        Some(Command::Export(_)) => why401::command::untabled::run("export"),
        Some(Command::Init(args)) => init::run(args, &mut out),
        Some(Command::Config(args)) => settings::run(args, &mut out),
        Some(Command::Schema) => why401::render::json::schema(&mut out).map(|()| Exit::Clean).map_err(Into::into),
    };
    let result = result.and_then(|exit| Ok(out.flush().map(|()| exit)?));
    match result {
        Ok(exit) => exit.into(),
        // Whoever read the report had enough: `why401 … | head`.
        Err(error) if is_broken_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("why401: {error:#}");
            Exit::Usage.into()
        }
    }
}

fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error.chain().any(|cause| cause.downcast_ref::<io::Error>().is_some_and(|io| io.kind() == ErrorKind::BrokenPipe))
}
