"""Jobs as processes and files: they outlive whoever started them, wait for each other, and say how they ended."""

import json
import os
import signal
import sys
import time

import pytest

from headstart.base.errors import BadOption, UnknownName
from headstart.studio import jobs
from headstart.studio.jobs import Job

JUMBLED = (("b", 5.0), ("c", 3.0), ("d", 4.0), ("e", 2.0))
"""Names of jobs in the order in which they ask for their turn, and since when they are there."""


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("HEADSTART_CACHE", str(tmp_path / "cache"))


def begin(code, *, name="0123456789ab", kind="fit", turn="", output=None, created=1.0):
    """A job whose command is a line of Python."""
    path = jobs.folder() / name
    path.mkdir(parents=True)
    about = {
        "kind": kind,
        "title": name,
        "command": [sys.executable, "-c", code],
        "cwd": str(path),
        "turn": str(turn),
        "output": output and str(output),
        "created": created,
        "said": [],
    }
    jobs.start(path, about)
    return Job(name)


def wait(job, *states, seconds=20):
    for _ in range(seconds * 50):
        if job.state() in states:
            return job.state()
        time.sleep(0.02)
    raise AssertionError(f"still {job.state()}, not {states}")


ASLEEP = "import time; print('up', flush=True); time.sleep(60)"
STOPPABLE = """
import time
try:
    print("up", flush=True)
    time.sleep(60)
except KeyboardInterrupt:
    raise SystemExit(1)
"""


def up(job):
    """Wait until the job's command has begun to work."""
    for _ in range(1000):
        if (job.path / "out").exists() and (job.path / "out").read_text():
            return
        time.sleep(0.02)
    raise AssertionError("the command did not begin")


def test_a_job_that_ends_well_gives_its_result():
    job = begin("""import json; print("noise"); print(json.dumps({"label": "cat"}))""")
    assert wait(job, *jobs.ENDED) == "done"
    assert job.printed() == {"label": "cat"} and job.error() is None
    view = job.view()
    assert view["created"] == 1.0 and view["started"] <= view["ended"]


def test_an_error_keeps_its_four_parts():
    told = {"error": "BadSource", "what": "No folder", "where": "x", "expected": "a folder", "next": "make one"}
    job = begin(f"import json, sys; print(json.dumps({told!r})); sys.exit(1)")
    assert wait(job, *jobs.ENDED) == "failed"
    assert job.error() == {name: told[name] for name in ("what", "where", "expected", "next")}


def test_a_command_that_fails_without_a_word_shows_what_it_complained_of():
    job = begin("import sys; print('Traceback', file=sys.stderr); sys.exit(3)")
    assert wait(job, *jobs.ENDED) == "failed"
    assert "Traceback" in job.error()["where"]


def test_stopping_interrupts_as_ctrl_c_does():
    job = begin(STOPPABLE)
    up(job)
    assert job.state() == "running"
    job.stop()
    assert wait(job, *jobs.ENDED) == "stopped"
    assert "Stopped" in job.error()["what"]
    with pytest.raises(BadOption, match="ended already"):
        job.stop()


def test_a_command_that_will_not_stop_is_killed_when_asked_to():
    job = begin("import signal; signal.signal(2, signal.SIG_IGN)\n" + ASLEEP)
    up(job)
    job.stop()
    time.sleep(0.2)
    assert job.state() == "stopping"
    job.stop(now=True)
    assert wait(job, *jobs.ENDED) == "stopped"


def test_a_command_that_the_system_kills_is_shown_as_that():
    job = begin("import os, signal; os.kill(os.getpid(), signal.SIGKILL)")
    assert wait(job, *jobs.ENDED) == "killed"
    assert "memory" in job.error()["what"] and "continue" in job.error()["next"]


def test_a_job_whose_supervisor_is_gone_still_runs_and_is_gone_with_its_command(tmp_path):
    job = begin("import os; print(os.getpid(), flush=True); import time; time.sleep(60)")
    up(job)
    os.kill(json.loads((job.path / "pid.json").read_text())["pid"], signal.SIGKILL)
    time.sleep(0.2)
    assert job.state() == "running", "its command holds the lock too"
    os.kill(int((job.path / "out").read_text()), signal.SIGKILL)
    assert wait(job, *jobs.ENDED) == "killed"
    assert "gone" in job.error()["what"]


