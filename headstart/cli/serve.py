"""Let a sealed model answer over HTTP: pictures or texts in, labels or values out.

POST /predict takes one item as the body, several as files of a form, or in JSON (pictures as base64, texts as they
are); items of many clients share the network's batches. /docs shows everything there is, /metrics counts for
Prometheus, /health and /ready are for probes. SIGTERM or Ctrl-C finishes what is in flight.

Only this machine can reach it, unless --host says otherwise; then clients need a token, which is --token, the
environment's HEADSTART_TOKEN, or one that is made and shown once.

Examples:

    headstart serve flowers
    headstart serve flowers --port 0 --max-batch 32
    headstart serve flowers --host 0.0.0.0
    curl -F file=@a.jpg -F file=@b.jpg http://127.0.0.1:8000/predict
    curl -H 'Content-Type: text/plain' -d 'What a film!' http://127.0.0.1:8000/predict
"""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Annotated

import typer

from headstart.cli import options
from headstart.cli.reporting import watching

if TYPE_CHECKING:
    from headstart.ship.server.running import Server


def main(
    model: options.ModelFolder,
    *,
    host: Annotated[str, typer.Option(metavar="NAME", help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(metavar="N", help="Port; 0 takes any free one.")] = 8000,
    token: Annotated[
        str, typer.Option(metavar="TEXT", envvar="HEADSTART_TOKEN", help="What clients must send.", show_envvar=False)
    ] = "",
    max_batch: Annotated[int, typer.Option(metavar="N", help="Items in one forward pass.")] = 16,
    max_wait: Annotated[str, typer.Option(metavar="TIME", help="An item waits so long for company.")] = "5ms",
    max_queue: Annotated[int, typer.Option(metavar="N", help="Items inside at once; more get 503.")] = 256,
    max_items: Annotated[int, typer.Option(metavar="N", help="Items in one request.")] = 64,
    max_body: Annotated[float, typer.Option(metavar="MB", help="Megabytes of one request.")] = 20,
    max_size: Annotated[
        int | None, typer.Option(metavar="N", help="Pixels of a picture, read off before it is decoded.")
    ] = None,
    timeout: Annotated[str, typer.Option(metavar="TIME", help="From a request's first byte to its answer.")] = "30s",
    threads: Annotated[int, typer.Option(metavar="N", help="Of the network; 0 measures which is fastest.")] = 0,
    precision: options.Precision = "float32",
    quiet: options.Quiet = False,
    verbose: options.Verbose = False,
    as_json: options.Json = False,
) -> int:
    """Parse, serve, tell."""
    from headstart.api.models import serve

    with watching(quiet=quiet, verbose=verbose) as report:
        cut = serve(
            model,
            host=host,
            port=port,
            token=token,
            max_batch=max_batch,
            max_wait=max_wait,
            max_queue=max_queue,
            max_items=max_items,
            max_body=max_body,
            max_size=max_size,
            timeout=timeout,
            precision=precision,
            threads=threads,
            started=lambda server: _tell(server, made=not token, as_json=as_json),
            report=report,
        )
    if cut:
        were = "request was" if cut == 1 else "requests were"
        print(f"Stopped at once; {cut} {were} cut off", file=sys.stderr)
    return int(bool(cut))


def _tell(server: Server, *, made: bool, as_json: bool) -> None:
    """Where it is, how to try it, how to stop it."""
    if as_json:
        token = {"token": server.token} if made and server.token else {}
        print(json.dumps({"url": server.url, **token}), flush=True)
        return
    print("\n".join(told(server, made=made)), flush=True)


def told(server: Server, *, made: bool) -> list[str]:
    """What people are told, one line each."""
    shown = "$HEADSTART_TOKEN" if not made else server.token
    header = f' -H "Authorization: Bearer {shown}"' if server.token else ""
    lines = [f"{server.model.path.resolve().name} answers at {server.url}"]
    if made and server.token:
        lines.append(f"Token:  {server.token}  (shown this once; clients send it)")
    if server.example is not None:
        # What it predicts here is an example of its own, so that the line works as it stands.
        lines.append(
            f"Try:    curl -s{header} {server.url}/example | curl -s{header} --data-binary @- "
            f"-H 'Content-Type: {server.example[1]}' {server.url}/predict"
        )
    own = f"-H 'Content-Type: {server.wire.media[0]}' -d 'A TEXT'" if server.wire.text else "-F file=@PICTURE"
    return [
        *lines,
        f"Yours:  curl -s{header} {own} {server.url}/predict",
        f"Docs:   {server.url}/docs",
        "Stop:   Ctrl-C",
    ]
