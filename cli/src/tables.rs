//! Plain-text tables: aligned columns, two spaces apart, without trailing spaces.

use std::fmt::Write;

use crate::terminal;

/// A header and rows.
pub struct Table {
    rows: Vec<Vec<String>>,
}

impl Table {
    /// A table with this header.
    pub fn new<const N: usize>(header: [&str; N]) -> Self {
        Self { rows: vec![header.map(String::from).into()] }
    }

    /// Adds a row.
    pub fn row<const N: usize>(&mut self, cells: [String; N]) {
        self.rows.push(cells.into());
    }

    /// The table as text, or `empty` if it has no rows.
    pub fn render(&self, empty: &str) -> String {
        if self.rows.len() == 1 {
            return format!("{empty}\n");
        }
        let columns = self.rows.iter().map(Vec::len).max().unwrap_or_default();
        let length = |row: &Vec<String>, column: usize| row.get(column).map_or(0, |cell| printed(cell).len());
        let width = |column| self.rows.iter().map(|row| length(row, column)).max().unwrap_or_default();
        let widths: Vec<usize> = (0..columns).map(width).collect();
        self.rows.iter().fold(String::new(), |mut text, row| {
            text.push_str(line(row, &widths).trim_end());
            text.push('\n');
            text
        })
    }
}

/// Names and values, one pair per line, with aligned values. Pairs with an empty value are left out.
pub fn facts(pairs: &[(&str, String)]) -> String {
    let width = pairs.iter().map(|(name, _)| name.len()).max().unwrap_or_default();
    pairs.iter().filter(|(_, value)| !value.is_empty()).fold(String::new(), |mut text, (name, value)| {
        writeln!(text, "{name:width$}  {}", printable(value)).expect("writing to a String cannot fail");
        text
    })
}

/// Replaces control characters and those that turn or hide text, so that a text from elsewhere cannot send escape sequences to
/// the terminal and does not look like another one.
pub fn printable(text: &str) -> String {
    text.chars().map(|letter| if terminal::is_deceptive(letter) { ' ' } else { letter }).collect()
}

/// `1 host`, `2 hosts`.
pub fn count(number: u64, noun: &str) -> String {
    if number == 1 { format!("1 {noun}") } else { format!("{number} {noun}s") }
}

/// The name of an actor, or its id if it has no name. The name of an API key is marked as one.
pub fn actor(id: &str, name: &str) -> String {
    match (name, id.starts_with("key:")) {
        ("", _) => id.into(),
        (name, true) => format!("key {name}"),
        (name, false) => name.into(),
    }
}

fn line(row: &[String], widths: &[usize]) -> String {
    row.iter().zip(widths).fold(String::new(), |mut text, (cell, width)| {
        let letters = printed(cell);
        text.extend(&letters);
        text.extend(std::iter::repeat_n(' ', width - letters.len() + 2));
        text
    })
}

fn printed(cell: &str) -> Vec<char> {
    let cell = if cell.is_empty() { "-" } else { cell };
    printable(cell).chars().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_as_wide_as_their_widest_cell_and_an_empty_cell_is_a_dash() {
        let mut table = Table::new(["NAME", "STATE", "LABELS"]);
        table.row(["wêb-1".into(), "online".into(), String::new()]);
        table.row(["database-1".into(), "offline".into(), "site=home".into()]);
        insta::assert_snapshot!(table.render("none"), @r"
        NAME        STATE    LABELS
        wêb-1       online   -
        database-1  offline  site=home
        ");
    }

    #[test]
    fn a_table_without_rows_is_a_sentence() {
        assert_eq!(Table::new(["NAME"]).render("There are no hosts."), "There are no hosts.\n");
    }

    #[test]
    fn the_name_of_a_host_cannot_contain_terminal_escape_sequences() {
        let mut table = Table::new(["NAME"]);
        table.row(["\u{1b}[2Jgone".into()]);
        assert_eq!(table.render("none"), "NAME\n [2Jgone\n");
        assert_eq!(printable("good\u{202e}gnp\u{2066}\u{9b}2J\u{feff}"), "good gnp  2J ");
        assert_eq!(facts(&[("name", "a\nb".into()), ("empty", String::new())]), "name   a b\n");
    }
}
