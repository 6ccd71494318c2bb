//! How often the tool is right when it says how sure it is.
//!
//! Takes every named cause of every labelled user, in the shared samples and in fresh simulated mixes, read both ways and from
//! one side alone, and compares the stated confidence with how often it was right. With `WHY401_WRITE=1` it writes
//! `docs/calibration.md` and `docs/calibration.svg` (`just calibrate`).

mod support;

use std::fmt::Write as _;
use std::path::Path;

use support::scenario::{Sides, Table, scenarios, simulated};
use why401::cause::score::SHARPNESS;
use why401::simulate::{Dialect, Ids, Options, Withheld};

/// Mixes whose wrong diagnoses were looked at while the ceilings and the weight of "something else" in `cause/score.rs` were chosen:
/// shown for comparison, and no proof of anything.
const FITTED: &[u64] =
    &[70_001, 70_002, 70_003, 70_004, 70_005, 70_006, 70_007, 70_008, 70_009, 70_010, 70_011, 70_012];

/// Drawn by chance after that, and judged by. Whoever changes a weight because of what these show has to draw others.
const HELD_OUT: &[u64] =
    &[126_062, 268_146, 459_440, 494_777, 578_034, 585_800, 668_811, 722_027, 856_013, 965_217, 970_107, 992_116];

/// A stated confidence, and whether it was right.
type Said = (f64, bool);

fn mixes(seeds: &[u64]) -> Vec<(Sides, Vec<Said>)> {
    let dialects = [Dialect::Rails, Dialect::Rails8, Dialect::Rails61, Dialect::LogrageKv, Dialect::LogrageJson];
    let withheld: [&[Withheld]; 6] =
        [&[], &[Withheld::Words], &[Withheld::Tags], &[], &[Withheld::Half], &[Withheld::Addresses]];
    [Sides::Both, Sides::Server, Sides::Client]
        .into_iter()
        .map(|sides| {
            let mut said = Vec::new();
            for (place, seed) in seeds.iter().enumerate() {
                let options = Options {
                    seed: *seed,
                    users: 80,
                    ids: if place % 2 == 0 { Ids::Uuid } else { Ids::Int },
                    dialect: dialects[place % dialects.len()],
                    withhold: withheld[place % withheld.len()].to_vec(),
                    nat: if place % 4 == 3 { 5 } else { 0 },
                    ..Options::default()
                };
                let (_folder, scenario) = simulated(&options);
                let mut table = Table::default();
                table.add(&scenario, sides);
                said.extend(table.sure);
            }
            (sides, said)
        })
        .collect()
}

fn samples() -> Vec<(Sides, Vec<Said>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/samples");
    [Sides::Both, Sides::Server, Sides::Client]
        .into_iter()
        .map(|sides| {
            let mut table = Table::default();
            for scenario in scenarios(&folder) {
                table.add(&scenario, sides);
            }
            (sides, table.sure)
        })
        .collect()
}

/// Lower bounds of the bins.
const BINS: [f64; 6] = [0.0, 0.5, 0.6, 0.7, 0.8, 0.9];

/// By bin: how many, mean stated confidence, share that was right.
fn bins(said: &[Said]) -> Vec<(f64, usize, f64, f64)> {
    BINS.iter()
        .enumerate()
        .filter_map(|(place, low)| {
            let high = BINS.get(place + 1).copied().unwrap_or(1.01);
            let within: Vec<&Said> = said.iter().filter(|(sure, _)| (*low..high).contains(sure)).collect();
            let count = within.len();
            let mean = within.iter().map(|(sure, _)| sure).sum::<f64>() / count as f64;
            let right = within.iter().filter(|(_, right)| *right).count() as f64 / count as f64;
            (count > 0).then_some((*low, count, mean, right))
        })
        .collect()
}

/// The expected calibration error: how far stated confidence and truth are apart, on average over what was said.
fn ece(said: &[Said]) -> f64 {
    let all = said.len().max(1) as f64;
    bins(said).iter().map(|(_, count, mean, right)| *count as f64 / all * (mean - right).abs()).sum()
}

fn table(title: &str, said: &[Said]) -> String {
    let mut out = format!("### {title}\n\n| said | how often | mean | right |\n| --- | ---: | ---: | ---: |\n");
    for (low, count, mean, right) in bins(said) {
        let _ =
            writeln!(out, "| from {:.0} % | {count} | {:.1} % | {:.1} % |", low * 100.0, mean * 100.0, right * 100.0);
    }
    let _ = writeln!(out, "\nExpected calibration error: {:.3} over {} diagnoses.\n", ece(said), said.len());
    out
}

