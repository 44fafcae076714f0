//! As much HTTP/1.1 as one agent needs: a request, an answer, and the line is closed.

use std::{
    io::{self, BufRead, BufReader, Read, Write},
    net::TcpStream,
};

use serde_json::Value;

pub struct Request {
    pub path: String,
    pub range_from: Option<usize>,
    pub token: String,
    pub body: Vec<u8>,
}

pub enum Reply {
    Json(u16, Value),
    Raw {
        status: u16,
        kind: &'static str,
        headers: String,
        body: Vec<u8>,
        claimed: usize,
    },
    /// Nothing: the line is cut.
    Cut,
}

impl Reply {
    pub fn problem(status: u16, code: &str) -> Self {
        let kind = format!("/problems/{code}");
        Self::Json(status, serde_json::json!({ "type": kind, "title": code, "status": status, "code": code }))
    }

    /// The same with another header.
    pub fn with_header(self, header: &str) -> Self {
        match self {
            Self::Json(status, value) => {
                let body = value.to_string().into_bytes();
                let headers = format!("{header}\r\n");
                Self::Raw { status, kind: "application/problem+json", headers, claimed: body.len(), body }
            }
            Self::Raw { status, kind, headers, body, claimed } => {
                Self::Raw { status, kind, headers: format!("{headers}{header}\r\n"), body, claimed }
            }
            Self::Cut => Self::Cut,
        }
    }

    /// The same as another type of content.
    pub fn of_kind(self, kind: &'static str) -> Self {
        match self {
            Self::Raw { status, headers, body, claimed, .. } => Self::Raw { status, kind, headers, body, claimed },
            other => other,
        }
    }

    pub fn page(status: u16, text: &str) -> Self {
        let body = text.as_bytes().to_vec();
        Self::Raw { status, kind: "text/html", headers: String::new(), claimed: body.len(), body }
    }
}

pub fn read(stream: &TcpStream) -> io::Result<Request> {
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    reader.read_line(&mut line)?;
    let path = line.split(' ').nth(1).unwrap_or_default().to_owned();
    let (mut length, mut range_from, mut token) = (0, None, String::new());
    loop {
        line.clear();
        reader.read_line(&mut line)?;
        let Some((name, value)) = line.trim_end().split_once(": ") else { break };
        match name.to_ascii_lowercase().as_str() {
            "content-length" => length = value.parse().unwrap_or(0),
            "authorization" => value.trim_start_matches("Bearer ").clone_into(&mut token),
            "range" => range_from = value.trim_start_matches("bytes=").trim_end_matches('-').parse().ok(),
            _ => {}
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    Ok(Request { path, range_from, token, body })
}

pub fn answer(mut stream: &TcpStream, reply: Reply) -> io::Result<()> {
    let (status, kind, headers, body, claimed) = match reply {
        Reply::Cut => return Ok(()),
        Reply::Json(status, value) => {
            let kind = if status < 300 { "application/json" } else { "application/problem+json" };
            let body = value.to_string().into_bytes();
            (status, kind, String::new(), body.clone(), body.len())
        }
        Reply::Raw { status, kind, headers, body, claimed } => (status, kind, headers, body, claimed),
    };
    let head = format!(
        "HTTP/1.1 {status} x\r\ncontent-type: {kind}\r\ncontent-length: {claimed}\r\nconnection: close\r\n{headers}\r\n"
    );
    stream.write_all(head.as_bytes())?;
    stream.write_all(&body)?;
    stream.flush()
}
