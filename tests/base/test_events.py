"""Progress as lines of a file, and the same as a page reads it."""

import json

from headstart.base.events import PAUSE, Events
from headstart.base.progress import Silent
from headstart.studio.progress import LINES, Progress


class Clock:
    def __init__(self):
        self.now = 1000.0

    def __call__(self):
        return self.now


class Heard(Silent):
    def __init__(self):
        self.all = []

    def say(self, text):
        self.all.append(text)

    def advance(self, units=1):
        self.all.append(units)


def events(path):
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


def test_everything_is_written_and_passed_on(tmp_path):
    clock, heard = Clock(), Heard()
    report = Events(tmp_path / "p", heard, clock=clock)
    report.say("read the folder")
    report.detail("more")
    report.begin("train", 10)
    clock.now += 1
    report.advance(4)
    report.end()
    report.expect(60.0)
    found = [{key: value for key, value in row.items() if key != "at"} for row in events(tmp_path / "p")]
    assert found == [
        {"event": "say", "text": "read the folder"},
        {"event": "detail", "text": "more"},
        {"event": "begin", "task": "train", "total": 10},
        {"event": "advance", "done": 4},
        {"event": "end"},
        {"event": "expect", "seconds": 60.0},
    ]
    assert heard.all == ["read the folder", 4]


def test_a_fast_task_writes_few_lines_and_its_last_number_is_right(tmp_path):
    clock = Clock()
    report = Events(tmp_path / "p", Silent(), clock=clock)
    report.begin("decode", 10_000)
    for _ in range(10_000):
        clock.now += 0.001
        report.advance()
    report.end()
    counts = [row["done"] for row in events(tmp_path / "p") if row["event"] == "advance"]
    assert len(counts) <= 10 / PAUSE + 1
    assert counts == sorted(counts) and counts[-1] == 10_000


def test_a_file_that_cannot_be_written_stops_nothing(tmp_path):
    heard = Heard()
    Events(tmp_path / "no" / "such" / "folder", heard).say("still here")
    assert heard.all == ["still here"]


def test_a_page_follows_the_file_as_it_grows(tmp_path):
    clock, path = Clock(), tmp_path / "p"
    report, page = Events(path, Silent(), clock=clock), Progress(path)
    assert page.look() == {"task": None, "ends": None, "lines": []}
    report.say("</script><b>")
    report.begin("train", 10)
    clock.now += 1
    report.advance(3)
    report.expect(30)
    seen = page.look()
    assert seen["task"] == {"name": "train", "done": 3, "total": 10, "began": 1000.0}
    assert seen["ends"] == 1031.0
    assert [line["text"] for line in seen["lines"]] == ["</script><b>"]
    report.end()
    assert page.look()["task"] is None
    for number in range(LINES + 5):
        report.say(str(number))
    assert [line["text"] for line in page.look()["lines"]] == [str(number) for number in range(5, LINES + 5)]


def test_half_a_line_waits_for_its_other_half_and_damage_is_passed_over(tmp_path):
    path = tmp_path / "p"
    page = Progress(path)
    path.write_text('{"at": 1, "event": "say", "text": "a"}\nno json\n[1]\n{"at": 2, "event": "s')
    assert [line["text"] for line in page.look()["lines"]] == ["a"]
    with path.open("a") as stream:
        stream.write('ay", "text": "b"}\n')
    assert [line["text"] for line in page.look()["lines"]] == ["a", "b"]
