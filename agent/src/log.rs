//! Log lines: a message is one line, whatever others have put into it. A server that is hostile cannot forge a line, and an
//! operator's terminal is not steered by the log.

use std::io::{self, Write};

/// Writes each message, which comes in one piece, as one line.
#[derive(Debug)]
pub struct Lines<W>(pub W);

impl<W: Write> Write for Lines<W> {
    fn write(&mut self, message: &[u8]) -> io::Result<usize> {
        let text = String::from_utf8_lossy(message);
        let line = one_line(text.strip_suffix('\n').unwrap_or(&text)) + "\n";
        self.0.write_all(line.as_bytes())?;
        Ok(message.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

/// A text as one line: what is no letter to a terminal or a log reader is written out (`\n`, `\u{202e}`).
pub fn one_line(text: &str) -> String {
    text.chars().fold(String::with_capacity(text.len()), |mut line, character| {
        let is_obeyed = character.is_control()
            || matches!(character, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
        if is_obeyed {
            line.extend(character.escape_default());
        } else {
            line.push(character);
        }
        line
    })
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;

    #[derive(Clone, Default)]
    struct Written(Arc<Mutex<Vec<u8>>>);

    impl Write for Written {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_message_is_one_line_whatever_a_server_has_put_into_it() {
        let written = Written::default();
        let (log, hostile) = (written.clone(), "no\n2026-11-30T00:00:00Z  INFO all is well\r\u{1b}[2J\u{2028}\u{202e}");
        let subscriber = tracing_subscriber::fmt().with_writer(move || Lines(log.clone())).with_ansi(false).finish();
        tracing::subscriber::with_default(subscriber, || {
            tracing::warn!(detail = hostile, "The server said: {hostile}");
            tracing::info!("ümlaut 🦀");
        });
        let text = String::from_utf8(written.0.lock().unwrap().clone()).unwrap();
        assert_eq!(text.lines().count(), 2, "{text}");
        assert!(text.ends_with("ümlaut 🦀\n") && !text.contains(['\r', '\u{1b}', '\u{2028}', '\u{202e}']), "{text:?}");
    }
}
