//! Every timestamp form that logs use, read by position to microseconds.
//!
//! A [`Stamp`] keeps what the text said and what it left out (zone, year): the parsers have no clock and know of no
//! other source, so what is missing is filled in later, by whoever knows the source's zone and year.

use std::num::NonZeroI64;

use chrono::{DateTime, FixedOffset};
use serde::{Deserialize, Serialize};

use crate::text::digits;

/// Microseconds in a second.
pub const SECOND: i64 = 1_000_000;

/// An hour, in the same.
pub(crate) const HOUR: i64 = 3600 * SECOND;

/// A time as a line stated it, in eight bytes: every line has one, and it is handed on from step to step. In the bits from below: zoned,
/// dated, coarse (see [`Stated`]), one that is always set, and the microseconds.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Stated", into = "Stated")]
pub struct Stamp(NonZeroI64);

/// A time with what its text told of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stated {
    /// Microseconds since 1970: of UTC if `zoned`, else of the wall clock read as if it were UTC. Some 18,000 years before and after can
    /// be told; what is beyond is taken for the last of them.
    pub micros: i64,
    /// The text had a zone (or an epoch, which needs none).
    pub zoned: bool,
    /// The text had a year; without one the year is 1972, a leap year, until somebody knows better.
    pub dated: bool,
    /// Only whole seconds were written.
    pub coarse: bool,
}

/// The stand-in year of stamps that had none: a leap year, so that 29 February exists.
pub const UNKNOWN_YEAR: u32 = 1972;

impl Stamp {
    const ZONED: i64 = 1;
    const DATED: i64 = 2;
    const COARSE: i64 = 4;
    /// Always set, so that no stamp is zero and an `Option` of it takes no more room.
    const SET: NonZeroI64 = NonZeroI64::new(8).expect("it is not zero");
    /// The bits below the microseconds.
    const BELOW: u32 = 4;

    /// The stamp of a time.
    #[must_use]
    #[inline]
    pub fn of(Stated { micros, zoned, dated, coarse }: Stated) -> Self {
        const MOST: i64 = i64::MAX >> Stamp::BELOW;
        let flag = |is: bool, bit: i64| if is { bit } else { 0 };
        let flags = flag(zoned, Self::ZONED) | flag(dated, Self::DATED) | flag(coarse, Self::COARSE);
        Self(Self::SET | flags | micros.clamp(-MOST, MOST) << Self::BELOW)
    }

    const fn has(self, bit: i64) -> bool {
        self.0.get() & bit != 0
    }

    /// See [`Stated::micros`].
    #[must_use]
    pub const fn micros(self) -> i64 {
        self.0.get() >> Self::BELOW
    }

    /// See [`Stated::zoned`].
    #[must_use]
    pub const fn zoned(self) -> bool {
        self.has(Self::ZONED)
    }

    /// See [`Stated::dated`].
    #[must_use]
    pub const fn dated(self) -> bool {
        self.has(Self::DATED)
    }

    /// See [`Stated::coarse`].
    #[must_use]
    pub const fn coarse(self) -> bool {
        self.has(Self::COARSE)
    }

    /// What it tells.
    #[must_use]
    pub const fn stated(self) -> Stated {
        Stated { micros: self.micros(), zoned: self.zoned(), dated: self.dated(), coarse: self.coarse() }
    }

    /// Another time (microseconds), stated in the same way.
    #[must_use]
    pub fn at(self, micros: i64) -> Self {
        Self::of(Stated { micros, ..self.stated() })
    }

    /// The same time, of UTC.
    #[must_use]
    pub fn in_utc(self) -> Self {
        Self::of(Stated { zoned: true, ..self.stated() })
    }

    /// Whether it is more than so many microseconds before another that is written in the same way.
    #[must_use]
    pub(crate) fn is_before(self, other: Self, by: i64) -> bool {
        (self.zoned(), self.dated()) == (other.zoned(), other.dated()) && other.micros() - self.micros() > by
    }

