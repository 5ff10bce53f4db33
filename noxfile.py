"""The gates. A session, its folder of tests and its pipeline step share one name: `nox -s plan` runs tests/plan.

Sessions install hash-pinned locks and nothing else: requirements/dev.txt, and beside it policy.txt and az.txt, whose
libraries clash with it. What a session needs from the project itself (plan documents, the Terraform binary) it asks of
`ops`, run by the interpreter that runs Nox.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import nox

nox.needs_version = ">=2026.10"
nox.options.default_venv_backend = "uv|virtualenv"
nox.options.reuse_venv = "yes"
nox.options.sessions = ["lint", "unit", "emulators", "plan", "policy", "integration"]
nox.options.error_on_missing_interpreters = True

PYTHON_SOURCES = ["noxfile.py", "tasks.py", "ops", "twin", "emulators", "servers", "policies", "tests", "tools"]
TYPED_SOURCES = [
    "tasks.py",
    "ops",
    "twin",
    "emulators",
    "servers/gateway-auth/src",
    "servers/mongo-db-server/src",
    "tools",
]
ENVIRONMENTS = sorted(path.parent.name for path in Path("terraform/environments").glob("*/terraform.tfvars"))
STAGES = [1, 2]
RESULTS = Path("results")
# What a small machine bears; `-- -n 0` runs in one process. xdist would begin with the files of the most tests, and end
# with the few long ones on one worker.
TWO_WORKERS = ["-n", "2", "--dist", "loadfile", "--no-loadscope-reorder"]
SERVER = Path("servers/mongo-db-server")
SERVER_SOURCES = os.pathsep.join(str(folder.resolve()) for folder in sorted(Path("servers").glob("*/src")))
DEPENDED_ON_BY_EMULATORS = ("emulators", "requirements", "requirements.txt", "pyproject.toml", "noxfile.py")


def install(session: nox.Session, name: str) -> None:
    """Install one lock; where a person waits, uv shows how far it is."""
    session.install("--require-hashes", "-r", f"requirements/{name}.txt", silent=not sys.stdout.isatty())


def pytest(session: nox.Session, *arguments: str) -> None:
    """Run the folders named; results also as JUnit for the pipeline.

    Arguments after `--` go to pytest; a path among them is run instead of the session's own folders.
    """
    if any(Path(argument.partition("::")[0]).exists() for argument in session.posargs):
        arguments = tuple(argument for argument in arguments if not Path(argument).exists())
    RESULTS.mkdir(exist_ok=True)
    session.run(
        "pytest",
        f"--junitxml={RESULTS}/{session.name}.xml",
        "-ra",
        *arguments,
        *session.posargs,
    )


def terraform(session: nox.Session) -> str:
    """Path of a Terraform that the project accepts; fetched into .tools/ where the machine has none."""
    found = subprocess.run([sys.executable, "-m", "ops.terraform.binary"], capture_output=True, text=True, check=False)
    if found.returncode:
        session.error(found.stderr.strip())
    return found.stdout.strip()


# The checks of `lint`, by name: all of them, or those named after `--`. .pre-commit-config.yaml runs the same, by name.
LINT = {
    "ruff-check": ["ruff", "check", *PYTHON_SOURCES],
    "ruff-format": ["ruff", "format", "--check", *PYTHON_SOURCES],
    "mypy": ["mypy", *TYPED_SOURCES],
    "terraform-fmt": ["terraform", "fmt", "-check", "-recursive", "-diff", "terraform"],
    "codespell": ["codespell"],
    # What is under "low" is a matter of taste, such as one spelling of a path for another.
    "zizmor": [
        "zizmor",
        "--offline",
        "--no-progress",
        "--min-severity",
        "medium",
        ".github",
        "emulators/apim/action.yml",
    ],
}


@nox.session
def lint(session: nox.Session) -> None:
    """Formatting, lint, strict types, spelling, `terraform fmt`, and the workflows' security. `-- mypy` for one."""
    if unknown := sorted(set(session.posargs) - set(LINT)):
        session.error(f"{', '.join(unknown)}: no check of lint; there are {', '.join(LINT)}")
    install(session, "dev")
    for name in session.posargs or LINT:
        program, *arguments = LINT[name]
        if program == "terraform":
            session.run(terraform(session), *arguments, external=True)
        else:
            session.run(program, *arguments)


