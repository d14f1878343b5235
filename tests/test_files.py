"""Files: written whole or not at all, compared by what differs."""

from __future__ import annotations

import errno
import os
from typing import TYPE_CHECKING

import pytest

from gen.errors import GenError
from gen.files import Drift, Written, compare, write
from gen.model import File
from gen.provenance import MARK

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

OURS = f"# {MARK} 0.1.0, templates/numpy/module.py.jinja. DO NOT EDIT.\n"
A, B = File("a.py", f"{OURS}a = 1\n"), File("b.py", f"{OURS}b = 2\n")


def _names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def _failing_at(call: int, fault: int) -> Callable[..., None]:
    """A function that the system refuses the `call`-th time."""
    calls = []

    def refuse(*_: object) -> None:
        calls.append(1)
        if len(calls) == call:
            raise OSError(fault, os.strerror(fault), "the-disk")

    return refuse


# ---- writing


def test_files_are_written_into_a_folder_that_is_made(tmp_path: Path) -> None:
    folder = tmp_path / "deep" / "er"
    assert write([A, B], folder) == (
        Written(folder / "a.py", True),
        Written(folder / "b.py", True),
    )
    assert _names(folder) == ["a.py", "b.py"]
    assert (folder / "a.py").read_bytes() == A.text.encode()


def test_anyone_may_read_what_was_written(tmp_path: Path) -> None:
    write([A], tmp_path)
    assert (tmp_path / "a.py").stat().st_mode & 0o777 == 0o644


def test_text_is_written_as_it_is(tmp_path: Path) -> None:
    write([File("a.py", f"{OURS}σ = '\r'\n")], tmp_path)
    assert (tmp_path / "a.py").read_bytes() == f"{OURS}σ = '\r'\n".encode()


def test_what_would_not_change_is_left_alone(tmp_path: Path) -> None:
    write([A], tmp_path)
    os.utime(tmp_path / "a.py", (1, 1))
    assert write([A, B], tmp_path) == (
        Written(tmp_path / "a.py", False),
        Written(tmp_path / "b.py", True),
    )
    assert (tmp_path / "a.py").stat().st_mtime == 1


def test_what_we_wrote_is_overwritten(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text(f"{OURS}edited = 1\n")
    assert write([A], tmp_path) == (Written(tmp_path / "a.py", True),)
    assert (tmp_path / "a.py").read_text() == A.text


def test_a_file_that_is_not_ours_stops_everything(tmp_path: Path) -> None:
    (tmp_path / "b.py").write_text("mine = 1\n")
    with pytest.raises(GenError) as fault:
        write([A, B], tmp_path)
    assert str(fault.value) == (
        f"{tmp_path / 'b.py'} was not written by gen; move it away, or choose another place with -o"
    )
    assert _names(tmp_path) == ["b.py"]
    assert (tmp_path / "b.py").read_text() == "mine = 1\n"


def test_a_file_that_yields_leaves_a_foreign_one_in_its_place(tmp_path: Path) -> None:
    (tmp_path / "__init__.py").write_text("mine = 1\n")
    package = File("__init__.py", f"{OURS}", yields=True)
    assert write([A, package], tmp_path) == (Written(tmp_path / "a.py", True),)
    assert (tmp_path / "__init__.py").read_text() == "mine = 1\n"


def test_a_file_that_yields_is_written_where_there_is_none(tmp_path: Path) -> None:
    package = File("__init__.py", OURS, yields=True)
    assert write([package], tmp_path) == (Written(tmp_path / "__init__.py", True),)
    assert write([package], tmp_path) == (Written(tmp_path / "__init__.py", False),)


def test_a_folder_in_the_place_of_a_file_stops_everything(tmp_path: Path) -> None:
    (tmp_path / "b.py").mkdir()
    with pytest.raises(GenError) as fault:
        write([A, B], tmp_path)
    assert str(fault.value) == (
        f"{tmp_path / 'b.py'} cannot be read: [Errno 21] Is a directory: '{tmp_path / 'b.py'}'"
    )
    assert _names(tmp_path) == ["b.py"]


def test_a_file_in_the_place_of_the_folder_stops_everything(tmp_path: Path) -> None:
    place = tmp_path / "file"
    place.write_text("mine\n")
    with pytest.raises(GenError, match=f"^{place}.* cannot be (read|written): "):
        write([A, B], place)
    assert place.read_text() == "mine\n"


@pytest.mark.parametrize("call", [1, 2])
def test_a_full_disk_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: int
) -> None:
    monkeypatch.setattr("gen.files.os.fsync", _failing_at(call, errno.ENOSPC))
    with pytest.raises(GenError) as fault:
        write([A, B], tmp_path)
    assert str(fault.value) == "the-disk cannot be written: No space left on device"
    assert _names(tmp_path) == []


