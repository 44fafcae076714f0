//! Commits: one conditional write for one change, one transaction for several.

use std::{collections::HashMap, time::Duration};

use aws_sdk_dynamodb::{
    error::SdkError,
    operation::{delete_item::DeleteItemError, put_item::PutItemError, transact_write_items::TransactWriteItemsError},
    types::{
        AttributeValue, CancellationReason, ConditionCheck, Delete, Put, ReturnValuesOnConditionCheckFailure,
        TransactWriteItem,
    },
};

use super::{
    DynamoTable, TRIES, failed, fault,
    items::{Attributes, PARTITION, REVISION, is_of, to_attributes, to_key},
};
use crate::store::{AttemptId, Expect, Item, Key, StoreError, Write, limits::admit};

const ALL_OLD: ReturnValuesOnConditionCheckFailure = ReturnValuesOnConditionCheckFailure::AllOld;
/// How long the pause before a second try is at most; it doubles with every further one.
const FIRST_PAUSE_MILLISECONDS: u64 = 25;

/// The outcome of one try of a commit.
enum TryOutcome {
    /// It happened, now or with an earlier try.
    Through,
    /// Other writers were at the same items in this very moment: nothing was decided.
    InTheWay,
}

impl DynamoTable {
    pub(super) async fn write(&self, writes: Vec<Write>, attempt: AttemptId) -> Result<(), StoreError> {
        admit(&writes)?;
        for number in 0..TRIES {
            pause(number).await;
            let came = match writes.as_slice() {
                [] => return Ok(()),
                [Write::Put { item, expect }] => self.put(item, *expect, attempt).await?,
                [Write::Delete { key, expect: expect @ (Expect::Any | Expect::Absent) }] => {
                    self.delete(key, *expect).await?
                }
                // One delete of a revision leaves nothing that would know it again: the token of a transaction does.
                several => self.transact(several, attempt).await?,
            };
            if matches!(came, TryOutcome::Through) {
                return Ok(());
            }
        }
        let busy = "other writers are in the way, again and again";
        Err(StoreError::Unavailable { doing: "commit", source: busy.into() })
    }

    async fn put(&self, item: &Item, expect: Expect, attempt: AttemptId) -> Result<TryOutcome, StoreError> {
        let Condition { expression, names, values } = Condition::of(expect);
        let request = self
            .client
            .put_item()
            .table_name(&self.place.name)
            .set_item(Some(to_attributes(item.clone(), attempt)?))
            .set_condition_expression(expression)
            .set_expression_attribute_names(names)
            .set_expression_attribute_values(values)
            .return_values_on_condition_check_failure(ALL_OLD)
            .set_return_consumed_capacity(self.counting());
        let error = match request.send().await {
            Ok(done) => {
                self.has_written(&done.consumed_capacity);
                return Ok(TryOutcome::Through);
            }
            Err(error) => error,
        };
        match error.as_service_error() {
            Some(PutItemError::ConditionalCheckFailedException(met)) => met_by(met.item(), attempt, 0),
            Some(PutItemError::TransactionConflictException(_)) => Ok(TryOutcome::InTheWay),
            _ => Err(failed("write an item", self.place.failed("dynamodb:PutItem", error))),
        }
    }

    async fn delete(&self, key: &Key, expect: Expect) -> Result<TryOutcome, StoreError> {
        let Condition { expression, names, values } = Condition::of(expect);
        let request = self
            .client
            .delete_item()
            .table_name(&self.place.name)
            .set_key(Some(to_key(key)))
            .set_condition_expression(expression)
            .set_expression_attribute_names(names)
            .set_expression_attribute_values(values)
            .set_return_consumed_capacity(self.counting());
        let error = match request.send().await {
            Ok(done) => {
                self.has_written(&done.consumed_capacity);
                return Ok(TryOutcome::Through);
            }
            Err(error) => error,
        };
        match error.as_service_error() {
            Some(DeleteItemError::ConditionalCheckFailedException(_)) => Err(StoreError::Stale { write: 0 }),
            Some(DeleteItemError::TransactionConflictException(_)) => Ok(TryOutcome::InTheWay),
            _ => Err(failed("delete an item", self.place.failed("dynamodb:DeleteItem", error))),
        }
    }

    async fn transact(&self, writes: &[Write], attempt: AttemptId) -> Result<TryOutcome, StoreError> {
        // A check of nothing is none, and the service refuses it; the places of the others must not move by that.
        let (mut places, mut parts) = (Vec::new(), Vec::new());
        for (place, write) in writes.iter().enumerate() {
            if let Some(part) = self.part(write, attempt)? {
                places.push(place);
                parts.push(part);
            }
        }
        if parts.is_empty() {
            return Ok(TryOutcome::Through);
        }
        let request = self
            .client
            .transact_write_items()
            .set_transact_items(Some(parts))
            .client_request_token(format!("{attempt:032x}"))
            .set_return_consumed_capacity(self.counting());
        match request.send().await {
            Ok(done) => {
                self.has_written(done.consumed_capacity());
                Ok(TryOutcome::Through)
            }
            Err(error) => self.undone(error, &places, attempt),
        }
    }

