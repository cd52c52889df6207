"""Run one statement on a declared target, if a judge admits it: `python -m examples.guard_a_statement`."""

import sys

from console.guard import open_guard
from console.settings import Settings
from enforcers.errors import NotAdmittedError

if __name__ == "__main__":
    with open_guard(Settings.load()) as guard:
        try:
            print(guard.sql(sys.argv[1], sys.argv[2], reason="example").rows)
        except NotAdmittedError as refusal:
            print(refusal)
