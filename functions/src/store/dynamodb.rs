//! The table in `DynamoDB`, for servers that keep nothing themselves.
//!
//! One change is one conditional write; several are one transaction. Every item carries the id of the attempt that wrote
//! it: a write whose reply was lost and that is tried again, by the SDK or by a caller, meets the condition it has itself
//! made false, and knows its own id there. A transaction is given the attempt as its token too, so that one which only
//! deletes is known again, for ten minutes.
//!
//! Indexes hold keys alone, so that a change costs them nothing unless it moves an entry; a list reads its items by key,
//! and leaves out what has left its place since. They lag behind, as every index of `DynamoDB` does.
//!
//! Deliberately absent: scans, and removing what is over, which the table does by itself within days.

mod items;
mod lists;
mod setup;
mod writes;

use std::{
    collections::{BTreeSet, HashMap},
    sync::Mutex,
};

use aws_config::{SdkConfig, timeout::TimeoutConfig};
use aws_sdk_dynamodb::{
    Client,
    types::{ConsumedCapacity, KeysAndAttributes, ReturnConsumedCapacity},
};
use futures_util::{StreamExt, TryStreamExt, future::BoxFuture, stream};
use jiff::Timestamp;

use self::items::{Attributes, from_attributes, key_of, to_key};
use super::{
    AttemptId, Consistency, Index, Item, Key, Query, Rows, StoreError, Table, WholeTable, Write, fault,
    limits::{MAX_AT_ONCE, can_be},
};
use crate::aws::{AwsError, Place};

/// How many reads of one list go on at once.
const SIDE_BY_SIDE: usize = 4;
/// How often what the service left undone is asked for again.
const TRIES: u32 = 8;
/// How long one try of a call may take.
const TRY_TIMEOUT: std::time::Duration = std::time::Duration::from_secs(5);

/// The table.
pub struct DynamoTable {
    client: Client,
    place: Place,
    consumed: Option<Mutex<Consumption>>,
}

/// The units that the service says it has counted.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Consumption {
    /// Read units.
    pub read_units: f64,
    /// Write units, those of indexes included.
    pub write_units: f64,
}

impl DynamoTable {
    /// The table of this name, as it is reached from here. Nothing is asked yet.
    pub fn new(configuration: &SdkConfig, name: &str) -> Self {
        let timeouts = configuration.timeout_config().map_or_else(TimeoutConfig::builder, TimeoutConfig::to_builder);
        let config = aws_sdk_dynamodb::config::Builder::from(configuration)
            .timeout_config(timeouts.operation_attempt_timeout(TRY_TIMEOUT).build());
        let client = Client::from_conf(config.build());
        Self { client, place: Place::new("table", name, configuration), consumed: None }
    }

    /// The same, asking the service with every call what it has counted.
    #[must_use]
    pub fn measured(self) -> Self {
        Self { consumed: Some(Mutex::default()), ..self }
    }

    /// The units that the service has counted since the last time.
    pub fn consumed(&self) -> Consumption {
        let consumed = self.consumed.as_ref().map(|consumed| consumed.lock());
        consumed.and_then(Result::ok).map(|mut consumed| std::mem::take(&mut *consumed)).unwrap_or_default()
    }

    fn counting(&self) -> Option<ReturnConsumedCapacity> {
        self.consumed.is_some().then_some(ReturnConsumedCapacity::Indexes)
    }

