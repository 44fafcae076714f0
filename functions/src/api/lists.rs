//! Pagination: pages over an index, newest first, with a filter that looks at a bounded number of records per request.

use muster_schemas::{
    pages::Page,
    problems::{Problem, ProblemCode},
};
use serde::de::DeserializeOwned;

use super::{extract::PageParams, problem::Failure};
use crate::{
    app::App,
    store::{Index, Item, Order, Query, StoreError, Versioned},
    turns::{Busy, Turn},
};

/// How many records one request looks at, at most: a filter that leaves few over gets short pages, never a long wait.
const MAX_LOOKED_AT: usize = 2_000;
/// How many are read at once.
const STRIDE: usize = 200;
/// How many are read first by who looks for one.
const FIRST: usize = 4;
/// Records of so many bytes are parsed where they are, because to hand them over would take longer.
const PARSED_HERE: usize = 32 * 1024;
/// When a caller may come again whose lists are too many, in seconds; and anybody, if those of all are.
const OWN_AGAIN_SECONDS: u32 = 1;
const AGAIN_SECONDS: u32 = 5;

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
    /// for, or as the store reads at once, which fit into an answer.
    pub async fn before<T: DeserializeOwned + Send + 'static>(
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
        Ok((parsed(self.index, rows.items).await?, rows.cursor.is_some()))
    }

    /// The newest record that is wanted.
    pub async fn find<T: DeserializeOwned + Send + 'static>(
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

/// Records with their places. Many or large ones are parsed beside the threads that serve requests, as they were read.
async fn parsed<T: DeserializeOwned + Send + 'static>(
    index: Index,
    items: Vec<Item>,
) -> Result<Vec<(String, Versioned<T>)>, Failure> {
    let place = move |item: &Item| {
        let entry = item.indexes.iter().find(|entry| entry.index == index);
        entry.map(|entry| entry.sort.clone()).unwrap_or_default()
    };
    let bytes = items.iter().map(|item| item.body.len()).sum::<usize>();
    let parse = move || items.iter().map(|item| Ok((place(item), Versioned::read(item)?))).collect();
    let records: Result<_, StoreError> = if bytes <= PARSED_HERE {
        parse()
    } else {
        tokio::task::spawn_blocking(parse).await.map_err(Failure::broken)?
    };
    Ok(records?)
}

/// The turn of a caller to read a list: a few are read at a time, so that the server can do something else besides.
pub async fn turn<'a>(app: &'a App, caller: &str) -> Result<Turn<'a>, Failure> {
    app.lists.take(caller).await.map_err(|busy| {
        let (code, seconds, detail) = match busy {
            Busy::Own => (ProblemCode::TooManyRequests, OWN_AGAIN_SECONDS, "too many lists of yours are being read"),
            Busy::All => (ProblemCode::Unavailable, AGAIN_SECONDS, "too many lists are being read"),
        };
        Problem::new(code).detail(detail).with("retry_after_seconds", seconds).into()
    })
}

/// A page of a list: what `view` makes of each record, without those it makes nothing of.
pub async fn page<T: DeserializeOwned + Send + 'static, V>(
    app: &App,
    list: List,
    params: &PageParams,
    mut view: impl FnMut(Versioned<T>) -> Option<V>,
) -> Result<Page<V>, Failure> {
    let limit = params.limit()?;
    let _turn = turn(app, &params.caller).await?;
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
