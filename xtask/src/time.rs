//! Times as RFC 3339 in UTC, whole seconds: `2026-11-23T05:25:39Z`.

use std::time::{Duration, SystemTime};

/// This second.
pub(crate) fn now() -> String {
    format(SystemTime::now())
}

/// The next second: what was signed in this one is still within.
pub(crate) fn soon() -> String {
    format(SystemTime::now() + Duration::from_secs(1))
}

/// A time as text.
pub(crate) fn format(time: SystemTime) -> String {
    humantime::format_rfc3339_seconds(time).to_string()
}

/// Now, in seconds since 1970.
pub(crate) fn unix_now() -> u64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    since.map_or(0, |since| since.as_secs())
}

/// The time that a text says; `None` for what is not a time.
pub(crate) fn parse(text: &str) -> Option<SystemTime> {
    humantime::parse_rfc3339(text).ok()
}

/// A number of seconds since 1970 as text; `None` where no calendar holds it.
pub(crate) fn from_unix(seconds: u64) -> Option<String> {
    const YEAR_9999: u64 = 253_402_300_799;
    (seconds <= YEAR_9999).then(|| format(SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)))
}

/// How long ago a time was; zero for the future and for what is not a time.
pub(crate) fn age(text: &str) -> Duration {
    parse(text)
        .and_then(|time| time.elapsed().ok())
        .unwrap_or_default()
}

/// A duration in two units at most: `3d 4h`, `12m 5s`.
pub(crate) fn short(duration: Duration) -> String {
    let seconds = duration.as_secs();
    let (days, hours, minutes) = (seconds / 86400, seconds / 3600 % 24, seconds / 60 % 60);
    match (days, hours, minutes) {
        (0, 0, 0) => format!("{seconds}s"),
        (0, 0, _) => format!("{minutes}m {}s", seconds % 60),
        (0, _, _) => format!("{hours}h {minutes}m"),
        _ => format!("{days}d {hours}h"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_short() {
        let texts = [5, 125, 7_260, 90_000].map(|seconds| short(Duration::from_secs(seconds)));
        assert_eq!(texts, ["5s", "2m 5s", "2h 1m", "1d 1h"]);
    }

    #[test]
    fn times_beyond_the_calendar_are_none() {
        assert_eq!(from_unix(0).as_deref(), Some("1970-01-01T00:00:00Z"));
        assert_eq!(from_unix(u64::MAX), None);
    }
}
