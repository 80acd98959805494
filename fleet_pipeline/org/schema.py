"""The shape of an organisation's files, and of the whole they make: types, ranges, meanings.

One class for each file and for each kind of row in it. What relates two places to each other (a
row that names an agent) is in ``rules``; reading files is in ``loading``. A field's description
says what to write and its first example is a value that fits: errors quote both to the operator.
"""

from datetime import date
from pathlib import Path
from typing import Annotated, Final, Literal

from pydantic import AfterValidator, Field

from fleet_pipeline.errors import ConfigurationError
from fleet_pipeline.org.alerts import Alert
from fleet_pipeline.org.fields import PriceId, Share, Tokens
from fleet_pipeline.org.lanes import Lane, PacketRules, Privacy, time_zone
from fleet_pipeline.org.places import FolderName, PriceFeed, Publication, SiteAddress, Source
from fleet_pipeline.org.replay import CacheRules, Replay
from fleet_pipeline.org.strict import Strict as _Strict
from fleet_pipeline.org.strict import Text
from fleet_pipeline.org.work import Kind, WorkRule
from fleet_pipeline.web_addresses import parts_of

UNATTRIBUTED: Final = "unattributed"
"""Stands in the place of an agent for work that no rule maps; no agent may be called so."""


def _web_address(text: str) -> str:
    address = parts_of(text)
    if address.scheme != "https" or not address.hostname:
        raise ValueError("is no address; write one that begins with https://")
    return text


class AgentMapping(_Strict):
    """What widens the built-in rules that map a working directory to an agent."""

    org_folders: tuple[Text, ...] = Field(
        default=(),
        description='further names for <org> in orgs/<org>/agents/<agent>, "*" for any',
        examples=["[riles-fleet]"],
    )
    project_roots: tuple[Text, ...] = Field(
        default=("~",),
        description="folders, or patterns of folders, that hold one project for each agent",
        examples=['["~", /srv/code]'],
    )


class Agent(_Strict):
    """An agent of the fleet; ``target_share`` is the share of its full input to move off Max."""

    name: Text = Field(description="the agent's name as in its folder", examples=["forge"])
    display_name: Text = Field(description="the name to show", examples=["Forge"])
    target_share: Share = Field(
        description="the share of the agent's input, 0 to 1, that should leave Claude Max",
        examples=["0.25"],
    )
    privacy: Privacy = Field(
        description="public, internal or phi (may touch patient data)", examples=["internal"]
    )
    folders: tuple[Text, ...] = Field(
        default=(), description="names or patterns of folders", examples=["[billing, /srv/*/bill]"]
    )
    work_rules: tuple[WorkRule, ...] = Field(
        default=(), description="rules for this agent's turns, asked first", examples=["[]"]
    )


class BackboneRole(_Strict):
    """One of the roles that carry the fleet."""

    role: Text = Field(description="what the model is to the fleet", examples=["Primary offload"])
    model: Text = Field(description="which model", examples=["Codex"])
    use: Text = Field(description="for what", examples=["bounded implementation"])


class Passage(_Strict):
    """A short text with a title."""

    title: Text = Field(description="a few words", examples=["Stays on Sonnet"])
    text: Text = Field(description="one to three sentences", examples=["Live coordination."])


class Principles(_Strict):
    """The reasons behind the policy, in prose; an empty text or None means: show nothing."""

    summary: str = Field(default="", description="what the page is for")
    bottom_line: str = Field(default="", description="the conclusion, first thing on the page")
    rejected: str = Field(default="", description="the alternative that was turned down, and why")
    lever: str = Field(default="", description="which move matters most")
    headroom_note: str = Field(default="", description="what the headroom figures do not say")
    mirage_note: str = Field(default="", description="why the naive cost estimate misleads")
    keep: Passage | None = Field(default=None, description="title and text: what stays on Claude")
    route: Passage | None = Field(default=None, description="title and text: what should leave")
    center_line: str = Field(default="", description="the boundary between the two, in a sentence")
    matrix_note: str = Field(default="", description="how to read the routing matrix")
    agents_note: str = Field(default="", description="how to read the target shares")
    execution_note: str = Field(default="", description="how to read the execution routing")
    catalog_note: str = Field(default="", description="what the free APIs may be used for")
    ranking_note: str = Field(default="", description="how to read the ranking")
    method_note: str = Field(default="", description="how the page comes about")


