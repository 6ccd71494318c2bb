//! Which release ran where: said anew only when it is another, and once an hour. Logs that state it say it on every line, and there are
//! as many lines as there are requests.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};

use super::{Assembler, HOUR, Origin};
use crate::event::{Name, Names, What};
use crate::record::{Record, Release};

/// The release that was said last of a caller (user, address), or of the server, and in which hour.
///
/// Saying it again each hour makes what is kept independent of what was let go before: who is seen in an hour has a release in it.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Releases(HashMap<Whose, (Name, i64)>);

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
struct Whose {
    app: bool,
    user: Option<Name>,
    address: Option<Name>,
}

/// So many callers are remembered, some megabytes; past that, all are said once more.
const MOST: usize = 1 << 16;

impl Releases {
    pub(super) fn each_name(&mut self, see: &mut impl FnMut(&mut Name)) {
        self.0 = std::mem::take(&mut self.0)
            .into_iter()
            .map(|(mut whose, (mut name, hour))| {
                [&mut whose.user, &mut whose.address].into_iter().flatten().chain([&mut name]).for_each(&mut *see);
                (whose, (name, hour))
            })
            .collect();
    }
}

impl Assembler {
    /// Takes note of a release. It ends no block and belongs to no request.
    pub(super) fn release(&mut self, record: &Record<'_>, origin: Origin, release: Release<'_>, names: &mut Names) {
        let name = names.intern(release.name);
        // The server's own is nobody's.
        let caller = release.of_app.then_some(record);
        let user = caller.and_then(|record| record.user);
        let address = caller.and_then(|record| record.address);
        let whose = Whose {
            app: release.of_app,
            user: user.map(|user| names.intern(user)),
            address: address.map(|address| names.intern(address)),
        };
        let hour = origin.stamp.map_or(0, |stamp| stamp.micros().div_euclid(HOUR));
        if self.releases.0.get(&whose) == Some(&(name, hour)) {
            return;
        }
        if self.releases.0.len() >= MOST {
            self.releases.0.clear();
        }
        self.releases.0.insert(whose, (name, hour));
        let record = Record { user, address, ..*record };
        self.draft(&record, origin, names, What::Release { of_app: release.of_app, name });
    }
}
