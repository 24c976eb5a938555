"""What the RunProfile lets a run have."""

from __future__ import annotations

from fnmatch import fnmatchcase

from autopack.phases import Phase
from autopack_operator.domain.api.profile import RunProfileSpec
from autopack_operator.domain.api.run import AutopackRunSpec, DatabaseMode
from autopack_operator.domain.delivery import policy
from autopack_operator.domain.run.agent_policy import agent_of, objection
from autopack_operator.domain.run.verdict import Verdict
from autopack_operator.domain.run.world import World
from autopack_operator.domain.views import RunView


def image_of(spec: AutopackRunSpec, profile: RunProfileSpec) -> str:
    """The image that the run gets."""
    agent = agent_of(spec, profile)
    return spec.image or (agent.image if agent is not None else None) or profile.default_image


def unknown(world: World) -> bool:
    """The profile has to be read live before it can be judged."""
    return world.profile is None and not world.profile_error and not world.known.profile_absent


def refusal(
    run: RunView, spec: AutopackRunSpec, profile: RunProfileSpec | None, profile_error: str = ""
) -> Verdict | None:
    """Why the profile does not let this run start; None when it does. What it would not let it deliver at the end is
    said here as well, before anything is spent on it.
    """
    name = spec.profile_ref.name
    if profile_error:
        return _refused("ProfileInvalid", f"RunProfile {name!r} cannot be read; correct its {profile_error}")
    if profile is None:
        return _refused(
            "ProfileMissing",
            f"there is no RunProfile {name!r} in this namespace; create it or set spec.profileRef.name",
        )
    agent = agent_of(spec, profile)
    if (wrong := objection(spec, profile)) is not None:
        return _refused(*wrong)
    image, named = image_of(spec, profile), {profile.default_image, agent.image if agent is not None else None}
    if image not in named and not any(fnmatchcase(image, pattern) for pattern in profile.allowed_images):
        return _refused(
            "ImageNotAllowed",
            f"spec.image {image!r} is not among the allowedImages of RunProfile {name!r}; use one that is",
        )
    if profile.max_timeout_seconds is not None and spec.timeout_seconds > profile.max_timeout_seconds:
        return _refused(
            "TimeoutNotAllowed",
            f"spec.timeoutSeconds {spec.timeout_seconds} is above maxTimeoutSeconds {profile.max_timeout_seconds} "
            f"of RunProfile {name!r}",
        )
    if spec.database_mode is DatabaseMode.POSTGRES and profile.database is None:
        return _refused(
            "DatabaseNotConfigured",
            f"spec.databaseMode Postgres needs a database in RunProfile {name!r}; use PerRunSQLite or None",
        )
    if (not_delivered := policy.objection(run, spec, profile)) is not None:
        return _refused(policy.REASON, not_delivered)
    return None


def _refused(reason: str, message: str) -> Verdict:
    return Verdict(Phase.REFUSED, reason, message)
