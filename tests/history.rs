//! `why401 history` and `why401 export`: days that add up however they were recorded, and that others can read.
#![cfg(feature = "tables")]

mod support;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use chrono::NaiveDate;
use polars::prelude::{DataFrame, NamedFrom as _, ParquetReader, ParquetWriter, SerReader as _, Series};
use serde_json::Value;
use support::binary::{run, why401};
use support::scenario::{diagnose_logs, simulated};
use why401::Diagnosis;
use why401::simulate::Options;
use why401::tables::{By, History};

fn sample(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("samples").join(name)
}

/// A server's log of 24 days: each day three hours of other faults.
fn long_log() -> Vec<u8> {
    let first = NaiveDate::from_ymd_opt(2026, 10, 1).expect("a day");
    let mut log = String::new();
    for number in 0..24 {
        let (folder, _) = simulated(&Options { seed: 100 + number, users: 12, ..Options::default() });
        let text = fs::read_to_string(folder.path().join("server.log")).expect("a log");
        let moved = first.checked_add_days(chrono::Days::new(number)).expect("a day").to_string();
        log.push_str(&text.replace("2026-03-16", &moved));
    }
    log.into_bytes()
}

fn diagnosed(log: &[u8]) -> Diagnosis {
    diagnose_logs(&[("server.log".to_owned(), log.to_vec())])
}

/// All files below a folder with what is in them.
fn files(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(folder).expect("a folder").flatten() {
        let path = entry.path();
        if path.is_dir() {
            let name = PathBuf::from(entry.file_name());
            found.extend(files(&path).into_iter().map(|(own, bytes)| (name.join(own), bytes)));
        } else {
            found.insert(entry.file_name().into(), fs::read(&path).expect("a file"));
        }
    }
    found
}

/// What the diagnosis says of one day only.
fn of_day(whole: &Diagnosis, day: &str, last: bool) -> Diagnosis {
    let mut part = whole.clone();
    part.days.retain(|own| own.day == day);
    part.incidents.retain(|incident| incident.start.starts_with(day));
    part.inputs.retain(|input| input.last.as_ref().is_some_and(|time| time.starts_with(day)));
    if !last {
        part.lifetimes.clear();
    }
    part
}

#[test]
fn twenty_four_daily_runs_give_what_one_run_over_all_gives() {
    let log = long_log();
    let whole = diagnosed(&log);
    assert!(whole.days.len() >= 24, "{} days", whole.days.len());
    assert!(whole.incidents.len() > 20, "{} incidents", whole.incidents.len());
    let folder = tempfile::tempdir().expect("a folder");
    let at_once = History::new(folder.path().join("once"));
    at_once.record(&whole).expect("recorded");

    // As `batch` does it: every run knows all that came before.
    let growing = History::new(folder.path().join("growing"));
    let mut runs = 0;
    for day in &whole.days {
        let text = String::from_utf8_lossy(&log);
        let end = text
            .rfind(&format!("\nI, [{}T", day.day))
            .map_or(log.len(), |place| text[place + 1..].find('\n').map_or(log.len(), |end| place + 1 + end + 1));
        growing.record(&diagnosed(&log[..end])).expect("recorded");
        runs += 1;
    }
    growing.record(&whole).expect("recorded");
    assert!(runs >= 24);
    assert_eq!(files(growing.folder()), files(at_once.folder()), "growing logs");

    // Each day alone, in any order, and some of them twice.
    let daily = History::new(folder.path().join("daily"));
    let days: Vec<&str> = whole.days.iter().map(|day| day.day.as_str()).collect();
    for day in days.iter().rev().chain(days.iter().step_by(3)) {
        daily.record(&of_day(&whole, day, Some(day) == days.last())).expect("recorded");
    }
    assert_eq!(files(daily.folder()), files(at_once.folder()), "single days");
    for by in [By::Day, By::Cause, By::Kind, By::Platform, By::Release, By::Deploy] {
        let trend = at_once.trend(by, None, None).expect("a trend");
        assert_eq!(trend.all.incidents as u64, whole.summary.incidents, "{by:?}");
        assert_eq!(trend.all.dropped_actors as u64, whole.summary.dropped_actors, "{by:?}");
        assert_eq!(trend.totals.requests as u64, whole.summary.requests, "{by:?}");
        assert_eq!(trend.totals.unauthorized as u64, whole.summary.unauthorized, "{by:?}");
        assert_eq!(trend.totals.active_hours as u64, whole.summary.active_hours, "{by:?}");
        assert_eq!(trend.rows.iter().map(|row| row.incidents).sum::<i64>(), trend.all.incidents, "{by:?}");
        assert_eq!(trend.rows.iter().map(|row| row.drops).sum::<i64>(), trend.all.drops, "{by:?}");
    }
}

