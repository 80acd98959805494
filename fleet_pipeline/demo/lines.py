"""How Claude Code 2.1.169 writes a session down: line shapes with placeholder content.

The fields and their order are those of recorded transcripts of that version. Two lines for one
request share its message id; the first may still hold the stream's placeholder output, so that
only a reader that takes the last line counts right.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from random import Random

from fleet_pipeline.demo.sessions import Request, Session, Thread
from fleet_pipeline.demo.timetable import utc_text
from fleet_pipeline.demo.work import Call, turn_calls

_VERSION = "2.1.169"
_ALPHABET = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_ARGUMENTS = {
    "Bash": '{"command":"%s","description":"Run it"}',
    "Read": '{"file_path":"notes.md"}',
    "Grep": '{"pattern":"TODO"}',
    "Edit": '{"file_path":"notes.md","old_string":"a","new_string":"b"}',
    "Write": '{"file_path":"notes.md","content":"(text)"}',
}
_TWO_LINES_SHARE = 0.35
_PLACEHOLDER_SHARE = 0.5
_TOOL_RESULT_SHARE = 0.35
_SYNTHETIC_SHARE = 0.005


@dataclass(frozen=True, slots=True)
class Identifiers:
    """Random identifiers of the kinds that both clients write, the same for the same seed."""

    rng: Random

    def uuid(self) -> str:
        """Return a version 4 UUID."""
        digits = f"{self.rng.getrandbits(128):032x}"
        return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-a{digits[17:20]}-{digits[20:]}"

    def uuid7(self, at_ms: int) -> str:
        """Return a version 7 UUID, which opens with its time."""
        clock, digits = f"{at_ms:012x}", f"{self.rng.getrandbits(80):020x}"
        return f"{clock[:8]}-{clock[8:]}-7{digits[:3]}-8{digits[3:6]}-{digits[6:18]}"

    def prefixed(self, prefix: str) -> str:
        """Return an API identifier such as a message id."""
        return prefix + "".join(self.rng.choices(_ALPHABET, k=22))

    def agent_id(self) -> str:
        """Return the id of a subagent's run."""
        return f"a{self.rng.getrandbits(64):016x}"


@dataclass(frozen=True, slots=True)
class SubagentFile:
    """A subagent's transcript and what its `.meta.json` says."""

    agent_id: str
    lines: list[str]
    meta: str
    last_ms: int


@dataclass(frozen=True, slots=True)
class SessionFiles:
    """All lines of one session, and how many of them are there only to be seen through."""

    session_id: str
    lines: list[str]
    last_ms: int
    subagents: list[SubagentFile]
    placeholder_lines: int
    synthetic_lines: int


def session_files(
    session: Session, identifiers: Identifiers, previous: SessionFiles | None
) -> SessionFiles:
    """Write a session's lines; one that resumes `previous` begins with its lines, renamed."""
    session_id = identifiers.uuid()
    writer = _Writer(session, session_id, identifiers)
    if session.resumes_previous and previous:
        old, new = f'"{previous.session_id}"', f'"{session_id}"'
        writer.lines = [line.replace(old, new) for line in previous.lines]
    runs: dict[int, list[Thread]] = {}
    for start, run in session.subagents:
        runs.setdefault(start, []).append(run)
    subagents: list[SubagentFile] = []
    for index, request in enumerate(session.main.requests):
        started = runs.get(index, [])
        following = session.main.requests[index + 1 : index + 2]
        ends_turn = not following or following[0].opens_prompt
        if request.compacted_tokens:
            writer.compaction(request)
        elif request.opens_prompt:
            writer.work = turn_calls(identifiers.rng, session.agent)
            writer.prompt(request.at_ms - 600)
        calls = writer.request(session.main, request, ends_turn=ends_turn, starts=started)
        for run, tool_use_id in zip(started, calls, strict=False):
            subagent = _subagent_file(session, session_id, identifiers, run, tool_use_id, writer)
            subagents.append(subagent)
            writer.subagent_result(run, subagent, tool_use_id)
        if not started and calls and identifiers.rng.random() < _TOOL_RESULT_SHARE:
            writer.tool_result(calls[0], request.at_ms + 400)
        if identifiers.rng.random() < _SYNTHETIC_SHARE:
            writer.synthetic(request.at_ms + 500)
    return SessionFiles(
        session_id,
        writer.lines,
        writer.last_ms,
        subagents,
        writer.placeholders,
        writer.synthetics,
    )


