//! Links from a place to its file, as terminals take them (OSC 8, <https://gist.github.com/egmontkob/eb114294efbcd5adb1944c9f3cb5feda>).

use super::Page;

impl Page {
    /// `shown` as a link to a line of a source, where links are wanted and the source is a file.
    pub(super) fn linked(&self, shown: &str, source: &str, line: u64) -> String {
        let Some(folder) = self.look.links.as_deref().filter(|_| source != "-") else { return shown.to_owned() };
        let path = if source.starts_with('/') { source.to_owned() } else { format!("{folder}/{source}") };
        // The line as a fragment is kitty's way, which others leave alone.
        format!("\u{1b}]8;;file://{}#{line}\u{1b}\\{shown}\u{1b}]8;;\u{1b}\\", encoded(&path))
    }
}

/// A path as a part of an address: whatever a log's name holds, no character of it ends the link.
fn encoded(path: &str) -> String {
    path.bytes()
        .map(|byte| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'-' | b'_' | b'.' | b'~' => char::from(byte).to_string(),
            _ => format!("%{byte:02X}"),
        })
        .collect()
}
