"""Statements as agents write them: reads and bounded writes in seven dialects, with other constants each time."""

from __future__ import annotations

import random
from collections.abc import Iterator

from enforcers.catalog.model import Catalog, Column, Table

CATALOG = Catalog(
    {
        "orders": Table(
            {
                "id": Column("bigint"),
                "customer_id": Column("bigint"),
                "status": Column("text"),
                "total": Column("numeric"),
                "created_at": Column("timestamp"),
            },
            (("id",),),
        ),
        "customers": Table(
            {
                "id": Column("bigint"),
                "name": Column("text"),
                "email": Column("text", ("pii",)),
                "country": Column("text"),
            },
            (("id",), ("email",)),
        ),
        "stock": Table(
            {"sku": Column("text"), "site": Column("int"), "units": Column("int")},
            (("sku", "site"),),
        ),
    }
)

TEMPLATES = (
    ("postgres", "SELECT * FROM orders WHERE id = {n}"),
    ("postgres", "SELECT id, status, total FROM orders WHERE customer_id = {n} ORDER BY id LIMIT 20"),
    ("postgres", "SELECT count(*) FROM orders WHERE status = '{w}'"),
    ("postgres", "SELECT status, count(*) AS n, sum(total) AS revenue FROM orders "
     "WHERE total > {n} GROUP BY status ORDER BY revenue DESC"),
    ("postgres", "SELECT o.id, o.total, c.name FROM orders o JOIN customers c ON c.id = o.customer_id "
     "WHERE o.status = '{w}' AND o.total > {n} ORDER BY o.total DESC LIMIT 50"),
    ("postgres", "SELECT c.country, avg(o.total) FROM customers c JOIN orders o ON o.customer_id = c.id "
     "WHERE o.created_at >= now() - INTERVAL '{d} days' GROUP BY c.country HAVING count(*) > {d}"),
    ("postgres", "WITH recent AS (SELECT customer_id, sum(total) AS spent FROM orders WHERE id > {n} "
     "GROUP BY customer_id) SELECT c.name, r.spent FROM recent r JOIN customers c ON c.id = r.customer_id "
     "ORDER BY r.spent DESC LIMIT {d}"),
    ("postgres", "SELECT date_trunc('month', created_at) AS month, count(*) FROM orders "
     "WHERE created_at >= '2024-0{k}-01' GROUP BY 1 ORDER BY 1"),
    ("postgres", "SELECT id, total, row_number() OVER (PARTITION BY customer_id ORDER BY total DESC) AS rank "
     "FROM orders WHERE total > {n}"),
    ("postgres", "SELECT name FROM customers WHERE id IN (SELECT customer_id FROM orders WHERE total > {n})"),
    ("postgres", "SELECT name FROM customers c WHERE NOT EXISTS "
     "(SELECT 1 FROM orders o WHERE o.customer_id = c.id AND o.id > {n})"),
    ("postgres", "SELECT coalesce(status, 'none'), count(*) FILTER (WHERE total > {n}) FROM orders GROUP BY 1"),
    ("postgres", "SELECT CASE WHEN total > {n} THEN 'large' WHEN total > {d} THEN 'medium' ELSE 'small' END AS size, "
     "count(*) FROM orders GROUP BY 1"),
    ("postgres", "SELECT column_name, data_type FROM information_schema.columns WHERE table_name = '{w}'"),
    ("postgres", "SELECT sku, units FROM stock WHERE site = {k} AND units BETWEEN {k} AND {n}"),
    ("postgres", "SELECT name, country FROM customers WHERE name ILIKE '%{w}%' LIMIT 10"),
    ("postgres", "SELECT id FROM orders WHERE status = '{w}' UNION ALL SELECT id FROM orders WHERE total > {n}"),
    ("postgres", "SELECT DISTINCT country FROM customers WHERE id > {n}"),
    ("postgres", "EXPLAIN SELECT * FROM orders WHERE customer_id = {n}"),
    ("postgres", "UPDATE orders SET status = '{w}' WHERE id = {n}"),
    ("postgres", "UPDATE orders SET status = '{w}', total = {n} WHERE id IN ({n}, {d}, {k}) RETURNING id"),
    ("postgres", "UPDATE stock SET units = units - {k} WHERE sku = '{w}' AND site = {k}"),
    ("postgres", "DELETE FROM orders WHERE id = {n}"),
    ("postgres", "INSERT INTO orders (id, customer_id, status, total) VALUES ({n}, {d}, '{w}', {n}.50)"),
    ("postgres", "INSERT INTO stock (sku, site, units) VALUES ('{w}', {k}, {d}) "
     "ON CONFLICT (sku, site) DO UPDATE SET units = excluded.units"),
    ("postgres", "DELETE FROM orders WHERE status = '{w}'"),
    ("mysql", "SELECT * FROM `orders` WHERE `id` = {n} LIMIT 1"),
    ("mysql", "SELECT o.id, c.name FROM orders o LEFT JOIN customers c ON c.id = o.customer_id WHERE o.id > {n}"),
    ("mysql", "SELECT DATE_FORMAT(created_at, '%Y-%m') AS month, SUM(total) FROM orders "
     "WHERE total > {n} GROUP BY month"),
    ("mysql", "SELECT status, COUNT(*) FROM orders "
     "WHERE created_at > DATE_SUB(NOW(), INTERVAL {d} DAY) GROUP BY status"),
    ("mysql", "SELECT GROUP_CONCAT(name) FROM customers WHERE country = '{w}'"),
    ("mysql", "SELECT IFNULL(status, 'none') AS s, ROUND(AVG(total), 2) FROM orders WHERE id < {n} GROUP BY s"),
    ("mysql", "UPDATE orders SET status = '{w}' WHERE id = {n}"),
    ("mysql", "DELETE FROM orders WHERE id IN ({n}, {d})"),
    ("mysql", "INSERT INTO stock (sku, site, units) VALUES ('{w}', {k}, {d})"),
    ("mysql", "SELECT SUM(total) / COUNT(*) FROM orders WHERE status <> '{w}' AND id BETWEEN {d} AND {n}"),
    ("sqlite", "SELECT * FROM orders WHERE id = {n}"),
    ("sqlite", "SELECT strftime('%Y-%m', created_at) AS month, count(*) FROM orders WHERE total > {n} GROUP BY month"),
    ("sqlite", "SELECT name FROM sqlite_master WHERE type = 'table' AND name LIKE '%{w}%'"),
    ("sqlite", "SELECT c.name, ifnull(sum(o.total), 0) AS spent FROM customers c LEFT JOIN orders o "
     "ON o.customer_id = c.id WHERE c.id > {n} GROUP BY c.id ORDER BY spent DESC LIMIT 5"),
    ("sqlite", "UPDATE orders SET total = {n} WHERE id = {d}"),
    ("sqlite", "DELETE FROM stock WHERE sku = '{w}' AND site = {k}"),
    ("sqlite", "INSERT OR REPLACE INTO stock (sku, site, units) VALUES ('{w}', {k}, {n})"),
    ("duckdb", "SELECT status, count(*) AS n FROM orders WHERE total > {n} GROUP BY ALL ORDER BY n DESC"),
    ("duckdb", "SELECT * EXCLUDE (created_at) FROM orders WHERE id = {n}"),
    ("duckdb", "SELECT quantile_cont(total, 0.9) FROM orders WHERE status = '{w}'"),
    ("duckdb", "SELECT country, list(name) FROM customers WHERE id < {n} GROUP BY country"),
    ("duckdb", "SELECT * FROM orders QUALIFY row_number() OVER (PARTITION BY customer_id ORDER BY id) <= {k}"),
    ("duckdb", "UPDATE stock SET units = {n} WHERE sku = '{w}' AND site = {k}"),
    ("tsql", "SELECT TOP 10 id, total FROM orders WHERE total > {n} ORDER BY total DESC"),
    ("tsql", "SELECT [status], COUNT(*) FROM [orders] "
     "WHERE created_at > DATEADD(day, -{d}, GETDATE()) GROUP BY [status]"),
    ("tsql", "SELECT c.name, ISNULL(SUM(o.total), 0) FROM customers c JOIN orders o ON o.customer_id = c.id "
     "WHERE c.id = {n} GROUP BY c.name"),
    ("tsql", "UPDATE orders SET status = '{w}' WHERE id = {n}"),
    ("tsql", "DELETE FROM orders WHERE id = {n}"),
    ("snowflake", "SELECT status, count(*) FROM orders WHERE created_at > dateadd(day, -{d}, current_timestamp()) "
     "GROUP BY status"),
    ("snowflake", "SELECT id, total FROM orders WHERE total > {n} QUALIFY rank() OVER (ORDER BY total DESC) <= {d}"),
    ("snowflake", "SELECT name FROM customers WHERE country ILIKE '{w}' LIMIT {d}"),
    ("snowflake", "SELECT iff(total > {n}, 'large', 'small') AS size, count(*) FROM orders GROUP BY 1"),
    ("snowflake", "UPDATE orders SET status = '{w}' WHERE id = {n}"),
    ("bigquery", "SELECT status, COUNT(*) AS n FROM `shop.orders` WHERE total > {n} GROUP BY status"),
    ("bigquery", "SELECT DATE_TRUNC(DATE(created_at), MONTH) AS month, SUM(total) FROM orders "
     "WHERE id > {n} GROUP BY month"),
    ("bigquery", "SELECT SAFE_DIVIDE(SUM(total), COUNT(*)) FROM orders WHERE status = '{w}'"),
    ("bigquery", "SELECT name FROM customers WHERE STARTS_WITH(name, '{w}') AND id < {n} LIMIT 100"),
    ("bigquery", "DELETE FROM orders WHERE id = {n}"),
)  # fmt: skip
"""Dialect and text: `{n}`, `{d}` and `{k}` are numbers of nine, three and one digits, `{w}` is a word."""


def fresh_statements(seed: int) -> Iterator[tuple[str, str]]:
    """An endless, reproducible walk over the templates: dialect and text."""
    chance = random.Random(seed)
    while True:
        for dialect, template in chance.sample(TEMPLATES, len(TEMPLATES)):
            yield (
                dialect,
                template.format(
                    n=chance.randrange(10**8, 10**9),
                    d=chance.randrange(100, 1_000),
                    k=chance.randrange(1, 10),
                    w="".join(chance.choices("abcdefghijklmnopqrstuvwxyz", k=8)),
                ),
            )
