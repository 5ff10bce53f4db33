resource "azurerm_container_group" "this" {
  #checkov:skip=CKV_AZURE_235: it refuses any plain variable; these are addresses and ids, and CKV_MCP_2 keeps secrets out of them

  name                = "aci-${var.name}"
  resource_group_name = var.resource_group_name
  location            = var.location
  os_type             = "Linux"
  restart_policy      = "Always"
  zones               = var.zone == null ? null : [var.zone]
  tags                = var.tags

  # Private for good: with a subnet there is neither a public address nor a public name.
  ip_address_type = "Private"
  subnet_ids      = [var.subnet_id]

  identity {
    type         = "UserAssigned"
    identity_ids = [var.identity.id]
  }

  image_registry_credential {
    server                    = var.registry_login_server
    user_assigned_identity_id = var.identity.id
  }

  container {
    name   = "server"
    image  = var.image
    cpu    = var.cpu
    memory = var.memory

    environment_variables        = var.environment_variables
    secure_environment_variables = var.secure_environment_variables

    ports {
      port     = var.port
      protocol = "TCP"
    }

    dynamic "liveness_probe" {
      for_each = var.health_path == null ? [] : [var.health_path]
      content {
        # A server that is silent for half a minute is restarted, in place and with its address; the first answer may
        # take as long again. Restarting a server that is merely busy would cut the calls that it works on.
        initial_delay_seconds = 30
        period_seconds        = 10
        failure_threshold     = 3
        timeout_seconds       = 5

        http_get {
          path   = liveness_probe.value
          port   = var.port
          scheme = "http"
        }
      }
    }
  }

  # What stands behind the server, which is then a proxy: containers of a group reach each other on localhost, on any port,
  # also on one that is not exposed on the group's address ("Container groups in Azure Container Instances", Networking,
  # June 2022). It has no port here, and so the gateway's network has no way past the first container.
  dynamic "container" {
    for_each = var.upstream == null ? [] : [var.upstream]
    content {
      name   = "upstream"
      image  = var.upstream.image
      cpu    = var.upstream.cpu
      memory = var.upstream.memory

      environment_variables        = var.upstream.environment_variables
      secure_environment_variables = var.upstream_secure_environment_variables
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
