"""Makes docs/topics.md from streams/topics.py."""

from pathlib import Path

from streams.topics_page import topics_page

page = Path(__file__).parents[1] / "docs" / "topics.md"
page.write_text(topics_page(), encoding="utf-8")
print(page.name)
