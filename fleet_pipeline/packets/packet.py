"""A packet: one question to a model, the schema of its answer, and how to verify it.

Belongs here: what a packet file says, and what is wrong with one. Whether a packet may be sent is
in ``policy``; sending it is in ``runner``.
"""

import hashlib
import json
import re
from contextlib import suppress
from pathlib import Path
from typing import Annotated, Any, Final, Literal

from jsonschema import Draft202012Validator
from jsonschema.exceptions import SchemaError
from pydantic import AfterValidator, BeforeValidator, Field, ValidationError, model_validator
from referencing import Registry
from referencing.exceptions import Unresolvable
from referencing.jsonschema import DRAFT202012

from fleet_pipeline.errors import ConfigurationError
from fleet_pipeline.org.document import KeyPath, read
from fleet_pipeline.org.lanes import Privacy
from fleet_pipeline.org.mistakes import Mistake, excerpt, shape_mistake
from fleet_pipeline.org.strict import Strict, Text

LARGEST_FILE: Final = 1 << 20
"""Bytes of a packet file, and of each file that it names: more is no packet."""
MOST_OUTPUT_TOKENS: Final = 8192


def plain(value: object) -> Any:
    """Return values of a YAML file as JSON has them: lists instead of tuples."""
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    return [plain(item) for item in value] if isinstance(value, list | tuple) else value


def _schema(schema: dict[str, Any]) -> dict[str, Any]:
    try:
        json.dumps(schema, allow_nan=False)
    except (TypeError, ValueError):
        raise ValueError(
            "holds what JSON has no word for; put dates in quotes, and leave out .inf and .nan"
        ) from None
    try:
        Draft202012Validator.check_schema(schema)
    except SchemaError as error:
        place = "/".join(map(str, error.absolute_path)) or "its top"
        raise ValueError(
            f"is no JSON Schema (2020-12), look at {place}; write for example"
            " {type: object, required: [label], properties: {label: {type: string}}}"
        ) from None
    if any(not ref.startswith("#") for ref in _references(schema)):
        raise ValueError("refers to another document; write it out, with $ref to #/$defs/... only")
    resolver = Registry[Any]().resolver_with_root(DRAFT202012.create_resource(schema))
    for ref in _references(schema):
        try:
            resolver.lookup(ref)
        except Unresolvable:
            raise ValueError(f"has no {excerpt(ref)}, to which it refers; write it out") from None
    return schema


def _references(schema: object) -> list[str]:
    if isinstance(schema, dict):
        own = [str(schema[key]) for key in ("$ref", "$dynamicRef") if key in schema]
        return own + [ref for item in schema.values() for ref in _references(item)]
    if isinstance(schema, list):
        return [ref for item in schema for ref in _references(item)]
    return []


def _id(text: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}", text):
        raise ValueError("must be letters, digits, '.', '_' and '-', at most 100 of them")
    return text


def _small(tokens: int) -> int:
    if tokens > MOST_OUTPUT_TOKENS:
        raise ValueError(f"is no small cap; at most {MOST_OUTPUT_TOKENS} tokens come back")
    return tokens


JsonSchema = Annotated[dict[str, Any], BeforeValidator(plain), AfterValidator(_schema)]


class Verify(Strict):
    """What an answer has to pass before it counts: exactly one of a command, a schema, a review."""

    command: tuple[Text, ...] | None = Field(
        default=None,
        description="a command that reads the answer (JSON) from its input and ends with 0",
        examples=["[python3, -m, json.tool]"],
    )
    json_schema: JsonSchema | None = Field(
        default=None, description="a stricter schema than the model was told", examples=["{}"]
    )
    review: Literal["codex", "claude"] | None = Field(
        default=None, description="which client reviews it, codex or claude", examples=["codex"]
    )

    @model_validator(mode="after")
    def _is_one_thing(self) -> "Verify":
        given = [way for way in (self.command, self.json_schema, self.review) if way is not None]
        if len(given) != 1 or self.command == ():
            raise ValueError(
                "is one of command: [...], json_schema: {...} and review: codex|claude"
            )
        return self


