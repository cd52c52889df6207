"""Statements for the round-trip benchmark: daily reads and bounded writes, 70 % of them repeated texts."""

from __future__ import annotations

import random
from collections.abc import Iterator

REPEATED = (
    "SELECT id, status, total FROM orders WHERE id = 4711",
    "SELECT count(*) FROM orders WHERE status = 'open'",
    "SELECT o.id, o.total, p.name FROM orders o JOIN products p ON p.id = o.product_id "
    "WHERE o.status = 'late' LIMIT 50",
    "SELECT status, sum(total) AS revenue FROM orders GROUP BY status ORDER BY revenue DESC",
    "UPDATE orders SET status = 'paid' WHERE id = 4711",
    "DELETE FROM orders WHERE id IN (17, 18, 19)",
    "DROP TABLE orders",
)
FRESH = (
    "SELECT id, status, total FROM orders WHERE id = {n}",
    "SELECT p.name, sum(o.total) FROM orders o JOIN products p ON p.id = o.product_id "
    "WHERE o.total > {n} GROUP BY p.name HAVING count(*) > 2 ORDER BY 2 DESC LIMIT 20",
    "WITH recent AS (SELECT id, total FROM orders WHERE total > {n}) SELECT max(total) FROM recent",
    "UPDATE orders SET total = {n} WHERE id = {n}",
)
REPEATED_SHARE = 0.7


def statements(seed: int) -> Iterator[str]:
    """An endless, reproducible mix."""
    chance = random.Random(seed)
    while True:
        if chance.random() < REPEATED_SHARE:
            yield chance.choice(REPEATED)
        else:
            yield chance.choice(FRESH).format(n=chance.randrange(10**9))
