"""Which attempts a volume still has to take in."""

from __future__ import annotations

from pathlib import Path

from .conftest import TOKEN, UID, Api, Pod


async def unfinished(api: Api) -> list[dict[str, object]]:
    async with api.client.get("/v1/attempts", headers={"Authorization": f"Bearer {TOKEN}"}) as response:
        assert response.status == 200
        return list((await response.json())["unfinished"])


async def test_an_attempt_is_unfinished_until_it_is_taken_in(api: Api, ready: Pod) -> None:
    assert await unfinished(api) == [{"uid": UID, "runId": "fix-it", "attempt": 1}]
    ready.live("true")
    assert len(await unfinished(api)) == 1
    await api.commit()
    assert await unfinished(api) == []


async def test_an_empty_volume_has_none(api: Api) -> None:
    assert await unfinished(api) == []


async def test_an_attempt_that_could_not_be_prepared_is_none(api: Api) -> None:
    status, _ = await api.put()
    assert status == 422
    assert await unfinished(api) == []


async def test_a_pin_that_cannot_be_read_does_not_hide_the_others(api: Api, ready: Pod, volume: Path) -> None:
    await api.put(attempt=2)
    (volume / ".attempts" / UID / "a1.json").write_text("{")
    assert [item["attempt"] for item in await unfinished(api)] == [2]
