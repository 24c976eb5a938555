"""What every test of the quick layer has."""

from __future__ import annotations

import ssl
from collections.abc import Iterator

import pytest
from hypothesis import settings

settings.register_profile("quick", deadline=None)
# On a busy machine an example takes as long as it takes; what is slow by itself is seen with --durations.
settings.load_profile("quick")


@pytest.fixture(scope="session", autouse=True)
def _no_certificates_are_read() -> Iterator[None]:
    """Nothing here speaks TLS, and each client would read all certificates of the system: 30 ms a time."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(ssl.SSLContext, "load_default_certs", lambda *_: None)
        yield
