//! What the documents say is so: the pages of causes are what `explain` says, links lead somewhere, commands run.

mod support;

use std::fs;
use std::path::{Path, PathBuf};

use support::binary::{path, run, why401};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// All Markdown files that people read.
fn documents() -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> = ["", "docs", "docs/causes", "samples"]
        .iter()
        .flat_map(|folder| fs::read_dir(root().join(folder)).expect("a folder"))
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.extension().is_some_and(|ending| ending == "md"))
        .collect();
    files.sort();
    files
}

/// `WHY401_WRITE=1` (`just docs`) writes the pages anew.
#[test]
fn the_pages_of_causes_are_what_explain_says() {
    let list = run(why401().args(["explain", "--format", "markdown"]));
    let causes: Vec<String> = list
        .stdout
        .split("](")
        .skip(1)
        .filter_map(|rest| rest.split_once(".md)"))
        .map(|(name, _)| name.to_owned())
        .collect();
    assert!(causes.len() > 10, "{}", list.stdout);
    let mut pages = vec![("README".to_owned(), list.stdout)];
    for cause in causes {
        let page = run(why401().args(["explain", &cause, "--format", "markdown"])).stdout;
        pages.push((cause, page));
    }
    for (name, text) in pages {
        let file = root().join("docs/causes").join(format!("{name}.md"));
        if std::env::var_os("WHY401_WRITE").is_some() {
            fs::create_dir_all(root().join("docs/causes")).expect("a folder");
            fs::write(&file, &text).expect("written");
        }
        let kept = fs::read_to_string(&file).unwrap_or_default();
        assert!(kept == text, "docs/causes/{name}.md is not what `why401 explain {name}` says: run `just docs`");
    }
}

#[test]
fn links_within_the_repository_lead_somewhere() {
    let mut checked = 0;
    for file in documents() {
        let text = fs::read_to_string(&file).expect("a document");
        for link in text.split("](").skip(1).filter_map(|rest| rest.split_once(')')).map(|(link, _)| link) {
            let Some(target) = link.split('#').next().filter(|target| !target.is_empty() && !target.contains("://"))
            else {
                continue;
            };
            let target = file.parent().expect("a folder").join(target);
            assert!(target.exists(), "{} links to {link}, which is not there", file.display());
            checked += 1;
        }
    }
    assert!(checked > 20, "{checked} links");
}

/// Commands of the documents that no test can run here, by how they begin, each with the reason.
const NOT_RUN: &[(&str, &str)] = &[
    ("cargo test ", "is what runs this"),
    ("cargo install ", "fetches from another machine"),
    #[cfg(not(feature = "tables"))]
    ("why401 history ", "needs the feature `tables`"),
    #[cfg(not(feature = "tables"))]
    ("why401 export ", "needs the feature `tables`"),
];

/// Languages of blocks that hold nothing to run here, each with the reason. Any other that is not known fails.
const NOTHING_TO_RUN: &[(&str, &str)] = &[
    ("sql", "DuckDB reads the history by this; tests/history.rs reads the same files"),
    ("python", "so does pyarrow"),
];

/// A fenced block of a document.
struct Block {
    /// `docs/story.md:11`.
    place: String,
    language: String,
    text: String,
}

fn blocks() -> Vec<Block> {
    let mut blocks = Vec::new();
    for file in documents() {
        let text = fs::read_to_string(&file).expect("a document");
        let name = file.strip_prefix(root()).expect("in the repository").display().to_string();
        let mut open: Option<Block> = None;
        for (number, line) in (1..).zip(text.lines()) {
            match (&mut open, line.strip_prefix("```")) {
                (None, Some(language)) => {
                    let (place, language) = (format!("{name}:{number}"), language.to_owned());
                    open = Some(Block { place, language, text: String::new() });
                }
                (Some(_), Some(_)) => blocks.extend(open.take()),
                (Some(block), None) => block.text.extend([line, "\n"]),
                (None, None) => assert!(
                    !line.starts_with("    why401 "),
                    "{name}:{number}: a command outside of a fenced block is not run: put it into one"
                ),
            }
        }
        assert!(open.is_none(), "{name}: a block has no end");
    }
    blocks
}

