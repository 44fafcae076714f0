//! Markdown pages: their blocks of code, code spans, links, headings and tables.

use std::{
    fs,
    path::{Path, PathBuf},
};

/// A document of the repository.
pub struct Page {
    /// Where it is, from the top of the repository.
    pub path: String,
    /// What it says.
    pub text: String,
}

/// A fenced block of code.
#[derive(Debug)]
pub struct Block {
    /// Where it begins, as `page:line`.
    pub place: String,
    /// Its language.
    pub language: String,
    /// What it requires, so that it cannot be run here.
    pub requires: Option<String>,
    /// What it holds.
    pub text: String,
}

/// The top of the repository.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().into()
}

/// Every document: those at the top, those in `docs`, and the README of each part.
pub fn pages() -> Vec<Page> {
    let mut paths = vec![];
    for name in ["", "docs", "docs/decisions", "tests", "infra", "localstack", "console", "schemas"] {
        let entries = fs::read_dir(root().join(name)).unwrap().map(|entry| entry.unwrap().path());
        paths.extend(entries.filter(|path| path.extension().is_some_and(|extension| extension == "md")));
    }
    paths.sort();
    let page = |path: PathBuf| {
        let text = fs::read_to_string(&path).unwrap();
        Page { path: path.strip_prefix(root()).unwrap().to_str().unwrap().into(), text }
    };
    paths.into_iter().map(page).collect()
}

/// The document at this path.
pub fn page(path: &str) -> Page {
    pages().into_iter().find(|page| page.path == path).unwrap_or_else(|| panic!("there is no {path}"))
}

impl Page {
    /// Its blocks of code, in order.
    pub fn blocks(&self) -> Vec<Block> {
        let (mut blocks, mut open) = (Vec::new(), None::<Block>);
        for (number, line) in self.text.lines().enumerate() {
            match (line.strip_prefix("```"), &mut open) {
                (Some(""), Some(_)) => blocks.extend(open.take()),
                (Some(head), None) => {
                    let place = format!("{}:{}", self.path, number + 1);
                    let (language, more) = head.split_once(' ').unwrap_or((head, ""));
                    let requires = more.strip_prefix("requires=").map(str::to_owned);
                    assert!(more.is_empty() || requires.is_some(), "{place}: {more:?} is no mark of a block");
                    open = Some(Block { place, language: language.into(), requires, text: String::new() });
                }
                (_, Some(block)) => block.text.extend([line, "\n"]),
                (_, None) => {}
            }
        }
        assert!(open.is_none(), "{open:?} is not closed");
        blocks
    }

    /// What it says outside of its blocks of code.
    pub fn prose(&self) -> String {
        let parts = self.text.split("\n```").step_by(2);
        parts.map(|part| part.strip_prefix('\n').unwrap_or(part)).collect::<Vec<_>>().join("\n\n")
    }

    /// What stands in backticks.
    pub fn spans(&self) -> Vec<String> {
        let prose = self.prose();
        let paragraphs = prose.split("\n\n");
        // A backtick that is never closed ends with its paragraph.
        let spans = paragraphs.flat_map(|paragraph| paragraph.split('`').skip(1).step_by(2));
        spans.map(|span| span.split_whitespace().collect::<Vec<_>>().join(" ")).collect()
    }

    /// Where its links lead.
    pub fn links(&self) -> Vec<String> {
        let prose = self.prose();
        let links = prose.split("](").skip(1).filter_map(|rest| rest.split(')').next());
        links.map(str::to_owned).collect()
    }

    /// Its headings, as the anchors that links name.
    pub fn anchors(&self) -> Vec<String> {
        let prose = self.prose();
        let headings =
            prose.lines().filter(|line| line.starts_with('#')).map(|line| line.trim_start_matches('#').trim());
        let anchor = |heading: &str| {
            let kept = heading
                .to_lowercase()
                .chars()
                .filter(|letter| letter.is_alphanumeric() || " -_".contains(*letter))
                .collect::<String>();
            kept.replace(' ', "-")
        };
        headings.map(anchor).collect()
    }

    /// The rows of the table below a heading, without the backticks of their cells.
    pub fn table(&self, heading: &str) -> Vec<Vec<String>> {
        let rest = self.text.split(&format!("\n{heading}\n")).nth(1);
        let rest = rest.unwrap_or_else(|| panic!("{} has no heading {heading:?}", self.path));
        let lines = rest.lines().skip_while(|line| !line.starts_with('|')).take_while(|line| line.starts_with('|'));
        let cells = |line: &str| line.trim_matches('|').split('|').map(|cell| cell.trim().replace('`', "")).collect();
        // The first two are the head and the line below it.
        lines.skip(2).map(cells).collect()
    }

    /// The block of this language below a heading.
    pub fn block_below(&self, heading: &str, language: &str) -> String {
        let rest = self.text.split(&format!("\n{heading}\n")).nth(1).unwrap_or_default();
        let block = rest.split(&format!("\n```{language}\n")).nth(1).and_then(|rest| rest.split("\n```").next());
        block.unwrap_or_else(|| panic!("{} has no block of {language} below {heading:?}", self.path)).into()
    }
}