    /// The stamp if its zone is `offset_seconds` east of UTC. A stated zone stays.
    #[must_use]
    pub fn in_zone(self, offset_seconds: i32) -> i64 {
        if self.zoned() { self.micros() } else { self.micros() - i64::from(offset_seconds) * SECOND }
    }
}

impl std::fmt::Debug for Stamp {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Stated { micros, zoned, dated, coarse } = self.stated();
        let mut fields = f.debug_struct("Stamp");
        fields.field("micros", &micros).field("zoned", &zoned).field("dated", &dated).field("coarse", &coarse).finish()
    }
}

impl From<Stated> for Stamp {
    fn from(stated: Stated) -> Self {
        Self::of(stated)
    }
}

impl From<Stamp> for Stated {
    fn from(stamp: Stamp) -> Self {
        stamp.stated()
    }
}

fn at(year: u32, month: u32, day: u32, hour: u32, minute: u32, second: u32, micro: i64) -> Option<i64> {
    if hour > 23 || minute > 59 {
        return None;
    }
    // A leap second is taken as the last second before it, so that it stays in order.
    let second = second.min(59);
    let seconds = days(year, month, day)? * 86_400 + i64::from(hour * 3600 + minute * 60 + second);
    Some(seconds * SECOND + micro)
}

/// `.068658` and the like: up to nine digits. Gives microseconds and the length with the point or comma.
fn fraction(text: &[u8]) -> (i64, usize) {
    if !matches!(text.first(), Some(b'.' | b',')) {
        return (0, 0);
    }
    let count = text[1..].iter().take(9).take_while(|b| b.is_ascii_digit()).count();
    if count == 0 {
        return (0, 0);
    }
    let mut micros = 0_i64;
    for place in 0..6 {
        micros = micros * 10 + text[1..=count].get(place).map_or(0, |digit| i64::from(digit - b'0'));
    }
    (micros, count + 1)
}

/// `Z`, `+0900`, `+09:00`, `+09`, ` UTC`, ` +0000`: seconds east of UTC, and the length.
fn zone(text: &[u8]) -> Option<(i32, usize)> {
    let blank = usize::from(text.first() == Some(&b' '));
    let rest = &text[blank..];
    if rest.first() == Some(&b'Z') {
        return Some((0, blank + 1));
    }
    if rest.starts_with(b"UTC") || rest.starts_with(b"GMT") {
        return Some((0, blank + 3));
    }
    let sign = match rest.first()? {
        b'+' => 1,
        b'-' => -1,
        _ => return None,
    };
    let hours = digits(rest, 1, 2)?;
    let colon = usize::from(rest.get(3) == Some(&b':'));
    let (minutes, length) = digits(rest, 3 + colon, 2).map_or((0, 3), |minutes| (minutes, 5 + colon));
    if hours > 18 || minutes > 59 {
        return None;
    }
    let seconds = i32::try_from(hours * 3600 + minutes * 60).ok()?;
    Some((sign * seconds, blank + length))
}

/// `2026-11-16T06:03:52.068658`, with `T` or a blank, any fraction up to nine digits, any zone or none.
/// Gives the stamp and how many bytes it took.
#[must_use]
pub fn iso(text: &[u8]) -> Option<(Stamp, usize)> {
    let (second, rest) = text.split_first_chunk()?;
    let (stamp, length) = with_fraction(iso_second(second)?, rest);
    Some((stamp, SECOND_LENGTH + length))
}

/// The length of `2026-11-16T06:03:52`.
pub(crate) const SECOND_LENGTH: usize = 19;

/// `2026-11-16T06:03:52` to microseconds, as if it were UTC.
pub(crate) fn iso_second(text: &[u8; SECOND_LENGTH]) -> Option<i64> {
    let separators = (text[4], text[7], text[10], text[13], text[16]);
    if !matches!(separators, (b'-', b'-', b'T' | b' ', b':', b':') | (b'/', b'/', b' ', b':', b':')) {
        return None;
    }
    at(
        digits(text, 0, 4)?,
        digits(text, 5, 2)?,
        digits(text, 8, 2)?,
        digits(text, 11, 2)?,
        digits(text, 14, 2)?,
        digits(text, 17, 2)?,
        0,
    )
}