@nox.session
def unit(session: nox.Session) -> None:
    """Tests without sockets: the tasks, the local platform, and each server's own."""
    install(session, "dev")
    servers = sorted(str(folder) for folder in Path("servers").glob("*/tests"))
    pytest(session, "tests/unit", *servers, *TWO_WORKERS)


def pull_request_target() -> str:
    """The branch that a pull request goes to; empty where this is not the pipeline of one.

    Azure DevOps ("Use predefined variables"), GitHub ("Variables reference") and Jenkins ("Global Variable Reference",
    Branch API plug-in) each say it to every step, under a name of their own.
    """
    names = ("SYSTEM_PULLREQUEST_TARGETBRANCH", "GITHUB_BASE_REF", "CHANGE_TARGET")
    return next((os.environ[name] for name in names if os.environ.get(name)), "").removeprefix("refs/heads/")


def changed(target: str, paths: Sequence[str]) -> list[str] | None:
    """What a pull request to `target` changes below `paths`; None where git cannot compare, as in a shallow clone."""
    command = ["git", "diff", "--name-only", f"origin/{target}...HEAD", "--", *paths]
    found = subprocess.run(command, capture_output=True, text=True, check=False)
    return None if found.returncode else found.stdout.splitlines()


@nox.session
def emulators(session: nox.Session) -> None:
    """Each emulator's own tests, with real clients: PyMongo, Terraform, MSAL. `-- emulators/apim` for one.

    In the pipeline of a pull request that changes nothing they depend on, they are skipped.
    """
    if target := pull_request_target():
        found = changed(target, DEPENDED_ON_BY_EMULATORS)
        if found == []:
            session.skip(f"no change against {target} in {', '.join(DEPENDED_ON_BY_EMULATORS)}")
        session.log(f"changed against {target}: {', '.join(found)}" if found else f"git cannot compare with {target}")
    install(session, "dev")
    pytest(session, "emulators", *TWO_WORKERS)


@nox.session
def plan(session: nox.Session) -> None:
    """Plans of modules and stages, compared with what matters about them."""
    install(session, "dev")
    pytest(session, "tests/plan", *TWO_WORKERS)


def checkov(session: nox.Session, name: str, *arguments: str) -> None:
    """Built-in Azure checks and ours; exceptions stand inline in the code. Findings also as SARIF and JUnit.

    Findings end the session in tests.policy.reports, when both runs are written; without its files it fails too.
    """
    written = [RESULTS / f"{name}.sarif", RESULTS / f"{name}.xml"]
    for path in written:
        path.unlink(missing_ok=True)
    session.run(
        "checkov", "--quiet", "--compact", "--skip-download", "--external-checks-dir", "policies",
        "--output", "cli", "--output", "sarif", "--output", "junitxml",
        "--output-file-path", ",".join(["console", *map(str, written)]), *arguments,
        success_codes=[0, 1],
    )  # fmt: skip


@nox.session
def policy(session: nox.Session) -> None:
    """Checkov on the code and on the plans, then the policies' own tests. `-- --controls`: write docs/controls.md."""
    install(session, "policy")
    if "--controls" in session.posargs:
        session.run("python", "-m", "tests.policy.controls")
        return
    plans = RESULTS / "plans"
    made = [sys.executable, "-m", "ops.terraform.plan_json", "--env", *ENVIRONMENTS, "--out", str(plans)]
    session.run(*made, external=True)
    documents = [str(plans / f"{name}-stage{stage}.json") for name in ENVIRONMENTS for stage in STAGES]
    session.run(sys.executable, "-m", "tests.policy.plans", external=True)
    pytest(session, "tests/policy")
    checkov(session, "policy-code", "--directory", "terraform", "--framework", "terraform")
    checkov(
        session, "policy-plans", "--file", *documents, "--framework", "terraform_plan",
        "--repo-root-for-plan-enrichment", "terraform",
        # Raises on a plan without replicas; it is judged on the code, where its exception stands with its reason.
        "--skip-check", "CKV_AZURE_233",
    )  # fmt: skip
    session.run("python", "-m", "tests.policy.reports", str(RESULTS))


