//! Prompts for the user name and the password. Without a terminal, a flag or an environment variable must supply them.

use std::{env, io};

use console::Term;
use muster_schemas::secrets::Secret;

use crate::failures::Failure;

/// Reads a password: from the first line of stdin if the flag is set, else from the environment variable, else from the
/// terminal without echo.
pub fn password(question: &str, variable: &str, from_stdin: FromStdin) -> Result<Secret, Failure> {
    if from_stdin.password_stdin {
        let mut line = String::new();
        io::stdin().read_line(&mut line).map_err(Failure::Output)?;
        return given(line.trim_end_matches(['\r', '\n']), "stdin");
    }
    if let Ok(password) = env::var(variable) {
        return given(&password, variable);
    }
    let terminal = Term::stderr();
    if !terminal.is_term() {
        return Err(Failure::Usage(format!(
            "there is no terminal to ask for the password; set {variable} or add --password-stdin"
        )));
    }
    terminal.write_str(&format!("{question}: ")).map_err(Failure::Output)?;
    let password = terminal.read_secure_line().map_err(Failure::Output)?;
    given(&password, "the terminal")
}

/// Reads a line from the terminal.
pub fn line(question: &str, instead: &str) -> Result<String, Failure> {
    let terminal = Term::stderr();
    if !terminal.is_term() {
        return Err(Failure::Usage(format!("there is no terminal to ask for the {question}; add {instead}")));
    }
    terminal.write_str(&format!("{question}: ")).map_err(Failure::Output)?;
    terminal.read_line().map_err(Failure::Output)
}

/// The `--password-stdin` flag.
#[derive(Debug, Clone, Copy, clap::Args)]
pub struct FromStdin {
    /// Read the password from the first line of stdin
    #[arg(long)]
    password_stdin: bool,
}

fn given(password: &str, place: &str) -> Result<Secret, Failure> {
    if password.is_empty() {
        return Err(Failure::Usage(format!("the password from {place} is empty")));
    }
    Ok(Secret::new(password))
}
