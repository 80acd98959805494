"""A YAML file as plain values that remember their lines. Nothing here knows what the values mean.

Only what a configuration needs is understood: mappings with text keys, lists, and plain scalars.
Duplicate keys, anchors and tags are mistakes, because each of them hides what a file says.
"""

import datetime
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import yaml
from yaml.reader import ReaderError

from fleet_pipeline.org.mistakes import Mistake, excerpt

Value: TypeAlias = (
    "bool | int | float | str | datetime.date | tuple[Value, ...] | dict[str, Value] | None"
)
KeyPath: TypeAlias = tuple[str | int, ...]

_MARKERS = {
    yaml.AliasToken: "refers to an anchor (*name)",
    yaml.AnchorToken: "sets an anchor (&name)",
    yaml.TagToken: "carries a tag (!name)",
}

_OPENING = (
    yaml.BlockMappingStartToken,
    yaml.BlockSequenceStartToken,
    yaml.FlowMappingStartToken,
    yaml.FlowSequenceStartToken,
)
_CLOSING = (yaml.BlockEndToken, yaml.FlowMappingEndToken, yaml.FlowSequenceEndToken)
_DEEPEST = 20


@dataclass(frozen=True)
class Document:
    """The values of one file; ``lines`` gives the line (from 1) on which each one begins."""

    file: Path
    value: Value
    lines: Mapping[KeyPath, int]

    def line(self, where: KeyPath) -> int:
        """Return the line of a value, or of the nearest one around it that the file has."""
        while where and where not in self.lines:
            where = where[:-1]
        return self.lines.get(where, 1)

    def found(self, *pattern: str) -> Iterator[tuple[KeyPath, Value]]:
        """Yield the values at a key path in which ``*`` stands for every item of a list."""
        yield from _found(self.value, pattern, ())

    def texts(self, *pattern: str) -> Iterator[tuple[KeyPath, str]]:
        """Yield what ``found`` does, leaving out all that is not text."""
        for where, value in self.found(*pattern):
            if isinstance(value, str):
                yield where, value


def _found(
    value: Value, pattern: tuple[str, ...], where: KeyPath
) -> Iterator[tuple[KeyPath, Value]]:
    if not pattern:
        yield where, value
    elif pattern[0] == "*" and isinstance(value, tuple):
        for index, item in enumerate(value):
            yield from _found(item, pattern[1:], (*where, index))
    elif isinstance(value, dict) and pattern[0] in value:
        yield from _found(value[pattern[0]], pattern[1:], (*where, pattern[0]))


def read(file: Path, content: bytes) -> tuple[Document | None, list[Mistake]]:
    """Return the document that these bytes hold, and what is wrong with them as YAML.

    Without a document, the file is not YAML at all and the single mistake says where it breaks.
    """
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        return None, [Mistake(file, line, (), "is not UTF-8 text here; save the file as UTF-8")]
    try:
        refused, node = _parsed(file, text)
    except ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        return None, [Mistake(file, line, (), "holds a control character; remove it")]
    except yaml.MarkedYAMLError as error:
        return None, [Mistake(file, _broken_at(error), (), _explained(error, text))]
    if refused:
        return None, refused
    reader = _Reader(file)
    value = {} if node is None else reader.value(node, ())
    return Document(file, value, reader.lines), reader.mistakes


def _parsed(file: Path, text: str) -> tuple[list[Mistake], yaml.Node | None]:
    """Return what makes a file unfit, or the node that it holds.

    LibYAML takes a tenth of the time; what it does not like is left to PyYAML, which says where.
    """
    with suppress(yaml.YAMLError):
        return _parsed_by(_LIBYAML, file, text)
    return _parsed_by(yaml.SafeLoader, file, text)


_Loader: TypeAlias = "type[yaml.SafeLoader] | type[yaml.CSafeLoader]"
_LIBYAML: _Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def _parsed_by(loader: _Loader, file: Path, text: str) -> tuple[list[Mistake], yaml.Node | None]:
    refused = _refused(loader, file, text)
    return refused, None if refused else yaml.compose(text, Loader=loader)


