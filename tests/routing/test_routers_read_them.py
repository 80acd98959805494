"""The routers themselves read our files: each is installed, and a request through it arrives.

Only the provider's address is another one in these tests: a server on this machine.
"""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from fleet_pipeline.routing import routing_files

from ..foreign_server import free_port, started
from ..local_server import LocalServer, serving
from ..packets.completions import PATH, completion
from ..publishing.reference_page import reference_page

CLAUDE_CODE_ROUTER = "@musistudio/claude-code-router@2.0.0"
"""The last that reads config.json as its own. 3.1.1 takes one over where it has no settings yet,
and could not be installed when this was written."""
LITELLM = "litellm==1.110.2"
KEY = "a-key-of-a-test"

pytestmark = pytest.mark.slow


@pytest.fixture
def provider() -> Iterator[LocalServer]:
    with serving(completion("fine"), PATH) as served:
        yield served


@pytest.fixture(scope="module")
def claude_code_router(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The router's own command, installed by npm into a folder of its own."""
    if shutil.which("npm") is None:
        pytest.skip("npm is not installed, so claude-code-router cannot be tried")
    folder = tmp_path_factory.mktemp("ccr")
    install = ["npm", "install", "--prefix", str(folder), "--no-fund", "--no-audit"]
    done = subprocess.run([*install, CLAUDE_CODE_ROUTER], capture_output=True, text=True)
    if done.returncode:
        pytest.skip(f"npm gives no {CLAUDE_CODE_ROUTER}: {done.stderr.strip()[-200:]}")
    return folder / "node_modules" / "@musistudio" / "claude-code-router" / "dist" / "cli.js"


@contextmanager
def running(command: Path, home: Path) -> Iterator[str]:
    """Run claude-code-router with the settings in ``home``; yields its address."""
    port = free_port()
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        "SERVICE_PORT": str(port),
        "OPENROUTER_API_KEY": KEY,
    }
    with started(["node", str(command), "start"], port, home / "log", environment):
        yield f"http://127.0.0.1:{port}"


BEST = {
    "first_pass_code": "anthropic/claude-haiku-4.5",
    "classification": "google/gemini-3.1-flash-lite",
    "code_review": "moonshotai/kimi-k2.7-code",
}
"""Another model at the head of each kind; the first has no long window."""


def page() -> dict[str, Any]:
    """The reference page, with ``BEST`` at their places."""
    changed: dict[str, Any] = reference_page()
    for row in changed["ranking"]:
        for place in row["work_types"]:
            if BEST.get(place["work_type"]) == row["model"]:
                place["rank"] = 0
    return changed


def turn(**more: Any) -> dict[str, Any]:
    """A turn as Claude Code sends one."""
    message = {"role": "user", "content": "Say fine."}
    return {"model": "claude-sonnet-4-6", "max_tokens": 50, "messages": [message], **more}


def test_claude_code_router_sends_each_kind_of_turn_to_the_model_that_the_file_names(
    claude_code_router: Path, provider: LocalServer, tmp_path: Path
) -> None:
    settings = json.loads(routing_files(page())["claude-code-router.json"])
    settings["Providers"][0]["api_base_url"] = f"{provider.url}/chat/completions"
    folder = tmp_path / ".claude-code-router"
    folder.mkdir()
    (folder / "config.json").write_text(json.dumps(settings))
    long = {"role": "user", "content": "word " * 210_000}
    turns = {
        "default": turn(),
        "background": turn(model="claude-haiku-4-5"),
        "think": turn(thinking={"type": "enabled", "budget_tokens": 1024}),
        "longContext": turn(messages=[long]),
    }
    with running(claude_code_router, tmp_path) as address:
        for sent in turns.values():
            reply = httpx.post(f"{address}/v1/messages?beta=true", json=sent, timeout=60)
            assert reply.status_code == 200, reply.text
            assert reply.json()["content"][0]["text"] == "fine"
    assert len({settings["Router"][kind] for kind in turns}) == len(turns)
    routes = {kind: settings["Router"][kind].partition(",")[2] for kind in turns}
    assert [asked["model"] for asked in provider.asked] == list(routes.values())
    assert {seen["authorization"] for seen in provider.headers_seen} == {f"Bearer {KEY}"}


PROGRAM = """
import sys, yaml
from litellm import Router

with open(sys.argv[1]) as file:
    settings = yaml.safe_load(file)
router = Router(model_list=settings["model_list"], **settings["router_settings"])
for name in sys.argv[2:]:
    answer = router.completion(model=name, messages=[{"role": "user", "content": "Say fine."}])
    print(answer.choices[0].message.content)
"""


@pytest.fixture(scope="module")
def python_with_litellm(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An interpreter with LiteLLM, in an environment of its own."""
    folder = tmp_path_factory.mktemp("litellm")
    uv = str(Path(sys.executable).with_name("uv"))
    python = folder / "bin" / "python"
    subprocess.run([uv, "venv", "--quiet", "--python", sys.executable, str(folder)], check=True)
    install = [uv, "pip", "install", "--quiet", "--python", str(python), LITELLM]
    done = subprocess.run(install, capture_output=True, text=True)
    if done.returncode:
        pytest.skip(f"no index gives {LITELLM}: {done.stderr.strip()[-200:]}")
    return python


def test_litellm_knows_every_name_and_falls_back_to_the_next_best(
    python_with_litellm: Path, provider: LocalServer, tmp_path: Path
) -> None:
    settings = yaml.safe_load(routing_files(page())["litellm-router.yaml"])
    for each in settings["model_list"]:
        each["litellm_params"]["api_base"] = provider.url
    file = tmp_path / "litellm-router.yaml"
    file.write_text(yaml.safe_dump(settings))
    names = [each["model_name"] for each in settings["model_list"]]
    # The last is asked while the provider is out of order: once more, then its fallback.
    provider.status = [*[200] * len(names), 500, 500, 200]
    usual = next(iter(settings["router_settings"]["fallbacks"][0]))
    done = subprocess.run(
        [python_with_litellm, "-c", PROGRAM, file, *names, usual],
        env={
            "PATH": os.environ["PATH"],
            "HOME": str(tmp_path),
            "OPENROUTER_API_KEY": KEY,
            "LITELLM_LOCAL_MODEL_COST_MAP": "True",
        },
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == ["fine"] * (len(names) + 1)
    models = {
        each["model_name"]: each["litellm_params"]["model"].removeprefix("openrouter/")
        for each in settings["model_list"]
    }
    asked = [each["model"] for each in provider.asked]
    assert asked[: len(names)] == list(models.values())
    assert asked[len(names) :] == [models[usual], models[usual], models[f"{usual}-2"]]
    assert {seen["authorization"] for seen in provider.headers_seen} == {f"Bearer {KEY}"}