@nox.session
def integration(session: nox.Session) -> None:
    """Real Terraform, real HTTP, real MCP clients, real tokens, against a twin on free ports. `-- --env dev`: Azure."""
    install(session, "dev")
    pytest(session, "tests/integration", *TWO_WORKERS)


@nox.session
def servers(session: nox.Session) -> None:
    """A server from each source and the gallery's, added to a fresh clone: called as two roles, gates green. Needs npm.

    The gates that it runs in the clone are these sessions, in the environments of this checkout.
    """
    if shutil.which("npm") is None:
        session.error("npm is not installed, and half of the gallery is on its registry: install Node.js 20 or later")
    install(session, "dev")
    pytest(session, "tests/servers")


@nox.session
def changes(session: nox.Session) -> None:
    """What a team changes in its first year: applied to production's values and taken back, and live under load."""
    install(session, "dev")
    pytest(session, "tests/changes", *TWO_WORKERS)


@nox.session
def conformance(session: nox.Session) -> None:
    """MCP's conformance suite, VS Code's gallery, clients that sign in by a browser. Needs npm; brings its Node."""
    if shutil.which("npm") is None:
        session.error(
            "npm is not installed, and the conformance suite comes from its registry: install Node.js 20 or later"
        )
    need_chromium(session)
    install(session, "dev")
    for folder in ("tests/conformance", "tests/conformance/gallery"):
        with session.chdir(folder):
            session.run("npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error", external=True)
    pytest(session, "tests/conformance")


def need_packages(session: nox.Session, missing: Sequence[str]) -> None:
    """Installs Debian packages where that can be done; elsewhere the session says what it lacks."""
    if not missing:
        return
    if sys.platform != "linux" or os.geteuid() != 0 or shutil.which("apt-get") is None:
        session.error(f"{', '.join(missing)} must be installed; this session does it itself only as root on Debian")
    session.run("apt-get", "update", "-q", external=True)
    install_missing = ["apt-get", "install", "-q", "-y", "--no-install-recommends", *missing]
    session.run(*install_missing, external=True, env={"DEBIAN_FRONTEND": "noninteractive"})


