"""
Makes .venv with everything in it; run by make, with nothing but the standard library.

    Python >= 3.11 ──▶ .venv ──▶ locked dependencies ──▶ ourselves ──▶ Java if none ──▶ jars

Each step leaves a stamp with the hash of what it installed; a second run only compares stamps.
"""

import hashlib
import os
import re
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
VENV = os.path.join(ROOT, ".venv")
PYTHON = os.path.join(VENV, "bin", "python")
OLDEST = (3, 11)
VERSION = ".".join(map(str, sys.version_info[:2]))
PIP_FLAGS = ["--no-input", "--disable-pip-version-check", "--progress-bar", "off"]
LOCKED = ["--require-hashes", "--only-binary", ":all:", "--no-deps", "-r"]
QUESTION = "from streams.broker.java import find_java; find_java()"


def main():
    """Do what has not been done yet."""
    if sys.version_info < OLDEST:
        fail(f"Python {VERSION} is too old: run `make PYTHON=python3.12 demo`, or with any >= 3.11")
    make_venv()
    once("dependencies", [lock("dev")], install_dependencies)
    once("project", [os.path.join(ROOT, "pyproject.toml")], install_project)
    if not java_found():
        install_locked("java", "Java")
    run_visibly([PYTHON, "-m", "streams.broker", "fetch"], "Kafka's jars")


def make_venv():
    """Make .venv, anew when its Python is gone or too old; say where it is not the one that was asked for."""
    test = "import sys, pip; sys.exit(sys.version_info < (3, 11))"
    if os.path.exists(PYTHON) and quiet([PYTHON, "-c", test]):
        found = version_of(PYTHON)
        if found != VERSION:
            say(f".venv keeps Python {found}, not {VERSION}: to change it, run `make clean` first")
        return
    say(f"making .venv with Python {VERSION}")
    if not quiet([sys.executable, "-m", "venv", "--clear", VENV]):
        fail(
            "this Python cannot make a virtual environment: install its venv and ensurepip "
            "(Debian and Ubuntu: apt install python3-venv), then run again"
        )


def version_of(python):
    """Return the version of a Python, such as `3.11`."""
    show = "import sys; print('.'.join(map(str, sys.version_info[:2])))"
    return subprocess.check_output([python, "-c", show], text=True, cwd=ROOT).strip()


def once(step, files, work):
    """Run `work` unless it was done with just these files, in just this place."""
    digest = hashlib.sha256(ROOT.encode())
    for name in files:
        with open(name, "rb") as file:
            digest.update(file.read())
    stamp = os.path.join(VENV, "stamp-" + step)
    if read(stamp) != digest.hexdigest():
        work()
        with open(stamp, "w") as file:
            file.write(digest.hexdigest())


def install_dependencies():
    """Install the locked dependencies, hashes required, nothing built."""
    install_locked("dev", "dependencies")


def install_locked(name, what):
    """Install one lock."""
    with open(lock(name)) as file:
        total = sum(1 for line in file if re.match(r"\w", line))
    pip_install([*LOCKED, lock(name)], what, total)


def install_project():
    """Install ourselves, editable; the build backend comes from the lock too."""
    say("installing sluicegate")
    pip_install(["--no-deps", "--no-build-isolation", "-e", ROOT], "sluicegate", 0)


def pip_install(arguments, what, total):
    """Run pip; show a line now and then, and everything if it fails."""
    command = [PYTHON, "-m", "pip", "install", *PIP_FLAGS, *arguments]
    pip = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd=ROOT
    )
    said, count = [], 0
    for line in pip.stdout:
        said.append(line)
        if line.startswith("Collecting "):
            count += 1
            progress(what, count, total, line.split()[1])
        elif line.startswith("Installing collected"):
            say(f"{what}: installing")
    if pip.wait() != 0:
        sys.stderr.write("".join(said[-15:]))
        fail(f"pip could not install {what}: check the network, then run again")


def progress(what, count, total, name):
    """Say how far it is, at every tenth package."""
    if total and (count % 10 == 0 or count in (1, total)):
        say(f"{what}: {count} of {total}, {name.split('==')[0]}")


def java_found():
    """Whether a Java that can run Kafka is there; the program's own code decides."""
    return quiet([PYTHON, "-c", QUESTION])


def run_visibly(command, what):
    """Run a command that shows its own progress."""
    if subprocess.call(command, cwd=ROOT) != 0:
        fail(f"{what} could not be fetched: see above, then run again")


def quiet(command):
    """Whether a command succeeds; what it prints is dropped."""
    return (
        subprocess.call(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=ROOT)
        == 0
    )


def lock(name):
    """Return the path of a lock."""
    return os.path.join(ROOT, "requirements", name + ".txt")


def read(name):
    """Return a file's text, empty if there is none."""
    try:
        with open(name) as file:
            return file.read()
    except OSError:
        return ""


def say(text):
    """Print one line at once."""
    print(f"set-up: {text}", flush=True)


def fail(text):
    """End with one line."""
    sys.exit(f"error: {text}")


if __name__ == "__main__":
    main()
