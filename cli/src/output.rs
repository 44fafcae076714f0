//! Everything that is printed goes through here: answers to stdout, remarks to stderr.

use std::io::{self, IsTerminal, Write};

use jiff::Timestamp;
use muster_schemas::{pages::Page, secrets::Secret};
use serde::de::DeserializeOwned;

use crate::{
    client::{Answer, Client},
    config::{self, Config},
    failures::Failure,
};

/// What every command is given: how to answer, and whom to ask.
pub struct Context {
    /// Whether programs read the answer: then it is the API's own JSON.
    pub json: bool,
    /// The server that was asked for. None: the one logged in to.
    pub server: Option<String>,
    /// The credential from the environment. None: the stored one.
    pub token: Option<Secret>,
}

impl Context {
    /// A client with a credential.
    pub fn client(&self) -> Result<Client, Failure> {
        let target = config::target(self.server.as_deref(), self.token.clone(), Config::load()?, Timestamp::now())?;
        Client::new(&target.server, Some(target.token))
    }

    /// Prints an answer: as it came for programs, as `render` says for people.
    pub fn show<T: DeserializeOwned>(&self, answer: &Answer, render: impl FnOnce(&T) -> String) -> Result<(), Failure> {
        if self.json { line(&answer.body) } else { text(&render(&answer.read()?)) }
    }

    /// Prints an answer for programs, a sentence for people.
    pub fn done(&self, answer: &Answer, sentence: &str) -> Result<(), Failure> {
        if !self.json {
            return line(sentence);
        }
        if answer.body.is_empty() { Ok(()) } else { line(&answer.body) }
    }

    /// A remark for people, on stderr; programs are not bothered.
    pub fn remark(&self, remark: &str) {
        if !self.json {
            warn(remark);
        }
    }
}

/// How much of a list to print.
#[derive(Debug, clap::Args)]
pub struct Paging {
    /// How many entries a page holds (at most 200)
    #[arg(long, value_parser = clap::value_parser!(u16).range(1..=200))]
    limit: Option<u16>,
    /// Start where an earlier page said that more follow
    #[arg(long)]
    cursor: Option<String>,
    /// Every page; with --json one page per line
    #[arg(long)]
    all: bool,
}

impl Paging {
    /// Prints a list as far as it was asked for.
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
            if cursor.is_none() || !self.all {
                break;
            }
        }
        if context.json {
            return Ok(());
        }
        text(&render(&items))?;
        if let Some(cursor) = cursor {
            context.remark(&format!("More follow: --all shows everything, --cursor {cursor} the next page."));
        }
        Ok(())
    }
}

/// Prints a text to stdout as it is.
pub fn text(text: &str) -> Result<(), Failure> {
    bytes(text.as_bytes())
}

/// Prints bytes to stdout as they are, at once.
pub fn bytes(bytes: &[u8]) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    out.write_all(bytes).and_then(|()| out.flush()).map_err(Failure::Output)
}

/// Prints a line to stdout.
pub fn line(line: &str) -> Result<(), Failure> {
    text(&format!("{line}\n"))
}

/// Prints a line to stderr. A stderr that nobody reads is no reason to stop.
pub fn warn(line: &str) {
    drop(writeln!(io::stderr(), "{line}"));
}

/// Whether somebody watches the remarks as they come.
pub fn is_watched() -> bool {
    io::stderr().is_terminal()
}
