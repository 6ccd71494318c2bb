//! The same input gives the same bytes of JSON, whatever the size of chunks, the number of threads and the order of the files.

use std::fs;
use std::path::{Path, PathBuf};

use proptest::prelude::*;
use why401::source::{How, read_inputs};
use why401::{Config, diagnose};

fn sample(name: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("samples").join(name);
    let mut files: Vec<PathBuf> = fs::read_dir(folder)
        .expect("the sample is there")
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "log"))
        .collect();
    files.sort();
    files
}

fn json(files: &[PathBuf], chunk: usize, threads: usize) -> String {
    let outcome = read_inputs(files, Config::default(), How { threads: Some(threads), chunk, ..How::default() });
    assert!(outcome.errors.is_empty(), "{:?}", outcome.errors);
    serde_json::to_string_pretty(&diagnose(outcome.reading)).expect("it is JSON")
}

#[test]
fn any_number_of_threads_gives_the_same_bytes() {
    for name in ["mixed", "server_restart", "credential_attack"] {
        let files = sample(name);
        let one = json(&files, 1 << 20, 1);
        for threads in [2, 8] {
            assert!(json(&files, 1 << 16, threads) == one, "{name} with {threads} threads");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, ..ProptestConfig::default() })]

    #[test]
    fn any_cut_and_any_order_give_the_same_bytes(
        chunk in 64_usize..200_000,
        threads in 1_usize..6,
        mut files in Just(sample("stale_token-ws")).prop_shuffle(),
    ) {
        let expected = json(&sample("stale_token-ws"), 1 << 20, 1);
        prop_assert!(json(&files, chunk, threads) == expected);
        files.reverse();
        prop_assert!(json(&files, chunk, threads) == expected);
    }
}
