locals {
  # From the zone's id rather than from the record, which knows it only after the apply.
  _fqdn = "${var.name}.${reverse(split("/", var.private_dns_zone_id))[0]}"
}

# Azure gives a group in a network no name, and may give it another address when it restarts. Gateway and people use
# this name; `heal` brings the record up to date, and the short life of answers bounds how long the old one is used.
resource "azurerm_private_dns_a_record" "this" {
  name                = var.name
  private_dns_zone_id = var.private_dns_zone_id
  ttl                 = 30
  records             = [azurerm_container_group.this.ip_address]
  tags                = var.tags
}