class MatrixRow(_Strict):
    """One row of the routing matrix: who drives this kind of an agent's work, now and as target."""

    agent: Text = Field(description="a name from agents.yaml", examples=["forge"])
    task_type: Text = Field(description="the kind of work", examples=["Tests, lint fixes"])
    driver: Text = Field(description="the model that does it", examples=["Codex-5.5"])
    effort: Text = Field(description="how hard it is told to think", examples=["Medium"])
    now: Text = Field(description="where the work runs today", examples=["Sonnet"])
    target: Text = Field(description="where it should run", examples=["Codex"])
    rationale: Text = Field(description="why, in a sentence", examples=["Its bounds are clear."])
    kinds: tuple[Kind, ...] = Field(
        default=(),
        description="the measured kinds of work that the row is about, see docs/work-types.md",
        examples=["[implementation, checks]"],
    )


class ExecutionRoute(_Strict):
    """The default route of a kind of work, and what sends it back to Claude."""

    work_type: Text = Field(description="the kind of work", examples=["Test generation"])
    default_route: Text = Field(description="where it goes", examples=["Codex-5.5"])
    escalate_when: Text = Field(description="what sends it back", examples=["brittle fixtures"])
    kinds: tuple[Kind, ...] = Field(
        default=(),
        description="the measured kinds of work that the route is for, see docs/work-types.md",
        examples=["[implementation, checks]"],
    )


class FreeLimits(_Strict):
    """What a free tier allows; a limit that is left out is not known."""

    requests_per_minute: Annotated[int, Field(gt=0)] | None = Field(
        default=None, description="requests in a minute", examples=["30"]
    )
    requests_per_day: Annotated[int, Field(gt=0)] | None = Field(
        default=None, description="requests in a day", examples=["1000"]
    )
    tokens_per_minute: Annotated[int, Field(gt=0)] | None = Field(
        default=None, description="tokens in a minute, in and out", examples=["8000"]
    )
    tokens_per_day: Annotated[int, Field(gt=0)] | None = Field(
        default=None, description="tokens in a day, in and out", examples=["200000"]
    )


class Packet(_Strict):
    """How large the packet is that free lanes are measured with."""

    input_tokens: Annotated[int, Field(gt=0)] = Field(
        description="tokens that a packet sends", examples=["4000"]
    )
    output_tokens: Annotated[int, Field(gt=0)] = Field(
        description="tokens that it may get back", examples=["1000"]
    )


TrainingUse = Literal["no", "opt_out", "yes", "unknown"]


class FreeApi(_Strict):
    """A free provider and what it is good for; what was looked up says when and where."""

    provider: Text = Field(description="the provider's name", examples=["Groq free"])
    best_lane: Text = Field(description="what it is best at", examples=["Small packets"])
    use_when: Text = Field(description="when to use it", examples=["Classification"])
    avoid_when: Text = Field(description="when not to", examples=["Large context"])
    limits: FreeLimits = Field(default=FreeLimits(), description="what the free tier allows")
    limits_hold_for: Literal["account", "organisation", "project", "model", "unknown"] = Field(
        default="unknown", description="what shares one allowance", examples=["account"]
    )
    resets_in: Annotated[Text, AfterValidator(time_zone)] = Field(
        default="UTC",
        description="the time zone at whose midnight a day's allowance begins anew",
        examples=["America/Los_Angeles"],
    )
    quota_signal: Literal["headers", "api", "none"] = Field(
        default="none",
        description="how the provider tells what is left; with none, requests are to be counted",
        examples=["headers"],
    )
    training_use: TrainingUse = Field(
        default="unknown",
        description="whether packets may train models: no, opt_out, yes or unknown",
        examples=['"yes"'],
    )
    verified_at: date | None = Field(
        default=None,
        description="the day on which somebody last looked all this up",
        examples=["2026-06-17"],
    )
    evidence: Literal["provider", "console", "api", "report", "none"] = Field(
        default="none",
        description="where: provider (its page), console, api, report (somebody else's)",
        examples=["provider"],
    )
    evidence_url: Annotated[Text, AfterValidator(_web_address)] | None = Field(
        default=None, description="the page's address", examples=["https://example.org/limits"]
    )


