"""Writes the demo fleet to a folder, whole or not at all: the one place in this room with I/O."""

import json
import os
import re
import shutil
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path
from random import Random

from fleet_pipeline.demo.codex import Rollout, plan_rollouts
from fleet_pipeline.demo.lines import (
    Identifiers,
    SessionFiles,
    session_files,
    torn_line,
    unfinished_request,
)
from fleet_pipeline.demo.rollouts import rollout_lines, rollout_path, thread_id
from fleet_pipeline.demo.sessions import Session, plan_sessions
from fleet_pipeline.demo.truth import DemoTruth, Traps, tell_truth
from fleet_pipeline.demo.volumes import REQUESTS
from fleet_pipeline.errors import ConfigurationError


def write_demo(
    out: Path,
    *,
    as_of: date,
    requests: int = REQUESTS,
    seed: int = 7,
    progress: Callable[[int], None] | None = None,
) -> DemoTruth:
    """Write a synthetic fleet's transcripts of the 30 UTC days before `as_of`, and `truth.json`.

    `out` gets `.claude/projects`, `.codex/sessions` and `truth.json`; it appears only when all of
    it is written. The same arguments give the same bytes. `progress` is told, as the work goes on,
    how many Claude requests are written so far; the last call says `requests`.

    Raises ConfigurationError when `requests` is below 1, when `out` holds anything already, or
    when it cannot be written.
    """
    if requests < 1:
        raise ConfigurationError(f"A demo needs at least 1 request, not {requests}.")
    target = out.expanduser().resolve()
    _refuse_what_exists(target)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        unfinished = Path(tempfile.mkdtemp(prefix=f".{target.name}-unfinished-", dir=target.parent))
        try:
            truth = _write(unfinished, as_of=as_of, requests=requests, seed=seed, progress=progress)
            unfinished.rename(target)
        except BaseException:
            shutil.rmtree(unfinished, ignore_errors=True)
            raise
    except OSError as error:
        raise ConfigurationError(
            f"The demo cannot be written to {target}: {error.strerror or error}. "
            "Choose a folder that you may write to, with 250 MB to spare."
        ) from error
    return truth


def _refuse_what_exists(target: Path) -> None:
    """Leave alone whatever is there: a demo must never mix with real transcripts."""
    try:
        taken = target.exists() and (not target.is_dir() or any(target.iterdir()))
    except OSError as error:
        raise ConfigurationError(f"{target} cannot be read: {error.strerror}.") from error
    if taken:
        raise ConfigurationError(f"{target} is not empty: choose a new or an empty folder.")


def _write(
    root: Path,
    *,
    as_of: date,
    requests: int,
    seed: int,
    progress: Callable[[int], None] | None,
) -> DemoTruth:
    # Everything random depends on all three, so that two demos read together never share an id.
    key = f"{seed}/{as_of.isoformat()}/{requests}"
    sessions = plan_sessions(requests, as_of=as_of, seed=key)
    rollouts = plan_rollouts(requests, as_of=as_of, seed=key)
    traps = _write_claude(root / ".claude" / "projects", sessions, key, progress)
    _write_codex(root / ".codex" / "sessions", rollouts, key)
    truth = tell_truth(sessions, rollouts, as_of=as_of, seed=seed, traps=traps)
    _write_file(root / "truth.json", json.dumps(truth.as_json(), indent=1) + "\n")
    return truth


def _write_claude(
    projects: Path, sessions: Sequence[Session], key: str, progress: Callable[[int], None] | None
) -> Traps:
    """Write every session; one line is broken, and the newest file's last line is cut short."""
    newest = max(range(len(sessions)), key=lambda index: sessions[index].main.requests[-1].at_ms)
    broken = _first_uncopied(sessions)
    identifiers = Identifiers(Random(f"{key}/claude-ids"))
    previous: SessionFiles | None = None
    traps = Traps(0, 0, 0, 1, 1)
    written = 0
    for index, session in enumerate(sessions):
        files = session_files(session, identifiers, previous)
        text = "\n".join(files.lines) + "\n"
        if index == broken:
            torn = torn_line(unfinished_request(session, files, identifiers))
            text = f"{torn}\n{text}"
        if index == newest:
            text += torn_line(unfinished_request(session, files, identifiers))
        folder = projects / re.sub("[^A-Za-z0-9]", "-", session.cwd)
        _write_file(folder / f"{files.session_id}.jsonl", text, files.last_ms)
        for subagent in files.subagents:
            stem = folder / files.session_id / "subagents" / f"agent-{subagent.agent_id}"
            subagent_text = "\n".join(subagent.lines) + "\n"
            _write_file(stem.with_suffix(".jsonl"), subagent_text, subagent.last_ms)
            _write_file(stem.with_suffix(".meta.json"), subagent.meta, subagent.last_ms)
        copied = len(sessions[index - 1].main.requests) if session.resumes_previous else 0
        traps = replace(
            traps,
            copied_requests=traps.copied_requests + copied,
            placeholder_lines=traps.placeholder_lines + files.placeholder_lines,
            synthetic_lines=traps.synthetic_lines + files.synthetic_lines,
        )
        previous = files
        written += len(session.main.requests)
        written += sum(len(run.requests) for _, run in session.subagents)
        if progress:
            progress(written)
    return traps


def _first_uncopied(sessions: Sequence[Session]) -> int:
    """Return the first session whose lines no later file copies."""
    copied = {index - 1 for index, session in enumerate(sessions) if session.resumes_previous}
    return next(index for index in range(len(sessions)) if index not in copied)


def _write_codex(folder: Path, rollouts: Sequence[Rollout], key: str) -> None:
    identifiers = Identifiers(Random(f"{key}/codex-ids"))
    for rollout in rollouts:
        own_id = thread_id(rollout, identifiers)
        text = "\n".join(rollout_lines(rollout, own_id, identifiers)) + "\n"
        last_ms = rollout.requests[-1].snapshots[-1].at_ms
        _write_file(folder / rollout_path(rollout, own_id), text, last_ms)


def _write_file(path: Path, text: str, at_ms: int | None = None) -> None:
    """Write a private file whose age is the time of its last line."""
    _make_private(path.parent)
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as file:
        file.write(text)
    if at_ms is not None:
        os.utime(path, ns=(at_ms * 1_000_000, at_ms * 1_000_000))


def _make_private(folder: Path) -> None:
    """Create a folder and those above it, readable by their owner alone."""
    if not folder.exists():
        _make_private(folder.parent)
        folder.mkdir(mode=0o700)
