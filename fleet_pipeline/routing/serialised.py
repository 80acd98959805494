"""How the routing files are written: the same content is the same bytes."""

import json

import yaml

_HEADER = """\
# Made every week from routing.json; changes here are overwritten. Models marked free take public
# packets only: never secrets, PHI or credentials. Every answer is verified before it counts.
"""


def json_bytes(value: object) -> bytes:
    """Return a value as indented JSON."""
    return f"{json.dumps(value, indent=2, ensure_ascii=False)}\n".encode()


def yaml_bytes(value: object) -> bytes:
    """Return a value as YAML, under a warning for those who open the file."""
    body = yaml.safe_dump(value, sort_keys=False, allow_unicode=True, width=100)
    return f"{_HEADER}{body}".encode()
