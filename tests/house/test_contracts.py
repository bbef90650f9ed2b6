"""Every plug-in honours its room's contract, and a new one is found without editing anything."""

from __future__ import annotations

import ast
import inspect
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from headstart.base import discovery
from headstart.base.discovery import CONTRACTS, Plugin
from headstart.base.errors import BadOption, UnknownName
from tests.house.planting import plant, run_there

PACKAGE = Path(discovery.__file__).parents[1]

OWN = [
    plugin
    for room in CONTRACTS
    for plugin in discovery.plugins(room).values()
    if plugin.module.startswith("headstart.")
]

SETTABLE = ("adapt", "baselines", "pretrain", "rank", "tune")
"""Rooms whose options a user sets by text: ``--set strategy.rate=0.01``."""

INHABITED = {
    "backbones": {"embedded", "hf", "local", "timm", "torchvision"},
    "baselines": {"majority", "pixels"},
    "cli": {"backbones", "evaluate", "fit", "predict"},
    "data": {"images"},
    "data.sources": {"folder", "huggingface", "memory", "tablefile", "torchsets"},
    "tasks": {"classification"},
    "tune": {"full", "partial", "probe"},
}


def named(plugin: Plugin) -> str:
    return f"{plugin.room}.{plugin.name}"


@pytest.mark.parametrize("room", INHABITED)
def test_what_the_main_job_needs_is_found(room: str) -> None:
    assert set(discovery.plugins(room)) >= INHABITED[room]


@pytest.mark.parametrize("plugin", OWN, ids=named)
def test_a_plugin_says_what_it_is_in_one_line(plugin: Plugin) -> None:
    assert 10 <= len(plugin.summary) <= 118
    assert plugin.summary.endswith((".", "?", "!"))


@pytest.mark.parametrize("plugin", OWN, ids=named)
def test_a_plugin_imports_and_has_its_rooms_functions(plugin: Plugin) -> None:
    module = plugin.load()
    for name in CONTRACTS[plugin.room]:
        function = getattr(module, name)
        assert callable(function)
        assert inspect.getdoc(function)


@pytest.mark.parametrize("plugin", OWN, ids=named)
def test_options_are_keyword_only_and_typed(plugin: Plugin) -> None:
    module = plugin.load()
    for name in CONTRACTS[plugin.room]:
        for parameter in inspect.signature(getattr(module, name)).parameters.values():
            assert parameter.annotation is not inspect.Parameter.empty, f"{name}: {parameter.name} has no type"
            assert parameter.kind is not inspect.Parameter.VAR_KEYWORD, f"{name}: **{parameter.name} hides its options"
            if plugin.room == "cli" or name != CONTRACTS[plugin.room][0]:
                continue
            if parameter.default is not inspect.Parameter.empty:
                assert parameter.kind is inspect.Parameter.KEYWORD_ONLY, f"{name}: {parameter.name} is positional"


@pytest.mark.parametrize("plugin", [each for each in OWN if each.room in SETTABLE], ids=named)
def test_an_option_reads_its_own_default_from_text(plugin: Plugin) -> None:
    function = getattr(plugin.load(), CONTRACTS[plugin.room][0])
    for option in discovery.options(function).values():
        assert discovery.parse_option(option, str(option.default)) == option.default


@pytest.mark.parametrize("plugin", [each for each in OWN if each.room == "pretrain"], ids=named)
def test_a_pretraining_method_takes_a_source_or_nothing(plugin: Plugin) -> None:
    plan = plugin.load().plan
    assert discovery.positional(plan) in ((), ("source",))
    assert {"seed", "report"} <= set(discovery.options(plan))


@pytest.mark.parametrize("room", CONTRACTS)
def test_no_file_keeps_half_a_contract(room: str) -> None:
    # With its main function but not the others, a file would silently be no plug-in at all.
    for path in (PACKAGE / room.replace(".", "/")).glob("*.py"):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        defined = {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}
        if CONTRACTS[room][0] in defined and not path.name.startswith("_"):
            assert defined >= set(CONTRACTS[room]), path


@pytest.mark.parametrize("room", INHABITED)
def test_a_typo_is_answered_with_the_name_that_was_meant(room: str) -> None:
    name = sorted(INHABITED[room])[0]
    with pytest.raises(UnknownName, match=f"did you mean .*{name}") as caught:
        discovery.load(room, name[:-1] + "x")
    assert caught.value.exit_code == 2


def test_a_dropped_file_is_a_plugin_of_any_room(tmp_path: Path) -> None:
    functions = {room: "\n\n".join(f"def {name}(): ..." for name in names) for room, names in CONTRACTS.items()}
    files = {
        f"headstart/{room.replace('.', '/')}/dropped.py": f'"""Dropped into {room}."""\n\n{source}\n'
        for room, source in functions.items()
    }
    files |= {f"headstart/{room.replace('.', '/')}/incomplete.py": '"""Not one."""\n' for room in CONTRACTS}
    code = """
import json
from headstart.base.discovery import CONTRACTS, plugins
print(json.dumps({room: {name: each.summary for name, each in plugins(room).items()} for room in CONTRACTS}))
"""
    found = json.loads(run_there(plant(tmp_path, files), code))
    for room in CONTRACTS:
        assert found[room]["dropped"] == f"Dropped into {room}."
        assert "incomplete" not in found[room]


@pytest.fixture
def other_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """An installed package that registers a strategy of its own, and one that has the name of ours."""
    info = tmp_path / "elsewhere-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: elsewhere\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[headstart.tune]\nspiral = elsewhere_tune\nfull = elsewhere_tune\n")
    source = '"""Elsewhere."""\n\n\ndef plan(*, turns: int = 3, rate: float | None = None, sure: bool = False): ...\n'
    (tmp_path / "elsewhere_tune.py").write_text(source)
    monkeypatch.syspath_prepend(tmp_path)
    discovery.plugins.cache_clear()
    yield
    discovery.plugins.cache_clear()


@pytest.mark.usefixtures("other_package")
def test_another_package_registers_by_entry_point() -> None:
    found = discovery.plugins("tune")
    assert found["spiral"].summary == "from elsewhere"
    assert list(discovery.options(discovery.load("tune", "spiral").plan)) == ["turns", "rate", "sure"]
    assert found["full"].module == "headstart.tune.full"
    with pytest.raises(UnknownName, match="spiral"):
        discovery.load("tune", "spirall")


@pytest.mark.usefixtures("other_package")
@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("turns", "7", 7),
        ("rate", "1e-3", 1e-3),
        ("rate", "none", None),
        ("sure", "yes", True),
        ("sure", "False", False),
    ],
)
def test_an_option_is_read_from_text(name: str, text: str, value: object) -> None:
    option = discovery.options(discovery.load("tune", "spiral").plan)[name]
    assert discovery.parse_option(option, text) == value


@pytest.mark.usefixtures("other_package")
@pytest.mark.parametrize(("name", "text"), [("turns", "many"), ("turns", "none"), ("sure", "perhaps"), ("rate", "")])
def test_an_impossible_value_is_refused_with_an_example(name: str, text: str) -> None:
    option = discovery.options(discovery.load("tune", "spiral").plan)[name]
    with pytest.raises(BadOption, match=f"{name} cannot be"):
        discovery.parse_option(option, text)
