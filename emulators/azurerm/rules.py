"""What Azure and its Terraform providers do or refuse, as the stand-in provider, the modules and tests hold it."""

from __future__ import annotations

from emulators.azurerm import container_apps, mongo_cluster
from emulators.base.rules import Edit, Rule

REUSE = "“Reuse policy configurations”, 2026-02-10"
TESTS = "emulators/azurerm/tests"
CHANGES = "tests/changes/test_applied.py"

RULES: tuple[Rule, ...] = (
    *mongo_cluster.RULES,
    *container_apps.RULES,
    Rule(
        "fragments-do-not-nest",
        "A policy fragment includes no other fragment, and holds neither a section nor `<base />`.",
        REUSE,
        "documented",
        "emulators/azurerm at apply; emulators/apim at load; `invoke gateway.check`",
        f"{TESTS}/test_policies.py::test_fragments_do_not_nest",
        off=("emulators.azurerm.policies._unfit_for_a_fragment",),
    ),
    Rule(
        "a-tier-lacks-policies",
        "The v2 tiers have no `quota-by-key`, the Consumption tier neither that nor `rate-limit-by-key`.",
        "“API gateway in Azure API Management”, policies, 2024-06-11",
        "documented",
        "emulators/azurerm at apply",
        f"{TESTS}/test_policies.py::test_a_tier_lacks_policies",
        off=("emulators.azurerm.policies._unknown_to_the_tier",),
    ),
    Rule(
        "v2-gateways-have-a-subnet-of-their-own",
        "A v2 gateway's subnet is /27 or wider, has a security group, holds one service, and is delegated: to "
        "`Microsoft.Web/serverFarms` where it has a public address (StandardV2, PremiumV2), to "
        "`Microsoft.Web/hostingEnvironments` where it is internal (PremiumV2 alone).",
        "“Integrate an Azure API Management instance with a private virtual network for outbound connections”, "
        "2025-12-04; “Inject an Azure API Management instance in a private virtual network - Premium v2 tier”, "
        "2025-10-08",
        "documented",
        "stage1/network.tf; validation of `apim`; emulators/azurerm at apply",
        f"{TESTS}/test_refusals.py::test_v2_gateways_have_a_subnet_of_their_own",
        off=("emulators.azurerm.network_rules.v2_gateway",),
    ),
    Rule(
        "only-classic-premium-has-zones",
        "azurerm sends zones of API Management for the classic Premium tier alone, and not `zoneRedundant`, by which "
        "Azure spreads a PremiumV2 service over zones when it is made.",
        "azurerm 5.2.0 `api_management_resource.go`; azurerm#31652, 2026-02-03; “Enable availability zone support on "
        "Azure API Management instances”, 2025-11-12",
        "provider source",
        "validation of `apim`; emulators/azurerm at apply",
        f"{TESTS}/test_refusals.py::test_only_classic_premium_has_zones",
        off=("emulators.azurerm.refusals._api_management",),
    ),
    Rule(
        "classic-and-v2-gateways-do-not-become-one-another",
        "A service of a classic tier cannot become one of a v2 tier, nor back; azurerm replaces it.",
        "“Azure API Management v2 tiers”, questions, 2024-09-12; azurerm 5.2.0 `api_management_resource.go`",
        "documented",
        "as-made.tf of both stages at plan; emulators/azurerm at plan",
        "tests/changes/test_applied.py::test_a_change_is_applied_and_taken_back_or_refused[gateway: a v2 tier]",
        edits=(
            Edit(
                "terraform/shared/as-made.tf",
                'condition     = try(terraform_data.as_made.output.gateway_generation, "classic") ==',
                'condition     = true || try(terraform_data.as_made.output.gateway_generation, "classic") ==',
            ),
        ),
    ),
    Rule(
        "v2-gateways-say-their-private-address",
        "An internal PremiumV2 service says its load balancer's address as `privateIPAddresses`, of which its record "
        "is made.",
        "“Inject an Azure API Management instance in a private virtual network - Premium v2 tier”, 2025-10-08, knows "
        "the address and does not say where it is read",
        "open",
        "emulators/azurerm takes it to be so; stage2/gateway-dns.tf",
        f"{TESTS}/test_refusals.py::test_a_v2_gateway_s_subnet_holds_one",
        live="gateway-address",
        edits=(
            Edit(
                "emulators/azurerm/derive/apim.py",
                '"private_ip_addresses": [private] if private and called_inside else [],',
                '"private_ip_addresses": [],',
            ),
        ),
    ),
    Rule(
        "shared-throughput-wants-shard-keys",
        "A collection that shares its database's throughput has a shard key.",
        "“Introduction to provisioned throughput”, 2025-07-24; azure-docs#35841",
        "documented",
        "validation of `databases`; emulators/azurerm at apply",
        f"{TESTS}/test_cosmos.py::test_who_shares_throughput_is_sharded",
        off=("emulators.azurerm.refusals._shared_throughput",),
    ),
    Rule(
        "an-app-role-is-disabled-before-it-goes",
        "An app role is deleted only once it is disabled; azuread disables it in the same apply, and keeps the ids "
        "that stay.",
        "“appRole resource type”, Microsoft Graph, 2025; azuread 3.9.0 `applicationDisableAppRoles`",
        "provider source",
        "ids from the role's name in modules/app-registration; emulators/azurerm changes roles in place",
        "tests/changes/test_planned.py::test_a_changed_value_changes_this_and_nothing_else"
        "[sign-in: a role added, with a group of its own]",
        edits=(
            Edit(
                "terraform/modules/app-registration/main.tf",
                '"${var.display_name}/app-role/${value}"',
                '"${var.display_name}/app-role/${value}/${length(var.app_roles)}"',
            ),
        ),
    ),
    Rule(
        "policies-are-respelt",
        "API Management gives policies back with attributes in double quotes and with entities, and "
        "azurerm's comparison takes `'` for another text than a double quote.",
        "azurerm 5.2.0 `diff_suppress.go`, `api_management_api_policy_resource.go`; PR #23388, #32502",
        "provider source",
        "emulators/azurerm at apply and plan; a lint of `*.xml.tftpl`",
        "emulators/azurerm/tests/test_policies.py::test_the_provider_sees_quotes_and_not_blanks",
        off=("emulators.azurerm.policy_text.same",),
    ),
    Rule(
        "rendered-policies-come-back-unchanged",
        "Every rendered policy and fragment is the same in the next plan, whether line breaks in attributes"
        " are kept or become spaces.",
        "nobody documents which; azurerm#29521",
        "open",
        "tests of the rendered texts, in both ways",
        "tests/plan/test_gateway_policies.py::test_what_api_management_gives_back_is_what_was_written[prod-kept]",
        live="policies",
        edits=(
            Edit(
                "terraform/modules/apim/policies/mcp-api.xml.tftpl",
                '<include-fragment fragment-id="mcp-origin" />',
                "<include-fragment fragment-id='mcp-origin' />",
            ),
        ),
    ),
    Rule(
        "what-a-policy-names-stays",
        "A named value, fragment or backend that a saved policy uses cannot be deleted.",
        "Azure/apiops-cli#261, Azure/apiops#326, azurerm#17080 (backends: taken to be so)",
        "reported",
        "emulators/azurerm at delete; `create_before_destroy` in modules/apim",
        "emulators/azurerm/tests/test_policies.py::test_what_a_policy_names_stays",
        off=("emulators.azurerm.in_use.refuse_in_use",),
    ),
    Rule(
        "what-is-in-use-stays",
        "Subnets, networks, security groups, public addresses, NAT gateways and DNS zones with links cannot"
        " be deleted while something uses them.",
        "“Add, change, or delete a virtual network subnet”, 2022-06-27, and the other how-to pages of Virtual Network",
        "documented",
        "emulators/azurerm at delete",
        "emulators/azurerm/tests/test_refusals.py::test_what_is_in_use_stays",
        off=("emulators.azurerm.in_use.refuse_in_use",),
    ),
    Rule(
        "agents-have-a-subnet-of-their-own",
        "The agents of a Managed DevOps Pool have a subnet that is delegated to `Microsoft.DevOpsInfrastructure/pools`,"
        " for one pool only, in the network's region; the service's principal has two roles on the network.",
        "“Configure Managed DevOps Pools networking”, read 2026-11",
        "documented",
        "emulators/azurerm at apply; stage1/agents.tf",
        "emulators/azurerm/tests/test_refusals.py::test_agents_have_a_subnet_of_their_own",
        off=("emulators.azurerm.network_rules.agents_subnet",),
    ),
    Rule(
        "locks-keep-what-is-below",
        "A CanNotDelete lock keeps all that lies below its scope, role assignments included.",
        "“Lock your resources to protect your infrastructure”, 2024-03-08",
        "documented",
        "emulators/azurerm at delete",
        "emulators/azurerm/tests/test_refusals.py::test_a_lock_keeps_what_it_covers",
        off=("emulators.azurerm.references.refuse_removal",),
    ),
    Rule(
        "code-decides-replacement",
        "Some changes replace an object by the provider's code alone: network of API Management, generation"
        " of its tier, capabilities and backup of Cosmos DB, tier of a workspace, scope of a DNS label, "
        "hidden membership of a group.",
        "azurerm 5.2.0 `ForceNewIf…` and azuread 3.9.0 `group_resource.go`",
        "provider source",
        "emulators/azurerm at plan",
        "emulators/azurerm/tests/test_changes.py::test_replaced_where_the_provider_s_code_says_so",
        off=("emulators.azurerm.replacements.conditional",),
    ),
    Rule(
        "a-hidden-membership-is-another-group",
        "From Private or Public to hidden membership a group is replaced.",
        "azuread 3.9.0 `group_resource.go`",
        "provider source",
        "emulators/azurerm at plan",
        "emulators/azurerm/tests/test_changes.py::test_a_hidden_membership_is_another_group",
        off=("emulators.azurerm.replacements.conditional",),
    ),
    Rule(
        "code-refuses-at-plan",
        "Rules between arguments that stand in CustomizeDiff: versions and kinds of an API, template "
        "parameters, tiers of a registry, messages of a private endpoint, regions of an activity alert, new"
        " Basic addresses, roles and scopes of an application, and others.",
        "azurerm 5.2.0 and azuread 3.9.0, CustomizeDiff of each resource",
        "provider source",
        "emulators/azurerm at plan",
        "emulators/azurerm/tests/test_changes.py::test_the_providers_refuse_at_plan",
        off=("emulators.azurerm.plan_checks.refuse_plan",),
    ),
    Rule(
        "code-refuses-at-create",
        "Rules that the provider checks as it creates: client certificates, identities, addresses, other regions"
        " and portals of API Management, credentials of a backend, secrets in named values, ports and volumes of a "
        "container group, kinds of backup and bounds of staleness, tiers and reservations of a workspace, categories"
        " of a setting, mute time of an alert, DDoS plans, conditions of a role assignment.",
        "azurerm 5.2.0, the create and expand functions",
        "provider source",
        "emulators/azurerm at apply",
        "emulators/azurerm/tests/test_refusals.py::test_the_providers_refuse_when_they_create",
        off=("emulators.azurerm.refusals.refuse",),
    ),
    Rule(
        "role-names-are-looked-up",
        "A role that does not exist cannot be assigned.",
        "azurerm 5.2.0 `role_assignment_resource.go`",
        "provider source",
        "emulators/azurerm at apply",
        "emulators/azurerm/tests/test_refusals.py::test_the_providers_refuse_when_they_create",
        off=("emulators.azurerm.refusals._known_role",),
    ),
    Rule(
        "whole-numbers-are-whole",
        "Numbers that the provider declares as integers take no fraction.",
        "terraform-plugin-sdk v2, `TypeInt`, as azurerm 5.2.0 uses it",
        "provider source",
        "emulators/azurerm at validate",
        "emulators/azurerm/tests/test_validate.py::test_whole_numbers_are_whole",
        off=("emulators.azurerm.whole_numbers.add_whole_numbers",),
    ),
    Rule(
        "a-key-of-one-s-own-comes-with-the-account",
        "Another key replaces a Cosmos DB account (`key_vault_key_id`), zones or no zones replace a registry, and "
        "another shard key replaces a collection.",
        "azurerm 5.2.0, ForceNew in `cosmosdb_account_resource.go`, `container_registry_resource.go` and "
        "`cosmosdb_mongo_collection_resource.go`",
        "provider source",
        "precondition in terraform/shared/as-made.tf and modules/cosmosdb-mongodb",
        f"{CHANGES}::test_a_change_is_applied_and_taken_back_or_refused[database: a key of one's own]",
        edits=(
            Edit(
                "terraform/shared/as-made.tf",
                "condition     = try(terraform_data.as_made.output.encryption_key",
                "condition     = true || try(terraform_data.as_made.output.encryption_key",
            ),
        ),
    ),
    Rule(
        "a-lock-keeps-a-domain-s-role",
        "A domain that goes leaves its role behind where the vault is locked: the role cannot be deleted.",
        "“Lock your resources to protect your infrastructure”, 2024-03-08",
        "documented",
        "postcondition in stage2/gateway-domain.tf",
        "tests/changes/test_applied.py::test_a_domain_is_taken_away_under_a_lock",
        edits=(
            Edit(
                "terraform/stage2/gateway-domain.tf",
                'condition     = !contains(var.data_protection.locks, "key_vault")',
                'condition     = true || !contains(var.data_protection.locks, "key_vault")',
            ),
        ),
    ),
    Rule(
        "children-go-with-their-parent",
        "What lives in a deleted object is gone with it.",
        "Resource Manager; azure-docs#100347 for what stays",
        "documented",
        "emulators/azurerm at delete; `replace_triggered_by` in the modules",
        "emulators/azurerm/tests/test_changes.py::test_what_lives_in_an_object_goes_with_it",
        off=("emulators.azurerm.lifecycle._remove_children",),
    ),
    Rule(
        "exposure-is-chosen-once",
        "A gateway that goes from public to internal is replaced.",
        "azurerm 5.2.0 `api_management_resource.go`",
        "provider source",
        "precondition in terraform/shared/as-made.tf",
        f"{CHANGES}::test_a_change_is_applied_and_taken_back_or_refused"
        "[network: a gateway that answers inside only, in stage 1]",
        edits=(
            Edit(
                "terraform/shared/as-made.tf",
                "condition     = terraform_data.as_made.output.gateway_exposure == var.gateway_exposure",
                "condition     = true || terraform_data.as_made.output.gateway_exposure == var.gateway_exposure",
            ),
        ),
    ),
    Rule(
        "throughput-kind-is-migrated-elsewhere",
        "azurerm does not switch between autoscale and fixed throughput.",
        "azurerm 5.2.0 `cosmos/common/throughput.go`",
        "provider source",
        "emulators/azurerm at update; precondition in terraform/shared/as-made.tf",
        "emulators/azurerm/tests/test_changes.py::test_a_collection_s_choices_are_made_with_it",
        off=("emulators.azurerm.updates._throughput",),
    ),
    Rule(
        "throughput-is-not-given-later",
        "A database or collection made without throughput cannot be given one.",
        "azurerm 5.2.0 `cosmosdb_mongo_collection_resource.go`",
        "provider source",
        "emulators/azurerm at update; precondition in modules/cosmosdb-mongodb",
        "emulators/azurerm/tests/test_changes.py::test_a_collection_s_choices_are_made_with_it",
        off=("emulators.azurerm.updates._throughput",),
    ),
    Rule(
        "unique-indexes-come-with-their-collection",
        "With continuous backup a unique index is made only together with its collection.",
        "“Continuous backup with point-in-time restore in Azure Cosmos DB”, “Manage indexing in Azure "
        "Cosmos DB for MongoDB”, 2022-12-02",
        "documented",
        "emulators/azurerm at update; precondition in modules/cosmosdb-mongodb",
        "emulators/azurerm/tests/test_changes.py::test_a_collection_s_choices_are_made_with_it",
        off=("emulators.azurerm.updates._collection",),
    ),
    Rule(
        "vault-retention-is-for-good",
        "`soft_delete_retention_days` is taken once, and purge protection stays.",
        "azurerm 5.2.0 `key_vault_resource.go`",
        "provider source",
        "emulators/azurerm at update; precondition in terraform/shared/as-made.tf",
        "emulators/azurerm/tests/test_changes.py::test_a_vault_s_retention_is_for_good",
        off=("emulators.azurerm.updates._vault",),
    ),
    Rule(
        "used-ranges-do-not-change",
        "A subnet that is in use keeps its address range.",
        "“Add, change, or delete a virtual network subnet”, 2022-06-27",
        "documented",
        "emulators/azurerm at update; precondition in terraform/shared/as-made.tf",
        "emulators/azurerm/tests/test_refusals.py::test_a_subnet_in_use_keeps_its_range",
        off=("emulators.azurerm.updates._subnet",),
    ),
    Rule(
        "rule-priorities-are-unique",
        "Two rules of one security group and direction cannot have one priority, also in between.",
        "“Azure network security groups overview”, 2025-07-15",
        "documented",
        "validation of `network.containers_egress`; emulators/azurerm at apply",
        "emulators/azurerm/tests/test_refusals.py::test_azure_refuses",
        off=("emulators.azurerm.network_rules.security_rule",),
    ),
    Rule(
        "an-added-identity-is-known-later",
        "An identity that an update adds has no object id in that update's plan.",
        "terraform-plugin-sdk v2, as azurerm 5.2.0 uses it: computed values keep what they were",
        "provider source",
        "emulators/azurerm at update; the gateway has its own identity from the start",
        "emulators/azurerm/tests/test_changes.py::test_an_identity_that_an_update_adds_has_its_ids",
        off=("emulators.azurerm.derive.identities.with_own_identity=1",),
    ),
    Rule(
        "domain-certificates-are-secrets",
        "The certificate of a custom domain, and of a gateway's own host names, is named by its secret's id.",
        "azurerm 5.2.0 `apimanagement/schema.go`, `NestedItemTypeSecret`",
        "provider source",
        "validation of `apim.custom_domain`; emulators/azurerm at validate",
        "emulators/azurerm/tests/test_documented.py::test_a_rule_tells_good_from_bad",
        off=("emulators.azurerm.documented.add_documented",),
    ),
    Rule(
        "keys-are-named-with-or-without-version",
        "The key of a Cosmos DB account is named without a version, that of a container group with one, that of a "
        "registry either way.",
        "azurerm 5.2.0 `cosmosdb_account_resource.go`, `container_group_resource.go`, `container_registry_resource.go`",
        "provider source",
        "emulators/azurerm at validate",
        "emulators/azurerm/tests/test_documented.py::test_a_rule_tells_good_from_bad",
        off=("emulators.azurerm.documented.add_documented",),
    ),
    Rule(
        "the-first-region-changes-by-failover",
        "No update makes another region of a Cosmos DB account the first one.",
        "azurerm 5.2.0 `cosmosdb_account_resource.go`",
        "provider source",
        "emulators/azurerm at update",
        "emulators/azurerm/tests/test_changes.py::test_no_other_region_is_made_the_first",
        off=("emulators.azurerm.updates._cosmos_account",),
    ),
    Rule(
        "services-make-things-themselves",
        "API Management has built-in groups and the logger `azuremonitor`; what exists must be imported.",
        "azurerm `ImportAsExistsError`; azurerm#29050",
        "provider source",
        "emulators/azurerm at apply",
        "emulators/azurerm/tests/test_refusals.py::test_what_a_service_made_by_itself_must_be_imported",
        off=("emulators.azurerm.made_by_azure.made_with",),
    ),
    Rule(
        "azuremonitor-comes-with-the-setting",
        "The diagnostic `azuremonitor` appears with the service's diagnostic setting, and perhaps before.",
        "Azure/apiops#176, azure-api-management-devops-resource-kit#580",
        "open",
        "emulators/azurerm at apply; order in modules/apim",
        "emulators/azurerm/tests/test_refusals.py::test_azure_monitor_s_diagnostic_comes_before_the_setting",
        live="policies",
        off=("emulators.azurerm.made_by_azure.made_with",),
    ),
    Rule(
        "settings-restart-container-groups",
        "Applying a diagnostic setting restarts a container group, and a restart may change its address.",
        "“Monitor Azure Container Instances reference”, 2025-11-17",
        "documented",
        "emulators/azurerm at apply; modules/container-instance",
        "emulators/azurerm/tests/test_derived.py::test_a_diagnostic_setting_restarts_a_container_group",
        off=("emulators.azurerm.derive.containers.restart",),
    ),
    Rule(
        "records-are-written-last",
        "A setting may move a group, so the record of a slot holds the address that it has after its setting.",
        "“Monitor Azure Container Instances reference”, 2025-11-17",
        "documented",
        "modules/container-instance",
        "tests/plan/test_life.py::test_records_hold_the_addresses_that_the_settings_left",
        live="addresses",
        edits=(
            Edit(
                "terraform/modules/container-instance/dns.tf",
                "records             = [data.azurerm_container_group.this.ip_address]",
                "records             = [azurerm_container_group.this.ip_address]",
            ),
        ),
    ),
    Rule(
        "container-logs-need-no-key",
        "What containers print arrives in `ContainerInstanceLog` by diagnostic setting.",
        "“Container group and instance logging with Azure Monitor logs”, 2026-07; data-collector-api.md",
        "open",
        "modules/container-instance",
        "tests/plan/test_life.py::test_what_servers_print_is_kept",
        live="container-logs",
        edits=(
            Edit(
                "terraform/modules/container-instance/diagnostics.tf",
                'category = "ContainerInstanceLog"',
                'category = "ContainerInstanceOther"',
            ),
        ),
    ),
    Rule(
        "groups-have-their-own-name-servers",
        "A container group does not take over the name servers of its network.",
        "“Virtual network scenarios and resources for Azure Container Instances”, 2026-07-25",
        "documented",
        "`network.dns_servers`; the local platform",
        "tests/unit/runtime/test_private_link.py::test_a_network_s_name_servers_are_not_those_of_its_groups",
        edits=(
            Edit(
                "twin/supervise/containers.py",
                "private_link.require_database(state, account, subnet_id, name_servers=_name_servers(group))",
                'networks = state.of_type("azurerm_virtual_network")\n'
                "            servers = _name_servers(group) or tuple(one for network in networks for one in "
                'network.get("dns_servers", ()))\n'
                "            private_link.require_database(state, account, subnet_id, name_servers=servers)",
            ),
        ),
    ),
    Rule(
        "the-generated-rule-is-not-waited-for",
        "azurerm waits up to an hour for the alert rule that it is to switch off.",
        "azurerm 5.2.0 `application_insights_resource.go`; azurerm#18026, #18375",
        "provider source",
        "emulators/azurerm at apply",
        "emulators/azurerm/tests/test_refusals.py::test_a_generated_alert_rule_is_not_waited_for",
        off=("emulators.azurerm.refusals._application_insights",),
    ),
    Rule(
        "deleted-names-stay-taken",
        "A deleted vault, secret or gateway keeps its name until it is purged.",
        "“Azure Key Vault soft-delete overview”, 2022-01-25; “API Management soft-delete”, 2022-02-03",
        "documented",
        "emulators/azurerm at create and delete",
        "emulators/azurerm/tests/test_refusals.py::test_a_deleted_vault_keeps_its_name",
        off=("emulators.azurerm.soft_delete.recover",),
    ),
    Rule(
        "staleness-bounds-belong-to-their-level",
        "The bounds of staleness are planned at that consistency level only.",
        "azurerm 5.2.0 `cosmosdb_account_resource.go`",
        "provider source",
        "emulators/azurerm at plan",
        "emulators/azurerm/tests/test_planning.py::test_bounds_of_staleness_belong_to_their_level",
        off=("emulators.azurerm.planning._without_suppressed=1",),
    ),
    Rule(
        "a-call-ends-before-its-gateway",
        "A call must end in the database before the gateway gives up on it (240 s at most).",
        "“Forward request”, Azure API Management policy reference, 2026",
        "documented",
        "stage2/servers.tf; validation of `mcp_servers`",
        "tests/plan/test_life.py::test_servers_trust_the_gateway_and_nobody_else",
        edits=(
            Edit(
                "terraform/stage2/servers.tf",
                "max(server.timeout * 1000 - 5000, server.timeout * 500)",
                "server.timeout * 1000",
            ),
        ),
    ),
    Rule(
        "basic-registries-serve-networks",
        "A Basic registry serves images to container groups in a network by identity.",
        "“Deploy to Azure Container Instances from Azure Container Registry using a managed identity”, "
        "2026-07-25, names Premium",
        "open",
        "nothing can; emulators/azurerm takes it, as people report it; `dev` uses Basic",
        "emulators/azurerm/tests/test_refusals.py::test_a_basic_registry_serves_a_network",
        live="groups",
        edits=(
            Edit(
                "emulators/azurerm/refusals.py",
                "    container_group_subnet(cloud, values)\n",
                "    container_group_subnet(cloud, values)\n"
                '    if any(True for _ in cloud.every("azurerm_container_registry", sku="Basic")):\n'
                '        raise ProviderError("a Basic registry serves no network")\n',
            ),
        ),
    ),
    Rule(
        "containers-answer-behind-their-group-s-rules",
        "A container group works behind a security group that admits the gateway only.",
        "“Virtual network scenarios and resources for Azure Container Instances”, 2026-07-25, wants the whole "
        "network let in",
        "open",
        "nothing can; stage1/data/network-rules.yaml, row by row in docs/network.md",
        "tests/unit/docs/test_network_page.py::test_a_required_row_is_left_out_of_the_containers_group_aloud",
        live="reader",
        edits=(
            Edit(
                "terraform/stage1/data/network-rules.yaml",
                "description: The gateway, and only on the ports of the servers.\n"
                "    priority: 100\n"
                "    source: ${subnets.apim}",
                "description: The gateway, and only on the ports of the servers.\n"
                "    priority: 100\n"
                "    source: VirtualNetwork",
            ),
        ),
    ),
    Rule(
        "a-status-may-lack-a-reason",
        "`set-status` takes an empty reason.",
        "“Set status code”, 2022-12-08, calls it required and does not say whether it may be empty",
        "open",
        "the local gateway takes it",
        "tests/plan/test_served_environment.py::test_no_token_is_challenged",
        live="challenge",
        edits=(
            Edit(
                "emulators/apim/policies/transformation.py",
                "if not text.isdecimal() or not 200 <= int(text) <= 599:",
                "if not text.isdecimal() or not 200 <= int(text) <= 599 or not reason.text(context):",
            ),
        ),
    ),
    Rule(
        "variables-hold-json-objects",
        "`set-variable` keeps a JObject for later expressions.",
        "“Set variable”, 2024-07-23, lists types without it; official snippets do it",
        "open",
        "the local gateway keeps it",
        "tests/plan/test_served_policies.py::test_allowed_tools_are_called",
        live="redirect",
        edits=(
            Edit(
                "emulators/apim/policies/control_flow.py",
                "if checked and found is not None and not isinstance(found, _STORABLE):",
                "if isinstance(found, JToken):",
            ),
        ),
    ),
    Rule(
        "cors-in-a-fragment-answers-preflights",
        "A `cors` policy in a fragment answers pre-flight requests.",
        "“CORS”, 2022-11-18, and “Include fragment” do not say it of fragments",
        "open",
        "the local gateway answers them",
        "emulators/apim/tests/policies/test_access.py::test_cors_in_a_fragment_answers_preflights",
        live="preflight",
        edits=(
            Edit(
                "emulators/apim/policies/cross_domain.py",
                'if all(step.startswith("include-fragment") for step in element.builder.place.path.split("/")[:-1]):',
                'if "/" not in element.builder.place.path:',
            ),
        ),
    ),
    Rule(
        "retry-reads-the-last-error",
        "`context.LastError` can be read in the condition of `retry`.",
        "“Retry”, 2022-12-08, and “Error handling in API Management policies” do not say it",
        "open",
        "the local gateway runs it",
        "tests/plan/test_served_policies.py::test_a_write_that_was_not_sent_goes_to_another_slot",
        live="retries",
        edits=(
            Edit(
                "emulators/apim/policies/control_flow.py",
                "            context.last_error = last_error(failure)\n            return failure",
                "            return failure",
            ),
        ),
    ),
    Rule(
        "breakers-count-failed-connections",
        "A circuit breaker counts `BackendConnectionFailure` and stays open for `PT10S`.",
        "“Backends in API Management”, 2025-05-20, has neither value",
        "open",
        "the local gateway counts them",
        "tests/plan/test_served_policies.py::test_an_open_breaker_sends_writes_to_the_other_slot",
        live="breakers",
        edits=(
            Edit(
                "emulators/apim/breakers.py",
                "self._count(reason in self._rule.reasons or any(",
                "self._count(any(",
            ),
        ),
    ),
)