def _refused(loader: _Loader, file: Path, text: str) -> list[Mistake]:
    """Return what makes a file unfit although it is YAML, judged by its tokens alone."""
    refused: list[Mistake] = []
    depth = 0
    for token in yaml.scan(text, Loader=loader):
        line = token.start_mark.line + 1
        depth += isinstance(token, _OPENING) - isinstance(token, _CLOSING)
        if depth > _DEEPEST:
            return [Mistake(file, line, (), "is nested far too deep; flatten it")]
        for kind, says in _MARKERS.items():
            if isinstance(token, kind):
                says = f"{says}; write the value out, without it"
                refused.append(Mistake(file, line, (), says))
    return refused


def _broken_at(error: yaml.MarkedYAMLError) -> int:
    mark = error.problem_mark or error.context_mark
    return mark.line + 1 if mark else 1


def _explained(error: yaml.MarkedYAMLError, text: str) -> str:
    number = _broken_at(error)
    lines = text.splitlines()
    line = lines[number - 1] if number <= len(lines) else ""
    if "\t" in line[: len(line) - len(line.lstrip())]:
        return "is indented with a tab; YAML wants spaces"
    problem = error.problem or "cannot be read"
    if problem == "mapping values are not allowed here":
        problem += " (quote a text that holds ': ', or check the indentation)"
    return f"is not valid YAML: {problem}"


class _Reader:
    """Turns nodes into values, noting lines and mistakes on the way."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self.lines: dict[KeyPath, int] = {}
        self.mistakes: list[Mistake] = []
        self._scalars = yaml.SafeLoader("")

    def value(self, node: yaml.Node, where: KeyPath) -> Value:
        self.lines.setdefault(where, _line(node))
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, where)
        if isinstance(node, yaml.SequenceNode):
            return tuple(self.value(item, (*where, index)) for index, item in enumerate(node.value))
        return self._scalar(node, where)

    def _mapping(self, node: yaml.MappingNode, where: KeyPath) -> dict[str, Value]:
        values: dict[str, Value] = {}
        for key_node, value_node in node.value:
            key = self._key(key_node)
            if key is None:
                says = f"has a key that is not text; put it in quotes{_as_text(key_node)}"
                self._note(key_node, where, says)
            elif key in values:
                first = self.lines[*where, key]
                says = f"stands here again, first on line {first}; keep one of the two"
                self._note(key_node, (*where, key), says)
            else:
                self.lines[*where, key] = _line(key_node)
                values[key] = self.value(value_node, (*where, key))
        return values

    def _key(self, node: yaml.Node) -> str | None:
        is_text = node.tag in {_TEXT, _MERGE} and isinstance(node.value, str)
        return node.value if is_text and _is_encodable(node.value) else None

    def _scalar(self, node: yaml.Node, where: KeyPath) -> Value:
        try:
            value: Value = self._scalars.construct_object(node)
        except (ValueError, ArithmeticError, yaml.YAMLError):
            says = f"looks like a number or a date but is none; put it in quotes{_as_text(node)}"
            self._note(node, where, says)
            return str(node.value)
        if isinstance(value, str) and not _is_encodable(value):
            self._note(node, where, "holds half of a character (\\ud800 to \\udfff); remove it")
            return value.encode(errors="replace").decode()
        if isinstance(value, str) and "\0" in value:
            self._note(node, where, "holds a NUL (\\0), which no name and no path can; remove it")
        return value

    def _note(self, node: yaml.Node, where: KeyPath, says: str) -> None:
        self.mistakes.append(Mistake(self.file, _line(node), where, says))


_TEXT = "tag:yaml.org,2002:str"
_MERGE = "tag:yaml.org,2002:merge"


def _is_encodable(text: str) -> bool:
    return not any("\ud800" <= sign <= "\udfff" for sign in text)


def _line(node: yaml.Node) -> int:
    return int(node.start_mark.line) + 1


def _as_text(node: yaml.Node) -> str:
    return f": {excerpt(node.value)}" if isinstance(node, yaml.ScalarNode) else ""
