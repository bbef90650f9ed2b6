"""Who gets in and who does not; asked over ASGI, headers and all."""

import asyncio

import httpx
import pytest

from headstart.studio.place import Place
from headstart.studio.security import Keys
from headstart.studio.server import application

PORT = 8123
OWN = f"http://127.0.0.1:{PORT}"


@pytest.fixture
def studio(tmp_path):
    keys = Keys(PORT)
    app = application(Place(tmp_path.resolve(), tmp_path.resolve()), keys)

    def ask(method, path, *, inside=True, host=f"127.0.0.1:{PORT}", **headers):
        async def go():
            transport = httpx.ASGITransport(app, raise_app_exceptions=False)
            async with httpx.AsyncClient(transport=transport, base_url=OWN) as client:
                given = {name.replace("_", "-"): value for name, value in headers.items()}
                if inside:
                    given["cookie"] = f"{keys.cookie}={keys.token}"
                content = given.pop("body", None)
                return await client.request(method, path, headers={**given, "host": host}, content=content)

        return asyncio.run(go())

    ask.keys = keys
    return ask


def test_the_token_becomes_a_cookie_that_scripts_and_other_sites_do_not_get(studio):
    answer = studio("GET", f"/?token={studio.keys.token}", inside=False)
    assert answer.status_code == 303 and answer.headers["location"] == "/"
    cookie = answer.headers["set-cookie"]
    assert studio.keys.token in cookie and "HttpOnly" in cookie and "SameSite=Strict" in cookie
    assert "token" not in answer.text


@pytest.mark.parametrize("query", ["", "?token=", "?token=wrong", "?token=%00", "?other=1"])
def test_without_the_token_nothing_is_shown(studio, query):
    for path in (f"/{query}", f"/api/models{query}", f"/page/app.js{query}", f"/report/abc{query}"):
        answer = studio("GET", path, inside=False)
        assert answer.status_code == 403
        assert "set-cookie" not in answer.headers


def test_a_token_opens_only_the_front_door(studio):
    assert studio("GET", f"/api/models?token={studio.keys.token}", inside=False).status_code == 403


def test_a_wrong_cookie_is_no_cookie(studio):
    for cookie in (f"{studio.keys.cookie}=wrong", f"other={studio.keys.token}", "=;;;", "\x7f"):
        assert studio("GET", "/", inside=False, cookie=cookie).status_code == 403


def test_the_page_may_load_nothing_from_elsewhere_and_cannot_be_framed(studio):
    answer = studio("GET", "/")
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy and "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy and "*" not in policy and "http" not in policy
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["referrer-policy"] == "no-referrer"


@pytest.mark.parametrize(
    "host", ["evil.example", f"evil.example:{PORT}", "127.0.0.1", f"127.0.0.1:{PORT + 1}", "localhost", "", "0.0.0.0"]
)
def test_another_host_name_is_refused_even_with_the_cookie(studio, host):
    assert studio("GET", "/api/models", host=host).status_code == 403


def test_localhost_is_a_name_of_this_machine(studio):
    assert studio("GET", "/", host=f"localhost:{PORT}").status_code == 200


@pytest.mark.parametrize(
    "origin", ["https://evil.example", "null", f"http://127.0.0.1:{PORT + 1}", f"https://127.0.0.1:{PORT}"]
)
def test_a_page_of_another_origin_changes_and_reads_nothing(studio, origin):
    for method, path in (("POST", "/api/browse"), ("DELETE", "/api/jobs/0123456789ab"), ("GET", "/api/models")):
        answer = studio(method, path, origin=origin, body="{}", content_type="application/json")
        assert answer.status_code == 403 and "origin" in answer.text
        assert "access-control-allow-origin" not in answer.headers


def test_a_change_without_an_origin_is_refused_and_with_the_own_one_done(studio):
    assert studio("POST", "/api/browse", body="{}", content_type="application/json").status_code == 403
    answer = studio("POST", "/api/browse", origin=OWN, body="{}", content_type="application/json")
    assert answer.status_code == 200 and answer.json()["folders"] == []


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_a_picture_or_script_that_another_page_asks_for_is_refused(studio, site):
    assert studio("GET", "/api/models", sec_fetch_site=site).status_code == 403
    assert studio("GET", "/page/app.js", sec_fetch_site=site).status_code == 403


@pytest.mark.parametrize(
    "name",
    [
        "../server.py",
        "..%2fserver.py",
        "%2e%2e/server.py",
        "vendor/../../server.py",
        "x.js",
        "index.html",
        "",
        "/etc/passwd",
        "vendor",
        "a%00.js",
    ],
)
def test_no_file_but_the_pages_own_is_given_out(studio, name):
    answer = studio("GET", f"/page/{name}")
    assert answer.status_code == 404 or "headstart" not in answer.text


def test_what_is_no_json_or_lacks_something_is_answered_in_our_words(studio):
    for body in ("", "{", "[]", '{"source": 3}', '{"source": "x", "seed": -1}'):
        answer = studio("POST", "/api/checks", origin=OWN, body=body, content_type="application/json")
        assert answer.status_code == 422 and "what" in answer.json()


def test_no_page_describes_the_interface(studio):
    for path in ("/docs", "/openapi.json", "/redoc"):
        assert studio("GET", path).status_code == 404