class CandidateModel(_Strict):
    """A model that cheap offload may go to; the order of candidates is the prior ranking."""

    id: Text = Field(description="the name on the page", examples=["z-ai/glm-5.2"])
    name: Text = Field(description="how people call it", examples=["GLM 5.2"])
    price_id: PriceId = Field(
        description="<provider>/<model> under which its price is looked up",
        examples=["openrouter/z-ai/glm-5.2"],
    )
    aliases: tuple[Text, ...] = Field(
        default=(), description="further names of the model", examples=["[glm-5.2]"]
    )
    route: Text = Field(description="the work it suits best", examples=["Code-review pre-pass"])
    free: bool = Field(
        default=False, description="true when its price is meant to be zero", examples=["false"]
    )
    badges: tuple[Text, ...] = Field(
        default=(), description="short remarks", examples=["[may log prompts]"]
    )
    context_tokens: Tokens | None = Field(
        default=None, description="its context window in tokens", examples=["262144"]
    )
    max_input_tokens: Tokens | None = Field(
        default=None, description="its cap on a prompt, where that is less", examples=["100000"]
    )
    max_output_tokens: Tokens | None = Field(
        default=None, description="its longest output in tokens", examples=["32768"]
    )
    cache: CacheRules | None = Field(
        default=None, description="how its provider caches prompts; none where left out"
    )
    training_use: TrainingUse = Field(
        default="unknown",
        description="whether packets may train models: no, opt_out, yes or unknown",
        examples=['"yes"'],
    )

    @property
    def price_provider(self) -> str:
        """The provider whose price list holds the model, for example ``openrouter``."""
        return self.price_id.partition("/")[0]

    @property
    def price_model(self) -> str:
        """The model's own id in that price list, for example ``z-ai/glm-5.2``."""
        return self.price_id.partition("/")[2]


class Scenario(_Strict):
    """A share of all work, priced on the reference model."""

    name: Literal["low", "expected", "high"]
    share: Share


class FleetFile(_Strict):
    """``fleet.yaml``."""

    name: FolderName = Field(description="the fleet's short name", examples=["riles-fleet"])
    title: Text = Field(description="the heading of the page", examples=["Fleet routing"])
    owner: Text = Field(description="who answers for the page", examples=["Analyst"])
    sources: tuple[Source, ...] = Field(
        default=(), description="hosts whose transcripts are read", examples=["[]"]
    )
    publish_to: tuple[Publication, ...] = Field(
        default=(), description="further places that get a copy", examples=["[]"]
    )
    price_feeds: tuple[PriceFeed, ...] = Field(
        default=(PriceFeed(source="openrouter"), PriceFeed(source="models.dev")),
        description="price feeds that the sweep asks; [] for none",
        examples=["[{source: openrouter}]"],
    )
    alerts: tuple[Alert, ...] = Field(
        default=(), description="who is told when a run fails", examples=["[]"]
    )
    site_url: SiteAddress | None = Field(
        default=None,
        description="where readers find the published site",
        examples=["https://fleet.example.org"],
    )


class AgentsFile(_Strict):
    """``agents.yaml``."""

    mapping: AgentMapping = Field(
        default=AgentMapping(), description="what widens the built-in rules"
    )
    agents: tuple[Agent, ...] = Field(description="the fleet's agents", examples=["[]"])


