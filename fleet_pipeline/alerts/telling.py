"""Telling on all channels at once, within bounds: none fails a run, none waits for another."""

import time
from collections.abc import Mapping, Sequence
from threading import Thread
from typing import Final

from fleet_pipeline.alerts.channels import Untold, assert_ready, send
from fleet_pipeline.alerts.failure import Failure
from fleet_pipeline.org import Alert

LONGEST_SECONDS: Final = 20.0


def tell(
    alerts: Sequence[Alert],
    failure: Failure,
    environment: Mapping[str, str],
    longest_seconds: float = LONGEST_SECONDS,
) -> list[str]:
    """Tell of ``failure`` on each channel; return a line for each that did not take it.

    Raises nothing, and returns after ``longest_seconds`` at the latest.
    """
    attempts = [_Attempt(alert, failure, environment) for alert in alerts]
    deadline = time.monotonic() + longest_seconds
    for attempt in attempts:
        attempt.start()
    for attempt in attempts:
        attempt.join(max(0.0, deadline - time.monotonic()))
    return [f"{attempt.name}: {attempt.untold}" for attempt in attempts if attempt.untold]


def faults(alerts: Sequence[Alert], environment: Mapping[str, str]) -> list[str]:
    """Return a line for each channel that could not be told of anything; sends nothing."""
    found = []
    for alert in alerts:
        try:
            assert_ready(alert, environment)
        except Untold as error:
            found.append(f"{_kind(alert)}: {error}")
    return found


def _kind(alert: Alert) -> str:
    return "slack" if alert.slack else "webhook" if alert.webhook else "email"


class _Attempt(Thread):
    """One alert on its way; it ends with its process, whatever the other side does."""

    def __init__(self, alert: Alert, failure: Failure, environment: Mapping[str, str]) -> None:
        super().__init__(name=_kind(alert), daemon=True)
        self.untold = "was not done in time"
        self._given = alert, failure, environment

    def run(self) -> None:
        try:
            send(*self._given)
            self.untold = ""
        except Untold as error:
            self.untold = str(error)
        except Exception as error:
            # Its message may quote an address.
            self.untold = f"unexpected {type(error).__name__}: this is a bug"
