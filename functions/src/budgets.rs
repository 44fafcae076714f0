//! Rate limit (token bucket per caller), in the memory of this process only: a caller of several processes has a budget with
//! each.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use jiff::{SignedDuration, Timestamp};
use muster_domain::budgets::Budget;

/// The number of callers remembered before those with a full budget are forgotten.
const REMEMBERED: usize = 4_096;

/// Budgets that are not full, by caller.
#[derive(Debug, Default)]
pub struct Budgets {
    full_at: Mutex<HashMap<String, Timestamp>>,
}

impl Budgets {
    /// Spends one request of a caller's budget, or says how long it has to wait.
    pub fn spend(&self, caller: &str, budget: Budget, now: Timestamp) -> Result<(), SignedDuration> {
        let mut full_at = self.full_at.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(full_at) = full_at.get_mut(caller) {
            *full_at = budget.spend(Some(*full_at), now)?;
            return Ok(());
        }
        let spent = budget.spend(None, now)?;
        if full_at.len() >= REMEMBERED && full_at.len().is_power_of_two() {
            full_at.retain(|_, full_at| *full_at > now);
        }
        full_at.insert(caller.to_owned(), spent);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whose_budget_is_full_again_is_forgotten() {
        let (budgets, budget) = (Budgets::default(), Budget { burst: 2, per_second: 1 });
        for second in 0..40_000 {
            let now = Timestamp::from_second(second).expect("it is a time");
            budgets.spend(&second.to_string(), budget, now).expect("it is the first");
        }
        assert!(budgets.full_at.lock().is_ok_and(|full_at| full_at.len() <= 2 * REMEMBERED));
    }
}
