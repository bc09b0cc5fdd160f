from trailhouse.demo.dice import Dice


def test_throws_are_the_same_everywhere() -> None:
    """Values that other versions and platforms must give as well."""
    dice = Dice("7:test")
    thrown = [
        dice.between(1, 6),
        dice.pick("abc"),
        dice.hex(5),
        dice.digits(4),
        dice.uuid(),
        dice.chance(0.5),
    ]
    assert thrown == [1, "b", "2bc5d", "7059", "9796ffa9-20e4-d9da-3099-f5a3c624bf61", True]


def test_addresses_are_filled_up() -> None:
    parts = Dice("x").address("45.83").split(".")
    assert parts[:2] == ["45", "83"]
    assert len(parts) == 4


def test_mixed_keeps_all() -> None:
    assert sorted(Dice("x").mixed(range(20))) == list(range(20))
