locals {
  # Who connects, by tier, and what each may do there: the words of `python -m mongo_db_server.users`.
  _documentdb_tiers = {
    for name, tier in module.names.tiers : name => {
      client_id    = data.azurerm_user_assigned_identity.servers[name].client_id
      principal_id = data.azurerm_user_assigned_identity.servers[name].principal_id
      role         = { read-write = "readWrite", read-only = "read" }[var.mcp_servers[tier.server].tiers[tier.tier].connection]
    } if var.mcp_servers[tier.server].database == "documentdb"
  }

  # The job is a program of the servers' own image: that of the first slot that uses the database.
  _documentdb_slots = [for name, slot in module.names.slots : name if var.mcp_servers[slot.server].database == "documentdb"]
}

data "azurerm_user_assigned_identity" "database" {
  for_each = local.has_documentdb ? { this = {} } : {}

  name                = module.names.identities.database
  resource_group_name = var.resource_group_name
}

module "documentdb" {
  source   = "../modules/documentdb"
  for_each = data.azurerm_user_assigned_identity.database

  name                = var.documentdb.name
  resource_group_name = var.resource_group_name
  location            = var.location
  tags                = module.names.tags
  server_version      = var.documentdb.server_version
  compute_tier        = var.documentdb.compute_tier
  storage_gb          = var.documentdb.storage_gb
  high_availability   = var.documentdb.high_availability
  lock_enabled        = contains(var.data_protection.locks, "database")
  prevent_destroy     = var.data_protection.prevent_destroy

  administrators = { database = each.value.principal_id }
  identities     = merge({ for name, tier in local._documentdb_tiers : name => tier.client_id }, { database = each.value.client_id })

  customer_managed_key = one([
    for identity in data.azurerm_user_assigned_identity.encryption :
    { key_id = var.customer_managed_key.key_id, identity_id = identity.id }
  ])
}

module "documentdb_endpoint" {
  source   = "../modules/private-endpoint"
  for_each = local.has_documentdb ? { this = {} } : {}

  name                 = module.names.private_endpoints.documentdb
  resource_group_name  = var.resource_group_name
  location             = var.location
  tags                 = module.names.tags
  subnet_id            = local._subnet_ids.endpoints
  private_dns_zone_ids = [local._private_dns_zone_ids.documentdb]

  target = {
    resource_id = module.documentdb["this"].id
    subresource = "MongoCluster"
  }
}

# Makes each tier's identity a user of the database, with the role that its `connection` says, and ends. It runs once more
# whenever the image, an identity or a role is another one.
module "documentdb_users" {
  source   = "../modules/container-job"
  for_each = length(local._documentdb_slots) > 0 ? { this = {} } : {}

  name                  = "database-users"
  resource_group_name   = var.resource_group_name
  location              = var.location
  tags                  = module.names.tags
  subnet_id             = local._subnet_ids.containers
  identity_id           = data.azurerm_user_assigned_identity.database[each.key].id
  registry_login_server = data.azurerm_container_registry.stage1.login_server
  image                 = "${data.azurerm_container_registry.stage1.login_server}/${local._image_references[local._documentdb_slots[0]]}"
  command               = ["python", "-m", "mongo_db_server.users"]

  environment_variables = {
    MONGODB_URI        = module.documentdb["this"].connection_strings.database
    MCP_DATABASE_USERS = jsonencode({ for tier in local._documentdb_tiers : tier.principal_id => tier.role })
  }

  dns_servers = var.network.dns_servers
  logs        = { workspace_id = module.monitoring.workspace.id }

  depends_on = [module.documentdb_endpoint]
}