class Packet(Strict):
    """What is sent, to whom it may be shown, and what has to come back."""

    id: Annotated[Text, AfterValidator(_id)] = Field(
        description="a name for the packet", examples=["label-issue-17"]
    )
    privacy: Privacy = Field(
        default="internal",
        description="public, internal or phi; only what is declared public may go to free lanes",
        examples=["public"],
    )
    agent: Text = Field(description="whose work it is, as in agents.yaml", examples=["forge"])
    work_type: Text = Field(description="the kind of work", examples=["Classification"])
    instructions: Text = Field(
        description="what to do, in a few sentences", examples=["Label the issue."]
    )
    inputs: dict[str, str] = Field(
        default={}, description="texts to work on, by name", examples=["{issue: It crashes.}"]
    )
    answer_schema: JsonSchema = Field(
        description="the JSON Schema of the answer", examples=["{type: object}"]
    )
    max_output_tokens: Annotated[int, Field(gt=0), AfterValidator(_small)] = Field(
        description="tokens that may come back", examples=["500"]
    )
    verify: Verify | None = Field(
        default=None, description="what the answer has to pass before it counts"
    )
    folders: tuple[str, ...] = Field(
        default=(), description="absolute paths of all folders that its texts come from"
    )

    @property
    def sha256(self) -> str:
        """A digest of everything that the packet says: what it is known by in logs."""
        said = json.dumps(self.model_dump(mode="json"), sort_keys=True)
        return hashlib.sha256(said.encode("utf-8", "surrogatepass")).hexdigest()


class _PacketFile(Packet):
    """A packet as somebody writes it down: with a folder, and with files to take texts from."""

    folders: tuple[str, ...] = Field(default=(), exclude=True, max_length=0)
    folder: Text | None = Field(
        default=None, description="the folder that its texts come from", examples=["~/code/demo"]
    )
    files: dict[str, Text] = Field(
        default={}, description="further inputs: files by name", examples=["{log: build.log}"]
    )


def load(file: Path) -> Packet:
    """Return the packet that a YAML or JSON file describes, with the texts of the files it names.

    The folder of the file, the one it names and those of its input files, links resolved, are the
    packet's ``folders``. Raises ConfigurationError with one line for each mistake: file, line, key,
    what is wrong, what to write.
    """
    document, mistakes = read(file, _content(file))
    if document is None or mistakes:
        raise ConfigurationError("\n".join(map(str, mistakes)))
    try:
        written = _PacketFile.model_validate(document.value)
    except ValidationError as error:
        found = [
            Mistake(
                file,
                document.line(details["loc"]),
                details["loc"],
                shape_mistake(details, _PacketFile),
            )
            for details in error.errors(include_url=False)
        ]
        raise ConfigurationError("\n".join(map(str, dict.fromkeys(found)))) from None
    inputs = dict(written.inputs)
    # Where the file is only a link, its words come from elsewhere.
    folders = [_real(file.parent), _real(file).parent]

    def mistake(where: KeyPath, says: str) -> ConfigurationError:
        return ConfigurationError(str(Mistake(file, document.line(where), where, says)))

    command = written.verify.command if written.verify else None
    for place, part in enumerate(command or ()):
        if _is_script_beside(file, part):
            says = "is run in an empty folder, where that is not; write the whole path"
            raise mistake(("verify", "command", place), says)
    if written.folder is not None:
        try:
            folders.append(_real(file.parent, written.folder))
        except ConfigurationError:
            raise mistake(("folder",), "cannot be found; name a folder that is there") from None
    for name, path in written.files.items():
        if name in inputs:
            raise mistake(("files", name), "is an input already; rename one of the two")
        try:
            source = _real(file.parent, path)
            inputs[name] = _content(source).decode()
        except (ConfigurationError, UnicodeDecodeError) as error:
            says = "is no UTF-8 text" if isinstance(error, ValueError) else "cannot be read"
            says += "; name a text file, relative to the packet's own folder"
            raise mistake(("files", name), says) from None
        folders.append(source.parent)
    fields = {name: getattr(written, name) for name in Packet.model_fields if name != "folders"}
    return Packet(**{**fields, "inputs": inputs}, folders=tuple(dict.fromkeys(map(str, folders))))


def _real(folder: Path, named: str = "") -> Path:
    """Return where a path leads, links resolved; raises ConfigurationError for one that cannot be.

    Its names have to be text: the queue keeps them.
    """
    try:
        real = (folder / Path(named).expanduser()).resolve()
        str(real).encode()
    except (OSError, RuntimeError, ValueError):  # a loop of links, nobody's ~, a name that is none
        raise ConfigurationError(
            f"{folder}: cannot be found, or has a name that is no text (UTF-8)"
        ) from None
    return real


def _is_script_beside(packet: Path, part: str) -> bool:
    """Say whether a part of a command names a file relative to the packet, as code never does."""
    with suppress(OSError, ValueError):
        named = Path(part)
        return not named.is_absolute() and bool(named.suffix) and (packet.parent / named).is_file()
    return False


def _content(file: Path) -> bytes:
    try:
        if not file.is_file():
            raise ConfigurationError(f"{file}: is no file; name a packet file (YAML or JSON)")
        with file.open("rb") as stream:
            content = stream.read(LARGEST_FILE + 1)
    except OSError as error:
        raise ConfigurationError(f"{file}: cannot be read ({error.strerror})") from None
    if len(content) > LARGEST_FILE:
        raise ConfigurationError(f"{file}: is larger than {LARGEST_FILE >> 20} MiB; cut it down")
    return content
