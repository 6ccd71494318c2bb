//! How far a stream was read, where that is now, and what is to be read next.

use std::fs::{self, File, Metadata};
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use serde::{Deserialize, Serialize};
use why401_parsers::writer::Manner;

use super::Stream;
use super::mark::{Edges, Mark};
use super::plan::{Identity, Place, Plan, Step};
use crate::source::error::SourceError;
use crate::source::expand::{shown, year_of};
use crate::source::open::{Opened, is_coded, text_of};
use crate::source::parallel::{Part, PartRead};

/// How far a stream was read.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Bookmark {
    manner: Option<Manner>,
    /// The file read last, and how far.
    at: Option<Place>,
    /// Older files, read to their end.
    done: Vec<Place>,
}

/// What a file of a stream is.
enum State {
    /// Read to its end.
    Done(Place),
    /// Read to here.
    Holder(File, bool, Edges),
    /// Read to what was its end once.
    Grown(File, bool, Mark, Edges),
    /// Not read.
    New(File, bool),
    /// What logrotate has copied so far of a newer one, which it will truncate then: that one is still to be read.
    Copy,
}

/// How often a folder is looked at until nothing changes meanwhile.
const LOOKS: u32 = 20;
/// And how long is waited in between: a rotation takes some milliseconds.
const BETWEEN_LOOKS: Duration = Duration::from_millis(25);

impl Bookmark {
    /// Whether anything was read.
    #[must_use]
    pub fn is_new(&self) -> bool {
        self.at.is_none() && self.done.is_empty()
    }

    /// Takes rotated files that were last written before a time as read: nothing in them is looked at any more.
    pub(crate) fn pass_over(&mut self, stream: &Stream, before: SystemTime) -> io::Result<()> {
        let paths = stream.files()?;
        for path in &paths[..paths.len().saturating_sub(1)] {
            let mut file = File::open(path)?;
            let about = file.metadata()?;
            if about.modified()? >= before {
                break;
            }
            // Its text tells it when it is compressed one day.
            let mark = if is_coded(&head_of(&mut file)?) { None } else { Mark::at(&file, about.len())? };
            self.done.push(Place { id: Identity::of(&about), mark: mark.unwrap_or_default() });
        }
        Ok(())
    }

    /// What is to be read of a stream.
    pub(crate) fn plan(&self, stream: &Stream) -> Result<Plan, SourceError> {
        let mut looks = 0;
        loop {
            looks += 1;
            let last = looks >= LOOKS;
            match self.look(stream, last) {
                Ok(Some(plan)) => return Ok(plan),
                Ok(None) if !last => {}
                Err(error) if error.kind() == io::ErrorKind::NotFound && !last && !self.is_new() => {}
                Ok(None) => return Err(SourceError::of(&stream.name, 0, io::ErrorKind::ResourceBusy.into())),
                Err(error) => return Err(SourceError::of(&stream.name, 0, error)),
            }
            std::thread::sleep(BETWEEN_LOOKS);
        }
    }

    /// `None` if the files changed while they were looked at, or the place is not found and this is not the `last` look.
    fn look(&self, stream: &Stream, last: bool) -> io::Result<Option<Plan>> {
        let paths = stream.files()?;
        if paths.is_empty() && self.is_new() {
            return Err(io::ErrorKind::NotFound.into());
        }
        // The newest first: if it has text by now, the older ones are whole.
        let ids: io::Result<Vec<Metadata>> = paths.iter().rev().map(fs::metadata).collect();
        let mut ids = ids?;
        ids.reverse();
        let year = ids.last().and_then(|about| year_of(about.modified().ok()?));
        let ids: Vec<Identity> = ids.iter().map(Identity::of).collect();
        let mut states = Vec::with_capacity(ids.len());
        for (path, id) in paths.iter().zip(&ids) {
            let Some(state) = self.state(path, *id)? else { return Ok(None) };
            states.push(state);
        }
        if stream.files()? != paths {
            return Ok(None);
        }
        for (path, id) in paths.iter().zip(&ids) {
            let now = Identity::of(&fs::metadata(path)?);
            if (now.device, now.inode) != (id.device, id.inode) || now.size < id.size {
                return Ok(None);
            }
        }
        for place in 0..states.len() {
            let (older, newer) = states.split_at_mut(place + 1);
            if is_copy(&older[place], ids[place].size, newer)? {
                older[place] = State::Copy;
            }
        }
        let holder = states.iter().rposition(|state| matches!(state, State::Holder(..)));
        let lost = holder.is_none() && self.at.is_some_and(|at| at.mark.offset > 0);
        if lost && !last {
            return Ok(None);
        }
        Ok(Some(self.steps(stream, &paths, &ids, states, holder, lost, year)))
    }

    /// What a file is; `None` if it is gone or another by now.
    fn state(&self, path: &Path, id: Identity) -> io::Result<Option<State>> {
        if let Some(done) = self.done.iter().find(|done| done.id == id) {
            return Ok(Some(State::Done(*done)));
        }
        let mut file = File::open(path)?;
        let opened = Identity::of(&file.metadata()?);
        if (opened.device, opened.inode) != (id.device, id.inode) {
            return Ok(None);
        }
        let coded = is_coded(&head_of(&mut file)?);
        let find = |mark: &Mark| -> io::Result<Option<(Edges, bool)>> {
            if mark.offset == 0 {
                return Ok(None);
            }
            if !coded {
                return Ok(mark.find_in(&file)?.map(|edges| (edges, id.size > mark.offset)));
            }
            let Ok(Opened { mut text, .. }) = decoded(path, &file) else { return Ok(None) };
            // What is damaged before the place does not hold it.
            let Ok(Some(edges)) = mark.find_by_reading(text.as_mut()) else { return Ok(None) };
            let more = text.read(&mut [0]).is_ok_and(|count| count > 0);
            Ok(Some((edges, more)))
        };
        if let Some((edges, _)) = self.at.as_ref().map(|at| find(&at.mark)).transpose()?.flatten() {
            return Ok(Some(State::Holder(file, coded, edges)));
        }
        for done in &self.done {
            if let Some((edges, more)) = find(&done.mark)? {
                let place = Place { id, mark: done.mark };
                return Ok(Some(if more { State::Grown(file, coded, done.mark, edges) } else { State::Done(place) }));
            }
        }
        Ok(Some(State::New(file, coded)))
    }

