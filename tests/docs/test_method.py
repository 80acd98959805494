"""docs/method.md is what its commands print, and its prose says no amount that they do not.

`python tests/docs/test_method.py` writes the outputs anew.
"""

import re
import shlex
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path

from click.testing import CliRunner

from fleet_pipeline.cli import main

METHOD = Path(__file__).parents[2] / "docs" / "method.md"

INDENT = "    "
PROMPT = f"{INDENT}$ "
EQUATION = re.compile(r"\((\S+) - (\S+)\) / \((\S+) - (\S+)\) = (\S+) %")


def computed(text: str) -> str:
    """Return the page with what each of its commands prints below it."""
    variables: dict[str, str] = {}
    lines: list[str] = []
    skipping = False
    for line in text.splitlines():
        if line.startswith(PROMPT):
            skipping = False
            lines.append(line)
            command = line.removeprefix(PROMPT)
            name, is_setting, value = command.partition("=")
            if is_setting and name.isupper():
                variables[name] = value.strip('"')
            else:
                lines += _output(command, variables)
                skipping = True
        elif skipping and (not line or line.startswith(INDENT)):
            continue
        else:
            if skipping:
                lines.append("")
            skipping = False
            lines.append(line)
    return "\n".join(lines) + "\n"


def _output(command: str, variables: dict[str, str]) -> list[str]:
    for name, value in variables.items():
        command = command.replace(f"${name}", value)
    program, *arguments = shlex.split(command)
    assert program == "fleet"
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code == 0, result.output
    return [f"{INDENT}{line}".rstrip() for line in result.stdout.splitlines()]


def written() -> str:
    return METHOD.read_text(encoding="utf-8")


def test_every_output_is_what_the_command_above_it_prints() -> None:
    assert computed(written()) == written()


def test_the_golden_amounts_are_all_there() -> None:
    totals = [
        Decimal(amount.replace(",", ""))
        for amount in re.findall(r"^ {6}total +\$([\d,.]+)$", written(), re.MULTILINE)
    ]
    rounded = [int(total.quantize(Decimal(1), ROUND_HALF_UP)) for total in totals]
    assert rounded == [58, 7_185, 1_528, 2_660, 2_163, 2_162, 272, 931, 323]


def test_the_break_even_equation_holds_and_its_terms_are_totals_of_the_page() -> None:
    [found] = EQUATION.findall(written())
    none, stay, same, every, percent = map(Decimal, found)
    assert none == same
    assert round((none - stay) / (same - every) * 100, 1) == percent
    for amount in (none, stay, every):
        assert re.search(rf"total +\${re.escape(f'{amount:,}')}$", written(), re.MULTILINE)


def test_prose_names_no_amount_of_dollars_that_no_command_printed() -> None:
    prose = [line for line in written().splitlines() if not line.startswith(INDENT)]
    assert not re.findall(r"\$\d", "\n".join(prose))


if __name__ == "__main__":
    METHOD.write_text(computed(written()), encoding="utf-8")
