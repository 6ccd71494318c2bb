//! What attackers put where logs are quoted. The browser check (`benches/page_check.sh`) takes the same.

use serde_json::Value;

/// The corpus.
pub fn hostile() -> Vec<String> {
    serde_json::from_str(include_str!("../hostile.json")).expect("a list of texts")
}

/// Puts the corpus into every text that is not one of the contract's own words.
pub fn poison(value: &mut Value) {
    poison_below(value, "", &mut 0, &hostile());
}

fn poison_below(value: &mut Value, key: &str, count: &mut usize, corpus: &[String]) {
    const OWN: &[&str] = &["cause", "scope", "impact", "known_by", "refreshing"];
    match value {
        Value::Object(fields) => fields
            .iter_mut()
            .filter(|(key, _)| *key != "by_cause")
            .for_each(|(key, value)| poison_below(value, key, count, corpus)),
        Value::Array(values) => values.iter_mut().for_each(|value| poison_below(value, key, count, corpus)),
        Value::String(text) if !OWN.contains(&key) => {
            // Some times stay, so that drawings are drawn.
            let keep = ["start", "end", "time", "channel", "tone", "kind"].contains(&key) && !count.is_multiple_of(3);
            if !keep {
                *text = corpus[*count % corpus.len()].clone();
            }
            *count += 1;
        }
        _ => {}
    }
}

/// Nothing that steers a terminal or the eye is left: no control character but the line feed, no direction, nothing without a width.
pub fn assert_no_hidden(what: &str, text: &str) {
    let hidden = |letter: char| {
        (letter.is_control() && letter != '\n')
            || matches!(letter,
                '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
                | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
    };
    if let Some(at) = text.find(hidden) {
        let line = text[..at].lines().last().unwrap_or_default();
        panic!("{what}: {:?} after {line:?}", text[at..].chars().next());
    }
}
