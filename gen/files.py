"""Files → disk, whole or not at all; and disk compared with what it should be.

In: files and a folder. Out: what was written, or how the folder differs. A file appears
under its name only once it is complete, so that nobody reads half of it, and one that
would not change is left alone.
"""

from __future__ import annotations

import contextlib
import difflib
import os
import tempfile
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gen.errors import GenError
from gen.provenance import function_of, is_generated

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from gen.model import File


@dataclass(frozen=True, slots=True)
class Written:
    """One file, and whether it had to be written."""

    path: Path
    changed: bool


@dataclass(frozen=True, slots=True)
class Drift:
    """One file that is not what it should be."""

    path: Path
    kind: str  # "missing", "stale" (or edited by hand), "left over"
    diff: str  # unified, from what is there to what should be


def write(files: Iterable[File], folder: Path) -> tuple[Written, ...]:
    """Write the files into `folder`, which is made if need be.

    Raises:
        GenError: where a file that is not ours would be overwritten, or the disk refuses.
            Nothing has been written then, unless the disk took all files and refused to
            give one of them its name; those before it have theirs.
    """
    wanted = [file for file in _distinct(files) if not _kept(file, folder)]
    present = {file.name: _read(folder / file.name) for file in wanted}
    for file in wanted:
        text = present[file.name]
        if text is not None and not is_generated(text):
            raise GenError(
                f"{folder / file.name} was not written by gen; move it away, or choose "
                "another place with -o"
            )
        made_for = function_of(text) if text is not None else None
        if made_for not in (None, function_of(file.text)):
            raise GenError(
                f"{folder / file.name} holds {made_for}, which would be lost; delete it, or "
                "choose another name"
            )
    _place([(folder / file.name, file.text) for file in wanted if present[file.name] != file.text])
    return tuple(Written(folder / one.name, present[one.name] != one.text) for one in wanted)


def compare(files: Iterable[File], folder: Path) -> tuple[Drift, ...]:
    """How `folder` differs from holding exactly these files, and no others of ours."""
    wanted = {file.name: file.text for file in _distinct(files) if not _kept(file, folder)}
    drifts = [_drift(folder / name, text) for name, text in sorted(wanted.items())]
    if folder.is_dir():
        for path in sorted(folder.glob("*.py")):
            text = _read(path) if path.is_file() else None
            if path.name not in wanted and text is not None and is_generated(text):
                drifts.append(Drift(path, "left over", _diff(path, text, "")))
    return tuple(drift for drift in drifts if drift is not None)


def _distinct(files: Iterable[File]) -> list[File]:
    """The files, of which no two may have the same name."""
    found: dict[str, File] = {}
    for file in files:
        if file.name in found:
            raise GenError(f"two files would be written to {file.name}; rename one of them")
        found[file.name] = file
    return list(found.values())


def _kept(file: File, folder: Path) -> bool:
    """Whether a file of the user's own stands where this one would."""
    present = _read(folder / file.name) if file.yields else None
    return present is not None and not is_generated(present)


def _drift(path: Path, text: str) -> Drift | None:
    present = _read(path)
    if present == text:
        return None
    kind = "missing" if present is None else "stale"
    return Drift(path, kind, _diff(path, present or "", text))


def _diff(path: Path, present: str, wanted: str) -> str:
    lines = difflib.unified_diff(
        present.splitlines(keepends=True),
        wanted.splitlines(keepends=True),
        fromfile=f"{path} (on disk)",
        tofile=f"{path} (generated)",
    )
    return "".join(line if line.endswith("\n") else f"{line}\n" for line in lines)


def _read(path: Path) -> str | None:
    """The text of a file, None where there is none; line ends as they are."""
    try:
        return path.read_bytes().decode("utf-8", errors="replace")
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as fault:  # ValueError: a null byte in the path
        raise GenError(f"{path} cannot be read: {fault}") from None


def _place(texts: list[tuple[Path, str]]) -> None:
    """Write every text beside its place first; only then give each its name."""
    ready: list[tuple[str, Path]] = []
    try:
        for path, text in texts:
            path.parent.mkdir(parents=True, exist_ok=True)
            ready.append((_beside(path, text), path))
        while ready:
            temporary, path = ready[0]
            os.replace(temporary, path)
            ready.pop(0)
    except OSError as fault:
        raise GenError(
            f"{fault.filename or 'the disk'} cannot be written: {fault.strerror}"
        ) from None
    finally:
        for temporary, _ in ready:
            with contextlib.suppress(OSError):
                os.unlink(temporary)


def _beside(path: Path, text: str) -> str:
    """A temporary file in the folder of `path`, complete and on disk."""
    descriptor, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(text.encode("utf-8"))
            file.flush()
            os.fsync(file.fileno())
        os.chmod(name, 0o644)
    except OSError:
        with contextlib.suppress(OSError):
            os.unlink(name)
        raise
    return name
