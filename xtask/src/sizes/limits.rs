//! The limits, and what is let off them by name: no more than is needed.

use super::sources::Measured;
use crate::Result;

/// Of a file.
const LINES: usize = 400;
/// Of a function.
const FUNCTION_LINES: usize = 60;

/// What may be longer, and why: a file by its path, a function as `path name`.
pub type Exception = (&'static str, &'static str);

/// Fails with everything that is too long and not let off, and with every exception that nothing needs.
pub fn hold<'a>(files: impl IntoIterator<Item = &'a Measured>, exceptions: &[Exception]) -> Result {
    let mut unused = exceptions.iter().map(|(name, _)| *name).collect::<Vec<_>>();
    let mut wrong = Vec::new();
    for (name, length, limit) in files.into_iter().filter(|file| !file.is_test).flat_map(too_long) {
        let excepted = unused.iter().position(|known| *known == name);
        if let Some(position) = excepted {
            unused.swap_remove(position);
        } else {
            wrong.push(format!("{name} has {length} lines; the limit is {limit}"));
        }
    }
    wrong.extend(unused.iter().map(|name| format!("{name} is short enough, or gone: it needs no exception any more")));
    if wrong.is_empty() { Ok(()) } else { Err(format!("\n{}", wrong.join("\n"))) }
}

/// What of a file is too long: by name, with its length and the limit.
fn too_long(file: &Measured) -> Vec<(String, usize, usize)> {
    let whole = (file.path.clone(), file.lines, LINES);
    let functions =
        file.functions.iter().map(|found| (format!("{} {}", file.path, found.name), found.length, FUNCTION_LINES));
    [whole].into_iter().chain(functions).filter(|(_, length, limit)| length > limit).collect()
}

#[cfg(test)]
mod tests {
    use super::{super::Function, *};

    fn file(lines: usize, function: usize, is_test: bool) -> Measured {
        let functions = vec![Function { name: "work".into(), line: 1, length: function }];
        Measured { path: "a.rs".into(), lines, functions, is_test }
    }

    #[test]
    fn what_is_as_long_as_it_may_be_holds_and_one_line_more_does_not() {
        assert_eq!(hold(&[file(LINES, FUNCTION_LINES, false)], &[]), Ok(()));
        let refused = hold(&[file(LINES + 1, FUNCTION_LINES + 1, false)], &[])
            .expect_err("it is too long, or excepted for nothing");
        assert!(refused.contains("a.rs has 401 lines") && refused.contains("a.rs work has 61 lines"), "{refused}");
    }

    #[test]
    fn tests_may_be_as_long_as_they_like() {
        assert_eq!(hold(&[file(LINES + 1, FUNCTION_LINES + 1, true)], &[]), Ok(()));
    }

    #[test]
    fn an_exception_lets_off_what_it_names_alone_and_must_be_needed() {
        let long = [file(1, FUNCTION_LINES + 1, false)];
        assert_eq!(hold(&long, &[("a.rs work", "a list")]), Ok(()));
        assert!(hold(&long, &[("a.rs", "a list")]).is_err());
        let refused = hold(&[file(1, 1, false)], &[("a.rs work", "a list")])
            .expect_err("it is too long, or excepted for nothing");
        assert!(refused.contains("a.rs work is short enough"), "{refused}");
    }
}
