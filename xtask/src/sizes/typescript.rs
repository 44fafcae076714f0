//! Just enough of TypeScript's grammar to find functions that have a name: `function name(…) {…}` and `name = (…) => …`.
//!
//! Text between JSX tags is not told from code: a quote there opens a text only if the same line closes it.

use super::{
    Function,
    text::{blanked, closing, comment, is_of_a_name, line, lines, name, words},
};

/// How many lines a file has and which functions.
pub fn measure(source: &str) -> (usize, Vec<Function>) {
    let code = blanked(source, literal);
    let declared = words(&code, "function ").filter_map(|start| declared(&code, start));
    let bound = words(&code, "const ").filter_map(|start| bound(&code, start));
    (source.lines().count(), declared.chain(bound).collect())
}

/// `function name<T>(…): Type {…}`.
fn declared(code: &str, start: usize) -> Option<Function> {
    let named = start + "function ".len();
    let parameters = named + code[named..].find('(')?;
    let end = block(code, closed(code, parameters)? + 1)?;
    found(code, start, &code[named..], end)
}

/// `const name = async (…) => …`: the body is a block, or what stands in brackets.
fn bound(code: &str, start: usize) -> Option<Function> {
    let named = start + "const ".len();
    let after = named + name(&code[named..]).len();
    let value = code[after..].trim_start().strip_prefix('=')?.trim_start();
    let value = value.strip_prefix("async").map_or(value, str::trim_start);
    let parameters = code.len() - value.len();
    let arrow = if value.starts_with('(') {
        let after = closed(code, parameters)? + 1;
        // A type may stand in between.
        let arrow = code[after..].find("=>")?;
        (!code[after..after + arrow].contains(';')).then_some(after + arrow)?
    } else {
        let after = parameters + name(value).len();
        code[after..].trim_start().starts_with("=>").then(|| after + code[after..].find("=>").unwrap_or_default())?
    };
    let body = arrow + 2 + code[arrow + 2..].find(|letter: char| !letter.is_whitespace())?;
    let end = if code[body..].starts_with(['{', '(', '[']) { closed(code, body)? } else { body };
    found(code, start, &code[named..], end)
}

fn found(code: &str, start: usize, named: &str, end: usize) -> Option<Function> {
    let name = name(named);
    (!name.is_empty()).then(|| Function { name, line: line(code, start), length: lines(code, start, end) })
}

/// Where the block ends that follows, behind the type of what it gives.
fn block(code: &str, from: usize) -> Option<usize> {
    let open = from + code[from..].find('{')?;
    let is_type = code[from..open].trim_end().ends_with([':', '|', '&', '<']);
    let end = closed(code, open)?;
    if is_type { block(code, end + 1) } else { Some(end) }
}

/// Where the bracket is closed that stands here.
fn closed(code: &str, open: usize) -> Option<usize> {
    let mut depth = 0_usize;
    for (offset, letter) in code[open..].char_indices() {
        match letter {
            '(' | '[' | '{' => depth += 1,
            ')' | ']' | '}' => depth = depth.checked_sub(1)?,
            _ => {}
        }
        if depth == 0 {
            return Some(open + offset);
        }
    }
    None
}

/// How long the text or comment is that `rest` begins with; none if it begins with something else.
fn literal(rest: &str, before: &str) -> Option<usize> {
    if let Some(length) = comment(rest) {
        // The two slashes of an address between JSX tags are no comment.
        return (!before.ends_with(':')).then_some(length);
    }
    let quote = rest.chars().next().filter(|letter| ['"', '\'', '`'].contains(letter))?;
    let length = closing(rest, quote)?;
    let is_text = quote == '`' || !rest[..length].contains('\n') && !before.ends_with(is_of_a_name);
    is_text.then_some(length)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn functions(source: &str) -> Vec<(String, usize)> {
        measure(source).1.into_iter().map(|found| (found.name, found.length)).collect()
    }

    #[test]
    fn functions_with_a_name_are_found_with_their_lengths() {
        let source = "export function one<T>(a: { b: T }): { c: T } {\n  return { c: a.b }\n}\n\
                      const two = async (a: number): Promise<void> => {\n  await a\n}\nconst three = (a: number) => a + 1\n\
                      const four = a => (\n  <p>\n    {a}\n  </p>\n)\nconst five = one({ b: 1 })\n";
        let expected = [("one", 3), ("two", 3), ("three", 1), ("four", 5)];
        assert_eq!(functions(source), expected.map(|(name, length)| (name.to_owned(), length)));
    }

    #[test]
    fn braces_in_texts_and_comments_do_not_count() {
        let source = "function a() {\n  const b = '}' // }\n  return `}${b}` /* } */\n}\nfunction c() {\n  return <p>It's {'}'}</p>\n}\n";
        assert_eq!(functions(source), [("a".to_owned(), 4), ("c".to_owned(), 3)]);
    }
}
