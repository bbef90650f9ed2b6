"""What ``/openapi.json`` promises is what happens: requests made from it, right and wrong, find no other answer."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest
from jsonschema import Draft202012Validator
from referencing import Registry, Resource

from headstart.base.vocabulary import Wire
from headstart.ship.server import answers, schema
from headstart.tasks import classification, multilabel, regression
from headstart.tasks.task import Task
from tests.ship.server.conftest import Process, Starter

TOKEN = "a-token-for-the-fuzzer"
TEXTS = Wire(("text/plain",), text=True, unit="characters", most=1000)


CONFIG = """
[checks.positive_data_acceptance]
# To a schema every file is a picture.
expected-statuses = ["2xx", "422"]
"""


def fuzzed(url: str, folder: Path, *words: str) -> str:
    """What schemathesis says after trying every operation with right and wrong data; every check is on."""
    config = folder / "schemathesis.toml"
    config.write_text(CONFIG)
    tool = shutil.which("schemathesis") or str(Path(sys.executable).with_name("schemathesis"))
    given = ["--checks", "all", "--mode", "all", "--phases", "examples,coverage,fuzzing", "--max-examples", "40"]
    done = subprocess.run(
        [tool, "--config-file", config, "run", f"{url}/openapi.json", *given, "--seed", "1", *words],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        env={**os.environ, "NO_COLOR": "1", "COLUMNS": "120"},
    )
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
    return done.stdout


@pytest.mark.slow
def test_every_promise_is_kept(shared: Process, tmp_path: Path) -> None:
    said = fuzzed(shared.url, tmp_path)
    assert "Tested: 6" in said and "No issues found" in said
    assert httpx.get(f"{shared.url}/ready").status_code == 200
    assert "failed:" not in shared.command.output


@pytest.mark.slow
def test_every_promise_is_kept_where_a_token_is_needed(start: Starter, tmp_path: Path) -> None:
    server = start("--token", TOKEN)
    assert "No issues found" in fuzzed(server.url, tmp_path, "-H", f"Authorization: Bearer {TOKEN}")


def test_every_error_of_a_route_is_described(client: httpx.Client) -> None:
    described = client.get("/openapi.json").json()
    codes = set(described["paths"]["/predict"]["post"]["responses"])
    assert codes == {"200", "400", "401", "406", "408", "413", "415", "422", "500", "503", "504"}
    for path in described["paths"].values():
        for operation in path.values():
            for code, response in operation["responses"].items():
                if code != "200":
                    assert response["content"]["application/json"]["schema"] == {"$ref": "#/components/schemas/Problem"}


def test_every_reference_leads_somewhere(client: httpx.Client) -> None:
    text = client.get("/openapi.json").text
    described = json.loads(text)
    for piece in text.split('"#/components/schemas/')[1:]:
        assert piece.partition('"')[0] in described["components"]["schemas"]


@pytest.mark.parametrize(
    "task",
    [
        classification.learn(["cat", "dog", "eel"]),
        multilabel.learn([("cat", "dog")]),
        regression.learn([1.0], name="height"),
    ],
    ids=lambda task: task.kind,
)
@pytest.mark.parametrize("form", [answers.Form(), answers.Form(top=2), answers.Form(probabilities=False)])
@pytest.mark.parametrize("strangeness", [0.4, 2.5, float("nan")])
def test_the_answers_of_every_task_fit_their_description(task: Task, form: answers.Form, strangeness: float) -> None:
    import numpy as np

    from headstart.base.errors import Undecodable

    shape = schema.predicted(task)["content"]["application/json"]["schema"]
    components = {name: {"type": "object"} for name in ("Which", "Fault")}
    root: dict[str, Any] = {"components": {"schemas": components}, **shape}
    registry = Registry().with_resource("", Resource.opaque(root))
    validator = Draft202012Validator(root, registry=registry)
    good = answers.result((np.linspace(0.1, 0.9, len(task.names)), strangeness), task, form)
    bad = answers.result(Undecodable("it is none"), task, form)
    about = {"name": "m", "digest": "d"}
    validator.validate(json.loads(answers.one(good, task, form, about)))
    validator.validate(json.loads(answers.several(["a", "b"], [good, bad], task, form, about)))
    assert not validator.is_valid({"answer": 7})


def test_a_modality_of_texts_is_described_as_such() -> None:
    described = schema.request(TEXTS, 8)["content"]
    assert "image/*" not in described and "text/plain" in described
    one, several = described["application/json"]["schema"]["anyOf"]
    assert one == described["text/plain"]["schema"] == {"type": "string", "minLength": 1}
    assert several["properties"]["items"]["items"]["anyOf"][0] == {"type": "string"}
