//! Fair queueing of password checks: a bounded number of places, few of them for one caller, and places that callers who are
//! known keep for themselves.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

/// How many places there are in a lane, and how many of them for one caller.
const OF_STRANGERS: (usize, usize) = (64, 4);
const OF_THE_KNOWN: (usize, usize) = (64, 16);

/// Who takes a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Lane {
    /// Somebody who has signed in before with the same name, from there.
    Known,
    /// Anybody else.
    Strangers,
}

/// The places that are taken.
#[derive(Debug, Clone, Default)]
pub struct Places(Arc<Mutex<HashMap<(Lane, String), usize>>>);

/// A place, until it is dropped.
#[derive(Debug)]
pub struct Place {
    places: Places,
    holder: (Lane, String),
}

impl Places {
    /// A place for this caller, if there is one. A caller of whom nothing is known has no share of its own.
    pub fn take(&self, lane: Lane, caller: Option<String>) -> Option<Place> {
        let mut taken = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (most, of_one) = if lane == Lane::Known { OF_THE_KNOWN } else { OF_STRANGERS };
        let all = taken.iter().filter(|((of, _), _)| *of == lane).map(|(_, places)| places).sum::<usize>();
        let bounded = caller.is_some();
        let holder = (lane, caller.unwrap_or_default());
        let own = taken.get(&holder).copied().unwrap_or(0);
        if all >= most || (bounded && own >= of_one) {
            return None;
        }
        taken.insert(holder.clone(), own + 1);
        drop(taken);
        Some(Place { places: self.clone(), holder })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut taken = self.places.0.lock().unwrap_or_else(PoisonError::into_inner);
        match taken.get_mut(&self.holder) {
            Some(own) if *own > 1 => *own -= 1,
            _ => drop(taken.remove(&self.holder)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn take(places: &Places, lane: Lane, caller: &str) -> Option<Place> {
        places.take(lane, Some(caller.into()))
    }

    #[test]
    fn one_caller_takes_a_few_places_and_leaves_the_others_to_others() {
        let places = Places::default();
        let taken = (0..200).filter_map(|_| take(&places, Lane::Strangers, "one")).collect::<Vec<_>>();
        assert_eq!(taken.len(), OF_STRANGERS.1);
        assert!(take(&places, Lane::Strangers, "other").is_some());
        drop(taken);
        assert!(take(&places, Lane::Strangers, "one").is_some());
        assert!(places.0.lock().is_ok_and(|taken| taken.is_empty()), "who has left is forgotten");
    }

    #[test]
    fn strangers_however_many_take_no_place_of_somebody_who_is_known() {
        let places = Places::default();
        let strangers = (0..1_000).filter_map(|number| take(&places, Lane::Strangers, &number.to_string()));
        let strangers = strangers.collect::<Vec<_>>();
        assert_eq!(strangers.len(), OF_STRANGERS.0);
        assert!(take(&places, Lane::Known, "known").is_some());
    }
}
