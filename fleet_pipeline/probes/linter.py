"""What a linter says of a module that a model wrote: Ruff, with rules that tell careless code.

Ruff only reads the code. It runs in the fence of packets, without any configuration of this
machine, and heeds no comment of the answer that asks to be spared.
"""

from typing import Final

from ruff import find_ruff_bin

from fleet_pipeline.packets import sandbox

_RULES: Final = (
    "F",  # Pyflakes: imports and names that are unused, unknown or defined twice
    "E501",  # lines of more than 100 characters
    "E722",  # an except that catches everything
    "B006",  # a default that is changed in place
    "T20",  # print
)
_OPTIONS: Final = (
    "check", "--isolated", "--no-cache", "--ignore-noqa", "--quiet", "--target-version=py311",
    "--line-length=100", f"--select={','.join(_RULES)}", "--stdin-filename=answer.py", "-",
)  # fmt: skip


def is_clean(code: str) -> bool:
    """Say whether a module compiles and breaks none of the rules."""
    return sandbox.run([find_ruff_bin(), *_OPTIONS], code.encode("utf-8", "replace")).passed
