"""What a model is told: the packet as messages, and the one retry that carries what was wrong."""

import json
from typing import TypeAlias

from fleet_pipeline.packets.packet import Packet

Message: TypeAlias = dict[str, str]


def messages(packet: Packet) -> list[Message]:
    """Return a packet as messages of the chat-completions protocol."""
    told = (
        f"{packet.instructions}\n\nAnswer with one JSON value and nothing else, of at most"
        f" {packet.max_output_tokens} tokens. It must fit this JSON Schema:\n"
        f"{json.dumps(packet.answer_schema, ensure_ascii=False)}"
    )
    given = "\n\n".join(f"## {name}\n\n{text}" for name, text in packet.inputs.items())
    return [
        {"role": "system", "content": told},
        {"role": "user", "content": given or "Begin."},
    ]


def retry(first: list[Message], answer: str, violation: str) -> list[Message]:
    """Return the messages of a second attempt, with the first answer and why it does not do."""
    told = f"That answer cannot be used: {violation}\nAnswer again, with the JSON value alone."
    return [
        *first,
        {"role": "assistant", "content": answer or "(empty)"},
        {"role": "user", "content": told},
    ]


def text(packet: Packet) -> str:
    """Return all words of a packet that would leave: what the tripwires look at."""
    return "\n\n".join(message["content"] for message in messages(packet))
