"""What an operator is told about a mistake: file, line, key, what is wrong, what to write."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fleet_pipeline.errors import ConfigurationError
from fleet_pipeline.org import load

Spoil = Callable[[str, str, str], None]
Told = Callable[[], list[str]]


def test_the_small_organisation_has_no_mistake(folder: Path) -> None:
    assert [agent.name for agent in load(folder).agents] == ["sage", "forge"]


@pytest.mark.parametrize(
    ("file", "old", "new", "says"),
    [
        (
            "agents.yaml",
            "target_share: 0.08",
            "target_shar: 0.08",
            'agents.yaml:4: agents[0].target_shar: is no known key; did you mean "target_share"?',
        ),
        (
            "agents.yaml",
            "    target_share: 0.08\n",
            "",
            "agents.yaml:2: agents[0].target_share: is missing; write for example "
            "`target_share: 0.25`",
        ),
        (
            "agents.yaml",
            "0.55",
            "55",
            "agents.yaml:8: agents[1].target_share: must be a number from 0 to 1 but is "
            "the number 55; for 55 % write 0.55",
        ),
        ("agents.yaml", "0.55", "-0.1", "agents.yaml:8: agents[1].target_share: must be a number"),
        ("agents.yaml", "0.55", ".nan", "agents.yaml:8: agents[1].target_share: must be a number"),
        ("agents.yaml", "0.55", "'0.55'", 'but is the text "0.55"'),
        ("agents.yaml", "0.55", "yes", "but is the truth value true (yes, no, on and off"),
        (
            "agents.yaml",
            "privacy: internal",
            "privacy: intern",
            "agents.yaml:5: agents[0].privacy: must be one of 'public', 'internal' or 'phi' "
            'but is the text "intern"; did you mean "internal"?',
        ),
        (
            "agents.yaml",
            "name: forge",
            "name: Sage",
            'agents.yaml:6: agents[1].name: is "Sage", which stands at agents[0].name, line 2 '
            "already",
        ),
        (
            "routing.yaml",
            "    rationale: Bounded.\n",
            "    rationale: Bounded.\n    kinds: [editing, check]\n",
            "routing.yaml:10: routing_matrix[0].kinds[1]: must be one of 'orchestration', ",
        ),
        (
            "routing.yaml",
            "    rationale: Bounded.\n",
            "    rationale: Bounded.\n    kinds: [editing, editing]\n",
            'routing.yaml:10: routing_matrix[0].kinds[1]: is "forge: editing", which stands at '
            "routing_matrix[0].kinds[0], line 10 already; one kind of an agent's work has one row",
        ),
        (
            "agents.yaml",
            "    target_share: 0.08\n",
            "    target_share: 0.08\n    work_rules:\n"
            "      - {id: notes, kind: editing, when: {}, why: Notes.}\n",
            "agents.yaml:6: agents[0].work_rules[0].when: has no condition, so that it would claim "
            "every turn; add one",
        ),
        (
            "agents.yaml",
            "    target_share: 0.08\n",
            "    target_share: 0.08\n    work_rules:\n"
            "      - {id: notes, kind: editing, when: {does: [edits]}, why: Notes.}\n",
            "agents.yaml:6: agents[0].work_rules[0].when.does[0]: must be one of 'edit', ",
        ),
        (
            "agents.yaml",
            "    target_share: 0.08\n",
            "    target_share: 0.08\n    work_rules:\n"
            "      - {id: notes, kind: editing, when: {does: [edit]}, why: Notes.}\n"
            "      - {id: notes, kind: checks, when: {does: [run]}, why: Runs.}\n",
            'agents.yaml:7: agents[0].work_rules[1].id: is "notes", which stands at '
            "agents[0].work_rules[0].id, line 6 already; turns keep the id of their rule",
        ),
        (
            "agents.yaml",
            "name: sage",
            "name: unattributed",
            "agents.yaml:2: agents[0].name: is unattributed, the name for work that no agent owns",
        ),
        (
            "agents.yaml",
            "privacy: internal\n",
            "privacy: internal\n    folders: [kb, forge]\n",
            'agents.yaml:6: agents[0].folders[1]: is "forge", the name of another agent',
        ),
        ("agents.yaml", "name: sage", "name: 7", "agents[0].name: must be text but is the number"),
        ("agents.yaml", "name: sage", "name: ' '", "agents.yaml:2: agents[0].name: is blank"),
        ("agents.yaml", "name: sage", "name: 2026-01-02", "but is the date 2026-01-02; put it in"),
        (
            "agents.yaml",
            "name: sage",
            "name: 2026-99-99",
            "agents.yaml:2: agents[0].name: looks like a number or a date but is none; put it in "
            'quotes: "2026-99-99"',
        ),
        (
            "agents.yaml",
            "display_name: Forge",
            "name: Forge",
            "agents.yaml:7: agents[1].name: stands here again, first on line 6",
        ),
        (
            "agents.yaml",
            "display_name: Forge",
            "7: Forge",
            'agents.yaml:7: agents[1]: has a key that is not text; put it in quotes: "7"',
        ),
        (
            "agents.yaml",
            "  - name: forge",
            "\t- name: forge",
            "agents.yaml:6: is indented with a tab; YAML wants spaces",
        ),
        ("agents.yaml", "name: sage", "name: [sage", "is not valid YAML"),
        ("agents.yaml", "name: sage", "name: sage: x", "agents.yaml:2: is not valid YAML"),
        ("agents.yaml", "agents:\n", "agents:\n---\n", "is not valid YAML"),
        ("agents.yaml", "sage", "&a sage", "agents.yaml:2: sets an anchor (&name)"),
        ("agents.yaml", "name: sage", "name: *a", "agents.yaml:2: refers to an anchor (*name)"),
        ("agents.yaml", "name: sage", "name: !!python/name:os.x", "agents.yaml:2: carries a tag"),
        ("agents.yaml", "sage", "sa\x07ge", "agents.yaml:2: holds a control character"),
        (
            "routing.yaml",
            "agent: forge",
            "agent: forg",
            'routing.yaml:3: routing_matrix[0].agent: is "forg", which agents.yaml does not list; '
            'did you mean "forge"? (listed: "forge", "sage")',
        ),
        (
            "routing.yaml",
            "execution_routing: []",
            "execution_routing:",
            "routing.yaml:10: execution_routing: must be a list but is empty; "
            "begin each item with '- ', or write [] for none",
        ),
        ("routing.yaml", "backbone: []", "backbone: [Sonnet]", "backbone[0]: must be 'key: value'"),
        (
            "routing.yaml",
            "backbone: []",
            "principles: {keep: {title: Keep}}",
            "routing.yaml:1: principles.keep.text: is missing",
        ),
        (
            "models.yaml",
            "reference_model: z-ai/glm-5.2",
            "reference_model: z-ai/glm-5",
            'models.yaml:1: reference_model: is "z-ai/glm-5", which is no id under models; '
            'did you mean "z-ai/glm-5.2"?',
        ),
        (
            "models.yaml",
            "id: qwen/qwen3.7-plus",
            "id: z-ai/glm-5.2",
            "models.yaml:8: models[1].id: is",
        ),
        (
            "models.yaml",
            "route: Drafts",
            "route: Drafts\n    aliases: [q, GLM]",
            'models.yaml:12: models[1].aliases[1]: is "GLM", which stands at models[0].aliases[0]'
            ", line 6 already",
        ),
        (
            "models.yaml",
            "openrouter/qwen/qwen3.7-plus",
            "qwen3.7-plus",
            "models.yaml:10: models[1].price_id: needs a provider and a model",
        ),
        (
            "models.yaml",
            "route: Drafts",
            "route: Drafts\n    context_tokens: 1.5",
            "models[1].context_tokens: must be a whole number above 0 but is the number 1.5",
        ),
        (
            "models.yaml",
            "route: Drafts",
            "route: Drafts\n    free: maybe",
            'models[1].free: must be true or false but is the text "maybe"',
        ),
        (
            "offload.yaml",
            "expected: 0.2",
            "expected: 0.4",
            "offload.yaml:4: scenarios.high: is 0.3, below expected (0.4)",
        ),
        (
            "offload.yaml",
            "low: 0.1",
            "low: 0.25",
            "offload.yaml:3: scenarios.expected: is 0.2, below low (0.25)",
        ),
        (
            "models.yaml",
            "route: Drafts",
            "route: Drafts\n    cache: {kind: implicit, because: Seen.}",
            "models[1].cache: needs ttl_seconds unless its kind is none",
        ),
        (
            "models.yaml",
            "route: Drafts",
            "route: Drafts\n    cache: {kind: none}",
            "models[1].cache.because: is missing",
        ),
        (
            "offload.yaml",
            "high: 0.3\n",
            "high: 0.3\nreplay: {assumptions: {retries: {low: -1, expected: 2, high: 3}}}\n",
            "replay.assumptions.retries.low: must be a number of 0 or more but is the number -1",
        ),
        (
            "offload.yaml",
            "high: 0.3\n",
            "high: 0.3\nreplay: {assumptions: {escalated: {low: 5, expected: 0, high: 0}}}\n",
            "replay.assumptions.escalated.low: must be a number from 0 to 1 but is the number 5",
        ),
        (
            "offload.yaml",
            "high: 0.3\n",
            "high: 0.3\nreplay: {stays_on: sonnet}\n",
            "replay.stays_on: needs a provider and a model",
        ),
        ("fleet.yaml", "riles-fleet", "riles/fleet", "fleet.yaml:1: name: cannot be the name of a"),
        (
            "fleet.yaml",
            "owner: Analyst",
            "owner: Analyst\npublish_to:\n  - ranking: a.md\n    site: b",
            "fleet.yaml:5: publish_to[0]: is one of three things; write one of",
        ),
        (
            "fleet.yaml",
            "owner: Analyst",
            "owner: Analyst\npublish_to:\n  - ranking: shared/ranking.txt",
            "fleet.yaml:5: publish_to[0].ranking: must end in .md",
        ),
        (
            "fleet.yaml",
            "owner: Analyst",
            "owner: Analyst\npublish_to: [{site: .}]",
            "fleet.yaml:4: publish_to[0].site: is the folder of the configuration itself",
        ),
        (
            "fleet.yaml",
            "owner: Analyst",
            'owner: Analyst\npublish_to: [{site: "s3://bucket/x"}]',
            "fleet.yaml:4: publish_to[0].site: is an address",
        ),
        (
            "fleet.yaml",
            "owner: Analyst",
            "owner: Analyst\nsources:\n  - host: box",
            "fleet.yaml:5: sources[0]: names no folder; add claude: [~/.claude]",
        ),
        (
            "fleet.yaml",
            "owner: Analyst",
            "owner: Analyst\nsources: [{host: b, claude: [x]}, {host: b, codex: [y]}]",
            'fleet.yaml:4: sources[1].host: is "b", which stands at sources[0].host',
        ),
        (
            "fleet.yaml",
            "owner: Analyst",
            "owner: Analyst\nsources: [{host: b, s3: bucket/x}]",
            "fleet.yaml:4: sources[0].s3: must be an address like s3://bucket/prefix",
        ),
        (
            "fleet.yaml",
            "owner: Analyst",
            "owner: Analyst\nsources: [{host: b, s3: 's3://K:secret@bucket/x'}]",
            "fleet.yaml:4: sources[0].s3: holds credentials; put them into the environment",
        ),
        (
            "fleet.yaml",
            "owner: Analyst",
            "owner: Analyst\nsources: [{host: b, claude: ['s3://bucket/x']}]",
            "fleet.yaml:4: sources[0].claude[0]: is no folder; a host whose transcripts are in S3",
        ),
        (
            "fleet.yaml",
            "owner: Analyst",
            "owner: Analyst\nsources: [{host: b, s3: 's3://bucket/x', codex: [y]}]",
            "fleet.yaml:4: sources[0]: reads both folders and S3",
        ),
        (
            "fleet.yaml",
            "owner: Analyst",
            "owner: Analyst\nsources: [{host: b, claude: [x], region: eu-west-1}]",
            "fleet.yaml:4: sources[0]: names a store but no address in it; add s3: s3://bucket/prefix",
        ),
        (
            "fleet.yaml",
            "owner: Analyst",
            "owner: Analyst\nsources: [{host: b, s3: 's3://bucket/x', endpoint_url: store}]",
            "fleet.yaml:4: sources[0].endpoint_url: must be an address like https://",
        ),
        (
            "fleet.yaml",
            "owner: Analyst",
            "owner: Analyst\nsources: [{host: b, s3: 's3://bucket/x', secret_access_key: hush}]",
            "fleet.yaml:4: sources[0].secret_access_key: is no known key",
        ),
        (
            "fleet.yaml",
            "owner: Analyst",
            "owner: Analyst\nsources: [{host: a, s3: 's3://bucket/x'}, {host: b, s3: 's3://bucket/x'}]",
            'fleet.yaml:4: sources[1].s3: is a place of the host "a" too, besides "b"',
        ),
        (
            "fleet.yaml",
            "owner: Analyst",
            "owner: Analyst\nsources: [{host: a, s3: 's3://bucket/x'}, {host: b, s3: 's3://bucket/x/'}]",
            'fleet.yaml:4: sources[1].s3: is a place of the host "a" too, besides "b"',
        ),
        (
            "fleet.yaml",
            "owner: Analyst",
            "owner: Analyst\nsources: [{host: a, codex: [x]}, {host: b, codex: [z/../x/]}]",
            'fleet.yaml:4: sources[1].codex[0]: is a place of the host "a" too, besides "b"',
        ),
        ("fleet.yaml", "Routing", '"\\ud83d"', "fleet.yaml:2: title: holds half of a character"),
        (
            "fleet.yaml",
            "owner: Analyst",
            "owner: Analyst\nprice_feeds: [{source: litellm, url: 'https://x:99999/'}]",
            "fleet.yaml:4: price_feeds[0].url: has a host or a port that is none; a port is a",
        ),
        (
            "fleet.yaml",
            "owner: Analyst",
            "owner: Analyst\nsite_url: 'https://x:99999/'",
            "fleet.yaml:4: site_url: has a host or a port that is none",
        ),
        ("fleet.yaml", "Routing", '"a\\0b"', "fleet.yaml:2: title: holds a NUL"),
    ],
)
def test_a_mistake_is_told_with_file_line_key_and_remedy(
    spoil: Spoil, told: Told, file: str, old: str, new: str, says: str
) -> None:
    spoil(file, old, new)
    assert says in "\n".join(told())


def test_one_folder_of_two_clients_and_one_address_in_two_stores_are_no_mistake(
    spoil: Spoil, folder: Path
) -> None:
    spoil(
        "fleet.yaml",
        "owner: Analyst",
        "owner: Analyst\nsources:\n"
        "  - {host: a, claude: [x], codex: [x]}\n"
        "  - {host: b, s3: 's3://bucket/x'}\n"
        "  - {host: c, s3: 's3://bucket/x', endpoint_url: 'https://s3.example.org'}\n"
        "  - {host: d, s3: 's3://bucket/x/d'}",
    )
    assert [source.host for source in load(folder).sources] == ["a", "b", "c", "d"]


def test_a_link_to_the_folder_of_another_host_is_told(
    spoil: Spoil, folder: Path, told: Told
) -> None:
    (folder / "x").mkdir()
    (folder / "link").symlink_to("x")
    sources = "sources: [{host: a, claude: [x]}, {host: b, claude: [link]}]"
    spoil("fleet.yaml", "owner: Analyst", f"owner: Analyst\n{sources}")
    assert "sources[1].claude[0]: is a place of the host" in "\n".join(told())


def test_no_credentials_are_repeated_in_a_message(spoil: Spoil, told: Told) -> None:
    spoil(
        "fleet.yaml",
        "owner: Analyst",
        "owner: Analyst\nsources:\n"
        "  - {host: a, s3: 's3://KEY:hushhush@bucket/x'}\n"
        "  - {host: b, s3: 's3://bucket/y', endpoint_url: 'https://KEY:hushhush@s3.example.org'}\n"
        "  - {host: c, s3: 's3://bucket/z', aws_secret_access_key: hushhush}\n"
        "price_feeds: [{source: openrouter, url: 'https://KEY:hushhush@mirror.example.org/'}]",
    )
    assert len(told()) == 4
    assert "hushhush" not in "\n".join(told())


def test_the_mistakes_of_all_files_are_told_at_once_and_in_reading_order(
    spoil: Spoil, told: Told
) -> None:
    spoil("offload.yaml", "expected: 0.2", "expected: 0.5")
    spoil("fleet.yaml", "owner: Analyst", "owned: Analyst")
    spoil("routing.yaml", "agent: forge", "agent: hermes")
    spoil("agents.yaml", "target_share: 0.55", "target_share: 1.55")
    assert [line.split(": is")[0].split(": must")[0] for line in told()] == [
        "fleet.yaml:1: owner",
        "fleet.yaml:3: owned",
        "agents.yaml:8: agents[1].target_share",
        "routing.yaml:3: routing_matrix[0].agent",
        "offload.yaml:4: scenarios.high",
    ]


def test_a_wrong_row_does_not_hide_what_other_files_refer_to(spoil: Spoil, told: Told) -> None:
    spoil("agents.yaml", "target_share: 0.55", "target_share: much")
    assert len(told()) == 1


def test_an_unreadable_agents_file_accuses_no_matrix_row(spoil: Spoil, told: Told) -> None:
    spoil("agents.yaml", "name: sage", "name: [")
    assert [line.split(":")[0] for line in told()] == ["agents.yaml"]


def test_a_missing_file_is_named_with_the_command_that_writes_one(folder: Path, told: Told) -> None:
    (folder / "offload.yaml").unlink()
    assert told() == [f"offload.yaml: is missing; `fleet init --org {folder}` can write one"]


def test_a_file_under_a_similar_name_is_noticed(folder: Path, told: Told) -> None:
    (folder / "agents.yaml").rename(folder / "agents.yml")
    assert told()[0] == (
        'agents.yaml: is missing; did you mean "agents.yml"? Then rename that, or else '
        f"`fleet init --org {folder}` can write one"
    )


def test_a_folder_in_the_place_of_a_file_is_told(folder: Path, told: Told) -> None:
    (folder / "models.yaml").unlink()
    (folder / "models.yaml").mkdir()
    assert told()[0].startswith("models.yaml: cannot be read (Is a directory)")


def test_a_missing_organisation_is_told_in_one_line(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"^.*/nowhere: is no folder; `fleet init --org"):
        load(tmp_path / "nowhere")


def test_a_file_in_another_encoding_is_told_with_the_line(folder: Path, told: Told) -> None:
    (folder / "fleet.yaml").write_bytes(b"name: a\ntitle: Zo\xeb\nowner: b\n")
    assert told() == ["fleet.yaml:2: is not UTF-8 text here; save the file as UTF-8"]


def test_a_file_nested_without_end_is_refused(folder: Path, told: Told) -> None:
    (folder / "fleet.yaml").write_text("[" * 5_000, encoding="utf-8")
    assert told() == ["fleet.yaml:1: is nested far too deep; flatten it"]


def test_an_empty_file_is_told_what_it_lacks(folder: Path, told: Told) -> None:
    (folder / "fleet.yaml").write_text("# nothing yet\n", encoding="utf-8")
    assert [line.split(";")[0] for line in told()] == [
        "fleet.yaml:1: name: is missing",
        "fleet.yaml:1: title: is missing",
        "fleet.yaml:1: owner: is missing",
    ]


def test_an_organisation_may_have_no_routing_tables_at_all(folder: Path) -> None:
    for name in ("routing.yaml", "free_apis.yaml"):
        (folder / name).write_text("", encoding="utf-8")
    org = load(folder)
    tables = (org.backbone, org.routing_matrix, org.execution_routing, org.free_apis)
    assert tables == ((), (), (), ())
    assert (org.operating_rule, org.hard_rules, org.principles.summary) == ("", (), "")


def test_a_hostile_name_arrives_as_it_was_written(spoil: Spoil, folder: Path) -> None:
    hostile = "<script>alert('1')</script> | =cmd() \u202e"
    spoil("agents.yaml", "name: sage", f'name: "{hostile}"')
    assert load(folder).agents[0].name == hostile


def test_a_value_quoted_in_a_message_stays_on_its_line(spoil: Spoil, told: Told) -> None:
    spoil("routing.yaml", "agent: forge", 'agent: "a\\nb\\u2028\\x1b[31m"')
    assert len(told()) == 1
    assert "\\n" in told()[0]
    assert told()[0].isprintable()


@settings(
    max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(content=st.one_of(st.binary(max_size=60), st.text(max_size=60).map(lambda t: t.encode())))
def test_whatever_a_file_holds_every_mistake_names_a_file(folder: Path, content: bytes) -> None:
    (folder / "agents.yaml").write_bytes(content)
    with pytest.raises(ConfigurationError) as caught:
        load(folder)
    for line in str(caught.value).split("\n"):
        assert re.match(rf"{re.escape(str(folder))}/(agents|routing)\.yaml:\d+: ", line)