#[test]
fn rows_by_release_have_the_people_and_hours_of_each() {
    let text = String::from_utf8(fs::read(sample("mixed").join("server.log")).expect("a log")).expect("text");
    // Heroku says which release of the server it made; the app's own is in no line of a Rails log.
    let mut whole = diagnosed(format!("Release v42 created by user a@b.example\n{text}").as_bytes());
    for incident in &mut whole.incidents {
        assert_eq!(incident.deploy.as_deref(), Some("v42"));
        incident.release = Some("2.3.1".into());
    }
    for day in &mut whole.days {
        let part = day.releases.first_mut().expect("those of whom no log tells it");
        "2.3.1".clone_into(&mut part.release);
    }
    let folder = tempfile::tempdir().expect("a folder");
    let history = History::new(folder.path());
    history.record(&whole).expect("recorded");
    let by_release = history.trend(By::Release, None, None).expect("a trend");
    let row = by_release.rows.iter().find(|row| row.name == "2.3.1").expect("a row");
    assert_eq!((row.drops, row.active_hours), (by_release.all.drops, by_release.all.active_hours));
    assert!(row.drops_per_1000_hours.is_some());
    let by_deploy = history.trend(By::Deploy, None, None).expect("a trend");
    assert_eq!(by_deploy.rows.iter().map(|row| row.name.as_str()).collect::<Vec<_>>(), ["v42"]);
}

#[test]
fn a_day_that_is_looked_at_in_part_stays_as_it_was() {
    let whole = diagnosed(&long_log());
    let folder = tempfile::tempdir().expect("a folder");
    let history = History::new(folder.path());
    history.record(&whole).expect("recorded");
    let before = files(folder.path());
    let mut part = whole.clone();
    let (cut, first) = (whole.days[9].day.clone(), whole.days[10].day.clone());
    part.since = Some(format!("{cut}T09:30:00Z"));
    part.days.retain(|day| day.day >= cut);
    part.days[0].requests /= 2;
    part.incidents.retain(|incident| incident.start >= first);
    let recorded = history.record(&part).expect("recorded");
    assert_eq!(recorded.days, whole.days.len() - 10);
    assert_eq!(files(folder.path()), before);
}

#[test]
fn days_can_be_chosen_dropped_and_put_together() {
    let folder = tempfile::tempdir().expect("a folder");
    let history = History::new(folder.path());
    let whole = diagnosed(&long_log());
    history.record(&whole).expect("recorded");
    let day = |text: &str| text.parse::<NaiveDate>().expect("a day");
    let days = history.days().expect("days");
    let (since, until) = (days[3], days[7]);
    let some = history.trend(By::Day, Some(since), Some(until)).expect("a trend");
    assert_eq!((some.first_day, some.last_day, some.rows.len()), (since, until, 5));
    let expected: u64 = whole.days[3..=7].iter().map(|day| day.incidents).sum();
    assert_eq!(some.all.incidents as u64, expected);

    // A file that somebody put beside, and one that a killed run left.
    let before = files(folder.path());
    let part = folder.path().join(format!("v1/counts/day={since}"));
    fs::copy(part.join("part.parquet"), part.join("copy.parquet")).expect("copied");
    fs::write(part.join(".part.parquet.7.tmp"), "half").expect("written");
    assert_eq!(history.compact().expect("compacted"), 2);
    assert_eq!(files(folder.path()).len(), before.len());
    let again = history.trend(By::Day, Some(since), Some(until)).expect("a trend");
    assert_eq!(again, some);

    let kept = history.retain(10).expect("retained");
    assert_eq!(kept, days.len() - 10);
    assert_eq!(history.days().expect("days"), days[days.len() - 10..]);
    assert!(history.trend(By::Day, None, Some(day("2020-01-01"))).is_err());
}