    #[allow(clippy::too_many_arguments, reason = "what one look at the folder gave")]
    fn steps(
        &self,
        stream: &Stream,
        paths: &[PathBuf],
        ids: &[Identity],
        states: Vec<State>,
        holder: Option<usize>,
        lost: bool,
        year: Option<i32>,
    ) -> Plan {
        let mut plan = Plan { steps: Vec::new(), warnings: Vec::new(), year, done: Vec::new(), still: None };
        if lost {
            plan.warnings.push(format!(
                "{}: the place where reading ended is in none of its files: it was truncated or removed meanwhile, and what was written last may be missing; files not read yet are read from the start",
                stream.name
            ));
        }
        for (place, state) in states.into_iter().enumerate() {
            let (path, id) = (&paths[place], ids[place]);
            let closed = ids[place + 1..].iter().any(|newer| newer.size > 0);
            let step = |file, coded, from, edges| Step { name: shown(path), file, id, coded, from, edges, closed };
            match state {
                State::Done(done) => plan.done.push(done),
                State::Holder(file, coded, edges) if Some(place) == holder => {
                    let Some(at) = self.at else { continue };
                    let whole = if coded { self.at.is_some_and(|at| at.id == id) } else { id.size == at.mark.offset };
                    if whole {
                        plan.still = Some((plan.steps.len(), Place { id, mark: at.mark }));
                    } else {
                        plan.steps.push(step(file, coded, at.mark.offset, edges));
                    }
                }
                // A copy, made by logrotate before it truncates the log.
                State::Holder(..) | State::Copy => {}
                State::Grown(file, coded, mark, edges) => plan.steps.push(step(file, coded, mark.offset, edges)),
                State::New(..) if id.size == 0 => {}
                State::New(file, coded) if holder.is_none_or(|holder| place > holder) => {
                    plan.steps.push(step(file, coded, 0, Edges::default()));
                }
                State::New(..) => {
                    plan.done.push(Place { id, mark: Mark::default() });
                    plan.warnings.push(format!(
                        "{}: appeared behind what was already read of {}; left out",
                        shown(path),
                        stream.name
                    ));
                }
            }
        }
        plan
    }

    /// The parts to read for the steps of a plan.
    pub(crate) fn parts(&self, plan: &Plan) -> io::Result<Vec<Part>> {
        plan.steps.iter().map(|step| step.part(self.manner)).collect()
    }

    /// Takes note of what was read. `false` if a file changed while it was read, so that what was read is not to be trusted.
    #[must_use]
    pub(crate) fn advance(&mut self, plan: Plan, read: Vec<PartRead>) -> bool {
        let Plan { steps, mut done, still, .. } = plan;
        let mut places = Vec::with_capacity(steps.len() + 1);
        let mut sound = true;
        for (step, read) in steps.iter().zip(read) {
            self.manner = read.manner.or(self.manner);
            let place = step.after(read);
            sound &= step.coded || place.mark.offset == 0 || matches!(place.mark.find_in(&step.file), Ok(Some(_)));
            places.push(place);
        }
        if let Some((before, still)) = still {
            places.insert(before, still);
        }
        // Those that were not seen this time are remembered for a while: a folder that is being changed may not show all.
        done.extend(self.done.iter().filter(|old| old.mark.offset > 0).copied().collect::<Vec<_>>());
        if let Some(at) = places.pop() {
            self.at = Some(at);
            done.splice(0..0, places);
        }
        let mut kept: Vec<Place> = Vec::with_capacity(done.len());
        for place in done {
            let known = |other: &Place| other.id == place.id || (place.mark.offset > 0 && other.mark == place.mark);
            if kept.len() < MOST_DONE && !kept.iter().any(known) {
                kept.push(place);
            }
        }
        self.done = kept;
        sound
    }
}

/// Whether a file that is not read holds the beginning of a newer one.
fn is_copy(state: &State, size: u64, newer: &[State]) -> io::Result<bool> {
    let State::New(file, false) = state else { return Ok(false) };
    if size == 0 {
        return Ok(false);
    }
    let Some(mark) = Mark::at(file, size)? else { return Ok(false) };
    for other in newer {
        if let State::New(other, false) | State::Holder(other, false, _) = other
            && mark.find_in(other)?.is_some()
        {
            return Ok(true);
        }
    }
    Ok(false)
}

/// The first bytes of a file.
fn head_of(file: &mut File) -> io::Result<Vec<u8>> {
    let mut head = Vec::new();
    file.take(4).read_to_end(&mut head)?;
    Ok(head)
}

/// So many files of a stream are remembered: half a year of daily rotations.
const MOST_DONE: usize = 200;

/// The text of a file that is compressed or in UTF-16.
fn decoded(path: &Path, file: &File) -> Result<Opened, SourceError> {
    let name = shown(path);
    let broken = |cause| SourceError::of(&name, 0, cause);
    let mut file = file.try_clone().map_err(broken)?;
    file.seek(SeekFrom::Start(0)).map_err(broken)?;
    text_of(&name, file, &std::sync::Arc::default())
}
