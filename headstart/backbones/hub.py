"""Files of model repositories on the Hugging Face hub, or in this machine's cache of it.

The cache is the hub client's own (``HF_HOME``), so whatever another tool downloaded is found, and what is downloaded
here is found by other tools. The bytes are fetched by ``fetch``: resumed after a broken connection or a killed process,
and checked against the digest that the hub publishes.
"""

from __future__ import annotations

import difflib
import re
from functools import lru_cache
from pathlib import Path

from huggingface_hub import (
    HfApi,
    constants,
    get_hf_file_metadata,
    get_token,
    hf_hub_download,
    hf_hub_url,
    try_to_load_from_cache,
)
from huggingface_hub.errors import (
    EntryNotFoundError,
    GatedRepoError,
    HfHubHTTPError,
    LocalEntryNotFoundError,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)
from huggingface_hub.file_download import repo_folder_name

from headstart.backbones import fetch
from headstart.base import reach
from headstart.base.errors import HeadstartError, UnknownName, WeightsError

REPOSITORY = re.compile(r"[A-Za-z0-9][\w.\-]*(/[A-Za-z0-9][\w.\-]*)?")
"""What a repository may be called; everything else never reaches a path or an address."""
_PREFIX = "models--"
_DIGEST = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")


def split(name: str) -> tuple[str, str | None]:
    """Repository and revision of ``owner/name@revision``."""
    repository, _, revision = name.partition("@")
    return repository, revision or None


def repository_folder(repository: str) -> Path:
    """Where the cache keeps a repository."""
    return Path(constants.HF_HUB_CACHE, repo_folder_name(repo_id=repository, repo_type="model"))


def repositories() -> list[str]:
    """Those in this machine's cache, whatever is in them."""
    root = Path(constants.HF_HUB_CACHE)
    folders = sorted(root.glob(f"{_PREFIX}*/snapshots")) if root.is_dir() else []
    found = [folder.parent.name.removeprefix(_PREFIX).replace("--", "/") for folder in folders]
    return [repository for repository in found if REPOSITORY.fullmatch(repository)]


def cached(repository: str, file: str, revision: str | None = None) -> Path | None:
    """The file on this machine, if it is there."""
    if not repository_folder(repository).is_dir():
        return None
    found = try_to_load_from_cache(repository, file, cache_dir=constants.HF_HUB_CACHE, revision=revision)
    return Path(found) if isinstance(found, str) else None


def known_missing(repository: str, file: str, revision: str | None = None) -> bool:
    """Does the cache know that the repository has no such file?"""
    if not repository_folder(repository).is_dir():
        return False
    found = try_to_load_from_cache(repository, file, cache_dir=constants.HF_HUB_CACHE, revision=revision)
    return found is not None and not isinstance(found, str)


def get(repository: str, file: str, revision: str | None = None, *, name: str) -> Path | None:
    """A file of a repository, from the cache or downloaded into it.

    Args:
        repository: ``owner/name``.
        file: its name.
        revision: branch, tag or commit.
        name: of the backbone, for messages.

    Returns:
        Its path; None where the repository has no such file.

    Raises:
        UnknownName: when there is no such repository, with similar ones.
        WeightsError: when it cannot be had, with the reason and the next move.
    """
    if (found := cached(repository, file, revision)) is not None:
        return _sound(found, name)
    if known_missing(repository, file, revision):
        return None
    if constants.HF_HUB_OFFLINE:
        raise unavailable(name, "HF_HUB_OFFLINE is set, so nothing is downloaded")
    if reason := is_away(constants.ENDPOINT):
        raise unavailable(name, reason)
    try:
        return _downloaded(repository, file, revision)
    except Exception as error:  # the hub's client and the network beneath it have dozens of errors of their own
        if isinstance(error, EntryNotFoundError) and not isinstance(error, LocalEntryNotFoundError):
            return None
        raise _told(error, repository, revision, name) from error