def test_a_full_disk_leaves_what_was_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.py").write_text(f"{OURS}old = 1\n")
    monkeypatch.setattr("gen.files.os.fsync", _failing_at(2, errno.ENOSPC))
    with pytest.raises(GenError):
        write([A, B], tmp_path)
    assert _names(tmp_path) == ["a.py"]
    assert (tmp_path / "a.py").read_text() == f"{OURS}old = 1\n"


def test_a_name_that_cannot_be_given_leaves_no_temporary_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gen.files.os.replace", _failing_at(1, errno.EACCES))
    with pytest.raises(GenError) as fault:
        write([A, B], tmp_path)
    assert str(fault.value) == "the-disk cannot be written: Permission denied"
    assert _names(tmp_path) == []


def test_nobody_sees_half_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[list[str]] = []
    monkeypatch.setattr("gen.files.os.fsync", lambda _: seen.append(_names(tmp_path)))
    write([A, B], tmp_path)
    assert len(seen) == 2
    assert not {"a.py", "b.py"} & {name for names in seen for name in names}


# ---- comparing


def test_a_folder_that_is_as_it_should_be_has_no_drift(tmp_path: Path) -> None:
    write([A, B], tmp_path)
    assert compare([A, B], tmp_path) == ()


def test_a_missing_file(tmp_path: Path) -> None:
    path = tmp_path / "a.py"
    diff = f"--- {path} (on disk)\n+++ {path} (generated)\n@@ -0,0 +1,2 @@\n+{OURS}+a = 1\n"
    assert compare([A], tmp_path) == (Drift(path, "missing", diff),)
    assert compare([A], tmp_path / "nowhere")[0].kind == "missing"


def test_a_stale_file(tmp_path: Path) -> None:
    path = tmp_path / "a.py"
    path.write_text(f"{OURS}a = 3")
    diff = f"--- {path} (on disk)\n+++ {path} (generated)\n@@ -1,2 +1,2 @@\n {OURS}-a = 3\n+a = 1\n"
    assert compare([A], tmp_path) == (Drift(path, "stale", diff),)


def test_a_file_of_ours_that_is_left_over(tmp_path: Path) -> None:
    write([A, B], tmp_path)
    path = tmp_path / "b.py"
    diff = f"--- {path} (on disk)\n+++ {path} (generated)\n@@ -1,2 +0,0 @@\n-{OURS}-b = 2\n"
    assert compare([A], tmp_path) == (Drift(path, "left over", diff),)


def test_files_of_others_are_none_of_our_business(tmp_path: Path) -> None:
    write([A], tmp_path)
    (tmp_path / "mine.py").write_text("mine = 1\n")
    (tmp_path / "notes.txt").write_text(OURS)
    (tmp_path / "__init__.py").write_text("mine = 1\n")
    assert compare([A, File("__init__.py", OURS, yields=True)], tmp_path) == ()


@pytest.mark.parametrize(
    "present",
    [A.text.replace("\n", "\r\n"), A.text + "\n", A.text.rstrip("\n"), "\ufeff" + A.text, ""],
    ids=["line-ends", "more", "less", "mark", "empty"],
)
def test_each_byte_counts(tmp_path: Path, present: str) -> None:
    (tmp_path / "a.py").write_bytes(present.encode())
    assert [drift.kind for drift in compare([A], tmp_path)] == ["stale"]


def test_all_drifts_in_the_order_of_names(tmp_path: Path) -> None:
    write([File("c.py", OURS), File("b.py", OURS)], tmp_path)
    found = [(drift.path.name, drift.kind) for drift in compare([B, A], tmp_path)]
    assert found == [("a.py", "missing"), ("b.py", "stale"), ("c.py", "left over")]


def test_comparing_writes_nothing(tmp_path: Path) -> None:
    compare([A, B], tmp_path)
    assert _names(tmp_path) == []
