"""The week's routes as files that tools load: our own document, and two routers' configurations.

Pure functions of the page's data, so that a route and the page beside it cannot disagree. Belongs
here: which model a route names. Deciding on routes is the organisation's, in ``routing.yaml``.
"""

from collections.abc import Mapping

from fleet_pipeline.routing.claude_code_router import claude_code_router
from fleet_pipeline.routing.document import routing_document
from fleet_pipeline.routing.litellm_router import litellm_router
from fleet_pipeline.routing.serialised import json_bytes, yaml_bytes


def routing_files(page: Mapping[str, object]) -> dict[str, bytes]:
    """Return the files of a week's routes by name; the routers' only where a model can be named."""
    document = routing_document(page)
    files = {"routing.json": json_bytes(document)}
    if (claude_code := claude_code_router(document)) is not None:
        files["claude-code-router.json"] = json_bytes(claude_code)
    if (litellm := litellm_router(document)) is not None:
        files["litellm-router.yaml"] = yaml_bytes(litellm)
    return files


__all__ = ["routing_files"]
