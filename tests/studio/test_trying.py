"""What a modality takes, and what an answer holds."""

import io

import pytest
from PIL import Image

from headstart.base import discovery
from headstart.base.errors import BadOption, Undecodable
from headstart.base.vocabulary import Wire
from headstart.studio import trying
from tests.ship.conftest import ODD, network, watched

__all__ = ["network", "watched"]


def test_pictures_come_as_files_and_from_a_camera():
    assert trying.ways("images") == {"file": "image/jpeg,image/png,image/*", "camera": "image/png"}


def test_a_modality_of_texts_is_typed_and_has_no_camera(monkeypatch):
    class Texts:
        WIRE = Wire(("text/plain",), text=True, unit="letters", most=10)

        @staticmethod
        def received(content, most):
            if len(content) > most:
                raise Undecodable("too long")
            return content

    monkeypatch.setattr(discovery, "load", lambda *_, **__: Texts)
    assert trying.ways("texts") == {"file": "text/plain", "text": "A text"}
    assert trying._item("texts", "text", "grün".encode()) == "grün"
    with pytest.raises(BadOption, match="takes no camera"):
        trying._item("texts", "camera", b"")
    with pytest.raises(Undecodable):
        trying._item("texts", "text", b"x" * 11)


@pytest.mark.parametrize("kind", ["text", "", "path", "../x"])
def test_a_picture_model_takes_no_text_which_might_be_a_path(kind):
    with pytest.raises(BadOption, match="takes no"):
        trying._item("images", kind, b"/etc/passwd")


def test_bytes_are_looked_at_before_they_are_decoded():
    with pytest.raises(Undecodable):
        trying._item("images", "file", b"/etc/passwd")


def test_an_unfamiliar_item_is_told(watched):
    stream = io.BytesIO()
    Image.fromarray(ODD).save(stream, "PNG")
    found = trying.answer(watched, "file", stream.getvalue())
    assert found["unfamiliar"] is True and found["strangeness"] > 1 and found["answer"]["label"]
