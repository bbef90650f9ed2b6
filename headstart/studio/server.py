"""The studio's server: the page, and what it asks for, behind the guard, on this machine only."""

from __future__ import annotations

import contextlib
import errno
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from headstart.base.errors import BadOption, MissingExtra
from headstart.studio import security, uploads
from headstart.studio.place import Place
from headstart.studio.security import Guard, Keys

LOOPBACK = "127.0.0.1"


def application(place: Place, keys: Keys) -> Any:
    """The whole studio as an ASGI application.

    Args:
        place: what it may touch.
        keys: who may talk to it.

    Raises:
        MissingExtra: without the libraries of the extra ``serve``.
    """
    try:
        import fastapi
    except ImportError as error:
        raise MissingExtra("fastapi", "serve") from error
    from headstart.studio.routes import answers, data, models, page, work

    app = fastapi.FastAPI(title="headstart studio", openapi_url=None, docs_url=None, redoc_url=None)
    for room in (page, data, work, models):
        app.include_router(room.router(place))
    answers.tell_errors(app)
    return Guard(app, keys, security.policy(page.IMPORTS))


def serve(folder: Path | None, *, port: int, ready: Callable[[str], None]) -> None:
    """Run the studio until Ctrl-C; jobs go on without it.

    Args:
        folder: what it may touch; the home folder by default.
        port: to listen to; 0 for any that is free.
        ready: called with the address once it answers.

    Raises:
        BadOption: the port is taken, or not to be had.
        MissingExtra: without the libraries of the extra ``serve``.
    """
    try:
        import uvicorn
    except ImportError as error:
        raise MissingExtra("uvicorn", "serve") from error
    place = Place.at(folder)
    uploads.tidy(place.uploads)
    with _listening(port) as listener:
        keys = Keys(listener.getsockname()[1])
        config = uvicorn.Config(
            application(place, keys),
            log_config=None,
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=2,
        )
        server = uvicorn.Server(config)
        threading.Thread(target=_when_ready, args=(server, lambda: ready(keys.address)), daemon=True).start()
        # Ctrl-C ends the server; uvicorn raises it again once everything is closed.
        with contextlib.suppress(KeyboardInterrupt):
            server.run(sockets=[listener])


def _when_ready(server: Any, call: Callable[[], None]) -> None:
    pause = threading.Event()
    while not server.started and not server.should_exit:
        pause.wait(0.02)
    if server.started:
        call()


@contextlib.contextmanager
def _listening(port: int) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((LOOPBACK, port))
        except (OSError, OverflowError) as error:
            taken = getattr(error, "errno", None) == errno.EADDRINUSE
            raise BadOption(
                f"Port {port} {'is taken' if taken else 'cannot be listened to'}",
                where="--port",
                expected="a free port between 1024 and 65535, or 0 for any",
                next_move="leave --port out",
            ) from error
        yield listener