def need_chromium(session: nox.Session) -> None:
    """CHROMIUM, or what the system has, or Debian's; with a font, as a page without one measures and shows nothing."""
    names = (os.environ.get("CHROMIUM", ""), "chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
    if not any(shutil.which(name) for name in names if name):
        need_packages(session, ["chromium", "fonts-dejavu-core"])


def install_azure_cli(session: nox.Session) -> str:
    """Its folder of programs. It pins many libraries tightly, as Checkov does: an environment of its own."""
    home = Path(session.create_tmp()) / "azure-cli"
    session.run("uv", "venv", "--quiet", "--allow-existing", "--python", sys.executable, str(home))
    python = home / "bin" / "python"
    session.run(
        "uv", "pip", "install", "-q", "--compile-bytecode", "--python", str(python), "--require-hashes",
        "-r", "requirements/az.txt",
    )  # fmt: skip
    return str(home.resolve() / "bin")


@nox.session
def az(session: nox.Session) -> None:
    """The real Azure CLI against the local control plane, with Azurite for blobs. Needs npm for Azurite."""
    if shutil.which("npm") is None:
        session.error("npm is not installed, and Azurite comes from its registry: install Node.js 20 or later")
    install(session, "dev")
    azure_cli = install_azure_cli(session)
    with session.chdir("tests/az"):
        session.run("npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error", external=True)
    azurite = Path("tests/az/node_modules/.bin").resolve()
    path = os.pathsep.join([azure_cli, str(azurite), os.environ["PATH"]])
    session.env["PATH"] = path
    pytest(session, "tests/az", *TWO_WORKERS)  # each has a control plane of its own


@nox.session
def image(session: nox.Session) -> None:
    """The server's image in a Docker engine of its own: built, closed, pushed, deployed by digest. Needs root."""
    programs = {
        **{name: name for name in ("docker-registry", "debootstrap")},
        **{"dockerd": "docker.io", "busybox": "busybox-static"},
    }
    if sys.platform != "linux" or os.geteuid() != 0:
        session.error("a Docker engine of its own needs Linux and root: run this in a container or on a CI agent")
    need_packages(session, [package for program, package in programs.items() if shutil.which(program) is None])
    install(session, "dev")
    session.env["PATH"] = os.pathsep.join([install_azure_cli(session), os.environ["PATH"]])
    pytest(session, "tests/image")


@nox.session
def newcomer(session: nox.Session) -> None:
    """Follows the README from a fresh clone with nothing cached, and times each command. `-- --without nox`."""
    session.run("python", "-m", "tools.newcomer", *session.posargs)


@nox.session
def captures(session: nox.Session) -> None:
    """What each task shows on a terminal of 80 and of 120 columns, as SVG in results/captures, from a real run."""
    session.run(sys.executable, "-m", "tools.captures", *session.posargs, external=True)


@nox.session
def pipelines(session: nox.Session) -> None:
    """The pipelines: published schemas, a linted Jenkinsfile, and their steps run in clean clones against a twin."""
    install(session, "dev")
    pytest(session, "tests/pipelines")


@nox.session
def browser(session: nox.Session) -> None:
    """The local platform's page in headless Chromium, installed where it is missing; screenshots in results/browser."""
    need_chromium(session)
    install(session, "dev")
    pytest(session, "tests/browser")


@nox.session
def mutation(session: nox.Session) -> None:
    """Breaks the infrastructure in one way after the other; a gate has to notice each. `-- --only ID`, `-- --write`.

    Without arguments some are deployed first, as by a person who edits and tries: the deployment says what broke.
    """
    install(session, "dev")
    if not session.posargs:
        pytest(session, "tests/mutation")
    home = Path(session.create_tmp()) / "checkov"  # its libraries clash with ours
    session.run("uv", "venv", "--quiet", "--allow-existing", "--python", sys.executable, str(home))
    python = home / "bin" / "python"
    session.run(
        "uv", "pip", "install", "-q", "--python", str(python), "--require-hashes", "-r", "requirements/policy.txt"
    )
    session.run("python", "-m", "tools.mutation", "--checkov", str(home / "bin" / "checkov"), *session.posargs)


@nox.session
def rules(session: nox.Session) -> None:
    """Takes away what enforces each rule of Azure's, in a copy, and sees its test fail; `-- ID …` for some of them."""
    install(session, "dev")
    session.run("python", "-m", "tools.azure_rules", "--prove", *session.posargs)


@nox.session
def docs(session: nox.Session) -> None:
    """The pages, as a site in site/; a link that leads nowhere fails."""
    install(session, "dev")
    gathered = RESULTS / "docs"
    session.run(sys.executable, "-m", "tools.pages.gather", str(gathered), external=True)
    session.run("zensical", "build", "--strict", "--clean", "--config-file", str(gathered / "zensical.toml"))
    shutil.rmtree("site", ignore_errors=True)
    shutil.copytree(gathered / "site", "site")


@nox.session
def fuzz(session: nox.Session) -> None:
    """50,000 generated calls of every tool of the MCP server; `-- COUNT`, `-- --seed N` for the same calls again.

    `-- policies [COUNT] [--seed N]`: 20,000 mutated policies, checked and run by the policy emulator; `-- members`:
    50,000 calls of the members of its expressions, with values at the edges of their types.
    """
    install(session, "dev")
    session.run("python", "-m", "tools.fuzz", *session.posargs, env={"PYTHONPATH": SERVER_SOURCES})


@nox.session
def soak(session: nox.Session) -> None:
    """Ten minutes of calls while the database dies three times and its disk is full once; `-- SECONDS` for less."""
    install(session, "dev")
    session.run("python", "-m", "tools.soak", *session.posargs, env={"PYTHONPATH": SERVER_SOURCES})


@nox.session
def faults(session: nox.Session) -> None:
    """Breaks each part of a platform under load, then the worst two at once; `-- NAME` for one, `-- --list` for names.

    `-- --write`: the table into docs/reliability.md.
    """
    install(session, "dev")
    session.run("python", "-m", "tools.faults", *session.posargs)


@nox.session(requires=["docs"])
def pages(session: nox.Session) -> None:
    """Every page in headless Chromium, light and dark, wide and narrow; pictures in results/pages."""
    need_chromium(session)
    session.run("python", "-m", "tools.pages", "site", *session.posargs)


@nox.session
def bench(session: nox.Session) -> None:
    """Side-by-side measurements, printed as tables; `-- mcp_server` for one. Never a gate: the machine decides."""
    install(session, "dev")
    scripts = [path.stem.removeprefix("bench_") for path in sorted(Path("tools/benchmarks").glob("bench_*.py"))]
    named = [name for name in session.posargs if name in scripts]
    arguments = [argument for argument in session.posargs if argument not in scripts]
    for name in named or scripts:
        session.run("python", "-m", f"tools.benchmarks.bench_{name}", *arguments)


@nox.session
def judge(session: nox.Session) -> None:
    """The MongoDB emulator on a public suite that a MongoDB has checked: `-- PATH` or JUDGE_SUITE names a checkout.

    Without either the pinned commit is fetched. What the suite needs itself is in the dev lock. `-- --write`: the
    counts into tools/judge/baseline.json, which may only improve.
    """
    install(session, "dev")
    session.run("python", "-m", "tools.judge", *session.posargs)


@nox.session
def wheels(session: nox.Session) -> None:
    """Wheel and source of each package in servers/ and emulators/, into dist/, with the locked build backend."""
    install(session, "dev")
    for project in sorted([*Path("servers").glob("*/pyproject.toml"), *Path("emulators").glob("*/pyproject.toml")]):
        if "[build-system]" not in project.read_text(encoding="utf-8"):
            continue  # a server that somebody else publishes: no code is here
        session.run(
            "uv", "build", "--out-dir", "dist", "--require-hashes", "--build-constraint", "requirements/dev.txt",
            str(project.parent),
        )  # fmt: skip


@nox.session
def lock(session: nox.Session) -> None:
    """Compiles every lock again: names, extras, versions and hashes, and no registry address. `-- --upgrade`."""
    install(session, "dev")
    upgrade = ["--upgrade"] if "--upgrade" in session.posargs else []
    compile_ = [
        "uv", "pip", "compile", "-q", "--universal", "--generate-hashes", "--no-strip-extras", "--no-header", *upgrade
    ]  # fmt: skip
    session.run(*compile_, "pyproject.toml", "-o", "requirements.txt")
    session.run(*compile_, "pyproject.toml", "--group", "dev", "-o", "requirements/dev.txt")
    for name in ("policy", "az"):
        session.run(*compile_, "--group", name, "-o", f"requirements/{name}.txt")
    # What servers and the policy emulator need of this repository is a folder beside them and never a registry's.
    apart = {path.parent: "gateway-auth" for path in sorted(Path("servers").glob("*/requirements.txt"))}
    apart[Path("emulators/apim")] = "emulators-base"
    for folder, own in apart.items():
        with session.chdir(folder):
            wanted = ["--all-extras", "--no-emit-package", own, "pyproject.toml", "-o", "requirements.txt"]
            session.run(*compile_, *wanted)
    locks = [
        "requirements.txt",
        *map(str, Path("requirements").glob("*.txt")),
        *(f"{folder}/requirements.txt" for folder in apart),
    ]
    session.run("python", "-m", "tools.locks", *locks)