    fn undone(
        &self,
        error: SdkError<TransactWriteItemsError>,
        places: &[usize],
        attempt: AttemptId,
    ) -> Result<TryOutcome, StoreError> {
        let broken = |error| Err(failed("commit", self.place.failed("dynamodb:PutItem", error)));
        let reasons = match error.as_service_error() {
            Some(TransactWriteItemsError::TransactionCanceledException(cancelled)) => cancelled.cancellation_reasons(),
            // The same attempt is under way: its outcome is known when it has ended.
            Some(TransactWriteItemsError::TransactionInProgressException(_)) => return Ok(TryOutcome::InTheWay),
            _ => return broken(error),
        };
        let coded = |code: &'static str| move |reason: &&CancellationReason| reason.code() == Some(code);
        if let Some(place) = reasons.iter().position(|reason| coded("ConditionalCheckFailed")(&reason)) {
            let ours = reasons.iter().filter_map(CancellationReason::item).find(|item| is_of(item, attempt));
            return met_by(ours, attempt, places.get(place).copied().unwrap_or(place));
        }
        let passing = ["TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded"];
        if passing.iter().any(|code| reasons.iter().any(|reason| coded(code)(&reason))) {
            return Ok(TryOutcome::InTheWay);
        }
        broken(error)
    }

    fn part(&self, write: &Write, attempt: AttemptId) -> Result<Option<TransactWriteItem>, StoreError> {
        let table = &self.place.name;
        let build = TransactWriteItem::builder();
        let incomplete = fault("make a transaction");
        Ok(Some(match write {
            Write::Put { item, expect } => {
                let Condition { expression, names, values } = Condition::of(*expect);
                let put = Put::builder()
                    .table_name(table)
                    .set_item(Some(to_attributes(item.clone(), attempt)?))
                    .set_condition_expression(expression)
                    .set_expression_attribute_names(names)
                    .set_expression_attribute_values(values)
                    .return_values_on_condition_check_failure(ALL_OLD);
                build.put(put.build().map_err(incomplete)?).build()
            }
            Write::Delete { key, expect } => {
                let Condition { expression, names, values } = Condition::of(*expect);
                let delete = Delete::builder()
                    .table_name(table)
                    .set_key(Some(to_key(key)))
                    .set_condition_expression(expression)
                    .set_expression_attribute_names(names)
                    .set_expression_attribute_values(values)
                    .return_values_on_condition_check_failure(ALL_OLD);
                build.delete(delete.build().map_err(incomplete)?).build()
            }
            Write::Check { expect: Expect::Any, .. } => return Ok(None),
            Write::Check { key, expect } => {
                let Condition { expression, names, values } = Condition::of(*expect);
                let check = ConditionCheck::builder()
                    .table_name(table)
                    .set_key(Some(to_key(key)))
                    .set_condition_expression(expression)
                    .set_expression_attribute_names(names)
                    .set_expression_attribute_values(values)
                    .return_values_on_condition_check_failure(ALL_OLD);
                build.condition_check(check.build().map_err(incomplete)?).build()
            }
        }))
    }
}

/// A condition that failed on what this very attempt wrote held before: only the reply was lost.
fn met_by(item: Option<&Attributes>, attempt: AttemptId, place: usize) -> Result<TryOutcome, StoreError> {
    if item.is_some_and(|item| is_of(item, attempt)) {
        Ok(TryOutcome::Through)
    } else {
        Err(StoreError::Stale { write: place })
    }
}

/// A write's expectation, in the service's words.
#[derive(Default)]
struct Condition {
    expression: Option<String>,
    names: Option<HashMap<String, String>>,
    values: Option<Attributes>,
}

impl Condition {
    fn of(expect: Expect) -> Self {
        let named = |short: &str, name: &str| Some(HashMap::from([(short.into(), name.into())]));
        match expect {
            Expect::Any => Self::default(),
            Expect::Absent => Self {
                expression: Some("attribute_not_exists(#partition)".into()),
                names: named("#partition", PARTITION),
                values: None,
            },
            Expect::Revision(revision) => Self {
                expression: Some("#revision = :revision".into()),
                names: named("#revision", REVISION),
                values: Some(HashMap::from([(":revision".into(), AttributeValue::N(revision.to_string()))])),
            },
        }
    }
}

/// A random pause before another try; none before the first.
pub(super) async fn pause(number: u32) {
    if number > 0 {
        let most = FIRST_PAUSE_MILLISECONDS << number.min(6);
        tokio::time::sleep(Duration::from_millis(rand::random_range(1..=most))).await;
    }
}
