//! Just enough of Rust's grammar to find functions: texts and comments are blanked, then braces are matched.

use std::ops::Range;

use super::{
    Function,
    text::{blanked, closing, comment, is_of_a_name, line, lines, name, words},
};

/// How many lines a file has and which functions, those of tests aside.
pub fn measure(source: &str) -> (usize, Vec<Function>) {
    let code = blanked(source, literal);
    let tests = tests(&code);
    let of_tests = tests.iter().map(|test| lines(&code, test.start, test.end)).sum::<usize>();
    let own = words(&code, "fn ").filter(|start| !tests.iter().any(|test| test.contains(start)));
    (source.lines().count() - of_tests, own.filter_map(|start| function(&code, start)).collect())
}

/// The items that are compiled for tests alone.
fn tests(code: &str) -> Vec<Range<usize>> {
    const MARK: &str = "#[cfg(test)]";
    let item = |start: usize| start..end(code, start + MARK.len()).map_or(code.len(), |end| end + 1);
    code.match_indices(MARK).map(|(start, _)| item(start)).collect()
}

fn function(code: &str, start: usize) -> Option<Function> {
    let name = name(&code[start + 3..]);
    let end = end(code, start).filter(|end| code[*end..].starts_with('}'))?;
    let length = lines(code, start, end);
    (!name.is_empty()).then_some(Function { name, line: line(code, start), length })
}

/// Where the item ends that begins here: at its last brace, or at its semicolon.
fn end(code: &str, start: usize) -> Option<usize> {
    let mut depth = 0_usize;
    let mut body = false;
    for (offset, letter) in code[start..].char_indices() {
        match letter {
            '(' | '[' => depth += 1,
            '{' => {
                body |= depth == 0;
                depth += 1;
            }
            ')' | ']' | '}' => depth = depth.checked_sub(1)?,
            ';' if depth == 0 => return Some(start + offset),
            _ => {}
        }
        if body && depth == 0 {
            return Some(start + offset);
        }
    }
    None
}

/// How long the text, letter or comment is that `rest` begins with; none if it begins with something else.
fn literal(rest: &str, before: &str) -> Option<usize> {
    let to_end = |end: Option<usize>| Some(end.unwrap_or(rest.len()));
    if let Some(length) = comment(rest) {
        return Some(length);
    }
    if !before.ends_with(is_of_a_name)
        && let Some(raw) = rest.strip_prefix("br").or_else(|| rest.strip_prefix('r'))
    {
        let hashes = raw.chars().take_while(|letter| *letter == '#').count();
        if raw[hashes..].starts_with('"') {
            let open = rest.len() - raw.len() + hashes + 1;
            let close = format!("\"{}", "#".repeat(hashes));
            return to_end(rest[open..].find(&close).map(|end| open + end + close.len()));
        }
    }
    if rest.starts_with('"') {
        return to_end(closing(rest, '"'));
    }
    // A quote opens a letter if one closes it soon; else it is a lifetime.
    let is_letter = rest.starts_with("'\\") || rest.starts_with('\'') && rest.chars().nth(2) == Some('\'');
    if is_letter { closing(rest, '\'') } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn functions_are_found_with_their_lengths() {
        let source = "fn one() {}\ntrait T {\n    fn none(&self, x: [u8; 3]);\n}\n\nfn two<'a>(x: &'a str) -> [u8; 2] {\n    \
                      fn inner() {\n    }\n    [1, 2]\n}\n";
        let (_, found) = measure(source);
        let found: Vec<_> = found.iter().map(|found| (found.name.as_str(), found.line, found.length)).collect();
        assert_eq!(found, [("one", 1, 1), ("two", 6, 5), ("inner", 7, 2)]);
    }

    #[test]
    fn braces_in_texts_letters_and_comments_do_not_count() {
        let source = "fn a() {\n    let x = \"fn b() { \\\" }\"; // }\n    let y = '}'; let z = '\\''; /* } */\n    \
                      let w = r#\"} \" }\"#;\n}\nfn c() {}\n";
        let (_, found) = measure(source);
        assert_eq!(found.iter().map(|found| found.length).collect::<Vec<_>>(), [5, 1]);
    }

    #[test]
    fn tests_and_what_is_in_them_do_not_count() {
        let source =
            "fn a() {\n}\n\n#[cfg(test)]\nmod tests {\n    fn b() {\n    }\n}\n#[cfg(test)]\nmod more;\nfn c() {}\n";
        let (lines, found) = measure(source);
        assert_eq!(found.iter().map(|found| found.name.as_str()).collect::<Vec<_>>(), ["a", "c"]);
        assert_eq!(lines, 4);
    }
}
