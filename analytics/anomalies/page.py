"""Makes docs/anomalies.md: words from here, tables from the registry."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

from analytics.anomalies.registry import DETECTIONS, Detection, Value

_HEAD = """\
# Detections

Made from `analytics/anomalies/` by `python -m analytics.anomalies.page docs/anomalies.md`; do not edit.

Twelve questions about the archive, each a table macro of DuckDB in a file of its own. The archiver asks them
every minute (`anomalies_every_s` in [configuration.md](configuration.md)) and publishes what they find to the
topic `findings`, signed by its key. Anybody who may read the archive can ask them:

```sh
sluicegate audit anomalies
sluicegate audit anomalies denial_spike --from 7d --set denial_spike.denials=20
sluicegate audit anomalies --to 2026-11-21T12:00:00Z --json
```

Without `--to` the window ends with the newest record, and it begins with a whole hour. Below the table stand
the ids behind each finding, for `sluicegate audit action`.

| detection | what it finds | at most | what to do |
| --- | --- | --- | --- |
"""

_MIDDLE = """
## What they share

- A row has `name`, `seen_at`, `agent` (whom or what it is about), `key`, `score`, `baseline` (what is usual),
  `reason` (one line with the numbers), `evidence` (at most 20 ids of actions, or places of records) and `severity`.
- The same thing (detection, agent and key) is told once an hour. Its finding has the same id whoever computes it,
  also after a restart: what the archiver itself signed and archived is not sent again.
- Time is the broker's, `recorded_at`. Windows slide. What has to wait for late records waits for them.
- Canaries are left out, and the same bytes again are one action.
- **Signatures are not checked.** Whoever may write to `verdicts` or `outcomes` can make something look odd, or
  ordinary. A finding says where to look; `sluicegate audit action` with the trust file says what holds.
- An agent's version, network and model are not in the contract, so none is compared: person, system,
  environment, executor and kind of action are. An enrolment is taken for a release.
- A detection that fails is itself a finding, `detection_failed`, and stops no other.

## The hours before

What is usual is computed from whole hours in short, the table `anomaly_hours`, of the 35 days before the window. For
days that are over the archiver keeps them in `rollups/DATE.parquet` in the archive. These files hold nothing that the
records do not, can be deleted, are dropped with their day, and are not proved by the log. Records that come later than
half an hour after their day are not in them.

So a look reads the window, some hours before it, and of the days before only these files: it takes as long in an old
archive as in a young one. What most detections begin with is read once for all of them.

In a DuckDB session of one's own:

```sql
.read ARCHIVE/views.sql
.read analytics/anomalies/facts.sql
.read analytics/anomalies/denial_spike.sql
SET TimeZone = 'UTC';
INSERT INTO anomaly_hours SELECT * FROM read_parquet('ARCHIVE/rollups/*.parquet');
SELECT * FROM denial_spike(until := TIMESTAMPTZ '2026-11-21 12:00:00+00', denials := 20);
```

## How good they are

`python -m analytics.anomalies.scoring DIRECTORY` scores them on an archive that `sluicegate archive synth` made,
whose incidents are known: for each detection what was injected, found and missed, and how many findings a day fit
nothing. Thresholds were set on seeds 1 to 5; the proof runs on three others.

## Thresholds

Each is an argument of its macro.
"""


def page() -> str:
    """The whole of docs/anomalies.md."""
    rows = "".join(_row(one) for one in DETECTIONS)
    return _HEAD + rows + _MIDDLE + "".join("".join(_thresholds(one)) for one in DETECTIONS)


def _row(one: Detection) -> str:
    return f"| `{one.name}` | {one.purpose} | {one.severity.value} | {one.remedy} |\n"


def _thresholds(one: Detection) -> Iterator[str]:
    yield f"\n### {one.name}\n\n| threshold | default | what it is |\n| --- | --- | --- |\n"
    for each in one.thresholds:
        yield f"| `{each.name}` | `{_shown(each.default)}` | {each.meaning} |\n"


def _shown(value: Value) -> str:
    text = ", ".join(value) if isinstance(value, tuple) else str(value)
    return text.replace("|", "\\|")


def main() -> None:
    """Write the page where the argument says."""
    Path(sys.argv[1]).write_text(page(), "utf-8")


if __name__ == "__main__":
    main()
