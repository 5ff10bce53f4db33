# An internal gateway has no public record: clients in the network find it by this one.
resource "azurerm_private_dns_a_record" "gateway" {
  for_each = var.gateway_exposure == "internal" ? { this = local._private_dns_zone_ids.gateway } : {}

  name                = module.names.gateway.record
  private_dns_zone_id = each.value
  ttl                 = 30
  records             = module.apim.private_ip_addresses
  tags                = module.names.tags

  lifecycle {
    precondition {
      condition     = module.names.gateway.record == "@" || endswith(module.names.gateway.host, ".${module.names.gateway.zone}")
      error_message = "network.existing_private_dns_zone_ids.gateway must be a zone that the gateway's host lies in."
    }
  }
}
