locals {
  _gateway_host = regex("^https?://([^/:]+)", local.public_base_url)[0]

  # Stage 1's zone is the host itself; one that a hub keeps may be a domain above it.
  _gateway_zone   = try(reverse(split("/", var.network.existing_private_dns_zone_ids.gateway))[0], local._gateway_host)
  _gateway_record = local._gateway_host == local._gateway_zone ? "@" : trimsuffix(local._gateway_host, ".${local._gateway_zone}")
}

# An internal gateway has no public record: clients in the network find it by this one.
resource "azurerm_private_dns_a_record" "gateway" {
  for_each = var.gateway_exposure == "internal" ? { this = local._private_dns_zone_ids.gateway } : {}

  name                = local._gateway_record
  private_dns_zone_id = each.value
  ttl                 = 30
  records             = module.apim.private_ip_addresses
  tags                = local.tags

  lifecycle {
    precondition {
      condition     = local._gateway_record == "@" || endswith(local._gateway_host, ".${local._gateway_zone}")
      error_message = "network.existing_private_dns_zone_ids.gateway must be a zone that the gateway's host lies in."
    }
  }
}
