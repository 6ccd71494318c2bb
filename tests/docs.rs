//! What the documents say is so: the pages of causes are what `explain` says, links lead somewhere, commands on samples run.

mod support;

use std::fs;
use std::path::{Path, PathBuf};

use support::binary::{path, run, why401};

/// Ends of commands that cannot run here: another machine's logs, tools that may not be there, what never ends or takes minutes.
const ELSEWHERE: &[&str] = &["cargo ", "just ", "render ", "curl ", "docker ", "kubectl ", "benches/", "rg ", "psql "];

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

/// Every line of a shell block that calls why401 on bundled samples ends well: with what it says, not with a wrong use.
#[test]
fn commands_on_samples_run() {
    let folder = tempfile::tempdir().expect("a folder");
    let bin = path();
    let bin = bin.parent().expect("a folder").display();
    std::os::unix::fs::symlink(root().join("samples"), folder.path().join("samples")).expect("a link");
    let mut ran = 0;
    for file in documents() {
        let text = fs::read_to_string(&file).expect("a document");
        for line in text.split("```sh\n").skip(1).filter_map(|rest| rest.split("```").next()).flat_map(str::lines) {
            let ours = line.starts_with("why401 ") && line.contains("samples/");
            let told = line.starts_with("why401 explain ") || line.starts_with("why401 schema");
            if !(ours || told) || ELSEWHERE.iter().any(|tool| line.contains(tool)) {
                continue;
            }
            let mut shell = std::process::Command::new("sh");
            let line = format!("PATH={bin}:$PATH; {line}");
            let done = run(shell.arg("-c").arg(&line).current_dir(folder.path()));
            assert!(done.code < 2, "{}: {line}\n{}", file.display(), done.stderr);
            ran += 1;
        }
    }
    assert!(ran >= 8, "{ran} commands");
}