/// The time that has this second, and the fraction and zone that begin `rest`, if they do; and their length.
pub(crate) fn with_fraction(second: i64, rest: &[u8]) -> (Stamp, usize) {
    let (micro, length) = fraction(rest);
    let (micros, coarse) = (second + micro, length == 0);
    match zone(&rest[length..]) {
        Some((offset, zone_length)) => {
            let micros = micros - i64::from(offset) * SECOND;
            (Stamp::of(Stated { micros, zoned: true, dated: true, coarse }), length + zone_length)
        }
        None => (Stamp::of(Stated { micros, zoned: false, dated: true, coarse }), length),
    }
}

/// `2026-11-16T06:03:52.068658`, as Ruby's logger writes it: local time in microseconds, without a zone. The hot path's short cut
/// for [`iso`], which says the same of it.
#[must_use]
pub(crate) fn local_micros(text: &[u8]) -> Option<Stamp> {
    let text: &[u8; 26] = text.try_into().ok()?;
    if (text[4], text[7], text[10], text[13], text[16], text[19]) != (b'-', b'-', b'T', b':', b':', b'.') {
        return None;
    }
    let mut wrong = 0_u8;
    let mut number = |from: usize, to: usize| {
        text[from..to].iter().fold(0_u32, |value, byte| {
            let digit = byte.wrapping_sub(b'0');
            wrong |= u8::from(digit > 9);
            value * 10 + u32::from(digit)
        })
    };
    let (year, month, day) = (number(0, 4), number(5, 7), number(8, 10));
    let (hour, minute, second, micro) = (number(11, 13), number(14, 16), number(17, 19), number(20, 26));
    if wrong != 0 {
        return None;
    }
    let micros = at(year, month, day, hour, minute, second, i64::from(micro))?;
    Some(Stamp::of(Stated { micros, zoned: false, dated: true, coarse: false }))
}

/// Days from 1970 to a date of the Gregorian calendar, or `None` if there is no such day. (Howard Hinnant's `days_from_civil`;
/// chrono's own way there costs several times as much, and this is done for every line.)
fn days(year: u32, month: u32, day: u32) -> Option<i64> {
    const LENGTHS: [u32; 12] = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    let leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    let length = *LENGTHS.get(month.wrapping_sub(1) as usize)? + u32::from(leap && month == 2);
    if day == 0 || day > length {
        return None;
    }
    let year = i64::from(year) - i64::from(month <= 2);
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * (i64::from(month) + if month > 2 { -3 } else { 9 }) + 2) / 5 + i64::from(day) - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    Some(era * 146_097 + day_of_era - 719_468)
}

/// logcat's `11-16 06:10:00.043`, and with `/` as apps write it: no year, no zone (`-v zone` adds one).
#[must_use]
pub fn month_day(text: &[u8]) -> Option<(Stamp, usize)> {
    let separators = (text.get(2)?, text.get(5)?, text.get(8)?, text.get(11)?);
    if !matches!(separators, (b'-' | b'/', b' ', b':', b':')) {
        return None;
    }
    let (micro, fraction_length) = fraction(text.get(14..)?);
    let micros = at(
        UNKNOWN_YEAR,
        digits(text, 0, 2)?,
        digits(text, 3, 2)?,
        digits(text, 6, 2)?,
        digits(text, 9, 2)?,
        digits(text, 12, 2)?,
        micro,
    )?;
    let length = 14 + fraction_length;
    let (offset, zone_length) = match zone(&text[length..]) {
        Some((offset, zone_length)) if matches!(text.get(length + 1), Some(b'+' | b'-')) => (Some(offset), zone_length),
        _ => (None, 0),
    };
    let micros = micros - i64::from(offset.unwrap_or(0)) * SECOND;
    let stamp = Stamp::of(Stated { micros, zoned: offset.is_some(), dated: false, coarse: fraction_length == 0 });
    Some((stamp, length + zone_length))
}

