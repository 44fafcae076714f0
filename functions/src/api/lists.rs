//! Pagination: pages over an index, newest first, with a filter that looks at a bounded number of records per request.

use muster_schemas::pages::Page;
use serde::de::DeserializeOwned;

use super::{extract::PageParams, problem::Failure};
use crate::{
    app::App,
    store::{Index, Item, Order, Query, StoreError, Versioned},
};

/// How many records one request looks at, at most: a filter that leaves few over gets short pages, never a long wait.
const MAX_LOOKED_AT: usize = 2_000;
/// How many are read at once.
const STRIDE: usize = 200;
/// How many are read first by who looks for one.
const FIRST: usize = 4;
/// How much of them one request looks at, in bytes: a function's answer has six megabytes at most, escaped once more.
const MAX_BYTES: usize = 2 * 1024 * 1024;

/// A list of records.
#[derive(Debug, Clone)]
pub struct List {
    index: Index,
    partition: String,
    /// The oldest place that is looked at. Absent: the oldest there is.
    from: Option<String>,
}

impl List {
    /// All records of a kind.
    pub fn all(of: &str) -> Self {
        Self { index: Index::List, partition: of.into(), from: None }
    }

    /// The records that belong to another one.
    pub fn owned(by: impl ToString) -> Self {
        Self { index: Index::Owner, partition: by.to_string(), from: None }
    }

    /// The same without what is older than this place.
    #[must_use]
    pub fn since(self, place: Option<String>) -> Self {
        Self { from: place, ..self }
    }

    /// The newest records before `cursor`, each with its place in the list, and whether there are more. As many as asked
    /// for, or as fit into an answer.
    pub async fn before<T: DeserializeOwned>(
        &self,
        app: &App,
        cursor: Option<&str>,
        limit: usize,
    ) -> Result<(Vec<(String, Versioned<T>)>, bool), Failure> {
        let query = Query {
            partition: self.partition.clone(),
            from: self.from.clone(),
            to: cursor.map(str::to_owned),
            order: Order::Descending,
            limit,
            cursor: None,
        };
        let rows = app.table.query_index(self.index, query).await?;
        let place = |item: &Item| {
            let entry = item.indexes.iter().find(|entry| entry.index == self.index);
            entry.map(|entry| entry.sort.clone()).unwrap_or_default()
        };
        let mut left = MAX_BYTES;
        let fits = |item: &&Item| {
            let had_room = left > 0;
            left = left.saturating_sub(item.body.len());
            had_room
        };
        let records = rows.items.iter().take_while(fits).map(|item| Ok((place(item), Versioned::read(item)?)));
        let records = records.collect::<Result<Vec<_>, StoreError>>()?;
        let more = rows.cursor.is_some() || records.len() < rows.items.len();
        Ok((records, more))
    }

    /// The newest record that is wanted.
    pub async fn find<T: DeserializeOwned>(
        self,
        app: &App,
        wanted: impl Fn(&T) -> bool,
    ) -> Result<Option<Versioned<T>>, Failure> {
        let mut cursor = None;
        // Mostly it is one of the newest.
        let mut stride = FIRST;
        loop {
            let (records, more) = self.before::<T>(app, cursor.as_deref(), stride).await?;
            stride = STRIDE;
            cursor = records.last().map(|(place, _)| place.clone());
            let found = records.into_iter().map(|(_, record)| record).find(|found| wanted(&found.record));
            if found.is_some() || !more {
                return Ok(found);
            }
        }
    }
}

/// A page of a list: what `view` makes of each record, without those it makes nothing of.
pub async fn page<T: DeserializeOwned, V>(
    app: &App,
    list: List,
    params: &PageParams,
    mut view: impl FnMut(Versioned<T>) -> Option<V>,
) -> Result<Page<V>, Failure> {
    let limit = params.limit()?;
    let mut cursor = params.cursor.clone();
    let (mut items, mut looked_at) = (Vec::new(), 0);
    // Every record read costs: a list without a filter is done with the first few.
    let mut stride = limit;
    while looked_at < MAX_LOOKED_AT {
        let (records, more) = list.before::<T>(app, cursor.as_deref(), stride).await?;
        looked_at += stride;
        // A record that did not fit here does not fit behind those that there are already.
        let full = more && records.len() < stride;
        stride = STRIDE;
        for (place, record) in records {
            cursor = Some(place);
            items.extend(view(record));
            if items.len() == limit {
                return Ok(Page { items, next_cursor: cursor });
            }
        }
        if !more {
            return Ok(Page { items, next_cursor: None });
        }
        if full && !items.is_empty() {
            break;
        }
    }
    Ok(Page { items, next_cursor: cursor })
}
