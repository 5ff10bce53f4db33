# Servers with compute = "container-apps": one app for each tier, in the environment of stage 1.

data "azurerm_container_app_environment" "stage1" {
  for_each = local._container_apps

  name                = module.names.container_apps.environment
  resource_group_name = var.resource_group_name
}

locals {
  _apps        = { for name, slot in module.names.slots : name => slot if slot.compute == "container-apps" }
  _apps_domain = one(values(data.azurerm_container_app_environment.stage1)[*].default_domain)

  # Environment name => id of a secret: what a server's own hold is never read here, and so is in no state. The database's
  # have their version: Azure follows a newer one within 30 minutes, and a rotation does not wait for that.
  _app_secrets = {
    for name, slot in local._apps : name => merge(
      { for variable, secret in var.mcp_servers[slot.server].secrets : variable => "${data.azurerm_key_vault.stage1.vault_uri}secrets/${secret}" },
      var.mcp_servers[slot.server].database != "cosmosdb-mongodb" ? {} : {
        MONGODB_URI = azurerm_key_vault_secret.connection_strings["${slot.connection}-${var.cosmos.active_key}"].id
      },
    )
  }

  # Both keys of a tier's connection, so that no revision loses the one that it was made with.
  _app_secrets_held = {
    for name, slot in local._apps : name => var.mcp_servers[slot.server].database != "cosmosdb-mongodb" ? [] : [
      for key in ["primary", "secondary"] : azurerm_key_vault_secret.connection_strings["${slot.connection}-${key}"].id
    ]
  }

  # On each secret alone: on the vault, a reader's app could read what an administrator's writes with. Named by what is known
  # when planning; both keys of a tier's connection, so that a rotation finds its role in force.
  _app_secret_roles = merge(flatten([
    for name, slot in local._apps : [
      for secret in setunion(
        values(var.mcp_servers[slot.server].secrets),
        var.mcp_servers[slot.server].database != "cosmosdb-mongodb" ? [] : [for key in ["primary", "secondary"] : "cosmos-${slot.connection}-${key}"],
        ) : {
        "${slot.server}-${slot.tier}/${secret}" = {
          scope          = "${data.azurerm_key_vault.stage1.id}/secrets/${secret}"
          role           = "Key Vault Secrets User"
          principal_id   = data.azurerm_user_assigned_identity.servers["${slot.server}-${slot.tier}"].principal_id
          principal_type = "ServicePrincipal"
          description    = "The app of ${slot.server}-${slot.tier} reads this secret."
        }
      }
    ]
  ])...)
}

module "app_secret_roles" {
  source = "../modules/rbac"

  role_assignments = local._app_secret_roles

  # A role on a secret outlives it, and would be waiting for the next one of that name.
  depends_on = [azurerm_key_vault_secret.connection_strings]
}

module "apps" {
  source   = "../modules/container-app"
  for_each = local._apps

  name                  = "${each.value.server}-${each.value.tier}"
  resource_group_name   = var.resource_group_name
  tags                  = merge(module.names.tags, { server = each.value.server, tier = each.value.tier })
  environment           = { id = data.azurerm_container_app_environment.stage1["this"].id, default_domain = local._apps_domain }
  identity              = data.azurerm_user_assigned_identity.servers["${each.value.server}-${each.value.tier}"]
  registry_login_server = data.azurerm_container_registry.stage1.login_server
  image                 = "${data.azurerm_container_registry.stage1.login_server}/${local._image_references[each.key]}"
  cpu                   = var.mcp_servers[each.value.server].cpu
  memory                = var.mcp_servers[each.value.server].memory
  port                  = each.value.port
  health_path           = try(coalesce(var.mcp_servers[each.value.server].health_path), null)
  ready_path            = try(coalesce(var.mcp_servers[each.value.server].ready_path), null)
  scale                 = var.mcp_servers[each.value.server].scale
  traffic               = try(local._images[each.value.server].traffic[each.value.tier], null)
  grace_seconds         = var.mcp_servers[each.value.server].timeout + 10
  environment_variables = local._environments[each.key]
  secrets               = local._app_secrets[each.key]
  secrets_held          = local._app_secrets_held[each.key]

  # Azure takes minutes to honour a role: where the first apply is too early for a secret, the next one is not.
  depends_on = [module.database_endpoint, module.documentdb_endpoint, module.app_secret_roles]
}
