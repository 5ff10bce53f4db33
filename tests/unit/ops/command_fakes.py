"""Stand-ins for `terraform`, `az` and `docker`: programs that note each call and answer from a small made-up cloud.

`python command_fakes.py FOLDER PROGRAM ARGUMENT…`. FOLDER holds `cloud.json` and the log `calls.jsonl`. Nothing of the
project is imported: it starts often, and has to start fast.

The cloud: `groups` are the container groups that stage 2's plan replaces, `others` what it updates, `drift` what was
changed by hand, `stage1` whether stage 1 has changes, `locks` lock ids by state. `keys` are the database's by kind and
`stored` those that Terraform stored; `all_groups` use the key `active`, until `active_key` of the files is another.
"""

import base64
import json
import re
import sys
from pathlib import Path

OUTPUTS = {"public_base_url": "", "endpoints": {}, "authority": "", "tenant_id": "", "scope": "", "client_ids": {}}
SECRET = "azurerm_key_vault_secret.key"
#: What az answers to a command that begins so; the longest that fits.
ANSWERS = {
    "account show": {"id": "00000000-0000-4000-8000-000000000001", "user": {"type": "user", "name": "ada"}},
    "ad signed-in-user show": "${MY_OBJECT_ID}",
    "role assignment list": [],
    "keyvault secret list": [],
    "container show": "Running",
}


class Cloud:
    def __init__(self, folder: Path) -> None:
        self.file, self.log = folder / "cloud.json", folder / "calls.jsonl"
        self.state = json.loads(self.file.read_text(encoding="utf-8"))

    def call(self, program: str, words: list[str]) -> int:
        with self.log.open("a", encoding="utf-8") as log:
            log.write(json.dumps([program, *words]) + "\n")
        code = {"terraform": self.terraform, "az": self.az, "docker": self.docker}[program](words)
        self.file.write_text(json.dumps(self.state), encoding="utf-8")
        return code

    def terraform(self, words: list[str]) -> int:
        stage, verb, *options = words
        if verb == "plan":
            return self._plan("stage2" in stage, options)
        if verb == "apply":
            self._apply(json.loads(Path(options[-1]).read_text(encoding="utf-8")))
        if verb == "show":
            _answer(self._shown(options))
        if verb == "force-unlock":
            self.state["locks"] = {name: id_ for name, id_ in self.state["locks"].items() if id_ != options[-1]}
        return 0

    def _apply(self, done: dict[str, str]) -> None:
        for kind in ("groups", "others", "drift"):
            self.state[kind] = [address for address in self.state[kind] if address not in done]
        if SECRET in done:
            self.state["stored"] = dict(self.state["keys"])

    def _follow_files(self, var_file: str) -> None:
        """What the files and the keys ask for, where the test is about keys."""
        found = re.search(r'active_key *= *"(\w+)"', Path(var_file).read_text(encoding="utf-8"))
        wanted = found.group(1) if found else "primary"
        if wanted != self.state["active"]:
            self.state["active"], self.state["groups"] = wanted, self.state["all_groups"]
        if self.state["keys"] != self.state["stored"]:
            self.state["others"] = [SECRET]

    def _plan(self, is_stage2: bool, options: list[str]) -> int:
        given = dict(option.split("=", 1) for option in options if "=" in option and not option.startswith("-target"))
        if is_stage2:
            self._follow_files(given["-var-file"])
        targets = [option.partition("=")[2] for option in options if option.startswith("-target=")]
        actions = dict.fromkeys(self.state["groups"], "replace") | dict.fromkeys(self.state["others"], "update")
        drift = self.state["drift"]
        if "-destroy" in options:
            actions, drift = {"module.x.azurerm_x.y": "delete"}, []
        elif not is_stage2:
            actions, drift = ({"module.x.azurerm_x.y": "create"} if self.state["stage1"] else {}), []
        if targets:
            actions = {a: action for a, action in actions.items() if any(a.startswith(f"{t}.") for t in targets)}
        Path(given["-out"]).write_text(json.dumps(actions), encoding="utf-8")
        for address, action in actions.items():
            _say("planned_change", address, action)
        for address in drift:
            _say("resource_drift", address, "update")
        return 2 if actions else 0

    def _shown(self, options: list[str]) -> dict[str, object]:
        if options[-1] != "-json":  # a saved plan: what it does is its comparison
            actions = json.loads(Path(options[-1]).read_text(encoding="utf-8"))
            changes = {a: {"actions": [action], "before": None, "after": {}} for a, action in actions.items()}
            return {"resource_changes": [{"address": a, "change": change} for a, change in changes.items()]}
        keys = {f"{name.replace('R', '_r')}_key": str(value) for name, value in self.state["keys"].items()}
        account = {"address": "a.b", "type": "azurerm_cosmosdb_account", "name": "b", "mode": "managed", "values": keys}
        module = {"resources": [account], "child_modules": [{}]}
        return {"values": {"outputs": {name: {"value": v} for name, v in OUTPUTS.items()}, "root_module": module}}

    def az(self, words: list[str]) -> int:
        text = " ".join(words)
        if text.startswith("cosmosdb keys regenerate"):
            kind = words[words.index("--key-kind") + 1]
            self.state["keys"][kind] += 1
            return 0
        if text.startswith("storage blob upload"):
            self.state["blob"] = Path(words[words.index("--file") + 1]).read_text(encoding="utf-8")
        if text.startswith("storage blob download"):
            Path(words[words.index("--file") + 1]).write_text(self.state["blob"], encoding="utf-8")
        if text.startswith("storage blob metadata show"):
            id_ = self.state["locks"].get(words[words.index("--name") + 1])
            lock = {"ID": id_, "Who": "ada@elsewhere", "Operation": "OperationTypeApply", "Created": "2026-11-23"}
            encoded = base64.b64encode(json.dumps(lock).encode()).decode()
            _answer({"terraformlockid": encoded} if id_ else {})
            return 0
        if text.startswith("acr repository show"):
            named = words[words.index("--image") + 1].partition("@")[2]
            _answer({"digest": named or "sha256:" + "d" * 64})
            return 0
        fitting = [answer for words_, answer in ANSWERS.items() if text.startswith(words_)]
        if fitting:
            _answer(fitting[0])
        return 0

    def docker(self, words: list[str]) -> int:
        if "--metadata-file" in words:
            found = {"buildx.build.provenance": {"buildType": "buildkit"}}
            Path(words[words.index("--metadata-file") + 1]).write_text(json.dumps(found), encoding="utf-8")
        return 0


def _say(kind: str, address: str, action: str) -> None:
    _answer({"type": kind, "change": {"resource": {"addr": address}, "action": action}})


def _answer(value: object) -> None:
    sys.stdout.write(json.dumps(value) + "\n")


if __name__ == "__main__":
    sys.exit(Cloud(Path(sys.argv[1])).call(sys.argv[2], sys.argv[3:]))
