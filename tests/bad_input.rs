//! Bad input, given to the real binary: a clear message that names the input and what to do, and no other line is lost.

mod support;

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use support::binary::{Ran, run, why401};
use tempfile::TempDir;

/// A whole request with a 401, in Rails' default format with tags. Each call is another request.
fn request(number: usize, status: u16) -> String {
    let id = format!("00000000-0000-4000-8000-{number:012}");
    let frame = |micros: usize| {
        let second = number % 60;
        format!("I, [2026-03-01T10:{:02}:{second:02}.{micros:06} #77]  INFO -- : [{id}] ", number / 60 % 60)
    };
    format!(
        "{}Started GET \"/v2/things\" for 203.0.113.9 at 2026-03-01 10:00:00 +0000\n\
         {}Processing by ThingsController#index as JSON\n{}Completed {status} X in 5ms (ActiveRecord: 0.1ms)\n",
        frame(1),
        frame(2),
        frame(3)
    )
}

fn requests(count: usize) -> String {
    (0..count).map(|number| request(number, 200)).collect()
}

struct Folder(TempDir);

impl Folder {
    fn new() -> Self {
        Self(TempDir::new().expect("a temporary folder"))
    }

    fn file(&self, name: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
        let path = self.0.path().join(name);
        fs::write(&path, bytes).expect("the file is written");
        path
    }
}

fn diagnose(inputs: &[&Path]) -> Ran {
    let mut command = why401();
    command.args(["--format", "json"]).args(inputs);
    run(&mut command)
}

/// Lines read, whole and capped, and requests counted.
fn counts(ran: &Ran) -> (u64, u64, u64) {
    let json = ran.json();
    let sum = |key: &str| -> u64 {
        let inputs = json["inputs"].as_array().expect("inputs");
        inputs.iter().map(|input| input[key].as_u64().expect("a number")).sum()
    };
    assert_eq!(sum("lines"), sum("recognised") + sum("unrecognised") + sum("capped"), "every line is accounted for");
    (sum("lines"), sum("capped"), json["summary"]["requests"].as_u64().expect("a number"))
}

#[test]
fn an_empty_file_is_named_and_costs_nothing() {
    let folder = Folder::new();
    let (empty, good) = (folder.file("empty.log", ""), folder.file("good.log", requests(3)));
    let ran = diagnose(&[&empty, &good]);
    assert!(ran.stderr.contains("empty.log: empty"), "{}", ran.stderr);
    assert_eq!((ran.code, counts(&ran)), (0, (9, 0, 3)));
    let alone = diagnose(&[&empty]);
    assert_eq!(alone.code, 2);
    assert!(alone.stderr.contains("nothing to diagnose"), "{}", alone.stderr);
}

#[test]
fn binary_data_is_named_and_skipped() {
    let folder = Folder::new();
    let noise: Vec<u8> = (0..40_000_u32).map(|n| u8::try_from(n.wrapping_mul(2_654_435_761) >> 24).unwrap()).collect();
    let (binary, good) = (folder.file("core.log", noise), folder.file("good.log", requests(2)));
    let ran = diagnose(&[&binary, &good]);
    assert!(ran.stderr.contains("core.log: this is binary data"), "{}", ran.stderr);
    assert_eq!((ran.code, counts(&ran).2), (3, 2));
}

#[test]
fn an_archive_of_a_kind_that_is_not_read_says_how_to_unpack_it() {
    let folder = Folder::new();
    let zip = folder.file("logs.zip", b"PK\x03\x04rest of it");
    let ran = diagnose(&[&zip]);
    assert_eq!(ran.code, 2);
    assert!(ran.stderr.contains("unzip -p"), "{}", ran.stderr);
}

#[test]
fn invalid_utf8_and_nuls_cost_only_themselves() {
    let folder = Folder::new();
    let bytes =
        [requests(2).as_bytes(), b"\xff\xfe\xfa broken \xc3\n", b"\0\0\0\0\0\n", request(9, 200).as_bytes()].concat();
    let ran = diagnose(&[&folder.file("a.log", bytes)]);
    assert_eq!((ran.code, counts(&ran)), (0, (11, 0, 3)));
}

