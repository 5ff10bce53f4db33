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
  records             = [data.azurerm_container_group.this.ip_address]
  tags                = var.tags
}

# The setting restarts the group, which may change its address ("Monitor Azure Container Instances reference"): read it after
# that. It also shows a plan where Azure has moved a group since.
data "azurerm_container_group" "this" {
  name                = azurerm_container_group.this.name
  resource_group_name = var.resource_group_name

  depends_on = [azurerm_monitor_diagnostic_setting.this]
}