def torn_line(whole: str) -> str:
    """Return an assistant line whose writer died in the middle of its usage."""
    return whole[: whole.index('"cache_read_input_tokens"')]


def unfinished_request(session: Session, files: SessionFiles, identifiers: Identifiers) -> str:
    """Return a whole assistant line that belongs to no counted request, ready to be torn."""
    writer = _Writer(session, files.session_id, identifiers)
    last = session.main.requests[-1]
    writer.request(session.main, last, ends_turn=True, starts=[])
    return writer.lines[-1]


def _subagent_file(
    session: Session,
    session_id: str,
    identifiers: Identifiers,
    run: Thread,
    tool_use_id: str,
    parent: "_Writer",
) -> SubagentFile:
    writer = _Writer(session, session_id, identifiers, agent_id=identifiers.agent_id())
    writer.work = turn_calls(identifiers.rng, session.agent, run.agent_type)
    writer.prompt(run.requests[0].at_ms - 50)
    for index, request in enumerate(run.requests):
        if request.compacted_tokens:
            writer.compaction(request)
        writer.request(run, request, ends_turn=index == len(run.requests) - 1, starts=[])
    parent.placeholders += writer.placeholders
    meta = (
        f'{{"agentType":"{run.agent_type}","description":"delegated packet",'
        f'"toolUseId":"{tool_use_id}"}}'
    )
    return SubagentFile(writer.agent_id, writer.lines, meta, writer.last_ms)


class _Writer:
    """Appends lines to one transcript and keeps the chain of parents."""

    def __init__(
        self, session: Session, session_id: str, identifiers: Identifiers, agent_id: str = ""
    ) -> None:
        self.lines: list[str] = []
        self.last_ms = 0
        self.placeholders = self.synthetics = 0
        self.work: Iterator[Call] = turn_calls(identifiers.rng, session.agent)
        self.agent_id = agent_id
        self._new = identifiers
        self._parent = "null"
        self._opening = (
            f'"isSidechain":true,"agentId":"{agent_id}",' if agent_id else '"isSidechain":false,'
        )
        self._closing = (
            f'"userType":"external","entrypoint":"cli","cwd":"{session.cwd}",'
            f'"sessionId":"{session_id}","version":"{_VERSION}",'
            f'"gitBranch":"{session.git_branch}"}}'
        )

    def compaction(self, request: Request) -> None:
        """Write that the context was compacted just before a request."""
        self._parent = "null"
        self._append(
            '"type":"system","subtype":"compact_boundary","content":"Conversation compacted",'
            '"isMeta":false,"level":"info","compactMetadata":{"trigger":"auto",'
            f'"preTokens":{request.compacted_tokens}}}',
            request.at_ms - 700,
        )
        self._append(
            '"type":"user","message":{"role":"user","content":"(summary)"},'
            '"isVisibleInTranscriptOnly":true,"isCompactSummary":true',
            request.at_ms - 650,
        )

    def prompt(self, at_ms: int) -> None:
        """Write what a human, or the parent of a subagent, asked for."""
        self._append(
            f'"promptId":"{self._new.uuid()}","type":"user",'
            '"message":{"role":"user","content":"(prompt)"}',
            at_ms,
        )

    def request(
        self, thread: Thread, request: Request, *, ends_turn: bool, starts: list[Thread]
    ) -> list[str]:
        """Write one request in one or two lines; return the ids of the tools that it calls."""
        rng = self._new.rng
        calls = [self._new.prefixed("toolu_01") for _ in starts]
        if not calls and not ends_turn:
            calls = [self._new.prefixed("toolu_01")]
        blocks = _blocks(self.work, calls, starts)
        if rng.random() < _TWO_LINES_SHARE:
            blocks.insert(0, '{"type":"thinking","thinking":"","signature":"KHNpZ25lZCk="}')
        message = (
            f'"message":{{"id":"{self._new.prefixed("msg_01")}","type":"message",'
            f'"role":"assistant","model":"{thread.model}","content":[%s],"stop_reason":%s,'
            f'"stop_sequence":null,"usage":{_usage(request)},"stop_details":null}},'
            f'"requestId":"{self._new.prefixed("req_01")}"'
            + (f',"attributionAgent":"{thread.agent_type}"' if thread.agent_type else "")
            + ',"type":"assistant"'
        )
        reason = '"tool_use"' if calls else '"end_turn"'
        for index, block in enumerate(blocks[:-1]):
            if self.agent_id or rng.random() < _PLACEHOLDER_SHARE:
                started = min(request.output_tokens, rng.randint(1, 8))
                self._append(message % (block, "null", started), request.at_ms + index)
                self.placeholders += 1
            else:
                self._append(
                    message % (block, reason, request.output_tokens), request.at_ms + index
                )
        final = message % (blocks[-1], reason, request.output_tokens)
        self._append(final, request.at_ms + 120 * (len(blocks) > 1))
        return calls

    def tool_result(self, tool_use_id: str, at_ms: int) -> None:
        """Write what a tool gave back."""
        self._append(
            '"type":"user","message":{"role":"user","content":[{"tool_use_id":'
            f'"{tool_use_id}","type":"tool_result","content":"(result)","is_error":false}}]}},'
            '"toolUseResult":"(result)"',
            at_ms,
        )

    def subagent_result(self, run: Thread, subagent: SubagentFile, tool_use_id: str) -> None:
        """Write what a subagent gave back, with its last request's usage said once more."""
        last = run.requests[-1]
        context = (
            last.input_tokens
            + last.cache_write_5m_tokens
            + last.cache_write_1h_tokens
            + last.cache_read_tokens
        )
        self._append(
            '"type":"user","message":{"role":"user","content":[{"tool_use_id":'
            f'"{tool_use_id}","type":"tool_result","content":[{{"type":"text","text":"(result)"}}]'
            '}]},"toolUseResult":{"status":"completed","prompt":"(prompt)",'
            f'"agentId":"{subagent.agent_id}","agentType":"{run.agent_type}",'
            '"content":[{"type":"text","text":"(result)"}],'
            f'"totalDurationMs":{last.at_ms - run.requests[0].at_ms + 900},'
            f'"totalTokens":{context + last.output_tokens},'
            f'"totalToolUseCount":{len(run.requests) - 1},'
            f'"usage":{_usage(last) % last.output_tokens}}}',
            subagent.last_ms + 50,
        )

    def synthetic(self, at_ms: int) -> None:
        """Write the client's own note that the API failed; it was not billed."""
        self.synthetics += 1
        self._append(
            f'"type":"assistant","message":{{"id":"{self._new.uuid()}","container":null,'
            '"model":"<synthetic>","role":"assistant","stop_reason":"stop_sequence",'
            '"stop_sequence":"","type":"message","usage":{"input_tokens":0,"output_tokens":0,'
            '"cache_creation_input_tokens":0,"cache_read_input_tokens":0,"service_tier":null},'
            '"content":[{"type":"text","text":"API Error: Overloaded"}]},'
            '"error":"unknown","isApiErrorMessage":true',
            at_ms,
        )

    def _append(self, body: str, at_ms: int) -> None:
        uuid = self._new.uuid()
        self.lines.append(
            f'{{"parentUuid":{self._parent},{self._opening}{body},"uuid":"{uuid}",'
            f'"timestamp":"{utc_text(at_ms)}",{self._closing}'
        )
        self._parent = f'"{uuid}"'
        self.last_ms = max(self.last_ms, at_ms)


