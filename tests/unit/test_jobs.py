"""Work in the background: counted, done once, kept for whoever began it, and never too much at a time."""

from __future__ import annotations

import threading

import pytest

from engine.clock import SetClock
from engine.core.errors import BadInput, NotFound
from engine.store.memory import MemoryStore
from tests.world import START, wire
from web import jobs as module
from web.answers import Door
from web.jobs import KEPT, WAITING, Jobs


@pytest.fixture
def jobs(monkeypatch: pytest.MonkeyPatch) -> Jobs:
    monkeypatch.setattr(module, "SOON_S", 0.0)
    store = MemoryStore()
    store.create()
    return Jobs(Door(wire(store, SetClock(START))))


def begin(jobs: Jobs, run, officer: str = "lan", command: str | None = None, reach: object = 1):
    return jobs.start(officer, "k", "Việc", run, to="/made/{job}", back="/", reach=reach, command=command)


def test_work_is_counted_and_its_result_kept_for_whoever_began_it(jobs: Jobs) -> None:
    counted, go = threading.Event(), threading.Event()

    def run(service: object, job: module.Job) -> str:
        job.count("đếm", 3, 10)
        counted.set()
        go.wait(10)
        return "xong"

    job = begin(jobs, run)
    assert counted.wait(10)
    assert (job.part, job.done, job.all, job.href) == ("đếm", 3, 10, f"/work/{job.id}")
    with pytest.raises(NotFound):
        jobs.result(job.id, "lan", "k", 1)
    go.set()
    assert job.ended.wait(10)
    assert job.href == f"/made/{job.id}"
    assert jobs.result(job.id, "lan", "k", 1) == "xong"
    for officer, kind, reach in (("minh", "k", 1), ("lan", "other", 1), ("lan", "k", 2)):
        with pytest.raises(NotFound):
            jobs.result(job.id, officer, kind, reach)


def test_what_went_wrong_is_kept_and_raised(jobs: Jobs) -> None:
    def run(service: object, job: module.Job) -> None:
        raise BadInput("no")

    job = begin(jobs, run)
    assert job.ended.wait(10)
    assert job.href == f"/work/{job.id}"
    with pytest.raises(BadInput, match="no"):
        jobs.result(job.id, "lan", "k", 1)
    assert jobs.of("lan", "k", 1) == []


def test_the_same_form_starts_work_once_and_too_much_is_refused(jobs: Jobs) -> None:
    go = threading.Event()

    def wait(service: object, job: module.Job) -> None:
        go.wait(10)

    begun = [begin(jobs, wait, command=str(n)) for n in range(WAITING)]
    assert begin(jobs, wait, command="0") is begun[0]
    with pytest.raises(BadInput, match="still running"):
        begin(jobs, wait)
    other = begin(jobs, wait, officer="minh")
    go.set()
    for job in (*begun, other):
        assert job.ended.wait(10)


def test_only_the_last_results_are_kept(jobs: Jobs) -> None:
    made = []
    for _ in range(KEPT + 2):
        made.append(begin(jobs, lambda service, job: "x"))
        assert made[-1].ended.wait(10)
    assert [j.id for j in jobs.of("lan", "k", 1)] == [j.id for j in reversed(made[-KEPT:])]