def test_work_that_was_done_counts_even_if_nobody_wrote_that_down(tmp_path):
    job = begin(ASLEEP, output=tmp_path / "model")
    up(job)
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "manifest.json").write_text("{}")
    os.killpg(json.loads((job.path / "pid.json").read_text())["pid"], signal.SIGKILL)
    assert wait(job, *jobs.ENDED) == "done"


def test_jobs_with_a_turn_run_one_after_the_other(tmp_path):
    turn = jobs.folder().parent / "turn"
    first = begin(STOPPABLE, name="a" * 12, turn=turn, created=1.0)
    up(first)
    second = begin(ASLEEP, name="b" * 12, turn=turn, created=2.0)
    third = begin("print('{}')", name="c" * 12, turn=turn, created=3.0)
    assert second.state() == third.state() == "waiting"
    assert jobs.ahead(third) == ["a" * 12, "b" * 12]
    free = begin("print('{}')", name="d" * 12)
    assert wait(free, *jobs.ENDED) == "done", "a job without a turn waits for nobody"
    second.stop()
    assert wait(second, *jobs.ENDED) == "stopped", "one that waits can be stopped"
    assert not (second.path / "started.json").exists()
    first.stop()
    assert wait(third, *jobs.ENDED) == "done"


def test_the_oldest_that_waits_is_next_whoever_asked_first(tmp_path):
    turn = jobs.folder().parent / "turn"
    first = begin(STOPPABLE, name="a" * 12, turn=turn, created=1.0)
    up(first)
    waiting = [begin("print('{}')", name=name * 12, turn=turn, created=created) for name, created in JUMBLED]
    time.sleep(1)  # by now all of them ask for the lock
    first.stop()
    for job in waiting:
        assert wait(job, *jobs.ENDED) == "done"
    began = [json.loads((job.path / "started.json").read_text())["at"] for job in waiting]
    assert [job.about["created"] for _, job in sorted(zip(began, waiting, strict=True))] == [2.0, 3.0, 4.0, 5.0]


def test_a_fit_goes_on_with_resume_once_it_had_begun(tmp_path):
    code = "import sys; print('{\"words\": %d}' % len(sys.argv)); sys.exit(0 if '--resume' in sys.argv else 1)"
    job = begin(code, output=tmp_path / "model")
    assert wait(job, *jobs.ENDED) == "failed"
    job.resume()
    job = Job(job.name)
    assert wait(job, *jobs.ENDED) == "failed", "nothing was begun, so there is nothing to resume"
    (tmp_path / "model" / "run").mkdir(parents=True)
    (tmp_path / "model" / "run" / "config.json").write_text("{}")
    job.resume()
    job = Job(job.name)
    assert wait(job, *jobs.ENDED) == "done"
    with pytest.raises(BadOption):
        job.resume()


def test_a_job_at_work_is_neither_started_twice_nor_forgotten():
    job = begin(STOPPABLE)
    up(job)
    with pytest.raises(BadOption, match="at work"):
        jobs.start(job.path, job.about)
    with pytest.raises(BadOption, match="at work"):
        job.forget()
    job.stop()
    wait(job, *jobs.ENDED)
    job.forget()
    assert jobs.every() == []
    with pytest.raises(UnknownName):
        Job(job.name)


@pytest.mark.parametrize("name", ["", "..", "../../etc", "0123456789AB", "0" * 13, "0" * 12])
def test_a_name_that_is_no_jobs_is_refused(name):
    with pytest.raises(UnknownName):
        Job(name)


def test_a_damaged_job_does_not_hide_the_others():
    good = begin("print('{}')")
    wait(good, *jobs.ENDED)
    for name, text in (("e" * 12, "{"), ("f" * 12, "[]"), ("not a job", "{}")):
        (jobs.folder() / name).mkdir()
        (jobs.folder() / name / "job.json").write_text(text)
    assert good.name in [job.name for job in jobs.every()]
    assert all(job.view()["state"] in jobs.ENDED for job in jobs.every())


def test_old_jobs_are_forgotten(monkeypatch):
    monkeypatch.setattr(jobs, "KEPT", 2)
    for number in range(4):
        wait(begin("print('{}')", name=f"{number:012x}", created=float(number)), *jobs.ENDED)
    last = jobs.create("check", ["--version"], title="x")
    assert len(jobs.every()) == 2 and jobs.every()[0].name == last.name
