"""The dashboard on the real cluster, clicked through with a real browser; and its database going away."""

from __future__ import annotations

import json
import re
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Dialog, Page, expect
from scripts import deploy
from scripts.deploy import kubectl

from tests.e2e.browser import chromium
from tests.e2e.installation import Installation, JsonDict, make_batch, make_run, port_forward

HOSTILE = "<script>document.title='owned'</script><img src=x onerror=alert(1)>"
SCRIPT = f"""
echo 'beginning of the work'
printf '\\033[31mred\\033[0m \\033]0;title\\007 %s\\n' "{HOSTILE}"
echo "work of $AUTOPACK_RUN_ID" > "$AUTOPACK_RUN_ID.txt"
echo "changed by $AUTOPACK_RUN_ID" >> README.md
git add -A; git commit -qm 'Do the work'
echo 'def answer(): return "{HOSTILE.replace('"', "")}"' > src/app.py
echo '<script>alert(2)</script>' > "$AUTOPACK_ARTIFACTS/ci/<img src=x onerror=alert(3)>.html"
sleep 2
test "$AUTOPACK_RUN_ID" != shown-bad
"""
READER = {
    "apiVersion": "rbac.authorization.k8s.io/v1",
    "kind": "Role",
    "metadata": {"name": "reader"},
    "rules": [{"apiGroups": ["autopack.dev"], "resources": ["autopackruns"], "verbs": ["get", "list"]}],
}


def binding(account: str, namespace: str) -> JsonDict:
    return {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "RoleBinding",
        "metadata": {"name": account},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "reader"},
        "subjects": [{"kind": "ServiceAccount", "name": account, "namespace": namespace}],
    }


@pytest.fixture(scope="module")
def installed(cluster: None, sample_repository: Path) -> Iterator[Installation]:
    with Installation.fresh("e2e-dashboard", {"dashboard.enabled": "true"}) as installation:
        installation.import_repository("sample", sample_repository)
        for account in ("viewer", "stranger"):
            kubectl("create", "serviceaccount", account, "-n", installation.namespace)
        installation.apply(READER, binding("viewer", installation.namespace))
        installation.apply(make_batch("shown", SCRIPT, ["good", "bad", "fine"], workers=2))
        installation.apply(make_run("no-anchor", "true", anchor=None))
        installation.finished("shown", "runbatch", timeout=240)
        yield installation


@pytest.fixture(scope="module")
def address(installed: Installation) -> Iterator[str]:
    """Where `kubectl port-forward` brings the dashboard to, as the guide says."""
    with port_forward(installed.namespace, "service/autopack-dashboard", 80) as forwarded:
        yield forwarded


def token(installed: Installation, account: str) -> str:
    return kubectl("create", "token", account, "-n", installed.namespace, "--duration=1h").strip()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as found:
        yield found


@pytest.fixture(scope="module")
def session(browser: Browser, installed: Installation, address: str) -> Iterator[BrowserContext]:
    """A browser in which the viewer is logged in."""
    context = browser.new_context(viewport={"width": 1200, "height": 900})
    page = context.new_page()
    page.goto(f"{address}/batches")
    expect(page.get_by_role("heading", name="Log in")).to_be_visible()
    page.get_by_label("Token").fill(token(installed, "viewer"))
    page.get_by_role("button", name="Log in").click()
    expect(page).to_have_url(f"{address}/batches")
    page.close()
    yield context
    context.close()


class Watched:
    """What a page must never do."""

    def __init__(self, page: Page) -> None:
        self.wrong: list[str] = []
        page.on("dialog", self._dialog)
        page.on("pageerror", lambda error: self.wrong.append(f"error {error}"))
        page.on("console", self._said)

    def _dialog(self, dialog: Dialog) -> None:
        self.wrong.append(f"dialog {dialog.message}")
        dialog.dismiss()

    def _said(self, message: ConsoleMessage) -> None:
        if "Content Security" in message.text:
            self.wrong.append(message.text)


