"""What the command line shows of each task: what it is for, and commands to copy. Tests read each as invoke does."""

from __future__ import annotations

GROUPS: dict[str, tuple[str, ...]] = {
    "Begin": ("doctor", "bootstrap.bootstrap-all", "deploy", "connect"),
    "Look": ("status", "plan", "logs", "token", "verify", "watch", "trace", "console"),
    "Change": ("add-server", "remove-server", "push", "rollback", "rotate", "heal", "unlock", "destroy"),
    "Bootstrap, step by step": ("bootstrap.identity", "bootstrap.federation", "bootstrap.entra", "bootstrap.state"),
}

EXAMPLES: dict[str, list[tuple[str, str]]] = {
    "doctor": [
        ("invoke doctor", "this machine"),
        ("invoke doctor --env dev --json", "also sign-in, roles and names; for a machine"),
    ],
    "plan": [
        ("invoke plan", "both stages of the local platform"),
        ("invoke plan --env dev --stage 1", "one stage"),
        ("invoke plan --env dev --json", "every address, for a machine"),
    ],
    "deploy": [
        ("invoke deploy", "the platform on this machine"),
        ("invoke deploy --env dev --dry-run", "what it would run"),
        ("invoke deploy --env dev --yes", "in a pipeline"),
        ("invoke deploy --setting GATEWAY_PORT=9080", "where 8080 is taken"),
    ],
    "push": [
        ("invoke push --env dev", "every server's image"),
        ("invoke push --env dev --server mongodb", "one"),
    ],
    "status": [
        ("invoke status", "for a person"),
        ("invoke status --env dev --json", "for a machine; exit code 1 where it does not answer"),
    ],
    "token": [
        ("invoke token --as reader", "for a script"),
        ('curl -H "Authorization: Bearer $(invoke token)" …', "as the administrator"),
    ],
    "connect": [
        ("invoke connect --client vscode", "print it, or write it where you agree"),
        ("invoke connect --client cursor --write", "write it"),
        ("invoke connect --env dev --client claude", "for an environment on Azure"),
    ],
    "logs": [
        ("invoke logs", "the end of every log"),
        ("invoke logs --part gateway --follow", "one, as it grows"),
    ],
    "trace": [
        ("invoke trace", "recent requests at the local gateway"),
        ("invoke trace 6a594f1c", "one: by its X-Correlation-Id, or the beginning of it"),
        ("invoke trace --request 6a594f1c --json", "for a machine"),
    ],
    "watch": [
        ("invoke watch", "calls at the local gateway, as they happen"),
        ("invoke watch --env dev --json", "from Log Analytics, a JSON object per line"),
    ],
    "console": [("invoke console", "the address of the local platform's page")],
    "destroy": [
        ("invoke destroy", "the local platform, its processes and its state"),
        ("invoke destroy --env dev --dry-run", "what it would run"),
    ],
    "heal": [
        ("invoke heal", "what drifted locally"),
        ("invoke heal --env dev --dry-run", "what drifted on Azure, and nothing else"),
    ],
    "rollback": [("invoke rollback --env dev --server mongodb", "the digest that ran before")],
    "rotate": [("invoke rotate", "the local platform's"), ("invoke rotate --env dev --dry-run", "the steps on Azure")],
    "unlock": [("invoke unlock --env dev", "who holds it; ends it if you agree")],
    "verify": [
        ("invoke verify --env dev", "as whoever is signed in"),
        ("invoke verify --json", "for a machine"),
    ],
    "add-server": [
        ("invoke add-server release-notes", "one of your own: a folder and an entry"),
        ("invoke add-server clock --pypi mcp-server-time==2026.10.19", "one from PyPI"),
        ("invoke add-server notes --npm @modelcontextprotocol/server-memory@2026.8.31", "one from npm"),
        ("invoke add-server shop --openapi shop.json --operation listOrders --header X-Api-Key=SHOP_KEY", "a REST API"),
        ("invoke deploy", "then run it"),
    ],
    "remove-server": [
        ("invoke remove-server release-notes", "it runs until the next deploy"),
        ("invoke remove-server release-notes --dry-run", "what it would delete"),
    ],
    "gateway.check": [
        ("invoke gateway.check terraform/modules/apim/policies", "this project's policies"),
        ("invoke gateway.check policy.xml --json", "one of yours, for a machine"),
    ],
    "bootstrap.bootstrap-all": [
        ("invoke bootstrap --env dev --dry-run", "every command"),
        ("invoke bootstrap --env dev", "do it; again, and it changes nothing"),
        ("invoke bootstrap --env dev --without-pipeline", "you deploy from this machine"),
    ],
    "bootstrap.identity": [("invoke bootstrap.identity --env dev", "step 1 alone")],
    "bootstrap.federation": [
        ("invoke bootstrap.federation --env dev", "trust the service connection of Azure DevOps"),
        ("invoke bootstrap.federation --env dev --github OWNER/REPOSITORY", "trust GitHub Actions"),
    ],
    "bootstrap.entra": [("invoke bootstrap.entra --env dev --minimal", "the least that the pipeline needs")],
    "bootstrap.state": [("invoke bootstrap.state --env dev", "step 3 alone")],
}
