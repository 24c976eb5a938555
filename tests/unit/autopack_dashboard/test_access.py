"""Who is let in: with a token that proves somebody who may read the runs, and nobody else, whatever goes wrong."""

from __future__ import annotations

import json
import ssl
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from tests.unit.autopack_dashboard.pages import Door, Pages

from autopack.errors import InvalidInput
from autopack_dashboard.access.doorman import is_loopback_name, local_path
from autopack_dashboard.access.gate import DeniedError, RememberingGate
from autopack_dashboard.access.kubernetes import KubernetesGate, access_review, api_server, is_allowed
from autopack_dashboard.access.sessions import COOKIE, LIVES_SECONDS, Sessions
from autopack_dashboard.settings import Settings

JsonDict = dict[str, Any]
PATHS = [
    "/",
    "/batches",
    "/runs",
    "/runs.csv",
    "/runs/uid-parser/parser",
    "/runs/uid-parser/parser/artifact?path=x",
    "/events",
]


@pytest.mark.parametrize("path", PATHS)
async def test_without_a_token_nothing_is_shown(guarded: Pages, path: str) -> None:
    response = await guarded.get(path)
    assert (response.status, response.headers["WWW-Authenticate"]) == (401, "Bearer")


async def test_a_browser_without_a_session_is_led_to_the_login_and_back(guarded: Pages) -> None:
    response = await guarded.get("/runs?q=a", Accept="text/html")
    assert (response.status, response.headers["Location"]) == (303, "/login?next=%2Fruns%3Fq%3Da")


@pytest.mark.parametrize(
    ("header", "status"), [("Bearer friend", 200), ("Bearer stranger", 403), ("Bearer x", 401), ("Basic friend", 401)]
)
async def test_a_bearer_token_is_judged(guarded: Pages, header: str, status: int) -> None:
    assert (await guarded.get("/batches", Authorization=header)).status == status


async def test_nobody_is_let_in_when_nobody_can_tell(guarded: Pages, door: Door) -> None:
    door.out_of_order = True
    assert (await guarded.get("/batches", Authorization="Bearer friend")).status == 503


async def test_a_login_gives_a_cookie_that_scripts_and_other_sites_cannot_use(guarded: Pages) -> None:
    response = await guarded.client.post("/login", data={"token": "friend", "next": "/runs"}, allow_redirects=False)
    assert (response.status, response.headers["Location"]) == (303, "/runs")
    cookie = response.headers["Set-Cookie"]
    assert "friend" not in cookie
    assert {"HttpOnly", "SameSite=Strict", "Path=/"} <= set(cookie.split("; "))
    assert (await guarded.get("/batches")).status == 200
    assert "friend" in (await guarded.read("/batches")).text


async def test_over_https_the_cookie_is_for_https_alone(guarded: Pages) -> None:
    headers = {"X-Forwarded-Proto": "https"}
    response = await guarded.client.post("/login", data={"token": "friend"}, headers=headers, allow_redirects=False)
    assert "Secure" in response.headers["Set-Cookie"].split("; ")


async def test_a_refused_token_is_not_repeated(guarded: Pages) -> None:
    response = await guarded.client.post("/login", data={"token": "s3cr3t-token"}, allow_redirects=False)
    assert response.status == 401
    assert "s3cr3t-token" not in await response.text()
    assert "Set-Cookie" not in response.headers


async def test_another_site_cannot_log_anybody_in(guarded: Pages) -> None:
    for headers in ({"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://evil.example"}):
        response = await guarded.client.post("/login", data={"token": "friend"}, headers=headers, allow_redirects=False)
        assert response.status == 403


async def test_a_logout_ends_the_session_also_for_who_kept_the_cookie(guarded: Pages) -> None:
    response = await guarded.client.post("/login", data={"token": "friend"}, allow_redirects=False)
    name = response.cookies[COOKIE].value
    await guarded.client.post("/logout", allow_redirects=False)
    assert (await guarded.get("/batches", Cookie=f"{COOKIE}={name}")).status == 401


@pytest.mark.parametrize("path", ["/livez", "/readyz", "/login", "/static/app.css"])
async def test_probes_and_the_login_are_open(guarded: Pages, path: str) -> None:
    assert (await guarded.get(path)).status == 200


@pytest.mark.parametrize(
    "text", ["//evil.example", "/\\evil.example", "https://evil.example", "", "x", "/a\nb", "/\\/e"]
)
def test_a_login_never_leads_elsewhere(text: str) -> None:
    assert local_path(text) == "/"


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("127.0.0.1:80", True),
        ("localhost", True),
        ("[::1]:8", True),
        ("evil.example", False),
        ("", False),
        ("10.0.0.1", False),
        ("[", False),
    ],
)
def test_names_of_this_machine_are_known(host: str, expected: bool) -> None:
    assert is_loopback_name(host) is expected


def test_a_session_ends_by_itself() -> None:
    now = 0.0
    sessions = Sessions(lambda: now)
    name = sessions.begin("friend")
    assert sessions.token(name) == "friend"
    now = LIVES_SECONDS
    assert sessions.token(name) is None


async def test_an_answer_is_remembered_for_a_while_and_an_error_never() -> None:
    now, door = 0.0, Door()
    gate = RememberingGate(door, 60, 5, lambda: now)
    for _ in range(3):
        assert await gate.admit("friend") == "friend"
    assert door.asked == 1
    now, door.out_of_order = 61.0, True
    for _ in range(2):
        with pytest.raises(DeniedError) as caught:
            await gate.admit("friend")
        assert caught.value.status == 503
    door.out_of_order = False
    assert await gate.admit("friend") == "friend"


