"""README, the pages of docs/ and the code say the same."""

from __future__ import annotations

import json
import re
from contextlib import closing
from pathlib import Path

import pytest

from agent.compiler.expressions.function_page import function_page
from agent.compiler.reading import build_plan
from agent.request import parse_request
from agent.settings import PREFIX, Settings, load_settings
from agent.snapshot import event_snapshot
from cli.parser import EPILOG, parser
from cli.view import _FIELDS
from graph.builder import build_workflow
from graph.response import STATUS_CODES, _body
from graph.state import State
from runs.dispatch import _ON_RUNS
from tests.fakes.moto_server import COMPLETION_PATTERN, LIFECYCLE, REFUSED_PATTERN
from tests.lambda_handler.bad_days import ENDED, UNAVAILABLE
from tools.fakes import FakeClock, FakeDatabase, FakeJobs, FakeModel
from tools.local.artifacts import LocalArtifacts
from tools.local.journal import JsonlJournal
from tools.local.lease import FileLease
from tools.local.ledger import SqliteLedger
from tools.toolbox import Toolbox

ROOT = Path(__file__).parents[1]
PAGES = {
    str(path.relative_to(ROOT)): path.read_text(encoding="utf-8")
    for path in [*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), ROOT / "evals/README.md", ROOT / "examples/README.md"]
}
"""All pages for people, by path; prompts are no pages."""
README = PAGES["README.md"]
README_LINES = 130
FLIGHTS = {
    "flights": ["carrier text", "arr_delay integer", "distance integer"],
    "airlines": ["carrier text", "name text"],
}
"""The columns that README's specification uses, as `examples/load_flights.py` makes them."""


def configuration_table() -> str:
    """Give the table that docs/configuration.md must hold."""
    rows = ["| variable | default | meaning |", "|---|---|---|"]
    for name, field in Settings.model_fields.items():
        default = "" if field.default is None else f"`{field.default}`"
        description = (field.description or "").replace("|", "\\|")
        rows.append(f"| `{PREFIX}{name.upper()}` | {default} | {description} |")
    return "\n".join(rows)


OTHER_VARIABLES = {"DATAMORPH_DEBUG", "DATAMORPH_TEST_JDBC_JAR"}
"""Variables on the pages that are no settings."""


@pytest.fixture
def toolbox(tmp_path: Path) -> Toolbox:
    """Ports that the workflow is built with and never calls."""
    with closing(SqliteLedger(tmp_path / "ledger.sqlite")) as ledger:
        return Toolbox(
            model=FakeModel([]),
            artifacts=LocalArtifacts(tmp_path),
            jobs=FakeJobs(),
            dry_run=None,
            database=FakeDatabase(),
            ledger=ledger,
            lease=FileLease(tmp_path),
            journal=JsonlJournal(tmp_path),
            clock=FakeClock(),
        )


def commands() -> set[str]:
    """The commands of the terminal."""
    (choices,) = [a.choices for a in parser()._actions if a.choices and isinstance(a.choices, dict)]
    return set(choices)


def block(language: str, page: str) -> str:
    """The one code block of a language on a page."""
    [text] = re.findall(rf"^```{language}\n(.*?)^```$", PAGES[page], re.MULTILINE | re.DOTALL)
    return str(text)


def anchors(page: str) -> set[str]:
    """The anchors of a page's headings, as GitHub makes them."""
    headings = re.findall(r"^#{1,6} (.+)$", re.sub(r"^```.*?^```$", "", page, flags=re.MULTILINE | re.DOTALL), re.M)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_the_configuration_table_is_the_settings() -> None:
    """Each variable, its default and its meaning."""
    assert configuration_table() in PAGES["docs/configuration.md"]


def test_each_variable_is_a_setting() -> None:
    """A renamed setting has its new name on every page."""
    named = {name for page in PAGES.values() for name in re.findall(rf"{PREFIX}[A-Z_]+[A-Z]", page)}
    assert named - {PREFIX + field.upper() for field in Settings.model_fields} == OTHER_VARIABLES


