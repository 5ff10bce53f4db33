"""Plain Python behind the Invoke tasks, a package per topic. Each imports only those above it.

errors.py           what is raised: one sentence each, and the exit code
config/             environments, settings, terraform.tfvars, mcp_servers, the lock of one run at a time
cli/                tasks and their options, help, output; steps that run or are printed (--dry-run)
azure/              the Azure CLI, and what it refuses
local_platform.py   the platform on this machine: ports, starting it
terraform/          the binary, the workspace, plans, saved plans, plans as JSON, the active key
images/             which images there are, building and pushing them, images.json, SBOM and provenance
clients/            the deployed platform's addresses, access tokens, configuration of MCP clients
checks/             doctor, status, smoke test, verify, policy files
observe/            logs, policy traces, calls as they happen
rollout/            plan, deploy, rolling update, rollback, heal, rotate, unlock, destroy
servers/            adding a server, from templates/
bootstrap/          steps 1 to 3: identity, federation, Entra permissions, state storage
"""
