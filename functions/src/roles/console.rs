//! The console's files, from the binary itself. They are put into it when it is built, from `console/dist`, where
//! `cargo xtask console build` leaves them; a debug build reads them from there each time. A server that was built without
//! them says how to get them.
//!
//! A path that names no file is a page of the console, which its own router knows. The policy lets the page run nothing but its
//! files: what a host prints cannot become a program in an operator's browser, whatever mistake a page makes.

use std::borrow::Cow;

use axum::{
    body::Body,
    http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header, response::Builder},
    response::{IntoResponse as _, Response},
};
use muster_schemas::problems::ProblemCode;

use crate::api::{bodies::OfTheProgram, problem::Failure};

/// The console's digest when this was compiled. Named here so that the compiler looks again when the console has changed.
const _: Option<&str> = option_env!("MUSTER_CONSOLE");

const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
    font-src 'self'; connect-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; \
    require-trusted-types-for 'script'";
const PAGE: &str = "index.html";
/// The first part of every path that its router knows: what is none of these is no page, so that a program which asks for
/// `/metrics` is not told that all is well.
const PAGES: [&str; 10] =
    ["", "api-keys", "audit", "enrollment", "fleet-updates", "hosts", "jobs", "releases", "sign-in", "users"];
/// The message of a server that was built without it.
pub const MISSING: &str = "This server was built without the console. Run `cargo xtask console build` (with Node 20 or newer), \
    then build the server again.";

#[cfg(not(debug_assertions))]
#[derive(rust_embed::Embed)]
#[folder = "$CARGO_MANIFEST_DIR/../console/dist"]
#[allow_missing = true]
struct Files;

#[cfg(not(debug_assertions))]
fn file(name: &str) -> Option<Cow<'static, [u8]>> {
    Files::get(name).map(|file| file.data)
}

/// Not by the library's way of debug builds: that finds nothing in a folder that was made after it was compiled.
#[cfg(debug_assertions)]
fn file(name: &str) -> Option<Cow<'static, [u8]>> {
    // A name with an empty part or with dots alone leads somewhere else.
    let leads_astray = name.split('/').any(|part| matches!(part, "" | "." | ".."));
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../console/dist/").to_owned() + name;
    if leads_astray { None } else { std::fs::read(path).ok().map(Cow::Owned) }
}

/// Answers what is not of the API.
pub async fn serve(method: Method, uri: Uri, headers: HeaderMap) -> Response {
    answer(file, &method, uri.path(), &headers)
}

/// Whether there is one.
pub fn is_there() -> bool {
    file(PAGE).is_some()
}

fn answer(
    files: impl Fn(&str) -> Option<Cow<'static, [u8]>>,
    method: &Method,
    path: &str,
    headers: &HeaderMap,
) -> Response {
    let name = path.trim_start_matches('/');
    let file = files(name);
    // A file of an earlier console that is asked for by name is gone: a page in its place would be taken for a program.
    if file.is_none() && !is_page(name) {
        return Failure::of(ProblemCode::NotFound).into_response();
    }
    if !matches!(*method, Method::GET | Method::HEAD) {
        return Failure::of(ProblemCode::MethodNotAllowed).into_response();
    }
    let (name, plain) = match file {
        Some(bytes) => (name, Some(bytes)),
        None => (PAGE, files(PAGE)),
    };
    let compressed = accepts_brotli(headers).then(|| files(&format!("{name}.br"))).flatten();
    let encoding = compressed.is_some().then_some("br");
    match compressed.or(plain) {
        Some(bytes) => sent(name, encoding, bytes),
        None => (StatusCode::NOT_FOUND, [(header::CONTENT_TYPE, "text/plain; charset=utf-8")], format!("{MISSING}\n"))
            .into_response(),
    }
}

fn is_page(name: &str) -> bool {
    PAGES.contains(&name.split('/').next().unwrap_or_default())
}

fn sent(name: &str, encoding: Option<&str>, bytes: Cow<'static, [u8]>) -> Response {
    // The name of an asset holds its digest. The page is asked for anew, so that it never names files that are gone.
    let is_asset = name.starts_with("assets/");
    let caching = if is_asset { "public, max-age=31536000, immutable" } else { "no-cache" };
    let mut response = guarded(Response::builder())
        .header(header::CONTENT_TYPE, content_type(name))
        .header(header::CACHE_CONTROL, caching)
        .header(header::VARY, "accept-encoding")
        .extension(OfTheProgram);
    if let Some(encoding) = encoding {
        response = response.header(header::CONTENT_ENCODING, encoding);
    }
    let body = match bytes {
        Cow::Borrowed(bytes) => Body::from(bytes),
        Cow::Owned(bytes) => Body::from(bytes),
    };
    response.body(body).unwrap_or_else(|error| Failure::broken(error).into_response())
}

/// Headers that keep browsers from misusing the console.
fn guarded(response: Builder) -> Builder {
    response
        .header(header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY)
        .header(header::X_CONTENT_TYPE_OPTIONS, "nosniff")
        .header(header::REFERRER_POLICY, "no-referrer")
        .header("cross-origin-opener-policy", "same-origin")
        .header("cross-origin-resource-policy", "same-origin")
        .header("permissions-policy", "camera=(), geolocation=(), microphone=(), payment=(), usb=()")
}

