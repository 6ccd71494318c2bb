//! Where every 401 belongs, and how a source was read: what all renderings say the same way.

use super::words::number;
use crate::diagnosis::{Diagnosis, Input};

/// Where the 401s belong, without what is none.
pub(super) fn refusals(diagnosis: &Diagnosis) -> Vec<(String, &'static str)> {
    let by = &diagnosis.summary.unauthorized_by;
    [
        (by.incident, "in incidents"),
        (by.failed_login, "by failed sign-ins"),
        (by.never_signed_in, "of people who never signed in"),
        (by.in_flight, "in flight during a refresh"),
        (by.after_logout, "after a sign-out"),
        (by.attack, "in attacks"),
        (by.unexplained, "unexplained"),
    ]
    .into_iter()
    .filter(|(count, _)| *count > 0)
    .map(|(count, what)| (number(count), what))
    .collect()
}

/// As what a source was read.
pub(super) fn read_as(input: &Input) -> String {
    match (&input.envelope, &input.dialect) {
        (Some(envelope), Some(dialect)) => format!("{dialect} in {envelope}"),
        (None, Some(dialect)) => dialect.clone(),
        _ => "nothing that why401 knows".to_owned(),
    }
}

/// The folder that all sources are in, with its last `/`; empty if there is none.
pub(super) fn common_folder(diagnosis: &Diagnosis) -> String {
    let mut names = diagnosis.inputs.iter().map(|input| input.source.as_str());
    let Some(first) = names.next() else { return String::new() };
    let folder = |name: &str, most: usize| name[..most].rfind('/').map_or(0, |at| at + 1);
    let common = names.fold(folder(first, first.len()), |common, name| {
        let same = first.bytes().zip(name.bytes()).take(common).take_while(|(one, other)| one == other).count();
        if first.is_char_boundary(same) { folder(first, same) } else { 0 }
    });
    first[..common].to_owned()
}
