"""Python environments for the programs that judge our files, one for each folder of tests/ with a requirements.txt."""

import pathlib
import shutil
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent


def pinned_python(name: str, with_dependencies: bool = True) -> pathlib.Path:
    """The Python of build/venv-NAME, which has the packages of tests/NAME/requirements.txt and what they ask for.

    with_dependencies=False leaves out what they ask for and the tests do not use.
    """
    requirements = ROOT / "tests" / name / "requirements.txt"
    environment = ROOT / f"build/venv-{name}"
    python = environment / "bin/python"
    stamp = environment / "requirements.txt"
    if stamp.is_file() and stamp.read_bytes() == requirements.read_bytes():
        return python
    shutil.rmtree(environment, ignore_errors=True)
    subprocess.run([sys.executable, "-m", "venv", environment], check=True)
    install = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r", requirements]
    if not with_dependencies:
        install.insert(3, "--no-deps")
    subprocess.run([python, *install], check=True)
    shutil.copyfile(requirements, stamp)
    return python
