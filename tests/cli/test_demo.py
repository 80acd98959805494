"""``fleet demo``: what it prints and refuses; what it writes is told in ``tests/demo``."""

import json
from collections.abc import Callable
from pathlib import Path

from click.testing import Result

Run = Callable[..., Result]


def test_it_says_what_it_wrote_and_how_to_publish_it_without_touching_your_own_home(
    fleet: Run,
) -> None:
    result = fleet("demo", "--out", "a demo", "--requests", 50, "--as-of", "2026-06-17")
    assert result.exit_code == 0
    truth = json.loads(Path("a demo/truth.json").read_text())
    codex = truth["usage"]["codex"]["requests"]
    assert result.stdout == (
        f"50 Claude and {codex} Codex requests\n"
        "true totals: a demo/truth.json\n"
        "publish them: fleet refresh --home 'a demo/.fleet' --claude 'a demo/.claude'"
        " --codex 'a demo/.codex' --as-of 2026-06-17\n"
    )
    assert result.stderr == "writing the demo fleet ...\n"


def test_the_same_seed_gives_the_same_fleet_and_another_one_another(fleet: Run) -> None:
    for out, seed in (("one", 3), ("two", 3), ("three", 4)):
        fleet("demo", "--out", out, "--requests", 50, "--seed", seed, "--as-of", "2026-06-17")
    one, two, three = (Path(out, "truth.json").read_bytes() for out in ("one", "two", "three"))
    assert one == two != three


def test_a_folder_that_holds_something_is_left_alone(fleet: Run) -> None:
    Path("full").mkdir()
    Path("full/mine").write_text("")
    result = fleet("demo", "--out", "full", "--requests", 50)
    assert (result.exit_code, result.stdout) == (2, "")
    assert "is not empty" in result.stderr
    assert [path.name for path in Path("full").iterdir()] == ["mine"]


def test_a_day_that_closes_no_week_is_bad_usage(fleet: Run) -> None:
    result = fleet("demo", "--out", "out", "--requests", 50, "--as-of", "2026-06-16")
    assert result.exit_code == 2
    assert "use 2026-06-10 or 2026-06-17" in result.stderr
    assert not Path("out").exists()
