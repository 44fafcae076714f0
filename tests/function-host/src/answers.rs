//! From a function's answer, payload format 2.0, to an HTTP response. Pure.

use axum::{
    body::Body,
    http::{HeaderName, HeaderValue, StatusCode, header},
    response::Response,
};
use base64::prelude::{BASE64_STANDARD, Engine as _};
use serde_json::Value;

/// What the gateway sets itself, whatever the function says.
const NOT_PASSED_ON: [HeaderName; 3] = [header::CONNECTION, header::CONTENT_LENGTH, header::TRANSFER_ENCODING];

/// The response for an answer; nothing if the answer has not the form the gateway asks for.
///
/// JSON without a `statusCode` is a body by itself.
pub fn response(answer: &[u8]) -> Option<Response> {
    let answer: Value = serde_json::from_slice(answer).ok()?;
    let Some(status) = answer.get("statusCode") else {
        let plain = Response::builder().header(header::CONTENT_TYPE, "application/json");
        return plain.body(answer.to_string().into()).ok();
    };
    let mut response = Response::new(body(&answer)?);
    *response.status_mut() = StatusCode::from_u16(status.as_u64()?.try_into().ok()?).ok()?;
    for (name, value) in fields(&answer)? {
        let name: HeaderName = name.parse().ok()?;
        if !NOT_PASSED_ON.contains(&name) {
            response.headers_mut().append(name, HeaderValue::from_str(&value).ok()?);
        }
    }
    Some(response)
}

fn body(answer: &Value) -> Option<Body> {
    let text = match &answer["body"] {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => return None,
    };
    if answer["isBase64Encoded"] == true {
        BASE64_STANDARD.decode(text).ok().map(Body::from)
    } else {
        Some(text.into())
    }
}

/// All header lines the answer asks for.
fn fields(answer: &Value) -> Option<Vec<(String, String)>> {
    let mut fields = Vec::new();
    for (name, value) in answer["headers"].as_object().into_iter().flatten() {
        fields.push((name.clone(), text(value)?));
    }
    for (name, values) in answer["multiValueHeaders"].as_object().into_iter().flatten() {
        for value in values.as_array()? {
            fields.push((name.clone(), text(value)?));
        }
    }
    for cookie in answer["cookies"].as_array().into_iter().flatten() {
        fields.push((header::SET_COOKIE.to_string(), text(cookie)?));
    }
    Some(fields)
}

fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Bool(_) | Value::Number(_) => Some(value.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use super::*;
    use serde_json::json;

    fn response_to(answer: &Value) -> Option<Response> {
        response(answer.to_string().as_bytes())
    }

    async fn read(response: Response) -> Vec<u8> {
        axum::body::to_bytes(response.into_body(), usize::MAX).await.unwrap().to_vec()
    }

    #[tokio::test]
    async fn every_cookie_and_every_value_is_a_line_and_the_length_is_not_taken_on_trust() {
        let headers = json!({"Content-Length": "99", "x-one": "1", "x-two": 2});
        let several = json!({"x-many": ["a", "b"]});
        let answer =
            json!({"statusCode": 201, "headers": headers, "multiValueHeaders": several, "cookies": ["a=1", "b=2"]});
        let response = response_to(&answer).unwrap();
        let lines: Vec<_> = response.headers().iter().map(|(name, value)| format!("{name}: {value:?}")).collect();
        let expected = [
            "x-one: \"1\"",
            "x-two: \"2\"",
            "x-many: \"a\"",
            "x-many: \"b\"",
            "set-cookie: \"a=1\"",
            "set-cookie: \"b=2\"",
        ];
        assert_eq!((response.status(), lines), (StatusCode::CREATED, expected.map(str::to_owned).to_vec()));
    }

    #[tokio::test]
    async fn a_body_in_base64_is_decoded() {
        let binary = json!({"statusCode": 200, "body": "/wA=", "isBase64Encoded": true});
        assert_eq!(read(response_to(&binary).unwrap()).await, [255, 0]);
        assert_eq!(read(response_to(&json!({"statusCode": 200, "body": "/wA="})).unwrap()).await, b"/wA=");
    }

    #[tokio::test]
    async fn json_without_a_status_is_the_body() {
        let response = response_to(&json!({"ok": true})).unwrap();
        assert_eq!(
            (response.status(), &response.headers()["content-type"]),
            (StatusCode::OK, &"application/json".parse().unwrap())
        );
        assert_eq!(read(response).await, br#"{"ok":true}"#);
    }

    #[test]
    fn an_answer_of_another_form_is_none() {
        assert!(response(b"text").is_none());
        for wrong in [json!({"statusCode": "x"}), json!({"statusCode": 99}), json!({"statusCode": 200, "body": {}})] {
            assert!(response_to(&wrong).is_none(), "{wrong}");
        }
        assert!(response_to(&json!({"statusCode": 200, "headers": {"x": "a\nb"}})).is_none());
        assert!(response_to(&json!({"statusCode": 200, "body": "?", "isBase64Encoded": true})).is_none());
    }
}
