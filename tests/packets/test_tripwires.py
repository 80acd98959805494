"""Secrets and patient data are caught in any context, and ordinary code passes, in no time."""

import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from fleet_pipeline.packets import phi, secrets

from .synthetic_keys import synthetic_keys

CONTEXTS: dict[str, Callable[[str], str]] = {
    "alone": lambda key: key,
    "in prose": lambda key: f"Please look at this, it does not work for me: {key} any idea?",
    "assigned": lambda key: f'def connect():\n    token = "{key}"\n    return open_it(token)\n',
}


def ordinary_code() -> list[str]:
    """The source of the standard library that comes with this Python, without its tests."""
    library = Path(os.__file__).parent
    folders = (library, *(library / name for name in ("asyncio", "email", "http", "json")))
    files = [file for folder in folders for file in sorted(folder.glob("*.py"))]
    return [file.read_text(encoding="utf-8", errors="replace") for file in files]


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("context", CONTEXTS.values(), ids=CONTEXTS)
@pytest.mark.parametrize("kind", synthetic_keys())
def test_every_kind_of_key_is_caught_in_every_context(
    kind: str, context: Callable[[str], str], seed: int
) -> None:
    key = synthetic_keys(seed)[kind]
    assert secrets.found(context(key))


def test_there_are_twenty_six_kinds() -> None:
    assert len(synthetic_keys()) == 26


@pytest.mark.slow
def test_at_most_one_false_alarm_in_ten_thousand_lines_of_code() -> None:
    lines = [line for text in ordinary_code() for line in text.splitlines()][:60_000]
    alarms = [line for line in lines if secrets.found(line) or phi.found(line)]
    assert len(lines) > 50_000
    assert len(alarms) * 10_000 <= len(lines), alarms[:50]


def test_a_packet_of_32_kb_is_checked_in_fifty_milliseconds() -> None:
    code = "\n".join(ordinary_code())
    packets = [code[start : start + (32 << 10)] for start in range(0, 5 * (32 << 10), 32 << 10)]
    secrets.found(packets[0])  # loads what is loaded once
    took = []
    for packet in packets:
        best = 1.0
        for _ in range(3):
            began = time.process_time()
            secrets.found(packet, ["a-value-of-the-environment"])
            phi.found(packet)
            best = min(best, time.process_time() - began)
        took.append(best)
    assert max(took) < 0.05, took


@pytest.mark.parametrize(
    "text", ["a" * 30_000, "key " * 8_000, '"' * 30_000, "sk-" * 10_000, "patient 1 " * 3_000,
             "password is " * 3_000, "://a:" * 6_000, "-" * 30_000, "eyJ" * 10_000]
)  # fmt: skip
def test_no_text_makes_the_check_slow(text: str) -> None:
    began = time.process_time()
    secrets.found(text)
    phi.found(text)
    assert time.process_time() - began < 1


def test_a_key_is_caught_wherever_a_long_text_is_cut() -> None:
    key = synthetic_keys()["anthropic"]
    for before in range(3600, 4200, 13):
        assert secrets.found(f"{'word ' * 2000}"[:before] + f" {key} " + "word " * 500)


def test_values_of_the_environment_never_leave(tmp_path: Path) -> None:
    environment = {
        "INTERNAL_TOKEN": "plainwordsonly",
        "HOME": "/home/somebody-here",
        "LANG": "en_GB.UTF-8",
        "GREETING": "gsk_" + "a1" * 20,
        "SSH_AUTH_SOCK": str(tmp_path),
        "AWS_SECRET_ACCESS_KEY": "/begins/withASlashAsOneKeyIn64Does+",
    }
    values = secrets.secret_values(environment)
    assert values == {
        "plainwordsonly", "gsk_" + "a1" * 20, "/begins/withASlashAsOneKeyIn64Does+",
    }  # fmt: skip
    assert secrets.found("it says plainwordsonly there", values) == [
        "a value of this machine's environment"
    ]


@pytest.mark.parametrize(
    "text",
    [
        "MRN 00482913",
        "Medical record number: 482913",
        "SSN 536-90-4399",
        "DOB: 03/14/1961",
        "Date of birth 14 March 1961",
        "Patient: John Doe was seen today",
        "Patient John Doe complains of a headache",
        "Diagnosis: E11.9",
        "Member ID: XQZ4829138",
        "the patient takes metformin 500 mg twice a day",
    ],
)
def test_what_only_stands_in_patient_records_is_caught(text: str) -> None:
    assert phi.found(f"Please summarise.\n{text}\nThank you.")


@pytest.mark.parametrize(
    "text",
    ["The patient user waits.", "Version 1961-03-14", "call 555-0123", "uuid 536-90-43991", "e11"],
)
def test_ordinary_words_are_no_patient_data(text: str) -> None:
    assert phi.found(text) == []
