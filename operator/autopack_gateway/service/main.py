"""`autopack-gateway`: serves until SIGTERM. The environment says everything: see settings.py."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Mapping

from aiohttp import web

from autopack.errors import InvalidInput
from autopack.log import log
from autopack.service_tokens.cluster_keys import issuer_of_own_token, keys_of_api_server
from autopack.service_tokens.tokens import KeyCache, TokenReader, TokenVerifier

from .http.callers import ClusterCallers
from .http.service import Service
from .leadership.leader import Leader
from .leadership.leases import FileKeeper, LeaseKeeper, api_server
from .settings import Settings


def main() -> None:
    """Start."""
    try:
        sys.exit(run(os.environ))
    except InvalidInput as error:
        log("error", str(error))
        sys.exit(2)


def run(environ: Mapping[str, str]) -> int:
    """Serve until SIGTERM (0), or until another gateway is the active one (1): then a new process waits its turn."""
    settings = Settings.from_environment(environ)
    keys, issuer = KeyCache(keys_of_api_server(environ)), issuer_of_own_token()
    callers = ClusterCallers(
        TokenReader(keys, issuer, settings.audience),
        TokenVerifier(keys, issuer, settings.audience, settings.allowed_callers),
    )
    ended: list[str] = []

    def lost() -> None:
        ended.append("lost")
        os.kill(os.getpid(), signal.SIGTERM)

    keeper = FileKeeper(settings.folder) if settings.lease is None else LeaseKeeper(settings.lease, api_server(environ))
    leader = Leader(keeper, settings.folder, lost)
    log("info", "the gateway starts", listen=f"{settings.host}:{settings.port}", providers=len(settings.providers))
    web.run_app(
        Service(settings.providers, callers, leader, settings.limits).app(),
        host=settings.host,
        port=settings.port,
        print=None,
        access_log=None,
        shutdown_timeout=settings.limits.drain,
        handler_cancellation=True,
    )
    return 1 if ended else 0


if __name__ == "__main__":
    main()
