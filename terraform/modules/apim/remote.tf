# Servers elsewhere: where the gateway forwards to, and with which credential (docs/adr/0030).

locals {
  # What the gateway calls of a server elsewhere, and the path there. API Management adds its own path to a backend's.
  _remotes = {
    for name, server in var.servers : name => {
      origin     = regex("^https?://[^/]+", server.remote.url)
      path       = coalesce(try(regex("^https?://[^/]+(/.*)$", server.remote.url)[0], null), "/")
      credential = server.remote.credential
    } if server.remote != null
  }
}

# A server elsewhere: one backend for all tiers, as it has no slots.
resource "azurerm_api_management_backend" "remote" {
  #checkov:skip=CKV_AZURE_215: this check sees no address in the code; the validation of mcp_servers wants https, and CKV_MCP_28 holds the plan to it
  for_each = local._remotes

  name                = "${each.key}-remote"
  resource_group_name = var.resource_group_name
  api_management_name = azurerm_api_management.this.name
  protocol            = "http"
  url                 = each.value.origin
  description         = "${each.key}, a server elsewhere"

  tls {
    validate_certificate_chain = true
    validate_certificate_name  = true
  }

  # Fail fast where it cannot answer, so that its callers do not hold the gateway's connections until they time out.
  circuit_breaker_rule {
    name                       = "unreachable"
    trip_duration              = "PT10S"
    accept_retry_after_enabled = true

    failure_condition {
      count             = 5
      interval_duration = "PT10S"
      error_reasons     = ["BackendConnectionFailure"]

      status_code_range {
        min = 502
        max = 504
      }
    }
  }

  # As those of slots.
  lifecycle {
    create_before_destroy = true
    replace_triggered_by  = [azurerm_api_management.this.id]
  }
}

# Credentials of remote servers. Their values are in the vault and in the gateway, and in no state, plan or policy.
resource "azurerm_api_management_named_value" "secret" {
  for_each = var.secrets

  name                = "secret-${each.key}"
  display_name        = "secret-${each.key}"
  resource_group_name = var.resource_group_name
  api_management_name = azurerm_api_management.this.name
  secret              = true

  # By the service's own identity: a vault with a firewall admits no other ("Use named values in Azure API Management
  # policies", Requirements for key vault firewall, 2024-07-11).
  value_from_key_vault {
    secret_id = each.value
  }

  depends_on = [var.secrets_ready]

  lifecycle {
    create_before_destroy = true
    replace_triggered_by  = [azurerm_api_management.this.id]
  }
}
