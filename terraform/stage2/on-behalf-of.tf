# Servers that act as their caller: the API's own application exchanges the caller's token, and proves itself with the gateway's
# identity in place of a secret (docs/adr/0031).

locals {
  _graph = "00000003-0000-0000-c000-000000000000"

  _downstream = {
    for name, server in var.mcp_servers : name => {
      client_id  = try(regex("^api://([0-9a-f-]+)/", server.downstream.scope)[0], local._graph)
      permission = regex("[^/]+$", server.downstream.scope)
    } if server.downstream != null
  }

  # By the application id of the other API: what is asked of it, by all servers together.
  _downstream_permissions = { for _, one in local._downstream : one.client_id => one.permission... }
}

data "azuread_service_principal" "downstream" {
  for_each = local._downstream_permissions

  client_id = each.key

  lifecycle {
    postcondition {
      condition     = length(setsubtract(each.value, keys(self.oauth2_permission_scope_ids))) == 0
      error_message = "${self.display_name} offers no delegated permission ${join(", ", setsubtract(each.value, keys(self.oauth2_permission_scope_ids)))}, which downstream.scope in mcp_servers names: correct it, or have its owner publish that scope."
    }
  }
}
