"""An operator's program on the generated client: signs in, runs jobs to their end, reads a log, and pages through a list.

    python runs_a_job.py http://127.0.0.1:7070 HOST_ID    # the password of `admin` in MUSTER_PASSWORD
"""

import os
import sys
from typing import TypeVar

from muster_client import AuthenticatedClient, Client
from muster_client.api.api_keys import api_keys_create
from muster_client.api.hosts import hosts_get
from muster_client.api.jobs import jobs_create, jobs_get, jobs_list, jobs_log
from muster_client.api.session import session_create
from muster_client.models import (
    ApiKeyRequest,
    InspectSpec,
    JobRequest,
    JobRequestKind,
    JobState,
    JobView,
    LoginRequest,
    Problem,
    Role,
    RunSpec,
    SessionKind,
)
from muster_client.types import UNSET, Unset

Answer = TypeVar("Answer")

FINAL = {
    JobState.SUCCEEDED,
    JobState.FAILED,
    JobState.CANCELLED,
    JobState.INTERRUPTED,
    JobState.REJECTED,
    JobState.SUPERSEDED,
    JobState.EXPIRED,
}


def granted(answer: Answer | Problem | None) -> Answer:
    """What was asked for, or an exception with the problem."""
    if isinstance(answer, Problem):
        raise RuntimeError(f"{answer.code}: {answer.detail or answer.title}")
    if answer is None:
        raise RuntimeError("the document does not know the answer")
    return answer


def key_of(url: str, password: str) -> str:
    """An API key of its own, by a session."""
    login = LoginRequest(username="admin", password=password, kind=SessionKind.BEARER)
    session = granted(session_create.sync(client=Client(url), body=login))
    if isinstance(session.token, Unset):
        raise RuntimeError("a session of this kind has a token")
    person = AuthenticatedClient(url, session.token)
    request = ApiKeyRequest(name="python", role=Role.OPERATOR)
    return granted(api_keys_create.sync(client=person, body=request)).key


def ended(client: AuthenticatedClient, job: JobView) -> JobView:
    """The job once it is over."""
    while job.state not in FINAL:
        job = granted(jobs_get.sync(job.id, client=client, wait=60, revision=job.revision))
    return job


def log_of(client: AuthenticatedClient, job: JobView) -> str:
    """The whole log."""
    text, after, complete = "", 0, False
    while not complete:
        answer = jobs_log.sync_detailed(job.id, client=client, after=after, wait=60)
        text += granted(answer.parsed)
        after = int(answer.headers["muster-log-next"])
        complete = answer.headers["muster-log-complete"] == "true"
    return text


def main(url: str, host_id: str, password: str) -> None:
    """Each step, with a line of what came of it."""
    client = AuthenticatedClient(url, key_of(url, password))
    host = granted(hosts_get.sync(host_id, client=client))
    print(f"host: {host.facts.os}, may {host.allowed[0]}")

    run = RunSpec(argv=["/bin/sh", "-c", "echo from a client; exit 3"])
    request = JobRequest(kind=JobRequestKind.RUN, spec=run, host_ids=[host_id])
    job = ended(client, granted(jobs_create.sync(client=client, body=request)).items[0])
    assert isinstance(job.spec, RunSpec) and not isinstance(job.result, Unset)
    print(f"run: {job.state}, exit code {job.result.exit_code}, {job.spec.argv[0]}")
    print(f"log: {log_of(client, job).strip()}")

    inspect = JobRequest(kind=JobRequestKind.INSPECT, spec=InspectSpec(), host_ids=[host_id])
    job = ended(client, granted(jobs_create.sync(client=client, body=inspect, idempotency_key="once")).items[0])
    again = granted(jobs_create.sync(client=client, body=inspect, idempotency_key="once")).items[0]
    print(f"inspect: {job.state}, asked for twice: {'one job' if job.id == again.id else 'two jobs'}")

    kinds: list[str] = []
    cursor: str | Unset = UNSET
    while True:
        page = granted(jobs_list.sync(client=client, limit=1, cursor=cursor))
        kinds += [job.kind for job in page.items]
        cursor = page.next_cursor
        if isinstance(cursor, Unset):
            break
    print(f"jobs: {', '.join(kinds)}")

    missing = jobs_get.sync("job_00000000000000000000000000", client=client)
    print(f"missing: {missing.code if isinstance(missing, Problem) else 'found'}")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], os.environ["MUSTER_PASSWORD"])
