"""The page that messages lead to has a section for each of them."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from trailhouse.core.problem import _TITLES
from trailhouse.core.record import PREFIX
from trailhouse.deploy.stack.machine import scan_definition

PAGE = (Path(__file__).parents[2] / "docs" / "nightly.md").read_text("utf-8")
SECTIONS = [title.strip() for title in re.findall(r"^### (.*)", PAGE, re.MULTILINE)]


@pytest.mark.parametrize("title", _TITLES.values())
def test_each_problem_has_its_section(title: str) -> None:
    assert any(section == title or title.startswith(section) for section in SECTIONS), title


def test_a_query_at_the_limit_has_its_section() -> None:
    assert "a query reached the scan limit" in SECTIONS
    assert "trailhouse: a query in ${Stack} reached the scan limit" in json.dumps(scan_definition())


@pytest.mark.parametrize("name", ["no-success", "undelivered"])
def test_each_alarm_of_cloudwatch_has_its_section(name: str) -> None:
    assert f'ALARM: "trailhouse-{name}"' in SECTIONS


def test_where_records_are_is_said_as_it_is() -> None:
    assert f"`{PREFIX}YYYY/MM/DD/" in PAGE


def test_sections_have_commands() -> None:
    for part in PAGE.partition("## What to do")[2].split("\n### ")[1:]:
        title = part.partition("\n")[0]
        assert re.search(r"`(trailhouse|aws) ", part), title