/// The commands of a block, as a shell takes them; `None` for a language that nobody knows.
fn commands(block: &Block) -> Option<Vec<String>> {
    let own = |marks: &str| block.text.lines().filter_map(|line| line.strip_prefix(marks)).map(str::to_owned).collect();
    Some(match block.language.as_str() {
        "sh" => joined(&block.text),
        "console" | "text" => own("$ "),
        "ini" => own("ExecStart="),
        // Five fields of time and the user stand before it.
        "cron" => {
            let lines = block.text.lines().filter(|line| !line.starts_with('#'));
            lines.map(|line| line.splitn(7, ' ').nth(6).expect("a command").to_owned()).collect()
        }
        "yaml" => yaml_commands(&block.text),
        "toml" if block.text.contains("[batch]") => vec!["why401 batch block.toml".to_owned()],
        "toml" => vec!["why401 --config block.toml samples/mixed".to_owned()],
        _ => return None,
    })
}

/// Lines, with those that go on in the next one.
fn joined(text: &str) -> Vec<String> {
    let mut commands = vec![String::new()];
    for line in text.lines() {
        let last = commands.last_mut().expect("one at least");
        last.push_str(line);
        match line.ends_with("&&") {
            true => last.push('\n'),
            false => commands.push(String::new()),
        }
    }
    commands.retain(|command| !command.is_empty());
    commands
}

/// What `run`, `args` and `dockerCommand` say, in one line or in the block below them.
fn yaml_commands(text: &str) -> Vec<String> {
    let mut commands = Vec::new();
    let mut lines = text.lines().peekable();
    while let Some(line) = lines.next() {
        let indent = line.len() - line.trim_start().len();
        let Some((key, value)) = line.trim_start().trim_start_matches("- ").split_once(": ") else { continue };
        match (key, value) {
            ("args", list) => {
                let list: Vec<String> = serde_json::from_str(list).expect("a list in one line");
                commands.push(format!("why401 {}", list.join(" ")));
            }
            ("run" | "dockerCommand", "|" | ">-") => {
                let mut below = Vec::new();
                while let Some(next) = lines.next_if(|next| next.len() - next.trim_start().len() > indent) {
                    below.push(next.trim_start());
                }
                match value {
                    "|" => commands.extend(below.into_iter().map(str::to_owned)),
                    _ => commands.push(below.join(" ")),
                }
            }
            ("run", command) => commands.push(command.to_owned()),
            _ => {}
        }
    }
    commands
}

/// A machine as the documents have one in mind, in a folder: logs where they say, and stand-ins for what is somebody else's.
fn machine() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    let at = |name: &str| folder.path().join(name);
    for name in ["log", "var/log/app", "var/lib/why401", "var/lib/node_exporter", "etc/why401", "tmp", "bin"] {
        fs::create_dir_all(at(name)).expect("a folder");
    }
    std::os::unix::fs::symlink(root().join("samples"), at("samples")).expect("a link");
    std::os::unix::fs::symlink(root().join("samples/mixed"), at("logs")).expect("a link");
    for name in ["log/production.log", "var/log/app/production.log", "var/log/app/production.log.1"] {
        fs::copy(root().join("samples/stale_token-ws/server.log"), at(name)).expect("copied");
    }
    fs::copy(root().join("samples/stale_token-ws/client-u03.log"), at("phone.log")).expect("copied");
    // Nobody listens there.
    fs::write(at("slack.url"), "http://127.0.0.1:9/hook").expect("written");
    let scheduled = blocks().into_iter().find(|block| block.text.starts_with("# /etc/why401/why401.toml"));
    let scheduled = local(&scheduled.expect("the configuration of scheduled runs").text, folder.path());
    fs::write(at("etc/why401/why401.toml"), scheduled).expect("written");
    for (name, script) in
        [("render", "exec cat samples/stale_token-ws/server.log"), ("notify", "exec cat \"$@\""), ("e2e", "exit 1")]
    {
        use std::os::unix::fs::PermissionsExt as _;
        fs::write(at("bin").join(name), format!("#!/bin/sh\n{script}\n")).expect("written");
        fs::set_permissions(at("bin").join(name), fs::Permissions::from_mode(0o755)).expect("made executable");
    }
    if cfg!(feature = "tables") {
        let recorded = run(why401().current_dir(folder.path()).args(["history", "DIR", "--record", "logs"]));
        assert!(recorded.code < 2, "{}", recorded.stderr);
    }
    folder
}

