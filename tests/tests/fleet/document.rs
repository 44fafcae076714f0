//! The served `OpenAPI` document, held against the server by schemathesis: requests that it allows, requests that it does
//! not, and whatever lies between. Every answer is documented, none is a fault, and bad requests are refused.

use std::{fs, path::Path, process::Stdio};

use ed25519_dalek::SigningKey;
use jiff::Timestamp;
use muster_schemas::{
    check_ins::{ASSERTION_TYPE, AssertionClaims, GRANT_TYPE, TokenResponse},
    enrollment::EnrollResponse,
    envelopes::public_key,
    reports::Facts,
};
use muster_tests::world::assertion;
use serde_json::{Value, json};

use crate::harness::{
    body::{Body, service},
    fleet::Fleet,
    process::command,
    server::Server,
};

/// What is not asked for here: it would end the session that asks, or wait.
const NOT: &str = "^/api/v1/session|^/api/v1/users/|^/api/v1/api-keys/|^/api/v1/agent/";
/// How a bad request may be refused: as the tool expects, and because its `If-Match` is looked at before its body.
const REJECTED: &str = r#"["400", "401", "403", "404", "405", "406", "409", "412", "415", "422", "428", "429", "5xx"]"#;

#[test]
fn every_answer_is_as_the_served_document_says_and_none_is_a_fault() {
    if Body::ServeServices.is_skipped("the routes are served on services as functions are") {
        return;
    }
    let Some(program) = service("MUSTER_TEST_SCHEMATHESIS") else { return };
    // The tool waits ten seconds for an answer, and now and then guesses the session of a check-in.
    let briefly = |folder: &Path| Server::start_told(folder, &["--max-hold-seconds", "2"]);
    let Some(fleet) = Fleet::start_with(briefly) else { return };
    let host = fleet.host("one");
    let job = fleet.run(&host, "echo something");
    fleet.ended(job);
    let key: Value = fleet.api().post("/api-keys", &json!({ "name": "schemathesis", "role": "admin" }));
    let config = format!(
        "[checks.negative_data_rejection]\nexpected-statuses = {REJECTED}\n\
         [[operations]]\ninclude-path-regex = \"/hosts/\"\nparameters = {{ id = \"{}\" }}\n\
         [[operations]]\ninclude-path-regex = \"/jobs/\"\nparameters = {{ id = \"{job}\" }}\n",
        host.id
    );
    fs::write(fleet.folder().join("schemathesis.toml"), config).unwrap();
    let holds = |who: &str, token: &str, but_for: &str, paths: [&str; 2]| {
        let url = format!("{}/api/v1/openapi.json", fleet.server.url());
        let bearer = format!("Authorization: Bearer {token}");
        let arguments = [
            "--config-file=schemathesis.toml",
            "run",
            &url,
            "--header",
            &bearer,
            "--exclude-checks",
            but_for,
            "--max-examples=10",
            "--phases=examples,coverage,fuzzing",
            // Two of them race inside the tool.
            "--workers=1",
            "--seed=1",
            "--suppress-health-check=all",
            "--no-color",
            paths[0],
            paths[1],
        ];
        let mut run = command(program.as_ref(), &arguments, &fleet.folder());
        let output = run.stdin(Stdio::null()).output().unwrap();
        let said = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success() && said.contains("generated"), "as {who}:\n{said}");
    };
    // A schema cannot say every rule.
    let rules = "positive_data_acceptance";
    holds("an admin", key["key"].as_str().unwrap(), rules, ["--exclude-path-regex", NOT]);
    // What programs tell each other may hold words that one of them does not know yet.
    let rules = "positive_data_acceptance,negative_data_rejection";
    holds("a host", &a_host_of_ours(&fleet), rules, ["--include-path-regex", "^/api/v1/agent/"]);
    holds("nobody", "nobody", rules, ["--include-path-regex", "^/api/v1/session|^/oauth/token"]);
    let log = fs::read_to_string(fleet.folder().join("server.log")).unwrap();
    assert!(!log.contains("panicked"), "{log}");
}

/// An access token of a host that no agent speaks for.
fn a_host_of_ours(fleet: &Fleet) -> String {
    let key = SigningKey::from_bytes(&[7; 32]);
    let facts = Facts { hostname: "ours".into(), ..Facts::default() };
    let joining = json!({ "enrollment_token": fleet.token(), "public_key": public_key(&key), "facts": facts });
    let joined: EnrollResponse = fleet.api().post("/agent/enroll", &joining);
    let now = Timestamp::now().as_second();
    let claims = AssertionClaims {
        iss: joined.host_id,
        sub: joined.host_id,
        aud: joined.audience,
        iat: now,
        exp: now + 60,
        jti: "1".into(),
    };
    let assertion = assertion(&key, &claims);
    let form =
        [("grant_type", GRANT_TYPE), ("client_assertion_type", ASSERTION_TYPE), ("client_assertion", &assertion)];
    let token: TokenResponse = fleet.api().post_form("/oauth/token", &form);
    token.access_token.reveal().into()
}