@pytest.fixture
def page(session: BrowserContext) -> Iterator[Page]:
    found = session.new_page()
    watched = Watched(found)
    yield found
    assert watched.wrong == []
    found.close()


def pictures(page: Page, folder: Path, name: str) -> None:
    """Screenshots for people: light, dark, and as on a phone."""
    for scheme, width in (("light", 1200), ("dark", 1200), ("light", 390)):
        page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        page.set_viewport_size({"width": width, "height": 900})
        kind = "phone" if width < 500 else scheme
        page.screenshot(path=folder / f"{name}-{kind}.png", full_page=True)
        assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.set_viewport_size({"width": 1200, "height": 900})


def test_from_the_batch_to_the_run_its_log_an_artifact_and_the_diff(page: Page, address: str, tmp_path: Path) -> None:
    page.goto(f"{address}/")
    pictures(page, tmp_path, "batches")
    page.get_by_role("link", name="shown", exact=True).click()
    expect(page.get_by_role("heading", name="shown")).to_be_visible()
    expect(page.locator("svg.timeline .bar")).to_have_count(3)
    expect(page.locator("table.matrix tbody tr")).to_have_count(2, timeout=30_000)
    expect(page.locator("table.matrix td.bad")).to_have_count(1)
    pictures(page, tmp_path, "batch")
    page.get_by_role("table", name="Runs of this batch").get_by_role("link", name="shown-good").click()
    expect(page.get_by_role("heading", name=re.compile("shown-good"))).to_be_visible()
    for condition in ("AnchorApproved", "LeaseHeld", "ArtifactsCommitted", "Succeeded"):
        expect(page.locator("#conditions")).to_contain_text(condition)
    expect(page.locator("#leases")).to_contain_text("attempt 1")
    pictures(page, tmp_path, "run")

    page.get_by_role("navigation", name="About this run").get_by_role("link", name="Log").click()
    expect(page.locator("pre.log")).to_contain_text("beginning of the work")
    expect(page.locator("pre.log")).to_contain_text(f"red  {HOSTILE}")
    pictures(page, tmp_path, "log")

    page.get_by_role("navigation", name="About this run").get_by_role("link", name="Overview").click()
    with page.expect_download() as download:
        page.get_by_role("link", name=re.compile("onerror=alert")).click()
    assert download.value.path().read_text() == "<script>alert(2)</script>\n"

    page.get_by_role("navigation", name="About this run").get_by_role("link", name="Diff").click()
    expect(page.locator("details.file")).to_have_count(3)
    expect(page.locator("tr.add").filter(has_text="work of shown-good")).to_be_visible()
    expect(page.locator("tr.add").filter(has_text="<script>document.title=owned</script>")).to_be_visible()
    assert "owned" not in page.title()
    pictures(page, tmp_path, "diff")


def test_runs_are_found_by_name_state_and_batch(page: Page, address: str) -> None:
    page.goto(f"{address}/runs")
    expect(page.locator("tbody tr")).to_have_count(4)
    page.get_by_label("Name contains").fill("BAD")
    page.get_by_role("button", name="Filter").click()
    expect(page.locator("tbody tr th")).to_have_text(["shown-bad"])
    page.get_by_role("link", name="Clear").click()
    page.get_by_role("link", name=re.compile("Refused")).click()
    expect(page.locator("tbody tr th")).to_have_text(["no-anchor"])


def test_a_keyboard_is_enough(page: Page, address: str) -> None:
    page.goto(f"{address}/batches")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="shown", exact=True)).to_be_focused()
    page.keyboard.press("Enter")
    expect(page).to_have_url(f"{address}/batches/shown")


def test_an_open_page_shows_a_new_run_by_itself(page: Page, address: str, installed: Installation) -> None:
    page.goto(f"{address}/runs?q=sudden")
    expect(page.get_by_text("No runs match")).to_be_visible()
    expect(page.locator("#live")).to_be_visible()
    installed.apply(make_run("sudden", "sleep 1"))
    expect(page.get_by_role("link", name="sudden")).to_be_visible(timeout=30_000)
    expect(page.locator("tbody .state")).to_have_text("Succeeded", timeout=90_000)


