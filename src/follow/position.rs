//! How far a stream was read, where that is now, and what is to be read next.

use std::fs::{self, File, Metadata};
use std::io::{self, Read, Seek as _, SeekFrom};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use why401_parsers::line::Framing;

use super::Stream;
use super::mark::{Edges, Mark};
use crate::source::error::SourceError;
use crate::source::expand::{shown, year_of};
use crate::source::open::{Opened, is_coded, text_of};
use crate::source::parallel::{EDGE, Part, PartRead};

/// How far a stream was read.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Bookmark {
    framing: Option<Framing>,
    /// The file read last, and how far.
    at: Option<Place>,
    /// Older files, read to their end.
    done: Vec<Place>,
}

/// A place in a file.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct Place {
    id: Identity,
    mark: Mark,
}

/// What tells one file from another, and whether it changed. Inodes are used again (at once on ext4) and copying keeps none, so
/// where it matters the text decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Identity {
    device: u64,
    inode: u64,
    size: u64,
    /// Seconds and nanoseconds since 1970.
    modified: (i64, i64),
}

impl Identity {
    fn of(about: &Metadata) -> Self {
        let modified = (about.mtime(), about.mtime_nsec());
        Self { device: about.dev(), inode: about.ino(), size: about.len(), modified }
    }
}

/// What is to be read of a stream now.
pub(crate) struct Plan {
    /// In this order.
    pub(crate) steps: Vec<Step>,
    /// What its user should know.
    pub(crate) warnings: Vec<String>,
    /// The year in which the stream was last written.
    pub(crate) year: Option<i32>,
    /// Files that are read already.
    done: Vec<Place>,
    /// The file read last is as it was; so many steps are of older files.
    still: Option<(usize, Place)>,
}

/// A file, or the rest of one, to be read.
pub(crate) struct Step {
    name: String,
    file: File,
    id: Identity,
    coded: bool,
    from: u64,
    /// What stands around `from`.
    edges: Edges,
    /// The stream goes on in a newer file, so that a last line without its end will not get one.
    closed: bool,
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
        let mut head = [0; 4];
        let count = file.read(&mut head)?;
        let coded = is_coded(&head[..count]);
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
        plan.steps.iter().map(|step| step.part(self.framing)).collect()
    }

    /// Takes note of what was read. `false` if a file changed while it was read, so that what was read is not to be trusted.
    #[must_use]
    pub(crate) fn advance(&mut self, plan: Plan, read: Vec<PartRead>) -> bool {
        let Plan { steps, mut done, still, .. } = plan;
        let mut places = Vec::with_capacity(steps.len() + 1);
        let mut sound = true;
        for (step, read) in steps.iter().zip(read) {
            self.framing = read.framing.or(self.framing);
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

impl Plan {
    /// So much is to be read, on the disk.
    pub(crate) fn size(&self) -> u64 {
        self.steps.iter().map(Step::size).sum()
    }

    /// Whether there is something to take note of, though nothing may be read: a file was renamed or compressed.
    pub(crate) fn has_changed(&self) -> bool {
        !self.steps.is_empty() || self.still.is_none()
    }

    /// Whether the files still hold what stood before the places where reading began, and all that was to be read.
    pub(crate) fn is_sound(&self) -> bool {
        self.steps.iter().filter(|step| !step.coded).all(|step| {
            let whole = step.file.metadata().is_ok_and(|about| about.len() >= step.id.size);
            whole && (step.from == 0 || matches!(step.edges.mark(step.from).find_in(&step.file), Ok(Some(_))))
        })
    }
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

impl Step {
    /// So much of it is still to be read, on the disk.
    pub(crate) fn size(&self) -> u64 {
        self.id.size.saturating_sub(if self.coded { 0 } else { self.from })
    }

    /// What is read is what was there when the files were looked at: what comes later may be of a newer file's time.
    fn part(&self, framing: Option<Framing>) -> io::Result<Part> {
        let (name, from, coded, size) = (self.name.clone(), self.from, self.coded, self.id.size);
        let mut file = self.file.try_clone()?;
        let framing = framing.filter(|_| from > 0);
        let open_end = !self.closed && !coded;
        Ok(Part {
            name: name.clone(),
            framing,
            open_end,
            open: Box::new(move |counted| {
                let broken = |cause| SourceError::of(&name, 0, cause);
                file.seek(SeekFrom::Start(if coded { 0 } else { from })).map_err(broken)?;
                if coded {
                    let mut opened = text_of(&name, file, counted)?;
                    io::copy(&mut opened.text.as_mut().take(from), &mut io::sink()).map_err(broken)?;
                    return Ok(opened);
                }
                let rest = file.take(size.saturating_sub(from));
                if from == 0 {
                    text_of(&name, rest, counted)
                } else {
                    Ok(Opened { text: Box::new(rest), compressed: None })
                }
            }),
        })
    }

    /// Where reading ended.
    fn after(&self, read: PartRead) -> Place {
        let Edges { mut head, mut tail } = self.edges.clone();
        if head.len() as u64 == self.from {
            head.extend_from_slice(&read.head);
            head.truncate(EDGE);
        }
        if read.tail.len() as u64 == read.taken {
            crate::source::parallel::push_edge(&mut tail, &read.tail);
        } else {
            tail = read.tail;
        }
        Place { id: self.id, mark: Edges { head, tail }.mark(self.from + read.taken) }
    }
}
