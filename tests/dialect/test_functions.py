import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

from trailhouse.dialect import FUNCTIONS, translate
from trailhouse.dialect.functions import REFUSED
from trailhouse.errors import UnsupportedSqlError


def dialect_page() -> ModuleType:
    spec = importlib.util.spec_from_file_location("dialect_page", Path(__file__).with_name("dialect_page.py"))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_page_lists_what_is_supported() -> None:
    page = dialect_page()
    assert page.PAGE.read_text("utf-8") == page.page(), "run: python tests/dialect/dialect_page.py"


@pytest.mark.parametrize(
    "name", [*sorted(REFUSED), "ngrams", "xxhash64", "st_point", "word_stem", "soundex", "left", "strptime"]
)
def test_a_function_outside_the_list_is_refused_by_name(name: str) -> None:
    assert name not in FUNCTIONS
    with pytest.raises(UnsupportedSqlError, match=f"{name}\\(\\) is "):
        translate(f"SELECT {name}('a')", tables={})