def test_the_diagram_is_the_graph(toolbox: Toolbox) -> None:
    """README's diagram is the one that LangGraph draws."""
    drawn = build_workflow(toolbox, load_settings({}, {})).get_graph().draw_mermaid(with_styles=False)
    assert block("mermaid", "README.md").strip() == drawn.replace("\t", "  ").strip()


def test_each_node_is_described(toolbox: Toolbox) -> None:
    """The table of docs/workflow.md has a row for each node, and the capture names no other."""
    drawn = build_workflow(toolbox, load_settings({}, {})).get_graph(xray=True)
    nodes = {name.split(":")[-1] for name in drawn.nodes} - {"__start__", "__end__"}
    assert set(re.findall(r"^\| `(\w+)` \|", PAGES["docs/workflow.md"], re.M)) == nodes
    assert set(re.findall(r"^  [✓✗•] (\w+)", README, re.M)) <= nodes


def test_readme_is_short() -> None:
    """A reader sees it whole; everything longer is a page of docs/."""
    assert len(README.splitlines()) <= README_LINES


def test_readme_lists_each_page() -> None:
    """Nobody has to guess what docs/ holds."""
    assert [page for page in PAGES if page != "README.md" and f"]({page}" not in README] == ["evals/README.md"]


def test_the_capture_is_of_today() -> None:
    """Its command is a target of the Makefile, and its last lines are fields that the terminal shows."""
    capture = block("text", "README.md")
    [target] = re.findall(r"^\$ make (\w+)$", capture, re.M)
    assert re.search(rf"^{target}:", (ROOT / "Makefile").read_text(encoding="utf-8"), re.M)
    assert set(re.findall(r"^  (\w+) {2,}", capture, re.M)) <= set(_FIELDS)
    assert len(capture.splitlines()) <= 12


