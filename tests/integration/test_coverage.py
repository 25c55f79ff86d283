"""The trail holds everything: every command and every page that changes or shows something leaves its event."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import typer

from cli.main import app
from engine.core.commands import Start
from engine.steps import By
from engine.store.open import open_store
from tests.integration.cli.conftest import Ketnap, plain
from tests.integration.web.test_access import routes
from tests.web_office import PagesOffice, serving
from web.access import table

NAME, SECRET = "Trần Văn Kiểm", "Đạo Lạ Kỳ"

# What does nothing to the office's database and shows nobody in it, and why; each such command must say so here.
ELSEWHERE = {
    "demo": "a sandbox of its own",
    "check": "reads workflow files only",
    "test": "plays scenarios in memory",
    "diagram": "reads workflow files only",
    "bench": "towns of its own",
    "witness": "another machine's program",
    "notices test-channel": "sends a test to a gateway, about nobody",
    "run": "the clock's own steps, each with its event: tests of ticking and delivery",
    "restore": "makes another database: tested beside backups",
    "user code": "shows a one-time code of an account that has a factor: tested beside signing in",
}

# Each other command as it is typed, in this order, with the kinds of events that it must leave; () for one that must
# show neither names nor facts. {id} of notices is filled in.
TYPED: list[tuple[str, tuple[str, ...]]] = [
    ("init", ()),
    ("status", ()),
    ("import orgs to-chuc.csv --as qt", ("office_changed",)),
    ("import officers can-bo.csv --as qt", ("office_changed",)),
    ("user add moi --name Mới --org xa1 --role clerk --as qt", ("office_changed",)),
    ("user show moi", ()),
    ("user password moi --stdin --as qt", ("office_changed",)),
    ("user factor moi --give --as qt", ("access",)),
    ("user disable moi --as qt", ("office_changed",)),
    ("feed open lan --as lan", ("office_changed",)),
    ("feed close lan --as lan", ("office_changed",)),
    ("calendar add 2031-01-02 --off --as lan", ("office_changed",)),
    ("substitute add lan dao --from 2031-05-01 --until 2031-05-02 --as lan", ("office_changed",)),
    ("set u1 'occupation=Giáo viên' --as lan", ("facts_set",)),
    ("move u1 recognise --as lan", ("refused",)),
    ("move u1 recognise --as dao --fact branch_proposed_on=2024-03-01", ("denied",)),
    ("move u1 recognise --as lan --fact branch_proposed_on=2024-03-01", ("moved",)),
    ("undo u1 --as lan --reason Nhầm", ("undone",)),
    ("why u1", ("opened",)),
    ("show u1", ("opened",)),
    ("history u1", ("opened",)),
    ("similar u1", ("listed",)),
    ("transfers --org xa1", ()),
    ("form list", ()),
    ("form fill application u1 --as lan --out don.docx", ("opened", "exported")),
    ("report", ()),
    ("report yearly --year 2024", ("listed",)),
    ("report yearly --year 2024 --format xlsx --out bc.xlsx", ("exported",)),
    ("scores --year 2024", ()),
    ("notices list", ("listed",)),
    ("notices preview refused --subject u1", ("opened",)),
    ("notices forecast --from 2031-01-01 --to 2031-01-02", ("listed",)),
    ("org found cb77 --kind branch --name 'Chi bộ 77' --parent xa1 --as qt", ("office_changed",)),
    ("org rename cb77 'Chi bộ 78' --as qt", ("office_changed",)),
    ("org show cb77", ()),
    ("org tree", ()),
    ("org list", ()),
    ("audit verify", ()),
    ("audit search --subject u1", ()),
    ("audit diff u1 --from 2001-01-01", ("opened",)),
    ("audit supervise --org xa1 --from 2001-01-01", ("listed",)),
    ("audit supervise --org xa1 --from 2001-01-01 --out gs.html", ("exported",)),
    ("audit checkpoint", ("checkpoint",)),
    ("audit proof 1", ()),
    ("audit keys", ()),
    ("audit words --help", ()),
    ("audit export --out goi --as qt", ("exported",)),
    ("person export u1 --out u1.html --as lan", ("exported",)),
    ("person hold u1 --reason 'Khiếu nại' --as lan", ("held",)),
    ("person release u1 --reason Xong --as lan", ("released",)),
    ("person retention", ()),
    ("backup-key rieng.key", ()),
    ("backup --out . --passphrase-file mk.txt", ("backed_up",)),
    ("move u1 drop --as lan --fact drop_reason=moved --reason Đi", ("moved",)),
    ("person erase u1 --yes --reason 'Đơn 5' --basis Luật --as lan", ("key_erased",)),
]

# Commands whose change is tested where lists or outcomes for it are made; each goes through a door that those tests
# see in the trail.
BESIDE = {
    "start": "the first event of every test",
    "import candidates": "tests/integration/cli/test_lists.py",
    "import history": "tests of history",
    "import terms": "tests of history",
    "import start": "tests of lists",
    "org move": "tests of organisations",
    "org merge": "tests of organisations",
    "org split": "tests of organisations",
    "org close": "tests of organisations",
    "org mark": "tests of organisations",
    "notices retry": "tests of notices",
    "notices resolve": "tests of notices",
    "notices cancel": "tests of notices",
    "notices correct": "tests of notices",
    "audit rotate-key": "tests of the trail's keys",
}


def commands(group: Any, path: tuple[str, ...] = ()) -> Iterator[str]:
    """Gives the name of every command."""
    for name, command in getattr(group, "commands", {}).items():
        yield from commands(command, (*path, name)) if hasattr(command, "commands") else [" ".join((*path, name))]


def name_of(typed: str, known: set[str]) -> str:
    """Returns the command that a line types."""
    words = typed.split()
    return next(n for n in (" ".join(words[:2]), words[0]) if n in known)


def test_every_command_is_in_one_of_these_lists() -> None:
    """A new command must say what it leaves in the trail."""
    known = set(commands(typer.main.get_command(app)))
    typed = {name_of(line, known) for line, _ in TYPED}
    listed = typed | set(ELSEWHERE) | set(BESIDE)
    assert known - listed == set()
    assert listed - known == set()


@pytest.fixture
def office(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Ketnap:
    """An office with an administrator and one person whose name and faith may be seen nowhere without an event."""
    plain(monkeypatch)
    lists = Path(__file__).parents[1] / "data" / "lists"
    for path in lists.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mk.txt").write_text("một mật khẩu đủ dài\n", encoding="utf-8")
    (tmp_path / "quan-tri.csv").write_text(
        "id,name,org,roles,email,phone\nqt,Quản Trị,tu,admin,qt@example.org,\n", encoding="utf-8"
    )
    made = Ketnap(tmp_path)
    made.run("init", "--sandbox")
    made.run("import", "orgs", "to-chuc.csv")
    made.run("import", "officers", "quan-tri.csv")
    made.run("import", "officers", "can-bo.csv", "--as", "qt")
    facts = (f"full_name={NAME}", "motives=Tốt", "helper=Võ Xuân Bảo", f"religion={SECRET}")
    given = (x for f in facts for x in ("--fact", f))
    made.run("start", "candidate", "--id", "u1", "--org", "cb1", "--as", "lan", *given)
    return made


def test_every_command_leaves_its_events_or_shows_nobody(office: Ketnap) -> None:
    """One after the other in one office; what is expected to leave nothing must not show the name or the faith."""
    (office.folder / "can-bo.csv").write_text(
        "id,name,org,roles,email,phone\nlan,Nguyễn Thị Lan,xa1,secretary,lan@example.org,+84900000009\n"
        "dao,Trịnh Đào,xa1,clerk,dao@example.org,+84900000002\n",
        encoding="utf-8",
    )
    orgs = (office.folder / "to-chuc.csv").read_text(encoding="utf-8")
    (office.folder / "to-chuc.csv").write_text(orgs.rstrip("\n") + "\ncb66,branch,Chi bộ 66,xa1\n", encoding="utf-8")
    wrong: list[str] = []
    seen = len(_kinds(office))
    for typed, kinds in TYPED:
        result = office.runner.invoke(app, shlex.split(typed), input="Mật khẩu thật dài 99\n")
        new = _kinds(office)[seen:]
        seen += len(new)
        if result.exit_code not in (0, 1, 3) or isinstance(result.exception, Exception):
            wrong.append(f"{typed}: ended with {result.exit_code}: {result.stderr[-200:]}")
        if not set(kinds) <= set(new):
            wrong.append(f"{typed}: leaves {new}, not {kinds}")
        shown = result.stdout + result.stderr
        if not kinds and (NAME in shown or SECRET in shown):
            wrong.append(f"{typed}: shows a person and leaves nothing")
    assert wrong == []


def _kinds(office: Ketnap) -> list[str]:
    store = open_store(f"sqlite:///{office.folder / 'ketnap.db'}")
    with store.transaction(write=False) as unit:
        found = [e.kind for e in unit.events()]
    store.close()
    return found


# ---- pages ----


PLACES = {"{subject}": "u1", "{trigger}": "recognise", "{names}": "religion"}


def test_every_page_that_shows_a_person_leaves_an_event() -> None:
    """Each route is asked for as an officer who may read the person; whatever shows the name or the faith was noted."""
    with serving() as office:
        facts = {"full_name": NAME, "religion": SECRET}
        office.service.start(Start(workflow="candidate", org="cb1", id="u1", facts=facts), By(officer="cb1_clerk"))
        client = office.client("xa1_secretary")
        shown, wrong = 0, []
        for path in sorted(path for method, path in table(routes()) if method == "GET"):
            office.clock.set(office.clock.now() + timedelta(minutes=11))  # so that it is no repeated opening
            if client.get("/account").status_code == 401:  # the day of a session is over
                client = office.client("xa1_secretary")
            before = _noted(office)
            text = client.get(re.sub(r"\{[a-z_]+\}", lambda m: PLACES.get(m[0], "x"), path)).text
            if NAME in text or SECRET in text:
                shown += 1
                wrong += [path] if _noted(office) == before else []
        assert wrong == []
        assert shown > 1


def _noted(office: PagesOffice) -> int:
    with office.service.work() as work:
        return sum(e.kind in ("opened", "listed", "exported") for e in work.tx.events())