fn picture(said: &[Said]) -> String {
    let mut out = String::from(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 340 340\" font-family=\"sans-serif\" font-size=\"11\">\n\
         <rect width=\"340\" height=\"340\" fill=\"white\"/>\n\
         <path d=\"M40 300H320M40 300V20\" stroke=\"#444\" fill=\"none\"/>\n\
         <path d=\"M40 300L320 20\" stroke=\"#999\" stroke-dasharray=\"4 4\"/>\n\
         <text x=\"130\" y=\"330\">stated confidence</text>\n\
         <text x=\"14\" y=\"200\" transform=\"rotate(-90 14 200)\">share that was right</text>\n",
    );
    for (_, count, mean, right) in bins(said) {
        let (x, y) = (40.0 + mean * 280.0, 300.0 - right * 280.0);
        let radius = (count as f64).sqrt().clamp(3.0, 16.0);
        let _ = writeln!(
            out,
            "<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"{radius:.1}\" fill=\"#3572b0\" fill-opacity=\"0.6\"/>"
        );
        let _ = writeln!(out, "<text x=\"{:.1}\" y=\"{:.1}\">{count}</text>", x - 8.0, y + radius + 12.0);
    }
    out.push_str("</svg>\n");
    out
}

/// What each scenario said, scenario by scenario: shared samples and the mixes that were looked at, both sides.
fn by_scenario() -> Vec<(String, Vec<Said>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/samples");
    let own = Path::new(env!("CARGO_MANIFEST_DIR")).join("samples");
    let folder = if folder.is_dir() { folder } else { own };
    let mut found = Vec::new();
    for scenario in scenarios(&folder) {
        let mut table = Table::default();
        table.add(&scenario, Sides::Both);
        found.push((scenario.name, table.sure));
    }
    for seed in FITTED {
        let (_folder, scenario) = simulated(&Options { seed: *seed, users: 80, ..Options::default() });
        let mut table = Table::default();
        table.add(&scenario, Sides::Both);
        found.push((format!("seed {seed}"), table.sure));
    }
    found.retain(|(_, said)| !said.is_empty());
    found
}

/// The same confidence with another sharpness. What a ceiling cut stays cut.
fn resharpened(sure: f64, sharpness: f64) -> f64 {
    if sure >= LEAST_CEILING {
        return sure;
    }
    let logit = (sure / (1.0 - sure)).ln() / SHARPNESS * sharpness;
    (1.0 / (1.0 + (-logit).exp())).min(LEAST_CEILING)
}

/// The lowest ceiling there is.
const LEAST_CEILING: f64 = 0.9;

/// How surprised one is by the truth on average, in nats.
fn surprise(said: &[Said], sharpness: f64) -> f64 {
    let of = |(sure, right): &Said| {
        let sure = resharpened(*sure, sharpness).clamp(0.01, 0.99);
        -if *right { sure } else { 1.0 - sure }.ln()
    };
    said.iter().map(of).sum::<f64>() / said.len().max(1) as f64
}

/// The sharpness that fits best.
fn fitted(said: &[Said]) -> f64 {
    let grid = (8..=30).map(|tenth| f64::from(tenth) / 10.0);
    grid.min_by(|a, b| surprise(said, *a).total_cmp(&surprise(said, *b))).unwrap_or(1.0)
}

/// Leaves out one scenario after the other, fits the sharpness on the rest and says what it makes of the one left out.
fn cross_validated(scenarios: &[(String, Vec<Said>)]) -> (Vec<f64>, Vec<Said>) {
    let mut fits = Vec::new();
    let mut unseen = Vec::new();
    for (place, (_, said)) in scenarios.iter().enumerate() {
        let rest: Vec<Said> = scenarios
            .iter()
            .enumerate()
            .filter(|(other, _)| *other != place)
            .flat_map(|(_, (_, said))| said.iter().copied())
            .collect();
        let fit = fitted(&rest);
        unseen.extend(said.iter().map(|(sure, right)| (resharpened(*sure, fit), *right)));
        fits.push(fit);
    }
    (fits, unseen)
}

