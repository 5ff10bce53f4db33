# A gateway in front of one server with two slots.

module "network" {
  source = "../../../../terraform/modules/vnet"

  name                = "vnet-root"
  resource_group_name = local.common.resource_group_name
  location            = local.common.location
  address_space       = ["10.70.0.0/24"]
  subnets             = { apim = { address_prefix = "10.70.0.128/27", default_outbound_access_enabled = true } }
}

module "identity" {
  source = "../../../../terraform/modules/managed-identity"

  name                = "id-root"
  resource_group_name = local.common.resource_group_name
  location            = local.common.location
}

module "monitoring" {
  source      = "../../../../terraform/modules/monitoring"
  environment = "test"

  name                = "root"
  resource_group_name = local.common.resource_group_name
  location            = local.common.location
}

module "apim" {
  source = "../../../../terraform/modules/apim"

  name                = "apim-root"
  resource_group_name = local.common.resource_group_name
  location            = local.common.location
  sku_name            = "Developer_1"
  publisher           = { name = "Root", email = "root@example.com" }
  public_base_url     = "https://apim-root.azure-api.net"
  network             = { subnet_id = module.network.subnet_ids.apim }
  identity            = { id = module.identity.id, client_id = module.identity.client_id }

  application_insights = {
    id                = module.monitoring.application_insights_id
    connection_string = module.monitoring.application_insights_connection_string
  }

  sign_in = {
    tenant_id         = "11111111-1111-4111-8111-111111111111"
    authority         = "https://login.example/11111111-1111-4111-8111-111111111111"
    issuer            = "https://login.example/11111111-1111-4111-8111-111111111111/v2.0"
    api_client_id     = "22222222-2222-4222-8222-222222222222"
    api_identifier    = "api://22222222-2222-4222-8222-222222222222"
    scope             = "api://22222222-2222-4222-8222-222222222222/Mcp.Access"
    scope_name        = "Mcp.Access"
    backend_client_id = "33333333-3333-4333-8333-333333333333"
  }

  servers = {
    notes = {
      tiers = {
        reader = {
          role  = "Mcp.Read"
          slots = { a = "http://notes-reader-a.mcp.internal:8000", b = "http://notes-reader-b.mcp.internal:8000" }
        }
      }
    }
  }
}

output "endpoint" {
  value = module.apim.endpoints["notes"]
}
