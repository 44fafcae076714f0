//! `docs`: the picture of the documents, an SVG that is drawn from a text: boxes on a grid, and straight arrows between them.

use std::{fmt::Write as _, fs, path::PathBuf};

use crate::{
    Result,
    commands::{root, say, short},
};

/// What a box of one column and one row measures, and what is left between boxes, in pixels.
const BOX: (u32, u32) = (230, 96);
const GAP: (u32, u32) = (130, 54);
const MARGIN: u32 = 16;
const LINE: u32 = 20;
/// Readable on light and on dark pages: an image follows the system's choice by itself.
const STYLE: &str = "text{font:14px system-ui,sans-serif;fill:#1f2328}.title{font-weight:600}.label{font-size:12px;fill:#59636e}\
    rect{fill:#f6f8fa;stroke:#818b98}line{stroke:#59636e;stroke-width:1.5}path{fill:#59636e}\
    @media(prefers-color-scheme:dark){text{fill:#f0f6fc}.label{fill:#9198a1}rect{fill:#151b23;stroke:#656c76}\
    line{stroke:#9198a1}path{fill:#9198a1}}";

/// A box, in pixels.
struct Shape<'a> {
    name: &'a str,
    x: (u32, u32),
    y: (u32, u32),
    lines: Vec<&'a str>,
}

/// Writes the picture.
pub fn write() -> Result {
    let (from, to) = (source(), picture());
    let text = fs::read_to_string(&from).map_err(|error| format!("cannot read {}: {error}", short(&from)))?;
    fs::write(&to, drawn(&text)?).map_err(|error| format!("cannot write {}: {error}", short(&to)))?;
    say(&format!("Drew {}.", short(&to)));
    Ok(())
}

fn source() -> PathBuf {
    root().join("docs/architecture.txt")
}

fn picture() -> PathBuf {
    root().join("docs/architecture.svg")
}

/// A text as a picture.
fn drawn(text: &str) -> Result<String> {
    let (mut shapes, mut arrows) = (Vec::new(), String::new());
    let lines = text.lines().enumerate().filter(|(_, line)| !line.is_empty() && !line.starts_with('#'));
    for (number, line) in lines {
        let wrong = || format!("line {} of the picture is neither a box nor an arrow: {line}", number + 1);
        let (head, said) = line.split_once(" : ").ok_or_else(wrong)?;
        let words = head.split_whitespace().collect::<Vec<_>>();
        match words[..] {
            ["box", name, column, row, columns, rows] => {
                let number = |word: &str| word.parse::<u32>().map_err(|_| wrong());
                let x = along(number(column)?, number(columns)?, BOX.0, GAP.0);
                let y = along(number(row)?, number(rows)?, BOX.1, GAP.1);
                shapes.push(Shape { name, x, y, lines: said.split(" | ").collect() });
            }
            ["arrow", from, to] => {
                let named = |name: &str| shapes.iter().find(|shape| shape.name == name).ok_or_else(wrong);
                arrows += &arrow(named(from)?, named(to)?, said);
            }
            _ => return Err(wrong()),
        }
    }
    let end = |of: fn(&Shape<'_>) -> u32| shapes.iter().map(of).max().unwrap_or_default() + MARGIN;
    let (width, height) = (end(|shape| shape.x.1), end(|shape| shape.y.1));
    let boxes = shapes.iter().map(shape).collect::<String>();
    Ok(format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" width=\"{width}\" height=\"{height}\" \
         role=\"img\">\n<title>Muster: operators, the server, its store, and agents that only call out</title>\n\
         <style>{STYLE}</style>\n{boxes}{arrows}</svg>\n"
    ))
}

/// Where so many cells begin and end, from this one on.
fn along(cell: u32, count: u32, size: u32, gap: u32) -> (u32, u32) {
    let begin = MARGIN + cell * (size + gap);
    (begin, begin + count * (size + gap) - gap)
}

fn shape(Shape { x, y, lines, .. }: &Shape<'_>) -> String {
    let (middle, width, height) = (x.0.midpoint(x.1), x.1 - x.0, y.1 - y.0);
    let mut drawn = format!("<rect x=\"{}\" y=\"{}\" width=\"{width}\" height=\"{height}\" rx=\"8\"/>\n", x.0, y.0);
    let first = y.0.midpoint(y.1) + 5 - (u32::try_from(lines.len()).unwrap_or(1) - 1) * LINE / 2;
    for (line, y) in lines.iter().zip((first..).step_by(LINE as usize)) {
        let class = if y == first { "title" } else { "line" };
        let text = escaped(line);
        let _ =
            writeln!(drawn, "<text class=\"{class}\" x=\"{middle}\" y=\"{y}\" text-anchor=\"middle\">{text}</text>");
    }
    drawn
}

/// From one box straight to another, where they face each other.
fn arrow(from: &Shape<'_>, to: &Shape<'_>, label: &str) -> String {
    let facing = |one: (u32, u32), other: (u32, u32)| one.0.max(other.0).midpoint(one.1.min(other.1));
    let right = from.x.1 <= to.x.0;
    let (start, end, head) = if right {
        let y = facing(from.y, to.y);
        ((from.x.1, y), (to.x.0, y), "l-9 -5v10z")
    } else {
        let x = facing(from.x, to.x);
        ((x, from.y.0), (x, to.y.1), "l-5 9h10z")
    };
    let (x, y) = (start.0.midpoint(end.0), start.1.midpoint(end.1));
    let (x, y, anchor) = if right { (x, y - 8, "middle") } else { (x + 10, y + 4, "start") };
    format!(
        "<line x1=\"{}\" y1=\"{}\" x2=\"{}\" y2=\"{}\"/><path d=\"M{} {}{head}\"/>\n\
         <text class=\"label\" x=\"{x}\" y=\"{y}\" text-anchor=\"{anchor}\">{}</text>\n",
        start.0,
        start.1,
        end.0,
        end.1,
        end.0,
        end.1,
        escaped(label)
    )
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_picture_is_drawn_from_its_text() {
        let [text, kept] = [source(), picture()].map(|path| fs::read_to_string(path).expect("it is in the repository"));
        assert!(drawn(&text).as_ref() == Ok(&kept), "docs/architecture.svg is stale: cargo xtask docs draws it anew");
    }

    #[test]
    fn what_cannot_be_drawn_is_named_by_its_line() {
        for line in ["box a 0 0 1 : A", "box a 0 0 1 x : A", "arrow a b : to nobody", "circle a : A", "box"] {
            let failed = drawn(&format!("# a comment\n\n{line}")).expect_err(line);
            assert!(failed.starts_with("line 3 of the picture"), "{failed}");
        }
    }
}
