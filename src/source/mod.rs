//! stand-in
use crate::{Config, Reading};
use std::path::PathBuf;
/// x
#[derive(Debug)]
pub struct Outcome {
    /// x
    pub reading: Reading,
    /// x
    pub errors: Vec<String>,
    /// x
    pub nothing_read: bool,
}
/// x
/// # Errors
/// none
pub fn read_inputs(inputs: &[PathBuf], config: Config, _threads: Option<usize>) -> anyhow::Result<Outcome> {
    let mut reading = Reading::new(config, [1; 16]);
    let mut files: Vec<PathBuf> = inputs
        .iter()
        .flat_map(|p| {
            if p.is_dir() {
                std::fs::read_dir(p)
                    .unwrap()
                    .flatten()
                    .map(|e| e.path())
                    .filter(|p| p.extension().is_some_and(|e| e == "log"))
                    .collect()
            } else {
                vec![p.clone()]
            }
        })
        .collect();
    files.sort();
    for f in files {
        reading.read_bytes(&f.to_string_lossy(), &std::fs::read(&f)?);
    }
    Ok(Outcome { reading, errors: vec![], nothing_read: false })
}
