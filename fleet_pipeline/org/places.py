"""Where an organisation's input comes from and where its output goes: hosts, publications, feeds.

What belongs here: one class for each kind of place in ``fleet.yaml``, and what an address or a
path in it must look like. Not here: reading or writing any of them.
"""

from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from fleet_pipeline.org.strict import Strict, Text
from fleet_pipeline.s3 import Address, checked_endpoint
from fleet_pipeline.web_addresses import parts_of


def _folder_name(text: str) -> str:
    unfit = text in {".", ".."} or any(sign in "/\\" or not sign.isprintable() for sign in text)
    if unfit or text != text.strip():
        raise ValueError(
            "cannot be the name of a folder; leave out slashes, control signs and outer blanks"
        )
    return text


def _local_path(text: str) -> str:
    if "://" in text:
        raise ValueError("is an address; only folders and files of this machine can be written")
    return text


def _folder_of_a_host(text: str) -> str:
    if text.startswith("s3://"):
        raise ValueError(f"is no folder; a host whose transcripts are in S3 has the key s3: {text}")
    return _local_path(text)


def _markdown_path(text: str) -> str:
    if not text.lower().endswith(".md"):
        raise ValueError("must end in .md, because the ranking is a Markdown file")
    return text


def _subfolder(text: str) -> str:
    if Path(text) == Path():
        raise ValueError("is the folder of the configuration itself; name a folder for the site")
    return text


def _feed_address(text: str) -> str:
    address = parts_of(text)
    if not (address.hostname and address.scheme in ("https", "http")):
        raise ValueError("is no address; write one that begins with https://")
    if address.username is not None:
        raise ValueError("holds credentials, which stay out of this file; remove them")
    if address.scheme == "http" and address.hostname not in ("127.0.0.1", "::1"):
        raise ValueError("needs https; http is only for a mirror on this machine, 127.0.0.1")
    return text


def _site_address(text: str) -> str:
    address = parts_of(text)
    if address.scheme not in ("https", "http") or not address.hostname:
        raise ValueError("is no web address")
    return text.rstrip("/")


def _s3_address(text: str) -> str:
    Address.of(text)
    return text


FolderName = Annotated[Text, AfterValidator(_folder_name)]
LocalPath = Annotated[Text, AfterValidator(_local_path)]
SiteAddress = Annotated[Text, AfterValidator(_site_address)]
HostFolder = Annotated[Text, AfterValidator(_folder_of_a_host)]


class _InS3(Strict):
    """What may lie in a bucket: where, in which store."""

    s3: Annotated[Text, AfterValidator(_s3_address)] | None = None
    endpoint_url: Annotated[Text, AfterValidator(checked_endpoint)] | None = Field(
        default=None,
        description="the store, if it is not AWS",
        examples=["https://s3.example.org"],
    )
    region: Text | None = Field(
        default=None, description="the region of the store", examples=["eu-central-1"]
    )

    @property
    def address(self) -> Address | None:
        """Where it lies in S3, if it does."""
        return Address.of(self.s3, self.endpoint_url, self.region) if self.s3 else None

    @model_validator(mode="after")
    def _store_has_an_address(self) -> Self:
        if not self.s3 and (self.endpoint_url or self.region):
            raise ValueError("names a store but no address in it; add s3: s3://bucket/prefix")
        return self


class Source(_InS3):
    """A host whose transcripts are read: folders of this machine, or an address in S3.

    Paths are as the operator wrote them (see ``Org.path``).
    """

    host: FolderName = Field(
        description="a name of your choice for the machine", examples=["workstation"]
    )
    claude: tuple[HostFolder, ...] = Field(
        default=(), description="folders of Claude Code", examples=["[~/.claude]"]
    )
    codex: tuple[HostFolder, ...] = Field(
        default=(), description="folders of Codex", examples=["[~/.codex]"]
    )
    s3: Annotated[Text, AfterValidator(_s3_address)] | None = Field(
        default=None,
        description="where the host sends its transcripts, as `fleet ship` prints it",
        examples=["s3://fleet-transcripts/build-box"],
    )

    @model_validator(mode="after")
    def _reads_something(self) -> Self:
        if not (self.claude or self.codex or self.s3):
            raise ValueError(
                "names no folder; add claude: [~/.claude] or codex: [~/.codex], or s3: an address"
            )
        if self.s3 and (self.claude or self.codex):
            raise ValueError("reads both folders and S3; keep one, under each host name")
        if self.host == "demo":
            raise ValueError("is called demo, as the demo fleet is; choose another name for host")
        return self


class Publication(_InS3):
    """One more place for what is published: a ranking file, a site folder, or an address in S3.

    Paths are as the operator wrote them; ``Org.path`` makes them absolute.
    """

    ranking: Annotated[LocalPath, AfterValidator(_markdown_path)] | None = Field(
        default=None,
        description="a Markdown file that gets a copy of the newest ranking",
        examples=["shared/cheap-model-offload-ranking.md"],
    )
    site: Annotated[LocalPath, AfterValidator(_subfolder)] | None = Field(
        default=None,
        description="a folder that gets a copy of the published site",
        examples=["/srv/www/fleet"],
    )
    s3: Annotated[Text, AfterValidator(_s3_address)] | None = Field(
        default=None,
        description="an address in S3 that gets the published site",
        examples=["s3://fleet-pages/routing"],
    )

    @model_validator(mode="after")
    def _is_one_thing(self) -> Self:
        if [self.ranking, self.site, self.s3].count(None) != 2:
            raise ValueError(
                "is one of three things; write one of ranking: <file>, site: <folder>"
                " or s3: <address>"
            )
        return self


class PriceFeed(Strict):
    """A price feed that the sweep asks, under its usual address if none is given."""

    source: Literal["openrouter", "models.dev", "litellm"] = Field(
        description="openrouter, models.dev or litellm", examples=["openrouter"]
    )
    url: Annotated[Text, AfterValidator(_feed_address)] | None = Field(
        default=None,
        description="an address of your own mirror",
        examples=["https://mirror.example.org/models.json"],
    )