/// Where an ISO time at the start of `text` ends, by its separators alone: a cheap look before the time itself is worked out.
#[must_use]
pub(crate) fn iso_end(text: &[u8]) -> Option<usize> {
    let head = text.get(..19)?;
    let shaped = head[0].is_ascii_digit()
        && matches!((head[4], head[7]), (b'-', b'-') | (b'/', b'/'))
        && matches!(head[10], b'T' | b' ')
        && (head[13], head[16]) == (b':', b':');
    if !shaped {
        return None;
    }
    let length = 19 + fraction(&text[19..]).1;
    Some(length + zone(&text[length..]).map_or(0, |(_, zone_length)| zone_length))
}

const MONTHS: &[u8; 36] = b"JanFebMarAprMayJunJulAugSepOctNovDec";

/// `Nov` as 11.
fn month_name(text: &[u8]) -> Option<u32> {
    let name = text.get(..3)?;
    (1_u32..).zip(MONTHS.chunks(3)).find_map(|(number, month)| (month == name).then_some(number))
}

/// A clock time `06:03:52` at the start of `text`.
fn clock(text: &[u8]) -> Option<(u32, u32, u32)> {
    if (text.get(2)?, text.get(5)?) != (&b':', &b':') {
        return None;
    }
    Some((digits(text, 0, 2)?, digits(text, 3, 2)?, digits(text, 6, 2)?))
}

/// Syslog's `Nov  6 06:03:52`, with or without a fraction: no year, no zone. (RFC 3164 §4.1.2; journald's `short-precise`.)
#[must_use]
pub fn month_name_day(text: &[u8]) -> Option<(Stamp, usize)> {
    let month = month_name(text)?;
    let (b' ', b' ') = (*text.get(3)?, *text.get(6)?) else { return None };
    let day = digits(text, 4, 2).or_else(|| (text[4] == b' ').then(|| digits(text, 5, 1))?)?;
    let (hour, minute, second) = clock(text.get(7..)?)?;
    let (micro, length) = fraction(text.get(15..)?);
    let micros = at(UNKNOWN_YEAR, month, day, hour, minute, second, micro)?;
    Some((Stamp::of(Stated { micros, zoned: false, dated: false, coarse: length == 0 }), 15 + length))
}

/// The time of access logs, `16/Nov/2026:06:03:52 +0000`, with or without a fraction or a zone.
#[must_use]
pub fn access_log(text: &[u8]) -> Option<(Stamp, usize)> {
    let separators = (text.get(2)?, text.get(6)?, text.get(11)?);
    if separators != (&b'/', &b'/', &b':') {
        return None;
    }
    let (hour, minute, second) = clock(&text[12..])?;
    let (micro, fraction_length) = fraction(text.get(20..)?);
    let micros = at(digits(text, 7, 4)?, month_name(&text[3..])?, digits(text, 0, 2)?, hour, minute, second, micro)?;
    let length = 20 + fraction_length;
    let (offset, zone_length) = zone(&text[length..]).map_or((None, 0), |(offset, length)| (Some(offset), length));
    let micros = micros - i64::from(offset.unwrap_or(0)) * SECOND;
    let stamp = Stamp::of(Stated { micros, zoned: offset.is_some(), dated: true, coarse: fraction_length == 0 });
    Some((stamp, length + zone_length))
}

