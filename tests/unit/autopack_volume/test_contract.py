"""The contract is what the service serves, and what requests may hold."""

from __future__ import annotations

from pathlib import Path

import pytest

from autopack_volume.contract import messages, routes
from autopack_volume.contract.routes import at
from autopack_volume.service.http.service import Service
from autopack_volume.service.settings import Settings

PROBES = {"/livez", "/readyz", "/metrics"}


class Nobody:
    """A verifier that is never asked."""

    async def verify(self, token: str) -> str:
        raise NotImplementedError

    async def ready(self) -> bool:
        return True


def test_the_service_serves_the_routes_of_the_contract_and_no_others(tmp_path: Path) -> None:
    app = Service(Settings(root=tmp_path), Nobody()).app()
    served = {resource.canonical for resource in app.router.resources()} - PROBES
    assert served == {value for name, value in vars(routes).items() if name.isupper()}


def test_what_is_filled_into_a_route_cannot_lead_elsewhere() -> None:
    assert at(routes.LOG, "../x", 2, "a/b") == "/v1/attempts/..%2Fx/2/logs/a%2Fb"


@pytest.mark.parametrize(
    ("message", "needed"),
    [
        (messages.PrepareRequest, {"runId", "source", "ref", "branch"}),
        (messages.CommitRequest, {"runId"}),
        (messages.Ready, {"state", "repoKey", "sha", "workspace", "artifacts"}),
    ],
)
def test_what_an_older_side_does_not_send_is_not_needed(message: type, needed: set[str]) -> None:
    assert getattr(message, "__required_keys__") == needed  # noqa: B009 - of a TypedDict, which `type` does not have
