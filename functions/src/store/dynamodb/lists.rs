//! Lists: one condition on the partition, one on the place; a cursor becomes the service's own start key, unless it lies
//! outside the list's bounds, which the service would refuse.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;

use super::{
    Attributes, DynamoTable, failed, from_attributes,
    items::{PARTITION, SORT, names_of, string, text},
    key_of, to_key,
};
use crate::store::{
    Consistency, Index, Item, Key, Order, Query, Rows, StoreError,
    cursors::Position,
    limits::{MAX_READ_BYTES, readable},
};

/// How many items of a list are read before it is known how large they are.
const FIRST_ITEMS: usize = 8;

/// One answer of the service: rows, and where it stopped.
struct Page {
    rows: Vec<Attributes>,
    stopped_at: Option<Position>,
}

/// A list, resolved to what the service is asked.
struct Request {
    index: Option<Index>,
    query: Query,
    seen: Option<Position>,
}

impl DynamoTable {
    pub(super) async fn list(&self, query: Query) -> Result<Rows, StoreError> {
        let partition = query.partition.clone();
        let Some(mut asked) = Request::new(None, query)? else { return Ok(Rows::default()) };
        loop {
            let Page { rows, stopped_at } = self.page(&asked).await?;
            if !rows.is_empty() || stopped_at.is_none() {
                let items = rows.iter().map(from_attributes).collect::<Result<_, _>>()?;
                return Ok(Rows { items, cursor: stopped_at.map(|position| position.cursor(None, &partition)) });
            }
            asked.seen = stopped_at;
        }
    }

    /// The entries, then their items. Goes on while entries lead nowhere any more.
    pub(super) async fn list_index(&self, index: Index, query: Query) -> Result<Rows, StoreError> {
        let partition = query.partition.clone();
        let Some(mut asked) = Request::new(Some(index), query)? else { return Ok(Rows::default()) };
        loop {
            let Page { rows, stopped_at } = self.page(&asked).await?;
            let entries = rows.iter().map(|row| asked.position(row)).collect::<Result<Vec<_>, _>>()?;
            let (found, stopped_early) = self.find_some_of(&entries).await?;
            let stopped_at = stopped_early.or(stopped_at);
            let items = entries.iter().zip(found).filter_map(|(entry, item)| {
                // The index lags: what has moved or is gone stands at this place no more.
                item.filter(|item| stands_at(item, index, &partition, &entry.place))
            });
            let items = items.collect::<Vec<_>>();
            if !items.is_empty() || stopped_at.is_none() {
                return Ok(Rows { items, cursor: stopped_at.map(|position| position.cursor(Some(index), &partition)) });
            }
            asked.seen = stopped_at;
        }
    }

    /// The items of the first entries, as many as may be read at once, and where it stopped before the last. Their sizes are
    /// not known before, so a few come first, and then as many as fit if they are all alike.
    async fn find_some_of(&self, entries: &[Position]) -> Result<(Vec<Option<Item>>, Option<Position>), StoreError> {
        let (mut found, mut bytes, mut next) = (Vec::with_capacity(entries.len()), 0, FIRST_ITEMS);
        while found.len() < entries.len() && bytes < MAX_READ_BYTES {
            let keys = entries[found.len()..].iter().take(next).map(|entry| entry.key.clone()).collect::<Vec<_>>();
            let items = self.find_all(&keys, Consistency::Eventual).await?;
            bytes += items.iter().flatten().map(|item| item.body.len()).sum::<usize>();
            found.extend(items);
            let each = (bytes / found.len()).max(1);
            next = (MAX_READ_BYTES.saturating_sub(bytes) / each).max(1);
        }
        let stopped_early = (found.len() < entries.len()).then(|| found.len() - 1).map(|last| entries[last].clone());
        Ok((found, stopped_early))
    }

    /// Everything, in the table's own order. The one scan there is, and no function has the right to it.
    pub(super) async fn read_on(&self, cursor: Option<String>, limit: usize) -> Result<Rows, StoreError> {
        let seen = cursor.map(|cursor| Position::of_whole(&cursor)).transpose()?;
        let request = self
            .client
            .scan()
            .table_name(&self.place.name)
            .consistent_read(true)
            .limit(i32::try_from(limit).unwrap_or(i32::MAX))
            .set_exclusive_start_key(seen.map(|seen| to_key(&seen.key)));
        let found = request.send().await;
        let found = found.map_err(|error| failed("read everything", self.place.failed("dynamodb:Scan", error)))?;
        let stopped_at = found.last_evaluated_key().map(key_of).transpose()?;
        let stopped_at = stopped_at.map(|key| Position { place: key.sort.clone(), key });
        let items = found.items().iter().map(from_attributes).collect::<Result<_, _>>()?;
        Ok(Rows { items, cursor: stopped_at.map(|position| position.cursor(None, "")) })
    }

