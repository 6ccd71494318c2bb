//! What `why401 formats` says of an envelope or a dialect: an example, what it can and cannot show, and where that is known from.

/// A format in words.
#[derive(Clone, Copy, Debug)]
pub struct About {
    /// A line of it.
    pub example: &'static str,
    /// What its lines can show.
    pub shows: &'static str,
    /// What they cannot.
    pub hides: &'static str,
    /// Where the format is known from: project and file, or the maker's manual.
    pub source: &'static str,
}
