//! What an assembler holds of what is over: let go by time, and given other numbers and names.

use std::collections::HashSet;

use super::{Assembler, Draft, Place};
use crate::event::{Name, Names};
use crate::record::Side;
use crate::time::Stamp;

/// Drops the drafts at free places.
pub(super) fn drop_free(drafts: &mut Vec<Draft>, free: &HashSet<usize>) {
    let mut place = 0;
    drafts.retain(|_| {
        place += 1;
        !free.contains(&(place - 1))
    });
}

impl Assembler {
    /// The latest time stated, in microseconds, in the zone last seen. `None` where none is stated, or none with a year.
    #[must_use]
    pub fn latest(&self) -> Option<i64> {
        self.latest.filter(|latest| latest.dated()).map(|latest| latest.in_zone(self.offset()))
    }

    /// How many lines state a time that is more than a few seconds older than what was read before.
    #[must_use]
    pub const fn late(&self) -> u64 {
        self.late
    }

    /// The zone last seen, in seconds east of UTC.
    fn offset(&self) -> i32 {
        self.zones.last().map_or(0, |(_, offset)| *offset)
    }

    /// Which side wrote most of it so far.
    #[must_use]
    pub fn side(&self) -> Side {
        if self.sides[1] > self.sides[0] { Side::Client } else { Side::Server }
    }

    /// The earliest time that is held, in microseconds; `None` where nothing with a whole date is.
    #[must_use]
    pub fn earliest(&self) -> Option<i64> {
        let drafts = self.events.iter().filter_map(|draft| draft.stamp);
        let stamps = drafts.chain(self.uses.stamps()).filter(|stamp| stamp.dated());
        stamps.map(|stamp| stamp.in_zone(self.offset())).min()
    }

    /// How much memory what is held takes, in bytes, as far as it grows with the log.
    #[must_use]
    pub fn held(&self) -> usize {
        (self.events.len() - self.free.len()) * size_of::<Draft>() + self.uses.held()
    }

    /// Looks through the requests before a time that were answered well, so that those which stay now are not dropped later.
    pub fn settle(&mut self, before: i64, names: &Names) {
        let offset = self.offset();
        let newest = self.uses.after(|stamp| stamp.dated() && stamp.in_zone(offset) < before);
        self.thin(names, newest);
    }

    /// The same as far as it was read, to be diagnosed by itself while this one goes on: it has what this one has, and no less.
    #[must_use]
    pub fn so_far(&self) -> Self {
        let mut so_far = self.clone();
        so_far.uses.stay();
        so_far
    }

    /// Lets go of what happened before a time, as [`Assembler::latest`] tells it, unless a line that is yet to come may add to it, or it
    /// begins on one of `spared` lines. Requests that were answered well and say nothing else go up to a time of their own.
    pub fn forget(&mut self, before: i64, uses_before: i64, spared: &HashSet<u64>) {
        let (drafts, uses) = self.referred();
        let offset = self.offset();
        let is_old = |stamp: Stamp, before: i64| stamp.dated() && stamp.in_zone(offset) < before;
        let mut free = self.free_places();
        for (place, draft) in self.events.iter().enumerate() {
            let old = draft.stamp.is_some_and(|stamp| is_old(stamp, before)) && !spared.contains(&draft.event.line);
            if old && !drafts.contains(&place) {
                free.insert(place);
            }
        }
        self.uses.forget(|one| is_old(one.stamp, uses_before) && !spared.contains(&one.line), &uses);
        self.close_gaps(&free);
    }

    /// The drafts and the uses that what is open refers to.
    fn referred(&self) -> (HashSet<usize>, HashSet<u64>) {
        let (mut drafts, mut uses) = (HashSet::new(), HashSet::new());
        for place in self.server.places() {
            match place {
                Place::Draft(place) => drafts.insert(place),
                Place::Use(number) => uses.insert(number),
            };
        }
        drafts.extend(self.client.places());
        (drafts, uses)
    }

    /// Moves the drafts together, so that free places cost nothing.
    fn close_gaps(&mut self, free: &HashSet<usize>) {
        let mut next = 0;
        let moved: Vec<Option<usize>> = (0..self.events.len())
            .map(|place| {
                let kept = !free.contains(&place);
                next += usize::from(kept);
                kept.then(|| next - 1)
            })
            .collect();
        drop_free(&mut self.events, free);
        self.events.shrink_to_fit();
        self.free.clear();
        self.passed = (0, i64::MIN);
        self.server.move_places(|place| moved[place]);
        self.client.move_places(|place| moved[place]);
    }

    /// Makes it the assembler of the source with this number.
    pub fn renumber(&mut self, source: u32) {
        self.source = source;
        for draft in &mut self.events {
            draft.event.source = source;
        }
    }

    /// Takes over the names in use into a table of its own, so that those of what was let go can go as well.
    pub fn rename(&mut self, old: &Names, new: &mut Names) {
        let mut rename = |name: &mut Name| *name = new.intern(old.text(*name).as_bytes());
        for draft in &mut self.events {
            draft.event.each_name(&mut rename);
        }
        self.uses.each_name(&mut rename);
        self.client.each_name(&mut rename);
        self.releases.each_name(&mut rename);
    }
}
