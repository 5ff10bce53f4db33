resource "azurerm_private_endpoint" "this" {
  name                = var.name
  resource_group_name = var.resource_group_name
  location            = var.location
  subnet_id           = var.subnet_id
  tags                = var.tags

  custom_network_interface_name = "nic-${var.name}"

  private_service_connection {
    name                           = var.name
    private_connection_resource_id = var.target.resource_id
    subresource_names              = [var.target.subresource]
    is_manual_connection           = false
  }

  dynamic "private_dns_zone_group" {
    # Landing zones often register the records by policy: then no zone is given here.
    for_each = length(var.private_dns_zone_ids) > 0 ? [1] : []
    content {
      name                 = "default"
      private_dns_zone_ids = var.private_dns_zone_ids
    }
  }
}
