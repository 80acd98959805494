"""Chat completions as providers answer them, well and badly."""

import json
from typing import Any

GOOD = '{"label": "bug"}'
PATH = "/v1"


def completion(content: object = GOOD, **changes: Any) -> bytes:
    """The bytes of a chat completion with these words in it."""
    message = {"role": "assistant", "content": content, **changes.pop("message", {})}
    usage = {"prompt_tokens": 90, "completion_tokens": 7}
    choice = {"index": 0, "message": message, "finish_reason": changes.pop("finish_reason", "stop")}
    body = {"id": "gen-1", "model": "small-1", "choices": [choice], "usage": usage, **changes}
    return json.dumps(body).encode()
