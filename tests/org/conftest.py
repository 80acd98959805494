"""A small organisation that loads, to be spoilt one line at a time."""

from collections.abc import Callable
from pathlib import Path

import pytest

from fleet_pipeline.errors import ConfigurationError
from fleet_pipeline.org import Org, load

SMALL = {
    "fleet.yaml": "name: riles-fleet\ntitle: Routing\nowner: Analyst\n",
    "agents.yaml": """\
agents:
  - name: sage
    display_name: Sage
    target_share: 0.08
    privacy: internal
  - name: forge
    display_name: Forge
    target_share: 0.55
    privacy: internal
""",
    "routing.yaml": """\
backbone: []
routing_matrix:
  - agent: forge
    task_type: Tests
    driver: Codex
    effort: Medium
    now: Sonnet
    target: Codex
    rationale: Bounded.
execution_routing: []
""",
    "free_apis.yaml": "free_apis: []\n",
    "models.yaml": """\
reference_model: z-ai/glm-5.2
models:
  - id: z-ai/glm-5.2
    name: GLM 5.2
    price_id: openrouter/z-ai/glm-5.2
    aliases: [glm]
    route: Review
  - id: qwen/qwen3.7-plus
    name: Qwen3.7 Plus
    price_id: openrouter/qwen/qwen3.7-plus
    route: Drafts
""",
    "offload.yaml": "scenarios:\n  low: 0.1\n  expected: 0.2\n  high: 0.3\n",
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, text in SMALL.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    return tmp_path


@pytest.fixture
def spoil(folder: Path) -> Callable[[str, str, str], None]:
    """Replace a text that stands in a file of the small organisation."""

    def replace(name: str, old: str, new: str) -> None:
        text = (folder / name).read_text(encoding="utf-8")
        assert old in text
        (folder / name).write_text(text.replace(old, new, 1), encoding="utf-8")

    return replace


@pytest.fixture
def told(folder: Path) -> Callable[[], list[str]]:
    """Load the folder and return the lines of its error, with the folder itself cut off."""

    def lines() -> list[str]:
        with pytest.raises(ConfigurationError) as caught:
            load(folder)
        return [line.replace(f"{folder}/", "") for line in str(caught.value).split("\n")]

    return lines


@pytest.fixture
def org_with(folder: Path) -> Callable[[str], Org]:
    """Load the small organisation with another agents.yaml."""

    def loaded(agents: str) -> Org:
        (folder / "agents.yaml").write_text(agents, encoding="utf-8")
        (folder / "routing.yaml").write_text("{}", encoding="utf-8")
        return load(folder)

    return loaded