def test_nothing_is_loaded_from_elsewhere(session: BrowserContext, address: str) -> None:
    page = session.new_page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    for path in ("/batches/shown", "/runs"):
        page.goto(f"{address}{path}")
    assert [url for url in asked if not url.startswith(address)] == []
    page.close()


def status(address: str, path: str, bearer: str = "") -> int:
    words = ["curl", "-s", "-o", "/dev/null", "-w", "%{http_code}", "-H", f"Authorization: Bearer {bearer}"]
    return int(subprocess.run([*words, f"{address}{path}"], capture_output=True, text=True, check=True).stdout)


def test_whoever_may_not_read_the_runs_sees_nothing(installed: Installation, address: str) -> None:
    for path in ("/batches", "/runs", "/runs.csv", "/events"):
        assert status(address, path) == 401
        assert status(address, path, token(installed, "stranger")) == 403
    assert status(address, "/runs", token(installed, "viewer")) == 200
    assert status(address, "/runs", token(installed, "viewer")[:-4] + "AAAA") == 401


def test_the_dashboard_itself_may_read_no_object_of_the_cluster(installed: Installation) -> None:
    user = f"system:serviceaccount:{installed.namespace}:autopack-dashboard"
    for what in ("get autopackruns", "get secrets", "get pods/log", "create autopackruns", "delete autopackruns"):
        verb, resource = what.split()
        done = subprocess.run(
            ["kubectl", "auth", "can-i", verb, resource, "-n", installed.namespace, f"--as={user}"],
            env=deploy.environment(),
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.stdout.strip() == "no", what


def test_no_token_is_in_the_log(installed: Installation) -> None:
    log = kubectl("logs", "-n", installed.namespace, "deploy/autopack-dashboard")
    assert "eyJ" not in log


def test_history_stays_when_the_runs_are_gone(installed: Installation, page: Page, address: str) -> None:
    installed.apply(make_run("short-lived", "true", ttlSecondsAfterFinished={"succeeded": 1}))
    deadline = time.monotonic() + 120
    while kubectl("get", "autopackruns", "short-lived", "-n", installed.namespace, "--ignore-not-found", "-o", "name"):
        assert time.monotonic() < deadline
        time.sleep(0.5)
    page.goto(f"{address}/runs?run=short-lived")
    expect(page.locator("tbody .state")).to_have_text("Succeeded")


def rows(installed: Installation, query: str) -> list[list[object]]:
    """Rows of the operator's SQLite file."""
    code = (
        "import json,sqlite3,sys;"
        "db=sqlite3.connect('file:/var/lib/autopack/registry.db?mode=ro',uri=True);"
        "print(json.dumps(db.execute(sys.argv[1]).fetchall()))"
    )
    words = [
        "exec",
        "-n",
        installed.namespace,
        "deploy/autopack-operator",
        "--",
        "/opt/autopack/bin/python",
        "-c",
        code,
    ]
    found: list[list[object]] = json.loads(kubectl(*words, query))
    return found


def test_a_registry_that_was_lost_is_rebuilt_the_same(installed: Installation) -> None:
    queries = [
        "SELECT * FROM registry_runs WHERE batch_id = 'shown' ORDER BY run_id",
        "SELECT * FROM registry_batches WHERE batch_id = 'shown'",
    ]
    before = [rows(installed, query) for query in queries]
    assert [len(each) for each in before] == [3, 1]
    operator = ["exec", "-n", installed.namespace, "deploy/autopack-operator", "--"]
    kubectl(*operator, "rm", "/var/lib/autopack/registry.db")
    kubectl(*operator, "autopack", "registry", "rebuild")
    assert [rows(installed, query) for query in queries] == before
