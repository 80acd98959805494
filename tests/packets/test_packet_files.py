"""A packet file is read as written, and each mistake is told with its place and its remedy."""

import json
import os
from pathlib import Path

import pytest

from fleet_pipeline.errors import ConfigurationError
from fleet_pipeline.packets import load

GOOD = """\
id: label-issue-17
privacy: public
agent: forge
work_type: Classification
instructions: Label the issue.
inputs:
  issue: It crashes.
answer_schema:
  type: object
  required: [label]
  properties: {label: {type: string}}
max_output_tokens: 50
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "packet.yaml"
    path.write_text(GOOD)
    return path


def test_a_good_file_becomes_a_packet(file: Path) -> None:
    made = load(file)
    assert (made.id, made.privacy, made.inputs) == (
        "label-issue-17", "public", {"issue": "It crashes."},
    )  # fmt: skip
    assert made.answer_schema["required"] == ["label"]
    assert made.folders == (str(file.parent.resolve()),)


def test_json_is_understood_too(file: Path) -> None:
    made = load(file)
    written = made.model_dump(exclude={"folders"}, exclude_none=True)
    file.with_suffix(".json").write_text(json.dumps(written, indent=1))
    assert load(file.with_suffix(".json")) == made


def test_files_are_read_and_their_real_folders_are_the_packets(file: Path, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "build.log").write_text("error: 1")
    (tmp_path / "innocent.log").symlink_to(tmp_path / "elsewhere" / "build.log")
    file.write_text(GOOD + "files: {log: innocent.log}\nfolder: sub\n")
    made = load(file)
    assert made.inputs["log"] == "error: 1"
    real = tmp_path.resolve()
    assert made.folders == (str(real), str(real / "sub"), str(real / "elsewhere"))


def test_a_packet_that_is_a_link_comes_from_where_it_leads_too(file: Path, tmp_path: Path) -> None:
    """Or a link in a folder that may leave would let out what lies in one that may not."""
    (tmp_path / "open").mkdir()
    (tmp_path / "open" / "packet.yaml").symlink_to(file)
    real = tmp_path.resolve()
    assert load(tmp_path / "open" / "packet.yaml").folders == (str(real / "open"), str(real))


def test_links_that_lead_nowhere_and_names_that_are_no_text_are_told(
    file: Path, tmp_path: Path
) -> None:
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    file.write_text(GOOD + "files: {log: loop}\n")
    with pytest.raises(ConfigurationError, match=r"files\.log: cannot be read"):
        load(file)
    odd = Path(os.fsdecode(bytes(tmp_path / "odd-") + b"\xff"))
    odd.mkdir()
    (odd / "packet.yaml").write_text(GOOD)
    with pytest.raises(ConfigurationError, match="no text"):
        load(odd / "packet.yaml")


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("agent: forge\n", "", "1: agent: is missing; write for example `agent: forge`"),
        ("privacy: public", "privacy: open", "2: privacy: must be one of"),
        ("privacy:", "privcy:", '2: privcy: is no known key; did you mean "privacy"?'),
        ("id: label-issue-17", "id: a/b", "1: id: must be letters, digits"),
        ("tokens: 50", "tokens: 0", "12: max_output_tokens: must be a whole number above 0"),
        ("tokens: 50", "tokens: 100000", "12: max_output_tokens: is no small cap"),
        ("type: object", "type: objekt", "8: answer_schema: is no JSON Schema"),
        ("{type: string}", "{$ref: 'https://x.org/s'}", "8: answer_schema: refers to another"),
        ("issue: It crashes.", "issue: 7", "7: inputs.issue: must be text but is the number 7"),
        ("max_output", "folders: [/]\nmax_output", "12: folders: "),
        ("max_output", "files: {log: none.log}\nmax_output", "12: files.log: cannot be read"),
        ("max_output", "files: {issue: packet.yaml}\nmax_output", "12: files.issue: is an input"),
        ("max_output", "verify: {}\nmax_output", "12: verify: is one of command"),
        (
            "max_output", "verify: {command: [true], review: codex}\nmax_output",
            "12: verify.command[0]: must be text",
        ),
        ("privacy: public", "privacy: public\nprivacy: phi", "3: privacy: stands here again"),
        ("{type: string}", "{enum: [2026-06-17]}", "8: answer_schema: holds what JSON has no word"),
        ("{type: string}", "{maximum: .inf}", "8: answer_schema: holds what JSON has no word"),
        ("{type: string}", "{$ref: '#/$defs/no'}", '8: answer_schema: has no "#/$defs/no"'),
        ("max_output", "folder: ~nobody-here/x\nmax_output", "12: folder: cannot be found"),
        ("max_output", "files: {log: ~nobody-here/x}\nmax_output", "12: files.log: cannot be read"),
        ("max_output", 'files: {log: "a\\0b"}\nmax_output', "12: files.log: holds a NUL"),
    ],
)  # fmt: skip
def test_each_mistake_is_told_with_its_place(file: Path, old: str, new: str, says: str) -> None:
    assert old in GOOD
    file.write_text(GOOD.replace(old, new, 1))
    with pytest.raises(ConfigurationError) as caught:
        load(file)
    assert f"{file}:{says}" in str(caught.value)


def test_a_verify_script_beside_the_packet_has_to_be_named_by_its_whole_path(file: Path) -> None:
    script = file.with_name("check.py")
    script.write_text("")
    file.write_text(GOOD + "verify:\n  command: [python3, check.py]\n")
    with pytest.raises(ConfigurationError, match=r"verify.command\[1\]: is run in an empty folder"):
        load(file)
    file.write_text(GOOD + f"verify:\n  command: [python3, {script}, {'x' * 300}.y]\n")
    assert load(file).verify is not None


def test_what_is_no_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="is no file; name a packet file"):
        load(tmp_path)


def test_a_packet_has_one_digest_whatever_the_order_of_its_keys(file: Path) -> None:
    first = load(file)
    lines = GOOD.splitlines()
    file.write_text("\n".join([*lines[1:], lines[0]]))
    assert load(file).sha256 == first.sha256
    file.write_text(GOOD.replace("crashes", "hangs"))
    assert load(file).sha256 != first.sha256
