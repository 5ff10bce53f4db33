# An agent inside the network reads and writes the state without leaving it.
module "state_endpoint" {
  source   = "../modules/private-endpoint"
  for_each = var.state_account == null ? {} : { this = var.state_account.id }

  name                 = module.names.private_endpoints.state
  resource_group_name  = var.resource_group_name
  location             = var.location
  tags                 = module.names.tags
  subnet_id            = local._subnet_ids.endpoints
  private_dns_zone_ids = [local._private_dns_zone_ids.state]

  target = {
    resource_id = each.value
    subresource = "blob"
  }
}