class RoutingFile(_Strict):
    """``routing.yaml``; every table may be empty."""

    backbone: tuple[BackboneRole, ...] = Field(
        default=(), description="the roles that carry the fleet", examples=["[]"]
    )
    principles: Principles = Field(default=Principles(), description="the reasons, in prose")
    routing_matrix: tuple[MatrixRow, ...] = Field(
        default=(), description="one row for each agent and kind of work", examples=["[]"]
    )
    execution_routing: tuple[ExecutionRoute, ...] = Field(
        default=(), description="one row for each kind of work", examples=["[]"]
    )


class FreeApisFile(_Strict):
    """``free_apis.yaml``; everything may be empty."""

    free_apis: tuple[FreeApi, ...] = Field(
        default=(), description="one row for each provider", examples=["[]"]
    )
    packet: Packet = Field(
        default=Packet(input_tokens=4000, output_tokens=1000),
        description="the packet that free lanes are measured with",
    )
    operating_rule: str = Field(default="", description="how a packet is sent")
    hard_rules: tuple[Text, ...] = Field(
        default=(), description="what must never happen", examples=["[]"]
    )


class ModelsFile(_Strict):
    """``models.yaml``."""

    reference_model: Text = Field(
        description="the id of the model that the cost scenarios use", examples=["z-ai/glm-5.2"]
    )
    models: tuple[CandidateModel, ...] = Field(description="the candidates, best first")


class ScenarioShares(_Strict):
    """The three shares of ``offload.yaml``."""

    low: Share = Field(description="a cautious share, 0 to 1", examples=["0.09"])
    expected: Share = Field(description="the likely share, 0 to 1", examples=["0.18"])
    high: Share = Field(description="a bold share, 0 to 1", examples=["0.27"])


class OffloadFile(_Strict):
    """``offload.yaml``."""

    scenarios: ScenarioShares = Field(description="the shares low, expected and high")
    replay: Replay | None = Field(
        default=None, description="what the replay of moved work assumes; none where left out"
    )


class Org(_Strict):
    """Everything that an operator decides about a fleet, read from the files of one folder.

    Texts are as the operator wrote them: escape them wherever they are shown. Shares lie in [0, 1].
    """

    folder: Path
    name: str
    title: str
    owner: str
    sources: tuple[Source, ...]
    publish_to: tuple[Publication, ...]
    price_feeds: tuple[PriceFeed, ...]
    alerts: tuple[Alert, ...]
    site_url: str | None
    mapping: AgentMapping
    agents: tuple[Agent, ...]
    backbone: tuple[BackboneRole, ...]
    principles: Principles
    routing_matrix: tuple[MatrixRow, ...]
    execution_routing: tuple[ExecutionRoute, ...]
    free_apis: tuple[FreeApi, ...]
    packet: Packet
    operating_rule: str
    hard_rules: tuple[str, ...]
    models: tuple[CandidateModel, ...]
    reference_model: str
    scenarios: tuple[Scenario, ...]
    replay: Replay | None = None
    lanes: tuple[Lane, ...] = ()
    may_leave: PacketRules = PacketRules()

    @property
    def hosts(self) -> tuple[str, ...]:
        """The names of the hosts that are listed; none means this machine alone."""
        return tuple(source.host for source in self.sources)

    @property
    def reference(self) -> CandidateModel:
        """The candidate whose price the cost scenarios use."""
        return next(model for model in self.models if model.id == self.reference_model)

    def model_called(self, name: str) -> CandidateModel | None:
        """Return the candidate with this id or alias, in any case, or None."""
        wanted = name.casefold()
        for model in self.models:
            if wanted in (called.casefold() for called in (model.id, *model.aliases)):
                return model
        return None

    def path(self, text: str) -> Path:
        """Return where a path of ``sources`` or ``publish_to`` leads.

        ``~`` is the home folder; a relative path starts at the organisation's folder. Raises
        ConfigurationError for the home folder of nobody.
        """
        try:
            return self.folder / Path(text).expanduser()
        except RuntimeError:
            raise ConfigurationError(
                f"{self.folder}: {text}: nobody of that name has a home folder here"
            ) from None
