//! Just enough of Rust's grammar to find functions: texts and comments are blanked, then braces are matched.

/// A function and how many lines it has, from `fn` to its last brace.
#[derive(Debug, PartialEq, Eq)]
pub struct Function {
    /// Its name.
    pub name: String,
    /// The line it begins on, from 1.
    pub line: usize,
    /// Its length in lines.
    pub length: usize,
}

/// Every function with a body, nested ones too.
pub fn functions(source: &str) -> Vec<Function> {
    let code = blanked(source);
    let starts = code.match_indices("fn ").map(|(start, _)| start);
    let at_word = |start: &usize| !code[..*start].ends_with(|letter: char| letter.is_alphanumeric() || letter == '_');
    starts.filter(at_word).filter_map(|start| function(&code, start)).collect()
}

fn function(code: &str, start: usize) -> Option<Function> {
    let name: String =
        code[start + 3..].chars().take_while(|letter| letter.is_alphanumeric() || *letter == '_').collect();
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
            ';' if depth == 0 => return None,
            _ => {}
        }
        if body && depth == 0 {
            let line = code[..start].matches('\n').count() + 1;
            let length = code[start..start + offset].matches('\n').count() + 1;
            return (!name.is_empty()).then_some(Function { name, line, length });
        }
    }
    None
}

/// The source with every text, letter literal and comment as spaces; lines stay lines.
fn blanked(source: &str) -> String {
    let mut code = String::with_capacity(source.len());
    let mut rest = source;
    while !rest.is_empty() {
        let length = literal(rest, &code).unwrap_or(0);
        if length == 0 {
            let letter = rest.chars().next().expect("the rest is not empty");
            code.push(letter);
            rest = &rest[letter.len_utf8()..];
        } else {
            code.extend(rest[..length].chars().map(|letter| if letter == '\n' { '\n' } else { ' ' }));
            rest = &rest[length..];
        }
    }
    code
}

/// How long the text, letter or comment is that `rest` begins with; none if it begins with something else.
fn literal(rest: &str, before: &str) -> Option<usize> {
    let to_end = |end: Option<usize>| Some(end.unwrap_or(rest.len()));
    if rest.starts_with("//") {
        return to_end(rest.find('\n'));
    }
    if rest.starts_with("/*") {
        return to_end(rest.find("*/").map(|end| end + 2));
    }
    let in_word = before.ends_with(|letter: char| letter.is_alphanumeric() || letter == '_');
    if !in_word && let Some(raw) = rest.strip_prefix("br").or_else(|| rest.strip_prefix('r')) {
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

/// Where the literal that `rest` begins with ends, escapes passed over.
fn closing(rest: &str, quote: char) -> Option<usize> {
    let mut escaped = false;
    for (offset, letter) in rest.char_indices().skip(1) {
        match letter {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            _ if letter == quote => return Some(offset + letter.len_utf8()),
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn functions_are_found_with_their_lengths() {
        let source = "fn one() {}\ntrait T {\n    fn none(&self, x: [u8; 3]);\n}\n\nfn two<'a>(x: &'a str) -> [u8; 2] {\n    \
                      fn inner() {\n    }\n    [1, 2]\n}\n";
        let found = functions(source);
        let found: Vec<_> = found.iter().map(|found| (found.name.as_str(), found.line, found.length)).collect();
        assert_eq!(found, [("one", 1, 1), ("two", 6, 5), ("inner", 7, 2)]);
    }

    #[test]
    fn braces_in_texts_letters_and_comments_do_not_count() {
        let source = "fn a() {\n    let x = \"fn b() { \\\" }\"; // }\n    let y = '}'; let z = '\\''; /* } */\n    \
                      let w = r#\"} \" }\"#;\n}\nfn c() {}\n";
        let found = functions(source);
        assert_eq!(found.iter().map(|found| found.length).collect::<Vec<_>>(), [5, 1]);
    }
}
