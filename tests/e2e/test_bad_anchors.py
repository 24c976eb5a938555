"""Anchors that are no approval, on the real API server with the operator's process: refused with a reason, no pod."""

from __future__ import annotations

import base64
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from faults import manifests
from faults.manifests import ANCHOR
from faults.upstream import ApiError
from tests.e2e.played import Played, played

JsonDict = dict[str, Any]
pytestmark = pytest.mark.asyncio(loop_scope="module")
ANNOTATION = "autopack.dev/intention-anchor"


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def scene() -> AsyncIterator[Played]:
    async with played() as opened:
        yield opened


def changed(**policy: object) -> str:
    document = json.loads(ANCHOR)
    document["pivot_intentions"]["parallelism_isolation"] |= policy
    return json.dumps(document)


def run(name: str, anchor: str | None) -> JsonDict:
    body = manifests.run(name)
    body["metadata"]["annotations"] = {} if anchor is None else {ANNOTATION: anchor}
    return body


BAD: dict[str, tuple[str | None, str]] = {
    "absent": (None, "AnchorAbsent"),
    "empty": ("", "AnchorAbsent"),
    "blank": (" \n", "AnchorAbsent"),
    "truncated": (ANCHOR[: len(ANCHOR) // 2], "AnchorMalformed"),
    "byte-order-mark": ("\ufeff" + ANCHOR, "AnchorMalformed"),
    "duplicate-keys": (ANCHOR[:-1] + ', "format_version": "v2"}', "AnchorMalformed"),
    "nan": (changed(max_concurrent_runs=float("nan")), "AnchorMalformed"),
    "nested-10000-deep": ("[" * 10_000 + "]" * 10_000, "AnchorMalformed"),
    "not-an-object": ("[]", "AnchorMalformed"),
    "wrong-version": (ANCHOR.replace('"v2"', '"v9"'), "AnchorWrongVersion"),
    "allowed-as-text": (changed(allowed="true"), "AnchorInvalid"),
    "no-runs": (changed(max_concurrent_runs=0), "AnchorInvalid"),
    "unknown-field": (changed(surprise=1), "AnchorInvalid"),
    "not-allowed": (changed(allowed=False), "ParallelismNotAllowed"),
    "too-large-for-us": ('"' + "x" * 257 * 1024 + '"', "AnchorTooLarge"),
    "configmap-missing": ("configmap/nowhere", "AnchorConfigMapMissing"),
    "configmap-key-missing": ("configmap/anchors/nothing", "AnchorConfigMapMissing"),
    "configmap-with-a-path": ("configmap/../secrets", "AnchorMalformed"),
}


@pytest.mark.parametrize("case", BAD)
async def test_it_is_refused_and_the_reason_told(scene: Played, case: str) -> None:
    anchor, reason = BAD[case]
    if anchor is not None and len(anchor) > 256 * 1024:
        # No annotation is as large; a ConfigMap is.
        await scene.configmap(f"anchor-{case}", data={"anchor.json": anchor})
        anchor = f"configmap/anchor-{case}"
    await scene.create(run(case, anchor))
    status = (await scene.finished(case))["status"]
    told = {item["type"]: (item["status"], item["reason"]) for item in status["conditions"]}
    assert (status["phase"], status["reason"], told["AnchorApproved"]) == ("Refused", reason, ("False", reason))
    assert scene.pods(case) == []


async def test_invalid_utf8_in_a_configmap_is_no_anchor(scene: Played) -> None:
    await scene.configmap("binary", binaryData={"anchor.json": base64.b64encode(b"\xff\xfe{").decode()})
    await scene.create(run("invalid-utf8", "configmap/binary"))
    assert (await scene.finished("invalid-utf8"))["status"]["phase"] == "Refused"


async def test_markup_and_escapes_are_shown_inert(scene: Played) -> None:
    await scene.create(run("markup", '{"<script>alert(1)</script>\u001b[31m\u202e": 1}'))
    message = (await scene.finished("markup"))["status"]["message"]
    assert not any(character in message for character in "\x1b\u202e")


async def test_what_no_annotation_can_hold_is_refused_by_the_api_server(scene: Played) -> None:
    with pytest.raises(ApiError, match="Too long"):
        await scene.create(run("megabyte", "x" * 2**20))
