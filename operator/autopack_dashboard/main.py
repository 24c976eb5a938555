"""`autopack-dashboard`: the dashboard of an installation in a cluster."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Mapping

from aiohttp import web

from autopack.errors import AutopackError
from autopack.registry.reader import RegistryReader
from autopack_dashboard.access.gate import RememberingGate
from autopack_dashboard.access.kubernetes import KubernetesGate, api_server
from autopack_dashboard.app import Parts, make_app
from autopack_dashboard.rows import Rows
from autopack_dashboard.settings import Settings
from autopack_dashboard.volume_files import VolumeFiles

STOP_SECONDS = 5.0


def application(settings: Settings, environ: Mapping[str, str]) -> web.Application:
    """Return the application with everything that it needs of the cluster."""
    files = VolumeFiles(settings.volume_url, settings.volume_token_file)
    gate = KubernetesGate(api_server(environ), settings.namespace) if settings.asks_who else None
    rows = Rows(RegistryReader(settings.database, settings.installation))
    asked = RememberingGate(gate) if gate is not None else None
    app = make_app(Parts(rows, files, asked, settings.installation))

    async def close(_: web.Application) -> None:
        await files.close()
        if gate is not None:
            await gate.close()

    app.on_cleanup.append(close)
    return app


def main() -> None:
    """Entry point."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    try:
        settings = Settings.from_environment(os.environ)
        app = application(settings, os.environ)
    except AutopackError as error:
        sys.stderr.write(f"autopack-dashboard: {error}\n")
        sys.exit(2)
    # No access log: addresses of pages hold what people look for.
    web.run_app(app, host=settings.host, port=settings.port, print=None, access_log=None, shutdown_timeout=STOP_SECONDS)


if __name__ == "__main__":
    main()
