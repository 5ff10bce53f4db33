locals {
  _slots = merge([
    for server_name, server in var.servers : {
      for slot_name, slot in server.slots : slot_name => merge(slot, { server = server_name })
    }
  ]...)

  _operations = merge([
    for server in keys(var.servers) : {
      for method in ["POST", "GET", "DELETE"] : "${server}-${lower(method)}" => { server = server, method = method }
    }
  ]...)
}

resource "azurerm_api_management_backend" "slot" {
  #checkov:skip=CKV_AZURE_215:Container groups have no managed certificate; the boundary that replaces TLS is docs/adr/0002
  for_each = local._slots

  name                = each.key
  resource_group_name = var.resource_group_name
  api_management_name = azurerm_api_management.this.name
  protocol            = "http"
  url                 = each.value.url
  description         = "${each.value.server}, tier ${each.value.tier}, slot ${each.value.slot}"

  # A slot that cannot answer is left alone for a while, so that its callers fail fast.
  circuit_breaker_rule {
    name                       = "unreachable"
    trip_duration              = "PT10S"
    accept_retry_after_enabled = true

    failure_condition {
      count             = 5
      interval_duration = "PT10S"

      status_code_range {
        min = 502
        max = 504
      }
    }
  }
}

resource "azurerm_api_management_api" "mcp" {
  for_each = var.servers

  name                = "mcp-${each.key}"
  display_name        = "MCP server ${each.key}"
  resource_group_name = var.resource_group_name
  api_management_name = azurerm_api_management.this.name
  revision            = "1"
  path                = each.key
  protocols           = ["https"]
  # Callers carry an Entra token; a subscription key would be checked first and answer 401 without a challenge.
  subscription_required = false
}

resource "azurerm_api_management_api_operation" "mcp" {
  for_each = local._operations

  operation_id        = lower(each.value.method)
  display_name        = "${each.value.method} /mcp"
  api_name            = azurerm_api_management_api.mcp[each.value.server].name
  resource_group_name = var.resource_group_name
  api_management_name = azurerm_api_management.this.name
  method              = each.value.method
  url_template        = "/mcp"
}

resource "azurerm_api_management_api_policy" "mcp" {
  for_each = var.servers

  api_name            = azurerm_api_management_api.mcp[each.key].name
  resource_group_name = var.resource_group_name
  api_management_name = azurerm_api_management.this.name
  xml_content = templatefile("${local._policies}/mcp-api.xml.tftpl", {
    server        = each.key
    authorization = var.authorization
    rate_limit    = each.value.rate_limit
    timeout       = each.value.timeout
    # The strongest role is matched first: a caller who holds both is an admin.
    tiers = [
      for role in ["Mcp.Admin", "Mcp.Read"] : {
        name       = one([for slot in values(each.value.slots) : slot.tier if slot.role == role && slot.slot == "a"])
        role       = role
        backend_id = one([for name, slot in each.value.slots : name if slot.role == role && slot.slot == "a"])
      } if anytrue([for slot in values(each.value.slots) : slot.role == role])
    ]
  })

  depends_on = [
    azurerm_api_management_backend.slot,
    azurerm_api_management_named_value.this,
    azurerm_api_management_policy_fragment.this,
  ]
}
