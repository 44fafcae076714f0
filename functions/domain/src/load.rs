//! Load shedding: what an overloaded process puts off, and in which order. It never sheds results, sessions, cancels, or any
//! request of a host with open work.

/// Work that can be shed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sheddable {
    /// Lists: the most expensive, and people look again.
    List,
    /// Check-ins without news: their hosts retry later.
    IdleCheckIn,
    /// The time a host was last seen: written at its next check-in.
    Presence,
}

impl Sheddable {
    /// Whether a process with this many pending store operations, of `capacity`, sheds this work.
    pub fn is_put_off(self, pending: usize, capacity: u32) -> bool {
        let eighths = match self {
            Self::List => 4,
            Self::IdleCheckIn => 6,
            Self::Presence => 7,
        };
        pending as u64 * 8 > u64::from(capacity) * eighths
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_go_first_then_check_ins_that_bring_nothing_then_presence() {
        let put_off = |pending| {
            [Sheddable::List, Sheddable::IdleCheckIn, Sheddable::Presence].map(|work| work.is_put_off(pending, 80))
        };
        assert_eq!(put_off(40), [false, false, false]);
        assert_eq!(put_off(41), [true, false, false]);
        assert_eq!(put_off(61), [true, true, false]);
        assert_eq!(put_off(71), [true, true, true]);
    }
}
