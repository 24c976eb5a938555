"""What a run's pod has to reach models with: a token that is bound to it, the relay that shows it, and variables that
lead agents to the relay. There is no key in it.
"""

from __future__ import annotations

from autopack_operator.domain.api.budgets import ProviderApi
from autopack_operator.domain.api.common import JsonDict
from autopack_operator.domain.api.profile import RunProfileSpec
from autopack_operator.domain.pod.settings import PodSettings

AUDIENCE = "autopack-gateway"
VOLUME = "gateway-token"
FOLDER = "/autopack-gateway"
PORT = 18734
RELAY = f"http://127.0.0.1:{PORT}"
DUMMY_KEY = "autopack-gateway"
"""Agents refuse to start without a key."""
TOKEN_SECONDS = 3600


def used(profile: RunProfileSpec, settings: PodSettings) -> bool:
    """Whether runs of that profile have a relay."""
    return bool(settings.gateway_url and profile.providers)


def volumes(profile: RunProfileSpec, settings: PodSettings) -> list[JsonDict]:
    """Return the pod's volume for the token."""
    if not used(profile, settings):
        return []
    token = {"path": "token", "audience": AUDIENCE, "expirationSeconds": TOKEN_SECONDS}
    # Readable for the run's group, which is its user's, and for nobody else.
    return [{"name": VOLUME, "projected": {"defaultMode": 0o440, "sources": [{"serviceAccountToken": token}]}}]


def of_command(profile: RunProfileSpec, settings: PodSettings) -> list[JsonDict]:
    """Return the mount of the command's container."""
    return [{"name": VOLUME, "mountPath": FOLDER, "readOnly": True}] if used(profile, settings) else []


def options(profile: RunProfileSpec, settings: PodSettings) -> list[str]:
    """Return what the entrypoint is told, so that it relays."""
    if not used(profile, settings):
        return []
    to = settings.gateway_url
    return ["--relay-listen", f"127.0.0.1:{PORT}", "--relay-to", to, "--relay-token", f"{FOLDER}/token"]


def variables(profile: RunProfileSpec, settings: PodSettings) -> dict[str, str]:
    """Return the variables that agents read. Of several providers with one API, the first is what they find; the others
    are at $AUTOPACK_GATEWAY_URL/<name>.
    """
    if not used(profile, settings):
        return {}
    env = {"AUTOPACK_GATEWAY_URL": RELAY}
    for provider in profile.providers:
        if provider.api is ProviderApi.ANTHROPIC:
            named = {"ANTHROPIC_BASE_URL": f"{RELAY}/{provider.name}", "ANTHROPIC_API_KEY": DUMMY_KEY}
        else:
            address = f"{RELAY}/{provider.name}/v1"
            names = ("OPENAI_BASE_URL", "OPENAI_API_BASE")
            named = dict.fromkeys(names, address) | {"OPENAI_API_KEY": DUMMY_KEY, "CODEX_API_KEY": DUMMY_KEY}
        env = named | env
    return env
