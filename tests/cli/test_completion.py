import pytest
from prompt_toolkit.completion import CompleteEvent
from prompt_toolkit.document import Document

from trailhouse.cli.completion import NameCompleter, Names

TABLES = {
    "cloudtrail": [("eventname", "varchar"), ("eventtime", "varchar")],
    "cloudtrail_events": [("eventname", "varchar"), ("errorcode", "varchar")],
}
NAMES = Names(lambda: TABLES, ("element_at", "count"), (".mode", ".schema"))


@pytest.mark.parametrize(
    ("before", "offers"),
    [
        ("SELECT even", ["eventname", "eventtime"]),
        (
            "SELECT e",
            ["errorcode", "eventname", "eventtime", "element_at", "ELSE", "END", "EXCEPT", "EXISTS"],
        ),
        ("SELECT t.ev", ["eventname", "eventtime"]),
        ("SELECT * FROM ", ["cloudtrail", "cloudtrail_events"]),
        ("SELECT * FROM cloudtrail, cloudtrail_", ["cloudtrail_events"]),
        ("SELECT * FROM cloudtrail JOIN\n cl", ["cloudtrail", "cloudtrail_events"]),
        ("SELECT 'even", []),
        ("SELECT ", []),
        (".m", [".mode"]),
        (".mode nd", ["ndjson"]),
        (".mode par", []),
        (".schema cloudtrail_", ["cloudtrail_events"]),
        (".output x", []),
    ],
)
def test_offers(before: str, offers: list[str]) -> None:
    assert [offer for _, offer, _ in NAMES.offers(before)] == offers


def test_offers_replace_the_word_before_the_cursor() -> None:
    found = NameCompleter(NAMES).get_completions(Document("SELECT * FROM CLOUDTRAIL_"), CompleteEvent())
    assert [(each.text, each.start_position, each.display_meta_text) for each in found] == [
        ("cloudtrail_events", -len("CLOUDTRAIL_"), "table")
    ]
