//! Days of the history as one side of a comparison.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use chrono::NaiveDate;
use polars::prelude::{DataFrame, PolarsResult};

use super::schema::{Table, VERSION};
use super::{History, TableError};
use crate::cause::Label;
use crate::compare::{Person, Stretch};

/// A range of a history as it is written: `hist/@2026-11-01..2026-11-07`, both days included; either may be left out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Range {
    folder: PathBuf,
    since: Option<NaiveDate>,
    until: Option<NaiveDate>,
}

impl Range {
    /// Reads one; `None` where the folder before the `@` holds no history.
    ///
    /// # Errors
    /// A day that is none.
    pub fn read(text: &Path) -> Result<Option<Self>, String> {
        let Some((folder, days)) = text.to_str().and_then(|text| text.rsplit_once('@')) else { return Ok(None) };
        if !Path::new(folder).join(VERSION).is_dir() {
            return Ok(None);
        }
        let wrong = || format!("'{days}' is no range of days: say 2026-11-01..2026-11-07, 2026-11-01.. or 2026-11-01");
        let day = |text: &str| match text {
            "" => Ok(None),
            text => text.parse::<NaiveDate>().map(Some).map_err(|_| wrong()),
        };
        let (since, until) = days.split_once("..").unwrap_or((days, days));
        Ok(Some(Self { folder: folder.into(), since: day(since)?, until: day(until)? }))
    }

    /// The days as one side of a comparison.
    ///
    /// # Errors
    /// What reading gives.
    pub fn stretch(&self) -> Result<Stretch, TableError> {
        let history = History::new(&self.folder);
        let incidents = history.table(Table::Incidents, self.since, self.until)?;
        let counts = history.table(Table::Counts, self.since, self.until)?;
        stretch(&incidents, &counts).map_err(TableError::table(&self.folder))
    }
}

#[allow(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
fn stretch(incidents: &DataFrame, counts: &DataFrame) -> PolarsResult<Stretch> {
    let mut hit: BTreeMap<String, Person> = BTreeMap::new();
    let mut whole = Stretch { even_hours: true, ..Stretch::default() };
    let text = |name: &str, place: usize| -> PolarsResult<String> {
        Ok(incidents.column(name)?.str()?.get(place).unwrap_or_default().to_owned())
    };
    for place in 0..incidents.height() {
        // A cause that this version does not know is none that it can compare.
        let Ok(label) = serde_json::from_value::<Label>(text("cause", place)?.into()) else { continue };
        let key = (label, text("kind", place)?);
        if text("scope", place)? == "service" {
            *whole.service.entry(key).or_default() += 1;
            continue;
        }
        let person = hit.entry(text("actor", place)?).or_default();
        person.drops += u64::from(text("impact", place)? == "dropped");
        *person.incidents.entry(key).or_default() += 1;
    }
    let (mut hours, mut most_people, mut days) = (0, 0, 0.0);
    let everybody = counts.column("platform")?.str()?;
    for place in (0..counts.height()).filter(|place| everybody.get(*place) == Some("all")) {
        hours += counts.column("active_hours")?.i64()?.get(place).unwrap_or(0);
        most_people = most_people.max(counts.column("active_actors")?.i64()?.get(place).unwrap_or(0));
        days += 1.0;
    }
    let count = usize::try_from(most_people).unwrap_or(0).max(hit.len());
    whole.people = hit.into_values().collect();
    whole.people.resize_with(count, Person::default);
    for person in &mut whole.people {
        person.active_hours = hours as f64 / count as f64;
    }
    whole.log_hours = 24.0 * days;
    Ok(whole)
}
