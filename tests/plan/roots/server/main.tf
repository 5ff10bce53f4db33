# A server's slot, with what it needs to start: a delegated subnet, an identity that may pull, a zone for its name.

module "network" {
  source = "../../../../terraform/modules/vnet"

  name                = "vnet-root"
  resource_group_name = local.common.resource_group_name
  location            = local.common.location
  address_space       = ["10.70.0.0/24"]

  subnets = {
    containers = {
      address_prefix = "10.70.0.64/26"
      delegation     = "Microsoft.ContainerInstance/containerGroups"
      nat_gateway    = true
    }
  }
}

resource "azurerm_private_dns_zone" "servers" {
  name                = "mcp.internal"
  resource_group_name = local.common.resource_group_name
}

module "registry" {
  source = "../../../../terraform/modules/acr"

  name                = "acrroot"
  resource_group_name = local.common.resource_group_name
  location            = local.common.location
}

module "identity" {
  source = "../../../../terraform/modules/managed-identity"

  name                = "id-root"
  resource_group_name = local.common.resource_group_name
  location            = local.common.location
}

module "roles" {
  source = "../../../../terraform/modules/rbac"

  role_assignments = {
    pull = {
      scope          = module.registry.id
      role           = "AcrPull"
      principal_id   = module.identity.principal_id
      principal_type = "ServicePrincipal"
      description    = "The slot pulls its image."
    }
  }
}

module "slot" {
  source = "../../../../terraform/modules/container-instance"

  name                         = "notes-reader-a"
  resource_group_name          = local.common.resource_group_name
  location                     = local.common.location
  subnet_id                    = module.network.subnet_ids.containers
  private_dns_zone_id          = azurerm_private_dns_zone.servers.id
  identity                     = { id = module.identity.id, principal_id = module.identity.principal_id }
  registry_login_server        = module.registry.login_server
  image                        = "${module.registry.login_server}/notes-mcp:1.0.0"
  environment_variables        = { PORT = "8000" }
  secure_environment_variables = { MONGODB_URI = "mongodb://user:hidden@db" }

  depends_on = [module.roles]
}

output "fqdn" {
  value = module.slot.fqdn
}

output "address" {
  value = module.slot.ip_address
}
