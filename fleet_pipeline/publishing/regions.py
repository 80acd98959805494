"""Generated regions of a Markdown file that people write in too: fenced, hashed, renewed.

What stands outside the fences is somebody's and is kept, word for word. A region whose hash does
not fit was edited by hand: nobody's work is overwritten, so the file is refused. Pure.
"""

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

_BEGIN: Final = re.compile(r"<!-- fleet:begin ([a-z0-9-]+) sha256=([0-9a-f]{64}) -->")
_END: Final = re.compile(r"<!-- fleet:end ([a-z0-9-]+) -->")
_FRONT_MATTER: Final = re.compile(r"\A---\n.*?\n---\n", re.DOTALL)
_OURS: Final = 'generator: "fleet_pipeline"'


@dataclass(frozen=True, slots=True)
class _Piece:
    """Lines of a file: those of one region, fences left out, or those between regions."""

    region: str | None
    content: str


def fenced(name: str, content: str) -> str:
    """Return the region ``name``: its fences and what stands between them."""
    return f"<!-- fleet:begin {name} sha256={_sha256(content)} -->\n{content}\n{_end(name)}"


def renewed(old: str, new: str) -> str:
    """Return ``old`` with the front matter and the regions of ``new``, and its own notes.

    A region that is new comes last, one that is no more goes. Raises ValueError saying what is
    wrong with ``old`` and what to do.
    """
    old = old.replace("\r\n", "\n")
    if not old.strip():
        return new
    front = _FRONT_MATTER.match(new)
    own_front = _FRONT_MATTER.match(old)
    if own_front is None or _OURS not in own_front[0]:
        raise ValueError("was not written by fleet; move it away, or name another file")
    pieces = list(_pieces(old[own_front.end() :]))
    if all(piece.region is None for piece in pieces):
        return new  # of a version that had no regions yet: generated as a whole
    fresh = {piece.region: piece.content for piece in _pieces(new) if piece.region}
    kept = [piece.region for piece in pieces if piece.region in fresh]
    doubled = sorted({name for name in kept if name and kept.count(name) > 1})
    if doubled:
        raise ValueError(f"has the region {doubled[0]} twice; delete one of the two")
    written = [
        piece.content if piece.region is None else fenced(piece.region, fresh[piece.region])
        for piece in pieces
        if piece.region is None or piece.region in fresh
    ]
    added = [fenced(name, fresh[name]) for name in fresh if name and name not in kept]
    body = "\n".join([*written, *(f"\n{region}" for region in added)])
    return f"{front[0] if front else ''}{body.rstrip()}\n"


def _pieces(text: str) -> Iterator[_Piece]:
    """Take a text apart. Raises ValueError for a fence without its other, or an edited region."""
    name, stated, lines = None, "", list[str]()
    for line in text.split("\n"):
        begins, ends = _BEGIN.fullmatch(line.strip()), _END.fullmatch(line.strip())
        if begins and name is None:
            yield from _notes(lines)
            name, stated, lines = begins[1], begins[2], []
        elif ends and ends[1] == name:
            content = "\n".join(lines)
            if _sha256(content) != stated:
                raise ValueError(
                    f"was edited by hand in the region {name}; move your words to outside of its"
                    " marks and delete the region, the next publication writes it anew"
                )
            yield _Piece(name, content)
            name, lines = None, []
        elif begins or ends:
            mark = (begins or ends or [""])[0]
            raise ValueError(
                f"has {mark!r} where none may stand; delete the region {name or ''}".rstrip()
            )
        else:
            lines.append(line)
    if name is not None:
        raise ValueError(f"lacks the end of the region {name}; write {_end(name)!r} or delete it")
    yield from _notes(lines)


def _notes(lines: list[str]) -> Iterator[_Piece]:
    if lines:
        yield _Piece(None, "\n".join(lines))


def _end(name: str) -> str:
    return f"<!-- fleet:end {name} -->"


def _sha256(content: str) -> str:
    return hashlib.sha256(content.encode("utf-8", "backslashreplace")).hexdigest()
