"""Questions to AWS itself, in the user's own account: what we assume of it, asked, judged and reported."""

from trailhouse.selftest.checks import CHECKS
from trailhouse.selftest.price import LIMIT, Purse, bill
from trailhouse.selftest.report import as_json, as_text, redaction
from trailhouse.selftest.runner import Run, Selftest
from trailhouse.selftest.scratch import Place

__all__ = ["CHECKS", "LIMIT", "Place", "Purse", "Run", "Selftest", "as_json", "as_text", "bill", "redaction"]
