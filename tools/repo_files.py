"""The files of the repository as the checks see them: tracked or new, never ignored ones.

Shared by tools/check_*. A folder that is no git checkout (a release archive, the scratch folder of a self-test)
is walked instead, without the folders that the build makes.
"""

import os
import pathlib
import subprocess

BUILT_FOLDERS = {".git", "build", ".cache", "out", "node_modules", "__pycache__"}
CODE_SUFFIXES = (".cpp", ".h")


def repository_root() -> pathlib.Path:
    return pathlib.Path(__file__).resolve().parent.parent


def files_by_git(root: pathlib.Path) -> list[str] | None:
    """Paths relative to root, or None where git cannot tell."""
    if not (root / ".git").exists():
        return None
    command = ["git", "-c", f"safe.directory={root}", "-C", str(root)]
    command += ["ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    try:
        answer = subprocess.run(command, capture_output=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    return [os.fsdecode(name) for name in answer.stdout.split(b"\0") if name]


def files_by_walking(root: pathlib.Path) -> list[str]:
    names = []
    for folder, subfolders, files in os.walk(root):
        subfolders[:] = [name for name in subfolders if name not in BUILT_FOLDERS]
        names += [os.path.relpath(os.path.join(folder, name), root) for name in files]
    return names


def repository_files(root: pathlib.Path, suffixes: tuple[str, ...] = ()) -> list[str]:
    """Sorted paths relative to root of the files that exist and end in one of the suffixes (all: no suffixes)."""
    names = files_by_git(root)
    if names is None:
        names = files_by_walking(root)
    wanted = {name for name in names if not suffixes or name.endswith(suffixes)}
    return sorted(name for name in wanted if (root / name).is_file())
