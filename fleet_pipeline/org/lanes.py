"""The shape of ``lanes.yaml``: where one-shot packets may be sent, and whose packets may leave.

A lane is one model at one provider, under one key. What a field says is told to the operator by its
description and its first example.
"""

import ipaddress
import re
from typing import Annotated, Literal
from urllib.parse import urlsplit
from zoneinfo import available_timezones

from pydantic import AfterValidator, Field, model_validator

from fleet_pipeline.org.strict import Strict, Text
from fleet_pipeline.web_addresses import parts_of

Privacy = Literal["public", "internal", "phi"]
"""Who may see a text: everybody, the fleet's own providers, nobody outside (patient data)."""

_Count = Annotated[int, Field(gt=0)]


def time_zone(text: str) -> str:
    """Return the name of a time zone; raises ValueError for any other text."""
    if text not in available_timezones():
        raise ValueError("is no time zone; write an IANA name such as UTC or Europe/Berlin")
    return text


def _base_url(text: str) -> str:
    address = parts_of(text)
    if not address.hostname or address.scheme not in ("https", "http"):
        raise ValueError("is no address; write one that begins with https://")
    if address.scheme == "http" and not _is_loopback(address.hostname):
        raise ValueError("needs https; http is only for a server on this machine, 127.0.0.1")
    if address.query or address.fragment or address.username or address.password:
        raise ValueError("must end with its path; leave out ?, # and any user or password")
    return text.rstrip("/")


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _variable(text: str) -> str:
    if not re.fullmatch(r"[A-Z][A-Z0-9_]*", text):
        raise ValueError(
            "is no name of an environment variable; name the variable, never write the key itself"
        )
    return text


class LaneLimits(Strict):
    """What may go through a lane; a limit that is left out is not kept."""

    requests_per_minute: _Count | None = Field(
        default=None, description="requests in a minute", examples=["20"]
    )
    requests_per_day: _Count | None = Field(
        default=None, description="requests in a day", examples=["50"]
    )
    tokens_per_minute: _Count | None = Field(
        default=None, description="tokens in a minute, in and out", examples=["8000"]
    )
    tokens_per_day: _Count | None = Field(
        default=None, description="tokens in a day, in and out", examples=["200000"]
    )


class Lane(Strict):
    """One model at one provider: where it is, whose key it takes, what may be sent to it."""

    name: Text = Field(description="a name of your choice for --lane", examples=["groq-gpt-oss"])
    base_url: Annotated[Text, AfterValidator(_base_url)] = Field(
        description="the provider's OpenAI-compatible address, up to /v1",
        examples=["https://api.groq.com/openai/v1"],
    )
    model: Text = Field(
        description="the model's id, as this provider calls it", examples=["openai/gpt-oss-120b"]
    )
    candidate: Text | None = Field(
        default=None, description="the id of the model in models.yaml", examples=["z-ai/glm-5.2"]
    )
    key_env: Annotated[Text, AfterValidator(_variable)] | None = Field(
        default=None,
        description="the environment variable that holds the key; none for a server without keys",
        examples=["GROQ_API_KEY"],
    )
    free: bool = Field(
        description="true where the provider is not paid, and may keep or train on what it gets",
        examples=["true"],
    )
    privacy: tuple[Privacy, ...] = Field(
        default=("public",),
        description="the classes of packets that may be sent here",
        examples=["[public]"],
    )
    structured: Literal["json_schema", "json_object", "none"] = Field(
        default="none",
        description="how the provider can be held to JSON; the schema is always in the prompt too",
        examples=["json_object"],
    )
    data_collection_denied: bool = Field(
        default=False,
        description="true to ask OpenRouter for hosts that keep nothing (data_collection: deny)",
        examples=["true"],
    )
    quota: Text | None = Field(
        default=None,
        description="a name that lanes share which draw on one allowance; the lane's own otherwise",
        examples=["openrouter-free"],
    )
    free_api: Text | None = Field(
        default=None,
        description="the provider in free_apis.yaml whose allowance this lane draws on",
        examples=["Groq free"],
    )
    limits: LaneLimits = Field(default=LaneLimits(), description="what may go through in a while")
    resets_in: Annotated[Text, AfterValidator(time_zone)] = Field(
        default="UTC",
        description="the time zone at whose midnight a day's allowance begins anew",
        examples=["America/Los_Angeles"],
    )

    @property
    def host(self) -> str:
        """The host that is asked."""
        return urlsplit(self.base_url).hostname or ""

    @property
    def is_local(self) -> bool:
        """Say whether it is a server on this machine."""
        return _is_loopback(self.host)

    @property
    def allowance(self) -> str:
        """The name under which requests are counted, shared by lanes of one allowance."""
        return self.quota or self.name

    @model_validator(mode="after")
    def _is_default_deny(self) -> "Lane":
        if self.free and set(self.privacy) - {"public"}:
            raise ValueError(
                "is free and takes more than public packets; leave privacy out, or write [public]"
            )
        if not self.free and (self.free_api or self.model.endswith(":free")):
            raise ValueError("names a free tier but has free: false; write free: true")
        return self


class PacketRules(Strict):
    """Whose public packets may leave for free providers; nobody's, until somebody is listed."""

    agents: tuple[Text, ...] = Field(
        default=(), description="agents of agents.yaml, never a phi one", examples=["[forge]"]
    )
    folders: tuple[Text, ...] = Field(
        default=(),
        description="folders whose files may be in such a packet, with all that is in them",
        examples=["[~/code/open-source]"],
    )


class LanesFile(Strict):
    """``lanes.yaml``; everything may be empty, and the file may be missing."""

    may_leave: PacketRules = Field(
        default=PacketRules(), description="whose public packets may go to free providers"
    )
    lanes: tuple[Lane, ...] = Field(
        default=(), description="where packets may go, first choice first", examples=["[]"]
    )
