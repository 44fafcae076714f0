//! From an HTTP request to an event of API Gateway's HTTP APIs, payload format 2.0. Pure.
//!
//! Deliberately absent: `queryStringParameters` (readers that know better use `rawQueryString`), authorizers, stages.

use std::net::SocketAddr;

use axum::http::{HeaderMap, header, request::Parts};
use base64::prelude::{BASE64_STANDARD, Engine as _};
use jiff::Timestamp;
use serde_json::{Map, Value, json};

/// Who asks, when, and under which id.
pub struct Caller {
    /// Where the request comes from.
    pub peer: SocketAddr,
    /// The port it came to.
    pub port: u16,
    /// The gateway's id of the request.
    pub request_id: String,
    /// When it came.
    pub at: Timestamp,
}

/// What no gateway passes on: it is about one connection. Cookies travel apart.
const NOT_PASSED_ON: [&str; 8] =
    ["connection", "cookie", "expect", "keep-alive", "proxy-connection", "te", "transfer-encoding", "upgrade"];

/// The event for a request.
pub fn event(request: &Parts, body: &[u8], caller: &Caller) -> Value {
    let path = request.uri.path();
    let mut event = json!({
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": path,
        "rawQueryString": request.uri.query().unwrap_or_default(),
        "headers": headers(&request.headers, caller),
        "requestContext": context(request, path, caller),
        "isBase64Encoded": false,
    });
    let cookies = cookies(&request.headers);
    if !cookies.is_empty() {
        event["cookies"] = cookies.into();
    }
    if !body.is_empty() {
        let text = std::str::from_utf8(body).ok().filter(|_| is_text(&one(&request.headers, "content-type")));
        event["isBase64Encoded"] = text.is_none().into();
        event["body"] = text.map_or_else(|| BASE64_STANDARD.encode(body), str::to_owned).into();
    }
    event
}

fn context(request: &Parts, path: &str, caller: &Caller) -> Value {
    let host = one(&request.headers, "host");
    let domain = host.rsplit_once(':').map_or(host.as_str(), |(domain, _)| domain);
    json!({
        "accountId": "000000000000",
        "apiId": "local",
        "domainName": domain,
        "domainPrefix": domain.split('.').next(),
        "http": {
            "method": request.method.as_str(),
            "path": path,
            "protocol": format!("{:?}", request.version),
            "sourceIp": caller.peer.ip().to_string(),
            "userAgent": one(&request.headers, "user-agent"),
        },
        "requestId": caller.request_id,
        "routeKey": "$default",
        "stage": "$default",
        "time": caller.at.strftime("%d/%b/%Y:%H:%M:%S +0000").to_string(),
        "timeEpoch": caller.at.as_millisecond(),
    })
}

/// The headers, and where the request came from behind whatever was claimed about that.
fn headers(headers: &HeaderMap, caller: &Caller) -> Map<String, Value> {
    let names = headers.keys().filter(|name| !NOT_PASSED_ON.contains(&name.as_str()));
    let mut passed: Map<_, _> =
        names.map(|name| (name.to_string(), values(headers, name.as_str()).join(",").into())).collect();
    let mut hops = values(headers, "x-forwarded-for");
    hops.push(caller.peer.ip().to_string());
    passed.insert("x-forwarded-for".into(), hops.join(", ").into());
    passed.insert("x-forwarded-port".into(), caller.port.to_string().into());
    passed.insert("x-forwarded-proto".into(), "http".into());
    passed
}

fn cookies(headers: &HeaderMap) -> Vec<String> {
    let lines = values(headers, header::COOKIE.as_str());
    let cookies = lines.iter().flat_map(|line| line.split(';')).map(str::trim);
    cookies.filter(|cookie| !cookie.is_empty()).map(str::to_owned).collect()
}

fn one(headers: &HeaderMap, name: &str) -> String {
    values(headers, name).into_iter().next().unwrap_or_default()
}

fn values(headers: &HeaderMap, name: &str) -> Vec<String> {
    headers.get_all(name).iter().map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned()).collect()
}

/// Whether a gateway takes a body of this type for text. A form is none to it.
fn is_text(content_type: &str) -> bool {
    let name = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    name.starts_with("text/")
        || name.ends_with("+json")
        || name.ends_with("+xml")
        || ["application/json", "application/javascript", "application/xml"].contains(&name.as_str())
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use super::*;
    use axum::http::Request;

    fn event_of(request: axum::http::request::Builder, body: &[u8]) -> Value {
        let (parts, ()) = request.body(()).unwrap().into_parts();
        let (peer, at) = ("192.0.2.7:5555".parse().unwrap(), "2020-03-12T19:03:58.390Z".parse().unwrap());
        event(&parts, body, &Caller { peer, port: 8080, request_id: "id".into(), at })
    }

    #[test]
    fn the_path_and_the_query_stay_as_they_came() {
        let event = event_of(Request::get("/files/a%2Fb%20c?q=%2F&q=+"), b"");
        assert_eq!(event["rawPath"], "/files/a%2Fb%20c");
        assert_eq!(event["rawQueryString"], "q=%2F&q=+");
        assert_eq!(event["requestContext"]["http"]["path"], "/files/a%2Fb%20c");
    }

    #[test]
    fn headers_with_several_values_are_joined_and_cookies_travel_apart() {
        let request = Request::get("/").header("X-Two", "a").header("X-Two", "b").header("connection", "close");
        let event = event_of(request.header("cookie", "a=1; b=2").header("cookie", "c=3"), b"");
        assert_eq!(event["headers"]["x-two"], "a,b");
        assert_eq!(event["cookies"], json!(["a=1", "b=2", "c=3"]));
        assert_eq!((event["headers"].get("cookie"), event["headers"].get("connection")), (None, None));
    }

    #[test]
    fn the_context_tells_who_asked_whom_and_when() {
        let request = Request::post("/x").header("host", "api.example.org:8080").header("user-agent", "me/1");
        let event = event_of(request.header("x-forwarded-for", "198.51.100.1"), b"");
        assert_eq!(event["headers"]["x-forwarded-for"], "198.51.100.1, 192.0.2.7");
        let context = &event["requestContext"];
        assert_eq!((&context["domainName"], &context["domainPrefix"]), (&json!("api.example.org"), &json!("api")));
        assert_eq!(context["time"], "12/Mar/2020:19:03:58 +0000");
        assert_eq!(context["timeEpoch"], 1_584_039_838_390_i64);
        let http = json!({"method": "POST", "path": "/x", "protocol": "HTTP/1.1", "sourceIp": "192.0.2.7", "userAgent": "me/1"});
        assert_eq!(context["http"], http);
    }

    #[test]
    fn a_body_is_text_only_if_it_says_so_and_is() {
        let body = |content_type: &str, body: &[u8]| {
            let event = event_of(Request::post("/").header("content-type", content_type), body);
            (event["body"].as_str().unwrap().to_owned(), event["isBase64Encoded"].as_bool().unwrap())
        };
        assert_eq!(body("application/problem+json; charset=utf-8", "{ä}".as_bytes()), ("{ä}".into(), false));
        assert_eq!(body("text/plain", b"\xff"), ("/w==".into(), true));
        assert_eq!(body("application/octet-stream", b"text"), ("dGV4dA==".into(), true));
        assert_eq!(body("application/x-www-form-urlencoded", b"a=1"), ("YT0x".into(), true));
        assert_eq!(event_of(Request::get("/"), b"").get("body"), None);
    }
}