#[test]
fn the_sharpness_is_one_that_no_single_scenario_decides() {
    let scenarios = by_scenario();
    let (fits, unseen) = cross_validated(&scenarios);
    let (low, high) = (fits.iter().copied().fold(f64::MAX, f64::min), fits.iter().copied().fold(0.0, f64::max));
    println!(
        "{} scenarios, fitted sharpness {low} to {high}, ECE on the ones left out {:.3}",
        fits.len(),
        ece(&unseen)
    );
    assert!(high - low <= 0.5, "one scenario decides: {low} to {high}");
    // Fits beyond the shipped one would say more than is wise on logs that are kinder than a stranger's.
    assert!(SHARPNESS <= high, "sharper than any fit: {low} to {high}");
    assert!(ece(&unseen) <= 0.05, "{:.3}", ece(&unseen));
}

#[test]
fn stated_confidence_holds_on_logs_it_was_not_fitted_on() {
    let fresh = mixes(HELD_OUT);
    let all: Vec<Said> = fresh.iter().flat_map(|(_, said)| said.iter().copied()).collect();
    let mut text = table("Held-out simulated mixes, all ways", &all);
    for (sides, said) in &fresh {
        text.push_str(&table(&format!("Held-out simulated mixes, {sides:?}"), said));
    }
    let fitted: Vec<Said> = mixes(FITTED).into_iter().flat_map(|(_, said)| said).collect();
    text.push_str(&table("Simulated mixes that were looked at, all ways", &fitted));
    let samples = samples();
    for (sides, said) in samples.iter().filter(|(_, said)| !said.is_empty()) {
        text.push_str(&table(&format!("Shared samples, {sides:?}"), said));
    }
    println!("{text}");
    if std::env::var_os("WHY401_WRITE").is_some() {
        write(&text, &picture(&all));
    }
    let sure: Vec<&Said> = all.iter().filter(|(sure, _)| *sure >= 0.9).collect();
    let right = sure.iter().filter(|(_, right)| *right).count() as f64 / sure.len().max(1) as f64;
    assert!(right >= 0.9, "of those said at 0.9 or more, {right:.3} are right");
    assert!(ece(&all) <= 0.05, "expected calibration error {:.3}", ece(&all));
}

fn write(text: &str, picture: &str) {
    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs");
    std::fs::create_dir_all(&docs).expect("docs/ can be made");
    let (fits, unseen) = cross_validated(&by_scenario());
    let (low, high) = (fits.iter().copied().fold(f64::MAX, f64::min), fits.iter().copied().fold(0.0, f64::max));
    let cross = format!(
        "Over {} scenarios the fits lie from {low} to {high} (3 is the grid's end), with an expected calibration error of {:.3} on those left \
         out; shipped is {SHARPNESS}.",
        fits.len(),
        ece(&unseen)
    );
    let head = format!(
        "# Calibration\n\n\
        Of the diagnoses that are said with a confidence, how many are right? Made by `just calibrate`; do not edit.\n\n\
        ![stated confidence against the share that was right](calibration.svg)\n\n\
        A diagnosis counts as right if its cause is the one that the truth has for this user, or that of another thing that hit the \
        user (a restart's wake). Users of whom no line of the logs handed in can tell are left out (`tests/support/scenario.rs`, \
        `beyond`). The weights in `src/cause/` were chosen by hand on the shared samples and on simulated mixes; the \
        ceilings and the weight of \"something else\" on the mixes of seeds 70001 to 70012, whose wrong diagnoses were read and in part \
        mended. What is judged by are the held-out mixes, whose seeds were drawn afterwards and run once (each dialect, ids of both \
        sorts, NAT, and in turn nothing, the app's words, request ids, half the log or addresses withheld).\n\n\
        The sharpness (`cause/score.rs`) is cross-validated by scenario: each shared sample and each looked-at mix is left out in turn, the \
        exponent fitted on the others and tried on the one left out. {cross}\n\n\
        What this does not show: the simulator is by the hand that wrote the rules, with one app's vocabulary, so it is kinder than a \
        stranger's log; that is why the shipped sharpness stays below the fitted one. And where the tool is right nearly always (shared samples, client \
        only) it says less than it could, which is why single tables are further off than all together.\n\n"
    );
    std::fs::write(docs.join("calibration.md"), format!("{head}{text}")).expect("docs/calibration.md can be written");
    std::fs::write(docs.join("calibration.svg"), picture).expect("docs/calibration.svg can be written");
}