/// Places of a whole machine, in the folder that stands for it.
fn local(text: &str, folder: &Path) -> String {
    let mut text = text.replace("/usr/local/bin/why401", "why401");
    for place in ["/var/log/", "/var/lib/", "/etc/why401/", "/tmp/"] {
        for before in [" ", "\"", "'"] {
            text = text.replace(&format!("{before}{place}"), &format!("{before}\0{place}"));
        }
    }
    // In the end: the folder's own name may begin with one of these places.
    text.replace('\0', &folder.display().to_string())
}

/// Every command of every block of every document ends well: with a finding or without one, not with a wrong use. What a block shows
/// of its output is what comes.
#[test]
fn every_command_block_runs() {
    let bin = path();
    let bin = bin.parent().expect("a folder").display();
    let (mut ran, mut left_out) = (0, 0);
    for block in blocks() {
        let place = &block.place;
        if NOTHING_TO_RUN.iter().any(|(language, _)| *language == block.language) {
            continue;
        }
        let Some(commands) = commands(&block) else {
            panic!("{place}: no test knows how to run a block of `{}`: teach tests/docs.rs", block.language);
        };
        let machine = machine();
        let mut configuration = local(&block.text, machine.path());
        if cfg!(not(feature = "tables")) {
            configuration = configuration.replace("history =", "# history =");
        }
        if block.language == "toml" {
            fs::write(machine.path().join("block.toml"), configuration).expect("written");
        }
        for command in commands {
            if NOT_RUN.iter().any(|(begins, _)| command.starts_with(begins)) {
                left_out += 1;
                continue;
            }
            let here = local(&command, machine.path())
                .replace("cargo run --release --no-default-features -- ", "why401 ")
                // A watch never ends: it is asked to, as by Ctrl-C.
                .replace("why401 watch ", "timeout --foreground --preserve-status -s INT 2 why401 watch ")
                // A variable that the hosting platform sets.
                .replace("$GITHUB_STEP_SUMMARY", "summary.md");
            let mut shell = std::process::Command::new("sh");
            let line = format!("PATH={bin}:$PWD/bin:$PATH; {here}");
            let done = run(shell.arg("-c").arg(&line).current_dir(machine.path()));
            assert!(done.code < 2, "{place}: {command}\nends with {}\n{}", done.code, done.stderr);
            if matches!(block.language.as_str(), "console" | "text") {
                shown_is_said(place, &block.text, &done.stdout);
            }
            ran += 1;
        }
    }
    assert!(ran >= 30 && left_out <= 6, "{ran} commands ran, {left_out} were left out");
}

/// Between two lines of `…` a block shows lines that follow each other in the output.
fn shown_is_said(place: &str, block: &str, said: &str) {
    let said: Vec<&str> = said.lines().map(str::trim_end).collect();
    for part in block.split("\n…\n") {
        let lines: Vec<&str> = part.lines().filter(|line| !line.starts_with("$ ") && *line != "…").collect();
        let text = lines.join("\n");
        let lines: Vec<&str> = text.trim_matches('\n').lines().map(str::trim_end).collect();
        assert!(
            lines.is_empty() || said.windows(lines.len()).any(|window| window == lines),
            "{place}: this is not what the command says:\n{}\n--- it says:\n{}",
            lines.join("\n"),
            said.join("\n")
        );
    }
}