#[test]
fn files_of_other_versions_stay_readable() {
    let folder = tempfile::tempdir().expect("a folder");
    let history = History::new(folder.path());
    history.record(&diagnosed(&fs::read(sample("mixed").join("server.log")).expect("a log"))).expect("recorded");
    let whole = history.trend(By::Kind, None, None).expect("a trend");
    for (path, _) in files(folder.path()) {
        let path = folder.path().join(path);
        let frame = ParquetReader::new(fs::File::open(&path).expect("a file")).finish().expect("a table");
        // An older file lacks columns, a newer one has more, and both may have another order.
        let mut columns = frame.columns().to_vec();
        columns.retain(|column| !["platform", "release", "fix", "email", "deploy"].contains(&column.name().as_str()));
        columns.reverse();
        columns.push(Series::new("of_tomorrow".into(), vec![1_i64; frame.height()]).into());
        let is_counts = path.to_string_lossy().contains("/counts/");
        if is_counts {
            continue;
        }
        let mut other = DataFrame::new(frame.height(), columns).expect("a table");
        ParquetWriter::new(fs::File::create(&path).expect("a file")).finish(&mut other).expect("written");
    }
    assert_eq!(history.trend(By::Kind, None, None).expect("a trend"), whole);

    let newer = tempfile::tempdir().expect("a folder");
    fs::create_dir_all(newer.path().join("v2/incidents")).expect("a folder");
    let ran = run(why401().arg("history").arg(newer.path()));
    assert!(ran.code == 2 && ran.stderr.contains("is a history of v2"), "{}", ran.stderr);
    let none = run(why401().args(["history", "/nowhere"]));
    assert!(none.code == 2 && none.stderr.contains("holds no history"), "{}", none.stderr);
}

#[cfg(unix)]
#[test]
fn a_killed_run_leaves_every_day_as_it_was_or_as_it_is_to_be() {
    let kills: u64 = std::env::var("WHY401_KILLS").map_or(40, |told| told.parse().expect("a number"));
    let folder = tempfile::tempdir().expect("a folder");
    let record = |name: &str| {
        let mut command = why401();
        command.current_dir(folder.path()).args(["history", name, "--compact", "--record"]).arg(sample("mixed"));
        command
    };
    for number in 0..kills {
        let mut child = record("killed")
            .stdout(std::process::Stdio::null())
            .stderr(std::process::Stdio::null())
            .spawn()
            .expect("it starts");
        // Over the whole of a run, which takes some 100 to 300 ms.
        std::thread::sleep(std::time::Duration::from_millis(5 * (number % 40) + 5));
        // It may have ended already.
        let _ = child.kill();
        child.wait().expect("it ends");
        let parts =
            if folder.path().join("killed").is_dir() { files(&folder.path().join("killed")) } else { BTreeMap::new() };
        for (name, bytes) in parts.into_iter().filter(|(name, _)| name.ends_with("part.parquet")) {
            let read = ParquetReader::new(std::io::Cursor::new(bytes)).finish();
            assert!(read.is_ok(), "{}: {read:?}", name.display());
        }
    }
    for name in ["killed", "undisturbed"] {
        assert_eq!(run(&mut record(name)).code, 0);
    }
    assert_eq!(files(&folder.path().join("killed")), files(&folder.path().join("undisturbed")));
}

/// Runs a script if Python has what it needs; says so if not.
fn python(script: &str, folder: &Path) -> Option<String> {
    let ready = Command::new("python3").args(["-c", "import duckdb, pyarrow.dataset, pyarrow.feather"]).output();
    if !ready.is_ok_and(|ready| ready.status.success()) {
        println!("skipped: python3 with duckdb and pyarrow is not installed");
        return None;
    }
    let ran = run(Command::new("python3").arg("-c").arg(script).current_dir(folder));
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    Some(ran.stdout)
}

