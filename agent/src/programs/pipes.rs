//! Pipe for a program's output: stdout and stderr write to one end, and what comes out of the other is in order.

use std::{
    io::{self, PipeWriter},
    process::Stdio,
};

use tokio::process::Command;

/// The end that a program's output comes out of.
#[cfg(unix)]
pub type Printed = tokio::net::unix::pipe::Receiver;
/// The end that a program's output comes out of: where a pipe cannot be waited for, a thread reads it.
#[cfg(not(unix))]
pub type Printed = tokio::fs::File;

/// The end that a program's output comes out of, to be read while others work.
#[cfg(unix)]
pub fn receiver(reader: io::PipeReader) -> io::Result<Printed> {
    tokio::net::unix::pipe::Receiver::from_owned_fd(reader.into())
}

/// The end that a program's output comes out of, to be read while others work.
#[cfg(not(unix))]
pub fn receiver(reader: io::PipeReader) -> io::Result<Printed> {
    let handle = std::os::windows::io::OwnedHandle::from(reader);
    Ok(tokio::fs::File::from_std(handle.into()))
}

/// Makes the command print to this pipe, whichever of its streams it uses.
pub fn print_to(command: &mut Command, writer: PipeWriter) -> io::Result<()> {
    command.stdin(Stdio::null()).stdout(writer.try_clone()?).stderr(writer);
    Ok(())
}
