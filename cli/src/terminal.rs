//! Terminal safety: what hosts and servers say reaches a terminal as text only. Of escape sequences, colors alone pass, and only
//! in logs.

use std::{borrow::Cow, env, fmt::Write, mem};

/// The longest escape sequence that is taken for a color, in bytes.
const MAX_COLOR_BYTES: usize = 64;
/// Ends all colors.
pub const RESET: &str = "\u{1b}[0m";

/// Whether a terminal obeys the character, or hides it, instead of showing it: control characters, and those that turn the
/// direction of text or are invisible. A text that has one may look like another text.
pub fn is_deceptive(character: char) -> bool {
    character.is_control()
        || matches!(character,
            '\u{61c}' | '\u{180e}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

/// A text with deceptive characters written out as JSON writes them, so that JSON stays the same; line breaks and tabs stay.
pub fn visible(text: &str) -> Cow<'_, str> {
    let passes = |character: char| matches!(character, '\n' | '\t') || !is_deceptive(character);
    if text.chars().all(passes) {
        return Cow::Borrowed(text);
    }
    text.chars()
        .fold(String::with_capacity(text.len() + 16), |mut shown, character| {
            if passes(character) {
                shown.push(character);
            } else {
                for unit in character.encode_utf16(&mut [0; 2]) {
                    write!(shown, "\\u{unit:04x}").expect("writing to a String cannot fail");
                }
            }
            shown
        })
        .into()
}

/// The output of a program on its way to a terminal.
#[derive(Debug)]
pub struct Screen {
    colors: bool,
    /// The beginning of an escape sequence or of a line break, whose rest has not come yet.
    pending: String,
    in_line: bool,
    is_colored: bool,
}

impl Screen {
    /// A screen that shows colors unless `NO_COLOR` is set.
    pub fn new() -> Self {
        Self::with_colors(env::var_os("NO_COLOR").is_none_or(|set| set.is_empty()))
    }

    fn with_colors(colors: bool) -> Self {
        Self { colors, pending: String::new(), in_line: false, is_colored: false }
    }

    /// What to print for the next part of the output.
    pub fn show(&mut self, text: &str, is_last: bool) -> String {
        let text = mem::take(&mut self.pending) + text;
        let (mut shown, mut rest) = (String::with_capacity(text.len()), text.as_str());
        while let Some(character) = rest.chars().next() {
            let taken = match character {
                '\u{1b}' => self.escape(rest, is_last, &mut shown),
                '\r' => self.carriage_return(rest, is_last, &mut shown),
                _ => {
                    put(character, &mut shown);
                    Some(character.len_utf8())
                }
            };
            let Some(taken) = taken else {
                self.pending = rest.into();
                break;
            };
            self.in_line = shown.chars().next_back().map_or(self.in_line, |last| last != '\n');
            rest = &rest[taken..];
        }
        if is_last && mem::take(&mut self.is_colored) {
            shown.push_str(RESET);
        }
        shown
    }

    /// A color as it is, and every other sequence as text. `None`: its end has not come yet.
    fn escape(&mut self, text: &str, is_last: bool, shown: &mut String) -> Option<usize> {
        match color(text) {
            Color::Whole { bytes, is_reset } => {
                if self.colors {
                    shown.push_str(&text[..bytes]);
                    self.is_colored = !is_reset;
                }
                Some(bytes)
            }
            Color::Begun if !is_last => None,
            Color::Begun | Color::None => {
                put('\u{1b}', shown);
                Some(1)
            }
        }
    }

    /// With it, a progress bar paints over its line, and a hostile program over what others have said: it begins a new line.
    fn carriage_return(&self, text: &str, is_last: bool, shown: &mut String) -> Option<usize> {
        let behind = text.trim_start_matches('\r');
        if behind.is_empty() && !is_last {
            return None;
        }
        if !behind.starts_with('\n') && self.in_line {
            shown.push('\n');
        }
        Some(text.len() - behind.len())
    }
}

/// Puts a character so that it is seen: control characters as `^[`, other deceptive ones by their number.
fn put(character: char, shown: &mut String) {
    match character {
        '\n' | '\t' => shown.push(character),
        '\0'..='\u{1f}' | '\u{7f}' => {
            shown.push('^');
            shown.push(char::from(character as u8 ^ 0x40));
        }
        _ if is_deceptive(character) => {
            write!(shown, "<U+{:04X}>", u32::from(character)).expect("writing to a String cannot fail");
        }
        _ => shown.push(character),
    }
}

enum Color {
    /// So many bytes are a color.
    Whole {
        bytes: usize,
        is_reset: bool,
    },
    /// It may become one.
    Begun,
    None,
}

/// Whether a text that begins with ESC begins with a sequence that sets colors and weight and does nothing else.
fn color(text: &str) -> Color {
    let Some(rest) = text.strip_prefix("\u{1b}[") else {
        return if text.len() == 1 { Color::Begun } else { Color::None };
    };
    let parameters = rest.len() - rest.trim_start_matches(|it: char| it.is_ascii_digit() || ";:".contains(it)).len();
    if parameters > MAX_COLOR_BYTES {
        return Color::None;
    }
    match rest[parameters..].chars().next() {
        None => Color::Begun,
        Some('m') if !conceals(&rest[..parameters]) => {
            // The 0 of a color of the palette, as in 38;5;0, resets nothing.
            let sets = rest[..parameters].split([';', ':']).any(|it| matches!(it, "38" | "48" | "58"));
            let is_reset = !sets && matches!(rest[..parameters].rsplit(';').next(), Some("" | "0"));
            Color::Whole { bytes: "\u{1b}[".len() + parameters + 1, is_reset }
        }
        Some(_) => Color::None,
    }
}

/// Whether parameters of a color hide what comes behind them (8).
fn conceals(parameters: &str) -> bool {
    let mut parameters = parameters.split(';');
    while let Some(parameter) = parameters.next() {
        match parameter.split(':').next().unwrap_or_default().trim_start_matches('0') {
            "8" => return true,
            // What follows is a color of the palette, or red, green and blue.
            "38" | "48" | "58" if !parameter.contains(':') => match parameters.next() {
                Some("5") => drop(parameters.next()),
                Some("2") => drop(parameters.nth(2)),
                _ => {}
            },
            _ => {}
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> String {
        Screen::with_colors(true).show(text, true)
    }

    #[test]
    fn escape_sequences_are_shown_as_text() {
        assert_eq!(shown("\u{1b}]0;evil\u{7}\u{1b}[2J\u{1b}[1;1H"), "^[]0;evil^G^[[2J^[[1;1H");
        assert_eq!(shown("\u{1b}]52;c;cm0gLXJmIC8=\u{1b}\\"), "^[]52;c;cm0gLXJmIC8=^[\\");
        assert_eq!(shown("\u{9b}2J\u{90}q\u{85}\u{7f}\0\u{8}\u{e}"), "<U+009B>2J<U+0090>q<U+0085>^?^@^H^N");
        assert_eq!(shown("\u{1b}[?1049h\u{1b}[>4;1m\u{1b}c\u{1b}"), "^[[?1049h^[[>4;1m^[c^[");
        assert_eq!(shown("txt.\u{202e}exe\u{2066}\u{e0041}"), "txt.<U+202E>exe<U+2066><U+E0041>");
    }

    #[test]
    fn colors_pass_and_end_with_the_output() {
        for color in ["\u{1b}[31m", "\u{1b}[1;38;5;8m", "\u{1b}[38;2;8;8;8m", "\u{1b}[38:2::1:2:3m"] {
            assert_eq!(shown(&format!("{color}red")), format!("{color}red{RESET}"));
        }
        assert_eq!(shown("\u{1b}[31mred\u{1b}[m."), "\u{1b}[31mred\u{1b}[m.");
        assert_eq!(shown("\u{1b}[8mhidden"), "^[[8mhidden", "it would hide what is printed");
        assert_eq!(shown("\u{1b}[38;5;1;8mhidden"), "^[[38;5;1;8mhidden");
        assert_eq!(Screen::with_colors(false).show("\u{1b}[31mred", true), "red");
    }

    #[test]
    fn a_carriage_return_paints_over_nothing() {
        assert_eq!(shown("10%\r50%\r100%\ndone\r\n\rx\r"), "10%\n50%\n100%\ndone\nx\n");
        assert_eq!(shown("a\r\r\nb"), "a\nb");
    }

    #[test]
    fn other_text_stays_as_it_is() {
        let text = "tab\tümlaut 🦀 👩\u{200d}💻 العربية עברית\n";
        assert_eq!(shown(text), text);
        assert_eq!(visible(text), text);
    }

    #[test]
    fn it_does_not_matter_where_the_output_is_cut() {
        let text = "a\r\nb\rc\u{1b}[31mred\u{1b}[0m\u{1b}[2Jü\u{202e}\u{1b}";
        for cut in (0..=text.len()).filter(|cut| text.is_char_boundary(*cut)) {
            let mut screen = Screen::with_colors(true);
            let both = screen.show(&text[..cut], false) + &screen.show(&text[cut..], true);
            assert_eq!(both, shown(text), "{cut}");
        }
    }

    #[test]
    fn json_means_the_same_when_it_is_made_visible() {
        let json = serde_json::json!({ "name": "good\u{202e}gnp\u{9b}\u{e0041}\u{1b}" });
        let shown = visible(&json.to_string()).into_owned();
        assert_eq!(serde_json::from_str::<serde_json::Value>(&shown).unwrap(), json);
        assert!(!shown.chars().any(is_deceptive), "{shown}");
    }
}