fn accepts_brotli(headers: &HeaderMap) -> bool {
    let values = headers.get_all(header::ACCEPT_ENCODING).iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).any(|coding| {
        let (name, weight) = coding.split_once(';').unwrap_or((coding, "q=1"));
        name.trim().eq_ignore_ascii_case("br")
            && weight.trim().trim_start_matches("q=").parse().is_ok_and(|q: f32| q > 0.0)
    })
}

fn content_type(name: &str) -> HeaderValue {
    HeaderValue::from_static(match name.rsplit_once('.').map_or("", |(_, extension)| extension) {
        "html" => "text/html; charset=utf-8",
        "js" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "ico" => "image/x-icon",
        "webmanifest" => "application/manifest+json",
        "woff2" => "font/woff2",
        "txt" => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    const HASHED: &str = "assets/index-abc.js";

    fn files(name: &str) -> Option<Cow<'static, [u8]>> {
        let text: &[u8] = match name {
            PAGE => b"<!doctype html>",
            "favicon.svg" => b"<svg/>",
            HASHED => b"let it = 1",
            "assets/index-abc.js.br" => b"shorter",
            _ => return None,
        };
        Some(text.into())
    }

    fn get(path: &str) -> Response {
        answer(files, &Method::GET, path, &HeaderMap::new())
    }

    fn header<'a>(response: &'a Response, name: &str) -> &'a str {
        response.headers().get(name).map_or("", |value| value.to_str().unwrap_or("?"))
    }

    #[test]
    fn a_path_that_names_no_file_is_a_page_and_may_run_nothing_but_the_files_of_the_console() {
        for path in ["/", "/hosts", "/releases/1.9.2", "/hosts/host_01M8BWF95PSHKZHJAVP5BCH4W5"] {
            let page = get(path);
            assert_eq!((page.status(), header(&page, "content-type")), (StatusCode::OK, "text/html; charset=utf-8"));
            assert!(header(&page, "content-security-policy").starts_with("default-src 'none'; script-src 'self'"));
            assert_eq!(header(&page, "cache-control"), "no-cache");
        }
        assert_eq!(header(&get("/favicon.svg"), "content-type"), "image/svg+xml");
    }

    #[test]
    fn an_asset_is_kept_for_good_and_one_that_is_gone_is_not_a_page() {
        let asset = get("/assets/index-abc.js");
        assert!(header(&asset, "cache-control").contains("immutable"));
        assert!(get("/assets/index-old.js").extensions().get::<Failure>().is_some());
    }

    #[test]
    fn who_takes_brotli_gets_it_and_who_refuses_it_does_not() {
        for (said, coding) in [("gzip, br", "br"), ("br;q=0.5", "br"), ("gzip", ""), ("br;q=0", ""), ("", "")] {
            let mut headers = HeaderMap::new();
            headers.insert(header::ACCEPT_ENCODING, HeaderValue::from_static(said));
            let asset = answer(files, &Method::GET, "/assets/index-abc.js", &headers);
            assert_eq!(header(&asset, "content-encoding"), coding, "{said:?}");
            assert_eq!(header(&asset, "content-type"), "text/javascript; charset=utf-8");
        }
    }

    #[test]
    fn what_belongs_to_the_api_or_changes_something_is_never_a_page() {
        for (method, path) in [(Method::GET, "/api/v1/nothing"), (Method::GET, "/oauth/x"), (Method::POST, "/hosts")] {
            assert!(answer(files, &method, path, &HeaderMap::new()).extensions().get::<Failure>().is_some(), "{path}");
        }
    }

    #[test]
    fn what_programs_ask_for_is_not_found_and_never_a_page() {
        for path in [
            "/api",
            "/api/",
            "/metrics",
            "/health",
            "/healthz/x",
            "/ping",
            "/docs",
            "/status",
            "/.well-known/security.txt",
            "/robots.txt",
            "/index.php",
            "/hostsx",
        ] {
            let found = get(path).extensions().get::<Failure>().cloned();
            assert!(matches!(found, Some(Failure::Refused(problem)) if problem.status == 404), "{path}");
        }
    }

    #[test]
    fn every_page_of_the_consoles_router_is_one() {
        let router = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../console/src/router.tsx"));
        let router = router.unwrap_or_default();
        let paths = router.lines().filter_map(|line| line.trim().strip_prefix("path: '/")?.strip_suffix("',"));
        let first = paths.map(|path| path.split('/').next().unwrap_or_default()).collect::<BTreeSet<_>>();
        assert_eq!(first, BTreeSet::from(PAGES));
    }

    #[test]
    fn a_name_leads_to_nothing_outside_of_the_folder() {
        let astray = ["../package.json", "assets/../../package.json", "/etc/hostname", "./../package.json", ""];
        assert!(astray.iter().all(|name| file(name).is_none()));
    }

    #[test]
    fn a_server_without_the_console_says_how_to_get_it() {
        let told = answer(|_| None, &Method::GET, "/hosts", &HeaderMap::new());
        assert_eq!(told.status(), StatusCode::NOT_FOUND);
        assert_eq!(header(&told, "content-type"), "text/plain; charset=utf-8");
    }
}
