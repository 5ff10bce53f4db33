"""What Resource Manager, Microsoft Graph, Azure DevOps and data planes refuse, as bootstrap and pipelines meet it."""

from __future__ import annotations

from emulators.base.rules import Edit, Rule

TESTS = "emulators/arm/tests"
PRIVILEGED = "“Azure built-in roles for Privileged”, 2026-07-01"
GROUP = "azuread 3.9 `docs/resources/group.md`, “API Permissions”"
PIPELINES = "tests/unit/pipelines/test_agent.py"

RULES: tuple[Rule, ...] = (
    Rule(
        "service-connections-are-created-at-the-organisation",
        "A service connection is created by POST below the organisation; below a project, POST refreshes existing ones "
        "and wants `endpointIds`.",
        "“Endpoints - Create” and “Endpoints - Get Service Endpoints With Refreshed Authentication”, Azure DevOps 7.1",
        "documented",
        "emulators/arm",
        f"{TESTS}/test_devops.py::test_below_a_project_nothing_is_created",
        edits=(
            Edit(
                "emulators/arm/services/devops.py",
                '    _organisation(cloud, call).project(call["project"])\n    if not call.query.get("endpointIds"):',
                '    return create_connection(cloud, call)\n    if not call.query.get("endpointIds"):',
            ),
        ),
    ),
    Rule(
        "locks-need-a-role-of-their-own",
        "Contributor and Role Based Access Control Administrator make no management lock; Owner, User Access "
        "Administrator and Locks Contributor do.",
        PRIVILEGED,
        "documented",
        "emulators/arm at each operation of an apply",
        f"{TESTS}/test_operations.py::test_contributor_and_the_narrower_role_make_no_lock",
        edits=(
            Edit(
                "emulators/arm/roles.py",
                '            "Microsoft.Authorization/*/Write",\n',
                "",
            ),
        ),
    ),
    Rule(
        "who-deploys-is-asked-at-each-operation",
        "Each operation of an apply needs an action of Resource Manager, or a permission of Graph, that the deployer "
        "holds.",
        "“Azure permissions” by service; azurerm 5.2.0 and azuread 3.9.0, the requests of each resource type",
        "documented",
        "emulators/arm at each operation of an apply, for all that `invoke bootstrap` gives",
        f"{TESTS}/test_operations.py::test_a_reader_reads_no_keys_and_changes_nothing",
        off=("emulators.arm.operations.authorize",),
    ),
    Rule(
        "owners-who-are-people-are-looked-up",
        "A group or application with people as owners needs User.Read.All or Directory.Read.All: the provider reads "
        "each owner but the caller.",
        f"{GROUP}; `internal/services/groups/group_resource.go`",
        "provider source",
        "emulators/arm at each operation of an apply",
        f"{TESTS}/test_operations.py::test_an_owner_who_is_a_person_is_looked_up",
        edits=(
            Edit(
                "emulators/arm/operations.py",
                'if verb in ("create", "update") and any(owner in cloud.tenant.users for owner in owners):',
                "if verb in () and any(owner in cloud.tenant.users for owner in owners):",
            ),
        ),
    ),
    Rule(
        "group-create-lists-no-groups",
        "Group.Create makes groups and lists none, so `prevent_duplicate_names` is refused to whoever holds no more.",
        f"“List groups”, Microsoft Graph v1.0; {GROUP}; `internal/services/groups/groups.go`",
        "provider source",
        "emulators/arm at each operation of an apply; `directory_rights` of the stages",
        f"{TESTS}/test_operations.py::test_group_create_lists_no_groups",
        edits=(
            Edit(
                "emulators/arm/operations.py",
                '        if values.get("prevent_duplicate_names"):\n            yield permissions.READ_GROUPS',
                '        if values.get("nothing"):\n            yield permissions.READ_GROUPS',
            ),
        ),
    ),
    Rule(
        "members-create-where-the-tenant-lets-them",
        "A tenant can keep its members from registering applications and creating security groups; then it takes "
        "Application Administrator and Groups Administrator.",
        "“What are the default user permissions in Microsoft Entra ID?”; “defaultUserRolePermissions”, Graph v1.0",
        "documented",
        "emulators/arm (`members_create`)",
        f"{TESTS}/test_operations.py::test_members_create_where_the_tenant_lets_them",
        edits=(
            Edit(
                "emulators/arm/permissions.py",
                "return self.people is None and (members_create or not self.creates)",
                "return self.people is None",
            ),
        ),
    ),
    Rule(
        "secrets-are-the-vaults-data",
        "Owner and Contributor read and write no secret of a vault with role-based access.",
        "“Provide access to Key Vault keys, certificates, and secrets with Azure role-based access control”, "
        "2024-01-30",
        "documented",
        "emulators/arm",
        f"{TESTS}/test_operations.py::test_secrets_are_the_vaults_data",
        edits=(
            Edit(
                "emulators/arm/operations.py",
                "if not cloud.allowed(caller, action, vault, data=True):",
                "if not cloud.allowed(caller, action, vault):",
            ),
        ),
    ),
    Rule(
        "vaults-refuse-by-address",
        "A vault whose public access is off refuses all but private endpoints (ForbiddenByConnection); one with a list "
        "refuses other addresses (ForbiddenByFirewall). Agents of Azure DevOps and GitHub are no trusted service.",
        "“Azure Key Vault REST API Error Codes”, 2024-02-20; “Configure Key Vault networking settings”;"
        " azure-devops-docs#8581; azurerm#4553",
        "documented",
        "emulators/arm; `invoke doctor` (vault); `invoke deploy` before stage 2",
        f"{TESTS}/test_network.py::test_who_is_let_in",
        off=("emulators.arm.network.refuse_vault",),
    ),
    Rule(
        "registries-refuse-by-address",
        "A Premium registry with network rules, or without public access, refuses other addresses with DENIED.",
        "docker/build-push-action#1214, 2024-08-19; azure-cli#27253",
        "reported",
        "emulators/arm; `invoke doctor` (registry)",
        f"{TESTS}/test_network.py::test_who_is_let_in",
        off=("emulators.arm.network.refuse_registry",),
    ),
    Rule(
        "account-keys-are-allowed-until-switched-off",
        "A storage account takes its keys where `allowSharedKeyAccess` is true or not set.",
        "“Prevent Shared Key authorization for an Azure Storage account”, 2023-06-06",
        "documented",
        "`invoke bootstrap.state`",
        "tests/unit/ops/bootstrap/test_steps.py::test_an_account_that_differs",
        edits=(
            Edit(
                "ops/bootstrap/state.py",
                'if found.get("allowSharedKeyAccess") is not False:',
                'if found.get("allowSharedKeyAccess") is True:',
            ),
        ),
    ),
    Rule(
        "github-names-repositories-by-id",
        "Jobs of repositories that were made, renamed or moved since 2026-07-15 send `repo:OWNER@ID/REPOSITORY@ID:…`; "
        "a credential by name refuses them with AADSTS700213.",
        "GitHub changelog, “Immutable subject claims for GitHub Actions OIDC tokens”, 2026-04-23; Azure/login#635",
        "documented",
        "`invoke bootstrap.federation`; emulators/entra at sign-in",
        "tests/unit/ops/bootstrap/test_trust.py::test_github_by_ids",
        edits=(
            Edit(
                "ops/bootstrap/options.py",
                'f"repo:{repository}:{forms[kind]}"',
                "f\"repo:{re.sub('@[0-9]+', '', repository)}:{forms[kind]}\"",
            ),
        ),
    ),
    Rule(
        "hosted-agents-end-after-an-hour",
        "A Microsoft-hosted agent ends a private project's job after 60 minutes, or 360 with paid parallel jobs.",
        "“Specify jobs in your pipeline”, 2025-01-08, Timeouts",
        "documented",
        "tests/support/azure_pipelines.py, with which the pipelines are run",
        f"{PIPELINES}::test_a_hosted_agent_gives_no_more_than_an_hour",
        edits=(
            Edit(
                "tests/support/azure_pipelines.py",
                "HOSTED_MINUTES = 60\n",
                "HOSTED_MINUTES = 600\n",
            ),
        ),
    ),
    Rule(
        "images-are-of-hosted-pools",
        "`vmImage` is valid in the Microsoft-hosted pool only; a pool of one's own has a name.",
        "“pool definition”, Azure Pipelines YAML schema, 2024-11-20",
        "documented",
        "tests/support/azure_pipelines.py, with which the pipelines are run",
        f"{PIPELINES}::test_a_pool_is_hosted_or_named",
        edits=(
            Edit(
                "tests/support/azure_pipelines.py",
                'if set(pool) not in ({"vmImage"}, {"name"}):',
                'if not set(pool) <= {"vmImage", "name"}:',
            ),
        ),
    ),
)
