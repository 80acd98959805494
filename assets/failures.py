"""What a run that failed says of itself: which checks refused, else what was raised on purpose."""

import builtins
from collections.abc import Iterable
from datetime import date

import dagster as dg

from fleet_pipeline import errors


def refusals(events: Iterable[dg.DagsterEvent], close: date | None) -> list[str]:
    """Return why a run failed, each reason once; never more of an error than may be repeated.

    Checks that refused come alone: what failed after them did so for their sake. Raises
    KeyboardInterrupt where the run was interrupted.
    """
    events = list(events)
    nothing = f"nothing was published for {close}: " if close else ""
    checks = [event.asset_check_evaluation_data for event in events if _is_check(event)]
    refusing = [each for each in checks if refuses(each)]
    if refusing:
        return [f"{nothing}{each.check_name}: {each.description}" for each in refusing]
    failures = [event for event in events if event.is_step_failure]
    # Without a failed step it is the run that failed, before its first one.
    failures = failures or [event for event in events if event.is_job_failure]
    reasons = [nothing + _reason(event).removeprefix(nothing) for event in failures]
    # Several steps may stumble over the same file.
    return list(dict.fromkeys(reasons))


def refuses(check: dg.AssetCheckEvaluation) -> bool:
    """Say whether a check failed that lets nothing pass."""
    return not check.passed and check.severity is dg.AssetCheckSeverity.ERROR


def _is_check(event: dg.DagsterEvent) -> bool:
    return event.event_type is dg.DagsterEventType.ASSET_CHECK_EVALUATION


def _reason(event: dg.DagsterEvent) -> str:
    """Return what the first of a chain of errors says, if it is one that was raised on purpose.

    Any other may quote what it stumbled over: of that only the kind and the step are told.
    """
    failure = event.step_failure_data if event.is_step_failure else event.job_failure_data
    error = failure.error
    while error is not None and error.cause is not None:
        error = error.cause
    if error is None:
        return event.message or f"{event.step_key or 'the run'} failed"
    if error.cls_name == dg.DagsterExecutionInterruptedError.__name__:
        raise KeyboardInterrupt
    name = error.cls_name or ""
    kind = getattr(errors, name, None) or getattr(builtins, name, None)
    if isinstance(kind, type) and issubclass(kind, errors.FleetError | OSError):
        return error.message.strip().partition(": ")[2]
    return f"{name} in {event.step_key or 'the run'}: this is a bug; `fleet ui` shows the run"
