"""Flag > environment > file > default: the one place where settings are merged and judged."""

from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from trailhouse.config.nodes import Document, read_document
from trailhouse.config.settings import DEFAULT, SETTINGS, Origin, Settings, Source, extra, right, variables
from trailhouse.errors import ConfigError

PLACES = ("config/config.yaml", "trailhouse.yaml")
"""Where a configuration is looked for, below the current folder, when none is named."""

CALL_VARIABLES = (
    "CONFIG", "SINCE", "UNTIL", "ACCOUNT", "REGION", "FORMAT", "JSON", "OUTPUT", "YES", "NO_INPUT",
    "QUIET", "VERBOSE", "CORPUS",
)  # fmt: skip
"""Variables that stand for a flag of one call and are no settings."""

ENVIRONMENT = (
    *(name for key in SETTINGS for name in variables(key)),
    *(f"TRAILHOUSE_{name}" for name in CALL_VARIABLES),
)
"""Every environment variable that means something."""

_EMPTY_MEANS_SOMETHING = {"cloudtrail_prefix"}
_SHOWN = 80


def load(flags: Mapping[str, Any], environ: Mapping[str, str], path: Path | None = None) -> Settings:
    """Return the settings that hold, read-only; reads one file at most.

    Args:
        flags: settings given on the command line, by key; None and empty lists are not given.
        environ: the environment.
        path: the file named by `--config`; without it `TRAILHOUSE_CONFIG`, then the usual places.

    Raises:
        ConfigError: a named file is missing, or something is wrong; the message lists every fault.
    """
    unknown = sorted(set(flags) - set(SETTINGS))
    if unknown:
        raise ConfigError(f"no such setting: {', '.join(unknown)}")
    found = discover(environ, path)
    document = Document("default") if found is None else read_document(found)
    given, origins = _merge(flags, environ, document)
    faults = [*document.faults, *_unknown_keys(document)]
    try:
        settings = Settings.model_validate(given)
    except ValidationError as error:
        faults.extend(_explain(each, document, origins) for each in error.errors())
        raise _refusal(faults) from None
    if faults:
        raise _refusal(faults)
    notes = tuple(_unknown_variables(environ))
    return settings.model_copy(update={"origins": origins, "notes": notes})


def discover(environ: Mapping[str, str], path: Path | None = None) -> Path | None:
    """Return the configuration file to read, None when there is none.

    Raises:
        ConfigError: a file was named, by flag or environment, and does not exist.
    """
    named = path or (Path(environ["TRAILHOUSE_CONFIG"]) if environ.get("TRAILHOUSE_CONFIG") else None)
    if named is None:
        return next((place for place in map(Path, PLACES) if place.is_file()), None)
    if not named.is_file():
        by = "--config" if path else "TRAILHOUSE_CONFIG"
        raise ConfigError(
            f"{named}: no such file ({by}): name an existing one, or make one with `trailhouse init`"
        )
    return named


def _merge(
    flags: Mapping[str, Any], environ: Mapping[str, str], document: Document
) -> tuple[dict[str, Any], dict[str, Origin]]:
    given: dict[str, Any] = {}
    origins: dict[str, Origin] = {}
    for key in SETTINGS:
        value, origins[key] = _pick(key, flags, environ, document)
        if origins[key] is not DEFAULT:
            given[key] = _as_sources(value) if key == "sources" else value
    return given, origins


def _pick(
    key: str, flags: Mapping[str, Any], environ: Mapping[str, str], document: Document
) -> tuple[Any, Origin]:
    flag = flags.get(key)
    if flag is not None and flag not in ((), []):
        return flag, Origin("flag", extra(key)["flag"] or key)
    for variable in variables(key):
        text = environ.get(variable)
        if text or (text is not None and key in _EMPTY_MEANS_SOMETHING):
            return text, Origin("environment", f"{variable} (environment)")
    if document.values.get(key) is not None:
        return document.values[key], Origin("file", document.place((key,)))
    return None, DEFAULT


def _as_sources(value: Any) -> Any:  # noqa: ANN401 - whatever was written; the model judges it
    if isinstance(value, str):
        value = [part.strip() for part in value.replace(";", "\n").splitlines() if part.strip()]
    if not isinstance(value, list | tuple):
        return value
    return [{"uri": str(each)} if isinstance(each, str | Path) else each for each in value]


def _unknown_keys(document: Document) -> Iterator[str]:
    for key in document.values:
        if key not in SETTINGS:
            yield f"{document.place((key,))}: {key}: no such key{_nearest(key.lower(), SETTINGS)}"


def _unknown_variables(environ: Mapping[str, str]) -> Iterator[str]:
    for name in sorted(environ):
        if name.startswith("TRAILHOUSE_") and name not in ENVIRONMENT:
            yield f"{name} (environment) means nothing{_nearest(name, ENVIRONMENT)}"


def _nearest(word: str, known: Iterator[str] | Mapping[str, Any] | tuple[str, ...]) -> str:
    matches = get_close_matches(word, list(known), n=1)
    return f": did you mean {matches[0]}?" if matches else ": see docs/configuration.md"


def _explain(error: ErrorDetails, document: Document, origins: Mapping[str, Origin]) -> str:
    message = error["msg"].removeprefix("Value error, ")
    if not error["loc"]:
        return f"{origins[message.partition(':')[0]].place}: {message}"
    key = str(error["loc"][0])
    origin = origins[key]
    place = document.place(error["loc"]) if origin.kind == "file" else origin.place
    if key == "sources" and len(error["loc"]) > 1:
        return f"{place}: {key}: {_explain_source(error, message)}"
    # A reason that begins with the value says what would be right, too.
    reason = f" ({message})" if error["type"] == "value_error" and not message.startswith("'") else ""
    if origin.kind == "environment" and place.startswith(f"{key.upper()} "):
        # The predecessor's names are not ours alone: the value may be another program's secret.
        other = f"if it is another program's, set TRAILHOUSE_{key.upper()}"
        return f"{place}: {key}: not right: {right(key)}; {other}"
    return f"{place}: {key}: {_shown(error['input'])} is not right{reason}: {right(key)}"


def _explain_source(error: ErrorDetails, message: str) -> str:
    last = error["loc"][-1]
    if isinstance(last, int):
        return f"item {last + 1}: {_shown(error['input'])} is neither an address nor a mapping with a uri"
    if error["type"] == "extra_forbidden":
        return f"{last}: no such key{_nearest(last, Source.model_fields)}"
    meaning = Source.model_fields[last].description
    if error["type"] == "missing":
        return f"{last} is missing: give {meaning}"
    return f"{last}: {_shown(error['input'])} is not right ({message}): {meaning}"


def _shown(value: Any) -> str:  # noqa: ANN401 - whatever was given
    text = repr(value)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."


def _refusal(faults: list[str]) -> ConfigError:
    if len(faults) == 1:
        return ConfigError(faults[0])
    return ConfigError(
        "\n".join([f"{len(faults)} faults in the configuration:", *(f"  {each}" for each in faults)])
    )
