"""Which tools a request called, as far as that is nobody's secret: names, ids and command heads.

A call is kept as ``name#id`` or, for a shell command, ``name/head#id``. The id is a digest of the
client's own, so that the calls of one request can be put together from any number of copies.
Arguments, file names and whole commands are never kept.
"""

import re
from collections import Counter
from functools import lru_cache
from typing import Final
from zlib import crc32

_COMMON: Final = """
    Rscript ag ansible ansible-playbook apply_patch apt apt-get awk aws az basename bash bazel
    biome black brew bun bundle bunx cargo cat chmod chown clang cmake cmp column comm composer
    coverage cp crontab ctest curl cut dagster date dbt deno df diff dig dirname docker dotnet
    du duckdb echo egrep eslint export fd ffmpeg fgrep file find firebase flake8 fleet fly
    flyctl g++ gcc gcloud gem gh git glab go gofmt golangci-lint gradle gradlew grep gsutil
    gunzip gzip hadolint head helm heroku hg isort javac jest jj jq just kill kubectl less ln ls
    lsof mail make md5sum mkdir mocha mv mvn mypy mysql nc netlify next ninja nl node nohup nox
    npm npx nvm openssl patch pdftotext perl php phpunit pip pip3 pipx pkill playwright pnpm
    poetry pre-commit prettier printf ps psql pwd pylint pyright pytest python python3 rails
    railway rake readlink realpath rg rm rmdir rspec rsync ruby ruff rustc scp sed sendmail seq
    sftp sh sha256sum shellcheck sleep sort source sqlite3 ssh stat strings stripe supabase svn
    swift systemctl tail tar tee terraform test time timeout touch tox tr tree true tsc tsx
    turbo type uniq unzip uv uvx vercel vite vitest wait wc wget which wrangler xargs xcodebuild
    xxd yarn yq zip zsh
"""
COMMON_COMMANDS: Final = frozenset(_COMMON.split())
"""Programs that anybody may run. What else begins a command could be a file name, or a secret."""

OTHER: Final = "other"
"""Stands for every name that is not kept."""

_BEFORE_THE_HEAD: Final = re.compile(
    r"""(?:\s+|[({]|(?:sudo|env|exec|command)\s|cd\s[^&;|\n]*(?:&&|;|\n)|\w+=(?:"[^"]*"|'[^']*'|[^\s;&|"'])*\s)*"""
)
_WORD: Final = re.compile(r"[A-Za-z][\w.+-]{0,23}(?=[\s;&|)]|$)")
_NAME: Final = re.compile(r"[A-Za-z_][\w.-]{0,63}")
_LONGEST_LOOK: Final = 400


def command_head(command: str) -> str:
    """Return the program that a shell command runs first, past ``cd``, ``sudo`` and settings."""
    word = _WORD.match(command)
    if word is None or word[0] not in COMMON_COMMANDS:
        begin = _BEFORE_THE_HEAD.match(command, 0, _LONGEST_LOOK)
        word = _WORD.match(command, begin.end() if begin else 0)
    return word[0] if word and word[0] in COMMON_COMMANDS else OTHER


def tool_call(name: object, identity: object, command: object = None) -> str:
    """Return how a call is kept; ``command`` is what a shell was asked to run."""
    kept = _kept(name) if isinstance(name, str) else OTHER
    if isinstance(command, str) and kept in _SHELLS:
        kept = f"{kept}/{command_head(command)}"
    own = identity.encode("utf-8", "replace") if isinstance(identity, str) else b""
    return f"{kept}#{crc32(own):08x}"


@lru_cache(256)
def _kept(name: str) -> str:
    return name if _NAME.fullmatch(name) else OTHER


_SHELLS: Final = frozenset({"Bash", "shell", "local_shell", "shell_command", "exec_command"})


def tools_and_heads(calls: str) -> tuple[dict[str, int], dict[str, int]]:
    """Return how often each tool and each command head occurs in calls without their ids."""
    tools: Counter[str] = Counter()
    heads: Counter[str] = Counter()
    for call in calls.split():
        tool, _, head = call.partition("/")
        tools[tool] += 1
        if head:
            heads[head] += 1
    return dict(sorted(tools.items())), dict(sorted(heads.items()))