def test_make_targets_exist() -> None:
    """Each `make` command of a page is a target of the Makefile."""
    targets = set(re.findall(r"^([\w./-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.M))
    named = {name for page in PAGES.values() for name in re.findall(r"^(?:\$ |`)?make ([\w./-]+)", page, re.M)}
    assert named - targets == set()


def test_the_specification_in_readme_is_taken() -> None:
    """The compiler makes a plan of it."""
    schemas = {
        table: {"columns": [dict(zip(("name", "type"), column.split(), strict=True)) for column in columns]}
        for table, columns in FLIGHTS.items()
    }
    request = parse_request({"run_id": "r1", "source_schemas": schemas, **json.loads(block("json", "README.md"))})
    assert build_plan(request, event_snapshot(request)) is not None


def test_the_repair_in_readme_is_recorded() -> None:
    """Each line that the diff takes away or adds stands in the recording."""
    lines = (ROOT / "examples/heal/fails_on_full_data.jsonl").read_text(encoding="utf-8").splitlines()
    before, after = (json.loads(line)["completion"] for line in lines)
    changed = re.findall(r"^([-+])(.+)$", block("diff", "README.md"), re.M)
    assert {sign for sign, _ in changed} == {"-", "+"}
    assert [line for sign, line in changed if line not in {"-": before, "+": after}[sign].splitlines()] == []


def test_every_command_is_described() -> None:
    """docs/terminal.md has each command, and README and the other pages no other one."""
    assert set(re.findall(r"^datamorph (\w+)", PAGES["docs/terminal.md"], re.M)) == commands()
    named = {name for page in PAGES.values() for name in re.findall(r"(?:^|[`/])datamorph ([a-z]+)", page, re.M)}
    assert named - commands() == set()


def test_each_answer_is_described() -> None:
    """docs/lambda.md has each status with its code, each field of the body, and each action."""
    page = PAGES["docs/lambda.md"]
    rows = re.findall(r"^\| (\d{3}) \| `(\w+)` \|", page, re.M)
    assert {status: int(code) for code, status in rows} == STATUS_CODES
    _, fields = page.split("| field of `body` | meaning |\n|---|---|\n")
    firsts = [row.split(" | ")[0] for row in fields.split("\n\n")[0].splitlines()]
    assert re.findall(r"`(\w+)`", " ".join(firsts)) == list(_body(State(run_id="r1"), "running"))
    assert set(re.findall(r'^\| `{[^`]*"action": "(\w+)"}`', page, re.M)) == {*_ON_RUNS, "sweep", "doctor"}


def test_exit_codes_are_told_alike() -> None:
    """In the help and in docs/terminal.md."""
    codes = "0 success, 2 bad input or conflict, 3 failed run, 4 unavailable, 5 suspended"
    assert codes in EPILOG
    assert codes in PAGES["docs/terminal.md"]


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_somewhere(page: str) -> None:
    """Each file is there, and each anchor is a heading of its page."""
    links = re.findall(r"\]\((?!https?:)([\w./-]*)(?:#([\w-]+))?\)", PAGES[page])
    for name, anchor in links:
        path = (ROOT / page).parent / name if name else ROOT / page
        assert path.exists(), name
        if anchor:
            assert anchor in anchors(path.read_text(encoding="utf-8")), f"{name}#{anchor}"


@pytest.mark.parametrize("page", PAGES)
def test_files_that_a_page_names_exist(page: str) -> None:
    """Modules, recordings and other files of this repository that stand in backquotes or in commands."""
    named = re.findall(
        r"(?<![\w/.-])(?:agent|cli|evals|examples|graph|infra|prompts|runs|studio|tests|tools|docs)/[\w./]*\w",
        PAGES[page],
    )
    assert [name for name in named if "NAME" not in name and not (ROOT / name).exists()] == []


@pytest.mark.parametrize("page", PAGES)
def test_no_page_knows_the_machine_it_was_written_on(page: str) -> None:
    """Home directories, working directories, package mirrors."""
    assert re.findall(r"/(?:home|root|Users|work|opt|tmp)/[\w.-]+|/simple\b|pypi\.org|index-url", PAGES[page]) == []


def test_the_rules_of_a_bucket_are_the_tested_ones() -> None:
    """The command that a reader copies gives the bucket that the tests have, at which the doctor finds nothing."""
    assert f"--lifecycle-configuration '{LIFECYCLE}'" in PAGES["docs/deploy.md"]


@pytest.mark.parametrize("pattern", [COMPLETION_PATTERN, REFUSED_PATTERN])
def test_the_patterns_are_the_tested_ones(pattern: str) -> None:
    """The rules that a reader copies are those by which the tests listen."""
    assert f"```json\n{pattern}\n```" in PAGES["docs/lambda.md"]


def test_every_bad_day_has_a_row() -> None:
    """Under the name that its test has."""
    rows = [line.split("|")[1] for line in PAGES["docs/troubleshooting.md"].splitlines() if line.startswith("| ")]
    names = [case[0] for case in UNAVAILABLE] + [case[0] for case in ENDED]
    assert [name for name in names if not any(name in row for row in rows)] == []


def test_pages_count_the_evals_right() -> None:
    """The number of recorded failures, and of those that must hold."""
    cases = [json.loads(path.read_text(encoding="utf-8")) for path in (ROOT / "evals" / "cases").glob("*.json")]
    told = {int(number) for page in PAGES.values() for number in re.findall(r"(\d+) recorded failures", page)}
    assert told == {len(cases)}
    assert f"all {sum(case['must_hold'] for case in cases)} cases that must hold" in PAGES["docs/evals.md"]


def test_the_glossary_has_twenty_words() -> None:
    """Each in two lines."""
    entries = PAGES["docs/glossary.md"].strip().split("\n\n")[1:]
    assert len(entries) == 20
    assert [entry for entry in entries if not re.fullmatch(r"\*\*[\w -]+\*\*: .+\n.+", entry)] == []


def test_lessons_stay_few() -> None:
    """At most 20 lines, for they go into every prompt."""
    from prompts import lessons

    assert len(lessons().splitlines()) <= 20


def test_the_page_of_functions_is_that_of_the_tables() -> None:
    """`python -m agent.compiler.expressions.function_page > docs/functions.md` makes it."""
    assert PAGES["docs/functions.md"] == function_page()
