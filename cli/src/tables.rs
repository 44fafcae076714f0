//! Tables for people: aligned columns, two spaces apart, nothing after the last.

use std::fmt::Write;

/// Rows under a head.
pub struct Table {
    rows: Vec<Vec<String>>,
}

impl Table {
    /// A table with these columns.
    pub fn new<const N: usize>(head: [&str; N]) -> Self {
        Self { rows: vec![head.map(String::from).into()] }
    }

    /// Adds a row.
    pub fn row<const N: usize>(&mut self, cells: [String; N]) {
        self.rows.push(cells.into());
    }

    /// The text, or `nothing` when there are no rows.
    pub fn render(&self, nothing: &str) -> String {
        if self.rows.len() == 1 {
            return format!("{nothing}\n");
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

/// Names and values, one pair per line, the values aligned.
pub fn facts(pairs: &[(&str, String)]) -> String {
    let width = pairs.iter().map(|(name, _)| name.len()).max().unwrap_or_default();
    pairs.iter().filter(|(_, value)| !value.is_empty()).fold(String::new(), |mut text, (name, value)| {
        writeln!(text, "{name:width$}  {}", printable(value)).expect("writing to a String cannot fail");
        text
    })
}

/// A text from elsewhere without anything that steers a terminal.
pub fn printable(text: &str) -> String {
    text.chars().map(|letter| if letter.is_control() { ' ' } else { letter }).collect()
}

/// Who did something, by name where there is one; a program's says that it is one.
pub fn who(actor: &str, name: &str) -> String {
    match (name, actor.starts_with("key:")) {
        ("", _) => actor.into(),
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
    fn no_rows_are_a_sentence() {
        assert_eq!(Table::new(["NAME"]).render("No hosts."), "No hosts.\n");
    }

    #[test]
    fn a_host_cannot_steer_the_terminal_by_its_name() {
        let mut table = Table::new(["NAME"]);
        table.row(["\u{1b}[2Jgone".into()]);
        assert_eq!(table.render("none"), "NAME\n [2Jgone\n");
        assert_eq!(facts(&[("name", "a\nb".into()), ("empty", String::new())]), "name   a b\n");
    }
}