/// `Mon Nov 16 06:03:52 2026`, `Mon Nov 16 06:03:52.068658 2026` (Apache's error log), `Mon Nov 16 06:03:52 +0000 2026` and
/// `… UTC 2026` (Ruby up to 1.9, so Rails 3).
#[must_use]
pub fn c_time(text: &[u8]) -> Option<Stamp> {
    let (stamp, length) = month_name_day(text.get(4..)?)?;
    let mut rest = text.get(4 + length..)?;
    let mut offset = None;
    if digits(rest, 1, 4).is_none() {
        let (seconds, zone_length) = zone(rest)?;
        (offset, rest) = (Some(seconds), &rest[zone_length..]);
    }
    let year = i32::try_from(digits(rest, 1, 4)?).ok()?;
    let micros = in_year(stamp.micros(), year)? - i64::from(offset.unwrap_or(0)) * SECOND;
    Some(Stamp::of(Stated { micros, zoned: offset.is_some(), dated: true, coarse: stamp.coarse() }))
}

fn in_year(micros: i64, year: i32) -> Option<i64> {
    use chrono::Datelike as _;
    DateTime::from_timestamp_micros(micros)?.with_year(year).map(|time| time.timestamp_micros())
}

/// Seconds, milliseconds, microseconds or nanoseconds since 1970, with or without a fraction: told apart by their size, which
/// holds from 1973 to 5138.
#[must_use]
pub fn epoch(text: &[u8]) -> Option<Stamp> {
    let whole = text.iter().take_while(|b| b.is_ascii_digit()).count();
    if !(9..=19).contains(&whole) {
        return None;
    }
    let number = text[..whole]
        .iter()
        .try_fold(0_i64, |value, digit| value.checked_mul(10)?.checked_add(i64::from(digit - b'0')))?;
    let (micro, length) = fraction(&text[whole..]);
    if whole + length != text.len() && text[whole + length..].iter().any(|b| !b.is_ascii_digit()) {
        return None;
    }
    let micros = match whole {
        9..=11 => number.checked_mul(SECOND)? + micro,
        12..=14 => number.checked_mul(1000)?,
        15..=17 => number,
        _ => number / 1000,
    };
    Some(Stamp::of(Stated { micros, zoned: true, dated: true, coarse: whole <= 11 && length == 0 }))
}

/// A field's value in any of the forms that loggers write.
#[must_use]
pub fn any(text: &[u8]) -> Option<Stamp> {
    let text = text.trim_ascii();
    let whole = |(stamp, length): (Stamp, usize)| (length == text.len()).then_some(stamp);
    iso(text)
        .and_then(whole)
        .or_else(|| access_log(text).and_then(whole))
        .or_else(|| epoch(text))
        .or_else(|| c_time(text))
}

