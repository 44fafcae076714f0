//! Lexing, as far as Rust and TypeScript have it in common: blanks where nothing is code, and braces that match.

/// The source with everything that `literal` finds as spaces; lines stay lines. `literal` is given the rest of the source and
/// the code before it, and says how long the text, letter or comment is that the rest begins with.
pub fn blanked(source: &str, literal: impl Fn(&str, &str) -> Option<usize>) -> String {
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

/// Where the comment ends that `rest` begins with.
pub fn comment(rest: &str) -> Option<usize> {
    let to_end = |end: Option<usize>| Some(end.unwrap_or(rest.len()));
    if rest.starts_with("//") {
        to_end(rest.find('\n'))
    } else if rest.starts_with("/*") {
        to_end(rest.find("*/").map(|end| end + 2))
    } else {
        None
    }
}

/// Where the literal that `rest` begins with ends, escapes passed over.
pub fn closing(rest: &str, quote: char) -> Option<usize> {
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

/// Whether a letter may be part of a name.
pub fn is_of_a_name(letter: char) -> bool {
    letter.is_alphanumeric() || letter == '_'
}

/// The name that a piece of code begins with.
pub fn name(code: &str) -> String {
    code.chars().take_while(|letter| is_of_a_name(*letter)).collect()
}

/// Where these words stand as words of their own.
pub fn words<'a>(code: &'a str, word: &'a str) -> impl Iterator<Item = usize> + 'a {
    code.match_indices(word).map(|(start, _)| start).filter(|start| !code[..*start].ends_with(is_of_a_name))
}

/// Which line of the code a place is on, from 1.
pub fn line(code: &str, place: usize) -> usize {
    code[..place].matches('\n').count() + 1
}

/// How many lines there are from one place through another.
pub fn lines(code: &str, from: usize, through: usize) -> usize {
    code[from..through].matches('\n').count() + 1
}
