resource "azurerm_container_group" "this" {
  #checkov:skip=CKV_AZURE_235: it refuses any plain variable; these are addresses and ids, and CKV_MCP_2 keeps secrets out of them

  name                = "aci-${var.name}"
  resource_group_name = var.resource_group_name
  location            = var.location
  os_type             = "Linux"
  restart_policy      = "OnFailure"
  tags                = var.tags

  # Private for good: with a subnet there is neither a public address nor a public name.
  ip_address_type = "Private"
  subnet_ids      = [var.subnet_id]

  identity {
    type         = "UserAssigned"
    identity_ids = [var.identity_id]
  }

  image_registry_credential {
    server                    = var.registry_login_server
    user_assigned_identity_id = var.identity_id
  }

  container {
    name     = "job"
    image    = var.image
    cpu      = 0.5
    memory   = 0.5
    commands = var.command

    environment_variables = var.environment_variables

    # An address has ports ("Container Groups - Create Or Update", IpAddress), though nothing listens here.
    ports {
      port     = 8000
      protocol = "TCP"
    }
  }

  # A group does not take over the network's name servers ("Deploy container instances into a virtual network").
  dynamic "dns_config" {
    for_each = length(var.dns_servers) == 0 ? [] : [var.dns_servers]
    content {
      nameservers = dns_config.value
    }
  }
}

# The setting restarts the group ("Monitor Azure Container Instances reference"), so a job has to bear being run twice.
resource "azurerm_monitor_diagnostic_setting" "this" {
  for_each = var.logs == null ? {} : { container-group = var.logs }

  name                       = "to-log-analytics"
  target_resource_id         = azurerm_container_group.this.id
  log_analytics_workspace_id = each.value.workspace_id

  enabled_log {
    category = "ContainerInstanceLog"
  }

  enabled_log {
    category = "ContainerEvent"
  }
}