#[test]
fn a_line_of_100_mb_is_capped_and_its_neighbours_are_read() {
    let folder = Folder::new();
    let path = folder.file("long.log", request(1, 200));
    let mut file = fs::OpenOptions::new().append(true).open(&path).expect("the file opens");
    let mebibyte = vec![b'x'; 1 << 20];
    for _ in 0..100 {
        file.write_all(&mebibyte).expect("written");
    }
    file.write_all(format!("\n{}", request(2, 200)).as_bytes()).expect("written");
    drop(file);
    let ran = diagnose(&[&path]);
    assert_eq!((ran.code, counts(&ran)), (0, (7, 1, 2)));
}

#[test]
fn compressed_data_that_ends_too_early_is_read_up_to_there() {
    let folder = Folder::new();
    let text = requests(4000);
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(text.as_bytes()).expect("compressed");
    let whole = encoder.finish().expect("compressed");
    let ran = diagnose(&[&folder.file("cut.log.gz", &whole[..whole.len() / 2])]);
    assert_eq!(ran.code, 3);
    assert!(ran.stderr.contains("cut.log.gz: the gzip data is cut off"), "{}", ran.stderr);
    let seen = counts(&ran).2;
    assert!((1000..4000).contains(&seen), "{seen} requests from one half");

    let whole = diagnose(&[&folder.file("whole.log.gz", &whole)]);
    assert_eq!((whole.code, counts(&whole).2), (0, 4000));
    let zstd = zstd::encode_all(text.as_bytes(), 1).expect("compressed");
    assert_eq!(counts(&diagnose(&[&folder.file("whole.log.zst", zstd)])).2, 4000);
}

#[test]
fn windows_line_ends_and_a_byte_order_mark_change_nothing() {
    let folder = Folder::new();
    let text = requests(5).replace('\n', "\r\n");
    let ran = diagnose(&[&folder.file("a.log", ["\u{feff}", &text].concat())]);
    assert_eq!((ran.code, counts(&ran)), (0, (15, 0, 5)));
    let wide: Vec<u8> = [0xff, 0xfe].into_iter().chain(text.encode_utf16().flat_map(u16::to_le_bytes)).collect();
    assert_eq!(counts(&diagnose(&[&folder.file("powershell.log", wide)])).2, 5);
}

#[test]
fn a_log_may_begin_and_end_in_mid_request() {
    let folder = Folder::new();
    let text = requests(3);
    let begin = text.find("Processing").expect("there") - 60;
    let end = text.rfind("Processing").expect("there");
    let ran = diagnose(&[&folder.file("part.log", &text[begin..end])]);
    // The first one's beginning is missing: as with grep, two requests begin here.
    assert_eq!((ran.code, counts(&ran).2), (0, 2));
}

#[test]
fn lines_out_of_order_are_put_in_order() {
    let folder = Folder::new();
    let mut lines: Vec<String> = requests(40).lines().map(str::to_owned).collect();
    for pair in lines.chunks_mut(2) {
        pair.reverse();
    }
    let ran = diagnose(&[&folder.file("mixed.log", lines.join("\n"))]);
    assert_eq!((ran.code, counts(&ran).2), (0, 40));
    let json = ran.json();
    let input = &json["inputs"][0];
    assert!(input["first"].as_str() < input["last"].as_str());
    assert_eq!(input["late"], 0, "seconds of disorder are how logs are");
}

#[test]
fn a_clock_that_jumps_back_an_hour_ends_nothing() {
    let folder = Folder::new();
    let text = [requests(30), requests(30).replace("T10:", "T09:").replace(" 10:", " 09:").replace("-4000-", "-4001-")]
        .concat();
    let ran = diagnose(&[&folder.file("jump.log", text)]);
    assert_eq!((ran.code, counts(&ran).2), (0, 60));
    let json = ran.json();
    assert_eq!(json["inputs"][0]["late"], 30, "what comes an hour late is counted, and said");
    assert!(
        json["notes"].to_string().contains("30 events stand more than 60 s below younger ones"),
        "{}",
        json["notes"]
    );
}

