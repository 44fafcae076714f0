//! Output: answers to stdout, as text or JSON; remarks and warnings to stderr; lists page by page.

use std::{
    io::{self, IsTerminal, Write},
    sync::atomic::{AtomicBool, Ordering},
};

use jiff::Timestamp;
use muster_schemas::{pages::Page, secrets::Secret};
use serde::de::DeserializeOwned;

use crate::{
    client::{Answer, Client},
    config::{self, Config},
    failures::Failure,
    terminal::visible,
};

/// The global options that every command gets.
pub struct Context {
    /// Whether to print the JSON of the API instead of text.
    pub json: bool,
    /// URL of the server to use. `None` means the one logged in to.
    pub server: Option<String>,
    /// Token from the environment. `None` means the stored one.
    pub token: Option<Secret>,
}

impl Context {
    /// A client with a credential.
    pub fn client(&self) -> Result<Client, Failure> {
        let endpoint = config::endpoint(self.server.as_deref(), self.token.clone(), Config::load, Timestamp::now())?;
        Client::new(&endpoint.server, Some(endpoint.token))
    }

    /// Prints an answer: its JSON with `--json`, else the text that `render` makes of it.
    pub fn show<T: DeserializeOwned>(&self, answer: &Answer, render: impl FnOnce(&T) -> String) -> Result<(), Failure> {
        if self.json { line(&answer.body) } else { text(&render(&answer.read()?)) }
    }

    /// Prints an answer: its JSON with `--json`, else a sentence.
    pub fn done(&self, answer: &Answer, sentence: &str) -> Result<(), Failure> {
        if !self.json {
            return line(sentence);
        }
        if answer.body.is_empty() { Ok(()) } else { line(&answer.body) }
    }

    /// Prints a remark to stderr, unless `--json` is given.
    pub fn remark(&self, remark: &str) {
        if !self.json {
            warn(remark);
        }
    }
}

/// Arguments of commands that print a list.
#[derive(Debug, clap::Args)]
pub struct Paging {
    /// How many entries to get per page (at most 200)
    #[arg(long, value_parser = clap::value_parser!(u16).range(1..=200))]
    limit: Option<u16>,
    /// Start at the cursor that an earlier page ended with
    #[arg(long)]
    cursor: Option<String>,
    /// Print all pages; with --json, one page per line
    #[arg(long)]
    all: bool,
}

impl Paging {
    /// Prints one page of a list, or all pages.
    pub async fn list<T: DeserializeOwned>(
        &self,
        context: &Context,
        (path, mut query): (&[&str], Vec<(&str, String)>),
        render: impl FnOnce(&[T]) -> String,
    ) -> Result<(), Failure> {
        let client = context.client()?;
        query.extend(self.limit.map(|limit| ("limit", limit.to_string())));
        let (mut items, mut cursor) = (Vec::new(), self.cursor.clone());
        loop {
            let mut query = query.clone();
            query.extend(cursor.map(|cursor| ("cursor", cursor)));
            let answer = client.get(path, &query).await?;
            let page: Page<T> = answer.read()?;
            if context.json {
                line(&answer.body)?;
            }
            items.extend(page.items);
            cursor = page.next_cursor;
            if cursor.is_none() || !self.all || is_closed() {
                break;
            }
        }
        if context.json {
            return Ok(());
        }
        text(&render(&items))?;
        if let Some(cursor) = cursor {
            context.remark(&format!("There is more: add --all to print everything, or --cursor {cursor} to continue."));
        }
        Ok(())
    }
}

/// Whether nobody reads stdout any more.
static IS_CLOSED: AtomicBool = AtomicBool::new(false);

/// Prints a text to stdout without a line break. Whatever a host has put into it, it is only text.
pub fn text(text: &str) -> Result<(), Failure> {
    bytes(visible(text).as_bytes())
}

/// Prints bytes to stdout as they are, and flushes them. When nobody reads them any more, nothing is printed, and the command
/// goes on: how its output went does not decide about what it finds out.
pub fn bytes(bytes: &[u8]) -> Result<(), Failure> {
    if is_closed() {
        return Ok(());
    }
    let mut out = io::stdout().lock();
    match out.write_all(bytes).and_then(|()| out.flush()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {
            IS_CLOSED.store(true, Ordering::Relaxed);
            Ok(())
        }
        printed => printed.map_err(Failure::Output),
    }
}

/// Whether nobody reads stdout any more: what does nothing but print may end.
pub fn is_closed() -> bool {
    IS_CLOSED.load(Ordering::Relaxed)
}

/// Prints a line to stdout.
pub fn line(line: &str) -> Result<(), Failure> {
    text(&format!("{line}\n"))
}

/// Prints a line to stderr. The program goes on if stderr is closed.
pub fn warn(line: &str) {
    drop(writeln!(io::stderr(), "{}", visible(line)));
}

/// Whether stderr is a terminal.
pub fn is_terminal() -> bool {
    io::stderr().is_terminal()
}
