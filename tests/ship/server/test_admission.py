"""The door counts what is inside, whatever way it leaves."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headstart.ship.server.admission import Door
from headstart.ship.server.limits import Limits
from headstart.ship.server.refusals import Refusal

LIMITS = Limits(queue=8, items=4, body=100, memory=250)


def test_a_full_house_says_when_to_come_again() -> None:
    door = Door(LIMITS)
    door.pace = 0.5
    for _ in range(8):
        door.enter()
    with pytest.raises(Refusal) as caught:
        door.enter()
    assert caught.value.status == 503 and caught.value.headers == {"retry-after": "4"}


def test_a_house_that_closes_lets_nobody_in_and_everybody_out() -> None:
    door = Door(LIMITS)
    with door.enter() as visit:
        visit.bring(2)
        door.closing = True
        with pytest.raises(Refusal, match="stopping"):
            door.enter()
        visit.bring(1)
    assert door.items == 0


@given(st.lists(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 120)), max_size=4), max_size=12))
def test_nothing_is_left_behind_and_no_limit_is_passed(visits: list[list[tuple[int, int]]]) -> None:
    door = Door(LIMITS)
    inside = []
    for bringing in visits:
        try:
            visit = door.enter()
            inside.append(visit)
            for items, size in bringing:
                visit.bring(items)
                visit.hold(size)
        except Refusal as refusal:
            assert refusal.status == 503
        assert door.items <= LIMITS.queue and door.held <= LIMITS.memory
        if len(inside) > 3:
            inside.pop(0).__exit__(None, None, None)
    for visit in inside:
        visit.__exit__(None, None, None)
    assert (door.items, door.held) == (0, 0)
