"""MiniStack without a container engine: one process on a free loopback port, with nothing of ours in its environment."""

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request

CREDENTIALS = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_DEFAULT_REGION": "us-east-1"}


def free_port() -> int:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        return held.getsockname()[1]


@contextlib.contextmanager
def running(port: int | None = None, **environment: str):
    """Starts it, hands out its URL, ends it."""
    port = port or free_port()
    url = f"http://127.0.0.1:{port}"
    directory = tempfile.mkdtemp(prefix="ministack-")
    # Functions inherit the emulator's environment: what it does not get they cannot take for their own.
    inherited = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    settings = {"GATEWAY_PORT": str(port), "BIND_HOST": "127.0.0.1", "AWS_ENDPOINT_URL": url, "TMPDIR": directory, "LOG_LEVEL": "WARNING"}
    log = os.path.join(directory, "log")
    with open(log, "wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "ministack"],
            env={**inherited, **CREDENTIALS, **settings, **environment}, stdout=output, stderr=output, start_new_session=True,
        )
    try:
        for _ in range(300):
            if process.poll() is not None:
                break
            with contextlib.suppress(OSError), urllib.request.urlopen(f"{url}/_ministack/health", timeout=2):
                yield url
                return
            time.sleep(0.1)
        with open(log, errors="replace") as output:
            sys.exit(f"MiniStack did not start (pip install -r infra/requirements.txt):\n{output.read()[-2000:]}")
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)  # its functions too
            try:
                process.wait(5)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
        shutil.rmtree(directory, ignore_errors=True)