def _told(error: Exception, repository: str, revision: str | None, name: str) -> HeadstartError:
    """The error in our words: what was wrong, and the next move."""
    if isinstance(error, WeightsError):
        return unavailable(name, error.what, error.next_move)
    if isinstance(error, RevisionNotFoundError):
        return unavailable(name, f"{repository} has no revision {revision!r}")
    # A gated repository is one that is not found by those who may not see it.
    if isinstance(error, RepositoryNotFoundError) and not isinstance(error, GatedRepoError):
        return _unknown(name, repository)
    response = getattr(error, "response", None)
    if isinstance(error, GatedRepoError) or getattr(response, "status_code", 0) in (401, 403):
        return _gated(name, repository)
    if isinstance(error, HfHubHTTPError) and response is not None:
        return unavailable(name, f"the hub answers {response.status_code}")
    late = "Timeout" in type(error).__name__
    return unavailable(name, f"{constants.ENDPOINT} does not answer" if late else _first_line(error))


def unavailable(name: str, reason: str, next_move: str = "") -> WeightsError:
    """The error for weights that cannot be had."""
    return WeightsError(
        f"The weights of {name} cannot be had: {reason}",
        expected=f"them in {constants.HF_HUB_CACHE}, or a way to {constants.ENDPOINT}",
        next_move=next_move
        or "use weights that are here (headstart backbones --local, or local:PATH); or, where there is a network, "
        f"headstart backbones pack {name} -o DIR, and here --from DIR. HF_HUB_OFFLINE=1 forbids downloads",
    )


@lru_cache(maxsize=4)
def is_away(endpoint: str) -> str:
    """Why the hub cannot be reached; "" if it can."""
    # Asked once a process: every file of a repository would wait again.
    return reach.unreachable(endpoint)


def _downloaded(repository: str, file: str, revision: str | None) -> Path:
    url = hf_hub_url(repository, file, revision=revision)
    try:
        facts = get_hf_file_metadata(url, timeout=reach.PATIENCE)
    except EntryNotFoundError:
        # The client notes in the cache that there is no such file, which is then known without a network too.
        return Path(hf_hub_download(repository, file, revision=revision, etag_timeout=reach.PATIENCE))
    if facts.etag and facts.commit_hash and not cached(repository, file, facts.commit_hash):
        # Put where the client looks first: it then only enters the file under its commit and its branch.
        blob = repository_folder(repository) / "blobs" / facts.etag
        digest = facts.etag if _DIGEST.fullmatch(facts.etag) else ""
        # The client asked without following the hub's pointer to its storage; the token is for the hub alone.
        fetch.download(url, blob, digest=digest, size=facts.size, token=get_token() or "")
    return Path(hf_hub_download(repository, file, revision=revision, etag_timeout=reach.PATIENCE))


def _sound(path: Path, name: str) -> Path:
    """The path, if the file has the digest under which the cache keeps it."""
    digest = path.resolve().name
    if len(digest) == 64 and _DIGEST.fullmatch(digest) and not fetch.matches(path, digest):
        raise WeightsError(
            f"The cached weights of {name} are damaged: their digest is not the one they were published with",
            where=str(path),
            next_move=f"delete {path.resolve()} and download it again",
        )
    return path


def _gated(name: str, repository: str) -> WeightsError:
    return WeightsError(
        f"{name} may only be downloaded by those whom its owner lets",
        where=f"{constants.ENDPOINT}/{repository}",
        expected="its terms accepted there, and a token of yours (hf auth login, or HF_TOKEN)",
        next_move="accept the terms on that page and log in, or choose another backbone",
    )


def _unknown(name: str, repository: str) -> UnknownName:
    provider = name.split("/", 1)[0]
    return UnknownName(
        "backbone",
        name,
        [f"{provider}/{each}" for each in similar(repository)],
        next_move=f"{constants.ENDPOINT}/models lists all; a private one needs a token (HF_TOKEN)",
    )


def similar(repository: str, most: int = 30) -> list[str]:
    """Repositories that the hub finds for the words of a name, the closest first; none if it does not answer."""
    whole = repository.rpartition("/")[2]
    longest = max(re.split(r"[^A-Za-z0-9]+", whole), key=len)

    def ask() -> list[str]:
        for text in dict.fromkeys((whole, longest)):
            try:
                if found := [model.id for model in HfApi().list_models(search=text, limit=most)]:
                    return found
            except Exception:  # a suggestion is a courtesy: without it the name is unknown all the same
                return []
        return []

    nothing: list[str] = []
    found = reach.within(reach.PATIENCE, ask, nothing)
    return difflib.get_close_matches(repository, found, n=most, cutoff=0.0)


def _first_line(error: Exception) -> str:
    return str(error).strip().split("\n")[0] or type(error).__name__