/// An HTTP date, as in the `date:` response header: `Thu, 19 Nov 2026 22:09:44 GMT` (RFC 9110 §5.6.7).
#[must_use]
pub fn http_date(text: &[u8]) -> Option<Stamp> {
    let text = std::str::from_utf8(text).ok()?.trim();
    let parsed: DateTime<FixedOffset> = DateTime::parse_from_rfc2822(text).ok()?;
    Some(Stamp::of(Stated { micros: parsed.timestamp() * SECOND, zoned: true, dated: true, coarse: true }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stamp_takes_eight_bytes_and_tells_all_that_was_stated() {
        assert_eq!((size_of::<Stamp>(), size_of::<Option<Stamp>>()), (8, 8));
        for micros in [0, 1, -1, 1_794_808_232_068_658, -62_135_596_800_000_000, i64::MAX >> 4, -(i64::MAX >> 4)] {
            for flags in 0..8 {
                let [zoned, dated, coarse] = [1, 2, 4].map(|bit| flags & bit != 0);
                let stated = Stated { micros, zoned, dated, coarse };
                assert_eq!(Stamp::of(stated).stated(), stated);
                assert_eq!(Stamp::of(stated).at(7), Stamp::of(Stated { micros: 7, ..stated }));
            }
        }
        let beyond = |micros| Stamp::of(Stated { micros, zoned: true, dated: true, coarse: false }).micros();
        assert_eq!((beyond(i64::MAX), beyond(i64::MIN)), (i64::MAX >> 4, -(i64::MAX >> 4)));
    }

    #[test]
    fn the_forms_that_logs_use_mean_the_same_instant() {
        let utc = iso(b"2026-11-16T06:03:52.068658Z").unwrap().0;
        for same in
            ["2026-11-16T15:03:52.068658+09:00", "2026-11-16 06:03:52.068658 +0000", "2026-11-16T06:03:52.068658912Z"]
        {
            assert_eq!(iso(same.as_bytes()).unwrap().0.micros(), utc.micros(), "{same}");
        }
        let local = iso(b"2026-11-16T06:03:52.068658 #7872]").unwrap();
        assert_eq!((local.0.micros(), local.0.zoned(), local.1), (utc.micros(), false, 26));
        assert_eq!(http_date(b"Mon, 16 Nov 2026 06:03:52 GMT").unwrap().micros(), utc.micros() / SECOND * SECOND);
    }

    #[test]
    fn the_short_cut_says_the_same() {
        for text in [
            "2026-11-16T06:03:52.068658",
            "1999-02-29T06:03:52.068658",
            "2026-11-16 06:03:52.068658",
            "2026-11-16T06:03:60.999999",
            "2026-11-16T24:03:52.068658",
            "2026-1x-16T06:03:52.068658",
        ] {
            let long = iso(text.as_bytes()).filter(|_| text.contains('T')).map(|(stamp, _)| stamp);
            assert_eq!(local_micros(text.as_bytes()), long, "{text}");
        }
    }

    #[test]
    fn days_are_those_of_the_calendar() {
        for year in [1900, 1970, 1999, 2000, 2023, 2024, 2026, 2100, 2400] {
            for month in 0..=13 {
                for day in 0..=32 {
                    let known = chrono::NaiveDate::from_ymd_opt(i32::try_from(year).unwrap(), month, day);
                    let known = known.map(|date| date.and_hms_opt(0, 0, 0).unwrap().and_utc().timestamp() / 86_400);
                    assert_eq!(days(year, month, day), known, "{year}-{month}-{day}");
                }
            }
        }
    }

    #[test]
    fn a_logcat_stamp_has_neither_year_nor_zone_unless_asked_for() {
        let (stamp, length) = month_day(b"11-16 06:10:00.043  8081  8115 I flutter : x").unwrap();
        assert_eq!((stamp.zoned(), stamp.dated(), length), (false, false, 18));
        let (zoned, length) = month_day(b"11-16 06:10:00.043 +0900  8081").unwrap();
        assert_eq!((zoned.zoned(), length), (true, 24));
        assert_eq!(zoned.micros(), stamp.micros() - 9 * 3600 * SECOND);
    }

    #[test]
    fn the_forms_of_other_programs_mean_the_same_instant_too() {
        let utc = iso(b"2026-11-16T06:03:52Z").unwrap().0.micros();
        for same in [
            "16/Nov/2026:06:03:52 +0000",
            "16/Nov/2026:07:03:52 +0100",
            "Mon Nov 16 06:03:52 2026",
            "Mon Nov 16 15:03:52 +0900 2026",
            "Mon Nov 16 06:03:52 UTC 2026",
            "1794809032",
            "1794809032.0",
            "1794809032000",
            "1794809032000000",
            "1794809032000000000",
        ] {
            assert_eq!(any(same.as_bytes()).map(|stamp| stamp.micros()), Some(utc), "{same}");
        }
        let (stamp, length) = month_name_day(b"Nov  6 06:03:52 host puma[1]: x").unwrap();
        assert_eq!((stamp.dated(), stamp.zoned(), length), (false, false, 15));
        assert_eq!(iso_end(b"2026-11-16 06:03:52.068+09:00 x"), Some(29));
    }

    #[test]
    fn what_is_no_time_is_refused_without_a_panic() {
        for bad in ["", "2026", "2026-13-01T00:00:00", "2026-02-30 00:00:00", "99-99 00:00:00.0", "2026-11-16T06:03"] {
            assert!(iso(bad.as_bytes()).is_none() && month_day(bad.as_bytes()).is_none(), "{bad}");
        }
    }
}