#[test]
fn duckdb_and_arrow_read_the_same_totals() {
    let folder = tempfile::tempdir().expect("a folder");
    let ran = run(why401().current_dir(folder.path()).args(["history", "hist", "--format", "json"]).args([
        Path::new("--record"),
        &sample("mixed"),
        Path::new("--record"),
        &sample("stale_token-ws"),
    ]));
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let trend = ran.json();
    let script = "
import duckdb, json, pyarrow.dataset as ds
one = lambda q: list(duckdb.sql(q).fetchall()[0])
rows = ds.dataset('hist/v1/incidents', partitioning='hive').to_table()
print(json.dumps(
    one(\"select count(*), count(*) filter (impact = 'dropped'), count(distinct actor) filter (impact = 'dropped') \"
        \"from read_parquet('hist/v1/incidents/*/*.parquet', hive_partitioning = true)\")
    + one(\"select sum(requests)::bigint, sum(unauthorized)::bigint, sum(active_hours)::bigint, min(day)::text \"
          \"from read_parquet('hist/v1/counts/*/*.parquet', hive_partitioning = true) where platform = 'all'\")
    + [rows.num_rows]))
";
    let Some(read) = python(script, folder.path()) else { return };
    let read: Value = serde_json::from_str(&read).expect("JSON");
    let (all, totals) = (&trend["all"], &trend["totals"]);
    let expected = serde_json::json!([
        all["incidents"],
        all["drops"],
        all["dropped_actors"],
        totals["requests"],
        totals["unauthorized"],
        totals["active_hours"],
        trend["first_day"],
        all["incidents"]
    ]);
    assert_eq!(read, expected);
}

#[test]
fn every_export_holds_the_same_rows() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut json = run(why401().args(["--format", "json"]).arg(sample("mixed"))).json();
    let count = json["incidents"].as_array().map_or(0, Vec::len);
    json["incidents"][0]["actor"]["user"] = "=HYPERLINK(\"http://x\")".into();
    fs::write(folder.path().join("saved.json"), json.to_string()).expect("written");
    for format in ["parquet", "csv", "ndjson", "arrow"] {
        let ran = run(why401().current_dir(folder.path()).args([
            "export",
            "saved.json",
            "--to",
            format,
            "-o",
            &format!("out.{format}"),
        ]));
        assert_eq!(ran.code, 0, "{}", ran.stderr);
        assert!(ran.stdout.contains(&format!("{count} rows")), "{}", ran.stdout);
    }
    let csv = fs::read_to_string(folder.path().join("out.csv")).expect("CSV");
    assert!(csv.contains("\"'=HYPERLINK(\"\"http://x\"\")\""), "{csv}");
    assert!(!csv.lines().any(|line| line.split(',').any(|cell| cell.starts_with(['=', '@']))), "{csv}");
    let ndjson = fs::read_to_string(folder.path().join("out.ndjson")).expect("NDJSON");
    assert!(ndjson.lines().all(|line| serde_json::from_str::<Value>(line).is_ok_and(|row| row["day"].is_string())));
    let script = "
import duckdb, pyarrow.feather as f, csv
arrow = f.read_table('out.arrow')
print(duckdb.sql(\"select count(*) from 'out.parquet'\").fetchall()[0][0], arrow.num_rows,
      duckdb.sql(\"select count(*) from 'out.ndjson'\").fetchall()[0][0], len(list(csv.DictReader(open('out.csv', newline='')))),
      duckdb.sql(\"select sum(confidence) from 'out.parquet'\").fetchall() == duckdb.sql('select sum(confidence) from arrow').fetchall())
";
    let Some(read) = python(script, folder.path()) else { return };
    assert_eq!(read.trim(), format!("{count} {count} {count} {count} True"));
}

#[test]
fn ranges_of_a_history_can_be_compared() {
    let folder = tempfile::tempdir().expect("a folder");
    let hist = folder.path().join("hist");
    for name in ["mixed", "healthy"] {
        History::new(&hist)
            .record(&diagnosed(&fs::read(sample(name).join("server.log")).expect("a log")))
            .expect("recorded");
    }
    let days = History::new(&hist).days().expect("days");
    let (healthy, mixed) = (days[0], days[days.len() - 1]);
    assert!(healthy < mixed, "{days:?}");
    let of = |days: String| format!("{}@{days}", hist.display());
    let ran = run(why401().args(["compare", "--format", "json", &of(format!("{mixed}..")), &of(healthy.to_string())]));
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let json = ran.json();
    assert_eq!(json["drops"]["after"]["incidents"], 0);
    assert!(json["before"]["active_hours"].as_u64().is_some_and(|hours| hours > 20), "{json}");
    let wrong = run(why401().args(["compare", &of("monday..".into()), &of(healthy.to_string())]));
    assert!(wrong.code == 2 && wrong.stderr.contains("no range of days"), "{}", wrong.stderr);
}
