"""The organisation's lanes with the allowance that each one draws on."""

from fleet_pipeline.errors import ConfigurationError
from fleet_pipeline.org import FreeApi, Lane, LaneLimits, Org
from fleet_pipeline.org.mistakes import excerpt, nearest


def lanes_of(org: Org) -> tuple[Lane, ...]:
    """Return all lanes; what a lane leaves open of its limits, its row in free_apis.yaml says."""
    rows = {api.provider: api for api in org.free_apis}
    return tuple(
        _drawing_on(lane, rows[lane.free_api]) if lane.free_api else lane for lane in org.lanes
    )


def lanes_called(org: Org, names: tuple[str, ...]) -> tuple[Lane, ...]:
    """Return the lanes with these names, all without any; raises ConfigurationError for others."""
    by_name = {lane.name: lane for lane in lanes_of(org)}
    if not by_name:
        raise ConfigurationError(
            f"{org.folder / 'lanes.yaml'}: lists no lane; write one, see docs/packets.md"
        )
    for name in names:
        if name not in by_name:
            raise ConfigurationError(
                f"there is no lane {excerpt(name)}{nearest(name, by_name)}"
                f" (lanes.yaml lists: {', '.join(by_name)})"
            )
    return tuple(by_name[name] for name in names or by_name)


def _drawing_on(lane: Lane, api: FreeApi) -> Lane:
    own = lane.limits.model_dump(exclude_none=True)
    shared = api.limits_hold_for in ("account", "organisation", "project")
    usual = api.provider if shared else f"{api.provider}: {lane.model}"
    return lane.model_copy(
        update={
            "limits": LaneLimits(**{**api.limits.model_dump(), **own}),
            "quota": lane.quota or usual,
            "resets_in": api.resets_in if lane.resets_in == "UTC" else lane.resets_in,
        }
    )