    async fn page(&self, asked: &Request) -> Result<Page, StoreError> {
        let (condition, names, values) = asked.condition();
        let request = self
            .client
            .query()
            .table_name(&self.place.name)
            .set_index_name(asked.index.map(|index| index.name().into()))
            .key_condition_expression(condition)
            .set_expression_attribute_names(Some(names))
            .set_expression_attribute_values(Some(values))
            .scan_index_forward(asked.query.order == Order::Ascending)
            .consistent_read(asked.index.is_none())
            .limit(i32::try_from(asked.query.limit).unwrap_or(i32::MAX))
            .set_exclusive_start_key(asked.seen.as_ref().map(|seen| asked.start_key(seen)))
            .set_return_consumed_capacity(self.counting());
        let found = request.send().await;
        let found = found.map_err(|error| failed("read a list", self.place.failed("dynamodb:Query", error)))?;
        self.has_read(&found.consumed_capacity);
        let stopped_at = found.last_evaluated_key().map(|key| asked.position(key)).transpose()?;
        let mut rows = found.items.unwrap_or_default();
        // Both bounds in one condition include the upper one, which is none of the list's.
        rows.retain(|row| string(row, &asked.names().1) != asked.query.to);
        Ok(Page { rows, stopped_at })
    }
}

impl Request {
    /// None if there is nothing to find.
    fn new(index: Option<Index>, query: Query) -> Result<Option<Self>, StoreError> {
        let Some(mut query) = readable(query)? else { return Ok(None) };
        // The service takes no empty text for a place.
        query.from = query.from.filter(|from| !from.is_empty());
        let cursor = query.cursor.take();
        let seen = cursor.map(|cursor| Position::of_cursor(&cursor, index, &query.partition)).transpose()?;
        let empty = query.from.as_ref().zip(query.to.as_ref()).is_some_and(|(from, to)| from >= to);
        if empty || query.limit == 0 {
            return Ok(None);
        }
        let before = |seen: &Position| query.from.as_ref().is_some_and(|from| seen.place < *from);
        let behind = |seen: &Position| query.to.as_ref().is_some_and(|to| seen.place >= *to);
        // At the upper bound itself stands the row that both bounds in one condition include.
        let at_bound = |seen: &Position| query.from.is_some() && query.to.as_ref() == Some(&seen.place);
        let seen = match (query.order, seen) {
            (Order::Ascending, Some(seen)) if behind(&seen) => return Ok(None),
            (Order::Ascending, Some(seen)) if before(&seen) => None,
            (Order::Descending, Some(seen)) if before(&seen) => return Ok(None),
            (Order::Descending, Some(seen)) if behind(&seen) && !at_bound(&seen) => None,
            (_, seen) => seen,
        };
        Ok(Some(Self { index, query, seen }))
    }

    fn names(&self) -> (String, String) {
        self.index.map_or_else(|| (PARTITION.into(), SORT.into()), names_of)
    }

    fn condition(&self) -> (String, HashMap<String, String>, Attributes) {
        let (partition, sort) = self.names();
        let mut names = HashMap::from([("#partition".to_owned(), partition)]);
        let mut values = HashMap::from([(":partition".to_owned(), text(&self.query.partition))]);
        let bounds = match (&self.query.from, &self.query.to) {
            (Some(_), Some(_)) => " AND #sort BETWEEN :from AND :to",
            (Some(_), None) => " AND #sort >= :from",
            (None, Some(_)) => " AND #sort < :to",
            (None, None) => "",
        };
        if !bounds.is_empty() {
            names.insert("#sort".into(), sort);
        }
        let bound = |name: &str, value: &Option<String>| value.as_ref().map(|value| (name.to_owned(), text(value)));
        values.extend(bound(":from", &self.query.from));
        values.extend(bound(":to", &self.query.to));
        (format!("#partition = :partition{bounds}"), names, values)
    }

    fn start_key(&self, seen: &Position) -> HashMap<String, AttributeValue> {
        let mut key = to_key(&seen.key);
        if self.index.is_some() {
            let (partition, sort) = self.names();
            key.extend([(partition, text(&self.query.partition)), (sort, text(&seen.place))]);
        }
        key
    }

    fn position(&self, row: &Attributes) -> Result<Position, StoreError> {
        let key: Key = key_of(row)?;
        let place = string(row, &self.names().1).unwrap_or_else(|| key.sort.clone());
        Ok(Position { place, key })
    }
}

fn stands_at(item: &Item, index: Index, partition: &str, place: &str) -> bool {
    let stands = |entry: &super::super::IndexEntry| entry.partition == partition && entry.sort == place;
    item.indexes.iter().find(|entry| entry.index == index).is_some_and(stands)
}
