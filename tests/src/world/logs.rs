//! What the server has logged in this process, at every level; what libraries have logged as far as a server lets them.

use std::{
    io,
    sync::{Arc, LazyLock, Mutex},
};

use tracing::Level;
use tracing_subscriber::{
    filter::Targets,
    fmt::{self, MakeWriter},
    layer::SubscriberExt as _,
    util::SubscriberInitExt as _,
};

static LOGS: LazyLock<Logs> = LazyLock::new(|| {
    let logs = Logs::default();
    let levels = Targets::new()
        .with_default(Level::INFO)
        .with_target("muster", Level::TRACE)
        .with_target("access", Level::TRACE);
    let lines = fmt::layer().with_ansi(false).with_writer(logs.clone());
    tracing_subscriber::registry().with(levels).with(lines).init();
    logs
});

/// What was logged since the capture began.
#[derive(Clone, Default)]
pub struct Logs(Arc<Mutex<Vec<u8>>>);

impl Logs {
    /// Captures everything from now on, in the whole process.
    pub fn capture() -> Self {
        LOGS.clone()
    }

    /// The text so far.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.0.lock().unwrap()).into_owned()
    }
}

impl io::Write for Logs {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Logs {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}
