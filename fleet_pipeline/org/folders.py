"""Paths as lists of names, and patterns over them: pure string work, no file system.

A path may come from any host, so POSIX paths, Windows paths and ``file:`` addresses all end up in
one form: a tuple of names that begins, if the path is absolute, with its anchor (``/``, ``C:`` or
``//``).
"""

import fnmatch
import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import unquote

Names = tuple[str, ...]
Fold = Callable[[str], str]

_DRIVE = re.compile(r"([A-Za-z]):(?=[\\/]|$)")
_WILDCARD = re.compile(r"[*?\[]")
_ANY_DEPTH = "**"

# Where `~` may be on the host that wrote a path: Linux, macOS, root, Windows and its two guests.
_HOMES = (
    "/home/*",
    "/Users/*",
    "/root",
    "?:/Users/*",
    "/mnt/?/Users/*",
    r"\\wsl*\*\home\*",
)


def as_written(name: str) -> str:
    """Return the name itself: the comparison in which case counts."""
    return name


def without_case(name: str) -> str:
    """Return the name for a comparison in which case does not count."""
    return name.casefold()


def split(path: str) -> Names:
    r"""Return the names on a path, after its anchor if it has one; ``.`` and ``..`` are resolved.

    A backslash separates only in Windows paths (``C:\x``, ``\\host\share``): elsewhere it is a sign
    like any other. Accents are brought to their composed form, because macOS writes them apart.
    """
    path = unicodedata.normalize("NFC", path)
    if path[:7].lower() == "file://":
        path = unquote(path[7:], errors="replace")
        path = path[1:] if _DRIVE.match(path, 1) else path
    if path.startswith(("\\\\?\\", "\\\\.\\")):
        path = path[4:]
    drive = _DRIVE.match(path)
    anchor: Names = ()
    if drive:
        anchor, path = (f"{drive[1].upper()}:",), path[2:].replace("\\", "/")
    elif path.startswith("\\\\"):
        anchor, path = ("//",), path.replace("\\", "/")
    elif path.startswith("/"):
        anchor = ("/",)
    names: list[str] = []
    for name in path.split("/"):
        if name == "..":
            del names[-1:]
        elif name not in {"", "."}:
            names.append(name)
    return (*anchor, *names)


def is_absolute(names: Names) -> bool:
    """Tell whether the names begin with an anchor."""
    return names[:1] in {("/",), ("//",)} or bool(names and _DRIVE.fullmatch(names[0]))


def joined(names: Names) -> str:
    """Return the path that ``split`` would take apart into these names."""
    if names[:1] == ("//",):
        return "\\\\" + "\\".join(names[1:])
    return "/" + "/".join(names[1:]) if names[:1] == ("/",) else "/".join(names)


def is_plain_name(text: str) -> bool:
    """Tell whether an operator's text is one folder's name: no separator, no wildcard, no ``~``."""
    return not (_WILDCARD.search(text) or "/" in text or "\\" in text or text.startswith("~"))


def escaped(path: str) -> str:
    """Return a pattern that means exactly this path."""
    return re.sub(r"([*?\[])", r"[\1]", path)


@dataclass(frozen=True)
class FolderPattern:
    """A pattern of folders, as an operator writes it.

    ``*``, ``?`` and ``[...]`` match inside one name, ``**`` matches any number of names, and ``~``
    is any user's home folder. A pattern without an anchor may begin anywhere on a path.
    """

    forms: tuple[tuple[re.Pattern[str] | None, ...], ...]
    is_literal: bool

    @classmethod
    def of(cls, text: str, fold: Fold) -> "FolderPattern":
        """Compile an operator's text; none is an error, though it may describe no folder at all."""
        if "/" not in text and not text.startswith("\\\\"):
            text = text.replace("\\", "/")
        texts = [home + text[1:] for home in _HOMES] if re.match("~(/|$)", text) else [text]
        forms = tuple(_compiled(one, fold) for one in texts)
        return cls(forms, is_literal=not _WILDCARD.search(text))

    def depths(self, names: Names) -> set[int]:
        """Return which ancestors (or the folder itself) are described, by their number of names.

        ``names`` must be folded as the pattern was; the anchor counts as a name.
        """
        return {depth for form in self.forms for depth in _reached(form, names) if depth > 0}


def _compiled(text: str, fold: Fold) -> tuple[re.Pattern[str] | None, ...]:
    """Return one expression for each name, None standing for ``**``."""
    names = split(text)
    if not text.startswith(("/", "\\\\")) and not _DRIVE.match(text):
        names = (_ANY_DEPTH, *names)
    while names and names[-1] == _ANY_DEPTH:
        # A folder is claimed with all that is inside: a closing /** adds nothing.
        names = names[:-1]
    return tuple(
        None if name == _ANY_DEPTH else re.compile(fnmatch.translate(fold(name))) for name in names
    )


def _reached(form: tuple[re.Pattern[str] | None, ...], names: Names) -> set[int]:
    """Match a form against the start of a path, keeping every place that it may have got to."""
    reached = {0}
    for part in form:
        if not reached:
            break
        if part is None:
            reached = set(range(min(reached), len(names) + 1))
        else:
            reached = {at + 1 for at in reached if at < len(names) and part.match(names[at])}
    return reached
