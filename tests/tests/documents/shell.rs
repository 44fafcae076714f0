//! Shell scripts as documents hold them, taken apart into simple commands: enough to see which programs are called, and how.

/// The simple commands of a script, each as its words. Variables and the output of commands become `value` or, where a
/// program wants an id, an id of that kind.
pub fn commands(script: &str) -> Vec<Vec<String>> {
    let mut reader = Reader { rest: script.chars().collect(), at: 0, done: Vec::new() };
    reader.script();
    reader.done
}

struct Reader {
    rest: Vec<char>,
    at: usize,
    done: Vec<Vec<String>>,
}

impl Reader {
    /// Reads to the end, or to the parenthesis that ends a substitution.
    fn script(&mut self) {
        let (mut words, mut target) = (Vec::new(), false);
        while let Some(letter) = self.peek() {
            match letter {
                ')' => break,
                '\n' | ';' | '|' | '&' | '{' | '}' => {
                    self.at += 1;
                    self.end(&mut words);
                }
                '(' => {
                    self.at += 1;
                    self.end(&mut words);
                    self.script();
                }
                '\\' if self.rest.get(self.at + 1) == Some(&'\n') => self.at += 2,
                '#' => self.at += self.rest[self.at..].iter().take_while(|letter| **letter != '\n').count(),
                '<' | '>' => {
                    self.at += 1;
                    self.at += usize::from(self.peek() == Some('&'));
                    target = true;
                }
                letter if letter.is_whitespace() => self.at += 1,
                _ => {
                    let word = self.word();
                    // What output goes to is not for the program, and neither is the number before it.
                    let redirects =
                        word.chars().all(|letter| letter.is_ascii_digit()) && matches!(self.peek(), Some('<' | '>'));
                    if !std::mem::take(&mut target) && !redirects {
                        words.push(word);
                    }
                }
            }
        }
        self.end(&mut words);
        self.at += 1;
    }

    fn end(&mut self, words: &mut Vec<String>) {
        let is_assignment = |word: &String| word.split_once('=').is_some_and(|(name, _)| is_name(name));
        let command = words.drain(..).skip_while(is_assignment).collect::<Vec<_>>();
        if !command.is_empty() {
            self.done.push(command);
        }
    }

    fn word(&mut self) -> String {
        let mut word = String::new();
        while let Some(letter) = self.peek() {
            match letter {
                '\'' => {
                    self.at += 1;
                    word += &self.until('\'');
                }
                '"' => {
                    self.at += 1;
                    while self.peek().is_some_and(|letter| letter != '"') {
                        self.piece(&mut word);
                    }
                    self.at += 1;
                }
                letter if letter.is_whitespace() || ";|&<>(){}".contains(letter) => break,
                _ => self.piece(&mut word),
            }
        }
        word
    }

    fn piece(&mut self, word: &mut String) {
        let letter = self.rest[self.at];
        self.at += 1;
        match (letter, self.peek()) {
            ('\\', Some('\n')) => self.at += 1,
            ('\\', Some(escaped)) => {
                word.push(escaped);
                self.at += 1;
            }
            ('$', Some('(')) => {
                self.at += 1;
                self.script();
                word.push_str("value");
            }
            ('$', Some('{')) => {
                let name = self.until('}');
                word.push_str(stand_in(name.trim_start_matches('{')));
            }
            ('$', Some(_)) => {
                let name = self.rest[self.at..].iter().take_while(|letter| letter.is_alphanumeric() || **letter == '_');
                let name = name.collect::<String>();
                self.at += name.chars().count().max(1);
                word.push_str(stand_in(&name));
            }
            _ => word.push(letter),
        }
    }

    fn until(&mut self, end: char) -> String {
        let text = self.rest[self.at..].iter().take_while(|letter| **letter != end).collect::<String>();
        self.at += text.chars().count() + 1;
        text
    }

    fn peek(&self) -> Option<char> {
        self.rest.get(self.at).copied()
    }
}

fn is_name(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|letter| letter.is_alphanumeric() || letter == '_')
}

/// What a variable may hold, by its name.
fn stand_in(name: &str) -> &'static str {
    match name {
        "host" => "host_01ARZ3NDEKTSV4RRFFQ69G5FAV",
        "job" => "job_01ARZ3NDEKTSV4RRFFQ69G5FAV",
        "fleet_update" => "fup_01ARZ3NDEKTSV4RRFFQ69G5FAV",
        "token_id" => "tok_01ARZ3NDEKTSV4RRFFQ69G5FAV",
        "key_id" => "key_01ARZ3NDEKTSV4RRFFQ69G5FAV",
        _ => "value",
    }
}

#[test]
fn a_script_is_taken_apart_as_a_shell_does() {
    let script = r#"
        A=1 B="$(c --d 'e f' | g)" h \
          --i="j $k" >l.txt 2>&1   # m
        export N=o && (p -- -q) & r < s; t "$host" \"u
    "#;
    let expected: [&[&str]; 7] = [
        &["c", "--d", "e f"],
        &["g"],
        &["h", "--i=j value"],
        &["export", "N=o"],
        &["p", "--", "-q"],
        &["r"],
        &["t", "host_01ARZ3NDEKTSV4RRFFQ69G5FAV", "\"u"],
    ];
    assert_eq!(commands(script), expected);
}