    fn has_read<'a>(&self, capacity: impl IntoIterator<Item = &'a ConsumedCapacity>) {
        let Some(Ok(mut consumed)) = self.consumed.as_ref().map(Mutex::lock) else { return };
        consumed.read_units += capacity.into_iter().filter_map(ConsumedCapacity::capacity_units).sum::<f64>();
    }

    fn has_written<'a>(&self, capacity: impl IntoIterator<Item = &'a ConsumedCapacity>) {
        let Some(Ok(mut consumed)) = self.consumed.as_ref().map(Mutex::lock) else { return };
        consumed.write_units += capacity.into_iter().filter_map(ConsumedCapacity::capacity_units).sum::<f64>();
    }

    async fn find(&self, key: &Key, consistency: Consistency) -> Result<Option<Item>, StoreError> {
        if !can_be(key) {
            return Ok(None);
        }
        let request = self.client.get_item().table_name(&self.place.name).set_key(Some(to_key(key)));
        let strong = consistency == Consistency::Strong;
        let request = request.consistent_read(strong).set_return_consumed_capacity(self.counting());
        let found = request.send().await;
        let found = found.map_err(|error| failed("read an item", self.place.failed("dynamodb:GetItem", error)))?;
        self.has_read(&found.consumed_capacity);
        found.item.as_ref().map(from_attributes).transpose()
    }

    /// In the order of the keys, with a hole where there is nothing.
    async fn find_all(&self, keys: &[Key], consistency: Consistency) -> Result<Vec<Option<Item>>, StoreError> {
        // An entry that moves within an index is for a moment at both places; the service refuses a key that it is asked
        // for twice.
        let distinct = keys.iter().filter(|key| can_be(key)).collect::<BTreeSet<_>>();
        let distinct = distinct.into_iter().cloned().collect::<Vec<_>>();
        let chunks = distinct.chunks(MAX_AT_ONCE).map(|keys| self.find_some(keys, consistency)).collect::<Vec<_>>();
        let found: Vec<_> = stream::iter(chunks).buffered(SIDE_BY_SIDE).try_collect().await?;
        let found: HashMap<Key, Item> = found.into_iter().flatten().map(|item| (item.key.clone(), item)).collect();
        Ok(keys.iter().map(|key| found.get(key).cloned()).collect())
    }

    /// As many as one request takes; what the service leaves undone is asked for again.
    async fn find_some(&self, keys: &[Key], consistency: Consistency) -> Result<Vec<Item>, StoreError> {
        let mut left = keys.iter().map(to_key).collect::<Vec<_>>();
        let mut items = Vec::with_capacity(keys.len());
        for attempt in 0..TRIES {
            if left.is_empty() {
                return Ok(items);
            }
            writes::pause(attempt).await;
            let wanted = KeysAndAttributes::builder()
                .set_keys(Some(std::mem::take(&mut left)))
                .consistent_read(consistency == Consistency::Strong);
            let wanted = wanted.build().map_err(fault("ask for items"))?;
            let request = self.client.batch_get_item().request_items(&self.place.name, wanted);
            let found = request.set_return_consumed_capacity(self.counting()).send().await;
            let found =
                found.map_err(|error| failed("read items", self.place.failed("dynamodb:BatchGetItem", error)))?;
            self.has_read(found.consumed_capacity());
            for attributes in found.responses.into_iter().flat_map(HashMap::into_values).flatten() {
                items.push(from_attributes(&attributes)?);
            }
            let undone = found.unprocessed_keys.into_iter().flat_map(HashMap::into_values);
            left.extend(undone.flat_map(|undone| undone.keys));
        }
        let busy = "it leaves items unread, again and again";
        Err(StoreError::Unavailable { doing: "read items", source: busy.into() })
    }
}

impl Table for DynamoTable {
    fn get<'a>(&'a self, key: &'a Key, consistency: Consistency) -> BoxFuture<'a, Result<Option<Item>, StoreError>> {
        Box::pin(self.find(key, consistency))
    }

    fn get_many<'a>(&'a self, keys: &'a [Key]) -> BoxFuture<'a, Result<Vec<Option<Item>>, StoreError>> {
        Box::pin(self.find_all(keys, Consistency::Strong))
    }

    fn get_many_lagging<'a>(&'a self, keys: &'a [Key]) -> BoxFuture<'a, Result<Vec<Option<Item>>, StoreError>> {
        Box::pin(self.find_all(keys, Consistency::Eventual))
    }

    fn query(&self, query: Query) -> BoxFuture<'_, Result<Rows, StoreError>> {
        Box::pin(self.list(query))
    }

    fn query_index(&self, index: Index, query: Query) -> BoxFuture<'_, Result<Rows, StoreError>> {
        Box::pin(self.list_index(index, query))
    }

    fn commit(&self, writes: Vec<Write>, attempt: AttemptId) -> BoxFuture<'_, Result<(), StoreError>> {
        Box::pin(self.write(writes, attempt))
    }

    /// The table does so by itself.
    fn expire(&self, _: Timestamp, _: usize) -> BoxFuture<'_, Result<usize, StoreError>> {
        Box::pin(async { Ok(0) })
    }
}

impl WholeTable for DynamoTable {
    fn scan(&self, cursor: Option<String>, limit: usize) -> BoxFuture<'_, Result<Rows, StoreError>> {
        Box::pin(self.read_on(cursor, limit))
    }
}

fn failed(doing: &'static str, error: AwsError) -> StoreError {
    match error {
        AwsError::Unavailable { .. } => StoreError::Unavailable { doing, source: error.into() },
        error => StoreError::Fault { doing, source: error.into() },
    }
}
