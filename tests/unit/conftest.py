"""What every test of the quick layer has."""

from __future__ import annotations

import ssl
from collections.abc import Iterator

import pytest
from hypothesis import settings

settings.register_profile("quick", settings.get_profile("unhurried"), max_examples=40)
settings.load_profile("quick")


@pytest.fixture(scope="session", autouse=True)
def _no_certificates_are_read() -> Iterator[None]:
    """Nothing here speaks TLS, and each client would read all certificates of the system: 30 ms a time."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(ssl.SSLContext, "load_default_certs", lambda *_: None)
        yield
