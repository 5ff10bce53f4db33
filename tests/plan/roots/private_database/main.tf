# A database that answers inside the network only.

module "network" {
  source = "../../../../terraform/modules/vnet"

  name                = "vnet-root"
  resource_group_name = local.common.resource_group_name
  location            = local.common.location
  address_space       = ["10.70.0.0/24"]
  subnets             = { endpoints = { address_prefix = "10.70.0.0/26" } }
}

resource "azurerm_private_dns_zone" "mongo" {
  name                = "privatelink.mongo.cosmos.azure.com"
  resource_group_name = local.common.resource_group_name
}

module "database" {
  source = "../../../../terraform/modules/cosmosdb-mongodb"

  name                = "cosmos-root"
  resource_group_name = local.common.resource_group_name
  location            = local.common.location
  databases           = { shop = { collections = { orders = { indexes = { by-day = { keys = ["day"] } } } } } }
}

module "endpoint" {
  source = "../../../../terraform/modules/private-endpoint"

  name                 = "pe-root"
  resource_group_name  = local.common.resource_group_name
  location             = local.common.location
  subnet_id            = module.network.subnet_ids.endpoints
  private_dns_zone_ids = [azurerm_private_dns_zone.mongo.id]
  target               = { resource_id = module.database.id, subresource = "MongoDB" }
}

output "address" {
  value = module.endpoint.private_ip_address
}

output "connection_strings" {
  value     = module.database.connection_strings
  sensitive = true
}
