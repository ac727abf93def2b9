"""From version N to N + 1 while processes of version N still run: a step only adds, so that they work on; none of them starts any more."""

import ast
import asyncio
import shutil
from pathlib import Path

import pytest

from domain.errors import BadSetting
from domain.states import JobState
from ledger import migrate
from ledger.database import Database
from ledger.keystore import KeyStore
from ledger.ledger import open_ledger
from tests.ledger.scene import ACCEPTED, BY, NOW, Scene, new_job

NEXT = '''"""A step as the next version might bring it."""

import sqlalchemy as sa
from alembic import op

revision = "next"
down_revision = "{head}"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add a table, columns and an index."""
    op.create_table("later", sa.Column("name", sa.Text(), primary_key=True))
    op.add_column("jobs", sa.Column("colour", sa.Text(), nullable=False, server_default="blue"))
    op.add_column("slices", sa.Column("weight", sa.Integer(), nullable=True))
    op.create_index("ix_jobs_colour", "jobs", ["colour"])
'''
#: what would take something away from a process of the version before, or demand something of it
TAKES = {"drop_table", "drop_column", "drop_constraint", "rename_table", "alter_column", "batch_alter_table"}


@pytest.fixture
def next_version(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """From here on the program is the next version; what was opened before goes on as it is."""
    folder = tmp_path / "migrations"
    shutil.copytree(migrate.FOLDER, folder)
    (folder / "9999_next.py").write_text(NEXT.format(head=migrate.HEAD), "utf-8")
    monkeypatch.setattr(migrate, "FOLDER", folder)
    monkeypatch.setattr(migrate, "HEAD", "next")


async def test_a_process_of_the_version_before_works_on(
    scene: Scene, where: Path | Database, keys: KeyStore, next_version: None
) -> None:
    """It has slices in hand while the tables change: it settles them, claims others and takes files in, side by side with the new one."""
    await scene.submit("J1", lines=(2, 2, 2))
    await scene.claim(1)
    newer, settled = await asyncio.gather(
        open_ledger(where, keys), scene.settle("J1.0", {0: ACCEPTED, 1: ACCEPTED})
    )
    assert settled.moved == 2
    beside = Scene(newer, keys)
    for one, slice_id in ((scene, "J1.1"), (beside, "J1.2")):
        await one.claim(1)
        assert (await one.settle(slice_id, {0: ACCEPTED, 1: ACCEPTED})).moved == 2
    assert (await scene.ledger.job("J1")).state is JobState.FINISHED
    for number, one in enumerate((scene, beside), 2):
        assert (await one.ledger.receive(new_job(f"J{number}"), BY, NOW)).job == f"J{number}"
    assert (await newer.verify_audit()).broken_at is None
    await newer.close()


async def test_a_process_of_the_version_before_does_not_start_any_more(
    where: Path | Database, keys: KeyStore, next_version: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It cannot know what the newer tables mean; it says so and changes nothing."""
    await (await open_ledger(where, keys)).close()
    monkeypatch.undo()
    with pytest.raises(BadSetting, match="newer version"):
        await open_ledger(where, keys)


def test_steps_only_add() -> None:
    """No step after the first drops, renames or tightens anything, or adds a column that a process before it could not leave out."""
    for file in sorted(migrate.FOLDER.glob("0*.py"))[1:]:
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
                continue
            assert node.func.attr not in TAKES, (file.name, node.lineno)
            if node.func.attr == "add_column":
                told = {word.arg: ast.unparse(word.value) for word in node.args[1].keywords}  # type: ignore[attr-defined]  # a call: sa.Column(…)
                assert told.get("nullable") == "True" or "server_default" in told, (file.name, node.lineno)
