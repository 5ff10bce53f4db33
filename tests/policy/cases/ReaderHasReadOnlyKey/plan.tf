locals {
  servers = {
    pass_reader        = { tier = "reader", secret = azurerm_cosmosdb_account.database.primary_readonly_mongodb_connection_string }
    pass_admin         = { tier = "admin", secret = azurerm_cosmosdb_account.database.primary_mongodb_connection_string }
    pass_no_database   = { tier = "reader", secret = null }
    fail_reader        = { tier = "reader", secret = azurerm_cosmosdb_account.database.primary_mongodb_connection_string }
    fail_secondary     = { tier = "reader", secret = azurerm_cosmosdb_account.database.secondary_mongodb_connection_string }
    fail_key_alone     = { tier = "reader", secret = azurerm_cosmosdb_account.database.primary_key }
    fail_tagged_reader = { tier = "admin", secret = azurerm_cosmosdb_account.database.primary_mongodb_connection_string, tags = { tier = "reader" } }
    pass_auditor       = { tier = "auditor", secret = azurerm_cosmosdb_account.database.primary_readonly_mongodb_connection_string, more = { MCP_CONNECTION = "read-only" } }
    pass_clerk         = { tier = "clerk", secret = azurerm_cosmosdb_account.database.primary_mongodb_connection_string, more = { MCP_CONNECTION = "read-write" } }
    fail_auditor       = { tier = "auditor", secret = azurerm_cosmosdb_account.database.primary_mongodb_connection_string, more = { MCP_CONNECTION = "read-only" } }
    fail_front         = { tier = "auditor", secret = azurerm_cosmosdb_account.database.primary_mongodb_connection_string, more = { MCP_FRONT_READS = "true" } }
  }
}

resource "azurerm_cosmosdb_account" "database" {
  name                = "cosmos-database"
  resource_group_name = "rg"
  location            = "uksouth"
  offer_type          = "Standard"
  kind                = "MongoDB"

  consistency_policy {
    consistency_level = "Session"
  }

  geo_location {
    location          = "uksouth"
    failover_priority = 0
  }
}

resource "azurerm_container_group" "this" {
  for_each            = local.servers
  name                = "aci-${replace(each.key, "_", "-")}"
  resource_group_name = "rg"
  location            = "uksouth"
  os_type             = "Linux"
  ip_address_type     = "None"
  tags                = try(each.value.tags, {})

  container {
    name   = "server"
    image  = "acr.azurecr.io/mongodb-mcp:0.1.0"
    cpu    = 0.5
    memory = 1

    environment_variables        = merge({ MCP_TIER = each.value.tier }, try(each.value.more, {}))
    secure_environment_variables = each.value.secret == null ? {} : { MONGODB_URI = each.value.secret }
  }
}

locals {
  # By identity: who may write to a DocumentDB is who a job makes a user that may, and its administrators.
  keyless = {
    pass_read       = { tier = "reader", role = "read" }
    pass_read_write = { tier = "admin", role = "readWrite" }
    fail_read_write = { tier = "reader", role = "readWrite" }
    fail_root       = { tier = "reader", role = "read" }
  }
}

resource "azurerm_user_assigned_identity" "this" {
  for_each            = local.keyless
  name                = "id-${replace(each.key, "_", "-")}"
  resource_group_name = "rg"
  location            = "uksouth"
}

resource "azurerm_mongo_cluster" "this" {
  name                   = "docdb"
  resource_group_name    = "rg"
  location               = "uksouth"
  authentication_methods = ["MicrosoftEntraID"]
  public_network_access  = "Disabled"
  compute_tier           = "M30"
  storage_size_in_gb     = 128
  high_availability_mode = "Disabled"
  shard_count            = 1
  version                = "8.0"
}

resource "azurerm_mongo_cluster_user" "root" {
  mongo_cluster_id       = azurerm_mongo_cluster.this.id
  object_id              = azurerm_user_assigned_identity.this["fail_root"].principal_id
  identity_provider_type = "MicrosoftEntraID"
  principal_type         = "servicePrincipal"

  role {
    database = "admin"
    name     = "root"
  }
}

resource "azurerm_container_group" "keyless" {
  for_each            = local.keyless
  name                = "aci-${replace(each.key, "_", "-")}"
  resource_group_name = "rg"
  location            = "uksouth"
  os_type             = "Linux"
  ip_address_type     = "None"

  identity {
    type         = "UserAssigned"
    identity_ids = [azurerm_user_assigned_identity.this[each.key].id]
  }

  container {
    name   = "server"
    image  = "acr.azurecr.io/mongodb-mcp:0.1.0"
    cpu    = 0.5
    memory = 1

    environment_variables = { MCP_TIER = each.value.tier }
  }
}

resource "azurerm_container_group" "pass_job" {
  name                = "aci-database-users"
  resource_group_name = "rg"
  location            = "uksouth"
  os_type             = "Linux"
  ip_address_type     = "None"
  restart_policy      = "OnFailure"

  container {
    name   = "job"
    image  = "acr.azurecr.io/mongodb-mcp:0.1.0"
    cpu    = 0.5
    memory = 0.5

    environment_variables = {
      MCP_DATABASE_USERS = jsonencode({ for name, tier in local.keyless : azurerm_user_assigned_identity.this[name].principal_id => tier.role })
    }
  }
}

# By reference: what the vault's secret holds is what the app is given.
resource "azurerm_key_vault" "apps" {
  name                       = "kv-apps"
  resource_group_name        = "rg"
  location                   = "uksouth"
  tenant_id                  = "00000000-0000-0000-0000-000000000000"
  sku_name                   = "standard"
  rbac_authorization_enabled = true
}

resource "azurerm_key_vault_secret" "apps" {
  for_each = {
    read-only  = azurerm_cosmosdb_account.database.primary_readonly_mongodb_connection_string
    read-write = azurerm_cosmosdb_account.database.primary_mongodb_connection_string
    # Begins as the first one does, and is another.
    read = azurerm_cosmosdb_account.database.primary_mongodb_connection_string
  }

  name         = each.key
  key_vault_id = azurerm_key_vault.apps.id
  value        = each.value
}

resource "azurerm_container_app" "this" {
  for_each = {
    pass_app_reader = { tier = "reader", secret = "read-only" }
    pass_app_admin  = { tier = "admin", secret = "read-write" }
    fail_app_reader = { tier = "reader", secret = "read-write" }
    # A vault's names know no case.
    fail_app_capitals = { tier = "reader", secret = "read-write", capitals = true }
  }

  name                         = replace(each.key, "_", "-")
  resource_group_name          = "rg"
  container_app_environment_id = "/subscriptions/s/resourceGroups/rg/providers/Microsoft.App/managedEnvironments/e"
  revision_mode                = "Multiple"
  tags                         = { tier = each.value.tier }

  secret {
    name                = "uri"
    identity            = "System"
    key_vault_secret_id = try(each.value.capitals, false) ? replace(azurerm_key_vault_secret.apps[each.value.secret].versionless_id, "read", "Read") : azurerm_key_vault_secret.apps[each.value.secret].versionless_id
  }

  template {
    container {
      name   = "server"
      image  = "acr.azurecr.io/mongodb-mcp:0.1.0"
      cpu    = 0.5
      memory = "1Gi"

      env {
        name        = "MONGODB_URI"
        secret_name = "uri"
      }
    }
  }
}
