from trailhouse.catalog.requests import Requests
from trailhouse.core.plan import Action, Change, Part, Target


def partitions(count: int, action: Action, name: str = "t") -> tuple[Change, ...]:
    return (Change(action, Target.PARTITION, name),) * count


def test_batches_are_counted_by_table_and_action() -> None:
    requests = Requests()
    requests.add(Part("a", (*partitions(101, Action.CREATE), *partitions(100, Action.UPDATE))))
    assert (requests.count, requests.objects) == (3, 101)
    requests.add(Part("b", (*partitions(26, Action.DELETE), *partitions(1, Action.CREATE, "u"))))
    assert (requests.count, requests.objects) == (6, 76)


def test_definitions_take_one_each_and_checks_none() -> None:
    requests = Requests()
    made = [Change(Action.CREATE, target, "t") for target in (Target.DATABASE, Target.TABLE, Target.INDEX)]
    requests.add(
        Part("a", (*made, Change(Action.UPDATE, Target.VIEW, "v"), Change(Action.CHECK, Target.TABLE, "t")))
    )
    assert (requests.count, requests.objects) == (4, 2)