def _usage(request: Request) -> str:
    """Return a request's usage with a gap (`%s`) where the output tokens go."""
    written = request.cache_write_5m_tokens + request.cache_write_1h_tokens
    return (
        f'{{"input_tokens":{request.input_tokens},"cache_creation_input_tokens":{written},'
        f'"cache_read_input_tokens":{request.cache_read_tokens},"output_tokens":%s,'
        '"server_tool_use":{"web_search_requests":0,"web_fetch_requests":0},'
        '"service_tier":"standard","cache_creation":{"ephemeral_1h_input_tokens":'
        f'{request.cache_write_1h_tokens},"ephemeral_5m_input_tokens":'
        f'{request.cache_write_5m_tokens}}},"inference_geo":"","iterations":[],"speed":"standard"}}'
    )


def _blocks(work: Iterator[Call], calls: list[str], starts: list[Thread]) -> list[str]:
    """Return a reply's content: subagents started, else the turn's next tool, else an answer."""
    if starts:
        return [
            f'{{"type":"tool_use","id":"{call}","name":"Agent","input":{{"description":'
            f'"delegated packet","prompt":"(prompt)","subagent_type":"{run.agent_type}"}}}}'
            for call, run in zip(calls, starts, strict=True)
        ]
    if calls:
        name, command = next(work)
        arguments = _ARGUMENTS.get(name, "{}").replace("%s", command)
        return [f'{{"type":"tool_use","id":"{calls[0]}","name":"{name}","input":{arguments}}}']
    return ['{"type":"text","text":"(answer)"}']
