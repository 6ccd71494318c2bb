//! Sources that were read from their end, for their newest line came first: lines get the numbers that they have in the file.

use crate::diagnosis::Diagnosis;

/// Which sources were, and how many lines they have.
#[derive(Clone, Debug, Default)]
pub(crate) struct Turned(pub(crate) Vec<(String, u64)>);

impl Turned {
    /// The number in the file of a line that was read as this one.
    pub(crate) fn line(&self, source: &str, line: u64) -> u64 {
        let turned = self.0.iter().find(|(name, _)| name == source);
        turned.map_or(line, |(_, lines)| (lines + 1).saturating_sub(line).max(1))
    }

    /// Sets all lines that are shown right, and says so.
    pub(super) fn restore(&self, diagnosis: &mut Diagnosis) {
        if self.0.is_empty() {
            return;
        }
        for incident in &mut diagnosis.incidents {
            for evidence in &mut incident.evidence {
                if let (Some(source), Some(line)) = (&evidence.source, &mut evidence.line) {
                    *line = self.line(source, *line);
                }
            }
            for moment in &mut incident.timeline {
                moment.line = self.line(&moment.source, moment.line);
            }
        }
        let notes =
            self.0.iter().map(|(name, _)| format!("{name}: the newest line comes first; it was read from its end."));
        diagnosis.notes.extend(notes);
    }
}