#[test]
fn a_missing_file_is_named_and_the_others_are_read() {
    let folder = Folder::new();
    let good = folder.file("good.log", requests(2));
    let gone = folder.0.path().join("gone.log");
    let ran = diagnose(&[&gone, &good]);
    assert!(ran.stderr.contains("gone.log: no such file"), "{}", ran.stderr);
    assert_eq!((ran.code, counts(&ran).2), (3, 2));
    let pattern = folder.0.path().join("*.nothing");
    assert!(diagnose(&[&pattern, &good]).stderr.contains("no file matches"));
}

#[cfg(unix)]
#[test]
fn a_folder_without_permission_is_named_and_the_rest_is_read() {
    use std::os::unix::fs::PermissionsExt as _;
    use std::os::unix::process::CommandExt as _;

    let folder = Folder::new();
    folder.file("good.log", requests(2));
    let closed = folder.0.path().join("closed");
    fs::create_dir(&closed).expect("a folder");
    let mode = |path: &Path, mode| fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("permissions");
    mode(&closed, 0o000);
    mode(folder.0.path(), 0o755);
    // Root may read everything: as root, the binary runs as somebody else, from where that one may start it.
    let binary = folder.0.path().join("why401");
    fs::copy(support::binary::path(), &binary).expect("copied");
    let mut command = std::process::Command::new(&binary);
    if fs::read_dir(&closed).is_ok() {
        command.uid(65534).gid(65534);
    }
    let ran = run(command.args(["--format", "json"]).arg(folder.0.path()));
    mode(&closed, 0o755);
    assert!(ran.stderr.contains("closed: permission denied"), "{}", ran.stderr);
    assert_eq!((ran.code, counts(&ran).2), (3, 2));
}

#[cfg(unix)]
#[test]
fn a_terminal_as_standard_input_gets_help_and_does_not_hang() {
    // `script` gives the command a terminal of its own.
    let command = format!("'{}'", support::binary::path().display());
    let Ok(output) = std::process::Command::new("script")
        .args(["-qec", &command, "/dev/null"])
        .stdin(std::process::Stdio::null())
        .output()
    else {
        println!("skipped: there is no `script` here");
        return;
    };
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    // clap colours its heads on a terminal.
    assert!(text.contains("Usage:") && text.contains("--format"), "{text}");
    assert_eq!(output.status.code(), Some(2));
}

#[test]
fn standard_input_is_read_beside_files() {
    let folder = Folder::new();
    let good = folder.file("good.log", requests(2));
    let mut command = why401();
    command.args(["--format", "json", "-"]).arg(&good);
    let piped = request(50, 200);
    let ran = support::binary::run_with_stdin(&mut command, piped.as_bytes());
    assert_eq!((ran.code, counts(&ran).2), (0, 3));
}

#[test]
fn a_configuration_that_cannot_be_used_is_named() {
    let folder = Folder::new();
    let good = folder.file("good.log", requests(1));
    let config = folder.file("bad.toml", "[endpoints]\nrefrehs = [\"/x\"]\n");
    let ran = run(why401().arg("--config").arg(&config).arg(&good));
    assert_eq!(ran.code, 2);
    assert!(ran.stderr.contains("bad.toml") && ran.stderr.contains("refrehs"), "{}", ran.stderr);
}

#[test]
fn a_log_of_warnings_is_not_taken_for_a_quiet_one() {
    let folder = tempfile::tempdir().expect("a folder");
    let made = run(why401().args(["simulate", "--seed", "5", "--level", "warn", "--out"]).arg(folder.path()));
    assert_eq!(made.code, 0, "{}", made.stderr);
    let said = run(why401().arg(folder.path().join("server.log"))).stdout;
    let said = said.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(said.contains("show no requests: whether anybody was signed out cannot be told"), "{said}");
    assert!(said.contains("config.log_level = :info"), "{said}");
}
