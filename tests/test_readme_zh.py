"""README_zh.md is README.md in Chinese: the same sections, code, tables, links and numbers."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
ENGLISH = (ROOT / "README.md").read_text(encoding="utf-8")
CHINESE = (ROOT / "README_zh.md").read_text(encoding="utf-8")

HEADING = re.compile(r"^(#+) (.+)$", re.MULTILINE)
BLOCK = re.compile(r"(<!-- run -->\n)?^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
COMMANDS = re.compile(r"^    (\S.*)$", re.MULTILINE)
CODE = re.compile(r"`([^`]+)`")
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
NUMBER = re.compile(r"\d(?:[\d,.]*\d)?")
HAN = re.compile(r"[\u4e00-\u9fff]")


def sections(text):
    """The text below each heading, code blocks and their comments left out."""
    return HEADING.split(BLOCK.sub("", text))[3::3]


def headings(text):
    return HEADING.findall(BLOCK.sub("", text))


def rows(text):
    """The cells of all rows of all tables."""
    lines = [line for line in text.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines]


def facts(text, anchors):
    """What a translation leaves as it is: code, links, numbers; in-page links by their section."""
    code = CODE.findall(text)
    links = [anchors.get(link, link) for link in LINK.findall(text)]
    words = CODE.sub("", re.sub(r"\]\([^)]*\)", "]", text))
    return sorted(code), sorted(map(str, links)), sorted(NUMBER.findall(words))


def anchors(text):
    """`{an in-page link: the number of its heading}`."""
    titles = [title for _, title in headings(text)]
    names = [re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles]
    return {f"#{name}": number for number, name in enumerate(names)}


def test_the_sections_are_the_same():
    levels = [level for level, _ in headings(ENGLISH)]
    assert [level for level, _ in headings(CHINESE)] == levels
    assert len(anchors(CHINESE)) == len(levels), "two sections have the same title"


def test_the_code_is_the_same_but_for_comments():
    def blocks(text):
        parts = BLOCK.findall(text)
        return [(mark, ast.dump(ast.parse(code))) for mark, _, code in parts]

    assert len(blocks(ENGLISH)) >= 10
    assert blocks(CHINESE) == blocks(ENGLISH)


def test_the_commands_are_the_same():
    english = COMMANDS.findall(BLOCK.sub("", ENGLISH))
    assert len(english) >= 8
    assert COMMANDS.findall(BLOCK.sub("", CHINESE)) == english


def test_the_tables_say_the_same_row_by_row():
    english, chinese = rows(ENGLISH), rows(CHINESE)
    assert len(english) > 100
    for row, translated in zip(english, chinese, strict=True):
        assert len(translated) == len(row), translated
        for cell, same in zip(row, translated, strict=True):
            assert facts(same, {}) == facts(cell, {}), translated
            assert bool(same) == bool(cell), translated


@pytest.mark.parametrize("number", range(len(sections(ENGLISH))))
def test_the_text_has_the_same_code_links_and_numbers(number):
    def prose(text):
        lines = sections(text)[number].splitlines()
        return "\n".join(line for line in lines if not line.startswith("|"))

    assert facts(prose(CHINESE), anchors(CHINESE)) == facts(prose(ENGLISH), anchors(ENGLISH))


def test_the_titles_and_the_text_are_in_chinese():
    assert all(HAN.search(title) for level, title in headings(CHINESE) if level != "#")
    assert all(HAN.search(section) for section in sections(CHINESE))
