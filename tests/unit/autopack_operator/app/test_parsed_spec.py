"""A spec is parsed once a generation, and nothing is kept of what is gone."""

from __future__ import annotations

from collections import Counter

import pytest
from pydantic import BaseModel
from tests.unit.autopack_operator.app import stories
from tests.unit.autopack_operator.app.simulation import live
from tests.unit.autopack_operator.builders import NAMESPACE, PROFILE, ProfileBuilder, RunBuilder

from autopack_operator.app.parsed_profiles import ParsedProfiles
from autopack_operator.cache import Cache
from autopack_operator.domain.api.common import JsonDict
from autopack_operator.domain.api.profile import RunProfileSpec
from autopack_operator.domain.api.run import AutopackRunSpec
from autopack_operator.domain.projection import profile_view
from autopack_operator.domain.run.memory import UNREADABLE, RunMemory


@pytest.fixture
def parsed(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """How often each kind of spec was parsed."""
    count: Counter[str] = Counter()

    def counted(model: type[BaseModel]) -> None:
        original = model.model_validate

        def model_validate(stored: JsonDict) -> BaseModel:
            count[model.__name__] += 1
            return original(stored)

        monkeypatch.setattr(model, "model_validate", model_validate)

    counted(AutopackRunSpec)
    counted(RunProfileSpec)
    return count


def known(cache: Cache, profile: ProfileBuilder) -> None:
    cache.profiles.put(profile_view(profile.body()))


def test_from_its_creation_over_a_retry_to_its_end_a_run_is_parsed_once(parsed: Counter[str]) -> None:
    assert live(stories.eviction).run().status.attempt == 2
    assert parsed == {"AutopackRunSpec": 1, "RunProfileSpec": 1}


def test_an_edited_run_is_parsed_anew(parsed: Counter[str]) -> None:
    assert live(stories.cancel_while_running).run().status.phase == "Canceled"
    assert parsed["AutopackRunSpec"] == 2


def test_what_is_wrong_with_a_spec_is_remembered_too(parsed: Counter[str]) -> None:
    memory, run = RunMemory(), RunBuilder().spec(command="not a list").view()
    for _ in range(2):
        spec, error = memory.spec_of(run)
        assert spec is UNREADABLE
        assert "spec.command" in error
    assert parsed["AutopackRunSpec"] == 1


def test_an_edited_profile_is_parsed_anew_and_so_is_its_successor(parsed: Counter[str]) -> None:
    cache = Cache()
    profiles = ParsedProfiles(cache)
    for number, built in enumerate(
        [ProfileBuilder().uid("a"), ProfileBuilder().uid("a").generation(2), ProfileBuilder().uid("b").generation(2)]
    ):
        known(cache, built.spec(diskQuota=f"{number + 1}Gi"))
        assert profiles.of(NAMESPACE, "default") == profiles.of(NAMESPACE, "default")
        profile, _ = profiles.of(NAMESPACE, "default")
        assert profile is not None
        assert profile.disk_quota == f"{number + 1}Gi"
    assert parsed["RunProfileSpec"] == 3


def test_profiles_that_are_gone_are_not_kept() -> None:
    cache = Cache()
    profiles = ParsedProfiles(cache)
    for number in range(3):
        known(cache, ProfileBuilder(f"p{number}").uid(f"u{number}"))
        assert profiles.of(NAMESPACE, f"p{number}") == (PROFILE, "")
        cache.profiles.remove(NAMESPACE, f"p{number}", f"u{number}")
        assert profiles.of(NAMESPACE, f"p{number}") == (None, "")
    assert len(profiles._parsed) == 1
