"""Run one statement on a declared target, if a judge admits it: `python -m examples.guard_a_statement`."""

from console.guard import open_guard
from console.settings import Settings
from enforcers.errors import NotAdmittedError

with open_guard(Settings.load()) as guard:
    try:
        print(guard.sql("customers", "SELECT count(*) FROM customers", reason="report").rows)
    except NotAdmittedError as refusal:
        print(refusal)
