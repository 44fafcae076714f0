"""A function that is not Muster: it answers with what reached it. For trying templates and emulators without the artifact."""

import io
import zipfile

BOOTSTRAP = """#!/usr/bin/env python3
import base64, json, os, urllib.request
api = "http://%s/2018-06-01/runtime/invocation/" % os.environ["AWS_LAMBDA_RUNTIME_API"]
while True:
    with urllib.request.urlopen(api + "next") as got:
        request, event = got.headers["Lambda-Runtime-Aws-Request-Id"], json.load(got)
    if isinstance(event, dict) and "requestContext" in event:
        answer = {"statusCode": 200, "headers": {"content-type": "application/json"}, "body": json.dumps({"status": "ok", "event": event})}
        if event["rawPath"].endswith("/echo"):  # back as it came, with a status and headers that are easily lost
            answer = {"statusCode": 418, "headers": {"content-type": "application/octet-stream", "etag": '"one"', "retry-after": "7"},
                      "cookies": ["a=1; Path=/", "b=2; Path=/"], "body": event.get("body", ""), "isBase64Encoded": event["isBase64Encoded"]}
    else:
        answer = {"environment": dict(os.environ), "event": event}
    urllib.request.urlopen(urllib.request.Request(api + request + "/response", json.dumps(answer).encode())).read()
"""


def package() -> bytes:
    """The zip of it."""
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as archive:
        entry = zipfile.ZipInfo("bootstrap")
        entry.external_attr = 0o755 << 16
        archive.writestr(entry, BOOTSTRAP)
    return held.getvalue()
