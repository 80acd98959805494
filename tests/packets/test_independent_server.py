"""A second opinion: somebody else's mock of the protocol (mock-ai-api, from PyPI), not our own."""

import subprocess
import sys
import venv
from collections.abc import Iterator
from pathlib import Path

import pytest

from fleet_pipeline.guarded_http import Bounds
from fleet_pipeline.packets import Client, Outcome
from fleet_pipeline.packets.prompt import messages

from ..foreign_server import free_port, started
from .conftest import lane, packet

PEER = "mock-ai-api==0.1.1"


@pytest.fixture(scope="module")
def peer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of the mock, installed into an environment of its own."""
    folder = tmp_path_factory.mktemp("peer")
    venv.create(folder, with_pip=False)
    python = str(folder / "bin" / "python")
    install = [
        str(Path(sys.executable).with_name("uv")), "pip", "install", "--quiet", "--python", python,
        PEER,
    ]  # fmt: skip
    installed = subprocess.run(install, capture_output=True, text=True, timeout=300, check=False)
    if installed.returncode:
        pytest.skip(f"no index gives {PEER}: {installed.stderr.strip()[-200:]}")
    openai = free_port()
    # Not by its own command, which starts its servers in sessions that outlive it.
    command = [python, "-m", "uvicorn", "app.openai_app:app", "--host", "127.0.0.1",
               "--port", str(openai)]  # fmt: skip
    with started(command, openai, folder / "log"):
        yield f"http://127.0.0.1:{openai}/v1"


def ask(peer: str, model: str) -> Outcome:
    there = lane(peer, model=model)
    client = Client([there], {}, Bounds(connect_seconds=5, total_seconds=30, bytes=1 << 20))
    return client.ask(there, packet(), messages(packet()))


@pytest.mark.slow
def test_its_answers_are_understood(peer: str) -> None:
    outcome = ask(peer, "gpt-4.1:mock-text")
    assert (outcome.kind, outcome.says) == ("schema_violation", "the answer is no JSON")
    assert outcome.usage.output_tokens
    assert outcome.usage.prompt_tokens
    assert outcome.request_id is not None and outcome.request_id.startswith("chatcmpl_")
    assert outcome.served_model == "gpt-4.1"
    assert ask(peer, "gpt-4.1:mock-tool-call").kind == "empty"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("scenario", "kind"),
    [
        ("mock-429", "rate_limited"),
        ("mock-400", "unavailable"),
        ("mock-401", "unavailable"),
        ("mock-500", "unavailable"),
        ("mock-503", "unavailable"),
    ],
)
def test_its_errors_are_availability_and_never_quality(peer: str, scenario: str, kind: str) -> None:
    outcome = ask(peer, f"gpt-4.1:{scenario}")
    assert (outcome.kind, outcome.is_quality) == (kind, False)
    assert outcome.status == int(scenario[-3:])
