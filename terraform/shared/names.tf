# Every name that one stage makes and the other looks up, and what follows from `mcp_servers` for both.
module "names" {
  source = "../modules/platform-names"

  name        = var.name
  environment = var.environment
  tags        = var.tags
  servers     = var.mcp_servers

  gateway = {
    exposure         = var.gateway_exposure
    public_base_url  = var.public_base_url
    custom_host_name = try(var.apim.custom_domain.host_name, null)
  }

  private_dns = {
    existing_zone_ids = var.network.existing_private_dns_zone_ids
    registry          = var.registry.sku == "Premium"
    state             = var.state_account != null
  }

  databases = {
    cosmos     = local.has_cosmos
    documentdb = local.has_documentdb
  }
}
