//! Maintenance window: a daily span of time in UTC.

use jiff::{Timestamp, civil::Time, tz::TimeZone};
use muster_schemas::fleet_updates::MaintenanceWindow;

/// The start and end of a window, or the name of the invalid field.
pub fn parse(window: &MaintenanceWindow) -> Result<(Time, Time), &'static str> {
    let MaintenanceWindow { start, end } = window;
    let start = time(start).ok_or("start")?;
    let end = time(end).ok_or("end")?;
    if start == end { Err("end") } else { Ok((start, end)) }
}

/// When the window opens next; absent while it is open.
pub fn opens_at(window: &MaintenanceWindow, now: Timestamp) -> Option<Timestamp> {
    let (start, end) = parse(window).ok()?;
    let today = now.to_zoned(TimeZone::UTC);
    let time = today.time();
    let open = if start < end { start <= time && time < end } else { start <= time || time < end };
    if open {
        return None;
    }
    let days = i64::from(time >= start);
    let opening = today.date().to_datetime(start).checked_add(jiff::Span::new().days(days)).ok()?;
    TimeZone::UTC.to_timestamp(opening).ok()
}

fn time(text: &str) -> Option<Time> {
    let (hour, minute) = text.split_once(':')?;
    let is_number = |text: &str| text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_digit());
    let number = |text: &str| is_number(text).then(|| text.parse::<i8>().ok()).flatten();
    Time::new(number(hour)?, number(minute)?, 0, 0).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn window(start: &str, end: &str) -> MaintenanceWindow {
        MaintenanceWindow { start: start.into(), end: end.into() }
    }

    fn at(text: &str) -> Timestamp {
        text.parse().expect("a time")
    }

    #[test]
    fn is_open_from_its_start_to_before_its_end() {
        let night = window("22:00", "04:00");
        assert_eq!(opens_at(&night, at("2026-01-01T22:00:00Z")), None);
        assert_eq!(opens_at(&night, at("2026-01-01T03:59:59Z")), None);
        assert_eq!(opens_at(&night, at("2026-01-01T04:00:00Z")), Some(at("2026-01-01T22:00:00Z")));
    }

    #[test]
    fn opens_tomorrow_when_todays_is_over() {
        let morning = window("06:00", "08:00");
        assert_eq!(opens_at(&morning, at("2026-01-01T08:00:00Z")), Some(at("2026-01-02T06:00:00Z")));
        assert_eq!(opens_at(&morning, at("2026-01-01T05:00:00Z")), Some(at("2026-01-01T06:00:00Z")));
    }

    #[test]
    fn a_time_that_is_none_is_named() {
        assert_eq!(parse(&window("24:00", "04:00")), Err("start"));
        assert_eq!(parse(&window("22:00", "4:00")), Err("end"));
        assert_eq!(parse(&window("22:00", "22:00")), Err("end"));
        assert_eq!(parse(&window("+1:00", "04:00")), Err("start"));
    }
}