class ApiServer:
    """Answers reviews as it is told."""

    def __init__(self) -> None:
        self.token: JsonDict = {"authenticated": True, "user": {"username": "ann", "groups": ["devs"], "uid": "7"}}
        self.access: dict[str, JsonDict] = {"get": {"allowed": True}, "list": {"allowed": True}}
        self.status = 201
        self.seen: list[JsonDict] = []

    async def answer(self, request: web.Request) -> web.Response:
        body = json.loads(await request.text())
        self.seen.append(body)
        assert request.headers["Authorization"] == "Bearer own-token"
        is_token = request.path.endswith("tokenreviews")
        status = self.token if is_token else self.access[body["spec"]["resourceAttributes"]["verb"]]
        return web.json_response({"status": status}, status=self.status)


async def ask(api: ApiServer, tmp_path: Any, monkeypatch: pytest.MonkeyPatch, token: str = "t") -> str:  # noqa: S107
    (tmp_path / "token").write_text("own-token\n")
    monkeypatch.setattr(ssl, "create_default_context", lambda **_: True)
    app = web.Application()
    app.router.add_post("/{path:.*}", api.answer)
    async with TestServer(app) as server:
        gate = KubernetesGate(str(server.make_url("")).rstrip("/"), "lab", tmp_path)
        try:
            return await gate.admit(token)
        finally:
            await gate.close()


async def test_who_may_get_and_list_runs_in_the_namespace_is_let_in(
    tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    api = ApiServer()
    assert await ask(api, tmp_path, monkeypatch) == "ann"
    reviews = [body["spec"] for body in api.seen[1:]]
    assert [review["resourceAttributes"] for review in reviews] == [
        {"namespace": "lab", "verb": verb, "group": "autopack.dev", "resource": "autopackruns"}
        for verb in ("get", "list")
    ]
    assert {(review["user"], review["groups"][0], review["uid"]) for review in reviews} == {("ann", "devs", "7")}


@pytest.mark.parametrize(
    ("field", "value", "status"),
    [
        ("token", {"authenticated": False, "user": {"username": "ann"}}, 401),
        ("token", {"authenticated": True, "error": "expired", "user": {"username": "ann"}}, 401),
        ("token", {"authenticated": True}, 401),
        ("token", {}, 401),
        ("access", {"get": {"allowed": True}, "list": {"allowed": False}}, 403),
        ("access", {"get": {"allowed": True, "denied": True}, "list": {"allowed": True}}, 403),
        ("access", {"get": {}, "list": {}}, 403),
        ("status", 500, 503),
        ("status", 403, 503),
    ],
)
async def test_whatever_is_not_a_plain_yes_is_a_no(
    field: str, value: Any, status: int, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    api = ApiServer()
    setattr(api, field, value)
    with pytest.raises(DeniedError) as caught:
        await ask(api, tmp_path, monkeypatch, "s3cr3t")
    assert caught.value.status == status
    assert "s3cr3t" not in str(caught.value)


@pytest.mark.parametrize("token", ["", "a b", "a\nb", "ü", "x" * 20_000])
async def test_what_can_be_no_token_is_asked_of_nobody(token: str, tmp_path: Any) -> None:
    with pytest.raises(DeniedError, match="not a token"):
        await KubernetesGate("http://127.0.0.1:1", "lab", tmp_path).admit(token)


async def test_an_api_server_that_is_away_lets_nobody_in(tmp_path: Any) -> None:
    with pytest.raises(DeniedError) as caught:
        await KubernetesGate("http://127.0.0.1:1", "lab", tmp_path).admit("token")
    assert caught.value.status == 503


@pytest.mark.parametrize(
    "document", [{}, {"status": None}, {"status": []}, {"status": {"allowed": "true"}}, {"status": {"allowed": 1}}]
)
def test_an_odd_answer_is_a_no(document: JsonDict) -> None:
    assert not is_allowed(document)


def test_a_review_names_nothing_that_was_not_said() -> None:
    assert access_review({"username": "ann"}, "lab", "get")["spec"].keys() == {"user", "resourceAttributes"}


def test_the_api_server_is_where_every_pod_is_told() -> None:
    assert (
        api_server({"KUBERNETES_SERVICE_HOST": "fd00::1", "KUBERNETES_SERVICE_PORT": "6443"})
        == "https://[fd00::1]:6443"
    )
    with pytest.raises(InvalidInput, match="KUBERNETES_SERVICE_HOST"):
        api_server({})


GIVEN = {"AUTOPACK_NAMESPACE": "lab", "AUTOPACK_VOLUME_URL": "http://v:8080", "AUTOPACK_VOLUME_TOKEN_FILE": "/t"}


def test_by_default_everybody_is_asked() -> None:
    assert Settings.from_environment(GIVEN | {"AUTOPACK_LISTEN": "0.0.0.0:8080"}).asks_who


def test_nobody_is_let_in_unasked_from_elsewhere() -> None:
    with pytest.raises(InvalidInput, match="not a loopback address"):
        Settings.from_environment(
            GIVEN | {"AUTOPACK_LISTEN": "0.0.0.0:8080", "AUTOPACK_DASHBOARD_AUTHENTICATION": "none"}
        )


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("AUTOPACK_NAMESPACE", ""),
        ("AUTOPACK_NAMESPACE", "a/b"),
        ("AUTOPACK_LISTEN", "8080"),
        ("DATABASE_URL", "mysql://u:s3cr3t@h/d"),
        ("AUTOPACK_DASHBOARD_AUTHENTICATION", "maybe"),
        ("AUTOPACK_VOLUME_URL", ""),
    ],
)
def test_a_wrong_variable_is_refused_without_being_shown(name: str, value: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        Settings.from_environment(GIVEN | {name: value})
    assert "s3cr3t" not in str(caught.value)
